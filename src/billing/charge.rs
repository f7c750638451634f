//! One charge: intent, request, result. The three steps that the whole house exists for.

use std::time::Duration;

use super::cards;
use super::run::Run;
use super::serve::{Visit, fresh, left_due, refused_commit};
use crate::hooks::{Bug, kill_point, planted};
use crate::model::{
    AttemptId, AttemptStatus, Change, ChargeOutcome, CustomerId, Decline, RejectedWhy, Snapshot, StoppedBy,
    Transition,
};
use crate::rules::{self, PreparedCharge, RuleError, Wire};
use crate::store::{CommitError, Refusal, StoreError};

/// How often one invoice is tried again in a row, in one run, after a request that never left us.
const MOST_RETRIES_NOT_SENT: u32 = 3;
/// Between two of them.
const NOT_SENT_WAIT: Duration = Duration::from_millis(200);
/// Fresh reads of a customer whom the provider says it does not have, in one run.
const MOST_SOURCE_REFUSALS: u32 = 1;
/// A result that the book cannot take now is offered again after this, …
const RESULT_WAIT: Duration = Duration::from_secs(1);
/// … this often; then the attempt stays as intended and the next start looks it up.
const MOST_RESULT_TRIES: u32 = 30;
/// How often in a row a result is concluded again because its rows changed meanwhile: nobody changes them so often.
const MOST_CONFLICTS: u32 = 64;

/// What follows for the subscription in this run.
pub(super) enum Next {
    /// Decide again.
    Again,
    /// Nothing more.
    Done,
}

/// Makes the intent durable, sends it once, keeps the result. `steady` is when it was decided.
pub(super) async fn charge(
    run: &Run<'_>,
    visit: &mut Visit,
    prepared: PreparedCharge,
    steady: Duration,
) -> Next {
    let PreparedCharge { transition, after, request } = prepared;
    let reserved = run.brakes().reserve(request.amount);
    if let Err(brake) = reserved {
        run.halt(brake);
        return Next::Done;
    }
    kill_point("intent.before_commit");
    let written =
        if planted(Bug::NoIntent) { Ok(transition) } else { run.billing.lane.commit(transition).await };
    let transition = match written {
        Ok(transition) => transition,
        Err(error) => {
            run.brakes().release(request.amount);
            return refused_commit(run, visit, &error).await;
        }
    };
    kill_point("intent.after_commit");
    visit.permit = false;
    visit.sent = true;
    run.tally().wrote(&transition);
    let clock = &run.billing.clock;
    let within = Duration::from_secs(Wire::SEND_WITHIN.as_secs().unsigned_abs());
    let still_allowed =
        || clock.steady().saturating_sub(steady) <= within && run.halted() != Some(StoppedBy::Lease);
    let charged = run.billing.gateway.charge(&request, &still_allowed).await;
    visit.slot = None;
    run.time.saw(charged.provider_now);
    tell(&request.attempt, &request.customer, &charged.outcome);
    if planted(Bug::NoIntent) {
        let _ = run.billing.lane.commit(transition).await;
    }
    match keep_result(run, after, &request.attempt, &charged.outcome).await {
        Some(concluded) => follow(run, visit, &request.attempt, &charged.outcome, &concluded).await,
        None => Next::Done,
    }
}

/// One line for each charge, found again by any of its fields. The customer is told apart, not named.
fn tell(attempt: &AttemptId, customer: &CustomerId, outcome: &ChargeOutcome) {
    let (invoice, subscription) = (&attempt.invoice, &attempt.invoice.subscription);
    match outcome {
        ChargeOutcome::Succeeded { charge, .. } => {
            tracing::info!(%subscription, %invoice, %attempt, customer = customer.hashed(), %charge, "charged");
        }
        ChargeOutcome::Declined(Decline { code, .. }) => {
            tracing::info!(%subscription, %invoice, %attempt, customer = customer.hashed(), %code, "declined");
        }
        ChargeOutcome::Pending { charge, .. } => {
            tracing::info!(%subscription, %invoice, %attempt, customer = customer.hashed(), %charge, "pending");
        }
        ChargeOutcome::Rejected(_) => {
            tracing::warn!(%subscription, %invoice, %attempt, customer = customer.hashed(), "rejected");
        }
        ChargeOutcome::NotSent(_) => {
            tracing::info!(%subscription, %invoice, %attempt, customer = customer.hashed(), "not sent");
        }
        ChargeOutcome::NoAnswer(_) => {
            tracing::warn!(%subscription, %invoice, %attempt, customer = customer.hashed(), "in doubt");
        }
    }
}

