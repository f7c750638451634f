//! Lengths of time, counted by size: cheap enough to be always on, whoever measures them.
//!
//! Promises: noting one is three additions, without a lock and without memory of its own. Must never know what is
//! measured, or what time it is.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper ends of all classes but the last, in microseconds, each belonging to its class: from a commit on a good disk
/// to a call that runs into its time-out.
const ENDS_US: [u64; 18] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 5_000_000, 10_000_000, 30_000_000, 90_000_000,
];
/// The classes above, and one for all that took longer.
const CLASSES: usize = ENDS_US.len() + 1;

/// Counts lengths of time. Shared by reference; it only grows.
#[derive(Debug, Default)]
pub struct Histogram {
    classes: [AtomicU64; CLASSES],
    sum_us: AtomicU64,
}

impl Histogram {
    /// One more took so long.
    pub fn note(&self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let class = ENDS_US.partition_point(|end| *end < us);
        if let Some(count) = self.classes.get(class) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.sum_us.fetch_add(us, Ordering::Relaxed);
    }

    /// What was counted so far. While others note, the sum may be one ahead of the classes or behind them.
    pub fn seen(&self) -> Lengths {
        Lengths {
            classes: std::array::from_fn(|class| self.classes[class].load(Ordering::Relaxed)),
            sum: Duration::from_micros(self.sum_us.load(Ordering::Relaxed)),
        }
    }
}

/// What a [`Histogram`] counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lengths {
    classes: [u64; CLASSES],
    /// Of all of them.
    pub sum: Duration,
}

impl Lengths {
    /// How many there were.
    pub fn count(&self) -> u64 {
        self.classes.iter().sum()
    }

    /// Each class with its own count, the shortest first; `None` is the end of the last.
    pub fn classes(&self) -> impl Iterator<Item = (Option<Duration>, u64)> + '_ {
        let ends = ENDS_US.iter().map(|end| Some(Duration::from_micros(*end)));
        ends.chain([None]).zip(self.classes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_counted_in_the_class_it_ends_in() {
        let histogram = Histogram::default();
        for us in [0, 100, 101, 1_000_000, 90_000_001] {
            histogram.note(Duration::from_micros(us));
        }
        let seen = histogram.seen();
        let counted: Vec<_> = seen.classes().filter(|(_, count)| *count > 0).collect();
        let end = |us| Some(Duration::from_micros(us));
        assert_eq!(counted, [(end(100), 2), (end(250), 1), (end(1_000_000), 1), (None, 1)]);
        assert_eq!((seen.count(), seen.sum), (5, Duration::from_micros(91_000_202)));
    }

    #[test]
    fn the_ends_rise() {
        assert!(ENDS_US.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
