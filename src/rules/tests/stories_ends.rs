//! Stories of what ends a pending retry: a cancel, a pause, an end by hand, a payment, a reversal.

use super::book::Book;
use super::kit::{ladder, terms};
use super::story::tell;
use crate::model::{EndAction, NewerPeriods};

/// Declined on 31 January and due again on 2 February at nine.
fn declined() -> Book {
    let mut book = Book::monthly("2026-01-31");
    tell(&mut book, "01-31 | no insufficient_fund | 0.next:02-02T09:00 due:false");
    book
}

#[test]
fn a_cancel_ends_it_and_no_run_tries_again() {
    tell(
        &mut declined(),
        "02-01       | person cancel | 0:stopped 0.next:none sub:canceled wake:none
         02-02T09:00 | run           | skip:canceled 0.tries:1
         03-15       | run           | skip:canceled 0.tries:1 1:none",
    );
}

#[test]
fn a_cancel_with_the_period_ends_it_when_the_period_does() {
    let mut book = Book::new("2026-01-31", terms("month", ladder(&["6 weeks"], EndAction::Pause)));
    tell(
        &mut book,
        "01-31       | no insufficient_fund | 0.next:03-14T09:00
         02-01       | person cancel later  | 0.next:03-14T09:00 sub:past_due wake:02-28
         02-28       | run                  | 0:stopped 0.next:none sub:canceled wake:none
         03-14T09:00 | run                  | skip:canceled 0.tries:1",
    );
}

#[test]
fn a_pause_ends_it_and_resuming_begins_it_anew() {
    tell(
        &mut declined(),
        "02-01       | person pause  | 0:stopped 0.next:none sub:paused
         02-02T09:00 | run           | skip:paused 0.tries:1
         02-05       | person resume | 0:open 0.next:02-05 sub:past_due
                     | ok            | 0:paid sub:active",
    );
}

#[test]
fn an_invoice_ended_by_hand_is_not_tried_again() {
    for (how, status) in [("paid 0", "paid"), ("void 0", "void"), ("lost 0", "uncollectible")] {
        tell(
            &mut declined(),
            &format!(
                "02-01       | person {how} | 0:{status} 0.next:none sub:active wake:02-28
                 02-02T09:00 | run          | skip:not_due 0.tries:1"
            ),
        );
    }
}

#[test]
fn a_payment_that_comes_late_ends_it() {
    tell(
        &mut declined(),
        "02-02T09:00 | silence | 0.next:none
         02-02T10:00 | look ok | 0:paid 0.next:none sub:active wake:02-28
         02-10       | run     | skip:not_due 0.tries:2",
    );
}

#[test]
fn a_reversal_ends_it_until_a_person_asks() {
    tell(
        &mut declined(),
        "02-01       | reversed      | 0:rejected 0.next:none sub:past_due wake:02-28
         02-02T09:00 | run           | skip:held 0.tries:1
         02-05       | person retry  | 0:open 0.next:02-05
                     | ok            | 0:paid sub:active",
    );
}

#[test]
fn a_reversal_touches_neither_an_attempt_under_way_nor_what_was_never_declined() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31 | silence  | 0.last:in_doubt
               | reversed | 0:open 0.last:in_doubt
         02-01 | look ok  | 0:paid
         02-28 | reversed | 1:none
               | ok       | 1:paid",
    );
}

#[test]
fn the_last_try_of_one_invoice_ends_the_retries_of_the_others() {
    let mut policy = ladder(&["5 days"], EndAction::Pause);
    policy.newer = NewerPeriods::Collect;
    tell(
        &mut Book::new("2026-01-31", terms("3 days", policy)),
        "01-31       | no insufficient_fund | 0.next:02-05T09:00
         02-03       | no insufficient_fund | 1.next:02-08T09:00 0.next:02-05T09:00
         02-05T09:00 | no insufficient_fund | 0:exhausted 1:stopped 1.next:none sub:paused
         02-08T09:00 | run                  | skip:paused 1.tries:1",
    );
}

