//! What the work counts of itself while it goes on, for machines that watch: waits for permits, slots in use.
//!
//! Promises: always on, a few additions each, only ever read by those who show it. No decision looks here.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::health::BookLook;
use crate::model::{Histogram, Lengths};

/// Counters of one process, over all its runs.
#[derive(Debug, Default)]
pub struct Meters {
    waits: Histogram,
    limited: AtomicU64,
    slots: AtomicU64,
    /// Not a count: what those who watch the book share.
    pub(super) book: BookLook,
}

impl Meters {
    /// A permit was waited for so long.
    pub(super) fn waited(&self, for_permit: Duration) {
        self.waits.note(for_permit);
    }

    /// The provider asked for patience (429).
    pub(super) fn limited(&self) {
        self.limited.fetch_add(1, Ordering::Relaxed);
    }

    /// So many places for a call are taken at this moment.
    pub(super) fn serving(&self, slots: usize) {
        self.slots.store(slots as u64, Ordering::Relaxed);
    }

    /// Waits for a permit, of those who had to wait.
    pub fn waits(&self) -> Lengths {
        self.waits.seen()
    }

    /// How often the provider asked for patience.
    pub fn refusals(&self) -> u64 {
        self.limited.load(Ordering::Relaxed)
    }

    /// Slots in use, of `BillingSettings::in_flight`.
    pub fn slots(&self) -> u64 {
        self.slots.load(Ordering::Relaxed)
    }
}
