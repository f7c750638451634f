//! One billing run: proves the keys, takes up old doubt, reads cards, then serves all that is due.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use jiff::{SignedDuration, Timestamp};

use super::brakes::RunBrakes;
use super::pace::Pace;
use super::tally::Tally;
use super::time::ProviderTime;
use super::{Billing, Only, Part, RunError, RunOrder, cards, doubt, serve};
use crate::clock::Stopwatch;
use crate::gateway::{AccountFacts, CustomerFacts, GatewayError};
use crate::hooks::kill_point;
use crate::model::{
    AttemptStatus, CustomerId, Epoch, Installation, RunId, RunReport, Snapshot, StoppedBy, SubscriptionId,
};
use crate::rules::Circumstances;
use crate::store::{BookFacts, DueCursor, Filter, StoreError};

/// Snapshots loaded at a time; two pages are in memory at most.
const PAGE_ROWS: usize = 256;
/// Our wall clock may be this far ahead of the provider's before nothing is charged.
const MOST_AHEAD: SignedDuration = SignedDuration::from_hours(1);
/// And this far behind it.
const MOST_BEHIND: SignedDuration = SignedDuration::from_mins(5);
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
    pub(super) pace: Pace,
    /// What a dry run has read of customers, since it writes nothing.
    pub(super) read: Mutex<HashMap<CustomerId, CustomerFacts>>,
    /// Subscriptions that this run leaves due, so that the rest of it does not meet them twice.
    pub(super) left_due: Mutex<HashSet<SubscriptionId>>,
    brakes: Mutex<RunBrakes>,
    tally: Mutex<Tally>,
    halted: Mutex<Option<StoppedBy>>,
    unreached_in_a_row: AtomicU64,
}

/// Makes one run and reports it. The caller holds the charging lock, but for a dry run.
pub async fn run(billing: &Billing, order: &RunOrder) -> Result<RunReport, RunError> {
    let watch = Stopwatch::start();
    let calls_before = billing.gateway.calls();
    match hold(billing, order).await {
        Ok((run, run_id)) => {
            run.work().await?;
            run.finish(run_id, watch, calls_before).await
        }
        Err(RunError::Gateway(GatewayError::Unreachable(reason))) => {
            tracing::error!(%reason, "the provider cannot be reached: nothing was begun");
            unreachable_report(billing, order, watch).await
        }
        Err(error) => Err(error),
    }
}

/// Proves the keys and takes the book: from here on this process charges, and no older one.
pub(super) async fn hold<'a>(
    billing: &'a Billing,
    order: &'a RunOrder,
) -> Result<(Run<'a>, Option<RunId>), RunError> {
    let at = billing_instant(billing, order)?;
    let facts = billing.lane.run(|store| store.facts()).await??;
    let time = ProviderTime::new(billing.clock.clone());
    let account = billing.gateway.account().await?;
    time.saw(account.provider_now);
    check_account(billing, order, at, &facts, &account)?;
    let (epoch, run_id) =
        if order.dry_run { (None, None) } else { begin(billing, at, &account, &time).await? };
    let report = RunReport::new(
        run_id.as_ref().map_or_else(|| "dry".to_owned(), ToString::to_string),
        billing.settings.zone.at(at),
        order.dry_run,
        account.livemode,
    );
    let run = Run {
        billing,
        order,
        at,
        installation: facts.installation,
        epoch,
        account,
        time,
        pace: Pace::new(billing.clock.clone(), billing.settings.rate),
        read: Mutex::default(),
        left_due: Mutex::default(),
        brakes: Mutex::new(RunBrakes::new(billing.settings.brakes.clone(), order.limit)),
        tally: Mutex::new(Tally(report)),
        halted: Mutex::new(None),
        unreached_in_a_row: AtomicU64::new(0),
    };
    Ok((run, run_id))
}

/// The instant that dueness is judged by, in whole seconds.
fn billing_instant(billing: &Billing, order: &RunOrder) -> Result<Timestamp, RunError> {
    let at = order.at.unwrap_or_else(|| billing.clock.now());
    Timestamp::from_second(at.as_second())
        .map_err(|_| RunError::Usage(format!("{at} is outside the calendar")))
}

