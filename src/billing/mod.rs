//! The work: loads what is due, lets the rules decide, makes intents durable, sends each once, keeps every result.
//!
//! Promises: no request without a durable intent; no result dropped; old doubt is looked at before anything new
//! is sent; one bad subscription never stops the rest.
//! Must never know: Omise, SQL, cron, HTML, TOML.

pub mod adopt;
mod aside;
pub mod behind;
mod brakes;
pub mod card_seen;
pub mod card_watch;
mod cards;
pub mod care;
mod charge;
mod doubt;
mod dry;
mod ease;
mod error;
pub mod forecast;
pub mod health;
mod hold;
pub mod import;
pub mod jump;
pub mod kind;
mod left;
mod listing;
mod meters;
pub mod offer;
pub mod only;
pub mod orders;
pub mod outbox;
mod pace;
mod pages;
pub mod plans;
pub mod reconcile;
pub mod recover;
pub mod requests;
pub mod reversal;
pub mod rings;
mod run;
mod serve;
mod serving;
mod tally;
mod time;
mod turns;
pub mod webhooks;
pub mod why;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::gateway::Gateway;
use crate::model::settings::{Brakes, Budgets, Cards, CatchUp, Doubt, ThreeDs};
use crate::model::{CustomerId, DeclineTable, Money, PlanKey, SubscriptionId, Zone};
use crate::store::{Filter, Lane};

pub use card_seen::{CardSeen, card_seen};
pub use ease::Speed;
pub use error::RunError;
pub use hold::is_apart;
pub use meters::Meters;
pub use pace::RatePerSecond;
pub use run::run;

/// What billing wishes, from the config.
#[derive(Clone, Debug)]
pub struct BillingSettings {
    /// The book's zone.
    pub zone: Zone,
    /// Freshness of cards.
    pub cards: Cards,
    /// Settling of doubt.
    pub doubt: Doubt,
    /// Charges that wait for their customer.
    pub three_ds: ThreeDs,
    /// Missed periods.
    pub catch_up: CatchUp,
    /// How a bank's "no" is read.
    pub declines: Arc<DeclineTable>,
    /// How often a card may be tried.
    pub budgets: Budgets,
    /// What stops a run.
    pub brakes: Brakes,
    /// Charges under way at once, 1 or more.
    pub in_flight: usize,
    /// Requests per second, over all of them.
    pub rate: RatePerSecond,
    /// One call's total time-out.
    pub timeout: SignedDuration,
    /// What is sold, by plan: a run that finds one which the account cannot charge does not begin. Empty: they were
    /// held against its limits before.
    pub prices: Vec<(PlanKey, Money)>,
}

/// The work with all it works on.
#[derive(Clone)]
pub struct Billing {
    /// The book.
    pub lane: Lane,
    /// The bank's door.
    pub gateway: Arc<dyn Gateway>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The wishes.
    pub settings: Arc<BillingSettings>,
    /// Told how far a run is.
    pub watch: Arc<dyn Watch>,
    /// What the work counts of itself.
    pub meters: Arc<Meters>,
    /// Asks a run to stop taking work.
    pub stop: CancellationToken,
    /// Whether the pause file exists now.
    pub paused: Arc<dyn Fn() -> bool + Send + Sync>,
}

/// What a run was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunOrder {
    /// The billing instant; `None`: now.
    pub at: Option<Timestamp>,
    /// Decide, but send and write nothing: each charge is taken to succeed.
    pub dry_run: bool,
    /// Nothing else.
    pub only: Option<Only>,
    /// Nobody asked for it: what waits for a customer is asked for in its turn, with growing waits.
    pub routine: bool,
    /// At most this many charges; `None`: no limit but the brakes.
    pub limit: Option<u64>,
}

/// What a run is narrowed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Only {
    /// One subscription.
    Subscription(SubscriptionId),
    /// All of one customer.
    Customer(CustomerId),
}

impl Only {
    /// The same as what a list is narrowed to.
    fn filter(&self) -> Filter {
        match self.clone() {
            Self::Subscription(id) => Filter { subscription: Some(id), ..Filter::default() },
            Self::Customer(id) => Filter { customer: Some(id), ..Filter::default() },
        }
    }
}

/// Is told how far a run is. Never asked anything.
pub trait Watch: Send + Sync {
    /// A part of the run begins; `total` steps, if they can be counted.
    fn begin(&self, part: Part, total: Option<u64>);
    /// So many steps more are done.
    fn advance(&self, steps: u64);
    /// The part is done.
    fn end(&self);
}

/// Parts of a run that take time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Looking through the provider's charges for doubtful attempts.
    Doubt,
    /// Reading customers and their cards.
    Cards,
    /// Charging.
    Charges,
}

impl Part {
    /// Its name between processes.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Doubt => "doubt",
            Self::Cards => "cards",
            Self::Charges => "charges",
        }
    }

    /// The part of that name; `None`: there is none.
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::Doubt, Self::Cards, Self::Charges].into_iter().find(|part| part.word() == word)
    }
}

/// Nobody watches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn begin(&self, _: Part, _: Option<u64>) {}
    fn advance(&self, _: u64) {}
    fn end(&self) {}
}
