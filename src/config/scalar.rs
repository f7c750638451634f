//! Small texts of a config as values: lengths of time, decimals, web addresses, cron words.
//!
//! Promises: exact; no float is ever made. Each error says what was found and what was wanted.

use std::net::IpAddr;

use jiff::SignedDuration;

use crate::model::CronWords;

const WANTED_DURATION: &str = "a length of time such as \"90s\", \"10m\", \"24h\" or \"45 days\"";

/// `90s`, `250ms`, `10m`, `24h`, `45 days`: a whole number and a unit, a space between them or none.
pub(super) fn duration(text: &str) -> Result<SignedDuration, String> {
    let wrong = || format!("found {text:?}, wanted {WANTED_DURATION}");
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (count, unit) = text.split_at(digits);
    let count: i64 = count.parse().map_err(|_| wrong())?;
    let millis_per_unit: i64 = match unit.strip_prefix(' ').unwrap_or(unit) {
        "ms" => 1,
        "s" | "second" | "seconds" => 1_000,
        "m" | "min" | "minute" | "minutes" => 60_000,
        "h" | "hour" | "hours" => 3_600_000,
        "d" | "day" | "days" => 86_400_000,
        "w" | "week" | "weeks" => 604_800_000,
        _ => return Err(wrong()),
    };
    count.checked_mul(millis_per_unit).map(SignedDuration::from_millis).ok_or_else(wrong)
}

/// A length of time within bounds that are given in words.
pub(super) fn duration_between(
    text: &str,
    least: SignedDuration,
    most: SignedDuration,
    wanted: &str,
) -> Result<SignedDuration, String> {
    let read = duration(text)?;
    if (least..=most).contains(&read) { Ok(read) } else { Err(format!("found {text:?}, wanted {wanted}")) }
}

/// A decimal of at most three digits after the point, in thousandths; `None`: not one, or too large.
pub(super) fn milli(text: &str) -> Option<u32> {
    let text = text.strip_prefix('+').unwrap_or(text);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let plain = |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if !plain(whole) || !plain(fraction) || fraction.len() > 3 {
        return None;
    }
    let fraction: u32 = format!("{fraction:0<3}").parse().ok()?;
    whole.parse::<u32>().ok()?.checked_mul(1_000)?.checked_add(fraction)
}

/// Cron words with seconds, as they stand.
pub(super) fn cron(text: &str) -> Result<String, String> {
    match CronWords::parse(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(why) => Err(format!(
            "found {text:?} ({why}), wanted six cron words, seconds first, such as \"0 */5 * * * *\""
        )),
    }
}

