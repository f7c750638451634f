//! Takes up old doubt: what is pending is asked for by its id, what nobody knows is looked for in the provider's list.
//!
//! One scan of one window serves all doubtful attempts of a batch. Nothing is sent beside an open question.

use std::collections::HashMap;

use super::run::Run;
use super::{Only, Part, RunError};
use crate::gateway::{GatewayError, Window};
use crate::hooks::kill_point;
use crate::model::{
    Attempt, AttemptId, AttemptStatus, ChargeId, ChargeOutcome, ChargeSeen, CustomerId, Money, StoppedBy,
};
use crate::rules::pending::{self, PendingStep, Strange};
use crate::rules::{self, DoubtStep, RuleError, Scan};
use crate::store::{CommitError, Refusal, StoreError};

/// Unfinished attempts taken up at a time.
const BATCH_ROWS: usize = 1000;
/// Pending charges in a row that cannot be read before the others are left to the next look: each such read is repeated
/// until its time is over, and all that is due waits for it. One that alone cannot be read keeps nobody from being asked for.
const MOST_UNREAD_IN_A_ROW: u32 = 2;

/// Looks at every unfinished attempt once.
pub(super) async fn settle(run: &Run<'_>) -> Result<(), RunError> {
    let mut after: Option<AttemptId> = None;
    loop {
        let cursor = after.clone();
        let batch =
            run.billing.lane.run(move |store| store.unfinished(cursor.as_ref(), BATCH_ROWS)).await??;
        let Some(last) = batch.last() else { return Ok(()) };
        after = Some(last.id.clone());
        let full = batch.len() == BATCH_ROWS;
        let (mut waiting, doubtful): (Vec<_>, Vec<_>) = batch
            .into_iter()
            .filter(|attempt| matches!(attempt.status, AttemptStatus::Pending | AttemptStatus::InDoubt))
            .partition(|attempt| attempt.status == AttemptStatus::Pending);
        // Whoever was looked at longest ago first, so that what can never be read holds up nobody for long.
        waiting.sort_by_key(|attempt| attempt.intent.as_ref().and_then(|intent| intent.looked_at));
        let mut unread_in_a_row = 0;
        for attempt in waiting.iter().filter(|attempt| is_polled(run, attempt)) {
            if unread_in_a_row == MOST_UNREAD_IN_A_ROW {
                tracing::warn!("pending charges cannot be read: the others are asked for at the next look");
                break;
            }
            match poll(run, attempt).await? {
                Polled::Read => unread_in_a_row = 0,
                Polled::Unread => unread_in_a_row += 1,
            }
        }
        if !doubtful.is_empty() {
            kill_point("recovery.before_scan");
            look_for(run, &doubtful).await?;
        }
        if !full || run.halted().is_some() {
            return Ok(());
        }
    }
}

/// Whether the provider showed a pending charge.
enum Polled {
    /// Or that it has no such charge.
    Read,
    /// It gave no usable answer.
    Unread,
}

/// Asks for a pending charge by its id.
async fn poll(run: &Run<'_>, attempt: &Attempt) -> Result<Polled, RunError> {
    let Some(charge) = &attempt.charge else {
        let why = format!("attempt {} is pending, and the book has no charge to ask for", attempt.id);
        strange(run, attempt, Strange::Unreadable(why.into())).await?;
        return Ok(Polled::Read);
    };
    run.pace.permit().await;
    let seen = match run.billing.gateway.charge_seen(charge).await {
        Ok(seen) => seen,
        Err(error) => return not_read(run, attempt, &error).await,
    };
    run.pace.accepted();
    let outcome = seen.as_ref().map(rules::outcome_of);
    let step = pending::judge(attempt, &run.billing.settings.three_ds, run.at, run.billing.clock.now());
    match (outcome, step) {
        (Some(ChargeOutcome::Pending { .. }), PendingStep::GiveUp) => {
            return give_up(run, attempt, charge).await;
        }
        (Some(ChargeOutcome::Pending { .. }), PendingStep::Wait | PendingStep::Remind(_)) => {
            conclude(run, &attempt.id, &Known::Pending).await?;
        }
        (outcome, _) => shown(run, attempt, outcome).await?,
    }
    Ok(Polled::Read)
}

/// Nobody confirmed it in time: it is ended at the provider first, so that it cannot be paid beside another one. What
/// the provider then says counts; one that it leaves pending stays so, and a person is told.
async fn give_up(run: &Run<'_>, attempt: &Attempt, charge: &ChargeId) -> Result<Polled, RunError> {
    run.pace.permit().await;
    match run.billing.gateway.expire(charge).await {
        Ok(seen) => shown(run, attempt, seen.as_ref().map(rules::outcome_of)).await?,
        Err(error) => return not_read(run, attempt, &error).await,
    }
    Ok(Polled::Read)
}

