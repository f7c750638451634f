//! `prefer`, `prefer_within` and `avoid` of a policy, and of a kind of declines within one.

use super::section::{Found, Section};
use crate::model::{DayRule, RetryDays, Wait, WaitUnit};

/// Preferred days come round once a month; a longer reach would skip one.
const LONGEST_REACH_DAYS: u64 = 31;
const MOST_RULES: usize = 31;
const SECONDS_A_DAY: u64 = 86_400;
const DAYS: &str =
    "a list of days such as [\"last working day\", \"25\", \"1\"] or [\"saturday\", \"sunday\"]";

/// The days of that section; `None`: it names none.
pub(super) fn read(section: &Section<'_>) -> Option<RetryDays> {
    let prefer = section.get("prefer").map(|v| rules(&v));
    let prefer_within = section.get("prefer_within").map(|v| (reach(&v), v));
    let avoid = section.get("avoid").map(|v| (rules(&v), v));
    if let (None, Some((_, place))) = (&prefer, &prefer_within) {
        place.wrong("found without `prefer`, wanted the days that it is the reach of");
    }
    if let Some((rules, place)) = &avoid
        && avoids_all(rules)
    {
        place.wrong("found every day of the week, wanted one to be left");
    }
    if prefer.is_none() && prefer_within.is_none() && avoid.is_none() {
        return None;
    }
    Some(RetryDays {
        prefer: prefer.unwrap_or_default(),
        prefer_within: prefer_within.and_then(|(reach, _)| reach),
        avoid: avoid.map(|(rules, _)| rules).unwrap_or_default(),
    })
}

fn rules(found: &Found<'_>) -> Vec<DayRule> {
    let list = found.list(DAYS).unwrap_or_default();
    if list.len() > MOST_RULES {
        found.wrong(format!("found {} days, wanted at most {MOST_RULES}", list.len()));
    }
    list.iter().filter_map(|v| v.parse(DAYS, str::parse::<DayRule>)).collect()
}

fn avoids_all(rules: &[DayRule]) -> bool {
    let mut weekdays: Vec<String> =
        rules.iter().filter(|rule| matches!(rule, DayRule::Weekday(_))).map(ToString::to_string).collect();
    weekdays.sort_unstable();
    weekdays.dedup();
    weekdays.len() == 7
}

fn reach(found: &Found<'_>) -> Option<Wait> {
    let wanted = "whole days or weeks, at most \"31 days\"";
    found.parse(wanted, |text| {
        let wait: Wait = text.parse()?;
        let whole = matches!(wait.unit(), WaitUnit::Day | WaitUnit::Week);
        let near = wait.seconds() <= LONGEST_REACH_DAYS * SECONDS_A_DAY;
        if whole && near { Ok(wait) } else { Err(format!("found {text:?}, wanted {wanted}")) }
    })
}
