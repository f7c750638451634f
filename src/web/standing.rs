//! How the service stands, as whoever runs it tells.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::totals::Totals;
use crate::model::RunReport;

/// Where in its life the service is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// It looks after old doubt before anything else.
    #[default]
    Recovering,
    /// It serves.
    Serving,
    /// It takes no more work.
    Stopping,
}

/// How the service stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Where in its life it is.
    pub phase: Phase,
    /// What is under way, a word; `None`: it waits.
    pub busy: Option<&'static str>,
    /// How often it has asked what is due.
    pub considered: u64,
    /// Pieces of work that ended, well or not.
    pub worked: u64,
    /// The last run's report; `None`: none since the start.
    pub last_run: Option<RunReport>,
    /// When the last run ended that nothing stopped, on the wall clock; `None`: none since the start.
    pub last_good_run_at: Option<Timestamp>,
    /// When something of the book is next due; `None`: nothing is, ever.
    pub next_due: Option<Timestamp>,
    /// When the schedule next asks what is due; `None`: never.
    pub next_look: Option<Timestamp>,
    /// Why the clock is not trusted; `None`: it is.
    pub clock_trouble: Option<String>,
    /// Why the last piece of work failed; `None`: it did not.
    pub trouble: Option<String>,
    /// Why the last piece of work could not reach the provider; `None`: it could.
    pub provider_trouble: Option<String>,
    /// Why the book did not take or give something a moment ago, which is tried again; `None`: it does.
    pub book_trouble: Option<String>,
    /// When each job that is wished last began that was done, by its name; `None`: never.
    pub jobs: BTreeMap<&'static str, Option<Timestamp>>,
    /// What all runs since the start came to.
    pub totals: Totals,
    /// Why the last new config was refused; `None`: it was not.
    pub refused_config: Option<String>,
}
