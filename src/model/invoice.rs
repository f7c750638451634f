//! What is owed for one period.

use jiff::Timestamp;

use super::{BillingPeriod, InvoiceId, Money, PlanVersionId, Quantity, Version, words};

words! {
    /// Where an invoice stands.
    InvoiceStatus {
        /// Owed.
        Open = "open",
        /// Settled, by a charge or by hand.
        Paid = "paid",
        /// Given up.
        Uncollectible = "uncollectible",
        /// Taken back.
        Void = "void",
    }
}

words! {
    /// Why an open invoice is not tried again by itself.
    Hold {
        /// More periods were missed than `[catch_up] hold_after`: waits for `dues resume`.
        CatchUp = "catch_up",
        /// The provider refused our request, or a charge of the subscription was given back or disputed: waits for
        /// `dues retry`.
        Rejected = "rejected",
        /// A card will not work: waits for another card, or for the next try of one that has come.
        NewCard = "new_card",
        /// The customer must act.
        Customer = "customer",
        /// All tries of the policy are used up.
        Exhausted = "exhausted",
        /// The subscription was paused or canceled meanwhile.
        Stopped = "stopped",
        /// Two charges answered for one attempt: an incident for a person.
        Incident = "incident",
    }
}

/// What is owed for one period of a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoice {
    /// The subscription and the period's index.
    pub id: InvoiceId,
    /// Fixed when the invoice is opened; no later zone data changes it.
    pub period: BillingPeriod,
    /// The terms it was opened under.
    pub plan: PlanVersionId,
    /// Units.
    pub quantity: Quantity,
    /// Price × quantity; more than zero.
    pub amount: Money,
    /// Where it stands.
    pub status: InvoiceStatus,
    /// The next try, on the billing clock; `None` while closed, with an attempt under way, or held, unless the hold waits
    /// for another card and one has come: then it is tried not before this.
    pub next_attempt_at: Option<Timestamp>,
    /// Why it is not tried by itself, or not with every card; `None` while it is, or closed.
    pub hold: Option<Hold>,
    /// When it was opened, on the billing clock.
    pub opened_at: Timestamp,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// Of the row.
    pub version: Version,
}
