//! How many requests came, and how many a window takes.
//!
//! Promises: the window slides, which no way of counting is stricter than. Must never know what a request
//! asks.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// At most so many requests in any stretch of so many milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    pub requests: usize,
    pub window_ms: u64,
    /// Seconds for the `Retry-After` header; `None`: no such header, as the real API.
    #[serde(default)]
    pub retry_after: Option<u64>,
}

/// What came so far.
#[derive(Debug, Default)]
pub struct Traffic {
    pub requests: u64,
    pub refused: u64,
    accepted_at: VecDeque<u64>,
}

impl Traffic {
    /// Counts a request; false if the window is full.
    pub fn admit(&mut self, limit: Option<RateLimit>, steady_ms: u64) -> bool {
        self.requests += 1;
        let Some(limit) = limit else { return true };
        while self.accepted_at.front().is_some_and(|at| at.saturating_add(limit.window_ms) <= steady_ms) {
            self.accepted_at.pop_front();
        }
        if self.accepted_at.len() >= limit.requests {
            self.refused += 1;
            return false;
        }
        self.accepted_at.push_back(steady_ms);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_slides() {
        let limit = Some(RateLimit { requests: 2, window_ms: 100, retry_after: None });
        let mut traffic = Traffic::default();
        let admitted = [0, 50, 99, 100, 149, 150].map(|at| traffic.admit(limit, at));
        assert_eq!(admitted, [true, true, false, true, false, true]);
        assert_eq!((traffic.requests, traffic.refused), (6, 2));
    }
}
