//! The money moved.

use jiff::Timestamp;

use super::Case;
use crate::hooks::{Bug, planted};
use crate::model::settings::CatchUp;
use crate::model::{AttemptStatus, CardId, ChargeId, EventKind, InvoiceStatus, SubscriptionStatus};
use crate::rules::draft::Draft;
use crate::rules::{RuleError, backup, course, flags, life};

/// The attempt has succeeded and its invoice is paid. A subscription that owed only this goes on; one that a person
/// paused or ended meanwhile stays so.
pub(in crate::rules) fn paid(
    case: &mut Case,
    charge: &ChargeId,
    card: Option<&CardId>,
) -> Result<(), RuleError> {
    case.end(AttemptStatus::Succeeded);
    let attempt = case.attempt_mut();
    attempt.charge = Some(charge.clone());
    attempt.card = card.cloned().or_else(|| attempt.card.take());
    attempt.failure_code = None;
    attempt.decline = None;
    let at = case.c.at;
    if case.open().invoice.status == InvoiceStatus::Open {
        settle_invoice(case);
    } else {
        let (id, status) = (case.open().invoice.id.clone(), case.open().invoice.status);
        case.incident(&format!(
            "charge {charge} took money for invoice {id}, which had been ended as {status}"
        ));
    }
    flags::clear_all(case.d, at);
    let index = case.open().invoice.id.index;
    backup::is_over(case.d, index);
    go_on(case)
}

fn settle_invoice(case: &mut Case) {
    if planted(Bug::SecondRunCharges) {
        return;
    }
    let at = case.c.at;
    let invoice = case.invoice();
    invoice.status = InvoiceStatus::Paid;
    invoice.closed_at = Some(at);
    invoice.next_attempt_at = None;
    invoice.hold = None;
    let id = invoice.id.clone();
    case.d.invoice_event(at, EventKind::InvoicePaid, &id, None);
}

/// A subscription that the dunning policy had stopped is collected again once nothing is owed.
fn go_on(case: &mut Case) -> Result<(), RuleError> {
    let (at, c) = (case.c.at, case.c);
    if case.d.now.invoices.iter().any(life::is_owed_now) {
        return Ok(());
    }
    if life::is_stopped_by_policy(&case.d.now.subscription) {
        end_dunning(case.d, at, c.catch_up)?;
    } else if case.d.now.subscription.status == SubscriptionStatus::PastDue {
        case.d.now.subscription.status = SubscriptionStatus::Active;
    }
    Ok(())
}

/// What the dunning policy had stopped goes on. Periods that began meanwhile are skipped first, under the state they began
/// in; its end may have come among them.
pub(in crate::rules) fn end_dunning(
    d: &mut Draft,
    at: Timestamp,
    catch_up: CatchUp,
) -> Result<(), RuleError> {
    course::advance(d, at, catch_up)?;
    if life::is_stopped_by_policy(&d.now.subscription) {
        life::resume(d, at, at);
    }
    Ok(())
}
