//! What news of a customer's cards mean for one of their subscriptions, whoever brought them: the card watch, a
//! webhook, a person.
//!
//! Promises: a flag is raised once, after a read of that very moment, with what stands behind it; a card that works
//! clears it and makes what waited due at once. Nothing is charged here: the next run does, within its budgets.
//! Must never know: how a customer is read, or who asked.

use jiff::Timestamp;
use serde_json::json;

use super::cards::{self, Payer, Verdict};
use super::draft::Draft;
use super::queue::{self, Head};
use super::{card_watch, flags, life, wake};
use crate::model::settings::Cards;
use crate::model::{
    AttemptStatus, CustomerSnapshot, EventKind, FlagReason, Hold, InvoiceStatus, OpenInvoice, Snapshot,
    Transition,
};

/// What the customer, as last read, means for a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// Commit this; empty: nothing changes.
    Settled(Transition),
    /// The snapshot says "bad": read the customer now, then ask again with `confirmed`.
    Confirm(FlagReason),
}

/// Judges the card that would pay next. `confirmed`: the customer was read for this very question.
pub fn judge(snapshot: &Snapshot, wishes: &Cards, at: Timestamp, confirmed: bool) -> News {
    let mut d = Draft::new(snapshot);
    // No news of a card change a person's word.
    if life::is_stopped(&snapshot.subscription) {
        return News::Settled(Transition::default());
    }
    card_watch::lift(&mut d, wishes, at);
    let place = first_in_line(&d.now, at);
    let open = place.map(|place| &d.now.invoices[place]);
    match cards::judge(&d.now, open, at, wishes.try_expired) {
        Verdict::Good(payer) if !cards::is_stale(&d.now, wishes, at) => {
            // A standing flag says what was wrong with the card, so it is looked at before it goes.
            let ready = ready_for(&d.now, &payer, wishes, at);
            if !payer.expired {
                flags::clear_cards(&mut d, at);
            }
            for place in ready {
                let hold = cards::hold_until_tried(&d.now.invoices[place], Some(&payer.card));
                let invoice = &mut d.now.invoices[place].invoice;
                (invoice.hold, invoice.next_attempt_at) = (hold, Some(at));
            }
        }
        Verdict::Bad(reason, detail) if life::collects(&d.now.subscription) => {
            if !confirmed {
                return News::Confirm(reason);
            }
            flags::raise(&mut d, reason, &detail, at);
        }
        Verdict::Good(_) | Verdict::Bad(..) | Verdict::Unread | Verdict::NoBackup => {}
    }
    if d.is_unchanged() {
        return News::Settled(Transition::default());
    }
    d.guard_subscription();
    d.now.subscription.wake_at = wake::next(&d.now, at);
    News::Settled(d.transition(None))
}

/// Notes that the customer has another default card than `before`, where it pays this subscription.
pub fn changed(snapshot: &Snapshot, before: &CustomerSnapshot, at: Timestamp) -> Transition {
    if snapshot.subscription.card.is_some() || snapshot.subscription.ended_at.is_some() {
        return Transition::default();
    }
    let data = json!({ "from": before.default_card, "to": snapshot.customer.default_card });
    let mut d = Draft::new(snapshot);
    d.event(at, EventKind::CardChanged, Some(&data));
    d.transition(None)
}

/// The invoice that the card would pay: the one to be tried now, else the first that waits for a later try.
fn first_in_line(s: &Snapshot, at: Timestamp) -> Option<usize> {
    if let Head::Try(place) = queue::look(s, at).head {
        return Some(place);
    }
    s.invoices.iter().position(is_retried)
}

/// Declined before, and to be tried again by itself.
fn is_retried(open: &OpenInvoice) -> bool {
    open.invoice.status == InvoiceStatus::Open
        && open.invoice.next_attempt_at.is_some()
        && open.attempts.iter().any(|a| a.status == AttemptStatus::Declined)
}

/// Invoices that waited for another card, or for a later try, and that this card has not been declined for.
fn ready_for(s: &Snapshot, payer: &Payer, wishes: &Cards, at: Timestamp) -> Vec<usize> {
    let is_ready = |open: &OpenInvoice| {
        if open.invoice.status != InvoiceStatus::Open || queue::unfinished(open).is_some() {
            return false;
        }
        let good = || matches!(cards::judge(s, Some(open), at, wishes.try_expired), Verdict::Good(_));
        let next = open.invoice.next_attempt_at;
        match open.invoice.hold {
            Some(Hold::NewCard) if next.is_none() => good(),
            None | Some(Hold::NewCard) => {
                is_retried(open) && next > Some(at) && cards::is_new_for(open, payer)
            }
            Some(_) => false,
        }
    };
    s.invoices.iter().enumerate().filter(|(_, open)| is_ready(open)).map(|(place, _)| place).collect()
}
