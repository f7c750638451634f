//! The only file that reads the system clock. Everyone else is told the time. The test-suite's own binary can be
//! made to leap ahead; a shipped one cannot.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::hooks::clock_ahead;

/// Tells the time. Cheap, never blocks.
pub trait Clock: Send + Sync {
    /// The wall clock, to whole milliseconds. It may jump.
    fn now(&self) -> Timestamp;

    /// Time since some fixed moment, on a clock that cannot jump and counts sleep of the machine.
    fn steady(&self) -> Duration;
}

/// The machine's own clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        let now = now.checked_add(clock_ahead()).unwrap_or(now);
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    fn steady(&self) -> Duration {
        let boot = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let boot =
            Duration::new(u64::try_from(boot.tv_sec).unwrap_or(0), u32::try_from(boot.tv_nsec).unwrap_or(0));
        boot + clock_ahead()
    }
}

/// Measures how long something took; for reports, never for decisions.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[expect(clippy::disallowed_methods, reason = "the one stopwatch")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Since the start.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    /// Since the start, in whole milliseconds.
    pub fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
