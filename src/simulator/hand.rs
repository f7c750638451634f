//! A clock that is moved by hand.
//!
//! Promises: the wall clock stands still between two moves. The steady clock passes by being read, a microsecond each
//! time: whoever spaces work by it gets on, and two plays read it alike. Must never know real time.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::Clock;

/// See the file's head.
#[derive(Debug)]
pub struct Hand {
    wall_ms: AtomicI64,
    read: AtomicU64,
}

impl Hand {
    /// At that instant.
    pub fn at(now: Timestamp) -> Self {
        Self { wall_ms: AtomicI64::new(now.as_millisecond()), read: AtomicU64::new(1) }
    }

    /// Moves on; the steady clock moves as far.
    pub fn move_to(&self, now: Timestamp) {
        let before = self.wall_ms.swap(now.as_millisecond(), Ordering::SeqCst);
        let passed_ms = u64::try_from(now.as_millisecond().saturating_sub(before)).unwrap_or(0);
        self.read.fetch_add(passed_ms.saturating_mul(1_000), Ordering::SeqCst);
    }
}

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.wall_ms.load(Ordering::SeqCst)).unwrap_or(Timestamp::MAX)
    }

    fn steady(&self) -> Duration {
        Duration::from_micros(self.read.fetch_add(1, Ordering::SeqCst))
    }
}
