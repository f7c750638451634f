//! Stories of missed periods: how they are invoiced, held, released and collected.

use super::book::Book;
use super::kit::{ladder, terms};
use super::story::tell;
use crate::model::EndAction;

#[test]
fn missed_periods_are_all_invoiced_and_collected_one_a_day_beside_the_current_one() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "04-02       | ok  | 0:paid 1:open 2:open 3:none
                     | ok  | 2:paid 1:open
                     | run | skip:catch_up_spread wake:04-03
         04-03       | ok  | 1:paid wake:04-30",
    );
}

#[test]
fn too_many_missed_periods_wait_for_a_person_and_the_current_one_does_not() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "07-02 | ok            | 0:catch_up 1:catch_up 4:catch_up 5:paid
               | run           | skip:held wake:07-31
         07-03 | person resume | 0:open 4:open
               | ok            | 0:paid
               | run           | skip:catch_up_spread wake:07-04
         07-04 | ok            | 1:paid",
    );
}

#[test]
fn months_of_missed_days_wait_and_are_all_collected_once_a_person_resumes() {
    let mut book = Book::new("2026-01-01", terms("day", ladder(&["1 day"], EndAction::Unpaid)));
    tell(
        &mut book,
        "03-02 | ok            | 0:catch_up 59:catch_up 60:paid
               | run           | skip:held wake:03-03
         03-03 | no insufficient_fund | 61:open 61.next:03-04T09:00
         03-04 | run           | skip:not_due 62:open
         03-04T09:00 | ok      | 61:paid
               | ok            | 62:paid 0:catch_up
         03-05 | person resume | 0:open 40:catch_up
               | ok            | 0:paid 40:catch_up
               | ok            | 63:paid
               | run           | skip:catch_up_spread",
    );
    for n in 0..80 {
        let at = book.circumstances.at + jiff::SignedDuration::from_hours(24);
        book.go_to(at);
        for _ in 0..2 {
            if book.is_due()
                && let super::book::Look::Charge(charge) = book.look()
            {
                book.conclude(&charge.request.attempt, &super::story::outcome(&["ok"]));
            }
        }
        assert!(n < 60 || book.snapshot().invoices.is_empty(), "{:#?}", book.snapshot().invoices);
    }
    let paid = book.rows.invoices.iter().filter(|o| o.invoice.status == crate::model::InvoiceStatus::Paid);
    assert_eq!(paid.count(), book.rows.invoices.len());
}

#[test]
fn years_of_missed_days_are_invoiced_in_few_steps_and_none_is_charged() {
    let mut book = Book::new("2016-01-01", terms("day", ladder(&["1 day"], EndAction::Unpaid)));
    book.go_to(super::story::moment("01-01"));
    let mut steps = 0;
    loop {
        steps += 1;
        match book.look() {
            super::book::Look::Skipped(crate::model::SkipReason::NotDue) => assert!(book.is_due()),
            super::book::Look::Charge(charge) => {
                assert_eq!(charge.request.attempt.to_string(), "sub_1.3653.1", "the current period");
                break;
            }
            other @ super::book::Look::Skipped(_) => panic!("{other:?}"),
        }
    }
    assert_eq!(steps, 10, "3,654 periods, 400 a step");
    let held = book.rows.invoices.iter().filter(|o| o.invoice.hold == Some(crate::model::Hold::CatchUp));
    assert_eq!(held.count(), 3653);
}

#[test]
fn a_pause_stops_what_one_look_does_not_load_and_resuming_brings_it_back() {
    let mut book = Book::new("2026-01-01", terms("day", ladder(&["1 day"], EndAction::Unpaid)));
    book.circumstances.catch_up.hold_after = 100;
    tell(
        &mut book,
        "03-02T12:00 | ok            | 0:paid 60:open
                     | run           | skip:catch_up_spread
         03-03       | person pause  | 1:stopped 32:stopped 33:open
                     | run           | skip:paused
                     | person void 1 |
                     | person void 2 |
                     | run           | skip:paused 33:stopped 34:stopped 35:open
         04-01       | person resume | 3:open 33:open
                     | ok            | 3:paid",
    );
}

#[test]
fn a_turn_in_the_daily_collection_is_given_back_by_the_charge_that_took_it_alone() {
    for answer in ["unsent", "rejected request", "rejected source"] {
        tell(
            &mut Book::monthly("2026-01-31"),
            &format!(
                "04-02 | ok       | 0:paid 1:open 2:open
                       | {answer} | 1.tries:0 2.tries:1
                       | wait     | 1:open 1.tries:0"
            ),
        );
        let mut book = Book::monthly("2026-01-31");
        tell(&mut book, &format!("04-02 | ok | 0:paid \n | {answer} | 2.tries:1"));
        assert_eq!(book.rows.customer.caught_up_at, Some(super::story::moment("04-02")), "{answer}");
    }
    let mut book = Book::monthly("2026-01-31");
    tell(&mut book, "04-02 | unsent | 0.tries:1");
    assert_eq!(book.rows.customer.caught_up_at, None, "its own");
}

#[test]
fn missed_periods_before_and_after_a_pause_are_counted_and_held_together() {
    let mut book = Book::new("2026-01-01", terms("day", ladder(&["1 day"], EndAction::Unpaid)));
    tell(
        &mut book,
        "01-01T08:00 | ok                 | 0:paid
         01-03T12:00 | person pause 01-06 |
         01-12T08:00 | ok                 | 1:catch_up 2:catch_up 5:catch_up 10:catch_up 11:paid skipped:3..5=paused
                     | run                | skip:held
         01-12T09:00 | person resume      | 1:open 10:open
                     | ok                 | 1:paid 2:open
                     | run                | skip:catch_up_spread",
    );
    // Two and two are more than three.
    let mut book = Book::new("2026-01-01", terms("day", ladder(&["1 day"], EndAction::Unpaid)));
    tell(
        &mut book,
        "01-01T08:00 | ok                 | 0:paid
         01-03T12:00 | person pause 01-06 |
         01-08T08:00 | ok                 | 1:catch_up 2:catch_up 5:catch_up 6:catch_up 7:paid",
    );
    // One and two are not.
    let mut book = Book::new("2026-01-01", terms("day", ladder(&["1 day"], EndAction::Unpaid)));
    tell(
        &mut book,
        "01-01T08:00 | ok                 | 0:paid
         01-02T12:00 | person pause 01-06 |
         01-08T08:00 | ok                 | 1:paid 5:open 6:open
                     | ok                 | 7:paid",
    );
}
