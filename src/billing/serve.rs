//! Serves one due subscription: decide, and decide again after each step, until nothing is left to do now.

use jiff::Timestamp;
use tokio::sync::OwnedSemaphorePermit;

use super::charge::{self, Next};
use super::run::Run;
use super::{aside, cards, dry};
use crate::hooks::kill_point;
use crate::model::{Change, OpenInvoice, SkipReason, Snapshot, StoppedBy, SubscriptionId, Transition};
use crate::rules::{self, Prepared, RuleError};
use crate::store::{CommitError, Refusal, StoreError};

/// Steps one subscription may take in one run; far above what any needs, so that a fault of ours ends.
const MOST_STEPS: u32 = 64;

/// Where a subscription stands within this run.
pub(super) struct Visit {
    pub(super) snapshot: Snapshot,
    /// Its customer was read in this very run.
    pub(super) confirmed: bool,
    /// A permit is in hand.
    pub(super) permit: bool,
    /// The place for a call; given back once the answer is there.
    pub(super) slot: Option<OwnedSemaphorePermit>,
    /// Something was sent for it, or would have been in a dry run.
    pub(super) sent: bool,
    /// Requests in a row that never left us.
    pub(super) not_sent_in_a_row: u32,
    /// Refusals of its customer or card in this run.
    pub(super) source_refusals: u32,
    /// Of a dry run: open invoices that it opened beside as many as a snapshot loads.
    pub(super) out_of_view: Vec<OpenInvoice>,
}

/// What follows a step.
pub(super) enum Step {
    /// Decide again.
    Again,
    /// Nothing more, in this run.
    Done,
}

/// Serves one due subscription. Whatever goes wrong with it stays with it.
pub(super) async fn serve(run: &Run<'_>, snapshot: Snapshot, slot: Option<OwnedSemaphorePermit>) {
    run.tally().0.considered += 1;
    let mut visit = Visit {
        snapshot,
        confirmed: false,
        permit: false,
        slot,
        sent: false,
        not_sent_in_a_row: 0,
        source_refusals: 0,
        out_of_view: Vec::new(),
    };
    let (turns, slot) = (&run.turns, &mut visit.slot);
    let _turn = turns.take(&visit.snapshot, || *slot = None).await;
    if run.turns.may_be_stale(&visit.snapshot) {
        let Some(snapshot) = fresh(run, &visit.snapshot.subscription.id).await else { return };
        visit.snapshot = snapshot;
    }
    let waited = run.order.dry_run && dry::waits(&visit.snapshot, run.at);
    steps(run, &mut visit).await;
    if run.order.dry_run {
        run.dry().served(waited, &visit.snapshot, run.at);
    }
}

async fn steps(run: &Run<'_>, visit: &mut Visit) {
    for _ in 0..MOST_STEPS {
        if run.halted().is_some() {
            return;
        }
        match step(run, visit).await {
            Step::Again => {}
            Step::Done => return,
        }
    }
    run.tally().skipped(SkipReason::Contended);
}

async fn step(run: &Run<'_>, visit: &mut Visit) -> Step {
    if run.order.dry_run {
        dry::recall(run, &mut visit.snapshot);
    }
    let circumstances = run.circumstances();
    let steady = run.billing.clock.steady();
    let compose = |order: &_| run.billing.gateway.body(order);
    match rules::prepare(&visit.snapshot, &circumstances, &compose, visit.confirmed) {
        Ok(Prepared::Settle { transition, skipped }) => settle(run, visit, transition, skipped).await,
        Ok(Prepared::ConfirmCustomer(_)) => confirm(run, visit).await,
        Ok(Prepared::Charge(prepared)) if run.order.dry_run => dry::charge(run, visit, *prepared),
        Ok(Prepared::Charge(prepared)) => {
            if visit.slot.is_none() {
                visit.slot = run.slot().await;
                return Step::Again; // Time has passed: decide again, with the slot in hand.
            }
            if !visit.permit {
                visit.permit = true;
                if run.pace.permit_after(visit.not_sent_in_a_row).await {
                    return Step::Again; // Time has passed: decide again, with the permit in hand.
                }
            }
            match charge::charge(run, visit, *prepared, steady).await {
                Next::Again => Step::Again,
                Next::Done => Step::Done,
            }
        }
        Err(error) => undecided(run, visit, &error).await,
    }
}

/// Nothing to send: writes what there is to write; a dry run keeps it in memory.
async fn settle(run: &Run<'_>, visit: &mut Visit, transition: Transition, skipped: SkipReason) -> Step {
    let wakes = wake_after(&transition);
    let told = visit.sent || transition.changes.iter().any(|change| matches!(change, Change::RaiseFlag(_)));
    // More periods than one decision opens, or a newer invoice beside one that rests.
    let may_go_on = matches!(skipped, SkipReason::NotDue | SkipReason::Budget | SkipReason::CustomerDay);
    let more = may_go_on && wakes.is_some_and(|wake| wake <= run.at);
    if run.order.dry_run {
        run.tally().wrote(&transition);
        let goes_on = more && !transition.is_empty();
        dry::keep(run, visit, transition);
        if goes_on {
            return Step::Again;
        }
    } else if !transition.is_empty() {
        left_due(run, &visit.snapshot.subscription.id, &transition);
        kill_point("settle.before_commit");
        match run.billing.lane.commit(transition).await {
            Ok(transition) => run.tally().wrote(&transition),
            Err(error) => return refused(run, visit, &error).await,
        }
        kill_point("settle.after_commit");
        if more {
            return reload(run, visit).await;
        }
    }
    if !told {
        run.tally().skipped(skipped);
    }
    Step::Done
}

