//! `dues retry`: one more try of what is open, now.

use jiff::Timestamp;
use serde_json::json;

use super::{decide, must_be_settled, refused};
use crate::model::{DeclineKind, EventKind, Hold, InvoiceStatus, OpenInvoice, Snapshot, Transition};
use crate::rules::cards::{self, Verdict};
use crate::rules::{RuleError, queue};

/// Makes the oldest open invoice due now, whatever it waited for, and lets all others follow that were on hold for the
/// same kind of reason. Refused while an attempt of the oldest is unfinished, while all that is open waits for `resume`,
/// and where the card that would pay must never be tried again.
pub fn retry(snapshot: &Snapshot, at: Timestamp, reason: Option<&str>) -> Result<Transition, RuleError> {
    let oldest = oldest(snapshot)?;
    let open = &snapshot.invoices[oldest];
    must_be_settled(open)?;
    must_not_be_never(snapshot, open, at)?;
    decide(snapshot, at, |d| {
        let data = json!({ "reason": reason });
        for place in 0..d.now.invoices.len() {
            let open = &mut d.now.invoices[place];
            if place == oldest || is_lifted(open) {
                open.invoice.hold = None;
                open.invoice.next_attempt_at = Some(at);
                let id = open.invoice.id.clone();
                d.invoice_event(at, EventKind::RetryRequested, &id, Some(&data));
            }
        }
        Ok(())
    })
}

/// On hold for a reason that a person can overrule.
fn is_lifted(open: &OpenInvoice) -> bool {
    let hold = match open.invoice.hold {
        Some(Hold::Rejected | Hold::NewCard | Hold::Customer | Hold::Exhausted | Hold::Stopped) => true,
        Some(Hold::CatchUp | Hold::Incident) | None => false,
    };
    hold && open.invoice.status == InvoiceStatus::Open && queue::unfinished(open).is_none()
}

fn oldest(s: &Snapshot) -> Result<usize, RuleError> {
    let id = &s.subscription.id;
    let is_open = |open: &OpenInvoice| open.invoice.status == InvoiceStatus::Open;
    let mut open = s.invoices.iter().enumerate().filter(|(_, open)| is_open(open)).peekable();
    if open.peek().is_none() {
        return refused(format!("subscription {id} has no open invoice; there is nothing to retry"));
    }
    open.find(|(_, open)| !matches!(open.invoice.hold, Some(Hold::CatchUp | Hold::Incident)))
        .map(|(place, _)| place)
        .ok_or_else(|| {
            RuleError::Refused(format!(
                "subscription {id}: all open invoices wait for `dues resume {id}`, or for a person to look at an \
                 incident (`dues list events`)"
            ))
        })
}

fn must_not_be_never(s: &Snapshot, open: &OpenInvoice, at: Timestamp) -> Result<(), RuleError> {
    let never = cards::last_answer(open).is_some_and(|a| a.decline == Some(DeclineKind::Never));
    let Verdict::Bad(_, detail) = cards::judge(s, Some(open), at, false) else { return Ok(()) };
    let of_card = s.declines.iter().any(|decline| {
        decline.never
            && s.subscription.card.as_ref().or(s.customer.default_card.as_ref()) == Some(&decline.card)
    });
    if !never && !of_card {
        return Ok(());
    }
    refused(format!(
        "invoice {}: the bank said never to try this card again ({detail}); the customer must save another one, which \
         is then charged by itself",
        open.invoice.id
    ))
}
