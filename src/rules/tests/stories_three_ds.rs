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