/// Reads the customer now, since nobody is flagged on old news.
async fn confirm(run: &Run<'_>, visit: &mut Visit) -> Step {
    if visit.confirmed {
        run.tally().skipped(SkipReason::Unread);
        return Step::Done;
    }
    visit.confirmed = true;
    match cards::read_now(run, visit).await {
        cards::ReadNow::InBook => reload(run, visit).await,
        cards::ReadNow::InSnapshot => Step::Again,
        cards::ReadNow::Failed => {
            run.tally().skipped(SkipReason::Unread);
            Step::Done
        }
        cards::ReadNow::TooMany(why) => {
            // Nothing was read: whoever decides again asks again.
            visit.confirmed = false;
            without_cards(run, visit, &why).await
        }
    }
}

/// Nothing is charged on cards that nobody can read, but what is due is invoiced, and a flag says why it waits.
async fn without_cards(run: &Run<'_>, visit: &mut Visit, why: &str) -> Step {
    match rules::prepare_without_cards(&visit.snapshot, &run.circumstances(), why) {
        Ok((transition, skipped)) => settle(run, visit, transition, skipped).await,
        Err(error) => undecided(run, visit, &error).await,
    }
}

async fn undecided(run: &Run<'_>, visit: &Visit, error: &RuleError) -> Step {
    let id = &visit.snapshot.subscription.id;
    tracing::error!(subscription = %id, %error, "this subscription could not be decided; the others go on");
    run.tally().0.incidents.push(format!("subscription {id}: {error}"));
    aside::undecided(run, &visit.snapshot, &error.to_string()).await;
    Step::Done
}

/// A commit was refused: a conflict means deciding again from a fresh snapshot.
pub(super) async fn refused_commit(run: &Run<'_>, visit: &mut Visit, error: &CommitError) -> Next {
    match refused(run, visit, error).await {
        Step::Again => Next::Again,
        Step::Done => Next::Done,
    }
}

async fn refused(run: &Run<'_>, visit: &mut Visit, error: &CommitError) -> Step {
    let id = visit.snapshot.subscription.id.clone();
    match error {
        CommitError::Refused(Refusal::Conflict(what)) => {
            tracing::debug!(subscription = %id, %what, "changed meanwhile: decided again");
            reload(run, visit).await
        }
        CommitError::Refused(Refusal::Fenced { .. }) => {
            run.halt(StoppedBy::Lease);
            Step::Done
        }
        CommitError::Refused(Refusal::Constraint(what)) => {
            tracing::error!(subscription = %id, %what, "the book refused a write: a fault of ours; the others go on");
            run.tally().0.incidents.push(format!("subscription {id}: the book refused a write: {what}"));
            aside::undecided(run, &visit.snapshot, &format!("the book refused a write: {what}")).await;
            Step::Done
        }
        CommitError::Store(error) => {
            tracing::error!(subscription = %id, %error, "the book cannot be written");
            run.tally().0.incidents.push(error.to_string());
            run.halt(StoppedBy::Store);
            Step::Done
        }
        CommitError::Closed(_) => {
            run.halt(StoppedBy::Store);
            Step::Done
        }
    }
}

async fn reload(run: &Run<'_>, visit: &mut Visit) -> Step {
    match fresh(run, &visit.snapshot.subscription.id).await {
        Some(snapshot) => {
            visit.snapshot = snapshot;
            Step::Again
        }
        None => Step::Done,
    }
}

/// The subscription as the book has it now; `None` if it cannot be read: where that is the book's fault, the run halts.
pub(super) async fn fresh(run: &Run<'_>, id: &SubscriptionId) -> Option<Snapshot> {
    let wanted = id.clone();
    match run.billing.lane.run(move |store| store.snapshot(&wanted)).await {
        Ok(Ok(snapshot)) => snapshot,
        Ok(Err(error @ StoreError::Nonsense { .. })) => {
            tracing::error!(subscription = %id, %error, "this subscription cannot be read any more; the others go on");
            run.tally().0.incidents.push(format!("subscription {id}: {error}"));
            None
        }
        Ok(Err(error)) => {
            tracing::error!(subscription = %id, %error, "the book cannot be read");
            run.tally().0.incidents.push(error.to_string());
            run.halt(StoppedBy::Store);
            None
        }
        Err(_) => {
            run.halt(StoppedBy::Store);
            None
        }
    }
}

/// When that transition makes the subscription wake; `None`: never, or it does not touch it.
pub(super) fn wake_after(transition: &Transition) -> Option<Timestamp> {
    transition.changes.iter().rev().find_map(|change| match change {
        Change::UpdateSubscription(subscription) => subscription.wake_at,
        _ => None,
    })
}

/// Notes, before the commit, a subscription that the transition leaves due at this very instant.
pub(super) fn left_due(run: &Run<'_>, id: &SubscriptionId, transition: &Transition) -> bool {
    let due = wake_after(transition).is_some_and(|wake| wake <= run.at);
    if due {
        run.left_due.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(id.clone());
    }
    due
}
