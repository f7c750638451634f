//! The provider's clock, as far as we can tell it between two of its answers.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::clock::Clock;
use crate::rules::Wire;

/// Follows the provider's clock by its `Date` headers and our clock that cannot jump.
pub(super) struct ProviderTime {
    clock: Arc<dyn Clock>,
    seen: Mutex<Option<(Timestamp, Duration)>>,
}

impl ProviderTime {
    /// Nothing seen yet.
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, seen: Mutex::new(None) }
    }

    /// An answer carried that time. Earlier ones that arrive late are ignored.
    pub(super) fn saw(&self, provider_now: Option<Timestamp>) {
        let Some(now) = provider_now else { return };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.is_none_or(|(last, _)| now >= last) {
            *seen = Some((now, self.clock.steady()));
        }
    }

    /// Everything a decision may want to know of the wire's time, now.
    pub(super) fn wire(&self, timeout: SignedDuration) -> Wire {
        let seen = *self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let provider_now = seen.map(|(last, at)| {
            let passed = self.clock.steady().saturating_sub(at);
            // Headers have whole seconds, cut off: the true time may be a second later.
            let passed = SignedDuration::try_from(passed).unwrap_or(SignedDuration::ZERO);
            last.saturating_add(passed + SignedDuration::from_secs(1)).unwrap_or(last)
        });
        Wire { wall_at: self.clock.now(), provider_seen: seen.map(|(last, _)| last), provider_now, timeout }
    }
}
