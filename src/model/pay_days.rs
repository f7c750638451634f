//! Days of the calendar on which a retry is better, or worse, placed than on others.
//!
//! Promises: the same day always leads to the same day, never an earlier one. A working day is Monday to Friday:
//! holidays are nobody's here. Must never know: a clock, a zone, a charge.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, Weekday};
use serde::{Deserialize, Serialize};

use super::{Wait, WaitUnit};

/// Days in a row that are searched for one that is not avoided: among so many every rule comes round.
const MOST_DAYS_SEARCHED: usize = 366;

/// A rule that some days of a calendar follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum DayRule {
    /// Every such day of the week.
    Weekday(Weekday),
    /// 1 to 31; in a shorter month its last day.
    OfMonth(i8),
    /// The last Monday to Friday of the month.
    LastWorkingDay,
}

const WEEKDAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];
const LAST_DAY: &str = "last day";
const LAST_WORKING_DAY: &str = "last working day";

impl DayRule {
    /// Whether that day follows the rule.
    pub fn holds_on(self, day: Date) -> bool {
        match self {
            Self::Weekday(weekday) => day.weekday() == weekday,
            Self::OfMonth(n) => day.day() == n.min(day.days_in_month()),
            Self::LastWorkingDay => day == last_working_day(day),
        }
    }
}

fn last_working_day(of: Date) -> Date {
    let last = of.last_of_month();
    let beyond_friday = match last.weekday() {
        Weekday::Saturday => 1,
        Weekday::Sunday => 2,
        _ => 0,
    };
    // Two days before a month's end lie within it.
    last.series(jiff::Span::new().days(-1)).nth(beyond_friday).unwrap_or(last)
}

impl fmt::Display for DayRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Weekday(weekday) => {
                f.pad(WEEKDAYS.iter().find(|(_, known)| known == weekday).map_or("", |(word, _)| word))
            }
            Self::OfMonth(31) => f.pad(LAST_DAY),
            Self::OfMonth(n) => f.pad(&n.to_string()),
            Self::LastWorkingDay => f.pad(LAST_WORKING_DAY),
        }
    }
}

impl FromStr for DayRule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((_, weekday)) = WEEKDAYS.iter().find(|(word, _)| *word == text) {
            return Ok(Self::Weekday(*weekday));
        }
        match text {
            LAST_DAY => return Ok(Self::OfMonth(31)),
            LAST_WORKING_DAY => return Ok(Self::LastWorkingDay),
            _ => {}
        }
        let plain = text.len() <= 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        let day = text.parse::<i8>().ok().filter(|day| plain && (1..=31).contains(day));
        day.map(Self::OfMonth).ok_or_else(|| {
            format!(
                "found {text:?}, wanted a weekday such as \"monday\", a day of the month from \"1\" to \"31\", \
                 \"{LAST_DAY}\" or \"{LAST_WORKING_DAY}\""
            )
        })
    }
}

impl TryFrom<String> for DayRule {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<DayRule> for String {
    fn from(rule: DayRule) -> Self {
        rule.to_string()
    }
}

/// Where on the calendar a retry that waits whole days is placed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryDays {
    /// The first such day within reach is taken; empty: any day is as good as another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prefer: Vec<DayRule>,
    /// How much later than the policy's wait a preferred day may lie, in days or weeks; `None`:
    /// [`RetryDays::REACH_DAYS`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefer_within: Option<Wait>,
    /// Never taken, preferred or not; empty: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub avoid: Vec<DayRule>,
}

impl RetryDays {
    /// A preferred day is waited for this long where nothing else is wished.
    pub const REACH_DAYS: usize = 7;

    /// Whether all days are alike.
    pub const fn is_empty(&self) -> bool {
        self.prefer.is_empty() && self.prefer_within.is_none() && self.avoid.is_empty()
    }

    /// The day to take when the wait ends on `day`: the first preferred one within reach, else the first that is not
    /// avoided. Where every day is avoided, `day` itself.
    pub fn place(&self, day: Date) -> Date {
        let on = |rules: &[DayRule], day: Date| rules.iter().any(|rule| rule.holds_on(day));
        let days = || day.series(jiff::Span::new().days(1)).take(MOST_DAYS_SEARCHED);
        let free = |day: &Date| !on(&self.avoid, *day);
        let preferred = days().take(self.reach_days() + 1).filter(free).find(|day| on(&self.prefer, *day));
        preferred.or_else(|| days().find(free)).unwrap_or(day)
    }

    fn reach_days(&self) -> usize {
        let days = |wait: Wait| match wait.unit() {
            WaitUnit::Week => wait.count() * 7,
            WaitUnit::Minute | WaitUnit::Hour | WaitUnit::Day => wait.count(),
        };
        self.prefer_within.map_or(Self::REACH_DAYS, |wait| usize::try_from(days(wait)).unwrap_or(usize::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(prefer: &[&str], avoid: &[&str]) -> RetryDays {
        let rules = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        RetryDays { prefer: rules(prefer), prefer_within: None, avoid: rules(avoid) }
    }

    fn placed(days: &RetryDays, day: &str) -> String {
        days.place(day.parse().unwrap()).to_string()
    }

    #[test]
    fn rules_are_read_and_told_by_the_same_words() {
        for text in ["monday", "1", "25", "last day", "last working day"] {
            assert_eq!(text.parse::<DayRule>().unwrap().to_string(), text);
        }
        for text in ["", "0", "32", "+5", "funday", "last", "Monday"] {
            assert!(text.parse::<DayRule>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_first_preferred_day_within_reach_is_taken() {
        let pay = days(&["25", "last working day", "1"], &[]);
        assert_eq!(placed(&pay, "2026-01-20"), "2026-01-25", "a Sunday, but nobody avoids it");
        assert_eq!(placed(&pay, "2026-01-26"), "2026-01-30", "a Friday; the 31st is a Saturday");
        assert_eq!(placed(&pay, "2026-01-31"), "2026-02-01");
        assert_eq!(placed(&pay, "2026-02-02"), "2026-02-02", "the 25th is out of reach");
        let patient = RetryDays { prefer_within: Some("31 days".parse().unwrap()), ..pay };
        assert_eq!(placed(&patient, "2026-02-02"), "2026-02-25");
    }

    #[test]
    fn avoided_days_are_never_taken() {
        let weekend = days(&["25"], &["saturday", "sunday"]);
        assert_eq!(placed(&weekend, "2026-01-20"), "2026-01-20", "the 25th is a Sunday");
        assert_eq!(placed(&weekend, "2026-01-24"), "2026-01-26");
        let never =
            days(&[], &["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]);
        assert_eq!(placed(&never, "2026-01-24"), "2026-01-24", "where all days are avoided none is");
    }

    #[test]
    fn a_day_that_a_month_lacks_is_its_last() {
        for (day, taken) in
            [("2026-02-26", "2026-02-28"), ("2028-02-26", "2028-02-29"), ("2026-04-29", "2026-04-30")]
        {
            assert_eq!(placed(&days(&["31"], &[]), day), taken);
        }
        assert_eq!(
            placed(&days(&["last working day"], &[]), "2026-02-22"),
            "2026-02-27",
            "the 28th is a Saturday"
        );
        assert_eq!(
            placed(&days(&["last working day"], &[]), "2026-05-25"),
            "2026-05-29",
            "the 31st is a Sunday"
        );
    }
}
