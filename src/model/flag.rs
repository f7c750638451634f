//! Why a subscription cannot be charged although something is due.

use std::sync::Arc;

use jiff::Timestamp;

use super::{CustomerId, SubscriptionId, words};

words! {
    /// Why a subscription is flagged.
    FlagReason {
        /// The customer has no default card, and the subscription names none.
        NoCard = "no_card",
        /// The card to be charged has expired.
        ExpiredCard = "expired_card",
        /// The card to be charged, its own or the default, is not among the customer's.
        CardGone = "card_gone",
        /// The customer was deleted, or never was.
        CustomerGone = "customer_gone",
        /// The card was refused for good.
        DeadCard = "dead_card",
        /// The invoice is outside what the account may charge, our request was refused, or the customer has more cards than
        /// are read.
        Unchargeable = "unchargeable",
    }
}

/// A standing or past flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag {
    /// Whose.
    pub customer: CustomerId,
    /// Which subscription cannot be charged.
    pub subscription: SubscriptionId,
    /// Why.
    pub reason: FlagReason,
    /// Raised then, on the billing clock.
    pub since: Timestamp,
    /// Cleared then; `None`: it stands.
    pub until: Option<Timestamp>,
    /// For people: which card, which month.
    pub detail: Arc<str>,
}
