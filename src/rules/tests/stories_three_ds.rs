//! Stories of payments that wait for their customer: reminders, the end, and how often they are asked for.

use jiff::SignedDuration;

use super::book::Book;
use super::story::{moment, tell};
use crate::rules::pending;

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
         02-20       | poll           | 0.last:pending incidents:0
         02-20T01:00 | poll moonlit   | 0.last:pending incidents:1
         02-25T00:59 | poll moonlit   | 0.last:pending incidents:1
         02-25T01:00 | poll moonlit   | 0.last:manual incidents:2",
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
