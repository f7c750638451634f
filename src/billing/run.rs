//! One billing run: takes the book once keys, clocks and the provider's own list allow it (`hold.rs`), takes up old doubt,
//! then serves all that is due while the list of customers is read beside it; at the end it reports what was done and left.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::brakes::RunBrakes;
use super::doubt::Known;
use super::dry::Memory;
use super::hold::{hold, unreachable_report};
use super::jump::{self, Since};
use super::left::Left;
use super::listing::Listing;
use super::pace::Pace;
use super::tally::Tally;
use super::time::ProviderTime;
use super::turns::Turns;
use super::{Billing, RunError, RunOrder, Watch, behind, cards, doubt, only};
use crate::clock::Stopwatch;
use crate::gateway::{AccountFacts, GatewayError};
use crate::hooks::kill_point;
use crate::model::{AttemptId, ChargeSeen, Epoch, Installation, RunId, RunReport, StoppedBy, SubscriptionId};
use crate::rules::{self, Circumstances};

/// Snapshots loaded at a time; two pages are in memory at most.
pub(super) const PAGE_ROWS: usize = 128;
/// Requests in a row that never reached the provider before the run gives up.
const MOST_UNREACHED_IN_A_ROW: u64 = 20;

/// A run under way: what all its tasks share.
pub(super) struct Run<'a> {
    pub(super) billing: &'a Billing,
    pub(super) order: &'a RunOrder,
    pub(super) at: Timestamp,
    pub(super) installation: Installation,
    pub(super) epoch: Option<Epoch>,
    pub(super) account: AccountFacts,
    pub(super) time: ProviderTime,
    doubled: Vec<(AttemptId, ChargeSeen)>,
    has_all: bool,
    pub(super) pace: Pace,
    /// What a dry run keeps, since it writes nothing.
    dry: Mutex<Memory>,
    /// Subscriptions that this run leaves due, so that the rest of it does not meet them twice.
    pub(super) left_due: Mutex<HashSet<SubscriptionId>>,
    /// Places for charges under way: one is taken before an intent and given back once its answer is there.
    slots: Arc<Semaphore>,
    /// How far the list of customers has come.
    pub(super) listing: Arc<Listing>,
    /// The watch is told of charges now, no longer of customers.
    pub(super) charging: AtomicBool,
    /// Charges of one card number, one at a time.
    pub(super) turns: Turns,
    brakes: Mutex<RunBrakes>,
    tally: Mutex<Tally>,
    halted: Mutex<Option<StoppedBy>>,
    /// The wall clock was believed then: it was held against the provider's just before.
    began: Since,
    unreached_in_a_row: AtomicU64,
}

/// What was learned and taken before a run began.
pub(super) struct Taken {
    pub(super) at: Timestamp,
    pub(super) installation: Installation,
    /// `None`: a dry run, which takes nothing.
    pub(super) epoch: Option<Epoch>,
    pub(super) account: AccountFacts,
    pub(super) time: ProviderTime,
    /// Second charges of attempts that have ended, found before the run began.
    pub(super) doubled: Vec<(AttemptId, ChargeSeen)>,
    /// The comparison with the provider's list is worth remembering: nothing can be listed late.
    pub(super) has_all: bool,
}

