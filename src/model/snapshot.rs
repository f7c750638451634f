//! All that one decision looks at.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Attempt, CardId, CustomerSnapshot, Flag, Invoice, Money, PlanVersion, Subscription};

/// A subscription with all that a decision about it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The subscription.
    pub subscription: Subscription,
    /// The plan version it has now.
    pub plan: Arc<PlanVersion>,
    /// What was last read of its customer.
    pub customer: CustomerSnapshot,
    /// Its open invoices, oldest first; at most `MOST_OPEN_INVOICES`.
    pub invoices: Vec<OpenInvoice>,
    /// Its standing flags.
    pub flags: Vec<Flag>,
    /// Declines of this customer's cards in the last 30 days and later, any subscription, and of the same card numbers
    /// at other customers; those that say never however old. Oldest first.
    pub declines: Vec<CardDecline>,
}

impl Snapshot {
    /// Open invoices that one snapshot loads; the oldest are collected first, so the rest can wait.
    pub const MOST_OPEN_INVOICES: usize = 32;
}

/// An open invoice with its attempts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenInvoice {
    /// The invoice.
    pub invoice: Invoice,
    /// The terms it was opened under.
    pub plan: Arc<PlanVersion>,
    /// All its attempts, by number.
    pub attempts: Vec<Attempt>,
}

/// One decline of one card, for the networks' budgets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardDecline {
    /// Which card.
    pub card: CardId,
    /// The same for the same card number; `None` when the provider gives none.
    pub fingerprint: Option<Arc<str>>,
    /// On the billing clock.
    pub at: Timestamp,
    /// What was asked for.
    pub amount: Money,
    /// The card must never be tried again.
    pub never: bool,
}
