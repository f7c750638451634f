//! Omise's own schedules: read and ended here, for the way off them.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::Value;

use super::lenient::{Expandable, instant, integer, integer_or_null, or_default};
use super::words::words;
use super::{Charge, List, Metadata};

words! {
    /// Where a schedule stands.
    ScheduleStatus {
        /// It charges.
        Running = "running",
        /// As `Running`, in the words of API versions up to 2017.
        Active = "active",
        /// It charges, but its end date is near.
        Expiring = "expiring",
        /// Its end date has passed.
        Expired = "expired",
        /// Deleted by somebody.
        Deleted = "deleted",
        /// Stopped for good after three failures in a row.
        Suspended = "suspended",
    }
}

words! {
    /// What became of one date of a schedule.
    OccurrenceStatus {
        /// It will be tried, or tried again on `retry_on`.
        Scheduled = "scheduled",
        /// Paid.
        Successful = "successful",
        /// Given up.
        Failed = "failed",
        /// Left out.
        Skipped = "skipped",
    }
}

/// A schedule kept by Omise: a fixed amount, every so many days, weeks or months, until an end date.
///
/// Source: answers recorded by Omise's PHP client in March 2025, and the machine-readable description.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Schedule {
    /// Always `schedule`.
    pub object: String,
    /// `schd_…`.
    pub id: String,
    /// True for live data.
    #[serde(default, deserialize_with = "or_default")]
    pub livemode: bool,
    /// Path of this schedule.
    #[serde(default)]
    pub location: Option<String>,
    /// True once it was deleted.
    #[serde(default, deserialize_with = "or_default")]
    pub deleted: bool,
    /// Where it stands.
    pub status: ScheduleStatus,
    /// Every so many periods.
    #[serde(default, deserialize_with = "integer_or_null")]
    pub every: Option<i64>,
    /// `day`, `week` or `month`; there is no year.
    #[serde(default)]
    pub period: Option<String>,
    /// On which days: `{}`, or `days_of_month`, `weekdays`, `weekday_of_month`.
    #[serde(default)]
    pub on: Option<Value>,
    /// The rule as a sentence.
    #[serde(default)]
    pub in_words: Option<String>,
    /// What it charges. `None` when it makes transfers.
    #[serde(default)]
    pub charge: Option<ScheduledCharge>,
    /// First date.
    #[serde(default)]
    pub start_on: Option<Date>,
    /// Last date.
    #[serde(default)]
    pub end_on: Option<Date>,
    /// The next dates, at most 30.
    #[serde(default, deserialize_with = "or_default")]
    pub next_occurrences_on: Vec<Date>,
    /// What happened on past dates, first page.
    #[serde(default, deserialize_with = "or_default")]
    pub occurrences: List<Occurrence>,
    /// When it ended. `None` while it runs.
    #[serde(default, deserialize_with = "instant")]
    pub ended_at: Option<Timestamp>,
    /// When it was made. `None` when the answer holds no readable date.
    #[serde(default, deserialize_with = "instant")]
    pub created_at: Option<Timestamp>,
}

/// What a schedule charges on each of its dates.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ScheduledCharge {
    /// `rchg_…`. `None` in old answers.
    #[serde(default)]
    pub id: Option<String>,
    /// Amount in the smallest unit of `currency`.
    #[serde(deserialize_with = "integer")]
    pub amount: i64,
    /// Three upper-case letters.
    pub currency: String,
    /// The customer charged.
    pub customer: String,
    /// The card charged. `None` when it is whichever is the default on the day.
    #[serde(default)]
    pub card: Option<String>,
    /// True when the default card of the day is charged.
    #[serde(default, deserialize_with = "or_default")]
    pub default_card: bool,
    /// `None` when never given.
    #[serde(default)]
    pub description: Option<String>,
    /// Free data.
    #[serde(default, deserialize_with = "or_default")]
    pub metadata: Metadata,
}

/// One date of a schedule.
///
/// Source: answers recorded by Omise's PHP client in March 2025, and the machine-readable description.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Occurrence {
    /// Always `occurrence`.
    pub object: String,
    /// `occu_…`.
    pub id: String,
    /// True for live data.
    #[serde(default, deserialize_with = "or_default")]
    pub livemode: bool,
    /// Path of this occurrence.
    #[serde(default)]
    pub location: Option<String>,
    /// The schedule it belongs to.
    #[serde(default)]
    pub schedule: Option<Expandable<Schedule>>,
    /// What became of it.
    pub status: OccurrenceStatus,
    /// The charge made. `None` when none was.
    #[serde(default)]
    pub result: Option<Expandable<Charge>>,
    /// Why it failed. `None` when it did not.
    #[serde(default)]
    pub message: Option<String>,
    /// Its date.
    #[serde(default)]
    pub scheduled_on: Option<Date>,
    /// When it is tried again. `None` when it is not.
    #[serde(default)]
    pub retry_on: Option<Date>,
    /// When it was worked on. `None` until then.
    #[serde(default, deserialize_with = "instant")]
    pub processed_at: Option<Timestamp>,
    /// When it was made. `None` when the answer holds no readable date.
    #[serde(default, deserialize_with = "instant")]
    pub created_at: Option<Timestamp>,
}

super::api_object!(Schedule => "schedule", id);
super::api_object!(Occurrence => "occurrence", id);
