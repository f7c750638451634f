//! Whether the wall clock is believed: it is held against the clock that cannot jump, each time anything is asked, and
//! a run that found it apart from the provider's says so.

use crate::billing::jump::{self, Since};
use crate::clock::Clock;

/// Follows the wall clock from a moment at which it was believed.
#[derive(Clone, Debug)]
pub(super) struct Trust {
    since: Since,
    apart: Option<String>,
}

impl Trust {
    /// The wall clock was believed then.
    pub(super) const fn begin(since: Since) -> Self {
        Self { since, apart: None }
    }

    /// The provider's clock says something else, in that sentence; until trust begins anew.
    pub(super) fn is_apart(&mut self, why: &str) {
        self.apart = Some(why.to_owned());
    }

    /// Why it is not believed any more; `None`: it is.
    pub(super) fn trouble(&self, clock: &dyn Clock) -> Option<String> {
        let Some(jump) = self.since.jump(clock) else { return self.apart.clone() };
        let jump = jump::in_words(jump);
        Some(format!("the wall clock jumped {jump}: nothing is charged until it agrees with the provider's"))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::*;

    /// A wall clock that says so, beside a steady one that stands still.
    struct Wall(Timestamp);

    impl Clock for Wall {
        fn now(&self) -> Timestamp {
            self.0
        }
        fn steady(&self) -> Duration {
            Duration::ZERO
        }
    }

    #[test]
    fn a_provider_that_says_something_else_is_believed_until_it_agrees() {
        let wall = Wall("2026-11-21T00:00:00Z".parse().unwrap());
        let mut trust = Trust::begin(Since::now(&wall));
        trust.is_apart("two days");
        assert_eq!(trust.trouble(&wall).as_deref(), Some("two days"));
        let jumped = Wall("2026-11-20T00:00:00Z".parse().unwrap());
        assert!(trust.trouble(&jumped).is_some_and(|why| why.contains("jumped back by 24h")));
        trust = Trust::begin(Since::now(&wall));
        assert_eq!(trust.trouble(&wall), None);
    }
}