/// Makes one run and reports it. The caller holds the charging lock, but for a dry run.
pub async fn run(billing: &Billing, order: &RunOrder) -> Result<RunReport, RunError> {
    let watch = Stopwatch::start();
    let calls_before = billing.gateway.calls();
    only::must_be_known(billing, order).await?;
    match hold(billing, order).await {
        Ok((run, run_id)) => {
            run.work().await?;
            run.finish(run_id, watch, calls_before).await
        }
        Err(RunError::Gateway(GatewayError::Unreachable(reason))) => {
            tracing::error!(%reason, "the provider gave no answer: nothing was begun");
            unreachable_report(billing, order, watch, calls_before).await
        }
        Err(error) => Err(error),
    }
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a> Run<'a> {
    /// Nothing done yet.
    pub(super) fn new(billing: &'a Billing, order: &'a RunOrder, taken: Taken, report: RunReport) -> Self {
        Self {
            billing,
            order,
            at: taken.at,
            installation: taken.installation,
            epoch: taken.epoch,
            account: taken.account,
            time: taken.time,
            doubled: taken.doubled,
            has_all: taken.has_all,
            pace: Pace::new(billing.clock.clone(), billing.meters.clone(), billing.settings.rate),
            dry: Mutex::default(),
            left_due: Mutex::default(),
            slots: Arc::new(Semaphore::new(billing.settings.in_flight)),
            listing: Arc::default(),
            charging: AtomicBool::new(false),
            turns: Turns::default(),
            brakes: Mutex::new(RunBrakes::new(billing.settings.brakes.clone(), order.limit)),
            tally: Mutex::new(Tally(report)),
            halted: Mutex::new(None),
            began: Since::now(&*billing.clock),
            unreached_in_a_row: AtomicU64::new(0),
        }
    }
}