/// Concludes and commits, from ever fresher snapshots, until the book has it. `None`: it will not, or the run halted instead;
/// the attempt is looked up later.
async fn keep_result(
    run: &Run<'_>,
    mut snapshot: Snapshot,
    attempt: &AttemptId,
    outcome: &ChargeOutcome,
) -> Option<Transition> {
    let (mut tries, mut conflicts) = (0, 0);
    loop {
        let concluded = match rules::conclude(&snapshot, attempt, outcome, &run.circumstances()) {
            Ok(concluded) => concluded,
            Err(error) => return unconcluded(run, attempt, &error),
        };
        left_due(run, &attempt.invoice.subscription, &concluded);
        kill_point("result.before_commit");
        match run.billing.lane.commit(concluded).await {
            Ok(concluded) => {
                kill_point("result.after_commit");
                run.tally().sent(&concluded);
                return Some(concluded);
            }
            Err(CommitError::Refused(Refusal::Conflict(what))) if conflicts < MOST_CONFLICTS => {
                conflicts += 1;
                tracing::debug!(%attempt, %what, "changed meanwhile: concluded again");
            }
            Err(CommitError::Refused(conflict @ Refusal::Conflict(_))) => {
                return unconcluded(run, attempt, &RuleError::Refused(conflict.to_string()));
            }
            Err(CommitError::Refused(Refusal::Fenced { .. })) => {
                run.halt(StoppedBy::Lease);
                return None;
            }
            // What the schema forbids it forbids for good: no waiting helps, a person must look.
            Err(CommitError::Refused(Refusal::Constraint(what))) => {
                return unconcluded(run, attempt, &RuleError::Refused(what));
            }
            Err(error) => wait_for_book(run, attempt, outcome, &error, &mut tries).await?,
        }
        snapshot = read_again(run, attempt, outcome, &mut tries).await?;
    }
}

/// The subscription as the book has it now. `None`: it cannot be read any more, or the run halted.
async fn read_again(
    run: &Run<'_>,
    attempt: &AttemptId,
    outcome: &ChargeOutcome,
    tries: &mut u32,
) -> Option<Snapshot> {
    loop {
        let invoice = attempt.invoice.clone();
        match run.billing.lane.run(move |store| store.snapshot_of_invoice(&invoice)).await {
            Ok(Ok(Some(now))) => return Some(now),
            Ok(Ok(None)) | Err(_) => {
                run.halt(StoppedBy::Store);
                return None;
            }
            // What lies wrong in one subscription stays with it, and no waiting mends it.
            Ok(Err(error @ StoreError::Nonsense { .. })) => {
                unconcluded(run, attempt, &RuleError::Refused(error.to_string()));
                return None;
            }
            Ok(Err(error)) => wait_for_book(run, attempt, outcome, &error, tries).await?,
        }
    }
}

/// Waits until the book may take or show what it could not. `None`: it had time enough, and the run halts.
async fn wait_for_book(
    run: &Run<'_>,
    attempt: &AttemptId,
    outcome: &ChargeOutcome,
    error: &(dyn std::error::Error + Sync),
    tries: &mut u32,
) -> Option<()> {
    if *tries >= MOST_RESULT_TRIES {
        let story = format!("attempt {attempt}: its result could not be kept ({error}): {outcome:?}");
        tracing::error!(%attempt, "{story}; it stays intended and will be looked up");
        run.tally().0.incidents.push(story);
        run.halt(StoppedBy::Store);
        return None;
    }
    *tries += 1;
    tracing::error!(%attempt, %error, tries = *tries, "the result is offered to the book again");
    tokio::time::sleep(RESULT_WAIT).await;
    Some(())
}

