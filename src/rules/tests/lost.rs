//! Charges that the book had lost, taken in: what is opened before them, and what stays on hold.

use jiff::Timestamp;

use super::book::Book;
use super::kit::{day, ladder, terms};
use super::story::seen;
use crate::model::{AttemptId, ChargeSeen, EndAction, SeenStatus};
use crate::rules::recover::{TakenIn, take_in};

fn lost(created_at: Timestamp) -> ChargeSeen {
    ChargeSeen { created_at, ..seen(SeenStatus::Successful, "chrg_test_1") }
}

fn attempt(index: u32) -> AttemptId {
    format!("sub_1.{index}.1").parse().unwrap()
}

/// Takes in the charge of that period, made on that day; in how many steps.
fn takes_in(book: &mut Book, index: u32, made: &str) -> usize {
    for steps in 1.. {
        let id = attempt(index);
        let found = take_in(&book.snapshot_of(&id), &id, &lost(day(made)), &book.circumstances).unwrap();
        match found {
            TakenIn::Whole(transition) => {
                book.apply(&transition);
                return steps;
            }
            TakenIn::Part(transition) => {
                assert!(!transition.is_empty(), "no step forward");
                book.apply(&transition);
            }
            TakenIn::Never => panic!("never"),
        }
    }
    unreachable!()
}

#[test]
fn a_charge_far_ahead_is_taken_in_step_by_step() {
    let mut book = Book::new("2025-09-01", terms("day", ladder(&["1 day"], EndAction::Unpaid)));
    book.go_to(day("2026-11-22"));
    assert_eq!(takes_in(&mut book, 447, "2026-11-22"), 2);
    assert_eq!((book.rows.invoices.len(), book.rows.subscription.next_index), (448, 448));
}

#[test]
fn a_period_that_no_time_explains_is_refused_and_one_that_was_skipped_never_comes() {
    let mut book = Book::monthly("2026-01-31");
    let of = |book: &Book, index| {
        let id = attempt(index);
        take_in(&book.snapshot_of(&id), &id, &lost(day("2026-01-31")), &book.circumstances)
    };
    assert!(of(&book, 400).is_ok(), "test keys look a good way ahead");
    let refused = of(&book, 401).unwrap_err().to_string();
    assert!(refused.contains("period 401") && !refused.contains("run-now"), "{refused}");
    assert!(of(&book, u32::MAX).is_err());
    book.rows.subscription.next_index = 3;
    assert_eq!(of(&book, 1).unwrap(), TakenIn::Never);
}
