//! The bank's door: turns "charge this" into a call, and its answer into one of our outcomes.
//!
//! Promises: every way the world can answer is a case; nothing is ever sent twice by this room.
//! Must never know: the store, the rules, why a charge is made.

mod access;
mod all_cards;
mod classify;
mod contact;
mod error;
mod omise;
mod seen;
pub mod webhooks;
mod words;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::settings::AccountLimits;
use crate::model::{
    CardId, CardSnapshot, ChargeId, ChargeOrder, ChargeOutcome, ChargeRequest, ChargeSeen, Contact,
    CustomerId, Lengths,
};

pub use access::{Access, AccessError};
pub use error::GatewayError;
pub use omise::OmiseGateway;

/// A boxed answer to come.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What the provider says of the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountFacts {
    /// Of the keys.
    pub livemode: bool,
    /// What it may charge.
    pub limits: AccountLimits,
    /// In provider time, from the `Date` header; `None`: none was sent.
    pub provider_now: Option<Timestamp>,
}

/// How a charge was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charged {
    /// What the world answered.
    pub outcome: ChargeOutcome,
    /// The `Date` header; `None`: none was sent.
    pub provider_now: Option<Timestamp>,
}

/// What was read of a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CustomerRead {
    /// The provider has them.
    Present(CustomerFacts),
    /// Deleted, or never there.
    Gone,
}

/// A customer at the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerFacts {
    /// Which.
    pub id: CustomerId,
    /// `None`: none.
    pub default_card: Option<CardId>,
    /// All saved cards.
    pub cards: Vec<CardSnapshot>,
}

/// A page of the provider's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// Its rows.
    pub rows: Vec<T>,
    /// Rows of the whole window, now.
    pub total: u64,
    /// The `Date` header; `None`: none was sent.
    pub provider_now: Option<Timestamp>,
}

/// A window of the provider's charges by creation, in provider time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Not earlier.
    pub from: Timestamp,
    /// Not later.
    pub to: Timestamp,
}

/// How long calls took, answered or not: connecting, sending, and waiting for the last byte of the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// Charges, each sent once.
    pub charges: Lengths,
    /// Reads, with their repetitions and the waits between those.
    pub reads: Lengths,
}

/// The bank's door.
pub trait Gateway: Send + Sync {
    /// Reads the account: proves the keys, learns mode, limits and provider time.
    fn account(&self) -> Answer<'_, Result<AccountFacts, GatewayError>>;

    /// One cheap read that shows whether the provider answers and takes the key.
    fn ping(&self) -> Answer<'_, Result<(), GatewayError>>;

    /// The exact body of that order: the same for the same order, always.
    fn body(&self, order: &ChargeOrder) -> Arc<str>;

    /// Sends one charge, once. `still_allowed` is asked as the last act before the request: `false` sends nothing.
    fn charge<'a>(
        &'a self,
        request: &'a ChargeRequest,
        still_allowed: &'a (dyn Fn() -> bool + Sync),
    ) -> Answer<'a, Charged>;

    /// One charge as the provider shows it; `None`: it has no such charge.
    fn charge_seen<'a>(
        &'a self,
        charge: &'a ChargeId,
    ) -> Answer<'a, Result<Option<ChargeSeen>, GatewayError>>;

    /// What the event of that id, as the provider keeps it, is about; `None`: it has no such event.
    fn event<'a>(&'a self, id: &'a str) -> Answer<'a, Result<Option<webhooks::News>, GatewayError>>;

    /// Ends a pending charge before its time, and answers what became of it: one that succeeded meanwhile stays so.
    /// `None`: it has no such charge.
    fn expire<'a>(&'a self, charge: &'a ChargeId) -> Answer<'a, Result<Option<ChargeSeen>, GatewayError>>;

    /// A page of charges of the window, oldest first, from `offset`, at most 100.
    fn charges(&self, window: Window, offset: u64) -> Answer<'_, Result<Page<ChargeSeen>, GatewayError>>;

    /// One customer with all their cards, read now: one request, and one for each hundred cards where they have more than
    /// the first answer shows.
    fn customer<'a>(&'a self, id: &'a CustomerId) -> Answer<'a, Result<CustomerRead, GatewayError>>;

    /// Where one customer is reached, read now; `None`: they are gone, or gave no address.
    fn contact<'a>(&'a self, id: &'a CustomerId) -> Answer<'a, Result<Option<Contact>, GatewayError>>;

    /// A page of customers, oldest first, created not later than `to`, from `offset`, at most 100. One of whose cards the
    /// page shows only some is not among its rows: they must be read singly.
    fn customers(&self, to: Timestamp, offset: u64) -> Answer<'_, Result<Page<CustomerFacts>, GatewayError>>;

    /// Requests made so far by this gateway, retried reads counted each.
    fn calls(&self) -> u64;

    /// How long its calls took so far.
    fn latency(&self) -> Latency;
}
