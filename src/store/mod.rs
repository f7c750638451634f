//! The book: one synchronous trait, a method for each question that is asked of it and each note that is made in it, with
//! SQLite behind it and a lane in front of it. What a decision changes is written by `commit` alone; the other writing
//! methods note what was read, asked for or counted, bring in what people import, or blank whom the law lets be forgotten.
//!
//! Promises: what `commit` accepted is durable; a transition is written whole or not at all; a row is only
//! changed from the version its writer saw; nothing loads the whole book.
//! Must never know: the gateway, the rules, what a transition means.

#[cfg(test)]
pub(crate) mod conformance;
mod error;
pub mod folder;
mod lane;
#[cfg(test)]
mod lane_tests;
mod lock;
mod outbox;
pub mod owner;
mod place;
pub mod rights;
mod rows;
pub mod sqlite;
pub mod witness;

use jiff::Timestamp;

use crate::model::{
    Attempt, AttemptId, CardWarning, CustomerId, CustomerSnapshot, Epoch, Event, Expiration, Flag,
    FlagReason, Invoice, InvoiceId, PlanKey, PlanTerms, PlanVersion, PlanVersionId, Reversal, RunId,
    Snapshot, SubscriptionId, Transition,
};

pub use error::{Refusal, StoreError};
pub use lane::{CommitError, Lane, LaneClosed, LaneOptions, LaneStats};
pub use lock::ChargingLock;
pub use outbox::{Outbox, OutboxCursor, Waiting};
pub use place::true_place;
pub use rows::{
    AttemptRow, BookFacts, ChargedPage, CustomerReading, CustomerRow, DueCursor, DueNow, DuePage, EndingCard,
    EndingCursor, Filter, FlagAtRisk, GlancePage, HostBinding, InvoiceRow, NewSubscription, Observed,
    PlanChange, RiskCursor, RunProgress, RunRequest, RunState, SkippedPeriods, SubscriptionPage,
    SubscriptionRow, Unreadable, UsageCount,
};

/// The book. One owner at a time; every method is one transaction unless it says otherwise.
pub trait Store: Outbox + Send {
    // --- the book itself

    /// Installation, mode, host, zone, schema, epoch.
    fn facts(&mut self) -> Result<BookFacts, StoreError>;

    /// Binds a book to test or live keys, once. Refused (`StoreError::WrongMode`) if it is bound to the other.
    fn bind_mode(&mut self, livemode: bool) -> Result<(), StoreError>;

    /// Binds the book to this host, replacing what was bound.
    fn bind_host(&mut self, host: &HostBinding) -> Result<(), StoreError>;

    /// Notes in the diary that the book was bound to a host by hand, having been compared with the provider's list up to
    /// that moment of the provider's time.
    fn note_adopted(&mut self, at: Timestamp, provider_seen: Timestamp) -> Result<(), StoreError>;

    /// Notes in the diary an incident that is of no subscription in the book; `data`: JSON.
    fn note_incident(&mut self, at: Timestamp, data: &str) -> Result<(), StoreError>;

    /// Remembers the book's zone (`zone` of the config) the first time, and changes it when it is another.
    fn set_zone(&mut self, zone: &crate::model::Zone) -> Result<(), StoreError>;

    /// Raises the epoch for a process that holds the charging lock, and turns every `intended` attempt of an
    /// older epoch into `in_doubt`, its deadline being `provider_now` (this epoch's start, in provider time).
    /// Returns the new epoch and how many attempts were orphaned. An event is written for each of them.
    fn begin_epoch(
        &mut self,
        at: Timestamp,
        wall: Timestamp,
        provider_now: Option<Timestamp>,
    ) -> Result<(Epoch, u64), StoreError>;

    // --- writing

    /// Applies all transitions in one durable transaction, a savepoint each, so that a refused one fails alone.
    /// Answers in the same order. The outer error means that nothing at all was written.
    fn commit(&mut self, batch: &[Transition]) -> Result<Vec<Result<(), Refusal>>, StoreError>;

    /// How long the last durable transaction took to become durable, once all of it was said: its pages go to the log,
    /// and the disk says that it has them. Zero before the first.
    fn last_commit(&self) -> std::time::Duration;

    /// Writes what was read of customers, in one transaction. Customers that are not in the book, or were
    /// erased, are ignored; rows that would not change but for `read_at` are written too. Tells how many were in the
    /// book, and who was read as another than they were.
    fn observe_customers(&mut self, readings: &[CustomerReading]) -> Result<Observed, StoreError>;

