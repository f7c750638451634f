//! Cron words: when something is to be done, on the clocks of a zone.
//!
//! Promises: six words, seconds first, of which there is a time to come; who wishes them and who obeys them read them
//! alike. Must never know: what is done then.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::Timestamp;

use super::Zone;

/// Cron words that were believed.
#[derive(Clone, Debug)]
pub struct CronWords(Cron);

impl CronWords {
    /// Reads six words, seconds first.
    ///
    /// # Errors
    /// Why they make no sense, or that their day never comes.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parser = CronParser::builder().seconds(Seconds::Required).year(Year::Disallowed).build();
        let words = Self(parser.parse(text).map_err(|why| why.to_string())?);
        // Without a year what never comes from the first instant on never comes at all.
        let comes = words.next(&Zone::UTC, Timestamp::UNIX_EPOCH).is_some();
        if comes { Ok(words) } else { Err("there is no such day".into()) }
    }

    /// The first time after that instant on that zone's clocks; `None`: none within three thousand years.
    pub fn next(&self, zone: &Zone, after: Timestamp) -> Option<Timestamp> {
        let next = self.0.find_next_occurrence(&zone.at(after), false).ok()?;
        Some(next.timestamp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_six_and_their_day_comes() {
        for text in ["0 */5 * * * *", "0 0 0 29 2 *", "0 0 0 31 12 *", "0 30 2 * * MON"] {
            assert!(CronWords::parse(text).is_ok(), "{text}");
        }
        for text in ["*/5 * * * *", "99 * * * * *", "0 0 0 1 1 * 2020", "soon", ""] {
            assert!(CronWords::parse(text).is_err(), "{text}");
        }
        for never in ["0 0 0 31 2 *", "0 0 0 30 2 *", "0 0 0 31 4,6,9,11 *"] {
            assert_eq!(CronWords::parse(never).map(|_| ()), Err("there is no such day".into()), "{never}");
        }
    }

    #[test]
    fn a_leap_day_is_waited_for() {
        let words = CronWords::parse("0 0 0 29 2 *").unwrap();
        let after: Timestamp = "2026-11-22T00:00:00Z".parse().unwrap();
        let bangkok = Zone::parse("Asia/Bangkok").unwrap();
        assert_eq!(words.next(&bangkok, after), Some("2028-02-28T17:00:00Z".parse().unwrap()));
    }
}
