//! A charge that had succeeded and was given back or disputed elsewhere: its subscription is not asked for more by
//! itself until somebody has looked.
//!
//! Promises: what was noted is not noted again; the event, the note and the end of pending retries are one transition.
//! Must never know: who saw it.

use serde_json::json;

use jiff::Timestamp;

use super::draft::Draft;
use super::{queue, wake};
use crate::model::{
    AttemptStatus, Change, ChargeId, EventKind, Hold, InvoiceStatus, OpenInvoice, Reversal, ReversalKind,
    Snapshot, SubscriptionStatus, Transition,
};

/// Notes it and ends the retries that are scheduled. `noted`: what was noted of the attempt before. Empty: as much was.
pub fn reversed(snapshot: &Snapshot, noted: &[Reversal], seen: &Reversal, charge: &ChargeId) -> Transition {
    let known = |old: &&Reversal| old.kind == seen.kind && old.amount.minor() >= seen.amount.minor();
    if noted.iter().any(|old| known(&old)) {
        return Transition::default();
    }
    let mut d = Draft::new(snapshot);
    let ended = end_retries(&mut d);
    let kind = match seen.kind {
        ReversalKind::Refunded => EventKind::ChargeRefunded,
        ReversalKind::Disputed => EventKind::ChargeDisputed,
    };
    let data = json!({
        "attempt": seen.attempt,
        "charge": charge,
        "amount": seen.amount.minor(),
        "currency": seen.amount.currency(),
        "retries_ended": ended,
    });
    d.invoice_event(seen.at, kind, &seen.attempt.invoice, Some(&data));
    d.guard_subscription();
    d.now.subscription.wake_at = wake::next(&d.now, seen.at);
    let mut transition = d.transition(None);
    transition.changes.push(Change::NoteReversal(seen.clone()));
    transition
}

/// Invoices that were declined and would be tried again, at once or once a pause ends, wait for `dues retry`: whoever took
/// the money back does not want the next try to follow by itself, on any card.
fn end_retries(d: &mut Draft) -> usize {
    let goes_on = d.now.subscription.status != SubscriptionStatus::Canceled;
    let mut ended = 0;
    for open in d.now.invoices.iter_mut().filter(|open| is_retried(open, goes_on)) {
        open.invoice.hold = Some(Hold::Rejected);
        open.invoice.next_attempt_at = None;
        ended += 1;
    }
    ended
}

fn is_retried(open: &OpenInvoice, goes_on: bool) -> bool {
    let waits = match open.invoice.hold {
        None => true,
        Some(Hold::Stopped) => goes_on,
        Some(_) => open.invoice.next_attempt_at.is_some(),
    };
    waits
        && open.invoice.status == InvoiceStatus::Open
        && queue::unfinished(open).is_none()
        && open.attempts.iter().any(|a| a.status == AttemptStatus::Declined)
}

/// What that charge says of a succeeded attempt; `None`: nothing went back. A dispute says more than a refund.
pub fn of_charge(
    seen: &crate::model::ChargeSeen,
    attempt: &crate::model::Attempt,
    at: Timestamp,
) -> Option<Reversal> {
    if attempt.status != AttemptStatus::Succeeded {
        return None;
    }
    let (kind, minor) = match (seen.disputed, seen.refunded_minor) {
        (true, _) => (ReversalKind::Disputed, attempt.amount.minor()),
        (false, minor) if minor > 0 => (ReversalKind::Refunded, minor),
        (false, _) => return None,
    };
    let amount = crate::model::Money::new(minor, attempt.amount.currency()).ok()?;
    Some(Reversal { attempt: attempt.id.clone(), kind, amount, at })
}
