//! Whether the wall clock is believed: it is held against the clock that cannot jump, each time anything is asked, and
//! a run that found it apart from the provider's says so.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// The wall clock may gain this much on the steady one.
const MOST_AHEAD: SignedDuration = SignedDuration::from_hours(1);
/// And lose this much.
const MOST_BEHIND: SignedDuration = SignedDuration::from_mins(5);

/// Follows the wall clock from a moment at which it was believed.
#[derive(Clone, Debug)]
pub(super) struct Trust {
    wall: Timestamp,
    steady: Duration,
    apart: Option<String>,
}

impl Trust {
    /// The wall clock is believed now.
    pub(super) const fn begin(wall: Timestamp, steady: Duration) -> Self {
        Self { wall, steady, apart: None }
    }

    /// The provider's clock says something else, in that sentence; until trust begins anew.
    pub(super) fn is_apart(&mut self, why: &str) {
        self.apart = Some(why.to_owned());
    }

    /// Why it is not believed any more; `None`: it is.
    pub(super) fn trouble(&self, wall: Timestamp, steady: Duration) -> Option<String> {
        let passed = SignedDuration::try_from(steady.saturating_sub(self.steady)).ok()?;
        let jump = wall.duration_since(self.wall).saturating_sub(passed);
        if jump <= MOST_AHEAD && jump >= -MOST_BEHIND {
            return self.apart.clone();
        }
        let way = if jump.is_positive() { "forward" } else { "back" };
        Some(format!(
            "the wall clock jumped {way} by {:#}: nothing is charged until it agrees with the provider's",
            SignedDuration::from_secs(jump.abs().as_secs())
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_forward_or_five_minutes_back_is_too_much() {
        let wall: Timestamp = "2026-11-21T00:00:00Z".parse().unwrap();
        let trust = Trust::begin(wall, Duration::from_secs(100));
        let after = |drift: i64| {
            let steady = Duration::from_secs(100 + 86_400);
            trust.trouble(wall + SignedDuration::from_secs(86_400 + drift), steady)
        };
        assert_eq!((after(0), after(3_600), after(-300)), (None, None, None));
        assert!(after(3_601).is_some_and(|why| why.contains("forward")));
        assert!(after(-301).is_some_and(|why| why.contains("back")));
    }

    #[test]
    fn a_provider_that_says_something_else_is_believed_until_it_agrees() {
        let wall: Timestamp = "2026-11-21T00:00:00Z".parse().unwrap();
        let mut trust = Trust::begin(wall, Duration::ZERO);
        trust.is_apart("two days");
        assert_eq!(trust.trouble(wall, Duration::ZERO).as_deref(), Some("two days"));
        trust = Trust::begin(wall, Duration::ZERO);
        assert_eq!(trust.trouble(wall, Duration::ZERO), None);
    }
}
