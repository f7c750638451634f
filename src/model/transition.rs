//! All that one decision changes. The store's only way to write.

use super::{
    Attempt, AttemptStatus, CardDecline, CustomerSnapshot, Epoch, Flag, FlagReason, Invoice, NewEvent,
    Subscription, SubscriptionId, words,
};

words! {
    /// Why a period was not billed, or a due subscription was passed over.
    SkipReason {
        /// Paused when the period started.
        Paused = "paused",
        /// Unpaid when the period started.
        Unpaid = "unpaid",
        /// Canceled when the period started.
        Canceled = "canceled",
        /// In its trial still.
        Trialing = "trialing",
        /// Already billed elsewhere.
        BilledElsewhere = "billed_elsewhere",
        /// Flagged: no card.
        NoCard = "no_card",
        /// Flagged: the card has expired.
        ExpiredCard = "expired_card",
        /// Flagged: the card to be charged is gone.
        CardGone = "card_gone",
        /// Flagged: the customer is gone.
        CustomerGone = "customer_gone",
        /// Flagged: the card was refused for good.
        DeadCard = "dead_card",
        /// Flagged: outside what the account may charge, or refused as ours.
        Unchargeable = "unchargeable",
        /// An attempt of the invoice is unfinished.
        Unfinished = "unfinished",
        /// The invoice waits for a person, a new card, or `dues resume`.
        Held = "held",
        /// Nothing is due yet.
        NotDue = "not_due",
        /// A retry would exceed a budget.
        Budget = "budget",
        /// One catch-up charge per customer in 24 hours.
        CatchUpSpread = "catch_up_spread",
        /// The customer's amount per day is used up.
        CustomerDay = "customer_day",
        /// The customer could not be read, so nothing was decided.
        Unread = "unread",
        /// Changed while it was looked at, again and again.
        Contended = "contended",
    }
}

impl From<FlagReason> for SkipReason {
    fn from(reason: FlagReason) -> Self {
        match reason {
            FlagReason::NoCard => Self::NoCard,
            FlagReason::ExpiredCard => Self::ExpiredCard,
            FlagReason::CardGone => Self::CardGone,
            FlagReason::CustomerGone => Self::CustomerGone,
            FlagReason::DeadCard => Self::DeadCard,
            FlagReason::Unchargeable => Self::Unchargeable,
        }
    }
}

/// Every row one decision changes, the versions it expects, and its events: all or nothing.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Transition {
    /// Of the process that charges: tested inside the transaction. `None` for what does not charge.
    pub epoch: Option<Epoch>,
    /// Applied in this order.
    pub changes: Vec<Change>,
    /// Appended to the diary after the changes.
    pub events: Vec<NewEvent>,
}

impl Transition {
    /// Whether it changes nothing.
    pub const fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.events.is_empty()
    }
}

/// One row's change. An update carries the row whole; its `version` is the one expected in the book, and the
/// book stores `version.next()`. An insert stores the version it carries. A mismatch refuses the transition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A new subscription; its customer's row is made, unread, if there is none.
    InsertSubscription(Subscription),
    /// A changed one.
    UpdateSubscription(Subscription),
    /// A new invoice.
    InsertInvoice(Invoice),
    /// A changed one.
    UpdateInvoice(Invoice),
    /// A new attempt, with its intent.
    InsertAttempt(Attempt),
    /// A changed one, which must stand at `from` in the book.
    UpdateAttempt {
        /// As it is to be.
        attempt: Attempt,
        /// As it is expected to stand.
        from: AttemptStatus,
    },
    /// Periods `from..to` of the subscription will never be billed.
    SkipPeriods {
        /// Whose.
        subscription: SubscriptionId,
        /// First index.
        from: u32,
        /// First index not skipped.
        to: u32,
        /// Why.
        reason: SkipReason,
    },
    /// What was read of a customer or taken from them.
    UpdateCustomer(CustomerSnapshot),
    /// A new standing flag; ignored if the same reason stands for that subscription.
    RaiseFlag(Flag),
    /// Standing flags of the subscription end; `None`: all of them.
    ClearFlags {
        /// Whose.
        subscription: SubscriptionId,
        /// Only of that reason.
        reason: Option<FlagReason>,
        /// On the billing clock.
        at: jiff::Timestamp,
    },
    /// A charge that had succeeded was given back or disputed. Refused if as much was noted before.
    NoteReversal(super::Reversal),
    /// A customer is told that a card ends. Refused if they were told the same before.
    WarnCard {
        /// Who.
        customer: super::CustomerId,
        /// Of what.
        warning: super::CardWarning,
        /// On the billing clock.
        at: jiff::Timestamp,
    },
    /// A decline to count towards the card's budget.
    RecordDecline {
        /// Of which customer.
        customer: super::CustomerId,
        /// The decline.
        decline: CardDecline,
    },
}