#[test]
fn a_try_on_its_way_when_the_policy_stops_it_is_one_of_a_series() {
    let mut policy = ladder(&["5 days"], EndAction::Pause);
    policy.newer = NewerPeriods::Collect;
    tell(
        &mut Book::new("2026-01-31", terms("3 days", policy)),
        "01-31       | no insufficient_fund      |
         02-03       | silence                   |
         02-05T09:00 | no insufficient_fund      | 0:exhausted 1:stopped sub:paused
         02-06       | look no insufficient_fund | 1:stopped 0:exhausted
         02-07       | person resume             | 1:open 1.next:02-07",
    );
}

#[test]
fn a_decline_that_arrives_after_a_cancel_schedules_nothing() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31 | silence                   |
               | person cancel             | 0:stopped sub:canceled
         02-01 | look no insufficient_fund | 0:stopped 0.next:none 0.last:declined wake:none",
    );
}

#[test]
fn an_end_that_came_while_nobody_looked_is_not_undone_by_resuming() {
    let mut book = Book::new("2026-01-31", terms("week", ladder(&["1 day"], EndAction::Pause)));
    tell(
        &mut book,
        "02-20 | person pause        |
               | person cancel later | sub:paused",
    );
    book.go_to(super::kit::day("2026-03-10"));
    let at = book.circumstances.at;
    let refused = crate::rules::commands::resume(&book.snapshot(), book.circumstances.catch_up, at);
    assert!(refused.unwrap_err().to_string().contains("has ended"));
    tell(&mut book, "03-10 | run | sub:canceled skip:canceled 0.tries:0");
}

/// All tries of the first invoice are used up.
fn used_up(then: EndAction) -> Book {
    let mut book = Book::new("2026-01-31", terms("month", ladder(&["1 day"], then)));
    tell(&mut book, "01-31 | no insufficient_fund | \n 02-01T09:00 | no insufficient_fund | 0:exhausted");
    book
}

fn why(book: &Book) -> String {
    crate::rules::next_steps(&book.snapshot(), &book.circumstances).join("\n")
}

#[test]
fn what_the_policy_stopped_goes_on_once_all_that_was_owed_is_paid_by_hand() {
    for (then, status) in [(EndAction::Pause, "paused"), (EndAction::Unpaid, "unpaid")] {
        let mut book = used_up(then);
        assert!(why(&book).contains("until all that was declined has been charged"), "{}", why(&book));
        tell(
            &mut book,
            &format!(
                "02-28 | run           | sub:{status} skipped:1..2={status}
                 03-05 | person paid 0 | 0:paid sub:active wake:03-31
                 03-31 | ok            | 2:paid"
            ),
        );
    }
}

#[test]
fn an_end_that_came_while_it_was_stopped_is_not_undone_by_paying_by_hand() {
    let mut book = used_up(EndAction::Pause);
    tell(
        &mut book,
        "02-02 | person cancel later | sub:paused
         03-05 | person paid 0       | 0:paid sub:canceled",
    );
}

#[test]
fn what_was_given_up_leaves_it_stopped_and_says_what_ends_that() {
    for (then, status) in [(EndAction::Pause, "paused"), (EndAction::Unpaid, "unpaid")] {
        for how in ["lost", "void"] {
            let mut book = used_up(then);
            tell(&mut book, &format!("02-05 | person {how} 0 | sub:{status}"));
            let why = why(&book);
            assert!(!why.contains("has been charged") && why.contains("until `dues resume sub_1`"), "{why}");
        }
    }
}

#[test]
fn what_the_policy_stopped_beside_the_one_that_was_used_up_goes_on_with_it() {
    let mut policy = ladder(&["10 days"], EndAction::Pause);
    policy.newer = NewerPeriods::Collect;
    tell(
        &mut Book::new("2026-01-31", terms("week", policy)),
        "01-31       | no insufficient_fund | 0.next:02-10T09:00
         02-07       | no insufficient_fund | 1.next:02-17T09:00
         02-10T09:00 | no insufficient_fund | 0:exhausted 1:stopped sub:paused
         02-12       | card card_test_2 12/2060 |
                     | ok2                  | 0:paid 1:open sub:past_due
                     | ok2                  | 1:paid sub:active",
    );
}
