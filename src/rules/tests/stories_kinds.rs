//! Stories of each kind of decline under each kind of policy: recovered, exhausted, with another card, canceled in
//! between, at month ends and through changes of the clocks.

use std::collections::BTreeMap;

use super::book::Book;
use super::kit::{curve, ladder, terms};
use super::story::tell;
use crate::model::{
    Curve, DeclineKind, DunningPolicy, EndAction, KindPolicy, NewerPeriods, RetryDays, RetrySchedule, Zone,
};

fn days(prefer: &[&str], avoid: &[&str]) -> RetryDays {
    let rules = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
    RetryDays { prefer: rules(prefer), prefer_within: None, avoid: rules(avoid) }
}

fn waits(waits: &[&str]) -> RetrySchedule {
    RetrySchedule::Ladder(waits.iter().map(|wait| wait.parse().unwrap()).collect())
}

/// Waits for every kind, and a common ladder of three.
fn by_kind(then: EndAction) -> DunningPolicy {
    let own = |retry| KindPolicy { retry: Some(retry), ..KindPolicy::default() };
    let funds = KindPolicy {
        retry: Some(waits(&["2 days", "7 days", "14 days"])),
        at: None,
        days: Some(days(&["25", "last working day", "1"], &["saturday", "sunday"])),
    };
    let limit = KindPolicy {
        retry: Some(waits(&["1 day"])),
        at: Some(jiff::civil::time(0, 30, 0, 0)),
        days: Some(RetryDays::default()),
    };
    let kinds = BTreeMap::from([
        (DeclineKind::Funds, funds),
        (DeclineKind::Technical, own(waits(&["2 hours", "6 hours"]))),
        (DeclineKind::Limit, limit),
    ]);
    DunningPolicy { kinds, ..ladder(&["3 days", "3 days", "3 days"], then) }
}

fn book(policy: DunningPolicy) -> Book {
    Book::new("2026-01-31", terms("month", policy))
}

#[test]
fn funds_wait_for_pay_days_and_recover() {
    tell(
        &mut book(by_kind(EndAction::Pause)),
        "01-31       | no insufficient_fund | 0:open 0.next:02-02T09:00 sub:past_due
         02-02T09:00 | no insufficient_fund | 0.next:02-09T09:00
         02-09T09:00 | no insufficient_fund | 0.next:02-25T09:00
         02-25T09:00 | ok                   | 0:paid sub:active wake:02-28",
    );
}

#[test]
fn funds_run_out_of_tries() {
    tell(
        &mut book(by_kind(EndAction::Cancel)),
        "01-31       | no insufficient_fund    |
         02-02T09:00 | no insufficient_balance |
         02-09T09:00 | no insufficient_fund    |
         02-25T09:00 | no insufficient_fund    | 0:uncollectible sub:canceled wake:none",
    );
}

#[test]
fn an_issuer_is_asked_twice_more_whatever_the_policy_allows() {
    tell(
        &mut book(by_kind(EndAction::Unpaid)),
        "01-31       | no payment_rejected | 0.next:02-03T09:00
         02-03T09:00 | no payment_rejected | 0.next:02-06T09:00
         02-06T09:00 | no payment_rejected | 0:exhausted sub:unpaid",
    );
    tell(
        &mut book(by_kind(EndAction::Unpaid)),
        "01-31       | no payment_rejected | 0.next:02-03T09:00
         02-03T09:00 | ok                  | 0:paid sub:active",
    );
}

#[test]
fn what_failed_on_the_way_is_tried_within_hours_once_a_day_at_most() {
    tell(
        &mut book(by_kind(EndAction::Pause)),
        "01-31       | no failed_processing | 0.next:01-31T02:00
         01-31T02:00 | no timeout           | 0.next:02-01T02:00
         02-01T02:00 | ok                   | 0:paid sub:active",
    );
    tell(
        &mut book(by_kind(EndAction::Pause)),
        "01-31       | no failed_processing |
         01-31T02:00 | no failed_processing |
         02-01T02:00 | no failed_processing | 0:exhausted sub:paused",
    );
}

#[test]
fn a_limit_is_tried_after_the_next_midnight() {
    tell(
        &mut book(by_kind(EndAction::Pause)),
        "01-31       | no 61 | 0.next:02-01T00:30
         02-01T00:30 | ok    | 0:paid sub:active",
    );
    tell(
        &mut book(by_kind(EndAction::Pause)),
        "01-31       | no 65 |
         02-01T00:30 | no 65 | 0:exhausted",
    );
}

#[test]
fn kinds_climb_their_own_waits() {
    tell(
        &mut book(by_kind(EndAction::Pause)),
        "01-31       | no insufficient_fund | 0.next:02-02T09:00
         02-02T09:00 | no failed_processing | 0.next:02-03T09:00
         02-03T09:00 | no payment_rejected  | 0.next:02-06T09:00
         02-06T09:00 | no insufficient_fund | 0.next:02-13T09:00
         02-13T09:00 | no 61                | 0.next:02-14T09:00
         02-14T09:00 | ok                   | 0:paid",
    );
}

