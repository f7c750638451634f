//! The calendar against a second one, written here, that counts days by hand and finds midnights by looking at the
//! clock every quarter of an hour.

use jiff::civil::{Date, date};
use jiff::tz::TimeZoneDatabase;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use crate::hooks::{Bug, with_planted};
use crate::model::{Interval, Unit, Zone};
use crate::rules::calendar::{Calendar, anchor_after_change, period};

/// Days since 1 January of the year 0, counted month by month.
fn day_number(year: i64, month: i64, day: i64) -> i64 {
    let leap_days = |years: i64| (years + 3) / 4 - (years + 99) / 100 + (years + 399) / 400;
    let days = year * 365 + leap_days(year);
    days + (1..month).map(|m| month_length(year, m)).sum::<i64>() + day - 1
}

fn month_length(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The first day of period `n`, by hand.
pub(super) fn day_of_period(anchor: Date, every: Interval, n: u32) -> i64 {
    let (year, month, day) = (i64::from(anchor.year()), i64::from(anchor.month()), i64::from(anchor.day()));
    let steps = i64::from(every.count()) * i64::from(n);
    let months = match every.unit() {
        Unit::Day => return day_number(year, month, day) + steps,
        Unit::Week => return day_number(year, month, day) + 7 * steps,
        Unit::Month => steps,
        Unit::Year => 12 * steps,
    };
    let (mut y, mut m) = (year, month);
    for _ in 0..months {
        (y, m) = if m == 12 { (y + 1, 1) } else { (y, m + 1) };
    }
    day_number(y, m, day.min(month_length(y, m)))
}

/// Seconds between 1 January 0 and 1970.
const EPOCH_DAY: i64 = 719_528;
const QUARTER: i64 = 15 * 60;

/// The first instant at which a clock of the zone shows that day or a later one, looked for in steps of a quarter of
/// an hour around the place where it must be.
fn midnight(zone: &Zone, day: i64) -> Timestamp {
    first_shown(zone, day, 16)
}

/// The same, looked for from so many quarters of an hour before that place on, and three times as long after it.
pub(super) fn first_shown(zone: &Zone, day: i64, around: i64) -> Timestamp {
    let wanted = (day - EPOCH_DAY) * 86_400;
    let shown = |at: i64| {
        let instant = Timestamp::from_second(at).unwrap();
        at + i64::from(zone.rules().to_offset(instant).seconds())
    };
    let offset = shown(wanted) - wanted;
    let from = wanted - offset - around * QUARTER;
    assert!(shown(from) < wanted);
    let found = (0..4 * around).map(|step| from + step * QUARTER).find(|at| shown(*at) >= wanted).unwrap();
    Timestamp::from_second(found).unwrap()
}

/// All names of the bundled IANA data, links to other zones among them: every zone that a book can name.
const ZONES: usize = 598;

pub(super) fn zones() -> Vec<Zone> {
    let names = TimeZoneDatabase::bundled();
    let zones: Vec<Zone> = names.available().filter_map(|name| Zone::parse(name.as_str()).ok()).collect();
    assert_eq!(
        names.available().count(),
        ZONES,
        "another edition of the zone data is bundled: say its number"
    );
    assert_eq!(zones.len(), ZONES, "each name of the bundle is a zone of ours");
    zones
}

fn check_period(zone: &Zone, anchor: Date, every: Interval, index: u32) {
    let found = period(anchor, 0, every, zone, index).unwrap();
    let start = midnight(zone, day_of_period(anchor, every, index));
    assert_eq!(found.start, start, "{zone} {anchor} every {every}, period {index}");
    let end = midnight(zone, day_of_period(anchor, every, index + 1));
    assert_eq!(found.end, end, "{zone} {anchor} every {every}, end of period {index}");
    assert!(found.start < found.end);
}

#[test]
fn every_zone_agrees_around_each_of_its_clock_changes() {
    let every: Interval = "day".parse().unwrap();
    let (first, last) = (date(2024, 1, 1), date(2034, 12, 31));
    let (mut checked, mut changing) = (0, 0);
    for zone in zones() {
        let changes = zone.rules().following(zone.start_of(first).unwrap());
        let until = zone.start_of(last).unwrap();
        let before = checked;
        for change in changes.take_while(|change| change.timestamp() < until) {
            let day = zone.date(change.timestamp());
            let index = u32::try_from(first.until(day).unwrap().get_days()).unwrap();
            for near in index.saturating_sub(1)..=index + 1 {
                check_period(&zone, first, every, near);
                checked += 1;
            }
        }
        changing += usize::from(checked > before);
        // Where the clock never changes there is a first and a last day all the same.
        for index in [0, u32::try_from(first.until(last).unwrap().get_days()).unwrap()] {
            check_period(&zone, first, every, index);
        }
    }
    assert!(checked > 10_000, "{checked} days");
    assert!(changing > 100, "{changing} zones change their clock");
}

#[test]
fn every_zone_agrees_on_month_ends_and_leap_days() {
    let intervals = ["month", "3 months", "year", "week", "17 days"];
    let anchors = [date(2024, 1, 31), date(2024, 2, 29), date(2025, 8, 30), date(2026, 12, 29)];
    for (place, zone) in zones().iter().enumerate() {
        let every: Interval = intervals[place % intervals.len()].parse().unwrap();
        let most = match every.unit() {
            Unit::Year => 8,
            Unit::Month => 96 / every.count(),
            Unit::Week | Unit::Day => {
                2_900 / (every.count() * if every.unit() == Unit::Week { 7 } else { 1 })
            }
        };
        for index in (0..most).step_by(1 + place % 7) {
            check_period(zone, anchors[place % anchors.len()], every, index);
        }
    }
}

/// The walk through a year of month ends, as a person would write it down.
pub(super) fn month_ends_keep_their_day() {
    let zone = Zone::parse("Asia/Bangkok").unwrap();
    let month: Interval = "month".parse().unwrap();
    let calendar =
        Calendar { anchor: date(2026, 1, 31), anchor_at: None, anchor_index: 0, every: month, zone: &zone };
    let days: Vec<_> = (0..6).map(|n| calendar.start_date(n).unwrap().to_string()).collect();
    assert_eq!(days, ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31", "2026-06-30"]);
    let year: Interval = "year".parse().unwrap();
    let leap = Calendar { anchor: date(2024, 2, 29), every: year, ..calendar };
    let days: Vec<_> = (0..5).map(|n| leap.start_date(n).unwrap().to_string()).collect();
    assert_eq!(days, ["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]);
}

#[test]
fn month_ends_and_leap_days_keep_their_day() {
    month_ends_keep_their_day();
}

#[test]
fn planted_last_date_plus_interval_is_noticed() {
    let bad = with_planted(Bug::LastDatePlusInterval, || std::panic::catch_unwind(month_ends_keep_their_day));
    assert!(bad.is_err());
}

#[test]
fn the_end_of_the_calendar_is_an_error_and_nobody_searches_beyond_it() {
    let year: Interval = "1200 years".parse().unwrap();
    let calendar = Calendar {
        anchor: date(2026, 1, 31),
        anchor_at: None,
        anchor_index: 5,
        every: year,
        zone: &Zone::UTC,
    };
    assert!(calendar.period(5).is_ok());
    assert!(calendar.period(11).is_err(), "ends after the year 9999");
    assert!(calendar.period(4).is_err(), "before the anchor");
    assert!(calendar.period(u32::MAX).is_err());
    assert_eq!(calendar.first_reaching(5, Timestamp::MAX), 12);
}

fn any_interval() -> impl Strategy<Value = Interval> {
    (1_u32..=40, prop::sample::select(Unit::ALL.to_vec()))
        .prop_map(|(n, unit)| Interval::new(n, unit).unwrap())
}

fn any_day() -> impl Strategy<Value = Date> {
    (2024_i16..=2034, 1_i8..=12, 1_i8..=31).prop_filter_map("a day", |(y, m, d)| Date::new(y, m, d).ok())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_period_of_any_zone_agrees(
        zone in prop::sample::select(zones()), anchor in any_day(), every in any_interval(), index in 0_u32..60,
    ) {
        // Beyond 2037 zones follow rules instead of tables; both calendars ask the same rules.
        check_period(&zone, anchor, every, index);
    }

    #[test]
    fn periods_tile_time_and_search_finds_each(
        zone in prop::sample::select(zones()), anchor in any_day(), every in any_interval(),
        first in 0_u32..5, index in 0_u32..190, offset in 0_i64..100_000_000,
    ) {
        let calendar = Calendar { anchor, anchor_at: None, anchor_index: first, every, zone: &zone };
        let index = first + index;
        let this = calendar.period(index).unwrap();
        let next = calendar.period(index + 1).unwrap();
        prop_assert_eq!(this.end, next.start);
        prop_assert_eq!(calendar.first_reaching(first, this.start), index);
        prop_assert_eq!(calendar.first_not_due(first, this.start), index + 1);
        let within = this.start + SignedDuration::from_secs(offset % this.end.duration_since(this.start).as_secs());
        prop_assert_eq!(calendar.first_not_due(first, within), index + 1);
        let day = calendar.start_date(index).unwrap();
        prop_assert_eq!(calendar.first_index_after(day), index + 1);
        prop_assert_eq!(calendar.first_index_after(day.yesterday().unwrap()), index);
    }

    #[test]
    fn periods_tile_time_across_any_change_of_zone_and_interval(
        old in prop::sample::select(zones()), anchor in any_day(), every in any_interval(), index in 1_u32..60,
        changes in prop::collection::vec((prop::sample::select(zones()), any_interval(), 0_u32..12), 1..5),
    ) {
        let mut zone = old;
        let (mut day, mut at, mut first, mut every) = (anchor, None, 0, every);
        let mut next = index;
        let mut last: Option<Timestamp> = None;
        for (other, interval, billed) in changes {
            let calendar =
                Calendar { anchor: day, anchor_at: at, anchor_index: first, every, zone: &zone };
            for index in next.saturating_sub(1).max(first)..next {
                last = Some(calendar.period(index).unwrap().end);
            }
            let (starts, first_day) = (calendar.start(next).unwrap(), calendar.start_date(next).unwrap());
            (day, at) = anchor_after_change(first_day, starts, interval, &other);
            (first, every, zone) = (next, interval, other);
            let calendar =
                Calendar { anchor: day, anchor_at: at, anchor_index: first, every, zone: &zone };
            prop_assert_eq!(Some(calendar.period(first).unwrap().start), last, "a gap or an overlap");
            // A day is kept wherever its period can begin by then.
            prop_assert!(day == first_day || every == "day".parse().unwrap(), "{} became {}", first_day, day);
            for index in first..first + 3 {
                let (this, after) = (calendar.period(index).unwrap(), calendar.period(index + 1).unwrap());
                prop_assert!(this.start < this.end, "{:?}", this);
                prop_assert_eq!(this.end, after.start);
                prop_assert_eq!(calendar.first_not_due(first, this.start), index + 1);
                prop_assert_eq!(calendar.first_reaching(first, this.start), index);
                if index > first {
                    prop_assert_eq!(this.start, zone.start_of(calendar.start_date(index).unwrap()).unwrap());
                }
            }
            next = first + billed;
        }
    }
}
