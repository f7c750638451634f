//! Invoices that another card of the customer would settle: tries used up, and customers who had to act.
//!
//! A new card is an answer, and nobody tells us of it: so such a customer is looked at once a day, for two months
//! after the last decline, and after that whenever the subscription is looked at anyway.
//! Promises: a card that was declined for an invoice does not bring that invoice back by itself.
//! Must never know: budgets, brakes, how a customer is read.

use jiff::{SignedDuration, Timestamp};

use super::draft::Draft;
use super::{cards, life, queue};
use crate::model::settings::Cards;
use crate::model::{Hold, InvoiceStatus, OpenInvoice, Snapshot};

/// Between two looks.
const DAY_SECONDS: i64 = 86_400;
/// Looks of this kind after the last decline; by then most who come back have come back.
const MOST_LOOKS: i64 = 60;

/// The next look for a new card after `at`; `None`: nothing waits for one.
pub(super) fn next_look(s: &Snapshot, at: Timestamp) -> Option<Timestamp> {
    waiting(s).filter_map(|open| look_after(open, at)).min()
}

/// Whether the customer must be read before this subscription is passed over.
pub(super) fn wants_a_read(s: &Snapshot, at: Timestamp) -> bool {
    waiting(s).any(|open| look_after(open, at).is_some())
}

/// Gives invoices a try now whose customer has another card than those that were declined for them, unless they have a
/// later one already, and takes it back where that card is gone again: the hold stays until the other card is charged. A
/// snapshot too old to be believed changes nothing.
pub(super) fn lift(d: &mut Draft, wishes: &Cards, at: Timestamp) {
    if cards::is_stale(&d.now, wishes, at) {
        return;
    }
    let is_new = |open: &OpenInvoice| {
        cards::believable_payer(&d.now, open, wishes, at).is_some_and(|payer| cards::is_new_for(open, &payer))
    };
    let judged: Vec<_> = waiting(&d.now).map(|open| (open.invoice.id.clone(), is_new(open))).collect();
    for (id, new) in judged {
        for open in d.now.invoices.iter_mut().filter(|open| open.invoice.id == id) {
            let next = open.invoice.next_attempt_at.unwrap_or(at);
            open.invoice.next_attempt_at = new.then_some(next);
        }
    }
}

fn waiting(s: &Snapshot) -> impl Iterator<Item = &OpenInvoice> {
    let stopped = life::is_stopped(&s.subscription);
    s.invoices.iter().filter(move |open| {
        !stopped
            && open.invoice.status == InvoiceStatus::Open
            && matches!(open.invoice.hold, Some(Hold::Exhausted | Hold::Customer))
            && queue::unfinished(open).is_none()
    })
}

/// Whole days after the last decline, the first of them that is later than `at`.
fn look_after(open: &OpenInvoice, at: Timestamp) -> Option<Timestamp> {
    let declined = cards::last_answer(open)?.resolved_at?;
    let looks = at.duration_since(declined).as_secs().div_euclid(DAY_SECONDS) + 1;
    if looks > MOST_LOOKS {
        return None;
    }
    declined.checked_add(SignedDuration::from_secs(looks.max(1) * DAY_SECONDS)).ok()
}