/// A result that the rules cannot place: a fault of ours. The attempt stays unfinished, so nothing is sent beside it.
fn unconcluded(run: &Run<'_>, attempt: &AttemptId, error: &RuleError) -> Option<Transition> {
    tracing::error!(%attempt, %error, "the result could not be placed; the attempt stays unfinished");
    run.tally().0.incidents.push(format!("attempt {attempt}: {error}"));
    None
}

/// What the outcome means for the run and for the next step of this subscription.
async fn follow(
    run: &Run<'_>,
    visit: &mut Visit,
    attempt: &AttemptId,
    outcome: &ChargeOutcome,
    concluded: &Transition,
) -> Next {
    let reached = !matches!(outcome, ChargeOutcome::NotSent(not_sent) if !not_sent.rate_limited);
    run.reached(reached);
    match outcome {
        ChargeOutcome::NotSent(not_sent) => {
            visit.not_sent_in_a_row += 1;
            if not_sent.rate_limited {
                run.pace.limited(not_sent.retry_after_s);
            } else {
                tokio::time::sleep(NOT_SENT_WAIT * visit.not_sent_in_a_row).await;
            }
            let again = visit.not_sent_in_a_row <= MOST_RETRIES_NOT_SENT;
            return if again { decide_again(run, visit).await } else { Next::Done };
        }
        ChargeOutcome::Rejected(rejected) if rejected.why == RejectedWhy::Keys => {
            run.halt(StoppedBy::Keys);
            return Next::Done;
        }
        ChargeOutcome::Rejected(rejected) if rejected.why == RejectedWhy::Source => {
            visit.source_refusals += 1;
            if visit.source_refusals > MOST_SOURCE_REFUSALS {
                return Next::Done;
            }
            visit.confirmed = true;
            return match cards::read_now(run, visit).await {
                cards::ReadNow::Failed | cards::ReadNow::TooMany(_) => Next::Done,
                cards::ReadNow::InBook | cards::ReadNow::InSnapshot => decide_again(run, visit).await,
            };
        }
        ChargeOutcome::Succeeded { .. } | ChargeOutcome::Declined(_) | ChargeOutcome::Pending { .. } => {
            run.pace.accepted();
            if declined(concluded) {
                run.turns.declined(&visit.snapshot);
            }
            let new_decline = declined(concluded) && !declined_before(&visit.snapshot, attempt);
            if let Some(brake) = run.brakes().answered(new_decline) {
                run.halt(brake);
            }
        }
        ChargeOutcome::Rejected(rejected) => {
            run.pace.accepted();
            run.tally().0.incidents.push(format!(
                "invoice {}: the provider refused our request ({}: {}); mend what it names, then `dues retry {}`",
                attempt.invoice, rejected.code, rejected.message, attempt.invoice.subscription
            ));
        }
        ChargeOutcome::NoAnswer(_) => run.pace.accepted(),
    }
    visit.not_sent_in_a_row = 0;
    let still_due = super::serve::wake_after(concluded).is_some_and(|wake| wake <= run.at);
    if still_due { decide_again(run, visit).await } else { Next::Done }
}

/// Whether the bank had refused this invoice before this attempt.
fn declined_before(snapshot: &Snapshot, attempt: &AttemptId) -> bool {
    let open = snapshot.invoices.iter().find(|open| open.invoice.id == attempt.invoice);
    open.is_some_and(|open| open.attempts.iter().any(|earlier| earlier.status == AttemptStatus::Declined))
}

fn declined(transition: &Transition) -> bool {
    transition.changes.iter().any(
        |change| matches!(change, Change::UpdateAttempt { attempt, .. } if attempt.status == AttemptStatus::Declined),
    )
}

async fn decide_again(run: &Run<'_>, visit: &mut Visit) -> Next {
    match fresh(run, &visit.snapshot.subscription.id).await {
        Some(snapshot) => {
            visit.snapshot = snapshot;
            Next::Again
        }
        None => Next::Done,
    }
}
