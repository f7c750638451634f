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

/// Takes in that charge as an attempt in doubt. Empty: the book knows the attempt. `snapshot` must hold its invoice
/// if the book has it, closed or not.
///
/// Refused if the period lies before any that the book could have billed.
pub fn take_in(
    snapshot: &Snapshot,
    attempt: &AttemptId,
    seen: &ChargeSeen,
    c: &Circumstances,
) -> Result<Transition, RuleError> {
    let mut d = Draft::new(snapshot);
    if d.find(attempt).is_some() {
        return Ok(Transition::default());
    }
    let index = attempt.invoice.index;
    if index >= d.now.subscription.next_index {
        course::open_through(&mut d, index, c.at)?;
    }
    let Some(place) = d.now.invoices.iter().position(|open| open.invoice.id == attempt.invoice) else {
        return Err(RuleError::Refused(format!(
            "charge {} is for invoice {}, a period that this book skipped; refund it or keep it by hand",
            seen.charge, attempt.invoice
        )));
    };
    let lost = doubtful(&d, place, attempt, seen, c);
    let open = &mut d.now.invoices[place];
    open.invoice.next_attempt_at = None;
    open.attempts.push(lost);
    d.guard_subscription();
    d.now.subscription.wake_at = wake::next(&d.now, c.at);
    Ok(d.transition(c.epoch))
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
