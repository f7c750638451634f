//! Stories of payments that wait for their customer: reminders, the end, and how often they are asked for.

use jiff::SignedDuration;

use super::book::Book;
use super::story::{moment, tell, wishes};
use crate::model::AttemptStatus;
use crate::model::settings::ThreeDs;
use crate::rules::next_steps;
use crate::rules::pending::{self, Strange};

#[test]
fn a_customer_is_reminded_once_for_each_length_and_the_payment_ends_by_policy() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31       | pending | 0.last:pending reminded:0
         01-31T01:00 | poll    | reminded:0
         02-01       | poll    | reminded:1
         02-01T06:00 | poll    | reminded:1
         02-03       | poll    | reminded:2
         02-06       | run     | skip:unfinished reminded:2
         02-07       | poll    | 0:customer 0.last:declined sub:past_due
         02-08       | run     | skip:held 0.tries:1",
    );
}

#[test]
fn reminders_that_were_missed_are_one() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31 | pending | reminded:0
         02-05 | poll    | reminded:1
         02-06 | poll    | reminded:1
               | hear ok | 0:paid sub:active",
    );
}

#[test]
fn what_a_person_did_meanwhile_stays() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31 | pending       |
         02-01 | person cancel | sub:canceled
         02-02 | poll          | reminded:1
         02-07 | poll          | 0.last:declined sub:canceled
         02-08 | wait          | due:false",
    );
}

#[test]
fn polls_grow_apart_and_never_beyond_six_hours() {
    let mut book = Book::monthly("2026-01-31");
    tell(&mut book, "01-31 | pending |");
    let mut waits = Vec::new();
    for _ in 0..12 {
        let attempt = &mut book.rows.invoices[0].attempts[0];
        let next = pending::next_poll(attempt).unwrap();
        let intent = attempt.intent.as_mut().unwrap();
        let last = intent.looked_at.unwrap_or(intent.wall_at);
        waits.push(next.duration_since(last));
        intent.looked_at = Some(next);
    }
    let minutes: Vec<i64> = waits.iter().map(SignedDuration::as_mins).collect();
    assert_eq!(minutes, [1, 1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360]);
    let attempt = &book.rows.invoices[0].attempts[0];
    assert!(pending::next_poll(attempt) > Some(moment("01-31")));
}

#[test]
fn a_pending_charge_that_is_gone_is_told_once_and_is_a_persons_when_it_stays_gone() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31       | pending       | incidents:0
         01-31T01:00 | poll gone     | 0.last:pending incidents:1
         01-31T01:09 | poll gone     | 0.last:pending incidents:1
         01-31T01:10 | poll gone     | 0.last:manual incidents:2 next_look:none
         02-01       | run           | skip:unfinished
         02-10       | person absent | 0.last:absent 0.next:02-10
                     | ok            | 0:paid incidents:2",
    );
}

#[test]
fn one_that_comes_back_in_between_was_never_gone_for_long() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31       | pending       |
         01-31T01:00 | poll gone     | 0.last:pending incidents:1
         01-31T02:00 | poll          | 0.last:pending incidents:1
         01-31T03:00 | poll gone     | 0.last:pending incidents:2
         01-31T03:05 | poll moonlit  | 0.last:pending incidents:3
         01-31T03:10 | poll gone     | 0.last:pending incidents:4
         01-31T03:19 | poll gone     | 0.last:pending incidents:4
                     | hear ok       | 0:paid",
    );
}

#[test]
fn a_look_without_the_providers_time_does_not_say_that_it_is_gone_for_long() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31       | pending       |
         01-31T01:00 | undated       |
                     | poll gone     | 0.last:pending incidents:1
         01-31T02:00 | poll gone     | 0.last:pending incidents:1
         01-31T03:00 | undated       |
                     | poll gone     | 0.last:pending incidents:1
         02-05T00:59 | undated       |
                     | poll gone     | 0.last:pending incidents:1
         02-05T01:00 | undated       |
                     | poll gone     | 0.last:manual incidents:2",
    );
}

#[test]
fn a_status_that_nobody_knows_alarms_once_and_is_a_persons_when_the_customers_time_is_over() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31       | pending        |
         02-03       | poll moonlit   | 0.last:pending incidents:1 reminded:0
         02-05       | poll moonlit   | 0.last:pending incidents:1
         02-06T23:59 | poll moonlit   | 0.last:pending incidents:1
         02-07       | poll moonlit   | 0.last:manual incidents:2
         02-09       | person charged | 0:paid sub:active",
    );
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31 | pending      |
         02-28 | poll moonlit | 0.last:manual incidents:1",
    );
}

#[test]
fn a_status_that_nobody_knows_of_a_charge_in_flight_waits_as_long_as_doubt_does() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31       | in flight      |
         01-31T06:00 | poll           | 0.last:pending incidents:0
         01-31T07:00 | poll moonlit   | 0.last:pending incidents:1
         02-05T06:59 | poll moonlit   | 0.last:pending incidents:1
         02-05T07:00 | poll moonlit   | 0.last:manual incidents:2",
    );
}

#[test]
fn strange_looks_wait_like_any_other() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31       | pending      | next_look:01-31T00:01
         01-31T02:00 | poll moonlit | next_look:01-31T04:00
         01-31T04:00 | poll gone    | next_look:01-31T08:00
         01-31T08:00 | poll         | next_look:01-31T14:00",
    );
}

