//! Time zones by IANA name, always from the data compiled into the program, so that every host agrees.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, Zoned};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Not a zone of the IANA database.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("found zone {0:?}, wanted an IANA name such as \"Asia/Bangkok\", \"Asia/Tokyo\" or \"UTC\"")]
pub struct ZoneError(pub String);

/// A zone of the bundled IANA database.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(TimeZone::UTC);

    /// The zone of that IANA name.
    pub fn parse(name: &str) -> Result<Self, ZoneError> {
        if name == "UTC" {
            return Ok(Self::UTC);
        }
        bundled().get(name).map(Self).map_err(|_| ZoneError(name.chars().take(80).collect()))
    }

    /// Its IANA name.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// The zone for calendar arithmetic.
    pub const fn rules(&self) -> &TimeZone {
        &self.0
    }

    /// That instant on this zone's clocks.
    pub fn at(&self, instant: Timestamp) -> Zoned {
        instant.to_zoned(self.0.clone())
    }

    /// That instant as people here read it: RFC 3339, to the second, with this zone's offset.
    pub fn told(&self, instant: Timestamp) -> String {
        self.at(instant).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
    }

    /// That instant's date on this zone's calendars.
    pub fn date(&self, instant: Timestamp) -> Date {
        self.at(instant).date()
    }

    /// The first instant of that date here.
    pub fn start_of(&self, date: Date) -> Result<Timestamp, jiff::Error> {
        first_instant(date.at(0, 0, 0, 0), self)
    }
}

fn bundled() -> &'static TimeZoneDatabase {
    static DATA: std::sync::OnceLock<TimeZoneDatabase> = std::sync::OnceLock::new();
    DATA.get_or_init(TimeZoneDatabase::bundled)
}

/// The instant of a local time: the first pass of one that happens twice, and of one that is skipped
/// the first valid instant after the gap.
///
/// Fails only outside the years the calendar knows.
pub fn first_instant(local: DateTime, zone: &Zone) -> Result<Timestamp, jiff::Error> {
    let ambiguous = zone.rules().to_ambiguous_timestamp(local);
    match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } => ambiguous.unambiguous(),
        AmbiguousOffset::Fold { .. } => ambiguous.earlier(),
        // The gap's end is the transition itself: read with the offset before it, a skipped local time lies
        // at or after the transition; read with the offset after it, before.
        AmbiguousOffset::Gap { .. } => {
            let before_gap = zone.rules().to_ambiguous_timestamp(local).earlier()?;
            let transition = zone.rules().following(before_gap).next();
            transition
                .map_or_else(|| zone.rules().to_ambiguous_timestamp(local).later(), |t| Ok(t.timestamp()))
        }
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Zone {
    type Err = ZoneError;
    fn from_str(name: &str) -> Result<Self, ZoneError> {
        Self::parse(name)
    }
}

impl Serialize for Zone {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_skipped_time_becomes_the_first_valid_one_after_it() {
        let zone = Zone::parse("America/New_York").unwrap();
        let at = first_instant(date(2026, 3, 8).at(2, 30, 0, 0), &zone).unwrap();
        assert_eq!(at.to_string(), "2026-03-08T07:00:00Z"); // 03:00 local
        let twice = first_instant(date(2026, 11, 1).at(1, 30, 0, 0), &zone).unwrap();
        assert_eq!(twice.to_string(), "2026-11-01T05:30:00Z"); // the first pass
    }

    #[test]
    fn a_day_that_has_no_midnight_starts_after_it() {
        let zone = Zone::parse("America/Santiago").unwrap();
        let start = zone.start_of(date(2026, 9, 6)).unwrap();
        assert_eq!(zone.at(start).to_string(), "2026-09-06T01:00:00-03:00[America/Santiago]");
    }

    #[test]
    fn a_day_that_a_zone_left_out_starts_with_the_next() {
        let zone = Zone::parse("Pacific/Apia").unwrap();
        let start = zone.start_of(date(2011, 12, 30)).unwrap();
        assert_eq!(zone.date(start), date(2011, 12, 31));
    }

    #[test]
    fn unknown_zones_are_refused() {
        assert!(Zone::parse("Asia/Bangkock").is_err());
        assert!(Zone::parse("").is_err());
    }
}