/// What the provider shows of a charge that is not to wait any longer; `None`: it shows none such.
async fn shown(run: &Run<'_>, attempt: &Attempt, outcome: Option<ChargeOutcome>) -> Result<(), RunError> {
    match outcome {
        None => strange(run, attempt, Strange::Gone).await,
        Some(ChargeOutcome::Pending { .. }) => strange(run, attempt, Strange::Unended).await,
        Some(ChargeOutcome::NoAnswer(nonsense)) => {
            strange(run, attempt, Strange::Unreadable(nonsense.reason)).await
        }
        Some(outcome) => conclude(run, &attempt.id, &Known::Outcome(outcome)).await,
    }
}

/// A look at a pending charge that nobody can make sense of: it is kept, told once, and a person's in the end.
async fn strange(run: &Run<'_>, attempt: &Attempt, seen: Strange) -> Result<(), RunError> {
    tracing::error!(attempt = %attempt.id, charge = ?attempt.charge, ?seen, "a pending charge is not as it should be");
    conclude(run, &attempt.id, &Known::Strange(seen)).await
}

/// Whether this run asks for that pending charge: one that somebody asked for asks for all that it is about, and for
/// nobody else's.
fn is_polled(run: &Run<'_>, attempt: &Attempt) -> bool {
    let wishes = &run.billing.settings.three_ds;
    match &run.order.only {
        Some(Only::Subscription(id)) => attempt.id.invoice.subscription == *id,
        Some(Only::Customer(id)) => attempt.customer == *id,
        None => !run.order.routine || pending::is_due(attempt, wishes, run.at, run.billing.clock.now()),
    }
}

/// A pending charge that could not be read is asked for again after a while.
async fn not_read(run: &Run<'_>, attempt: &Attempt, error: &GatewayError) -> Result<Polled, RunError> {
    unread(run, error)?;
    conclude(run, &attempt.id, &Known::Unread).await?;
    Ok(Polled::Unread)
}

/// A read that failed leaves every question open; refused keys end the run.
fn unread(run: &Run<'_>, error: &GatewayError) -> Result<(), RunError> {
    if matches!(error, GatewayError::Keys { .. }) {
        run.halt(StoppedBy::Keys);
        return Err(error.clone().into());
    }
    tracing::warn!(%error, "doubt could not be looked up now; it is looked up again");
    Ok(())
}

/// What one scan found of a batch of doubtful attempts.
#[derive(Default)]
struct Found {
    by_attempt: HashMap<AttemptId, Vec<ChargeSeen>>,
    /// Charges of a doubtful customer and amount that carry no mark of any dues.
    unmarked: HashMap<(CustomerId, Money), Vec<ChargeSeen>>,
}

/// Scans one window for all these attempts and settles each as far as the scan tells.
async fn look_for(run: &Run<'_>, doubtful: &[Attempt]) -> Result<(), RunError> {
    let (found, scan) = match look(run, doubtful).await {
        Ok(looked) => looked,
        Err(error) => return unread(run, &error),
    };
    kill_point("recovery.after_scan");
    for attempt in doubtful {
        let mine = found.by_attempt.get(&attempt.id).map_or(&[][..], Vec::as_slice);
        let alike =
            found.unmarked.get(&(attempt.customer.clone(), attempt.amount)).map_or(&[][..], Vec::as_slice);
        let step = rules::doubt::judge(attempt, mine, alike, &scan, &run.circumstances());
        conclude(run, &attempt.id, &Known::Looked(Box::new(step), scan.clone())).await?;
        run.billing.watch.advance(1);
    }
    run.billing.watch.end();
    Ok(())
}

