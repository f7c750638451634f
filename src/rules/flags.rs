//! Raising and clearing flags: why a subscription cannot be charged although something is due.
//!
//! Promises: a reason stands at most once, and says what money stands behind it and which answer of the bank led to it;
//! a reason that no longer holds is cleared. Must never know: how a card is judged.

use jiff::Timestamp;
use serde_json::json;

use super::cards::{self, Verdict};
use super::commands::next_invoice;
use super::draft::Draft;
use crate::model::settings::Cards;
use crate::model::{
    Change, CustomerId, EventKind, Flag, FlagReason, InvoiceStatus, Money, NewEvent, Snapshot,
    SubscriptionId, Transition,
};

/// Raises that flag, unless one of the same reason stands already, and clears those of other reasons that the same look
/// would have found: cards tell nothing of an amount that cannot be charged, nor that of cards.
pub(super) fn raise(d: &mut Draft, reason: FlagReason, detail: &str, at: Timestamp) {
    let of_cards = |reason| reason != FlagReason::Unchargeable;
    clear(d, at, |flag| flag.reason != reason && of_cards(flag.reason) == of_cards(reason));
    if d.flagged(reason) {
        return;
    }
    let at_risk = at_risk(&d.now);
    let mut data = json!({
        "reason": reason,
        "detail": detail,
        "at_risk": at_risk.minor(),
        "currency": at_risk.currency(),
    });
    // Whoever is told of what happened was told of this when the bank said it.
    if let Some(attempt) = cards::answer_behind(&d.now, reason) {
        data["attempt"] = json!(attempt.id);
    }
    d.event(at, EventKind::FlagRaised, Some(&data));
    d.now.flags.push(Flag {
        customer: d.now.customer.id.clone(),
        subscription: d.now.subscription.id.clone(),
        reason,
        since: at,
        until: None,
        detail: detail.into(),
    });
}

/// Flags a subscription that cannot be decided at all, so that not even the money behind it can be told.
pub fn unchargeable(
    subscription: &SubscriptionId,
    customer: &CustomerId,
    detail: &str,
    at: Timestamp,
) -> Transition {
    let reason = FlagReason::Unchargeable;
    let flag = Flag {
        customer: customer.clone(),
        subscription: subscription.clone(),
        reason,
        since: at,
        until: None,
        detail: detail.into(),
    };
    let event = NewEvent {
        at,
        kind: EventKind::FlagRaised,
        subscription: Some(subscription.clone()),
        invoice: None,
        data: Some(json!({ "reason": reason, "detail": detail }).to_string().into()),
    };
    Transition { epoch: None, changes: vec![Change::RaiseFlag(flag)], events: vec![event] }
}

/// The money behind a flag: what is open and the next period, in the currency of the plan.
fn at_risk(s: &Snapshot) -> Money {
    let currency = s.plan.terms.price.currency();
    let open = s.invoices.iter().map(|open| &open.invoice);
    let owed = open.filter(|invoice| invoice.status == InvoiceStatus::Open).map(|invoice| invoice.amount);
    let next = next_invoice(s).ok().flatten().map(|next| next.amount);
    owed.chain(next)
        .filter(|amount| amount.currency() == currency)
        .try_fold(Money::zero(currency), Money::checked_add)
        .unwrap_or_else(|_| Money::zero(currency))
}

/// Clears those that no longer hold where nothing is due: a card that could not pay the next period keeps its own.
pub(super) fn clear_settled(d: &mut Draft, wishes: &Cards, at: Timestamp) {
    let still = match cards::judge(&d.now, None, at, wishes.try_expired) {
        Verdict::Bad(reason, _) => Some(reason),
        Verdict::Good(_) | Verdict::Unread | Verdict::NoBackup => None,
    };
    clear(d, at, |flag| Some(flag.reason) != still);
}

/// Clears every standing flag.
pub(super) fn clear_all(d: &mut Draft, at: Timestamp) {
    clear(d, at, |_| true);
}

/// Clears every standing flag but those of that reason.
pub(super) fn clear_but(d: &mut Draft, reason: FlagReason, at: Timestamp) {
    clear(d, at, |flag| flag.reason != reason);
}

/// Clears the one that says that it cannot be charged whatever the card.
pub(super) fn clear_unchargeable(d: &mut Draft, at: Timestamp) {
    clear(d, at, |flag| flag.reason == FlagReason::Unchargeable);
}

/// Clears those that a card explains.
pub(super) fn clear_cards(d: &mut Draft, at: Timestamp) {
    clear(d, at, |flag| flag.reason != FlagReason::Unchargeable);
}

fn clear(d: &mut Draft, at: Timestamp, which: impl Fn(&Flag) -> bool) {
    let (gone, kept) = d.now.flags.drain(..).partition::<Vec<_>, _>(which);
    d.now.flags = kept;
    for flag in gone {
        d.event(at, EventKind::FlagCleared, Some(&json!({ "reason": flag.reason })));
    }
}