/// Live keys never charge for a time that has not come; a book never mixes modes; a jumped clock stops everything.
fn check_account(
    billing: &Billing,
    order: &RunOrder,
    at: Timestamp,
    facts: &BookFacts,
    account: &AccountFacts,
) -> Result<(), RunError> {
    let wall = billing.clock.now();
    if account.livemode && !order.dry_run && at > wall {
        return Err(RunError::Usage(format!(
            "--at: found {at}, which is in the future, wanted a past instant: with a live key only --dry-run may look ahead"
        )));
    }
    if facts.livemode.is_some_and(|bound| bound != account.livemode) {
        let word = |live| if live { "live" } else { "test" };
        return Err(
            StoreError::WrongMode { found: word(account.livemode), wanted: word(!account.livemode) }.into()
        );
    }
    if let Some(theirs) = account.provider_now {
        let ahead = wall.duration_since(theirs);
        if ahead > MOST_AHEAD || ahead < -MOST_BEHIND {
            return Err(RunError::Clock(format!(
                "the wall clock says {wall}, the provider's says {theirs}: more than an hour ahead or five minutes behind; \
                 nothing was charged, set the clock right and run again"
            )));
        }
    }
    Ok(())
}

/// Binds the book's mode, raises the epoch and opens the run's row.
async fn begin(
    billing: &Billing,
    at: Timestamp,
    account: &AccountFacts,
    time: &ProviderTime,
) -> Result<(Option<Epoch>, Option<RunId>), RunError> {
    let livemode = account.livemode;
    let wire = time.wire(billing.settings.timeout);
    billing
        .lane
        .run(move |store| {
            store.bind_mode(livemode)?;
            kill_point("epoch.before_commit");
            let (epoch, orphans) = store.begin_epoch(at, wire.wall_at, wire.provider_now)?;
            kill_point("epoch.after_commit");
            if orphans > 0 {
                tracing::warn!(
                    orphans,
                    "attempts of a process that died are in doubt and will be looked up first"
                );
            }
            let run = store.open_run(at, wire.wall_at)?;
            Ok((Some(epoch), Some(run)))
        })
        .await?
}

async fn unreachable_report(
    billing: &Billing,
    order: &RunOrder,
    watch: Stopwatch,
) -> Result<RunReport, RunError> {
    let at = billing_instant(billing, order)?;
    let facts = billing.lane.run(|store| store.facts()).await??;
    let livemode = facts.livemode.unwrap_or(false);
    let mut report = RunReport::new("none".into(), billing.settings.zone.at(at), order.dry_run, livemode);
    report.stopped_by = Some(StoppedBy::ProviderUnreachable);
    report.elapsed_ms = watch.elapsed_ms();
    Ok(report)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Run<'_> {
    /// Old doubt first, then cards, then all that is due.
    async fn work(&self) -> Result<(), RunError> {
        if self.order.dry_run {
            tracing::info!("dry run: nothing is written or sent; doubt is left as it is");
        } else {
            doubt::settle(self).await?;
        }
        if (self.billing.paused)() {
            self.halt(StoppedBy::PauseFile);
        }
        if self.halted().is_none() && self.order.only.is_none() {
            cards::refresh(self).await?;
        }
        if self.halted().is_none() {
            self.serve_all().await?;
        }
        Ok(())
    }

    /// Serves everything due, `in_flight` subscriptions at a time, page by page.
    async fn serve_all(&self) -> Result<(), RunError> {
        let at = self.at;
        let total = match self.order.only {
            Some(_) => None,
            None => Some(self.billing.lane.run(move |store| store.count_due(at)).await??),
        };
        self.billing.watch.begin(Part::Charges, total);
        let mut pages = DuePages::new(self);
        let mut waiting = VecDeque::new();
        let mut under_way = FuturesUnordered::new();
        loop {
            if waiting.is_empty() && self.halted().is_none() {
                waiting.extend(pages.next().await?);
            }
            while under_way.len() < self.billing.settings.in_flight && self.halted().is_none() {
                let Some(snapshot) = waiting.pop_front() else { break };
                under_way.push(serve::serve(self, snapshot));
                if waiting.is_empty() {
                    if (self.billing.paused)() {
                        self.halt(StoppedBy::PauseFile);
                    }
                    waiting.extend(pages.next().await?);
                }
            }
            if under_way.next().await.is_none() {
                break;
            }
            self.billing.watch.advance(1);
        }
        self.billing.watch.end();
        Ok(())
    }

    /// What a decision is told, as of now.
    pub(super) fn circumstances(&self) -> Circumstances {
        let settings = &self.billing.settings;
        let wire = self.time.wire(settings.timeout);
        Circumstances {
            at: self.at,
            budget_now: if self.account.livemode { self.at.max(wire.wall_at) } else { self.at },
            book_zone: settings.zone.clone(),
            installation: self.installation,
            epoch: self.epoch,
            limits: self.account.limits.clone(),
            cards: settings.cards.clone(),
            doubt: settings.doubt,
            catch_up: settings.catch_up,
            customer_day: settings.brakes.amount_per_customer_per_day.clone(),
            wire,
        }
    }

    /// Why no more work is taken; `None`: it is. A request from outside to stop counts.
    pub(super) fn halted(&self) -> Option<StoppedBy> {
        if self.billing.stop.is_cancelled() {
            self.halt(StoppedBy::Signal);
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
        let at = self.at;
        let (next_due_at, doubt_left) = self
            .billing
            .lane
            .run(move |store| {
                let next = store.next_wake(at)?;
                let mut left = 0;
                let mut after = None;
                loop {
                    let page = store.unfinished(after.as_ref(), PAGE_ROWS)?;
                    left += page
                        .iter()
                        .filter(|a| matches!(a.status, AttemptStatus::InDoubt | AttemptStatus::Manual))
                        .count() as u64;
                    match page.last() {
                        Some(last) if page.len() == PAGE_ROWS => after = Some(last.id.clone()),
                        _ => break,
                    }
                }
                Ok::<_, StoreError>((next, left))
            })
            .await??;
        let stopped_by = self.halted();
        let mut report = self.tally.into_inner().unwrap_or_else(PoisonError::into_inner).0;
        report.next_due_at = next_due_at;
        report.doubt_left = doubt_left;
        report.stopped_by = stopped_by;
        report.api_calls = self.billing.gateway.calls() - calls_before;
        report.elapsed_ms = watch.elapsed_ms();
        if let Some(run) = run {
            let json = serde_json::to_string(&report).unwrap_or_default();
            let wall = self.billing.clock.now();
            kill_point("report.before_commit");
            self.billing.lane.run(move |store| store.close_run(&run, &json, wall)).await??;
            kill_point("report.after_commit");
        }
        if stopped_by == Some(StoppedBy::Keys) {
            return Err(RunError::KeysDuringRun(Box::new(report)));
        }
        Ok(report)
    }
}

/// Pages of due snapshots, by keyset; or the few that the order names.
struct DuePages<'a> {
    run: &'a Run<'a>,
    cursor: Option<DueCursor>,
    named: bool,
    done: bool,
}