    /// Inserts many new subscriptions in one transaction: all or nothing. Ids are counted where none is given.
    /// `progress` is told the rows done so far. An id that exists already refuses the whole.
    fn import(
        &mut self,
        rows: &mut dyn Iterator<Item = NewSubscription>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<u64, StoreError>;

    /// The id that the next counted subscription of this customer gets, made at `now`: derived from the installation, the
    /// book's counter, the customer and the instant, so that two books do not give one id to two customers, and a book
    /// that was put back gives none that it gave before to what is made anew.
    fn next_subscription_id(
        &mut self,
        customer: &CustomerId,
        now: Timestamp,
    ) -> Result<SubscriptionId, StoreError>;

    // --- plans

    /// The newest version of every plan.
    fn plans(&mut self) -> Result<Vec<PlanVersion>, StoreError>;

    /// One version.
    fn plan(&mut self, id: PlanVersionId) -> Result<Option<std::sync::Arc<PlanVersion>>, StoreError>;

    /// Adds a version to each of these plans whose newest terms differ; returns those that were added.
    fn apply_plans(
        &mut self,
        plans: &[(PlanKey, PlanTerms)],
        at: Timestamp,
    ) -> Result<Vec<PlanVersion>, StoreError>;

    /// The same together with the book's zone, in one transaction: both, or neither.
    fn bring_config(
        &mut self,
        zone: &crate::model::Zone,
        plans: &[(PlanKey, PlanTerms)],
        at: Timestamp,
    ) -> Result<Vec<PlanVersion>, StoreError>;

    /// How many subscriptions that have not ended use each version.
    fn plan_usage(&mut self) -> Result<Vec<UsageCount>, StoreError>;

    /// A page of subscriptions on older versions of this plan that have not ended, by id after `after`.
    fn on_older_versions(
        &mut self,
        plan: &PlanKey,
        after: Option<&SubscriptionId>,
        limit: usize,
    ) -> Result<Vec<SubscriptionId>, StoreError>;

    // --- what a run reads

    /// Snapshots of subscriptions whose `wake_at` is not after `at`, by (`wake_at`, order of making), after the cursor.
    /// A subscription in which there is nonsense does not hide the others.
    fn due(&mut self, at: Timestamp, after: Option<DueCursor>, limit: usize) -> Result<DuePage, StoreError>;

    /// How many subscriptions are due at `at`.
    fn count_due(&mut self, at: Timestamp) -> Result<u64, StoreError>;

    /// Whether another subscription of the same customer, due at `at` too, has an open period that ended by then and
    /// began before `start`, may be tried by then, and is not on hold.
    fn has_older_missed(
        &mut self,
        than: &SubscriptionId,
        start: Timestamp,
        at: Timestamp,
    ) -> Result<bool, StoreError>;

    /// What of it no standing flag explains: a run can act on it by itself. One statement, by indexes alone.
    fn due_now(&mut self, at: Timestamp) -> Result<DueNow, StoreError>;

    /// The earliest `wake_at` after `at`; `None`: nothing waits.
    fn next_wake(&mut self, after: Timestamp) -> Result<Option<Timestamp>, StoreError>;

    /// One subscription with all that a decision needs; `None`: no such id.
    fn snapshot(&mut self, id: &SubscriptionId) -> Result<Option<Snapshot>, StoreError>;

    /// The same of every subscription that the filter names, due or not, by order of making, after that row. One in which
    /// there is nonsense does not hide the others.
    fn snapshots(
        &mut self,
        f: &Filter,
        after: i64,
        limit: usize,
    ) -> Result<SubscriptionPage<Snapshot>, StoreError>;

    /// The subscription of this invoice, with it among `invoices` even if it is closed; `None`: no such invoice.
    fn snapshot_of_invoice(&mut self, id: &InvoiceId) -> Result<Option<Snapshot>, StoreError>;

    /// A page of unfinished attempts (intended, pending, in doubt, manual), oldest first, after that many rows' cursor.
    fn unfinished(&mut self, after: Option<&AttemptId>, limit: usize) -> Result<Vec<Attempt>, StoreError>;

    /// One attempt, with its intent if it is unfinished.
    fn attempt(&mut self, id: &AttemptId) -> Result<Option<Attempt>, StoreError> {
        Ok(self.attempt_row(id)?.map(|known| known.attempt))
    }

    /// The same with its place; `None`: no such id.
    fn attempt_row(&mut self, id: &AttemptId) -> Result<Option<AttemptRow>, StoreError>;

    /// One invoice.
    fn invoice(&mut self, id: &InvoiceId) -> Result<Option<Invoice>, StoreError>;

    /// Customers of subscriptions due at `at` whose snapshot is older than `fresh_after`: how many (counted up to `cap`).
    fn count_stale_customers(
        &mut self,
        at: Timestamp,
        fresh_after: Timestamp,
        cap: u64,
    ) -> Result<u64, StoreError>;

    /// A page of them, by id after `after`.
    fn stale_customers(
        &mut self,
        at: Timestamp,
        fresh_after: Timestamp,
        after: Option<&CustomerId>,
        limit: usize,
    ) -> Result<Vec<CustomerId>, StoreError>;

    /// One customer; `None`: not in the book.
    fn customer(&mut self, id: &CustomerId) -> Result<Option<CustomerSnapshot>, StoreError>;

    /// The next `limit` customers by order of first sight, after that row: those of them who have a subscription that
    /// has not ended, as far as a glance shows them.
    fn glance(&mut self, after: i64, limit: usize) -> Result<GlancePage, StoreError>;

    /// What a customer was told of the end of their cards; empty for one who is not in the book.
    fn card_warnings(&mut self, id: &CustomerId) -> Result<Vec<CardWarning>, StoreError>;

    /// What was given back or disputed of that attempt's charge, as last noted; empty: nothing.
    fn reversals(&mut self, attempt: &AttemptId) -> Result<Vec<Reversal>, StoreError>;

    // --- runs

    /// Notes that a run begins; its number counts up. `provider_seen`: the provider's time, as last seen, if the book is
    /// known to have every charge of its own up to it; `None`: it is not, or the run did not ask.
    fn open_run(
        &mut self,
        at: Timestamp,
        wall: Timestamp,
        provider_seen: Option<Timestamp>,
    ) -> Result<RunId, StoreError>;

    /// Keeps a run's report, as JSON. `provider_seen`: as for the beginning.
    fn close_run(
        &mut self,
        run: &RunId,
        report_json: &str,
        wall: Timestamp,
        provider_seen: Option<Timestamp>,
    ) -> Result<(), StoreError>;

    /// The last run's number, billing instant and report; the report is `None` while, or if, it did not end.
    fn last_run(&mut self) -> Result<Option<(RunId, Timestamp, Option<String>)>, StoreError>;

    /// Whether an intent would be taken now: there is room for its result as well. Takes back, where it can, the room
    /// that results were given; [`StoreError::Full`] while it cannot.
    fn takes_intents(&mut self) -> Result<(), StoreError>;

    /// When a job of the service last began, on the wall clock; `None`: never.
    fn job_began(&mut self, job: &str) -> Result<Option<Timestamp>, StoreError>;

    /// Notes that a job of the service was done that began then.
    fn note_job(&mut self, job: &str, began: Timestamp) -> Result<(), StoreError>;

    /// Asks the process that charges for a run; returns the request's number. `wish.id` is not looked at.
    fn ask_run(&mut self, wish: &RunRequest, asked: Timestamp) -> Result<i64, StoreError>;

    /// Whether a request waits that nobody has taken. Writes nothing.
    fn runs_wait(&mut self) -> Result<bool, StoreError>;

    /// Whoever asked is still there at that moment, and waits: as if they asked then.
    fn still_asks(&mut self, id: i64, now: Timestamp) -> Result<(), StoreError>;

    /// Ends a request that nobody has taken, without a report; `false`: somebody has, or it is over.
    fn withdraw_run(&mut self, id: i64, now: Timestamp) -> Result<bool, StoreError>;

    /// Takes the oldest request that waits; `None`: none does. Those that wait and were asked before `asked_since` are
    /// ended without a report: whoever asked has gone.
    fn take_run(
        &mut self,
        asked_since: Timestamp,
        taken: Timestamp,
    ) -> Result<Option<RunRequest>, StoreError>;

    /// For a process that begins to charge: requests that a dead one had taken wait again, and those asked before
    /// that instant are ended without a report.
    fn give_back_runs(&mut self, asked_before: Timestamp, now: Timestamp) -> Result<(), StoreError>;

    /// Tells whoever asked how far the run is; `None`: between two parts.
    fn tell_run(&mut self, id: i64, progress: Option<&RunProgress>) -> Result<(), StoreError>;

    /// Ends a request with what it came to, as JSON; `None`: it was given up. One that has ended stays as it is.
    fn end_run(&mut self, id: i64, report: Option<&str>, ended: Timestamp) -> Result<(), StoreError>;

    /// Where a request stands; `None`: there is no such number.
    fn run_state(&mut self, id: i64) -> Result<Option<RunState>, StoreError>;

    /// Notes events of the provider that were acted upon; of all that were noted the newest `keep` are remembered.
    fn note_webhooks(&mut self, ids: &[String], at: Timestamp, keep: usize) -> Result<(), StoreError>;

    /// Those that are remembered, the oldest first.
    fn noted_webhooks(&mut self) -> Result<Vec<String>, StoreError>;

    // --- what people read, by pages

    /// Subscriptions by order of making. One in which there is nonsense does not hide the others.
    fn page_of_subscriptions(
        &mut self,
        f: &Filter,
        after: i64,
        limit: usize,
    ) -> Result<SubscriptionPage<SubscriptionRow>, StoreError>;
    /// The same for who cannot do without any of them: refused where one cannot be read.
    fn list_subscriptions(
        &mut self,
        f: &Filter,
        after: i64,
        limit: usize,
    ) -> Result<Vec<SubscriptionRow>, StoreError> {
        let page = self.page_of_subscriptions(f, after, limit)?;
        match page.unreadable.into_iter().next() {
            Some(found) => Err(found.error),
            None => Ok(page.rows),
        }
    }
    /// Whether there is any subscription, readable or not.
    fn has_subscriptions(&mut self) -> Result<bool, StoreError> {
        Ok(!self.page_of_subscriptions(&Filter::default(), 0, 1)?.is_empty())
    }
    /// Invoices by order of opening.
    fn list_invoices(&mut self, f: &Filter, after: i64, limit: usize) -> Result<Vec<InvoiceRow>, StoreError>;
    /// Attempts by order of intent.
    fn list_attempts(&mut self, f: &Filter, after: i64, limit: usize) -> Result<Vec<AttemptRow>, StoreError>;

    /// Of the next `limit` attempts behind the place `after` (0: the beginning) those that have a charge and whose
    /// billing instant is `from`, `to` or between, in the order of the book.
    fn charged_between(
        &mut self,
        from: Timestamp,
        to: Timestamp,
        after: i64,
        limit: usize,
    ) -> Result<ChargedPage, StoreError>;
    /// Standing flags (with `Filter::ended` past ones too), oldest first.
    fn list_flags(&mut self, f: &Filter, after: i64, limit: usize) -> Result<Vec<(i64, Flag)>, StoreError>;
    /// Standing flags (with `Filter::ended` past ones too) with the money behind each: open invoices and the next
    /// period. By currency of the plan, the largest sum first, after the cursor.
    fn list_flags_at_risk(
        &mut self,
        f: &Filter,
        after: Option<RiskCursor>,
        limit: usize,
    ) -> Result<Vec<FlagAtRisk>, StoreError>;
    /// Subscriptions that have not ended whose card, their own or the default, ends with a month from `from` to `to`,
    /// both included; the first to end first, after the cursor.
    fn ending_cards(
        &mut self,
        from: Expiration,
        to: Expiration,
        after: Option<EndingCursor>,
        limit: usize,
    ) -> Result<Vec<EndingCard>, StoreError>;
    /// The diary, by `seq`.
    fn list_events(&mut self, f: &Filter, after: i64, limit: usize) -> Result<Vec<Event>, StoreError>;
    /// Customers by order of first sight.
    fn list_customers(
        &mut self,
        f: &Filter,
        after: i64,
        limit: usize,
    ) -> Result<Vec<CustomerRow>, StoreError>;
    /// Periods of one subscription that were skipped, oldest first.
    fn skipped_periods(&mut self, id: &SubscriptionId) -> Result<Vec<SkippedPeriods>, StoreError>;

    /// How many standing flags there are, by reason.
    fn count_flags(&mut self) -> Result<Vec<(FlagReason, u64)>, StoreError>;

    /// How many open invoices that were declined wait for another try at an instant of their own.
    fn count_retries(&mut self) -> Result<u64, StoreError>;

    // --- care

    /// Blanks what is personal of a customer whose subscriptions have all ended: how their cards look and when they
    /// expire, metadata, what flags and the diary say of a card, and what people typed into the diary about their
    /// subscriptions; messages to them say nothing any more, and those that wait are moot. Invoices, attempts, amounts and the ids of cards and charges stay; later readings of the
    /// customer are ignored. Doing it again is harmless. `false`: not in the book.
    /// Refused (`StoreError::Unsettled`) while a subscription lives or an attempt is unfinished.
    fn erase_customer(&mut self, id: &CustomerId, at: Timestamp) -> Result<bool, StoreError>;

    /// Everything that is wrong with the file and its contents, a sentence each; empty: nothing.
    /// `progress` is told done and total steps.
    fn verify(&mut self, progress: &mut dyn FnMut(u64, u64)) -> Result<Vec<String>, StoreError>;

    /// What a book that runs for years needs now and then: the journal is written back and emptied, the figures that
    /// queries are planned by are renewed, and requests for runs that ended before that instant are forgotten.
    /// Returns how many were. Nothing of the billing is ever forgotten.
    fn tidy(&mut self, ended_before: Timestamp) -> Result<u64, StoreError>;

    /// Copies the book to a new file while others write; refused if the file exists. `progress`: pages done, total.
    fn backup(&mut self, to: &std::path::Path, progress: &mut dyn FnMut(u64, u64)) -> Result<(), StoreError>;
}