#[test]
fn another_card_is_wanted_and_found() {
    tell(
        &mut book(by_kind(EndAction::Pause)),
        "01-31 | no invalid_security_code  | 0:new_card 0.next:none sub:past_due
         02-01 | run                       | skip:dead_card flag:dead_card
         02-02 | card card_test_2 12/2060  |
               | no insufficient_fund on card_test_2 | 0:new_card 0.next:02-04T09:00 flag:none
         02-04T09:00 | ok                  | 0:paid sub:active",
    );
}

#[test]
fn the_customer_must_act() {
    tell(
        &mut book(by_kind(EndAction::Pause)),
        "01-31 | no payment_cancelled | 0:customer 0.next:none sub:past_due
         02-01 | run                  | skip:held
         02-02 | person retry         | 0:open
               | ok                   | 0:paid sub:active",
    );
}

#[test]
fn never_is_for_ever_and_only_another_card_pays() {
    tell(
        &mut book(by_kind(EndAction::Pause)),
        "01-31 | no stolen_or_lost_card   | 0:new_card 0.next:none
         02-01 | run                      | skip:dead_card
         12-31 | run                      | skip:dead_card 0.tries:1
               | card card_test_9 12/2060 |
               | ok                       | 0:paid",
    );
}

#[test]
fn ours_waits_for_a_person() {
    tell(
        &mut book(by_kind(EndAction::Pause)),
        "01-31 | no confirmed_amount_mismatch | 0:rejected 0.next:none sub:past_due
         02-10 | run                          | skip:held 0.tries:1
         02-11 | person retry                 | 0:open
               | ok                           | 0:paid sub:active",
    );
}

#[test]
fn an_unknown_code_is_tried_once_more() {
    tell(
        &mut book(by_kind(EndAction::Pause)),
        "01-31       | no moon_phase | 0.next:01-31T02:00
         01-31T02:00 | no moon_phase | 0:exhausted sub:paused",
    );
    tell(
        &mut book(ladder(&["2 days", "2 days"], EndAction::Unpaid)),
        "01-31       | no moon_phase | 0.next:02-02T09:00
         02-02T09:00 | ok            | 0:paid",
    );
}

#[test]
fn each_kind_is_canceled_in_between() {
    for code in ["insufficient_fund", "payment_rejected", "failed_processing", "61", "moon_phase"] {
        tell(
            &mut book(by_kind(EndAction::Pause)),
            &format!(
                "01-31 | no {code}     | 0:open sub:past_due
                       | person cancel | 0:stopped 0.next:none sub:canceled
                 12-31 | run           | skip:canceled 0.tries:1"
            ),
        );
    }
    let held = [
        ("expired_card", "new_card"),
        ("payment_cancelled", "customer"),
        ("invalid_account", "new_card"),
        ("reversed", "rejected"),
    ];
    for (code, hold) in held {
        tell(
            &mut book(by_kind(EndAction::Pause)),
            &format!(
                "01-31 | no {code}               | 0:{hold} sub:past_due
                       | person cancel            | 0:{hold} 0.next:none sub:canceled
                 02-10 | card card_test_2 12/2060 |
                       | run                      | skip:canceled 0.tries:1"
            ),
        );
    }
}

#[test]
fn a_new_card_while_a_retry_waits_pays_at_its_time() {
    tell(
        &mut book(by_kind(EndAction::Pause)),
        "01-31       | no insufficient_fund     | 0.next:02-02T09:00
         02-01       | card card_test_2 12/2060 |
         02-02T09:00 | ok                       | 0:paid sub:active",
    );
}

#[test]
fn mastercard_says_when_and_the_policy_is_not_sooner() {
    let mut book = book(ladder(&["1 day", "1 day", "1 day"], EndAction::Pause));
    tell(
        &mut book,
        "01-31       | brand MasterCard                 |
                     | no insufficient_fund advised 27  | 0.next:02-04T09:00
         02-04T09:00 | no insufficient_fund advised 24  | 0.next:02-05T09:00
         02-05T09:00 | no payment_rejected advised 03   | 0:new_card 0.next:none
         02-28       | run                              | skip:dead_card 0.tries:3",
    );
}

#[test]
fn the_same_advice_means_nothing_on_another_network() {
    tell(
        &mut book(ladder(&["1 day"], EndAction::Pause)),
        "01-31 | no insufficient_fund advised 27 | 0.next:02-01T09:00",
    );
}

