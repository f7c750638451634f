//! What many customers look like at a glance: enough to see of most that nothing about them wants a closer look.
//!
//! Promises: facts alone, each as a whole snapshot would show it. Must never know: what follows from them.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;

use super::{CustomerId, CustomerState, Expiration, PlanVersion};

/// A customer and what they have that has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerGlance {
    /// At Omise.
    pub id: CustomerId,
    /// What is known of them.
    pub state: CustomerState,
    /// When they were last read, on the billing clock; `None`: never.
    pub read_at: Option<Timestamp>,
    /// Through which month the default card works; `None`: there is no default, or the last reading did not show it.
    pub default_ends: Option<Expiration>,
    /// A bank has said never of a card of theirs, or of one with the same number.
    pub never: bool,
    /// Those that have not ended, in the order of making; at most `MOST_SUBSCRIPTIONS`.
    pub subscriptions: Vec<SubscriptionGlance>,
    /// They have more than these.
    pub more: bool,
}

/// A subscription that has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionGlance {
    /// The plan version it has now.
    pub plan: Arc<PlanVersion>,
    /// The first day of period `anchor_index`, in its zone.
    pub anchor: Date,
    /// Periods before it were counted from an earlier anchor.
    pub anchor_index: u32,
    /// The first period that has neither an invoice nor a skip.
    pub next_index: u32,
    /// Through which month the card works that pays it, its own or else the default; `None`: there is none, or the
    /// last reading did not show it.
    pub card_ends: Option<Expiration>,
    /// An invoice of it is open.
    pub owes: bool,
    /// A flag of it stands.
    pub flagged: bool,
}

impl CustomerGlance {
    /// Subscriptions of one customer that one glance shows.
    pub const MOST_SUBSCRIPTIONS: usize = 16;

    /// The same facts out of whole snapshots of one customer's living subscriptions, in the order of making.
    #[cfg(test)]
    pub(crate) fn of(snapshots: &[super::Snapshot]) -> Option<Self> {
        let customer = &snapshots.first()?.customer;
        let ends = |id: Option<&super::CardId>| id.and_then(|id| customer.card(id)).map(|c| c.expiration);
        let shown = snapshots.iter().take(Self::MOST_SUBSCRIPTIONS);
        let never = |snapshot: &super::Snapshot| snapshot.declines.iter().any(|decline| decline.never);
        Some(Self {
            id: customer.id.clone(),
            state: customer.state,
            read_at: customer.read_at,
            default_ends: ends(customer.default_card.as_ref()),
            never: snapshots.iter().any(never),
            subscriptions: shown
                .map(|s| SubscriptionGlance {
                    plan: s.plan.clone(),
                    anchor: s.subscription.anchor,
                    anchor_index: s.subscription.anchor_index,
                    next_index: s.subscription.next_index,
                    card_ends: ends(s.subscription.card.as_ref().or(customer.default_card.as_ref())),
                    owes: !s.invoices.is_empty(),
                    flagged: !s.flags.is_empty(),
                })
                .collect(),
            more: snapshots.len() > Self::MOST_SUBSCRIPTIONS,
        })
    }
}
