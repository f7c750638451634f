//! What `[notify]` says of deliveries, and the sections under it: which messages go which way, and when.
//!
//! A section with mistakes gives its defaults: the mistakes were noted, so nobody sees them.

use jiff::SignedDuration;
use jiff::civil::Time;

use super::plans::local_time;
use super::scalar;
use super::section::{Found, Section};
use crate::model::MessageKind;
use crate::model::settings::{CommandWishes, EmailWishes, Notify, QuietHours, SmtpTls, WebhookWishes};

const DAY: SignedDuration = SignedDuration::from_hours(24);
const MOST_REMINDERS: usize = 5;
const MOST_WORDS: usize = 64;
const DEFAULT_TIMEOUT: SignedDuration = SignedDuration::from_secs(30);
const LEAST_TIMEOUT: SignedDuration = SignedDuration::from_millis(100);
const MOST_TIMEOUT: SignedDuration = SignedDuration::from_mins(2);

pub(super) fn deliveries(section: &Section<'_>) -> Notify {
    let defaults = Notify::default();
    let get = |key: &str| section.get(key);
    let time = |key: &str| get(key).and_then(|v| v.parse("a local time such as \"07:00\"", local_time));
    Notify {
        email: get("email").and_then(|v| email(&v)),
        webhook: get("webhook").and_then(|v| webhook(&v)),
        command: get("command").and_then(|v| command(&v)),
        quiet: get("quiet").and_then(|v| v.parse(QUIET, quiet)),
        keep: get("keep").and_then(|v| between(&v, DAY, DAY * 3_660)).unwrap_or(defaults.keep),
        trial_ending: get("trial_ending")
            .and_then(|v| between(&v, SignedDuration::from_hours(1), DAY * 90))
            .unwrap_or(defaults.trial_ending),
        remind: get("remind").and_then(|v| remind(&v)).unwrap_or(defaults.remind),
        digest_at: time("digest_at").unwrap_or(defaults.digest_at),
    }
}

const QUIET: &str = "a stretch of the day such as \"21:00-08:00\"";

fn quiet(text: &str) -> Result<QuietHours, String> {
    let wrong = || format!("found {text:?}, wanted {QUIET}");
    let (from, to) = text.split_once('-').ok_or_else(wrong)?;
    let time = |text: &str| local_time(text.trim()).map_err(|_| wrong());
    let (from, to): (Time, Time) = (time(from)?, time(to)?);
    if from == to { Err(wrong()) } else { Ok(QuietHours { from, to }) }
}

fn between(found: &Found<'_>, least: SignedDuration, most: SignedDuration) -> Option<SignedDuration> {
    let hours = |span: SignedDuration| match span.as_hours() {
        hours if hours % 24 == 0 => format!("{} days", hours / 24),
        hours => format!("{hours}h"),
    };
    let wanted = format!("a length of time from \"{}\" to \"{}\"", hours(least), hours(most));
    found.parse(&wanted, |text| scalar::duration_between(text, least, most, &wanted))
}

fn remind(found: &Found<'_>) -> Option<Vec<SignedDuration>> {
    let list = found.list("a list of lengths of time such as [\"1 day\", \"3 days\"]")?;
    if list.len() > MOST_REMINDERS {
        found.wrong(format!("found {} reminders, wanted at most {MOST_REMINDERS}", list.len()));
        return None;
    }
    let one = |v: &Found<'_>| between(v, SignedDuration::from_hours(1), DAY * 30);
    let mut after: Vec<_> = list.iter().map(one).collect::<Option<_>>()?;
    after.sort_unstable();
    after.dedup();
    Some(after)
}

fn timeout(section: &Section<'_>) -> SignedDuration {
    let wanted = "a length of time from \"100ms\" to \"2m\"";
    section
        .get("timeout")
        .and_then(|v| {
            v.parse(wanted, |text| scalar::duration_between(text, LEAST_TIMEOUT, MOST_TIMEOUT, wanted))
        })
        .unwrap_or(DEFAULT_TIMEOUT)
}

/// The kinds that a channel wants; absent: all of them.
fn events(section: &Section<'_>) -> Vec<MessageKind> {
    let Some(found) = section.get("events") else { return MessageKind::ALL.to_vec() };
    let known = MessageKind::ALL.iter().map(|kind| kind.word()).collect::<Vec<_>>();
    let one = |v: &Found<'_>| {
        let wanted = format!("one of {}", known.join(", "));
        let word = v.text(&wanted)?;
        let kind = MessageKind::from_word(word);
        if kind.is_none() {
            match super::section::nearest(word, &known) {
                Some(near) => v.wrong_help(
                    format!("found {word:?}, wanted {wanted}"),
                    format!("did you mean \"{near}\"?"),
                ),
                None => v.wrong(format!("found {word:?}, wanted {wanted}")),
            }
        }
        kind
    };
    let list = found.list("a list of messages such as [\"invoice_paid\", \"declined\"]").unwrap_or_default();
    list.iter().filter_map(one).collect()
}

