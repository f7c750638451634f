//! The book on SQLite: one file, its journal, and a few small files beside it.
//!
//! Promises: what `Store` promises, on one connection that one thread uses; other processes may write beside it.
//! Must never know: the gateway, the rules, what a transition means.

mod attempts;
mod backup;
mod book;
mod cache;
mod codes;
mod columns;
mod commit;
mod created;
mod customers;
mod diary;
mod disk;
mod erase;
mod fault;
mod glances;
mod hot;
mod import;
mod invoices;
mod lists;
mod messages;
mod observe;
mod open;
mod outbox;
mod pack;
mod plans;
mod requests;
mod reserve;
mod reversals;
mod risk;
mod runs;
mod schema;
mod snapshots;
mod subscriptions;
#[cfg(test)]
mod tests;
mod unreadable;
mod verify;
mod warnings;
mod webhooks;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::rows::{EndingCard, EndingCursor, FlagAtRisk, RiskCursor};
use super::{
    AttemptRow, BookFacts, ChargedPage, CustomerReading, CustomerRow, DueCursor, DueNow, DuePage, Filter,
    GlancePage, HostBinding, InvoiceRow, NewSubscription, Observed, Refusal, RunProgress, RunRequest,
    RunState, SkippedPeriods, Store, StoreError, SubscriptionPage, SubscriptionRow, UsageCount, witness,
};
use crate::model::{
    Attempt, AttemptId, CardWarning, CustomerId, CustomerSnapshot, Epoch, Event, Expiration, Flag,
    FlagReason, Invoice, InvoiceId, PlanKey, PlanTerms, PlanVersion, PlanVersionId, Reversal, RunId,
    Snapshot, SubscriptionId, Transition, Zone,
};
use crate::model::{EventKind, NewEvent};
use book::Book;
use fault::Outcome;
use hot::Hot;

pub use backup::{Restored, check_copy, restore};
pub(super) use disk::keeps_no_files;
pub use open::OpenOptions;
pub(super) use open::sync_folder;

/// The book on SQLite.
pub struct SqliteStore(Book);

/// The file of that kind beside the book: `<book>.<kind>`.
pub(super) fn beside(book: &Path, kind: &str) -> PathBuf {
    with_end(book, &format!(".{kind}"))
}

pub(super) fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// The folder that holds the book.
fn folder_of(book: &Path) -> &Path {
    book.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A count from SQLite, which has no unsigned numbers; counts are never negative.
fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

impl SqliteStore {
    /// Opens the book at `path`, or makes it, and brings it to this program's schema.
    pub fn open(path: &Path, options: OpenOptions) -> Result<Self, StoreError> {
        open::open(path, &options).map(Self)
    }

    /// From now on waits so long for others who write.
    ///
    /// # Errors
    /// What SQLite said.
    pub fn wait_for_others(&mut self, busy_wait: std::time::Duration) -> Result<(), StoreError> {
        self.0.busy_wait = busy_wait;
        self.0.conn.busy_timeout(busy_wait).map_err(|error| self.0.out(error.into()))
    }

    /// A new book without a file, which lives as long as this value: for tests and simulations.
    pub fn in_memory() -> Result<Self, StoreError> {
        open::in_memory().map(Self).map_err(|fault| fault.into_store(Path::new(":memory:"), 0))
    }

    /// Leaves the file no page to grow by; the reserve, once freed, gives `reserve` of them.
    #[cfg(test)]
    pub(crate) fn fill_disk(&mut self, reserve: u32) {
        let pages: u32 = self.0.conn.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
        self.0.conn.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(())).unwrap();
        self.0.reserve.pages = reserve;
    }

    fn read<T>(&self, read: impl FnOnce(&Book) -> Outcome<T>) -> Result<T, StoreError> {
        self.0.reading(|| read(&self.0)).map_err(|fault| self.0.out(fault))
    }

    fn write<T>(&self, write: impl FnOnce(&Book) -> Outcome<T>) -> Result<T, StoreError> {
        self.0.writing(|| write(&self.0)).map_err(|fault| self.0.out(fault))
    }
}

impl Store for SqliteStore {
    fn facts(&mut self) -> Result<BookFacts, StoreError> {
        self.read(Book::facts)
    }

    fn bind_mode(&mut self, livemode: bool) -> Result<(), StoreError> {
        self.write(|book| book.bind_mode(livemode))
    }