impl<'a> DuePages<'a> {
    const fn new(run: &'a Run<'a>) -> Self {
        Self { run, cursor: None, named: run.order.only.is_some(), done: false }
    }

    async fn next(&mut self) -> Result<Vec<Snapshot>, RunError> {
        if self.done {
            return Ok(Vec::new());
        }
        if self.named {
            self.done = true;
            return self.named_ones().await;
        }
        let (at, after) = (self.run.at, self.cursor);
        let page = self.run.billing.lane.run(move |store| store.due(at, after, PAGE_ROWS)).await??;
        self.done = page.len() < PAGE_ROWS;
        self.cursor = page.last().map(|(cursor, _)| *cursor).or(self.cursor);
        // One that was served and left due stands at `at` itself now, behind its first place: not a second time.
        let left_due = locked(&self.run.left_due);
        let fresh = page.into_iter().map(|(_, snapshot)| snapshot);
        Ok(fresh.filter(|snapshot| !left_due.contains(&snapshot.subscription.id)).collect())
    }

    async fn named_ones(&self) -> Result<Vec<Snapshot>, RunError> {
        let (at, only) = (self.run.at, self.run.order.only.clone());
        let found = self
            .run
            .billing
            .lane
            .run(move |store| match only {
                Some(Only::Subscription(id)) => Ok(store.snapshot(&id)?.into_iter().collect()),
                Some(Only::Customer(customer)) => {
                    let filter = Filter { customer: Some(customer), ..Filter::default() };
                    let mut found: Vec<Snapshot> = Vec::new();
                    let mut after = 0;
                    loop {
                        let page = store.list_subscriptions(&filter, after, PAGE_ROWS)?;
                        for row in &page {
                            found.extend(store.snapshot(&row.subscription.id)?);
                        }
                        match page.last() {
                            Some(last) if page.len() == PAGE_ROWS => after = last.row,
                            _ => return Ok(found),
                        }
                    }
                }
                None => Ok::<_, StoreError>(Vec::new()),
            })
            .await??;
        if found.is_empty() {
            return Err(RunError::Usage(
                "--only: found an id that is not in this book; `dues list subscriptions` shows those that are".into(),
            ));
        }
        Ok(found.into_iter().filter(|s| s.subscription.wake_at.is_some_and(|wake| wake <= at)).collect())
    }
}
