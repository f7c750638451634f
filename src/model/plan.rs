//! What is sold and how declines are retried. A plan's terms are immutable once they are a version in the book.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Time;
use serde::{Deserialize, Serialize};

use super::{Interval, Money, PlanKey, PlanVersionId, words};

/// One immutable version of a plan in the book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanVersion {
    /// Its row in the book.
    pub id: PlanVersionId,
    /// The plan's name in the config.
    pub key: PlanKey,
    /// 1, 2, 3… within the plan.
    pub version: u32,
    /// What it says.
    pub terms: PlanTerms,
}

/// What one version of a plan says. Its JSON form is what the book keeps and compares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanTerms {
    /// For people.
    pub name: String,
    /// For one unit and one period; more than zero.
    pub price: Money,
    /// From one period to the next.
    pub every: Interval,
    /// Between the start and the first billed period; `None` bills at once.
    pub trial: Option<Interval>,
    /// Of each charge; `{period_start}`, `{period_end}`, `{plan}` and `{quantity}` are filled in.
    pub description: Option<String>,
    /// What follows a decline.
    pub dunning: DunningPolicy,
}

/// What follows a decline: when to try again, and what happens after the last try.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DunningPolicy {
    /// Its name in the config.
    pub name: String,
    /// The waits between tries.
    pub retry: RetrySchedule,
    /// Local time of a retry that waits whole days; `None`: the time of day of the first try.
    pub at: Option<Time>,
    /// After the last try.
    pub then: EndAction,
    /// For so long after the first decline nothing is said of one that is tried again; `None`: each is told at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silent: Option<Wait>,
    /// After the last try another saved card of the customer is tried once, if they agreed to that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub backup_card: bool,
}

impl DunningPolicy {
    /// A policy of waits and an end, all else as where nothing is wished.
    pub const fn plain(name: String, retry: RetrySchedule, at: Option<Time>, then: EndAction) -> Self {
        Self { name, retry, at, then, silent: None, backup_card: false }
    }
}

/// The waits between tries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetrySchedule {
    /// One wait after each decline, in this order.
    Ladder(Vec<Wait>),
    /// Growing waits, computed.
    Curve(Curve),
}

/// Exponential waits: `first`, then each `multiplier_milli`/1000 times the one before, never above `longest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Curve {
    /// After the first decline.
    pub first: Wait,
    /// In thousandths, 1000 or more: 2000 doubles.
    pub multiplier_milli: u32,
    /// The cap of one wait.
    pub longest: Wait,
    /// How many retries at most.
    pub attempts: u32,
}

words! {
    /// The unit of a wait.
    WaitUnit {
        /// 60 seconds.
        Minute = "minute",
        /// 3,600 seconds.
        Hour = "hour",
        /// A calendar day in the subscription's zone.
        Day = "day",
        /// Seven calendar days in the subscription's zone.
        Week = "week",
    }
}

/// A wait between two tries: `6 hours`, `2 days`. At most 366 of its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Wait {
    count: u32,
    unit: WaitUnit,
}

impl Wait {
    /// The most units one wait may have.
    pub const MOST_UNITS: u32 = 366;

    /// `count` of `unit`, if it is 1 to 366.
    pub fn new(count: u32, unit: WaitUnit) -> Result<Self, String> {
        if (1..=Self::MOST_UNITS).contains(&count) {
            Ok(Self { count, unit })
        } else {
            Err(format!("found {count} {unit}s, wanted 1 to {}", Self::MOST_UNITS))
        }
    }

    /// How many units, 1 to 366.
    pub const fn count(self) -> u32 {
        self.count
    }

    /// Of which unit.
    pub const fn unit(self) -> WaitUnit {
        self.unit
    }

    /// Its nominal length in seconds: a day counts 86,400.
    pub const fn seconds(self) -> u64 {
        let unit = match self.unit {
            WaitUnit::Minute => 60,
            WaitUnit::Hour => 3_600,
            WaitUnit::Day => 86_400,
            WaitUnit::Week => 604_800,
        };
        self.count as u64 * unit
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.count == 1 { "" } else { "s" };
        f.pad(&format!("{} {}{plural}", self.count, self.unit))
    }
}

impl FromStr for Wait {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("found {text:?}, wanted a wait such as \"6 hours\", \"1 day\" or \"2 weeks\"");
        let (count, unit) = text.split_once(' ').ok_or_else(wrong)?;
        let count: u32 = count.parse().map_err(|_| wrong())?;
        let singular = if count == 1 { unit } else { unit.strip_suffix('s').unwrap_or(unit) };
        Self::new(count, WaitUnit::from_word(singular).ok_or_else(wrong)?)
    }
}

impl TryFrom<String> for Wait {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Wait> for String {
    fn from(w: Wait) -> Self {
        w.to_string()
    }
}

words! {
    /// What happens after the last try of an invoice.
    EndAction {
        /// The subscription pauses; the invoice stays open until a person or a new card settles it.
        Pause = "pause",
        /// The subscription ends; the invoice becomes uncollectible.
        Cancel = "cancel",
        /// The subscription goes on unbilled as unpaid; the invoice stays open.
        Unpaid = "unpaid",
    }
}
