//! What happened, in order: the book's diary and the messengers' outbox.

use std::sync::Arc;

use jiff::Timestamp;

use super::{CustomerId, InvoiceId, SubscriptionId, words};

words! {
    /// What happened.
    EventKind {
        /// A subscription was made.
        SubscriptionCreated = "subscription_created",
        /// Its plan, quantity, card or zone was changed.
        SubscriptionChanged = "subscription_changed",
        /// It was paused.
        SubscriptionPaused = "subscription_paused",
        /// It goes on.
        SubscriptionResumed = "subscription_resumed",
        /// It was set to end with its period.
        CancelScheduled = "cancel_scheduled",
        /// It ended.
        SubscriptionCanceled = "subscription_canceled",
        /// Given up, still served.
        SubscriptionUnpaid = "subscription_unpaid",
        /// A trial ended, the first period begins.
        TrialEnded = "trial_ended",
        /// Periods passed unbilled.
        PeriodsSkipped = "periods_skipped",
        /// A period's invoice was opened.
        InvoiceOpened = "invoice_opened",
        /// It was paid.
        InvoicePaid = "invoice_paid",
        /// It was taken back.
        InvoiceVoided = "invoice_voided",
        /// It was given up.
        InvoiceUncollectible = "invoice_uncollectible",
        /// Too many missed periods: they wait for `dues resume`.
        CatchUpHeld = "catch_up_held",
        /// A person asked for another try.
        RetryRequested = "retry_requested",
        /// The bank said no.
        AttemptDeclined = "attempt_declined",
        /// The provider refused our request.
        AttemptRejected = "attempt_rejected",
        /// It never left us.
        AttemptNotSent = "attempt_not_sent",
        /// The customer must act, or it is in flight.
        AttemptPending = "attempt_pending",
        /// Nobody knows.
        AttemptInDoubt = "attempt_in_doubt",
        /// Proved never to have reached the provider.
        AttemptAbsent = "attempt_absent",
        /// Past the last look: a person must decide.
        AttemptManual = "attempt_manual",
        /// A person decided.
        AttemptResolved = "attempt_resolved",
        /// Something that a person must look at.
        Incident = "incident",
        /// A subscription cannot be charged.
        FlagRaised = "flag_raised",
        /// It can be again.
        FlagCleared = "flag_cleared",
        /// A plan got a new version.
        PlanVersioned = "plan_versioned",
        /// The book was bound to this host.
        BookAdopted = "book_adopted",
        /// The card that pays ends soon; its customer is told once for each of `[cards] warn_before`.
        CardExpiring = "card_expiring",
        /// The customer has another default card, or the same one with another month.
        CardChanged = "card_changed",
        /// The customer was reminded to confirm a payment.
        ActionReminded = "action_reminded",
        /// A charge that had succeeded was given back, in whole or in part, outside this program.
        ChargeRefunded = "charge_refunded",
        /// The card's holder disputes a charge that had succeeded.
        ChargeDisputed = "charge_disputed",
    }
}

/// One line of the diary, as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Counts without gaps within one book, from 1.
    pub seq: i64,
    /// On the billing clock.
    pub at: Timestamp,
    /// What happened.
    pub kind: EventKind,
    /// To which subscription; `None`: to the book.
    pub subscription: Option<SubscriptionId>,
    /// To which invoice.
    pub invoice: Option<InvoiceId>,
    /// Of which customer.
    pub customer: Option<CustomerId>,
    /// More about it, a JSON object as text; `None`: nothing more.
    pub data: Option<Arc<str>>,
}

/// A line to be written. Its subscription and customer are the transition's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// On the billing clock.
    pub at: Timestamp,
    /// What happened.
    pub kind: EventKind,
    /// To which subscription; `None`: to the book.
    pub subscription: Option<SubscriptionId>,
    /// To which invoice; its subscription is implied.
    pub invoice: Option<InvoiceId>,
    /// More about it, a JSON object as text; `None`: nothing more.
    pub data: Option<Arc<str>>,
}