/// An address as people write it, with or without a name before it. The mail library judges the rest at the start.
fn mailbox(found: &Found<'_>) -> Option<String> {
    let wanted = "a mailbox such as \"Shop <billing@shop.example>\"";
    found.parse(wanted, |text| {
        let address = text.rsplit_once('<').map_or(text, |(_, rest)| rest.trim_end_matches('>'));
        let sound = address.trim().split_once('@').is_some_and(|(who, host)| {
            !who.is_empty() && !host.is_empty() && !host.contains('@') && !address.trim().contains(' ')
        });
        if sound && !text.contains(char::is_control) {
            Ok(text.to_owned())
        } else {
            Err(format!("found {text:?}, wanted {wanted}"))
        }
    })
}

fn email(found: &Found<'_>) -> Option<EmailWishes> {
    const KNOWN: &[&str] = &[
        "host",
        "port",
        "tls",
        "user",
        "password_file",
        "from",
        "reply_to",
        "merchant",
        "events",
        "timeout",
    ];
    let section = found.section(KNOWN, "[notify.email] with `host` and `from`")?;
    let host = section.need("host", "the mail server's name").and_then(|v| v.text("the mail server's name"));
    let from = section.need("from", "the sender's mailbox").and_then(|v| mailbox(&v));
    let tls = section
        .get("tls")
        .and_then(|v| {
            v.parse("\"starttls\", \"tls\" or \"none\"", |word| {
                SmtpTls::from_word(word)
                    .ok_or_else(|| format!("found {word:?}, wanted \"starttls\", \"tls\" or \"none\""))
            })
        })
        .unwrap_or(SmtpTls::StartTls);
    if let Some(tls) = section.get("tls").filter(|_| tls == SmtpTls::None)
        && host.is_some_and(|host| !scalar::is_loopback(host))
    {
        tls.wrong("found \"none\", wanted \"starttls\" or \"tls\": plain text is for this host alone");
    }
    let (user, password_file) = login(&section);
    Some(EmailWishes {
        host: host?.to_owned(),
        port: section
            .get("port")
            .and_then(|v| v.whole(1..=65_535))
            .and_then(|port| u16::try_from(port).ok())
            .unwrap_or(match tls {
                SmtpTls::StartTls => 587,
                SmtpTls::Tls => 465,
                SmtpTls::None => 25,
            }),
        tls,
        user,
        password_file,
        from: from?,
        reply_to: section.get("reply_to").and_then(|v| mailbox(&v)),
        merchant: section.get("merchant").and_then(|v| mailbox(&v)),
        events: events(&section),
        timeout: timeout(&section),
    })
}

fn login(section: &Section<'_>) -> (Option<String>, Option<std::path::PathBuf>) {
    match (section.get("user"), section.get("password_file")) {
        (Some(user), Some(file)) => (user.text("who logs in").map(str::to_owned), file.path()),
        (Some(user), None) => {
            user.wrong("found without password_file, wanted both or neither");
            (None, None)
        }
        (None, Some(file)) => {
            file.wrong("found without user, wanted both or neither");
            (None, None)
        }
        (None, None) => (None, None),
    }
}

fn webhook(found: &Found<'_>) -> Option<WebhookWishes> {
    const KNOWN: &[&str] = &["url", "secret_file", "allow_private", "events", "timeout"];
    let section = found.section(KNOWN, "[notify.webhook] with `url` and `secret_file`")?;
    let url = section.need("url", "where messages are posted to");
    let allow_private = section.get("allow_private").and_then(|v| v.flag()).unwrap_or(false);
    let text = url.as_ref().and_then(|v| v.parse("an address", scalar::hook_url));
    if let (Some(url), Some(text)) = (&url, &text)
        && text.starts_with("http://")
        && !allow_private
    {
        url.wrong(format!(
            "found {text:?}, wanted https; plain http is for this host alone, and needs allow_private = true"
        ));
    }
    let secret_file = section.need("secret_file", "a file of mode 0600 with a signing secret a line");
    Some(WebhookWishes {
        url: text?,
        secret_file: secret_file?.path()?,
        allow_private,
        events: events(&section),
        timeout: timeout(&section),
    })
}

fn command(found: &Found<'_>) -> Option<CommandWishes> {
    let section = found.section(&["program", "events", "timeout"], "[notify.command] with `program`")?;
    let wanted = "a program and its arguments such as [\"/usr/local/bin/told\", \"--from\", \"dues\"]";
    let program = section.need("program", wanted)?;
    let words = program.list(wanted)?;
    if words.is_empty() || words.len() > MOST_WORDS {
        program.wrong(format!("found {} words, wanted 1 to {MOST_WORDS}", words.len()));
        return None;
    }
    let words: Option<Vec<String>> =
        words.iter().map(|word| word.text("a word of the command").map(str::to_owned)).collect();
    Some(CommandWishes { program: words?, events: events(&section), timeout: timeout(&section) })
}
