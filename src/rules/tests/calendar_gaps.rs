//! Days that a zone left out: 30 December 2011 in Samoa, 21 August 1993 on Kwajalein. The calendar against the second one,
//! and a subscription that lives through such a day.

use jiff::civil::{Date, date};
use jiff::{SignedDuration, Span, Timestamp};

use super::book::{Book, Look};
use super::calendar::{day_of_period, first_shown, zones};
use super::kit::{ladder, terms};
use super::laws;
use super::story::outcome;
use crate::model::settings::CatchUp;
use crate::model::{
    EndAction, EventKind, Hold, Interval, InvoiceId, InvoiceStatus, SkipReason, SubscriptionId, Zone,
};
use crate::rules::calendar::Calendar;
use crate::rules::commands::next_invoice;
use crate::rules::{ahead, next_steps, past};

/// A day and a half, in quarters of an hour.
const AROUND: i64 = 36 * 4;

/// Every day that a zone of the bundle ever left out whole, as its clocks show: from the last day before to the first
/// after it.
fn gaps() -> Vec<(Zone, Date, Date)> {
    let from: Timestamp = "1800-01-01T00:00:00Z".parse().unwrap();
    let mut gaps = Vec::new();
    for zone in zones() {
        let changes: Vec<_> = zone.rules().following(from).take(400).map(|t| t.timestamp()).collect();
        for at in changes {
            let before = zone.date(at.checked_sub(Span::new().seconds(1)).unwrap());
            let after = zone.date(at);
            if before.until(after).unwrap().get_days() > 1 {
                gaps.push((zone.clone(), before, after));
            }
        }
    }
    gaps
}

fn calendar(zone: &Zone, anchor: Date, every: Interval) -> Calendar<'_> {
    Calendar { anchor, anchor_at: None, anchor_index: 0, every, zone }
}

#[test]
fn each_left_out_day_agrees_with_the_calendar_that_counts_by_hand() {
    let gaps = gaps();
    for (name, day) in [
        ("Pacific/Apia", date(2011, 12, 30)),
        ("Pacific/Fakaofo", date(2011, 12, 30)),
        ("Pacific/Kwajalein", date(1993, 8, 21)),
        ("Pacific/Enderbury", date(1994, 12, 31)),
        ("Pacific/Kiritimati", date(1994, 12, 31)),
        ("Asia/Manila", date(1844, 12, 31)),
    ] {
        let found = gaps.iter().any(|(zone, before, after)| {
            zone.name() == name && before.tomorrow().unwrap() == day && day.tomorrow().unwrap() == *after
        });
        assert!(found, "{name} left {day} out");
    }
    for (zone, before, after) in &gaps {
        for every in ["day", "2 days", "week", "month", "year"] {
            let every: Interval = every.parse().unwrap();
            for back in 0..4 {
                let anchor = before.checked_sub(Span::new().days(back)).unwrap();
                check_near(&calendar(zone, anchor, every), *after);
            }
        }
    }
}

/// The first periods against those counted by hand, and all that is said of the empty ones.
fn check_near(calendar: &Calendar<'_>, after: Date) {
    let Calendar { anchor, every, zone, .. } = *calendar;
    let mut empty = 0;
    for index in 0..8 {
        let found = calendar.period(index).unwrap();
        let by_hand = |index| first_shown(zone, day_of_period(anchor, every, index), AROUND);
        let (start, end) = (by_hand(index), by_hand(index + 1));
        assert_eq!((found.start, found.end), (start, end), "{zone} {anchor} every {every}, period {index}");
        assert!(start <= end, "{zone} {anchor} every {every}, period {index} runs back");
        let day = calendar.start_date(index).unwrap();
        let never_came = zone.date(start) != day;
        let single = every == "day".parse().unwrap();
        assert_eq!(found.is_empty(), never_came && single, "{zone} {anchor} every {every}, {day}");
        let lasting = calendar.lasting_period(index).unwrap();
        let two = [index, index + 1].map(|index| calendar.period(index).unwrap());
        let wanted = two.into_iter().find(|period| !period.is_empty()).unwrap();
        assert_eq!(lasting, wanted, "{zone} {anchor} every {every}, period {index}");
        assert_eq!(calendar.empty_among(0, index), empty, "{zone} {anchor} every {every}, before {index}");
        assert_eq!(calendar.empty_among(index, index + 1), u32::from(found.is_empty()));
        empty += u32::from(found.is_empty());
        // Whatever the hour, the one period that holds it is the last that has begun.
        for at in [found.start, found.end - SignedDuration::from_secs(1)] {
            let last = calendar.period(calendar.first_not_due(0, at).saturating_sub(1)).unwrap();
            assert!(at < calendar.start(0).unwrap() || last.start <= at && at < last.end, "{zone} {at}");
        }
    }
    assert!(calendar.start(8).unwrap() >= zone.start_of(after).unwrap() || every == "day".parse().unwrap());
}

#[test]
fn left_out_days_are_counted_over_centuries_too() {
    let manila = Zone::parse("Asia/Manila").unwrap();
    let daily = calendar(&manila, date(1800, 1, 1), "day".parse().unwrap());
    let all = daily.first_index_after(date(2026, 1, 1));
    assert_eq!(daily.empty_among(0, all), 1);
    let bangkok = Zone::parse("Asia/Bangkok").unwrap();
    assert_eq!(calendar(&bangkok, date(1800, 1, 1), "day".parse().unwrap()).empty_among(0, all), 0);
    // The end of the calendar ends the count, too.
    assert_eq!(daily.empty_among(0, u32::MAX), 1);
}

fn apia() -> Zone {
    Zone::parse("Pacific/Apia").unwrap()
}

