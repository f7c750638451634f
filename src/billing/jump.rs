//! Whether the wall clock went on as the clock that cannot jump did, since a moment at which it was believed.
//!
//! Must never know: what is done about it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::hold::is_apart;
use crate::clock::Clock;

/// A moment at which the wall clock was believed.
#[derive(Clone, Copy, Debug)]
pub struct Since {
    wall: Timestamp,
    steady: Duration,
}

impl Since {
    /// Now, by both clocks.
    pub fn now(clock: &dyn Clock) -> Self {
        Self { wall: clock.now(), steady: clock.steady() }
    }

    /// How far the wall clock jumped since, where that is as much as keeps a run from charging: more than an hour forward,
    /// or five minutes back, which is negative; `None`: it is not.
    pub fn jump(&self, clock: &dyn Clock) -> Option<SignedDuration> {
        let (wall, steady) = (clock.now(), clock.steady());
        let passed = SignedDuration::try_from(steady.saturating_sub(self.steady)).ok()?;
        let jump = wall.duration_since(self.wall).saturating_sub(passed);
        is_apart(jump).then_some(jump)
    }
}

/// A jump in words: which way, and how far.
pub fn in_words(jump: SignedDuration) -> String {
    let way = if jump.is_positive() { "forward" } else { "back" };
    format!("{way} by {:#}", SignedDuration::from_secs(jump.abs().as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two clocks that stand still.
    struct Still(Timestamp, Duration);

    impl Clock for Still {
        fn now(&self) -> Timestamp {
            self.0
        }
        fn steady(&self) -> Duration {
            self.1
        }
    }

    #[test]
    fn an_hour_forward_or_five_minutes_back_is_too_much() {
        let wall: Timestamp = "2026-11-21T00:00:00Z".parse().unwrap();
        let since = Since::now(&Still(wall, Duration::from_secs(100)));
        let after = |drift: i64| {
            let passed = SignedDuration::from_secs(86_400 + drift);
            since.jump(&Still(wall + passed, Duration::from_secs(100 + 86_400)))
        };
        assert_eq!((after(0), after(3_600), after(-300)), (None, None, None));
        assert_eq!(after(3_601).map(in_words).as_deref(), Some("forward by 1h 1s"));
        assert_eq!(after(-301).map(in_words).as_deref(), Some("back by 5m 1s"));
    }
}
