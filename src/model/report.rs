//! What one run did, counted.

use std::collections::BTreeMap;

use jiff::{Timestamp, Zoned};
use serde::ser::{SerializeMap, SerializeStruct as _};
use serde::{Serialize, Serializer};

use super::{AttemptStatus, Currency, FlagReason, Money, SkipReason, words};

words! {
    /// What stopped a run before its end.
    StoppedBy {
        /// `[brakes] charges_per_run`.
        ChargesPerRun = "charges_per_run",
        /// `[brakes] amount_per_run`.
        AmountPerRun = "amount_per_run",
        /// `[brakes] decline_share`.
        DeclineShare = "decline_share",
        /// The pause file exists.
        PauseFile = "pause_file",
        /// Too many requests in a row never reached the provider.
        ProviderUnreachable = "provider_unreachable",
        /// The provider refused the keys.
        Keys = "keys",
        /// `--limit` was reached.
        Limit = "limit",
        /// Somebody asked the program to stop.
        Signal = "signal",
        /// The book refused a write.
        Store = "store",
        /// Another process took the charging lock.
        Lease = "lease",
        /// The wall clock jumped.
        Clock = "clock",
    }
}

/// What one run did, counted. Its JSON form is fixed by what scripts read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunReport {
    /// The run's number in the book; a dry run has none and says `dry`.
    pub run: String,
    /// The billing instant, in the book's zone.
    pub at: Zoned,
    /// Nothing was written or sent.
    pub dry_run: bool,
    /// Of the keys: live or test.
    pub livemode: bool,
    /// Subscriptions looked at.
    pub considered: u64,
    /// Invoices opened.
    pub invoiced: u64,
    /// Attempts sent by this run, by what became of them; of a dry run: as they would be sent, under `Intended`.
    pub attempts: BTreeMap<AttemptStatus, u64>,
    /// Older attempts that were looked up and settled.
    pub resolved: BTreeMap<AttemptStatus, u64>,
    /// Money that moved, of both.
    pub collected: BTreeMap<Currency, i64>,
    /// Declines by the provider's code.
    pub declined_by_code: BTreeMap<String, u64>,
    /// Of these, with a code that the table of declines does not know.
    pub unknown_declines: u64,
    /// Retries with an instant.
    pub retries_scheduled: u64,
    /// Flags raised.
    pub flagged: BTreeMap<FlagReason, u64>,
    /// Subscriptions passed over.
    pub skipped: BTreeMap<SkipReason, u64>,
    /// Of the invoices opened, those of missed periods that wait for `dues resume`, by `[catch_up] hold_after`.
    pub held_periods: u64,
    /// Requests to the provider, reads and charges, of this run.
    pub api_calls: u64,
    /// Wall time in milliseconds.
    pub elapsed_ms: u64,
    /// What stopped it early; `None`: it ran to its end.
    pub stopped_by: Option<StoppedBy>,
    /// Incidents that need a person, one sentence each.
    pub incidents: Vec<String>,
    /// Attempts still in doubt after this run, of any age, those among them that wait for a person included.
    pub doubt_left: u64,
    /// Of these, the ones that only a person can end: nobody looks them up any more.
    pub manual_left: u64,
    /// Subscriptions that are still due and that no standing flag explains, after a run that was stopped or narrowed;
    /// of one that served everything: 0.
    pub due_left: u64,
    /// When something is next due; the run's own instant: something is due now; `None`: nothing. Of a dry run: as after
    /// a run in which every charge succeeds.
    pub next_due_at: Option<Timestamp>,
}

