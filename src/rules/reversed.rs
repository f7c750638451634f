//! A charge that had succeeded was given back, or is disputed by its customer: whoever did that does not want the next
//! try of another invoice to follow by itself.
//!
//! Promises: ends the retries that are pending, in one transition; an attempt under way is not touched, and what was
//! never declined is collected as before.
//! Must never know: how it was noticed, or how often: once for each reversal is the caller's duty, since a person may
//! have asked for another try since.

use jiff::Timestamp;

use super::draft::Draft;
use super::{queue, wake};
use crate::model::{AttemptStatus, Hold, InvoiceStatus, OpenInvoice, Snapshot, Transition};

/// Ends the pending retries of the subscription of a charge that was given back or disputed; they wait for a person's
/// `dues retry`. Empty: there are none. The caller adds what it tells of the reversal itself.
pub fn reversed(snapshot: &Snapshot, at: Timestamp) -> Transition {
    if !snapshot.invoices.iter().any(is_being_retried) {
        return Transition::default();
    }
    let mut d = Draft::new(snapshot);
    d.guard_subscription();
    for open in d.now.invoices.iter_mut().filter(|open| is_being_retried(open)) {
        open.invoice.hold = Some(Hold::Rejected);
        open.invoice.next_attempt_at = None;
    }
    d.now.subscription.wake_at = wake::next(&d.now, at);
    d.transition(None)
}

/// Declined, and to be tried again by itself.
fn is_being_retried(open: &OpenInvoice) -> bool {
    let invoice = &open.invoice;
    invoice.status == InvoiceStatus::Open
        && invoice.hold.is_none()
        && invoice.next_attempt_at.is_some()
        && queue::unfinished(open).is_none()
        && open.attempts.iter().any(|a| a.status == AttemptStatus::Declined)
}
