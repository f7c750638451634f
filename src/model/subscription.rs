//! One customer's standing order for a plan.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;

use super::{CardId, CustomerId, PlanVersionId, Quantity, SubscriptionId, Version, Zone, words};

words! {
    /// Where a subscription stands.
    SubscriptionStatus {
        /// Before its first billed period.
        Trialing = "trialing",
        /// Billed, and nothing is owed that was declined.
        Active = "active",
        /// An invoice was declined and is being retried, or waits for a new card.
        PastDue = "past_due",
        /// Periods that start now are skipped, never billed later.
        Paused = "paused",
        /// Given up by policy, still served: periods that start now are skipped.
        Unpaid = "unpaid",
        /// Ended.
        Canceled = "canceled",
    }
}

words! {
    /// Who paused it.
    PausedBy {
        /// A command.
        Person = "person",
        /// The dunning policy, after its last try.
        Dunning = "dunning",
    }
}

/// Whether another saved card of the customer may be charged once the tries of the usual one are over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BackupCard {
    /// The customer did not agree to it.
    #[default]
    No,
    /// They did.
    Agreed,
    /// They did, and the tries for the invoice of this index are over with the usual card: the backup card is next.
    Called(u32),
}

impl BackupCard {
    /// Whether the customer agreed to it.
    pub const fn is_agreed(self) -> bool {
        !matches!(self, Self::No)
    }
}

/// Since when and until when a subscription is paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// On the billing clock.
    pub since: Timestamp,
    /// It resumes by itself then; `None`: only by a command.
    pub until: Option<Timestamp>,
    /// By whom.
    pub by: PausedBy,
}

/// One customer's standing order for a plan. All instants are whole seconds on the billing clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Ours.
    pub id: SubscriptionId,
    /// Whose.
    pub customer: CustomerId,
    /// To which version of which plan.
    pub plan: PlanVersionId,
    /// Where it stands.
    pub status: SubscriptionStatus,
    /// How many units.
    pub quantity: Quantity,
    /// Whose calendar its periods follow.
    pub zone: Zone,
    /// The first day of service, in `zone`.
    pub starts: Date,
    /// The day from which periods are counted: the first day of period `anchor_index`, in `zone`.
    pub anchor: Date,
    /// The instant at which period `anchor_index` starts, where that is not the first of `anchor` in `zone`: after a
    /// change of zone it starts where the period before it ended. `None`: the first instant of `anchor`.
    pub anchor_at: Option<Timestamp>,
    /// Periods before it were counted from an earlier anchor; 0 until a change of interval or zone.
    pub anchor_index: u32,
    /// The first period that has neither an invoice nor a skip.
    pub next_index: u32,
    /// Charged instead of the default card; `None`: the default.
    pub card: Option<CardId>,
    /// Whether another saved card may be charged after it.
    pub backup: BackupCard,
    /// It ends then; `None`: it does not.
    pub cancel_at: Option<Timestamp>,
    /// While `status` is `Paused`.
    pub pause: Option<Pause>,
    /// It ended then.
    pub ended_at: Option<Timestamp>,
    /// When this subscription next wants to be looked at; `None`: never by itself.
    pub wake_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// The merchant's own, a JSON object as text; `None`: nothing.
    pub metadata: Option<Arc<str>>,
    /// Of the row.
    pub version: Version,
}
