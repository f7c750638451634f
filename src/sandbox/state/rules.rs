//! Rules that a test or a demonstration sets: which requests meet which switches.
//!
//! Promises: counted and drawn the same way every time for the same seed. Must never read a request.

use serde::{Deserialize, Serialize};

use super::faults::{self, Fault};
use super::ids;

/// When a rule's switches apply. What is absent matches everything.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The path begins with this.
    pub path: Option<String>,
    /// The method, in capitals.
    pub method: Option<String>,
    /// The `customer` parameter is this one.
    pub customer: Option<String>,
    /// Only the n-th matching request, counted from 1.
    pub nth: Option<u64>,
    /// Every n-th matching request.
    pub every: Option<u64>,
    /// In so many of a thousand matching requests, drawn from the seed.
    pub per_mille: Option<u64>,
    /// At most so many times.
    pub times: Option<u64>,
    /// The switches.
    pub faults: String,
}

/// The rules in force and how often each was met.
#[derive(Debug, Default)]
pub struct Desk {
    rules: Vec<Kept>,
}

#[derive(Debug)]
struct Kept {
    rule: Rule,
    faults: Vec<Fault>,
    met: u64,
    used: u64,
}

impl Desk {
    /// Adds a rule; the error says which switch is not known.
    pub fn add(&mut self, rule: Rule) -> Result<(), String> {
        let faults = faults::read(&rule.faults)?;
        self.rules.push(Kept { rule, faults, met: 0, used: 0 });
        Ok(())
    }

    /// Forgets every rule.
    pub fn clear(&mut self) {
        self.rules.clear();
    }

    /// The rules with how often each matched and applied.
    pub fn show(&self) -> Vec<serde_json::Value> {
        let row =
            |kept: &Kept| serde_json::json!({"rule": kept.rule, "matched": kept.met, "applied": kept.used});
        self.rules.iter().map(row).collect()
    }

    /// The switches for one request. `chance` is drawn once per request.
    pub fn apply(&mut self, method: &str, path: &str, customer: Option<&str>, chance: u64) -> Vec<Fault> {
        let mut all = Vec::new();
        for (turn, kept) in self.rules.iter_mut().enumerate() {
            let rule = &kept.rule;
            let matches = rule.path.as_deref().is_none_or(|start| path.starts_with(start))
                && rule.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
                && rule.customer.as_deref().is_none_or(|wanted| customer == Some(wanted));
            if !matches {
                continue;
            }
            kept.met += 1;
            let drawn = ids::mix(chance ^ turn as u64) % 1000;
            let due = rule.nth.is_none_or(|nth| kept.met == nth)
                && rule.every.is_none_or(|every| every > 0 && kept.met.is_multiple_of(every))
                && rule.per_mille.is_none_or(|share| drawn < share)
                && rule.times.is_none_or(|times| kept.used < times);
            if due {
                kept.used += 1;
                all.extend(kept.faults.iter().cloned());
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_count_and_draw() {
        let mut desk = Desk::default();
        let rule = Rule {
            path: Some("/charges".into()),
            nth: Some(2),
            faults: "truncate".into(),
            ..Rule::default()
        };
        desk.add(rule).expect("known");
        let hits: Vec<usize> = (0..4).map(|turn| desk.apply("POST", "/charges", None, turn).len()).collect();
        assert_eq!(hits, [0, 1, 0, 0]);
        desk.clear();
        desk.add(Rule { per_mille: Some(100), faults: "truncate".into(), ..Rule::default() }).expect("known");
        let share = (0..10_000).filter(|turn| !desk.apply("GET", "/", None, ids::mix(*turn)).is_empty());
        assert!((900..1100).contains(&share.count()));
    }
}
