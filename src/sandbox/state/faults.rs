//! Switches for what no test card can do: silence, resets, wrong statuses, wrong echoes, delays.
//!
//! A switch is a word with an argument, such as `status_after:503`; several are joined by commas. They
//! come from the `X-Sandbox-Fault` header, from the metadata key `sandbox_fate` of the charge or of its
//! customer, or from rules set at `/__sandbox/faults`. Promises: an unknown switch is refused where a
//! person set it, and ignored where it arrives as metadata. Must never carry a fault out.

use When::{After, Before};

/// Before the request was processed, or after: then the charge is made and only the answer suffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    Before,
    After,
}

/// Which part of a charge comes back other than it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Echo {
    Amount,
    Currency,
    Customer,
    Card,
    Metadata,
    Livemode,
    Object,
}

/// One thing that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection stays open and nothing ever comes.
    Silence(When),
    /// The connection is closed without an answer.
    Close(When),
    /// The connection is reset without an answer.
    Reset(When),
    /// A status; genuine with an Omise error object, otherwise with a proxy's HTML page.
    Status(When, u16, bool),
    /// Waits so many milliseconds.
    Delay(When, u64),
    /// Closes at once, and processes so many milliseconds later.
    Late(u64),
    /// 429 before processing; seconds of `Retry-After`, or no such header.
    TooMany(Option<u64>),
    /// A redirect elsewhere, before processing.
    Redirect(u16),
    /// An HTML page with status 200.
    Html(When),
    /// The connection ends after so many bytes of the whole answer: by a reset, or quietly.
    Cut(u64, bool),
    /// Half of the body is missing although its length was announced.
    Truncate,
    /// The answer is padded by so many bytes.
    Oversized(usize),
    /// The answer is nested so deeply.
    Deep(usize),
    /// One byte of the body, then so many milliseconds, and so on.
    Drip(u64),
    /// Part of the charge comes back changed.
    Wrong(Echo),
    /// A status word nobody knows.
    StatusWord(String),
    /// No `Date` header.
    NoDate,
    /// Lists show the new charge so many milliseconds late.
    ListDelay(u64),
    /// Search finds the new charge so many milliseconds late.
    SearchLag(u64),
    /// The provider makes the charge twice.
    Duplicate,
    /// The charge fails with this code.
    Decline(String),
    /// The customer must authorise the charge.
    ThreeDs,
    /// The charge stays in flight; after so many milliseconds it succeeds by itself, or never.
    InFlight(Option<u64>),
    /// A declined charge carries this merchant advice: digits are the code, words the text.
    Advice(String),
}

/// Reads one switch.
fn read_one(text: &str) -> Option<Fault> {
    let (word, argument) =
        text.trim().split_once(':').map_or((text.trim(), None), |(w, a)| (w, Some(a.trim())));
    let number = || argument.and_then(|digits| digits.parse::<u64>().ok());
    let status = || number().and_then(|n| u16::try_from(n).ok()).filter(|n| (300..=599).contains(n));
    let size = || number().and_then(|n| usize::try_from(n).ok());
    let text = || argument.filter(|text| !text.is_empty()).map(str::to_owned);
    Some(match word {
        "silence_before" => Fault::Silence(Before),
        "silence_after" => Fault::Silence(After),
        "close_before" => Fault::Close(Before),
        "close_after" => Fault::Close(After),
        "reset_before" => Fault::Reset(Before),
        "reset_after" => Fault::Reset(After),
        "status_before" => Fault::Status(Before, status()?, true),
        "status_after" => Fault::Status(After, status()?, true),
        "page_before" => Fault::Status(Before, status()?, false),
        "page_after" => Fault::Status(After, status()?, false),
        "delay_before" => Fault::Delay(Before, number()?),
        "delay_after" => Fault::Delay(After, number()?),
        "late" => Fault::Late(number()?),
        "too_many" => Fault::TooMany(number()),
        "redirect" => Fault::Redirect(status().unwrap_or(307)),
        "html_before" => Fault::Html(Before),
        "html_after" => Fault::Html(After),
        "reset_at" => Fault::Cut(number()?, true),
        "cut_at" => Fault::Cut(number()?, false),
        "truncate" => Fault::Truncate,
        "oversized" => Fault::Oversized(size()?),
        "deep" => Fault::Deep(size()?),
        "drip" => Fault::Drip(number()?),
        "wrong" => Fault::Wrong(read_echo(argument?)?),
        "status_word" => Fault::StatusWord(text()?),
        "no_date" => Fault::NoDate,
        "list_delay" => Fault::ListDelay(number()?),
        "search_lag" => Fault::SearchLag(number()?),
        "duplicate" => Fault::Duplicate,
        "decline" => Fault::Decline(text()?),
        "3ds" => Fault::ThreeDs,
        "in_flight" => Fault::InFlight(number()),
        "advice" => Fault::Advice(text()?),
        _ => return None,
    })
}

fn read_echo(word: &str) -> Option<Echo> {
    Some(match word {
        "amount" => Echo::Amount,
        "currency" => Echo::Currency,
        "customer" => Echo::Customer,
        "card" => Echo::Card,
        "metadata" => Echo::Metadata,
        "livemode" => Echo::Livemode,
        "object" => Echo::Object,
        _ => return None,
    })
}

/// Reads switches joined by commas; the error names the one that is not known.
pub fn read(text: &str) -> Result<Vec<Fault>, String> {
    text.split(',')
        .filter(|word| !word.trim().is_empty())
        .map(|word| read_one(word).ok_or_else(|| format!("no switch reads `{}`", word.trim())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_read_as_written() {
        assert_eq!(
            read("delay_before:50, status_after:503,decline:expired_card"),
            Ok(vec![
                Fault::Delay(When::Before, 50),
                Fault::Status(When::After, 503, true),
                Fault::Decline("expired_card".into()),
            ])
        );
        assert_eq!(read("close_after,banana"), Err("no switch reads `banana`".into()));
        assert!(read("status_after:200").is_err());
    }
}
