//! One request to the bank, from its intent to its end.

use std::sync::Arc;

use jiff::Timestamp;

use super::{AttemptId, CardId, ChargeId, CustomerId, DeclineKind, Epoch, IdempotencyKey, Money, words};

words! {
    /// Where an attempt stands. All but `Intended`, `Pending`, `InDoubt` and `Manual` are final.
    AttemptStatus {
        /// Durable, perhaps sent.
        Intended = "intended",
        /// The money moved.
        Succeeded = "succeeded",
        /// The bank said no.
        Declined = "declined",
        /// Our request was wrong.
        Rejected = "rejected",
        /// Provably never left us.
        NotSent = "not_sent",
        /// 3-D Secure or in flight.
        Pending = "pending",
        /// Nobody knows: looked up until somebody does.
        InDoubt = "in_doubt",
        /// No look could settle it: ended by a person alone.
        Manual = "manual",
        /// Proved never to have reached the provider.
        Absent = "absent",
    }
}

impl AttemptStatus {
    /// Whether it never changes again.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Intended | Self::Pending | Self::InDoubt | Self::Manual)
    }
}

/// One request to the bank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Invoice and number.
    pub id: AttemptId,
    /// Where it stands.
    pub status: AttemptStatus,
    /// Asked for.
    pub amount: Money,
    /// Charged.
    pub customer: CustomerId,
    /// The card that the answer showed, or that was named; `None` while nobody knows.
    pub card: Option<CardId>,
    /// Sent as `Idempotency-Key`.
    pub key: IdempotencyKey,
    /// On the billing clock; with a live key never before the wall clock.
    pub intended_at: Timestamp,
    /// On the billing clock; `None` while unfinished.
    pub resolved_at: Option<Timestamp>,
    /// `None` until an answer names one.
    pub charge: Option<ChargeId>,
    /// The provider's own word; `None` unless declined or rejected.
    pub failure_code: Option<Arc<str>>,
    /// How we read it; `None` unless declined.
    pub decline: Option<DeclineKind>,
    /// What only an unfinished attempt needs; `None` once final.
    pub intent: Option<Intent>,
}

/// What is kept of an attempt while it is unfinished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Exactly what is sent: JSON.
    pub body: Arc<str>,
    /// The card that the body names; `None`: the customer's default at that moment.
    pub named_card: Option<CardId>,
    /// Of the process that made it.
    pub epoch: Epoch,
    /// Our wall clock.
    pub wall_at: Timestamp,
    /// The last provider time seen before the intent; `None`: none was ever seen.
    pub provider_seen: Option<Timestamp>,
    /// Nothing of it can be sent after this, in provider time: intent + 5 s + time-out, or, when its process
    /// is dead, the start of the next epoch. `None`: no provider time was known.
    pub deadline: Option<Timestamp>,
    /// Since when nobody knows, on the wall clock; `None` unless in doubt, or pending while looks make no sense or, without
    /// a `reason`, fail.
    pub doubt_since: Option<Timestamp>,
    /// The first complete empty scan that counts, in provider time, or, of one that is pending, the first look that
    /// did not find its charge; `None`: none yet.
    pub first_empty_scan: Option<Timestamp>,
    /// The last look-up, or the answer that it is pending, on the wall clock; `None`: none yet.
    pub looked_at: Option<Timestamp>,
    /// Where the customer must act; `None` unless pending for them.
    pub authorize_uri: Option<Arc<str>>,
    /// Reminders to act that were written for them.
    pub reminded: u32,
    /// Why it is in doubt, for a person, or pending without sense: in words.
    pub reason: Option<Arc<str>>,
}
