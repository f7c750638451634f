//! When a declined invoice is tried again: the policy's waits, put on the subscription's own calendar.
//!
//! A wait of whole days counts calendar days in the subscription's zone, is placed by the policy's days to prefer and
//! to avoid, and ends at the policy's local time, or at the local time of day of the first try. It is then moved later,
//! never earlier, by the subscription's own share of the policy's spread; where a local time is named and no spread,
//! that time is kept to the second, and where none is named, first tries share midnight, so ten minutes are the spread.
//! Shorter waits are exact.
//! Promises: never sooner than the bank asked for.
//! Must never know: budgets, cards, what a decline means.

use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Span, Timestamp};
use sha2::{Digest as _, Sha256};

use super::curve;
use crate::model::{
    DeclineKind, DunningPolicy, RetrySchedule, SubscriptionId, Wait, WaitUnit, Zone, first_instant,
};

/// Retries without a named time are spread over as many seconds.
const SPREAD_SECONDS: u64 = 600;
const DAY_SECONDS: u64 = 86_400;
/// Days tried in a row for one that is late enough: the day of the bank's own wait, and the next.
const MOST_DAYS_TRIED: u32 = 3;

/// What a retry's instant depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rung<'a> {
    /// The invoice's own.
    pub policy: &'a DunningPolicy,
    /// How it was declined last.
    pub kind: DeclineKind,
    /// Whose calendar.
    pub zone: &'a Zone,
    /// Whose retry.
    pub subscription: &'a SubscriptionId,
    /// When the invoice was first tried.
    pub first_try: Timestamp,
    /// When it was declined last.
    pub declined_at: Timestamp,
    /// Declines of the invoice so far that count on these waits, this one included.
    pub declines: u32,
    /// No sooner after the decline, as the bank asked; `None`: it asked for nothing.
    pub not_before: Option<Wait>,
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
            Length::Seconds(seconds) => Some(after(self.declined_at, seconds)?.max(self.earliest()?)),
            Length::Days(days) => self.days_later(days),
        }
    }

    fn length(&self) -> Option<Length> {
        match self.policy.waits(self.kind) {
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

    /// The end of the bank's own wait.
    fn earliest(&self) -> Option<Timestamp> {
        after(self.declined_at, self.not_before.map_or(0, Wait::seconds))
    }

    fn days_later(&self, days: u32) -> Option<Timestamp> {
        let earliest = self.earliest()?;
        let waited = plus_days(self.zone.date(self.declined_at), days)?;
        let first = waited.max(self.zone.date(earliest));
        let tries = (0..MOST_DAYS_TRIED).filter_map(|later| self.on_or_after(plus_days(first, later)?));
        tries.into_iter().find(|instant| *instant >= earliest)
    }

    /// The retry's instant when its wait ends on that day.
    fn on_or_after(&self, day: Date) -> Option<Timestamp> {
        let day = self.policy.days(self.kind).place(day);
        let named = self.policy.local_time(self.kind);
        let local: Time = named.unwrap_or_else(|| self.zone.at(self.first_try).time());
        let instant = first_instant(day.to_datetime(local), self.zone).ok()?;
        let unnamed = if named.is_some() { 0 } else { SPREAD_SECONDS };
        after(instant, self.share_of(self.policy.spread.map_or(unnamed, Wait::seconds)))
    }

    /// 0 to `spread` − 1 seconds, always the same for one subscription.
    fn share_of(&self, spread: u64) -> u64 {
        let digest = Sha256::digest(self.subscription.as_str());
        let number = digest[..8].iter().fold(0_u64, |n, byte| (n << 8) | u64::from(*byte));
        number.checked_rem(spread).unwrap_or(0)
    }
}

fn after(at: Timestamp, seconds: u64) -> Option<Timestamp> {
    at.checked_add(SignedDuration::from_secs(i64::try_from(seconds).ok()?)).ok()
}

fn plus_days(day: Date, days: u32) -> Option<Date> {
    day.checked_add(Span::new().try_days(days).ok()?).ok()
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
            kind: DeclineKind::Funds,
            zone: &Zone::parse(zone).unwrap(),
            subscription: &SubscriptionId::parse("sub_1").unwrap(),
            first_try: first.parse().unwrap(),
            declined_at: last.parse().unwrap(),
            declines: count,
            not_before: None,
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

    #[test]
    fn a_spread_moves_each_subscription_later_by_its_own_share_and_never_earlier() {
        let nine = Some(Time::constant(9, 0, 0, 0));
        let spread = DunningPolicy { spread: Some("1 hour".parse().unwrap()), ..policy(&["1 day"], nine) };
        let first: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
        let exact: Timestamp = "2026-03-02T02:00:00Z".parse().unwrap();
        let mut shares: Vec<i64> = (0..200)
            .map(|n| {
                let rung = Rung {
                    policy: &spread,
                    kind: DeclineKind::Funds,
                    zone: &Zone::parse("Asia/Bangkok").unwrap(),
                    subscription: &SubscriptionId::parse(&format!("sub_{n}")).unwrap(),
                    first_try: first,
                    declined_at: first,
                    declines: 1,
                    not_before: None,
                };
                assert_eq!(rung.next_try(), rung.next_try());
                rung.next_try().unwrap().duration_since(exact).as_secs()
            })
            .collect();
        assert!(shares.iter().all(|late| (0..3_600).contains(late)));
        shares.sort_unstable();
        shares.dedup();
        assert!(shares.len() > 150, "{}", shares.len());
    }

    #[test]
    fn days_are_placed_and_shorter_waits_are_not() {
        let nine = Some(Time::constant(9, 0, 0, 0));
        let mut p = policy(&["2 days", "6 hours"], nine);
        p.days.avoid = vec!["saturday".parse().unwrap(), "sunday".parse().unwrap()];
        let thursday = "2026-03-05T02:00:00Z";
        assert_eq!(next(&p, "Asia/Bangkok", thursday, thursday, 1).unwrap(), "2026-03-09T02:00:00Z");
        let saturday = "2026-03-07T02:00:00Z";
        assert_eq!(next(&p, "Asia/Bangkok", thursday, saturday, 2).unwrap(), "2026-03-07T08:00:00Z");
    }

    #[test]
    fn the_bank_is_never_asked_sooner_than_it_wished() {
        let nine = Some(Time::constant(9, 0, 0, 0));
        let p = policy(&["1 day", "2 hours"], nine);
        let at: Timestamp = "2026-03-05T02:30:00Z".parse().unwrap();
        let rung = |declines, wait: &str| {
            Rung {
                policy: &p,
                kind: DeclineKind::Funds,
                zone: &Zone::parse("Asia/Bangkok").unwrap(),
                subscription: &SubscriptionId::parse("sub_1").unwrap(),
                first_try: at,
                declined_at: at,
                declines,
                not_before: Some(wait.parse().unwrap()),
            }
            .next_try()
            .unwrap()
            .to_string()
        };
        assert_eq!(rung(1, "1 hour"), "2026-03-06T02:00:00Z", "the policy waits longer");
        assert_eq!(rung(1, "72 hours"), "2026-03-09T02:00:00Z", "nine is too early on the 8th");
        assert_eq!(rung(2, "72 hours"), "2026-03-08T02:30:00Z");
    }

    #[test]
    fn a_kind_may_have_waits_a_time_and_days_of_its_own() {
        use crate::model::{KindPolicy, RetryDays};
        let mut p = policy(&["1 day"], Some(Time::constant(9, 0, 0, 0)));
        let own = KindPolicy {
            retry: Some(RetrySchedule::Ladder(vec!["3 days".parse().unwrap()])),
            at: Some(Time::constant(6, 30, 0, 0)),
            days: Some(RetryDays { avoid: vec!["sunday".parse().unwrap()], ..RetryDays::default() }),
        };
        p.kinds.insert(DeclineKind::Funds, own);
        let thursday = "2026-03-05T02:00:00Z";
        assert_eq!(next(&p, "Asia/Bangkok", thursday, thursday, 1).unwrap(), "2026-03-08T23:30:00Z");
        p.kinds.clear();
        assert_eq!(next(&p, "Asia/Bangkok", thursday, thursday, 1).unwrap(), "2026-03-06T02:00:00Z");
    }
}