#[test]
fn a_payment_that_the_provider_does_not_end_is_told_once_and_a_persons_after_five_days() {
    let mut book = Book::monthly("2026-01-31");
    tell(
        &mut book,
        "01-31       | pending        | incidents:0
         02-06T23:59 | poll           | 0.last:pending incidents:0
         02-07       | poll unended   | 0.last:pending incidents:1
         02-08       | poll unended   | 0.last:pending incidents:1
         02-11T23:59 | poll unended   | 0.last:pending incidents:1
         02-12       | poll unended   | 0.last:manual incidents:2 next_look:none flag:none sub:active
         02-28       | run            | skip:unfinished 0:open 1:open 1.tries:0 wake:03-31",
    );
    let why = next_steps(&book.snapshot(), &book.circumstances).join("\n");
    let way = "`dues resolve sub_1.0.1 --charge chrg_test_1 --reason TEXT` once that charge has ended";
    assert!(why.contains("the provider does not end it") && why.contains(way), "{why}");
    tell(&mut book, "03-01 | person charged | 0:paid \n | ok | 1:paid sub:active");
}

#[test]
fn a_payment_that_ends_after_all_is_no_matter_of_people() {
    for (end, is) in [("hear ok", "0:paid"), ("hear ended expired", "0.last:declined 0:customer")] {
        tell(
            &mut Book::monthly("2026-01-31"),
            &format!(
                "01-31 | pending      |
                 02-07 | poll unended | 0.last:pending incidents:1
                 02-08 | {end}        | {is} incidents:1"
            ),
        );
    }
}

#[test]
fn a_payment_that_may_still_end_by_itself_is_nobodys_yet() {
    let mut book = Book::monthly("2026-01-31");
    tell(&mut book, "01-31 | pending |");
    let soon = ThreeDs { remind: Vec::new(), give_up: SignedDuration::from_hours(1) };
    let id = book.rows.invoices[0].attempts[0].id.clone();
    for (at, wanted) in [
        ("01-31T01:00", AttemptStatus::Pending),
        ("02-06", AttemptStatus::Pending),
        ("02-07T23:59", AttemptStatus::Pending),
        ("02-08", AttemptStatus::Manual),
    ] {
        book.go_to(moment(at));
        let seen = pending::strange(&book.snapshot(), &id, &Strange::Unended, &soon, &book.circumstances);
        book.apply(&seen.unwrap());
        assert_eq!(book.rows.invoices[0].attempts[0].status, wanted, "{at}");
    }
}

#[test]
fn a_charge_that_is_in_flight_for_ever_is_a_persons_too() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31       | in flight      |
         02-06T23:59 | poll           | 0.last:pending incidents:0
         02-07       | poll           | 0.last:pending incidents:1
         02-11T23:59 | poll           | 0.last:pending incidents:1
         02-12       | poll           | 0.last:manual incidents:2 reminded:0 next_look:none
         02-28       | run            | skip:unfinished 1.tries:0",
    );
}

#[test]
fn whatever_fails_to_end_is_asked_for_in_its_turn_and_no_more_in_every_run() {
    let mut book = Book::monthly("2026-01-31");
    let due = |book: &Book| {
        let (attempt, now) = (&book.rows.invoices[0].attempts[0], book.circumstances.at);
        pending::is_due(attempt, &wishes(), now, now)
    };
    tell(&mut book, "01-31 | pending | \n 01-31T18:00 | poll | next_look:02-01");
    for (at, wanted) in [("01-31T23:59", false), ("02-01", true)] {
        book.go_to(moment(at));
        assert_eq!(due(&book), wanted, "{at}");
    }
    tell(&mut book, "02-06T23:00 | poll | next_look:02-07T05:00");
    assert!(!due(&book));
    book.go_to(moment("02-07"));
    assert!(due(&book), "its time is over");
    tell(&mut book, "02-07 | poll unended | next_look:02-07T06:00");
    for (at, wanted) in [("02-07T00:05", false), ("02-07T05:59", false), ("02-07T06:00", true)] {
        book.go_to(moment(at));
        assert_eq!(due(&book), wanted, "{at}");
    }
}

#[test]
fn one_that_cannot_be_read_is_asked_for_with_growing_waits_until_it_can() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31       | pending     | next_look:01-31T00:01
         01-31T02:00 | poll        | next_look:01-31T04:00
         01-31T04:00 | poll broken | next_look:01-31T04:01
         01-31T04:01 | poll broken | next_look:01-31T04:02
         01-31T04:02 | poll broken | next_look:01-31T04:04
         01-31T04:04 | poll broken | next_look:01-31T04:08
         01-31T06:00 | poll broken | next_look:01-31T07:00
         02-05       | poll broken | next_look:02-05T01:00 reminded:0
         02-05T01:00 | poll        | next_look:02-05T07:00 reminded:1 incidents:0
         02-05T07:00 | poll broken | next_look:02-05T07:01
                     | hear ok     | 0:paid sub:active",
    );
}

#[test]
fn reads_that_fail_are_no_strange_looks() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31       | pending      |
         01-31T01:00 | poll broken  | incidents:0
         02-06       | poll broken  | 0.last:pending incidents:0
         02-06T01:00 | poll moonlit | 0.last:pending incidents:1
         02-06T01:01 | poll         | 0.last:pending
         02-06T02:00 | poll gone    | 0.last:pending incidents:2
         02-06T02:05 | poll broken  | 0.last:pending incidents:2
         02-06T02:10 | poll gone    | 0.last:manual incidents:3",
    );
}