    fn bind_host(&mut self, host: &HostBinding) -> Result<(), StoreError> {
        self.write(|book| book.bind_host(host))
    }

    fn note_adopted(&mut self, at: Timestamp, provider_seen: Timestamp) -> Result<(), StoreError> {
        let event =
            NewEvent { at, kind: EventKind::BookAdopted, subscription: None, invoice: None, data: None };
        self.write(|book| {
            book.note_provider_time(provider_seen)?;
            book.append_event(&Hot::new(&book.conn), &event)
        })
    }

    fn note_incident(&mut self, at: Timestamp, data: &str) -> Result<(), StoreError> {
        let data = Some(data.into());
        let event = NewEvent { at, kind: EventKind::Incident, subscription: None, invoice: None, data };
        self.write(|book| book.append_event(&Hot::new(&book.conn), &event))
    }

    fn set_zone(&mut self, zone: &Zone) -> Result<(), StoreError> {
        self.write(|book| book.set_zone(zone))
    }

    fn begin_epoch(
        &mut self,
        at: Timestamp,
        wall: Timestamp,
        provider_now: Option<Timestamp>,
    ) -> Result<(Epoch, u64), StoreError> {
        let begun = self.write(|book| book.begin_epoch(at, wall, provider_now))?;
        if self.0.path != Path::new(":memory:") {
            let facts = self.facts()?;
            witness::write(&self.0.path, &facts)?;
        }
        Ok(begun)
    }

    fn commit(&mut self, batch: &[Transition]) -> Result<Vec<Result<(), Refusal>>, StoreError> {
        self.0.commit(batch)
    }

    fn last_commit(&self) -> std::time::Duration {
        self.0.last_commit.get()
    }

    fn observe_customers(&mut self, readings: &[CustomerReading]) -> Result<Observed, StoreError> {
        self.write(|book| book.observe_customers(readings))
    }

