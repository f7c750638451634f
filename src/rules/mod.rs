//! Decisions, pure: what is due, what it costs, what follows an answer, when to try again.
//!
//! Promises: the same arguments give the same answer; nothing here waits, reads, writes or asks the time.
//! Must never know: effects of any kind.
//!
//! A decision takes a [`Snapshot`](crate::model::Snapshot) and the [`Circumstances`], works on a copy of the
//! snapshot, and hands out the difference as one [`Transition`](crate::model::Transition): [`prepare`] before
//! a charge, [`conclude`] after it.

mod ahead;
mod backup;
mod budget;
pub mod calendar;
mod card_watch;
mod cards;
mod circumstances;
pub mod commands;
mod conclude;
mod course;
mod curve;
pub mod declines;
pub mod doubt;
mod draft;
pub mod ending;
mod explain;
mod flags;
pub mod glance;
mod ladder;
mod life;
pub mod looks;
pub mod messages;
mod past;
pub mod pending;
mod prepare;
mod prepared;
mod queue;
pub mod recover;
pub mod reversal;
mod wake;
pub mod watch;

#[cfg(test)]
mod tests;

pub use ahead::{Ahead, ahead};
pub use circumstances::{Circumstances, Wire};
pub use conclude::{conclude, outcome_of};
pub use explain::{asked_try, next_steps};
pub use flags::unchargeable;
pub use past::{Past, past};
pub use prepare::{prepare, prepare_without_cards};
pub use prepared::{DoubtStep, Prepared, PreparedCharge, RuleError, Scan};
pub use queue::{missed_turn, next_try_at};
