//! How often: intervals between billing periods, and the periods themselves.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::words;

words! {
    /// A calendar unit.
    Unit {
        /// Calendar days.
        Day = "day",
        /// Seven calendar days.
        Week = "week",
        /// Calendar months.
        Month = "month",
        /// Calendar years.
        Year = "year",
    }
}

/// Not an interval.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("found {0:?}, wanted an interval such as \"day\", \"2 weeks\", \"month\", \"3 months\" or \"year\"")]
pub struct IntervalError(pub String);

/// A whole number of calendar units: `month`, `2 weeks`. At most 1,200 of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Interval {
    count: NonZeroU32,
    unit: Unit,
}

impl Interval {
    /// The most units one interval may have: a hundred years of months.
    pub const MOST_UNITS: u32 = 1_200;

    /// `count` of `unit`, if it is 1 to 1,200.
    pub fn new(count: u32, unit: Unit) -> Result<Self, IntervalError> {
        NonZeroU32::new(count)
            .filter(|n| n.get() <= Self::MOST_UNITS)
            .map(|count| Self { count, unit })
            .ok_or_else(|| IntervalError(format!("{count} {unit}")))
    }

    /// How many units, 1 or more.
    pub const fn count(self) -> u32 {
        self.count.get()
    }

    /// Of which unit.
    pub const fn unit(self) -> Unit {
        self.unit
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.count.get() {
            1 => f.pad(self.unit.word()),
            n => f.pad(&format!("{n} {}s", self.unit)),
        }
    }
}

impl FromStr for Interval {
    type Err = IntervalError;

    fn from_str(text: &str) -> Result<Self, IntervalError> {
        let wrong = || IntervalError(text.into());
        let (count, unit) = match text.split_once(' ') {
            None => (1, text),
            Some((count, unit)) => (count.parse().map_err(|_| wrong())?, unit),
        };
        let singular = if count == 1 { unit } else { unit.strip_suffix('s').unwrap_or(unit) };
        Self::new(count, Unit::from_word(singular).ok_or_else(wrong)?).map_err(|_| wrong())
    }
}

impl TryFrom<String> for Interval {
    type Error = IntervalError;
    fn try_from(text: String) -> Result<Self, IntervalError> {
        text.parse()
    }
}

impl From<Interval> for String {
    fn from(i: Interval) -> Self {
        i.to_string()
    }
}

/// The `index`th period of a subscription: from `start` up to, not including, `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BillingPeriod {
    /// From 0.
    pub index: u32,
    /// First instant.
    pub start: Timestamp,
    /// First instant of the next period.
    pub end: Timestamp,
}

impl BillingPeriod {
    /// Whether no instant lies in it: a day that its zone's calendar left out, as Samoa did with 30 December 2011. There
    /// is nothing to bill in it.
    pub fn is_empty(&self) -> bool {
        self.end <= self.start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_read_and_write() {
        for text in ["day", "2 weeks", "month", "3 months", "year", "1 month"] {
            let interval: Interval = text.parse().unwrap();
            assert_eq!(interval.to_string().parse::<Interval>().unwrap(), interval);
        }
        for text in ["", "0 days", "-1 day", "fortnight", "2  weeks", "1201 months", "1 months", "1.5 months"]
        {
            assert!(text.parse::<Interval>().is_err(), "{text}");
        }
    }
}