    fn import(
        &mut self,
        rows: &mut dyn Iterator<Item = NewSubscription>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<u64, StoreError> {
        self.write(|book| book.import(rows, progress))
    }

    fn next_subscription_id(
        &mut self,
        customer: &CustomerId,
        now: Timestamp,
    ) -> Result<SubscriptionId, StoreError> {
        self.read(|book| book.next_subscription_id(customer, now))
    }

    fn plans(&mut self) -> Result<Vec<PlanVersion>, StoreError> {
        self.read(Book::newest_plans)
    }

    fn plan(&mut self, id: PlanVersionId) -> Result<Option<Arc<PlanVersion>>, StoreError> {
        self.read(|book| book.find_plan(id.0))
    }

    fn apply_plans(
        &mut self,
        plans: &[(PlanKey, PlanTerms)],
        at: Timestamp,
    ) -> Result<Vec<PlanVersion>, StoreError> {
        self.write(|book| book.apply_plans(plans, at))
    }

    fn bring_config(
        &mut self,
        zone: &Zone,
        plans: &[(PlanKey, PlanTerms)],
        at: Timestamp,
    ) -> Result<Vec<PlanVersion>, StoreError> {
        self.write(|book| {
            book.set_zone(zone)?;
            book.apply_plans(plans, at)
        })
    }

    fn plan_usage(&mut self) -> Result<Vec<UsageCount>, StoreError> {
        self.read(Book::plan_usage)
    }

    fn on_older_versions(
        &mut self,
        plan: &PlanKey,
        after: Option<&SubscriptionId>,
        limit: usize,
    ) -> Result<Vec<SubscriptionId>, StoreError> {
        self.read(|book| book.on_older_versions(plan, after, limit))
    }

    fn due(&mut self, at: Timestamp, after: Option<DueCursor>, limit: usize) -> Result<DuePage, StoreError> {
        self.read(|book| book.due(at, after, limit))
    }

    fn has_older_missed(
        &mut self,
        than: &SubscriptionId,
        start: Timestamp,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.read(|book| book.has_older_missed(than, start, at))
    }

    fn count_due(&mut self, at: Timestamp) -> Result<u64, StoreError> {
        self.read(|book| book.count_due(at)).map(unsigned)
    }

    fn due_now(&mut self, at: Timestamp) -> Result<DueNow, StoreError> {
        self.read(|book| book.due_now(at))
    }

    fn next_wake(&mut self, after: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.read(|book| book.next_wake(after))
    }

    fn snapshots(
        &mut self,
        f: &Filter,
        after: i64,
        limit: usize,
    ) -> Result<SubscriptionPage<Snapshot>, StoreError> {
        self.read(|book| book.snapshots(f, after, limit))
    }

    fn snapshot(&mut self, id: &SubscriptionId) -> Result<Option<Snapshot>, StoreError> {
        self.read(|book| book.snapshot(id))
    }

    fn snapshot_of_invoice(&mut self, id: &InvoiceId) -> Result<Option<Snapshot>, StoreError> {
        self.read(|book| book.snapshot_of_invoice(id))
    }

    fn unfinished(&mut self, after: Option<&AttemptId>, limit: usize) -> Result<Vec<Attempt>, StoreError> {
        self.read(|book| book.unfinished(after, limit))
    }

    fn attempt_row(&mut self, id: &AttemptId) -> Result<Option<AttemptRow>, StoreError> {
        self.read(|book| book.attempt_row(id))
    }

    fn invoice(&mut self, id: &InvoiceId) -> Result<Option<Invoice>, StoreError> {
        self.read(|book| book.invoice(id))
    }

    fn count_stale_customers(
        &mut self,
        at: Timestamp,
        fresh_after: Timestamp,
        cap: u64,
    ) -> Result<u64, StoreError> {
        self.read(|book| book.count_stale(at, fresh_after, cap)).map(unsigned)
    }

    fn stale_customers(
        &mut self,
        at: Timestamp,
        fresh_after: Timestamp,
        after: Option<&CustomerId>,
        limit: usize,
    ) -> Result<Vec<CustomerId>, StoreError> {
        self.read(|book| book.stale_customers(at, fresh_after, after, limit))
    }

    fn customer(&mut self, id: &CustomerId) -> Result<Option<CustomerSnapshot>, StoreError> {
        self.read(|book| book.customer(id))
    }

    fn glance(&mut self, after: i64, limit: usize) -> Result<GlancePage, StoreError> {
        self.read(|book| book.glance(after, limit))
    }

    fn card_warnings(&mut self, id: &CustomerId) -> Result<Vec<CardWarning>, StoreError> {
        self.read(|book| book.card_warnings(id))
    }

    fn reversals(&mut self, attempt: &AttemptId) -> Result<Vec<Reversal>, StoreError> {
        self.read(|book| book.reversals(attempt))
    }

    fn open_run(
        &mut self,
        at: Timestamp,
        wall: Timestamp,
        provider_seen: Option<Timestamp>,
    ) -> Result<RunId, StoreError> {
        self.write(|book| {
            provider_seen.map_or(Ok(()), |seen| book.note_provider_time(seen))?;
            book.open_run(at, wall)
        })
    }

    fn close_run(
        &mut self,
        run: &RunId,
        report_json: &str,
        wall: Timestamp,
        provider_seen: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.write(|book| {
            provider_seen.map_or(Ok(()), |seen| book.note_provider_time(seen))?;
            book.close_run(run, report_json, wall)
        })
    }

    fn last_run(&mut self) -> Result<Option<(RunId, Timestamp, Option<String>)>, StoreError> {
        self.read(Book::last_run)
    }

    fn takes_intents(&mut self) -> Result<(), StoreError> {
        self.0.takes_intents()
    }

    fn job_began(&mut self, job: &str) -> Result<Option<Timestamp>, StoreError> {
        self.read(|book| book.job_began(job))
    }

    fn note_job(&mut self, job: &str, began: Timestamp) -> Result<(), StoreError> {
        self.write(|book| book.note_job(job, began))
    }

    fn ask_run(&mut self, wish: &RunRequest, asked: Timestamp) -> Result<i64, StoreError> {
        self.write(|book| book.ask_run(wish, asked))
    }

    fn runs_wait(&mut self) -> Result<bool, StoreError> {
        self.read(Book::runs_wait)
    }

    fn still_asks(&mut self, id: i64, now: Timestamp) -> Result<(), StoreError> {
        self.write(|book| book.still_asks(id, now))
    }

    fn withdraw_run(&mut self, id: i64, now: Timestamp) -> Result<bool, StoreError> {
        self.write(|book| book.withdraw_run(id, now))
    }

    fn take_run(
        &mut self,
        asked_since: Timestamp,
        taken: Timestamp,
    ) -> Result<Option<RunRequest>, StoreError> {
        self.write(|book| book.take_run(asked_since, taken))
    }

    fn give_back_runs(&mut self, asked_before: Timestamp, now: Timestamp) -> Result<(), StoreError> {
        self.write(|book| book.give_back_runs(asked_before, now))
    }

    fn tell_run(&mut self, id: i64, progress: Option<&RunProgress>) -> Result<(), StoreError> {
        self.write(|book| book.tell_run(id, progress))
    }

    fn end_run(&mut self, id: i64, report: Option<&str>, ended: Timestamp) -> Result<(), StoreError> {
        self.write(|book| book.end_run(id, report, ended))
    }

    fn run_state(&mut self, id: i64) -> Result<Option<RunState>, StoreError> {
        self.read(|book| book.run_state(id))
    }

    fn page_of_subscriptions(
        &mut self,
        f: &Filter,
        after: i64,
        limit: usize,
    ) -> Result<SubscriptionPage<SubscriptionRow>, StoreError> {
        self.read(|book| book.page_of_subscriptions(f, after, limit))
    }

    fn list_invoices(&mut self, f: &Filter, after: i64, limit: usize) -> Result<Vec<InvoiceRow>, StoreError> {
        self.read(|book| book.list_invoices(f, after, limit))
    }

    fn list_attempts(&mut self, f: &Filter, after: i64, limit: usize) -> Result<Vec<AttemptRow>, StoreError> {
        self.read(|book| book.list_attempts(f, after, limit))
    }

    fn charged_between(
        &mut self,
        from: Timestamp,
        to: Timestamp,
        after: i64,
        limit: usize,
    ) -> Result<ChargedPage, StoreError> {
        self.read(|book| book.charged_between(from, to, after, limit))
    }

    fn list_flags(&mut self, f: &Filter, after: i64, limit: usize) -> Result<Vec<(i64, Flag)>, StoreError> {
        self.read(|book| book.list_flags(f, after, limit))
    }

    fn list_events(&mut self, f: &Filter, after: i64, limit: usize) -> Result<Vec<Event>, StoreError> {
        self.read(|book| book.list_events(f, after, limit))
    }

    fn list_customers(
        &mut self,
        f: &Filter,
        after: i64,
        limit: usize,
    ) -> Result<Vec<CustomerRow>, StoreError> {
        self.read(|book| book.list_customers(f, after, limit))
    }

    fn list_flags_at_risk(
        &mut self,
        f: &Filter,
        after: Option<RiskCursor>,
        limit: usize,
    ) -> Result<Vec<FlagAtRisk>, StoreError> {
        self.read(|book| book.list_flags_at_risk(f, after, limit))
    }

    fn ending_cards(
        &mut self,
        from: Expiration,
        to: Expiration,
        after: Option<EndingCursor>,
        limit: usize,
    ) -> Result<Vec<EndingCard>, StoreError> {
        self.read(|book| book.ending_cards(from, to, after, limit))
    }

    fn skipped_periods(&mut self, id: &SubscriptionId) -> Result<Vec<SkippedPeriods>, StoreError> {
        self.read(|book| book.skipped_periods(id))
    }

    fn count_flags(&mut self) -> Result<Vec<(FlagReason, u64)>, StoreError> {
        self.read(Book::count_flags)
    }

    fn count_retries(&mut self) -> Result<u64, StoreError> {
        self.read(Book::count_retries)
    }

    fn erase_customer(&mut self, id: &CustomerId, at: Timestamp) -> Result<bool, StoreError> {
        self.0
            .overwriting(|| self.write(|book| book.erase_customer(id, at)))
            .map_err(|fault| self.0.out(fault))?
    }

    fn verify(&mut self, progress: &mut dyn FnMut(u64, u64)) -> Result<Vec<String>, StoreError> {
        self.read(|book| book.verify(progress))
    }

    fn note_webhooks(&mut self, ids: &[String], at: Timestamp, keep: usize) -> Result<(), StoreError> {
        self.write(|book| book.note_webhooks(ids, at, keep))
    }

    fn noted_webhooks(&mut self) -> Result<Vec<String>, StoreError> {
        self.read(Book::noted_webhooks)
    }

    fn tidy(&mut self, ended_before: Timestamp) -> Result<u64, StoreError> {
        let forgotten = self.write(|book| book.forget_requests(ended_before))?;
        self.0.tidy().map_err(|fault| self.0.out(fault))?;
        Ok(forgotten)
    }

    fn backup(&mut self, to: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<(), StoreError> {
        backup::copy(&self.0.conn, to, progress)
            .map_err(|fault| fault.into_store(to, self.0.busy_wait.as_secs()))
    }
}
