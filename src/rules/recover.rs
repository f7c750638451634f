//! A charge that the provider has and the book has lost, as after an older backup was put back.
//!
//! Promises: the book gets the invoice it lost, in its own terms, and an attempt in doubt; what became of it is then
//! found like any other doubt, so that nothing is charged beside it and nothing is believed that does not fit.
//! Must never know: how the charge was found.

use super::draft::Draft;
use super::{Circumstances, RuleError, course, wake};
use crate::model::{
    Attempt, AttemptId, AttemptStatus, ChargeSeen, Epoch, IdempotencyKey, Intent, Snapshot, Transition,
};

/// How a lost charge comes into the book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TakenIn {
    /// By this. Empty: the book knows the attempt.
    Whole(Transition),
    /// More periods lie before it than one decision opens: this opens some of them, and the charge is decided again.
    Part(Transition),
    /// Not at all: the book skipped the charge's period, and never bills it.
    Never,
}

/// Takes in that charge as an attempt in doubt. `snapshot` must hold its invoice if the book has it, closed or not.
///
/// Fails where its period cannot be opened as the book stands; a person can change that.
pub fn take_in(
    snapshot: &Snapshot,
    attempt: &AttemptId,
    seen: &ChargeSeen,
    c: &Circumstances,
) -> Result<TakenIn, RuleError> {
    let mut d = Draft::new(snapshot);
    if d.find(attempt).is_some() {
        return Ok(TakenIn::Whole(Transition::default()));
    }
    let index = attempt.invoice.index;
    let mut reached = true;
    if index >= d.now.subscription.next_index {
        // Periods are opened in their order, so that all up to this one were, no later than its charge was made.
        reached = course::open_through(&mut d, index, seen.created_at.min(c.at), c.at, c.catch_up)?;
    }
    if reached {
        let place = d.now.invoices.iter().position(|open| open.invoice.id == attempt.invoice);
        let Some(place) = place else { return Ok(TakenIn::Never) };
        let lost = doubtful(&d, place, attempt, seen, c);
        let open = &mut d.now.invoices[place];
        open.invoice.next_attempt_at = None;
        open.attempts.push(lost);
    }
    d.guard_subscription();
    d.now.subscription.wake_at = wake::next(&d.now, c.at);
    let transition = d.transition(c.epoch);
    Ok(if reached { TakenIn::Whole(transition) } else { TakenIn::Part(transition) })
}

fn doubtful(d: &Draft, place: usize, id: &AttemptId, seen: &ChargeSeen, c: &Circumstances) -> Attempt {
    Attempt {
        id: id.clone(),
        status: AttemptStatus::InDoubt,
        amount: d.now.invoices[place].invoice.amount,
        customer: d.now.subscription.customer.clone(),
        card: None,
        key: IdempotencyKey::derive(c.installation, id),
        intended_at: c.at,
        resolved_at: None,
        charge: None,
        failure_code: None,
        decline: None,
        intent: Some(Intent {
            body: "{}".into(),
            named_card: None,
            epoch: c.epoch.unwrap_or(Epoch(0)),
            wall_at: c.wire.wall_at,
            provider_seen: Some(seen.created_at),
            deadline: c.wire.deadline(),
            doubt_since: Some(c.wire.wall_at),
            first_empty_scan: None,
            looked_at: None,
            authorize_uri: None,
            reminded: 0,
            reason: Some("the provider has this charge, the book had lost it".into()),
        }),
    }
}
