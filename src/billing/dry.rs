//! A dry run: what it would have written and read stays in memory, so that each decision finds what a run would find.
//!
//! Every charge is taken to succeed, since nothing else can be foreseen; what follows from that is decided as a run
//! decides it, by the same rules, until nothing more is due. The brakes count as in a run.
//! Promises: nothing is sent but reads, and nothing is written. One subscription at a time is kept whole, while it is
//! served; of customers only what the next subscription of theirs must see.
//! Must never know: why anything is decided.

mod memory;

use std::sync::Arc;

use super::run::Run;
use super::serve::{Step, Visit, wake_after};
use crate::model::{
    Attempt, Change, ChargeId, ChargeOutcome, Hold, Invoice, InvoiceId, InvoiceStatus, OpenInvoice, Snapshot,
    Transition,
};
use crate::rules::{self, PreparedCharge, RuleError};

pub(super) use memory::{Memory, recall, show, waits};

/// The charge that every made-up answer names; it is in no book and at no provider.
const MADE_UP: &str = "chrg_dry";

/// Counts the charge and goes on as though it had succeeded.
pub(super) fn charge(run: &Run<'_>, visit: &mut Visit, prepared: PreparedCharge) -> Step {
    let reserved = run.brakes().reserve(prepared.request.amount);
    if let Err(brake) = reserved {
        run.halt(brake);
        return Step::Done;
    }
    let PreparedCharge { transition, after, request } = prepared;
    run.tally().planned(&transition);
    visit.sent = true;
    keep(run, visit, transition);
    let concluded =
        paid().and_then(|outcome| rules::conclude(&after, &request.attempt, &outcome, &run.circumstances()));
    match concluded {
        Ok(concluded) => {
            run.tally().wrote(&concluded);
            let still_due = wake_after(&concluded).is_some_and(|wake| wake <= run.at);
            keep(run, visit, concluded);
            if still_due { Step::Again } else { Step::Done }
        }
        Err(error) => {
            let attempt = &request.attempt;
            tracing::error!(%attempt, %error, "what would follow from this charge cannot be told");
            run.tally().0.incidents.push(format!("attempt {attempt}: {error}"));
            Step::Done
        }
    }
}

fn paid() -> Result<ChargeOutcome, RuleError> {
    let charge = ChargeId::parse(MADE_UP).map_err(|error| RuleError::Refused(error.to_string()))?;
    Ok(ChargeOutcome::Succeeded { charge, card: None })
}

/// Lets a transition happen in memory: the snapshot is then what the book would give.
pub(super) fn keep(run: &Run<'_>, visit: &mut Visit, transition: Transition) {
    let snapshot = &mut visit.snapshot;
    snapshot.invoices.append(&mut visit.out_of_view);
    for change in transition.changes {
        match change {
            Change::UpdateCustomer(customer) => {
                run.dry().took(&customer);
                snapshot.customer = customer;
                snapshot.customer.version = snapshot.customer.version.next();
            }
            other => apply(snapshot, other),
        }
    }
    visit.out_of_view = leave_in_view(&mut snapshot.invoices);
}

fn apply(snapshot: &mut Snapshot, change: Change) {
    match change {
        Change::UpdateSubscription(subscription) => {
            snapshot.subscription = subscription;
            snapshot.subscription.version = snapshot.subscription.version.next();
        }
        Change::InsertInvoice(invoice) => {
            let plan = Arc::clone(&snapshot.plan);
            snapshot.invoices.push(OpenInvoice { invoice, plan, attempts: Vec::new() });
        }
        Change::UpdateInvoice(invoice) => update_invoice(snapshot, invoice),
        Change::InsertAttempt(attempt) => {
            if let Some(open) = find(snapshot, &attempt.id.invoice) {
                open.attempts.push(attempt);
            }
        }
        Change::UpdateAttempt { attempt, .. } => update_attempt(snapshot, attempt),
        Change::RaiseFlag(flag) => {
            if !snapshot.flags.iter().any(|standing| standing.reason == flag.reason) {
                snapshot.flags.push(flag);
            }
        }
        Change::ClearFlags { reason, .. } => {
            snapshot.flags.retain(|flag| reason.is_some_and(|reason| reason != flag.reason));
        }
        Change::RecordDecline { decline, .. } => snapshot.declines.push(decline),
        // Of customers `keep` takes care, and no snapshot shows the others.
        Change::UpdateCustomer(_)
        | Change::InsertSubscription(_)
        | Change::SkipPeriods { .. }
        | Change::NoteReversal(_)
        | Change::WarnCard { .. } => {}
    }
}

fn find<'s>(snapshot: &'s mut Snapshot, id: &InvoiceId) -> Option<&'s mut OpenInvoice> {
    snapshot.invoices.iter_mut().find(|open| open.invoice.id == *id)
}

fn update_invoice(snapshot: &mut Snapshot, invoice: Invoice) {
    if let Some(open) = find(snapshot, &invoice.id) {
        open.invoice = invoice;
        open.invoice.version = open.invoice.version.next();
    }
}

fn update_attempt(snapshot: &mut Snapshot, attempt: Attempt) {
    if let Some(open) = find(snapshot, &attempt.id.invoice)
        && let Some(kept) = open.attempts.iter_mut().find(|kept| kept.id == attempt.id)
    {
        *kept = attempt;
    }
}

/// Leaves of a subscription's invoices those that the book would load: open ones, and of too many those first that no
/// person's word is waited for. Returns the others. One who had more open invoices in the book than a snapshot loads
/// is seen without the rest of them, for as long as this run serves them.
fn leave_in_view(invoices: &mut Vec<OpenInvoice>) -> Vec<OpenInvoice> {
    invoices.retain(|open| open.invoice.status == InvoiceStatus::Open);
    let mut others = Vec::new();
    if invoices.len() > Snapshot::MOST_OPEN_INVOICES {
        invoices.sort_by_key(|open| (open.invoice.hold == Some(Hold::CatchUp), open.invoice.id.index));
        others = invoices.split_off(Snapshot::MOST_OPEN_INVOICES);
    }
    invoices.sort_by_key(|open| open.invoice.id.index);
    others
}
