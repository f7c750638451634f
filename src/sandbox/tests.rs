//! The sandbox over real HTTP, spoken to by a client of a few lines.

mod account;
mod bank;
mod cards;
mod client;
mod errors;
mod events;
mod life;
mod loads;
mod schedules;
mod switches;

use super::{Fates, SandboxOptions};

/// Options of an empty world in memory.
fn empty() -> SandboxOptions {
    SandboxOptions::default()
}

/// Options of a world with so many customers of all fates.
fn seeded(customers: u32) -> SandboxOptions {
    SandboxOptions { customers, fates: Fates::Mixed, ..SandboxOptions::default() }
}
