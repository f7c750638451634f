//! The words of the house: every noun the other rooms speak, and nothing they do.
//!
//! Promises: no I/O, no clock, no async, no log. A value that can be constructed makes sense:
//! amounts are exact and never negative, ids are well-formed, a state is one of those drawn.
//! Must never know: who calls.

mod attempt;
mod counted;
mod cron;
mod customer;
mod declines;
mod event;
mod flag;
mod glance;
mod histogram;
mod ids;
mod interval;
mod invoice;
mod message;
mod money;
mod network;
mod outbox;
mod outcome;
mod pay_days;
mod plan;
mod report;
mod reversal;
pub mod settings;
mod shell;
mod snapshot;
mod subscription;
mod transition;
mod zone;

pub use attempt::{Attempt, AttemptStatus, Intent};
pub use counted::counted;
pub use cron::CronWords;
pub use customer::{CardSnapshot, CardWarning, CustomerSnapshot, CustomerState, Expiration, ExpirationError};
pub use declines::{DeclineRow, DeclineTable, DeclineWords};
pub use event::{Event, EventKind, NewEvent};
pub use flag::{Flag, FlagReason};
pub use glance::{CustomerGlance, SubscriptionGlance};
pub use histogram::{Histogram, Lengths};
pub use ids::{
    AttemptId, CardId, ChargeId, CustomerId, Epoch, IdError, IdempotencyKey, Installation, InvoiceId,
    PlanKey, PlanVersionId, RunId, SubscriptionId, Version,
};
pub use interval::{BillingPeriod, Interval, IntervalError, Unit};
pub use invoice::{Hold, Invoice, InvoiceStatus};
pub use message::{CardLook, Channel, Digest, Facts, Language, Message, MessageKind};
pub use money::{Currency, Money, MoneyError, Quantity};
pub use network::Network;
pub use outbox::{Contact, Delivered, Delivery, MessageMark, MessageState, OutboxRow, Posting, Recipient};
pub use outcome::{
    ChargeOrder, ChargeOutcome, ChargeRequest, ChargeSeen, Decline, DeclineClass, DeclineKind, NoAnswer,
    NotSent, Rejected, RejectedWhy, SeenStatus,
};
pub use pay_days::{DayRule, RetryDays};
pub use plan::{
    Curve, DunningPolicy, EndAction, KindPolicy, NewerPeriods, PlanTerms, PlanVersion, RetrySchedule, Wait,
    WaitUnit,
};
pub use report::{RunReport, StoppedBy};
pub use reversal::{Reversal, ReversalKind};
pub use shell::shell_word;
pub use snapshot::{CardDecline, OpenInvoice, Snapshot};
pub use subscription::{BackupCard, Pause, PausedBy, Subscription, SubscriptionStatus};
pub use transition::{Change, SkipReason, Transition};
pub use zone::{Zone, ZoneError, first_instant};

/// Makes an enum whose members are written as fixed words: in the book, in JSON and for people.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$doc])* $variant),+ }

        impl $name {
            /// Every member, in the order of their definition.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The fixed word.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The member of that word; `None` for any other text.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.word())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(self.word())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let word = <std::borrow::Cow<'de, str>>::deserialize(d)?;
                Self::from_word(&word).ok_or_else(|| {
                    serde::de::Error::custom(format!(
                        "found {word:?}, wanted one of {}",
                        [$($word),+].join(", ")
                    ))
                })
            }
        }
    };
}
pub(crate) use words;
