//! What all runs since the start came to.

use std::collections::BTreeMap;

use crate::model::{AttemptStatus, Currency, RunReport};

/// Decline codes that are told apart; a provider that invents more has them counted as `other`.
const MOST_CODES: usize = 64;

/// Sums over the runs since the start. They only grow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Billing runs that gave a report, also if something stopped them; looks at doubt alone are none.
    pub runs: u64,
    /// Pieces of work that failed, by what they were for.
    pub failures: BTreeMap<&'static str, u64>,
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
    /// A piece of work ended, well or not.
    pub fn ended(&mut self, work: &'static str, failed: bool) {
        *self.failures.entry(work).or_default() += u64::from(failed);
    }

    /// Counts what a run did, or what was settled outside of one.
    pub fn add(&mut self, report: &RunReport, is_run: bool) {
        self.runs += u64::from(is_run);
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
