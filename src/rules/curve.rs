//! The waits of an exponential dunning curve, computed by the `backoff` crate with our own numbers in.
//!
//! Promises: the same curve gives the same waits, each at least the first and at most the longest; after as many
//! as the curve has, none. The crate's jitter is off and its time limit unused: of its clock nothing is left in
//! the result.
//! Must never know: a zone, a subscription, a charge.

use std::time::Duration;

use backoff::ExponentialBackoffBuilder;
use backoff::backoff::Backoff as _;

use crate::model::Curve;

/// Added before a wait is cut to whole seconds: rounds, and lies off every wait that a curve gives exactly, so
/// that the last bits of a floating-point product cannot tip it.
const ROUNDING: Duration = Duration::from_nanos(567_890_123);

/// The wait after the `declines`th decline, in whole seconds; `None` when the curve has no more tries.
pub(super) fn wait_seconds(curve: &Curve, declines: u32) -> Option<u64> {
    if declines == 0 || declines > curve.attempts {
        return None;
    }
    let longest = curve.longest.seconds();
    let mut waits = ExponentialBackoffBuilder::new()
        .with_initial_interval(Duration::from_secs(curve.first.seconds().min(longest)))
        .with_multiplier(multiplier(curve))
        .with_max_interval(Duration::from_secs(longest))
        .with_randomization_factor(0.0)
        .with_max_elapsed_time(None)
        .build();
    let wait = (0..declines).try_fold(Duration::ZERO, |_, _| waits.next_backoff())?;
    Some(wait.saturating_add(ROUNDING).as_secs().min(longest))
}

#[expect(clippy::float_arithmetic, reason = "a factor between waits, as the calculator wants it; not money")]
fn multiplier(curve: &Curve) -> f64 {
    f64::from(curve.multiplier_milli.max(1_000)) / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(first: &str, multiplier_milli: u32, longest: &str, attempts: u32) -> Curve {
        Curve { first: first.parse().unwrap(), multiplier_milli, longest: longest.parse().unwrap(), attempts }
    }

    #[test]
    fn waits_grow_to_the_longest_and_end() {
        let doubling = curve("1 day", 2_000, "7 days", 5);
        let days: Vec<_> = (1..=6).map(|n| wait_seconds(&doubling, n).map(|s| s / 86_400)).collect();
        assert_eq!(days, [Some(1), Some(2), Some(4), Some(7), Some(7), None]);
        assert_eq!(wait_seconds(&doubling, 0), None);
    }

    #[test]
    fn a_wait_is_the_same_each_time_it_is_asked() {
        let odd = curve("1 minute", 1_025, "1 hour", 200);
        for n in 1..=200 {
            let first = wait_seconds(&odd, n);
            assert!((0..20).all(|_| wait_seconds(&odd, n) == first), "after {n} declines");
        }
        assert_eq!(wait_seconds(&odd, 2), Some(62), "61.5 s, always cut the same way");
    }

    #[test]
    fn a_first_wait_above_the_longest_is_cut() {
        assert_eq!(wait_seconds(&curve("2 weeks", 1_000, "1 day", 3), 1), Some(86_400));
    }
}
