//! What is told before it comes: the end of a trial, and of a card.

use jiff::{SignedDuration, Timestamp};

use super::Told;
use super::facts::{Ground, look, message, subscription_facts};
use crate::model::{BillingPeriod, CardId, CardSnapshot, Facts, MessageKind, Snapshot, SubscriptionStatus};
use crate::rules::calendar::period_of;

/// Its key is remembered for so long after the end: clocks and time zones may be moved a little meanwhile.
const KEPT_AFTER: SignedDuration = SignedDuration::from_hours(24 * 7);

/// That the first period that costs something is near; `None`: it is not, or there is no trial. One message a trial.
pub fn trial_ending(snapshot: &Snapshot, now: Timestamp, ahead: SignedDuration) -> Option<Told> {
    let subscription = &snapshot.subscription;
    let set_to_end = |first: &BillingPeriod| subscription.cancel_at.is_some_and(|end| end <= first.start);
    if subscription.status != SubscriptionStatus::Trialing {
        return None;
    }
    let first = period_of(subscription, &snapshot.plan.terms, subscription.next_index).ok()?;
    if first.start <= now || first.start > now.checked_add(ahead).ok()? || set_to_end(&first) {
        return None;
    }
    let facts = Facts {
        amount: snapshot.plan.terms.price.checked_mul(subscription.quantity).ok(),
        period: Some(first),
        card: look(snapshot, subscription.card.as_ref()),
        ends_at: Some(first.start),
        ..subscription_facts(snapshot)
    };
    let message = message(snapshot, MessageKind::TrialEnding, subscription.id.as_str(), now, facts);
    Some(Told { message, not_before: None, keep_until: first.start.checked_add(KEPT_AFTER).ok() })
}

/// That a card ends, as the card watch found. One message a card, its month and a length of time, however many
/// subscriptions it pays. `None`: the card is not among those read any more.
pub(super) fn card_ending(ground: &Ground<'_>) -> Option<Told> {
    let id = CardId::parse(ground.text("card")?).ok()?;
    let card = ground.snapshot.customer.card(&id)?;
    let ends_at = card.expiration.ends_at();
    let facts = Facts {
        card: look(ground.snapshot, Some(&id)),
        ends_at: Some(ends_at),
        ..subscription_facts(ground.snapshot)
    };
    let (year, month) = (card.expiration.year(), card.expiration.month());
    let before = ground.text("before").unwrap_or("end").replace(' ', "-");
    let outcome = format!("{id}/{year}-{month:02}/{before}");
    let message = ground.message(MessageKind::CardExpiring, &outcome, facts);
    Some(Told { message, not_before: None, keep_until: ends_at.checked_add(KEPT_AFTER).ok() })
}

/// The card that the next charge would be made with.
pub(super) fn paying_card(snapshot: &Snapshot) -> Option<&CardSnapshot> {
    let named = snapshot.subscription.card.as_ref();
    snapshot.customer.card(named.or(snapshot.customer.default_card.as_ref())?)
}
