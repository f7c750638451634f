//! The API's objects as types, in version 2019-05-29.
//!
//! Promises: fields that the API adds are ignored, words that it adds become `Other`, and what it may leave
//! out or null is an `Option` or has a neutral value; so an answer is refused only when it lacks what makes
//! it that object (its id, an amount, a status). Amounts are integers of the currency's smallest unit.
//! Must never know how an object was fetched.

mod account;
mod card;
mod charge;
mod customer;
mod customer_cards;
mod event;
mod lenient;
mod list;
mod schedule;
mod search;
mod token;
mod words;

pub use account::{Account, AmountLimits, Balance, Capability, CapabilityLimits, PaymentMethod};
pub use card::Card;
pub use charge::{Charge, ChargeStatus, Refund, TransactionFees};
pub use customer::Customer;
pub use customer_cards::{CardFace, CardFaces, CustomerCards, LinkedCard, Text};
pub use event::{Event, WebhookDelivery};
pub use lenient::{Expandable, HasId};
pub use list::List;
pub use schedule::{Occurrence, OccurrenceStatus, Schedule, ScheduleStatus, ScheduledCharge};
pub use search::{Search, SearchScope};
pub use token::Token;
pub(super) use words::words;

/// Free key and value pairs attached to an object: a JSON object, `{}` when nothing was attached.
pub type Metadata = serde_json::Map<String, serde_json::Value>;

/// Names the word in an object's `object` field; with `id`, says that it has one.
macro_rules! api_object {
    ($type:ty => $word:literal) => {
        impl crate::omise::ApiObject for $type {
            const OBJECT: &'static str = $word;
            fn object(&self) -> &str {
                &self.object
            }
        }
    };
    ($type:ty => $word:literal, id) => {
        crate::omise::objects::api_object!($type => $word);
        impl crate::omise::HasId for $type {
            fn id(&self) -> &str {
                &self.id
            }
        }
    };
}
use api_object;
