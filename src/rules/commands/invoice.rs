//! `dues invoice void|mark-paid|write-off`: an invoice ended by hand.

use jiff::Timestamp;
use serde_json::json;

use super::{decide, refused, settled_place};
use crate::model::settings::CatchUp;
use crate::model::{EventKind, InvoiceId, InvoiceStatus, Snapshot, SubscriptionStatus, Transition};
use crate::rules::draft::Draft;
use crate::rules::{RuleError, conclude, flags, life};

/// Taken back: it was never owed.
pub fn void(s: &Snapshot, id: &InvoiceId, at: Timestamp, reason: &str) -> Result<Transition, RuleError> {
    end(s, id, at, reason, (InvoiceStatus::Void, EventKind::InvoiceVoided))
}

/// Paid in another way.
pub fn mark_paid(s: &Snapshot, id: &InvoiceId, at: Timestamp, reason: &str) -> Result<Transition, RuleError> {
    end(s, id, at, reason, (InvoiceStatus::Paid, EventKind::InvoicePaid))
}

/// Given up.
pub fn write_off(s: &Snapshot, id: &InvoiceId, at: Timestamp, reason: &str) -> Result<Transition, RuleError> {
    end(s, id, at, reason, (InvoiceStatus::Uncollectible, EventKind::InvoiceUncollectible))
}

fn end(
    s: &Snapshot,
    id: &InvoiceId,
    at: Timestamp,
    reason: &str,
    (status, kind): (InvoiceStatus, EventKind),
) -> Result<Transition, RuleError> {
    let place = settled_place(s, id)?;
    let now = s.invoices[place].invoice.status;
    if now != InvoiceStatus::Open {
        return refused(format!("invoice {id} is {now} already; only an open one can be ended"));
    }
    decide(s, at, |d| {
        let invoice = &mut d.now.invoices[place].invoice;
        invoice.status = status;
        invoice.closed_at = Some(at);
        invoice.next_attempt_at = None;
        invoice.hold = None;
        d.invoice_event(at, kind, id, Some(&json!({ "by": "person", "reason": reason })));
        nothing_owed(d, at, status)
    })
}

/// With nothing left to collect there is nothing to flag, and nothing past due. What the dunning policy had stopped goes on
/// where the last of it was paid, as after a charge; what was given up or taken back stays stopped until it is resumed.
fn nothing_owed(d: &mut Draft, at: Timestamp, status: InvoiceStatus) -> Result<(), RuleError> {
    if d.now.invoices.iter().all(|open| open.invoice.status != InvoiceStatus::Open) {
        flags::clear_all(d, at);
    }
    let owes = d.now.invoices.iter().any(life::is_owed);
    if d.now.subscription.status == SubscriptionStatus::PastDue && !owes && d.now.flags.is_empty() {
        d.now.subscription.status = SubscriptionStatus::Active;
    }
    let owes_now = d.now.invoices.iter().any(life::is_owed_now);
    if status == InvoiceStatus::Paid && !owes_now && life::is_stopped_by_policy(&d.now.subscription) {
        // Whatever began before it was stopped has its invoice, so that nothing is held for being missed.
        conclude::end_dunning(d, at, CatchUp { hold_after: u32::MAX })?;
    }
    Ok(())
}
