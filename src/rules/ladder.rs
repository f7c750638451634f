//! When a declined invoice is tried again: the policy's waits, put on the subscription's own calendar.
//!
//! A wait of whole days counts calendar days in the subscription's zone and ends at the policy's local time, or at
//! the local time of day of the first try. Where the policy names a time, that time is kept to the second: the
//! operator chose it, and the rate limit spreads the load. Where it names none, first tries share midnight, so a
//! retry is moved later by up to ten minutes, always the same for one subscription. Shorter waits are exact.
//! Must never know: budgets, cards, what a decline means.

use jiff::civil::Time;
use jiff::{SignedDuration, Span, Timestamp};
use sha2::{Digest as _, Sha256};

use super::curve;
use crate::model::{DunningPolicy, RetrySchedule, SubscriptionId, WaitUnit, Zone, first_instant};

/// Retries without a named time are spread over as many seconds.
const SPREAD_SECONDS: u64 = 600;
const DAY_SECONDS: u64 = 86_400;

/// What a retry's instant depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rung<'a> {
    /// The invoice's own.
    pub policy: &'a DunningPolicy,
    /// Whose calendar.
    pub zone: &'a Zone,
    /// Whose retry.
    pub subscription: &'a SubscriptionId,
    /// When the invoice was first tried.
    pub first_try: Timestamp,
    /// When it was declined last.
    pub declined_at: Timestamp,
    /// Declines of the invoice so far, this one included.
    pub declines: u32,
}

/// A wait as it is put on the calendar.
enum Length {
    Days(u32),
    Seconds(u64),
}

impl Rung<'_> {
    /// When to try again; `None`: the policy has no more tries, or the calendar no more years.
    pub fn next_try(&self) -> Option<Timestamp> {
        match self.length()? {
            Length::Seconds(seconds) => {
                self.declined_at.checked_add(SignedDuration::from_secs(i64::try_from(seconds).ok()?)).ok()
            }
            Length::Days(days) => self.days_later(days),
        }
    }

    fn length(&self) -> Option<Length> {
        match &self.policy.retry {
            RetrySchedule::Ladder(waits) => {
                let place = usize::try_from(self.declines.checked_sub(1)?).ok()?;
                let wait = waits.get(place)?;
                Some(match wait.unit() {
                    WaitUnit::Day => Length::Days(wait.count()),
                    WaitUnit::Week => Length::Days(wait.count() * 7),
                    WaitUnit::Minute | WaitUnit::Hour => Length::Seconds(wait.seconds()),
                })
            }
            RetrySchedule::Curve(curve) => {
                let seconds = curve::wait_seconds(curve, self.declines)?;
                let whole_days = u32::try_from(seconds / DAY_SECONDS).ok()?;
                Some(if seconds % DAY_SECONDS == 0 {
                    Length::Days(whole_days)
                } else {
                    Length::Seconds(seconds)
                })
            }
        }
    }

    fn days_later(&self, days: u32) -> Option<Timestamp> {
        let day = self.zone.date(self.declined_at).checked_add(Span::new().try_days(days).ok()?).ok()?;
        let local: Time = self.policy.at.unwrap_or_else(|| self.zone.at(self.first_try).time());
        let instant = first_instant(day.to_datetime(local), self.zone).ok()?;
        let later = if self.policy.at.is_some() { 0 } else { self.jitter_seconds() };
        instant.checked_add(SignedDuration::from_secs(later)).ok()
    }

    /// 0 to 599, always the same for one subscription.
    fn jitter_seconds(&self) -> i64 {
        let digest = Sha256::digest(self.subscription.as_str());
        let number = digest[..8].iter().fold(0_u64, |n, byte| (n << 8) | u64::from(*byte));
        i64::try_from(number % SPREAD_SECONDS).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{EndAction, Wait};

    fn policy(waits: &[&str], at: Option<Time>) -> DunningPolicy {
        let waits: Vec<Wait> = waits.iter().map(|w| w.parse().unwrap()).collect();
        DunningPolicy::plain("t".into(), RetrySchedule::Ladder(waits), at, EndAction::Pause)
    }

    fn next(policy: &DunningPolicy, zone: &str, first: &str, last: &str, count: u32) -> Option<String> {
        Rung {
            policy,
            zone: &Zone::parse(zone).unwrap(),
            subscription: &SubscriptionId::parse("sub_1").unwrap(),
            first_try: first.parse().unwrap(),
            declined_at: last.parse().unwrap(),
            declines: count,
        }
        .next_try()
        .map(|t| t.to_string())
    }

    #[test]
    fn whole_days_end_at_the_local_hour_of_the_policy() {
        let p = policy(&["2 days", "1 week"], Some(Time::constant(9, 0, 0, 0)));
        let first = "2026-03-01T00:00:00Z";
        assert_eq!(next(&p, "Asia/Bangkok", first, first, 1).unwrap(), "2026-03-03T02:00:00Z");
        assert_eq!(
            next(&p, "Asia/Bangkok", first, "2026-03-03T02:00:00Z", 2).unwrap(),
            "2026-03-10T02:00:00Z"
        );
        assert_eq!(next(&p, "Asia/Bangkok", first, first, 3), None);
    }

    #[test]
    fn a_local_hour_that_the_clocks_skip_becomes_the_first_after_it() {
        let p = policy(&["1 day"], Some(Time::constant(2, 30, 0, 0)));
        let at = "2026-03-07T15:00:00Z";
        assert_eq!(next(&p, "America/New_York", at, at, 1).unwrap(), "2026-03-08T07:00:00Z");
    }

    #[test]
    fn without_an_hour_the_first_try_gives_it_and_the_same_minutes_are_added_each_time() {
        let p = policy(&["1 day", "2 days"], None);
        let first = "2026-03-01T17:00:00Z";
        let one: Timestamp = next(&p, "Asia/Bangkok", first, first, 1).unwrap().parse().unwrap();
        let two: Timestamp = next(&p, "Asia/Bangkok", first, &one.to_string(), 2).unwrap().parse().unwrap();
        let exact: Timestamp = "2026-03-02T17:00:00Z".parse().unwrap();
        let late = one.duration_since(exact).as_secs();
        assert!((0..600).contains(&late), "{late}");
        assert_eq!(two.duration_since(one).as_hours(), 48);
    }

    #[test]
    fn shorter_waits_are_exact() {
        let p = policy(&["6 hours"], Some(Time::constant(9, 0, 0, 0)));
        let at = "2026-03-07T15:00:01Z";
        assert_eq!(next(&p, "Asia/Tokyo", at, at, 1).unwrap(), "2026-03-07T21:00:01Z");
    }
}
