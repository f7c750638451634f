//! Another way to run the house: months of a book in minutes, against the pretend Omise, with customers whose cards
//! fail for reasons that nobody sees and that end as such reasons do.
//!
//! The billing is the real one, over a book in memory and real HTTP on loopback; time is told, never waited for. What
//! is made up are the customers: shares and hazards from published figures, which disagree with each other, so that
//! what comes out compares policies under stated assumptions and predicts nothing.
//!
//! Promises: at the end book and ledger agree, nobody was charged twice, no period was missed, or there is no result;
//! the same seed gives the same customers to every policy. Must never know: real time, real networks, what a command
//! prints.

mod card;
mod chance;
mod hand;
mod issuer;
mod judge;
mod payday;
mod scenario;
mod tally;
mod year;

use thiserror::Error;

use crate::billing::import::ImportError;
use crate::billing::{BillingSettings, RunError};
use crate::gateway::AccessError;
use crate::model::{PlanKey, PlanTerms, StoppedBy};
use crate::sandbox::SandboxError;
use crate::store::{LaneClosed, StoreError};

pub use scenario::Scenario;
pub use tally::Recovery;
pub use year::simulate;

/// What is played.
#[derive(Clone, Debug)]
pub struct Play {
    /// What billing wishes; its zone is the book's.
    pub settings: BillingSettings,
    /// The one plan of the book. Its dunning policy is what is compared.
    pub plan: (PlanKey, PlanTerms),
    /// Subscriptions, one for each customer, begun over the first thirty days.
    pub subscriptions: u32,
    /// Days from the first subscription's start to the end.
    pub days: u32,
    /// Why charges fail.
    pub scenario: Scenario,
    /// All chance follows from it.
    pub seed: u64,
}

/// Why there is no result.
#[derive(Debug, Error)]
pub enum SimulatorError {
    /// The pretend Omise.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The way to it.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The book.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The book's thread is gone: a fault of ours.
    #[error(transparent)]
    Lane(#[from] LaneClosed),
    /// The subscriptions to begin with.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// A run that could not be made.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A run that did not come to its end.
    #[error("the run of {at} was stopped by {}", .why.word())]
    Stopped {
        /// Its instant.
        at: jiff::Timestamp,
        /// What stopped it.
        why: StoppedBy,
    },
    /// Days that the calendar does not have.
    #[error("{0}")]
    Calendar(String),
    /// Book and ledger, or book and calendar, differ.
    #[error("{} disagreements, the first: {}", .0.len(), .0.first().map_or("", String::as_str))]
    Disagree(Vec<String>),
}
