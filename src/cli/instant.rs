//! Instants and dates as people write them.

use jiff::Timestamp;
use jiff::civil::Date;

use super::exit::Failure;
use crate::model::Zone;

/// The whole text is read: a time behind a date is not dropped without a word.
const DATE: &str = "%Y-%m-%d";

/// RFC 3339, or a date meaning its first instant in `zone`. Whole seconds: billing counts no less.
pub(super) fn instant(option: &str, text: &str, zone: &Zone) -> Result<Timestamp, Failure> {
    let wrong = || {
        Failure::usage(format!(
            "{option}: found {text:?}, wanted an instant such as 2026-11-21T09:00:00+07:00, or a date such as 2026-11-21"
        ))
    };
    let read = match text.parse::<Timestamp>() {
        Ok(instant) => instant,
        Err(_) => zone.start_of(Date::strptime(DATE, text).map_err(|_| wrong())?).map_err(|_| wrong())?,
    };
    Timestamp::from_second(read.as_second()).map_err(|_| wrong())
}

/// A calendar date.
pub(super) fn date(option: &str, text: &str) -> Result<Date, Failure> {
    Date::strptime(DATE, text)
        .map_err(|_| Failure::usage(format!("{option}: found {text:?}, wanted a date such as 2026-11-21")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_rfc_3339_or_a_date_in_the_zone() {
        let zone = Zone::parse("Asia/Bangkok").unwrap();
        let midnight: Timestamp = "2026-11-20T17:00:00Z".parse().unwrap();
        assert_eq!(instant("--at", "2026-11-21", &zone).unwrap(), midnight);
        assert_eq!(instant("--at", "2026-11-21T00:00:00.9+07:00", &zone).unwrap(), midnight);
        for text in ["", "2026-11-31", "2026-11-21T09:00", "21.11.2026", "tomorrow", "2026-11-21 09:00"] {
            assert_eq!(instant("--at", text, &zone).unwrap_err().exit as u8, 2, "{text}");
        }
    }
}