/// An address of the provider: https anywhere, plain http to this host alone. A slash at its end is dropped.
pub(super) fn provider_url(text: &str) -> Result<String, String> {
    let wrong = |what: &str| format!("found {text:?}, wanted {what}");
    let (secure, rest) =
        split_scheme(text).ok_or_else(|| wrong("an address such as \"https://api.omise.co\""))?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    if rest.contains(['?', '#']) || !path.trim_end_matches('/').is_empty() {
        return Err(wrong("an address without a path"));
    }
    let host = host_of(authority).ok_or_else(|| wrong("a host and, if need be, a port"))?;
    if !secure && !is_loopback(host) {
        return Err(wrong("https: plain http is for this host alone (127.0.0.1, [::1], localhost)"));
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// A page for customers.
pub(super) fn page_url(text: &str) -> Result<String, String> {
    let host = split_scheme(text)
        .and_then(|(_, rest)| host_of(rest.split(['/', '?', '#']).next().unwrap_or_default()));
    match host {
        Some(_) if !text.contains(char::is_whitespace) => Ok(text.to_owned()),
        _ => {
            Err(format!("found {text:?}, wanted a web page such as \"https://shop.example/billing/return\""))
        }
    }
}

/// Where messages are posted to: https anywhere, plain http to this host alone.
pub(super) fn hook_url(text: &str) -> Result<String, String> {
    let wrong = |what: &str| format!("found {text:?}, wanted {what}");
    let (secure, rest) =
        split_scheme(text).ok_or_else(|| wrong("an address such as \"https://shop.example/hooks/dues\""))?;
    let host = host_of(rest.split(['/', '?']).next().unwrap_or_default());
    let host = host.ok_or_else(|| wrong("a host and, if need be, a port"))?;
    if text.contains(|c: char| c.is_whitespace() || c == '#') {
        return Err(wrong("an address without spaces and without #"));
    }
    if !secure && !is_loopback(host) {
        return Err(wrong("https: plain http is for this host alone (127.0.0.1, [::1], localhost)"));
    }
    Ok(text.to_owned())
}

/// Whether an address that [`provider_url`] accepted is on this host, as every pretend provider is.
pub(super) fn is_this_host(url: &str) -> bool {
    split_scheme(url).and_then(|(_, authority)| host_of(authority)).is_some_and(is_loopback)
}

fn split_scheme(text: &str) -> Option<(bool, &str)> {
    text.strip_prefix("https://")
        .map(|rest| (true, rest))
        .or_else(|| text.strip_prefix("http://").map(|rest| (false, rest)))
}

/// The host of `host`, `host:port` or `[v6]:port`; `None`: none of these, or a user name is hidden in it.
fn host_of(authority: &str) -> Option<&str> {
    let (host, port) = if let Some(rest) = authority.strip_prefix('[') {
        let (host, after) = rest.split_once(']')?;
        host.parse::<std::net::Ipv6Addr>().ok()?;
        (host, if after.is_empty() { None } else { Some(after.strip_prefix(':')?) })
    } else {
        match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        }
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
    let sound = !host.is_empty() && host.chars().all(plain);
    let port_is_sound = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port != 0));
    (sound && port_is_sound).then_some(host)
}

pub(super) fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_a_number_and_a_unit() {
        for (text, millis) in [
            ("90s", 90_000),
            ("250ms", 250),
            ("10m", 600_000),
            ("24h", 86_400_000),
            ("45 days", 3_888_000_000),
        ] {
            assert_eq!(duration(text), Ok(SignedDuration::from_millis(millis)), "{text}");
        }
        for text in ["", "90", "s", "-1s", "1.5h", "10  m", "10 fortnights", "99999999999999999 days"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn decimals_are_read_from_their_digits() {
        for (text, wanted) in [("0.5", 500), ("10", 10_000), ("2.0", 2_000), ("0.001", 1), ("+1.25", 1_250)] {
            assert_eq!(milli(text), Some(wanted), "{text}");
        }
        for text in ["", ".5", "1.", "-1", "1e3", "0.0001", "inf", "nan", "99999999"] {
            assert_eq!(milli(text), None, "{text}");
        }
    }

    #[test]
    fn plain_http_reaches_this_host_alone() {
        for text in
            ["https://api.omise.co", "http://127.0.0.1:8080/", "http://[::1]:80", "http://localhost:1"]
        {
            assert!(provider_url(text).is_ok(), "{text}");
        }
        for text in [
            "http://api.omise.co",
            "http://localhost.evil.example",
            "http://127.0.0.1@evil.example",
            "ftp://127.0.0.1",
            "https://",
            "https://api.omise.co/v1",
            "https://api.omise.co:port",
            "http://127.1",
        ] {
            assert!(provider_url(text).is_err(), "{text}");
        }
    }

    #[test]
    fn cron_words_have_seconds() {
        assert!(cron("0 */5 * * * *").is_ok());
        assert!(cron("*/5 * * * *").is_err());
        assert!(cron("99 * * * * *").is_err());
        let never = cron("0 0 0 31 2 *").unwrap_err();
        assert!(never.starts_with("found \"0 0 0 31 2 *\" (there is no such day), wanted six"), "{never}");
    }
}