/// A daily subscription of Samoa.
fn daily_in_apia(starts: Date) -> Book {
    let mut book = Book::new(&starts.to_string(), terms("day", ladder(&["2 days"], EndAction::Pause)));
    let subscription = &mut book.rows.subscription;
    subscription.zone = apia();
    subscription.wake_at = Some(apia().start_of(starts).unwrap());
    subscription.created_at = apia().start_of(starts).unwrap();
    book.go_to(apia().start_of(starts).unwrap());
    book
}

/// All that is due now is charged and paid; how many charges that took.
fn pay_all(book: &mut Book) -> usize {
    let mut paid = 0;
    for _ in 0..40 {
        if !book.is_due() {
            return paid;
        }
        if let Look::Charge(charge) = book.look() {
            book.conclude(&charge.request.attempt, &outcome(&["ok"]));
            paid += 1;
        }
        laws::check(book);
    }
    panic!("due for ever: {:#?}", book.rows)
}

fn noon(day: Date) -> Timestamp {
    apia().start_of(day).unwrap() + SignedDuration::from_hours(12)
}

#[test]
fn a_daily_subscription_is_billed_for_each_day_that_came_and_lives_on() {
    let first = date(2011, 12, 28);
    let mut book = daily_in_apia(first);
    // Midnight of the 30th would be that of the 31st: the clocks went from the end of the 29th to the 31st.
    for day in [28, 29, 31] {
        book.go_to(apia().start_of(date(2011, 12, day)).unwrap());
        assert_eq!(pay_all(&mut book), 1, "on the {day}th");
        book.go_to(noon(date(2011, 12, day)));
        assert_eq!(pay_all(&mut book), 0, "at noon of the {day}th");
    }
    for day in 1..=10 {
        book.go_to(noon(date(2012, 1, day)));
        assert_eq!(pay_all(&mut book), 1, "on the {day}th of January");
    }
    assert_eq!(book.skipped, [(2, 3, SkipReason::NotDue)]);
    let skips: Vec<_> = book.events.iter().filter(|e| e.kind == EventKind::PeriodsSkipped).collect();
    let said = skips.iter().map(|event| event.data.as_deref().unwrap_or_default()).collect::<String>();
    assert!(skips.len() == 1 && said.contains("Pacific/Apia left this day out"), "{said}");
    let indices: Vec<u32> = book.rows.invoices.iter().map(|open| open.invoice.id.index).collect();
    assert_eq!(indices, (0..14).filter(|index| *index != 2).collect::<Vec<_>>());
    assert!(book.rows.invoices.iter().all(|open| open.invoice.status == InvoiceStatus::Paid));
    // Without a gap and without an overlap, the left-out day between its neighbours.
    for pair in book.rows.invoices.windows(2) {
        assert_eq!(pair[0].invoice.period.end, pair[1].invoice.period.start);
    }
}

#[test]
fn one_that_begins_on_the_left_out_day_begins_on_the_next() {
    let mut book = daily_in_apia(date(2011, 12, 30));
    let next = next_invoice(&book.snapshot()).unwrap().unwrap();
    assert_eq!((next.period.index, next.starts), (1, date(2011, 12, 31)));
    assert_eq!(pay_all(&mut book), 1);
    assert_eq!(book.skipped, [(0, 1, SkipReason::NotDue)]);
    assert_eq!(book.rows.invoices[0].invoice.id, InvoiceId::new(SubscriptionId::parse("sub_1").unwrap(), 1));
}

#[test]
fn the_left_out_day_is_not_missed_and_counts_towards_no_hold() {
    let limit = CatchUp { hold_after: 3 };
    // The 27th, 28th and 29th have ended, and the 30th never was.
    for (day, missed, held) in [(date(2011, 12, 31), 3, false), (date(2012, 1, 1), 4, true)] {
        let mut book = daily_in_apia(date(2011, 12, 27));
        book.go_to(noon(day));
        let counted = past(&book.rows.subscription, &book.rows.plan.terms, limit, noon(day));
        assert_eq!((counted.missed, counted.held), (missed, held), "{day}");
        let expected = ahead(&book.snapshot(), &book.circumstances).unwrap();
        assert_eq!((expected.missed, expected.invoiced), (missed, missed + 1), "{day}");
        assert_eq!(expected.held, if held { missed } else { 0 }, "{day}");
        let told = next_steps(&book.snapshot(), &book.circumstances).join("\n");
        assert!(told.contains("period 3 has no time in it, since Pacific/Apia left that day out"), "{told}");
        assert!(told.contains("periods 0 to 2 from"), "{told}");
        book.look();
        laws::check(&book);
        let on_hold = |open: &&crate::model::OpenInvoice| open.invoice.hold == Some(Hold::CatchUp);
        assert_eq!(book.rows.invoices.iter().filter(on_hold).count() > 0, held, "{day}");
        assert_eq!(book.rows.invoices.len(), missed as usize + 1, "{day}");
    }
}

#[test]
fn the_day_before_it_is_told_what_comes_after_it() {
    let mut book = daily_in_apia(date(2011, 12, 28));
    book.go_to(noon(date(2011, 12, 29)));
    // Two days are due; the oldest has ended.
    assert_eq!(pay_all(&mut book), 2);
    let next = next_invoice(&book.snapshot()).unwrap().unwrap();
    assert_eq!((next.period.index, next.starts), (3, date(2011, 12, 31)));
    let told = next_steps(&book.snapshot(), &book.circumstances).join("\n");
    let wanted = "period 3 from 2011-12-31T00:00:00+14:00 to 2012-01-01T00:00:00+14:00 is billed: 990.00 THB";
    assert!(told.contains(wanted), "{told}");
}
