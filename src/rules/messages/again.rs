//! When a message that could not be delivered is tried again.

use jiff::{SignedDuration, Timestamp};

/// After each failed try, in minutes: a receiver that is being restarted, one that is being mended, one whose owner
/// sleeps. Two days and some hours in all.
const WAITS_MINUTES: [i64; 9] = [1, 5, 15, 60, 180, 360, 720, 720, 1_080];

/// The next try after `tries` of them failed, the last one now; `None`: it has been tried often enough.
pub fn next_delivery(tries: u32, now: Timestamp) -> Option<Timestamp> {
    let wait = WAITS_MINUTES.get(usize::try_from(tries.max(1) - 1).ok()?)?;
    now.checked_add(SignedDuration::from_mins(*wait)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end() {
        let from: Timestamp = "2026-11-21T00:00:00Z".parse().unwrap();
        let (mut now, mut tries, mut last) = (from, 0, SignedDuration::ZERO);
        loop {
            tries += 1;
            let Some(next) = next_delivery(tries, now) else { break };
            assert!(next.duration_since(now) >= last, "after {tries}");
            last = next.duration_since(now);
            now = next;
        }
        assert_eq!(tries, 10);
        assert_eq!(now.to_string(), "2026-11-23T04:21:00Z");
    }
}