#[test]
fn a_curve_of_a_kind_beside_a_ladder() {
    let doubling = Curve {
        first: "1 day".parse().unwrap(),
        multiplier_milli: 2_000,
        longest: "7 days".parse().unwrap(),
        attempts: 3,
    };
    let own = KindPolicy { retry: Some(RetrySchedule::Curve(doubling)), ..KindPolicy::default() };
    let kinds = BTreeMap::from([(DeclineKind::Funds, own)]);
    tell(
        &mut book(DunningPolicy { kinds, ..ladder(&["3 days"], EndAction::Pause) }),
        "01-31       | no insufficient_fund | 0.next:02-01T09:00
         02-01T09:00 | no insufficient_fund | 0.next:02-03T09:00
         02-03T09:00 | no insufficient_fund | 0.next:02-07T09:00
         02-07T09:00 | no insufficient_fund | 0:exhausted",
    );
    tell(
        &mut book(curve(doubling, EndAction::Pause)),
        "01-31       | no failed_processing | 0.next:02-01T09:00
         02-01T09:00 | no insufficient_fund | 0.next:02-03T09:00",
    );
}

#[test]
fn weekends_are_avoided_and_month_ends_kept() {
    let policy = DunningPolicy {
        days: days(&["last working day"], &["saturday", "sunday"]),
        ..ladder(&["1 day", "25 days"], EndAction::Pause)
    };
    tell(
        &mut book(policy),
        "01-31       | no insufficient_fund | 0.next:02-02T09:00
         02-02T09:00 | no insufficient_fund | 0.next:02-27T09:00
         02-27T09:00 | ok                   | 0:paid wake:02-28",
    );
}

#[test]
fn newer_periods_wait_or_are_collected_beside() {
    let slow = ladder(&["10 days", "10 days"], EndAction::Unpaid);
    tell(
        &mut Book::new("2026-01-31", terms("week", slow.clone())),
        "01-31       | no insufficient_fund | 0.next:02-10T09:00 wake:02-07
         02-07       | run                  | skip:not_due 1:open 1.tries:0 wake:02-10T09:00",
    );
    let beside = DunningPolicy { newer: NewerPeriods::Collect, ..slow };
    tell(
        &mut Book::new("2026-01-31", terms("week", beside.clone())),
        "01-31       | no insufficient_fund | 0.next:02-10T09:00 wake:02-07
         02-07       | ok                   | 1:paid 0.next:02-10T09:00 sub:past_due wake:02-10T09:00
         02-10T09:00 | no insufficient_fund | 0.next:02-20T09:00
         02-14       | no insufficient_fund | 2.next:02-24T09:00 wake:02-20T09:00
         02-20T09:00 | ok                   | 0:paid sub:past_due
         02-21       | ok                   | 3:paid
         02-24T09:00 | ok                   | 2:paid sub:active",
    );
    tell(
        &mut Book::new("2026-01-31", terms("week", beside)),
        "01-31 | no payment_cancelled | 0:customer
         02-07 | ok                   | 1:paid 0:customer sub:past_due",
    );
}

#[test]
fn nothing_newer_goes_beside_an_attempt_that_has_not_ended() {
    let beside = DunningPolicy { newer: NewerPeriods::Collect, ..ladder(&["10 days"], EndAction::Unpaid) };
    tell(
        &mut Book::new("2026-01-31", terms("week", beside)),
        "01-31       | no insufficient_fund |
         02-10T09:00 | silence              | 0.last:in_doubt
                     | run                  | skip:unfinished 1:open 1.tries:0",
    );
}

#[test]
fn retries_keep_their_local_time_through_changes_of_the_clocks() {
    let new_york = |starts: &str, policy| {
        let mut book = Book::new(starts, terms("year", policy));
        book.rows.subscription.zone = Zone::parse("America/New_York").unwrap();
        book.rows.subscription.wake_at = None;
        book
    };
    // Clocks go forward on 8 March at two, and back on 1 November at two.
    let at_nine = ladder(&["2 days", "2 days"], EndAction::Pause);
    tell(
        &mut new_york("2026-03-06", at_nine),
        "03-06       | no insufficient_fund | 0.next:03-08T09:00
         03-08T09:00 | no insufficient_fund | 0.next:03-10T09:00",
    );
    let at_half_past_two =
        || DunningPolicy { at: Some(jiff::civil::time(2, 30, 0, 0)), ..ladder(&["1 day"], EndAction::Pause) };
    tell(
        &mut new_york("2026-03-07", at_half_past_two()),
        "03-07       | no insufficient_fund | 0.next:03-08T03:00
         03-08T03:00 | ok                   | 0:paid",
    );
    let at_half_past_one =
        DunningPolicy { at: Some(jiff::civil::time(1, 30, 0, 0)), ..ladder(&["1 day"], EndAction::Pause) };
    let mut twice = new_york("2026-10-31", at_half_past_one);
    tell(&mut twice, "10-31 | no insufficient_fund | 0.next:11-01T01:30");
    let first_pass = "2026-11-01T01:30:00-04:00".parse().unwrap();
    assert_eq!(twice.rows.invoices[0].invoice.next_attempt_at, Some(first_pass), "the first of the two");
}
