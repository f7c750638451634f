//! What is told before it comes: the end of a trial, and of a card.

use jiff::{SignedDuration, Timestamp};

use super::Told;
use super::facts::{look, message, subscription_facts};
use crate::model::{BillingPeriod, CardSnapshot, Facts, MessageKind, Snapshot, SubscriptionStatus};
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

/// That the card ends within one of the warnings; `None`: it does not, or has ended. One message a card, its month
/// and a warning, however many subscriptions it pays; of several warnings that are due at once the shortest.
pub fn card_ending(snapshot: &Snapshot, now: Timestamp, warn_before: &[SignedDuration]) -> Option<Told> {
    let card = paying_card(snapshot)?;
    let ends_at = card.expiration.ends_at();
    if ends_at <= now {
        return None;
    }
    let left = ends_at.duration_since(now);
    let warning = warn_before.iter().copied().filter(|warning| left <= *warning).min()?;
    let facts = Facts {
        card: look(snapshot, Some(&card.id)),
        ends_at: Some(ends_at),
        ..subscription_facts(snapshot)
    };
    let (year, month) = (card.expiration.year(), card.expiration.month());
    let outcome = format!("{}/{year}-{month:02}/{}h", card.id, warning.as_hours());
    let message = message(snapshot, MessageKind::CardExpiring, &outcome, now, facts);
    Some(Told { message, not_before: None, keep_until: ends_at.checked_add(KEPT_AFTER).ok() })
}

/// The card that the next charge would be made with.
pub(super) fn paying_card(snapshot: &Snapshot) -> Option<&CardSnapshot> {
    let named = snapshot.subscription.card.as_ref();
    snapshot.customer.card(named.or(snapshot.customer.default_card.as_ref())?)
}