/// Reads every page of every window. An error means that the scan is not complete, so it counts for nothing.
async fn look(run: &Run<'_>, doubtful: &[Attempt]) -> Result<(Found, Scan), GatewayError> {
    let circumstances = run.circumstances();
    let wall_at = circumstances.wire.wall_at;
    let mut found = Found::default();
    let wanted: HashMap<&AttemptId, &Attempt> =
        doubtful.iter().map(|attempt| (&attempt.id, attempt)).collect();
    let mut scan = Scan { complete: true, provider_at: None, wall_at };
    run.billing.watch.begin(Part::Doubt, Some(doubtful.len() as u64));
    for (place, (from, to)) in rules::doubt::windows(doubtful, &circumstances).into_iter().enumerate() {
        let mut offset = 0;
        loop {
            run.pace.permit().await;
            let page = run.billing.gateway.charges(Window { from, to }, offset).await?;
            run.time.saw(page.provider_now);
            if (place, offset) == (0, 0) {
                scan.provider_at = page.provider_now;
            }
            let rows = page.rows.len() as u64;
            for seen in page.rows {
                sort_in(&mut found, seen, &wanted, run);
            }
            offset += rows;
            if rows == 0 || offset >= page.total {
                scan.complete &= offset >= page.total;
                break;
            }
        }
    }
    Ok((found, scan))
}

fn sort_in(found: &mut Found, seen: ChargeSeen, wanted: &HashMap<&AttemptId, &Attempt>, run: &Run<'_>) {
    let ours = seen.installation.as_deref() == Some(run.installation.to_string().as_str());
    if ours {
        let id = seen.attempt.as_deref().and_then(|text| text.parse::<AttemptId>().ok());
        if let Some(id) = id.filter(|id| wanted.contains_key(id)) {
            let charges = found.by_attempt.entry(id).or_default();
            if !charges.iter().any(|known| known.charge == seen.charge) {
                charges.push(seen);
            }
        }
    } else if seen.installation.is_none()
        && let (Some(customer), Some(amount)) = (seen.customer.clone(), seen.amount)
        && wanted.values().any(|attempt| attempt.customer == customer && attempt.amount == amount)
    {
        found.unmarked.entry((customer, amount)).or_default().push(seen);
    }
}

/// What is known of an attempt now.
pub(super) enum Known {
    Outcome(ChargeOutcome),
    Pending,
    /// Nothing: a pending charge could not be read.
    Unread,
    Strange(Strange),
    Looked(Box<DoubtStep>, Scan),
}

/// Concludes from a fresh snapshot until the book has it.
pub(super) async fn conclude(run: &Run<'_>, attempt: &AttemptId, known: &Known) -> Result<(), RunError> {
    loop {
        let invoice = attempt.invoice.clone();
        let read = run.billing.lane.run(move |store| store.snapshot_of_invoice(&invoice)).await?;
        let snapshot = match read {
            // What lies wrong in one subscription stays with it.
            Err(error @ StoreError::Nonsense { .. }) => {
                misplaced(run, attempt, &RuleError::Refused(error.to_string()));
                return Ok(());
            }
            read => read?,
        };
        let Some(snapshot) = snapshot else { return Ok(()) };
        let circumstances = run.circumstances();
        let transition = match known {
            Known::Outcome(outcome) => rules::conclude(&snapshot, attempt, outcome, &circumstances),
            Known::Pending => {
                let wishes = &run.billing.settings.three_ds;
                rules::pending::polled(&snapshot, attempt, wishes, &circumstances)
            }
            Known::Unread => rules::pending::unread(&snapshot, attempt, &circumstances),
            Known::Strange(seen) => {
                let wishes = &run.billing.settings.three_ds;
                rules::pending::strange(&snapshot, attempt, seen, wishes, &circumstances)
            }
            Known::Looked(step, scan) => {
                rules::doubt::transition(&snapshot, attempt, step, scan, &circumstances)
            }
        };
        let transition = match transition {
            Ok(transition) if transition.is_empty() => return Ok(()),
            Ok(transition) => transition,
            Err(error) => {
                misplaced(run, attempt, &error);
                return Ok(());
            }
        };
        kill_point("recovery.before_commit");
        match run.billing.lane.commit(transition).await {
            Ok(transition) => {
                kill_point("recovery.after_commit");
                run.tally().resolved(&transition);
                return Ok(());
            }
            Err(CommitError::Refused(Refusal::Conflict(_))) => {}
            Err(CommitError::Refused(Refusal::Fenced { .. })) => {
                run.halt(StoppedBy::Lease);
                return Ok(());
            }
            Err(CommitError::Refused(Refusal::Constraint(what))) => {
                misplaced(run, attempt, &RuleError::Refused(what));
                return Ok(());
            }
            Err(CommitError::Store(error)) => return Err(error.into()),
            Err(CommitError::Closed(_)) => return Err(crate::store::LaneClosed.into()),
        }
    }
}

fn misplaced(run: &Run<'_>, attempt: &AttemptId, error: &RuleError) {
    tracing::error!(%attempt, %error, "what was found could not be placed; the attempt stays in doubt");
    run.tally().0.incidents.push(format!("attempt {attempt}: {error}"));
}
