//! A card that ends: which renewals it will not see, and when its customer is told.
//!
//! Promises: a customer is told once for a card, its month and a length of time; where several lengths have come
//! since the last look they are told once, of the shortest. A card with a new month is a new card in this.
//! Must never know: how a customer is told.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::calendar::Calendar;
use super::cards::{self, Verdict};
use super::commands::next_invoice;
use super::life;
use crate::model::settings::Cards;
use crate::model::{
    CardSnapshot, CardWarning, Change, CustomerId, EventKind, Hold, Invoice, InvoiceStatus, Money, NewEvent,
    Snapshot, SubscriptionId, Transition,
};

/// A charge to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextCharge {
    /// Not earlier than this.
    pub at: Timestamp,
    /// Of the invoice.
    pub amount: Money,
}

/// The next charge of a subscription by itself: of an open invoice, else of the next period. `None`: there is none.
pub fn next_charge(s: &Snapshot) -> Option<NextCharge> {
    let waits = |invoice: &Invoice| {
        matches!(invoice.hold, None | Some(Hold::NewCard)) || invoice.next_attempt_at.is_some()
    };
    let open = s
        .invoices
        .iter()
        .map(|open| &open.invoice)
        .filter(|invoice| invoice.status == InvoiceStatus::Open && waits(invoice))
        .map(|invoice| NextCharge {
            at: invoice.next_attempt_at.unwrap_or(invoice.period.start),
            amount: invoice.amount,
        })
        .min_by_key(|next| next.at);
    open.or_else(|| {
        let next = next_invoice(s).ok().flatten()?;
        Some(NextCharge { at: next.period.start, amount: next.amount })
    })
}

/// A card that pays a subscription, and what its end means for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayingCard {
    /// The card.
    pub card: CardSnapshot,
    /// Which subscription it pays.
    pub subscription: SubscriptionId,
    /// Whose.
    pub customer: CustomerId,
    /// The next charge; `None`: there is none.
    pub next: Option<NextCharge>,
    /// It ends before one of the next renewals that the wishes ask about.
    pub misses_renewal: bool,
}

impl PayingCard {
    /// The same card pays another subscription too: the charge that comes first is told of.
    pub fn join(&mut self, other: Self) {
        self.misses_renewal |= other.misses_renewal;
        let at = |next: Option<NextCharge>| next.map_or(Timestamp::MAX, |next| next.at);
        if at(other.next) < at(self.next) {
            (self.subscription, self.next) = (other.subscription, other.next);
        }
    }
}

/// The card that pays this subscription, unless it has ended already or the subscription is not collected.
pub fn paying_card(s: &Snapshot, wishes: &Cards, at: Timestamp) -> Option<PayingCard> {
    if !life::collects(&s.subscription) {
        return None;
    }
    let Verdict::Good(payer) = cards::judge(s, None, at, wishes.try_expired) else { return None };
    let card = s.customer.card(&payer.card).filter(|card| !card.expiration.is_past(at))?;
    Some(PayingCard {
        card: card.clone(),
        subscription: s.subscription.id.clone(),
        customer: s.customer.id.clone(),
        next: next_charge(s),
        misses_renewal: misses_renewal(s, card.expiration.ends_at(), wishes.renewals_ahead),
    })
}

/// Whether one of the next `ahead` periods starts when the card has ended.
fn misses_renewal(s: &Snapshot, ends: Timestamp, ahead: u32) -> bool {
    let Some(last) = ahead.checked_sub(1).and_then(|more| s.subscription.next_index.checked_add(more)) else {
        return false;
    };
    let starts = Calendar::of(&s.subscription, &s.plan.terms).start(last);
    let ended = |start: Timestamp| s.subscription.cancel_at.is_some_and(|end| end <= start);
    starts.is_ok_and(|start| start >= ends && !ended(start))
}

/// Tells that this card ends, if a length has come of which its customer was not told. `told`: what they were told of
/// any of their cards. Empty: nothing is to be told.
pub fn warn(paying: &PayingCard, told: &[CardWarning], wishes: &Cards, at: Timestamp) -> Transition {
    let month = paying.card.expiration;
    let told: Vec<SignedDuration> = told
        .iter()
        .filter(|warning| warning.card == paying.card.id && warning.month == month)
        .map(|warning| warning.ahead)
        .collect();
    let left = month.ends_at().duration_since(at);
    let mut new: Vec<_> =
        wishes.warn_before.iter().copied().filter(|ahead| left <= *ahead && !told.contains(ahead)).collect();
    // A renewal that will fail is news only to those who were not told of this end before.
    if new.is_empty() && told.is_empty() && paying.misses_renewal {
        new.push(SignedDuration::ZERO);
    }
    let Some(shortest) = new.iter().min() else { return Transition::default() };
    let data = json!({
        "card": paying.card.id,
        "before": told_as(*shortest),
        "next_charge_at": paying.next.map(|next| next.at.to_string()),
        "misses_renewal": paying.misses_renewal,
        "detail": cards::describe(&paying.card.id, Some(&paying.card)),
    });
    let event = NewEvent {
        at,
        kind: EventKind::CardExpiring,
        subscription: Some(paying.subscription.clone()),
        invoice: None,
        data: Some(data.to_string().into()),
    };
    let note = |ahead| Change::WarnCard {
        customer: paying.customer.clone(),
        warning: CardWarning { card: paying.card.id.clone(), month, ahead },
        at,
    };
    Transition { epoch: None, changes: new.into_iter().map(note).collect(), events: vec![event] }
}

/// `15 days`, `36 hours`, or `renewal`.
fn told_as(ahead: SignedDuration) -> String {
    match ahead.as_hours() {
        0 => "renewal".into(),
        24 => "1 day".into(),
        hours if hours % 24 == 0 => format!("{} days", hours / 24),
        hours => format!("{hours} hours"),
    }
}
