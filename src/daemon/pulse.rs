//! Tells work that goes on from work that hangs, so that the watchdog is fed only by the former.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::billing::{Part, Watch};

/// Told how far a run is, by the run.
#[derive(Debug, Default)]
pub struct Pulse {
    steps: AtomicU64,
    now: Mutex<Option<(Part, u64, Option<u64>)>>,
}

impl Pulse {
    /// The part under way with its steps so far and in all; `None`: no part is.
    pub fn now(&self) -> Option<(Part, u64, Option<u64>)> {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Steps since the program began.
    pub(super) fn steps(&self) -> u64 {
        self.steps.load(Ordering::Relaxed)
    }

    fn set(&self, now: Option<(Part, u64, Option<u64>)>) {
        self.steps.fetch_add(1, Ordering::Relaxed);
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }
}

impl Watch for Pulse {
    fn begin(&self, part: Part, total: Option<u64>) {
        self.set(Some((part, 0, total)));
    }

    fn advance(&self, steps: u64) {
        self.steps.fetch_add(steps, Ordering::Relaxed);
        if let Some((_, done, _)) = &mut *self.now.lock().unwrap_or_else(PoisonError::into_inner) {
            *done += steps;
        }
    }

    fn end(&self) {
        self.set(None);
    }
}

/// Everything that changes while work goes on: steps, requests, commits.
pub(super) type Signs = (u64, u64, u64);

/// Remembers when work last moved.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Heart {
    seen: Signs,
    since: Duration,
}

impl Heart {
    /// Whether all is well: nothing is under way, or it moved within `most_quiet`. `steady` is a clock that cannot jump.
    pub(super) fn beats(&mut self, busy: bool, signs: Signs, steady: Duration, most_quiet: Duration) -> bool {
        if !busy || signs != self.seen {
            *self = Self { seen: signs, since: steady };
        }
        steady.saturating_sub(self.since) <= most_quiet
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_that_does_not_move_stops_the_heart() {
        let mut heart = Heart::default();
        let most = Duration::from_secs(100);
        let s = Duration::from_secs;
        assert!(heart.beats(true, (1, 0, 0), s(1_000), most));
        assert!(heart.beats(true, (1, 0, 0), s(1_100), most));
        assert!(!heart.beats(true, (1, 0, 0), s(1_101), most), "hung");
        assert!(heart.beats(true, (1, 1, 0), s(1_102), most), "it moved after all");
        assert!(heart.beats(false, (1, 1, 0), s(9_000), most), "who waits may be quiet");
    }
}
