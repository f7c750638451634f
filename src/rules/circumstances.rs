//! What a decision is told about the world besides its snapshot.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::model::settings::{AccountLimits, Budgets, Cards, CatchUp, Doubt};
use crate::model::{Currency, DeclineTable, Epoch, Installation, Money, Zone};

/// What a decision is told about the world besides its snapshot.
#[derive(Clone, Debug)]
pub struct Circumstances {
    /// The billing instant, whole seconds.
    pub at: Timestamp,
    /// The later of `at` and the wall clock with a live key, else `at`, in whole seconds: what budgets, waits after a
    /// decline and the turns of missed periods count from, so that a run dated back with real money takes nothing twice.
    pub budget_now: Timestamp,
    /// Whether the book is charged with live keys.
    pub live: bool,
    /// The book's zone: days of brakes.
    pub book_zone: Zone,
    /// Of the book.
    pub installation: Installation,
    /// Of this process; `None` for what does not charge.
    pub epoch: Option<Epoch>,
    /// What the account may charge.
    pub limits: AccountLimits,
    /// How fresh snapshots must be.
    pub cards: Cards,
    /// How doubt settles.
    pub doubt: Doubt,
    /// When catching up waits for a person.
    pub catch_up: CatchUp,
    /// How a bank's "no" is read.
    pub declines: Arc<DeclineTable>,
    /// How often a card may be tried.
    pub budgets: Budgets,
    /// Most per customer and day, by currency; absent: no such brake.
    pub customer_day: BTreeMap<Currency, Money>,
    /// The wire's own time.
    pub wire: Wire,
}

/// The wire's own time at a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wire {
    /// Our wall clock.
    pub wall_at: Timestamp,
    /// The last provider time seen; `None`: none yet.
    pub provider_seen: Option<Timestamp>,
    /// The provider's clock now, as far as we can tell; `None`: no time of theirs was seen.
    pub provider_now: Option<Timestamp>,
    /// One call's total time-out.
    pub timeout: SignedDuration,
}

impl Wire {
    /// A request older than this since its intent commit is not sent any more.
    pub const SEND_WITHIN: SignedDuration = SignedDuration::from_secs(5);

    /// The last moment, in provider time, at which a request intended now can reach the provider.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.provider_now
            .and_then(|now| now.checked_add(Self::SEND_WITHIN).ok()?.checked_add(self.timeout).ok())
    }
}