impl RunReport {
    /// A report of nothing yet.
    pub fn new(run: String, at: Zoned, dry_run: bool, livemode: bool) -> Self {
        Self {
            run,
            at,
            dry_run,
            livemode,
            considered: 0,
            invoiced: 0,
            attempts: BTreeMap::new(),
            resolved: BTreeMap::new(),
            collected: BTreeMap::new(),
            declined_by_code: BTreeMap::new(),
            unknown_declines: 0,
            retries_scheduled: 0,
            flagged: BTreeMap::new(),
            skipped: BTreeMap::new(),
            held_periods: 0,
            api_calls: 0,
            elapsed_ms: 0,
            stopped_by: None,
            incidents: Vec::new(),
            doubt_left: 0,
            manual_left: 0,
            due_left: 0,
            next_due_at: None,
        }
    }

    /// Counts money that moved.
    pub fn collect(&mut self, amount: Money) {
        let sum = self.collected.entry(amount.currency()).or_default();
        *sum = sum.saturating_add(amount.minor());
    }

    /// Attempts sent by this run that ended so.
    pub fn sent(&self, status: AttemptStatus) -> u64 {
        self.attempts.get(&status).copied().unwrap_or(0)
    }
}

/// Writes a count for each of the given words, absent ones as zero.
struct Counts<'a>(&'a BTreeMap<AttemptStatus, u64>, &'static [AttemptStatus]);

impl Serialize for Counts<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut map = s.serialize_map(Some(self.1.len()))?;
        for status in self.1 {
            let word = if *status == AttemptStatus::Intended { "planned" } else { status.word() };
            map.serialize_entry(word, &self.0.get(status).copied().unwrap_or(0))?;
        }
        map.end()
    }
}

const SENT: &[AttemptStatus] = &[
    AttemptStatus::Succeeded,
    AttemptStatus::Declined,
    AttemptStatus::Pending,
    AttemptStatus::InDoubt,
    AttemptStatus::Rejected,
    AttemptStatus::NotSent,
];
const PLANNED: &[AttemptStatus] = &[
    AttemptStatus::Intended,
    AttemptStatus::Succeeded,
    AttemptStatus::Declined,
    AttemptStatus::Pending,
    AttemptStatus::InDoubt,
    AttemptStatus::Rejected,
    AttemptStatus::NotSent,
];
const RESOLVED: &[AttemptStatus] =
    &[AttemptStatus::Succeeded, AttemptStatus::Declined, AttemptStatus::Absent, AttemptStatus::Manual];

impl Serialize for RunReport {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut out = s.serialize_struct("RunReport", 24)?;
        let at = self.at.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
        out.serialize_field("run", &self.run)?;
        out.serialize_field("at", &at)?;
        out.serialize_field("dry_run", &self.dry_run)?;
        out.serialize_field("mode", if self.livemode { "live" } else { "test" })?;
        out.serialize_field("considered", &self.considered)?;
        out.serialize_field("invoiced", &self.invoiced)?;
        if self.dry_run {
            out.serialize_field("planned", &self.sent(AttemptStatus::Intended))?;
        }
        out.serialize_field("attempts", &Counts(&self.attempts, if self.dry_run { PLANNED } else { SENT }))?;
        out.serialize_field("resolved", &Counts(&self.resolved, RESOLVED))?;
        out.serialize_field("collected", &self.collected)?;
        out.serialize_field("declined_by_code", &self.declined_by_code)?;
        out.serialize_field("unknown_declines", &self.unknown_declines)?;
        out.serialize_field("retries_scheduled", &self.retries_scheduled)?;
        out.serialize_field("flagged", &self.flagged)?;
        out.serialize_field("skipped", &self.skipped)?;
        out.serialize_field("held_periods", &self.held_periods)?;
        out.serialize_field("api_calls", &self.api_calls)?;
        out.serialize_field("elapsed_ms", &self.elapsed_ms)?;
        out.serialize_field("stopped_by", &self.stopped_by)?;
        out.serialize_field("incidents", &self.incidents)?;
        out.serialize_field("doubt_left", &self.doubt_left)?;
        out.serialize_field("manual_left", &self.manual_left)?;
        out.serialize_field("due_left", &self.due_left)?;
        out.serialize_field("next_due_at", &self.next_due_at.map(|at| at.to_string()))?;
        out.end()
    }
}
