//! What is sold and how declines are retried. A plan's terms are immutable once they are a version in the book.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::civil::Time;
use serde::{Deserialize, Serialize};

use super::{DeclineKind, Interval, Money, PlanKey, PlanVersionId, RetryDays, words};

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

/// What follows a decline: when to try again, and what happens after the last try. What is not wished is not written,
/// so that a policy of older days keeps its JSON form.
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
    /// Retries that wait whole days are spread over so long after their local time, each subscription's always by
    /// the same; `None`: not at all where `at` is named, else over ten minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread: Option<Wait>,
    /// Where on the calendar a retry that waits whole days is placed.
    #[serde(default, skip_serializing_if = "RetryDays::is_empty")]
    pub days: RetryDays,
    /// What is otherwise for declines of one kind.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub kinds: BTreeMap<DeclineKind, KindPolicy>,
    /// What happens to newer periods while an invoice is in dunning.
    #[serde(default, skip_serializing_if = "NewerPeriods::wait")]
    pub newer: NewerPeriods,
}

/// What is otherwise for declines of one kind; `None`: as in the policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindPolicy {
    /// Waits of its own, which count the declines of this kind alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<RetrySchedule>,
    /// Local time of a retry that waits whole days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
    /// Where on the calendar it is placed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<RetryDays>,
}

words! {
    /// What happens to newer periods of a subscription while an older invoice is in dunning.
    NewerPeriods {
        /// They wait: the oldest is collected first.
        Wait = "wait",
        /// They are collected beside it.
        Collect = "collect",
    }
}

#[expect(clippy::derivable_impls, reason = "what makes an enum of words derives no default")]
impl Default for NewerPeriods {
    fn default() -> Self {
        Self::Wait
    }
}

impl NewerPeriods {
    /// Whether they wait, as they do where nothing is wished.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference whether to write it")]
    const fn wait(&self) -> bool {
        matches!(self, Self::Wait)
    }
}

impl DunningPolicy {
    /// A policy of waits and an end, all else as where nothing is wished.
    pub const fn plain(name: String, retry: RetrySchedule, at: Option<Time>, then: EndAction) -> Self {
        Self {
            name,
            retry,
            at,
            then,
            silent: None,
            backup_card: false,
            spread: None,
            days: RetryDays { prefer: Vec::new(), prefer_within: None, avoid: Vec::new() },
            kinds: BTreeMap::new(),
            newer: NewerPeriods::Wait,
        }
    }

    /// Whether declines of that kind have waits of their own.
    pub fn has_own_waits(&self, kind: DeclineKind) -> bool {
        self.kinds.get(&kind).is_some_and(|own| own.retry.is_some())
    }

    /// The waits after a decline of that kind.
    pub fn waits(&self, kind: DeclineKind) -> &RetrySchedule {
        self.kinds.get(&kind).and_then(|own| own.retry.as_ref()).unwrap_or(&self.retry)
    }

    /// The local time of a retry after a decline of that kind that waits whole days; `None`: that of the first try.
    pub fn local_time(&self, kind: DeclineKind) -> Option<Time> {
        self.kinds.get(&kind).and_then(|own| own.at).or(self.at)
    }

    /// Where on the calendar a retry after a decline of that kind is placed.
    pub fn days(&self, kind: DeclineKind) -> &RetryDays {
        self.kinds.get(&kind).and_then(|own| own.days.as_ref()).unwrap_or(&self.days)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_of_older_days_is_read_and_written_as_it_was() {
        let old =
            r#"{"name":"standard","retry":{"ladder":["2 days","6 hours"]},"at":"09:00:00","then":"pause"}"#;
        let policy: DunningPolicy = serde_json::from_str(old).unwrap();
        assert_eq!(serde_json::to_string(&policy).unwrap(), old);
        let plain = DunningPolicy::plain(policy.name.clone(), policy.retry.clone(), policy.at, policy.then);
        assert_eq!(policy, plain);
    }

    #[test]
    fn every_wish_survives_its_json_form() {
        let retry = RetrySchedule::Ladder(vec!["2 hours".parse().unwrap()]);
        let days = RetryDays { prefer: vec!["25".parse().unwrap()], ..RetryDays::default() };
        let own = KindPolicy { retry: Some(retry.clone()), at: None, days: Some(days.clone()) };
        let policy = DunningPolicy {
            silent: Some("48 hours".parse().unwrap()),
            spread: Some("30 minutes".parse().unwrap()),
            days,
            kinds: BTreeMap::from([(DeclineKind::Technical, own)]),
            newer: NewerPeriods::Collect,
            ..DunningPolicy::plain("full".into(), retry, None, EndAction::Unpaid)
        };
        let text = serde_json::to_string(&policy).unwrap();
        assert_eq!(serde_json::from_str::<DunningPolicy>(&text).unwrap(), policy, "{text}");
        assert!(policy.has_own_waits(DeclineKind::Technical) && !policy.has_own_waits(DeclineKind::Funds));
    }
}
