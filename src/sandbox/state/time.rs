//! The sandbox's own clock: real time moved by a distance that tests set, or held still.
//!
//! Promises: every instant the sandbox shows comes from here. Must never know who asks.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::clock::{Clock, SystemClock};

/// The one place of this room that asks for real time.
fn real_ms() -> i64 {
    SystemClock.now().as_millisecond()
}

/// How far the sandbox's time is from real time, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SandboxTime {
    ahead_ms: i64,
    /// Milliseconds since 1970 at which time stands still; `None` while it flows.
    held_ms: Option<i64>,
}

impl SandboxTime {
    /// Milliseconds since 1970. Instants before 1970 read as 1970.
    pub fn now_ms(self) -> u64 {
        let ms = self.held_ms.unwrap_or_else(|| real_ms().saturating_add(self.ahead_ms));
        u64::try_from(ms).unwrap_or(0)
    }

    /// Moves to an instant; time flows on from there, or stands still.
    pub fn set(&mut self, instant: Timestamp, hold: bool) {
        let ms = instant.as_millisecond();
        self.ahead_ms = ms.saturating_sub(real_ms());
        self.held_ms = hold.then_some(ms);
    }

    /// Moves by a distance, forwards or back.
    pub fn advance(&mut self, seconds: i64) {
        let ms = seconds.saturating_mul(1000);
        self.ahead_ms = self.ahead_ms.saturating_add(ms);
        self.held_ms = self.held_ms.map(|held| held.saturating_add(ms));
    }

    /// Back to real time.
    pub fn follow_real_time(&mut self) {
        *self = Self::default();
    }
}

/// Milliseconds on a clock that cannot jump, for rates.
pub fn steady_ms() -> u64 {
    u64::try_from(SystemClock.steady().as_millis()).unwrap_or(u64::MAX)
}

/// `YYYY-MM-DDThh:mm:ssZ`, the form of every instant the API shows.
pub fn show(seconds: i64) -> String {
    Timestamp::from_second(seconds).map(|instant| instant.to_string()).unwrap_or_default()
}

/// Reads an instant as clients send it: RFC 3339, or a plain date meaning its first instant in UTC.
pub fn read(text: &str) -> Option<Timestamp> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(instant);
    }
    let date: jiff::civil::Date = text.parse().ok()?;
    date.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// A span of milliseconds as tokio wants it.
pub fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}