impl Run<'_> {
    /// Old doubt first; then all that is due, and beside it the list of customers. A dry run reads the list before.
    async fn work(&self) -> Result<(), RunError> {
        if self.order.dry_run {
            tracing::info!("dry run: nothing is written or sent; doubt is left as it is");
        } else {
            doubt::settle(self).await?;
            for (attempt, seen) in &self.doubled {
                doubt::conclude(self, attempt, &Known::Outcome(rules::outcome_of(seen))).await?;
            }
        }
        if (self.billing.paused)() {
            self.halt(StoppedBy::PauseFile);
        }
        if self.halted().is_some() {
            return Ok(());
        }
        if self.order.only.is_some() {
            return self.serve_all().await;
        }
        if self.order.dry_run {
            // Nothing is written, so what is read cannot come to the due by way of the book.
            cards::refresh(self).await?;
            return self.serve_all().await;
        }
        let reading = self.listing.begin();
        let list = async {
            let read = cards::refresh(self).await;
            drop(reading);
            read
        };
        // Neither breaks the other off: a charge that is under way must come to its end.
        let (listed, served) = tokio::join!(list, self.serve_all());
        listed.and(served)
    }

    /// How many of the places for a call under way are taken.
    pub(super) fn slots_taken(&self) -> usize {
        self.billing.settings.in_flight.saturating_sub(self.slots.available_permits())
    }

    /// One of the places for a call under way; waits for it, first come, first served.
    pub(super) async fn slot(&self) -> Option<OwnedSemaphorePermit> {
        // The semaphore is never closed, so there is always one to come.
        Arc::clone(&self.slots).acquire_owned().await.ok()
    }

    /// Tells how far the reading of customers is, until charging has begun.
    pub(super) fn tell_cards(&self, tell: impl FnOnce(&dyn Watch)) {
        if !self.charging.load(Ordering::Relaxed) {
            tell(&*self.billing.watch);
        }
    }

    /// What a decision is told, as of now.
    pub(super) fn circumstances(&self) -> Circumstances {
        let settings = &self.billing.settings;
        let wire = self.time.wire(settings.timeout);
        let wall_at = Timestamp::from_second(wire.wall_at.as_second()).unwrap_or(wire.wall_at);
        Circumstances {
            at: self.at,
            budget_now: if self.account.livemode { self.at.max(wall_at) } else { self.at },
            live: self.account.livemode,
            book_zone: settings.zone.clone(),
            installation: self.installation,
            epoch: self.epoch,
            limits: self.account.limits.clone(),
            cards: settings.cards.clone(),
            doubt: settings.doubt,
            catch_up: settings.catch_up,
            declines: settings.declines.clone(),
            budgets: settings.budgets,
            customer_day: settings.brakes.amount_per_customer_per_day.clone(),
            wire,
        }
    }

    /// Why no more work is taken; `None`: it is. A request from outside to stop counts, and so does a wall clock that
    /// jumped on the way: what is due and what budgets allow would be judged by it.
    pub(super) fn halted(&self) -> Option<StoppedBy> {
        if self.billing.stop.is_cancelled() {
            self.halt(StoppedBy::Signal);
        }
        let known = *locked(&self.halted);
        if known.is_none()
            && let Some(jump) = self.began.jump(&*self.billing.clock)
        {
            tracing::error!(
                "the wall clock jumped {} during the run: nothing more is charged",
                jump::in_words(jump)
            );
            self.halt(StoppedBy::Clock);
        }
        *locked(&self.halted)
    }

    /// Takes no more work; the first reason stays.
    pub(super) fn halt(&self, why: StoppedBy) {
        let mut halted = locked(&self.halted);
        if halted.is_none() {
            if why == StoppedBy::Limit {
                tracing::info!("the limit asked for is reached");
            } else {
                tracing::warn!(reason = why.word(), "the run stops");
            }
            *halted = Some(why);
        }
    }

    pub(super) fn brakes(&self) -> MutexGuard<'_, RunBrakes> {
        locked(&self.brakes)
    }

    pub(super) fn dry(&self) -> MutexGuard<'_, Memory> {
        locked(&self.dry)
    }

    pub(super) fn tally(&self) -> MutexGuard<'_, Tally> {
        locked(&self.tally)
    }

    /// A request provably never reached the provider, or one did.
    pub(super) fn reached(&self, reached: bool) {
        if reached {
            self.unreached_in_a_row.store(0, Ordering::Relaxed);
        } else if self.unreached_in_a_row.fetch_add(1, Ordering::Relaxed) + 1 >= MOST_UNREACHED_IN_A_ROW {
            self.halt(StoppedBy::ProviderUnreachable);
        }
    }

    /// Completes the report and keeps it in the book.
    pub(super) async fn finish(
        self,
        run: Option<RunId>,
        watch: Stopwatch,
        calls_before: u64,
    ) -> Result<RunReport, RunError> {
        let has_all = self.has_all;
        self.end(run, watch, calls_before, has_all).await
    }

    /// The same for a book that still lacks charges of its own: the next comparison begins where this one did.
    pub(super) async fn finish_lacking(
        self,
        run: Option<RunId>,
        watch: Stopwatch,
        calls_before: u64,
    ) -> Result<RunReport, RunError> {
        self.end(run, watch, calls_before, false).await
    }

    async fn end(
        self,
        run: Option<RunId>,
        watch: Stopwatch,
        calls_before: u64,
        has_all: bool,
    ) -> Result<RunReport, RunError> {
        let at = self.at;
        let stopped_by = self.halted();
        // Only a run that was to serve everything, and came to its end, has nothing due behind it.
        let partial = stopped_by.is_some() || self.order.only.is_some();
        let mut left = self.billing.lane.run(move |store| Left::behind(store, at, partial)).await??;
        if self.order.dry_run {
            left = left.after_dry(&self.dry(), partial);
        }
        let wire = self.time.wire(self.billing.settings.timeout);
        let mut report = self.tally.into_inner().unwrap_or_else(PoisonError::into_inner).0;
        left.told(at, &mut report);
        report.stopped_by = stopped_by;
        report.api_calls = self.billing.gateway.calls() - calls_before;
        report.elapsed_ms = watch.elapsed_ms();
        if let Some(run) = run {
            let json = serde_json::to_string(&report).unwrap_or_default();
            kill_point("report.before_commit");
            self.billing
                .lane
                .run(move |store| {
                    let seen = has_all.then(|| behind::seen_up_to(&wire));
                    store.close_run(&run, &json, wire.wall_at, seen)
                })
                .await??;
            kill_point("report.after_commit");
        }
        if stopped_by == Some(StoppedBy::Keys) {
            return Err(RunError::KeysDuringRun(Box::new(report)));
        }
        Ok(report)
    }
}
