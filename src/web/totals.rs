//! What all runs since the start came to.

use std::collections::BTreeMap;

use crate::model::{AttemptStatus, Currency, RunReport};

/// Decline codes that are told apart; a provider that invents more has them counted as `other`.
const MOST_CODES: usize = 64;

/// Sums over the runs since the start. They only grow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Runs that were made.
    pub runs: u64,
    /// Pieces of work that failed.
    pub failures: u64,
    /// Attempts sent, by what became of them at once.
    pub attempts: BTreeMap<AttemptStatus, u64>,
    /// Older attempts that were looked up and settled.
    pub resolved: BTreeMap<AttemptStatus, u64>,
    /// By the provider's code.
    pub declines: BTreeMap<String, u64>,
    /// Of these, with a code that the table of declines does not know.
    pub unknown_declines: u64,
    /// In minor units.
    pub collected: BTreeMap<Currency, u64>,
    /// Retries that were given an instant.
    pub retries_scheduled: u64,
    /// Incidents that need a person.
    pub incidents: u64,
}

impl Totals {
    /// Counts a run or a look at doubt.
    pub fn add(&mut self, report: &RunReport) {
        self.runs += 1;
        self.add_settled(report);
    }

    /// Counts what was settled outside of a run.
    pub fn add_settled(&mut self, report: &RunReport) {
        self.retries_scheduled += report.retries_scheduled;
        self.unknown_declines += report.unknown_declines;
        self.incidents += report.incidents.len() as u64;
        for (status, n) in &report.attempts {
            *self.attempts.entry(*status).or_default() += n;
        }
        for (status, n) in &report.resolved {
            *self.resolved.entry(*status).or_default() += n;
        }
        for (currency, minor) in &report.collected {
            *self.collected.entry(*currency).or_default() += u64::try_from(*minor).unwrap_or(0);
        }
        for (code, n) in &report.declined_by_code {
            let known = self.declines.contains_key(code) || self.declines.len() < MOST_CODES;
            *self.declines.entry(if known { code.clone() } else { "other".into() }).or_default() += n;
        }
    }
}
