//! A message's facts and the merchant's own as values of placeholders, in the words of one language.
//!
//! Promises: every value is one line without characters that would steer a terminal or turn a text around; an address
//! that becomes a link is a web page's or a mailbox. What a message does not tell has no value.

use jiff::Timestamp;

use super::template::{Value, Values};
use super::{LetterError, dates, money, words};
use crate::model::settings::Letters;
use crate::model::{CardLook, DeclineKind, Digest, Language, Message, MessageKind};

/// Longer values are cut: a plan's name is no place for a novel.
const LONGEST_CHARS: usize = 200;
/// Addresses may be longer, and are never cut.
const LONGEST_URL_BYTES: usize = 2_048;

/// Every value of that message.
pub(super) fn values(message: &Message, language: Language, wishes: &Letters) -> Result<Values, LetterError> {
    let mut values = Values::new();
    merchant(&mut values, wishes)?;
    ids(&mut values, message, language);
    sums(&mut values, message, language);
    card(&mut values, message.facts.card.as_ref(), language);
    decline(&mut values, message, language);
    ends(&mut values, message, language);
    if let Some(url) = &message.facts.action_url {
        values.insert("action_url", Value::text(page("action_url", url)?));
    }
    if let Some(digest) = &message.facts.digest {
        day(&mut values, digest, language);
    }
    values.retain(|_, value| *value != Value::default());
    Ok(values)
}

fn merchant(values: &mut Values, wishes: &Letters) -> Result<(), LetterError> {
    values.insert("merchant", text(&wishes.merchant));
    values.insert("support", text(&wishes.support));
    values.insert("support_link", link(&wishes.support));
    if let Some(cancel) = &wishes.cancel {
        values.insert("cancel", text(cancel));
        values.insert("cancel_link", link(cancel));
    }
    if let Some(url) = &wishes.card_update_url {
        values.insert("card_update_url", Value::text(page("card_update_url", url)?));
    }
    Ok(())
}

fn ids(values: &mut Values, message: &Message, language: Language) {
    let facts = &message.facts;
    let mut put = |name, shown: Option<String>| {
        if let Some(shown) = shown {
            values.insert(name, text(&shown));
        }
    };
    put("kind", Some(message.kind.word().into()));
    put("language", Some(language.word().into()));
    put("for_merchant", message.kind.is_for_merchant().then(|| "yes".into()));
    put("customer", message.customer.as_ref().map(ToString::to_string));
    put("subscription", facts.subscription.as_ref().map(ToString::to_string));
    put("invoice", facts.invoice.as_ref().map(ToString::to_string));
    put("attempt", facts.attempt.as_ref().map(ToString::to_string));
    put("charge", facts.charge.as_ref().map(ToString::to_string));
    put("plan", facts.plan.as_deref().map(Into::into));
    put("reason", facts.reason.as_deref().map(Into::into));
    put("recovered", facts.recovered.then(|| "yes".into()));
}

fn sums(values: &mut Values, message: &Message, language: Language) {
    let (facts, zone) = (&message.facts, &message.zone);
    let on = |at: Timestamp| Value::text(dates::day(zone.date(at), language));
    values.insert("date", on(message.at));
    if let Some(amount) = facts.amount {
        values.insert("amount", Value::text(money::amount(amount, language)));
    }
    if let Some(period) = facts.period {
        values.insert("period", Value::text(dates::period(period, zone, language)));
    }
    if let Some(at) = facts.next_try_at {
        values.insert("next_try", on(at));
    }
}

fn card(values: &mut Values, card: Option<&CardLook>, language: Language) {
    let Some(card) = card else { return };
    let (brand, digits) = (one_line(&card.brand), one_line(&card.last_digits));
    values.insert("card", Value::text(words::card(&brand, &digits, language)));
    values.insert("card_brand", Value::text(brand));
    values.insert("card_digits", Value::text(digits));
    values.insert("card_valid_through", Value::text(dates::valid_through(card.expiration, language)));
}

fn decline(values: &mut Values, message: &Message, language: Language) {
    let told = message.facts.decline;
    if let Some(decline) = told {
        values.insert("decline", Value::text(decline.word()));
    }
    // A decline whose kind nobody told is one whose reason nobody knows.
    let unknown = (message.kind == MessageKind::Declined).then_some(DeclineKind::Issuer);
    if let Some(decline) = told.or(unknown) {
        let again = message.facts.next_try_at.is_some();
        values.insert("why", Value::text(words::why(decline, language)));
        values.insert("advice", Value::text(words::advice(decline, again, language)));
    }
}

/// The last day of something, and the first day without it.
fn ends(values: &mut Values, message: &Message, language: Language) {
    let Some(end) = message.facts.ends_at else { return };
    let last = dates::last_day(end, &message.zone);
    values.insert("last_day", Value::text(dates::day(last, language)));
    values.insert("next_day", Value::text(dates::day(message.zone.date(end), language)));
    if end > message.at {
        values.insert("ends_later", Value::text("yes"));
    }
}

fn day(values: &mut Values, digest: &Digest, language: Language) {
    let count = |number: u64| Value::count(money::count(number), number == 0);
    let sums = |sums| Value::text(money::amounts(sums, language));
    values.extend([
        ("day", Value::text(dates::day(digest.day, language))),
        ("paid_count", count(digest.paid)),
        ("collected", sums(&digest.collected)),
        ("declined_count", count(digest.declined)),
        ("recovered_count", count(digest.recovered)),
        ("recovered_sums", sums(&digest.recovered_sums)),
        ("flagged_count", count(digest.flagged)),
        ("in_doubt_count", count(digest.in_doubt)),
        ("manual_count", count(digest.manual)),
        ("at_risk_count", count(digest.at_risk)),
        ("at_risk_sums", sums(&digest.at_risk_sums)),
    ]);
}

fn text(text: &str) -> Value {
    Value::text(one_line(text))
}

/// One line without what nobody can see, at most 200 characters.
pub(super) fn one_line(text: &str) -> String {
    let turns =
        |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let seen: String = text.chars().filter(|c| !turns(*c)).map(|c| if breaks(c) { ' ' } else { c }).collect();
    let mut line = seen.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((cut, _)) = line.char_indices().nth(LONGEST_CHARS) {
        line.truncate(cut);
        line.push('…');
    }
    line
}

/// The address behind a way to reach the merchant: of a page or a mailbox; nothing for words.
fn link(way: &str) -> Value {
    let has_space = way.chars().any(|c| c.is_whitespace() || c.is_control());
    if has_space {
        Value::default()
    } else if is_page(way) {
        Value::text(way)
    } else if way.contains('@') && !way.contains([':', '?', '&']) {
        Value::text(format!("mailto:{way}"))
    } else {
        Value::default()
    }
}

fn page(what: &'static str, url: &str) -> Result<String, LetterError> {
    if is_page(url) {
        return Ok(url.into());
    }
    Err(LetterError::Link { what, found: url.chars().take(80).collect() })
}

fn is_page(url: &str) -> bool {
    let scheme = url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    matches!(scheme.as_deref(), Some("https" | "http"))
        && url.len() <= LONGEST_URL_BYTES
        && url.chars().all(|c| !c.is_whitespace() && !c.is_control() && !matches!(c, '<' | '>' | '"' | '`'))
}
