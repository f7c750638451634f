//! What the pretend provider remembers, and the means to remember it: shelves, ids, clock, ledger, journal.

pub mod bank;
pub mod faults;
pub mod idempotency;
pub mod ids;
pub mod journal;
pub mod keys;
pub mod ledger;
pub mod rules;
pub mod seed;
pub mod shelf;
pub mod time;
pub mod traffic;
pub mod world;
