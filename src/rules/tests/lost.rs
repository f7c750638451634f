//! Charges that the book had lost, taken in: what is opened before them, and what stays on hold.

use jiff::Timestamp;

use super::book::{Book, Look};
use super::kit::{day, ladder, terms};
use super::story::{outcome, seen};
use crate::model::{AttemptId, AttemptStatus, ChargeSeen, EndAction, EventKind, Hold, SeenStatus};
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

fn holds(book: &Book) -> Vec<Option<Hold>> {
    book.rows.invoices.iter().map(|open| open.invoice.hold).collect()
}

#[test]
fn missed_periods_before_a_lost_charge_are_held_and_its_own_is_not() {
    let mut book = Book::monthly("2026-01-31");
    book.go_to(day("2026-09-02"));
    assert_eq!(takes_in(&mut book, 5, "2026-07-01"), 1);
    let held = Some(Hold::CatchUp);
    assert_eq!(holds(&book), [held, held, held, held, held, None]);
    assert_eq!(book.happened(EventKind::CatchUpHeld), 1);
    let last = book.rows.invoices.last().unwrap();
    assert_eq!(last.attempts[0].status, AttemptStatus::InDoubt);
    // As few as are collected without asking are not held.
    let mut book = Book::monthly("2026-01-31");
    book.go_to(day("2026-09-02"));
    takes_in(&mut book, 3, "2026-05-01");
    assert_eq!((holds(&book), book.happened(EventKind::CatchUpHeld)), (vec![None; 4], 0));
}

#[test]
fn what_was_opened_with_an_older_lost_charge_releases_nothing() {
    let mut book = Book::monthly("2026-01-31");
    book.go_to(day("2026-12-02"));
    takes_in(&mut book, 2, "2026-04-05");
    book.conclude(&attempt(2), &outcome(&["no", "insufficient_fund"]));
    takes_in(&mut book, 8, "2026-10-01");
    book.conclude(&attempt(8), &outcome(&["ok"]));
    let wanted: Vec<_> = (0..9).map(|index| (3..8).contains(&index).then_some(Hold::CatchUp)).collect();
    assert_eq!(holds(&book), wanted);
    for _ in 0..3 {
        if let Look::Charge(charge) = book.look() {
            book.conclude(&charge.request.attempt, &outcome(&["ok"]));
        }
    }
    assert_eq!(holds(&book)[3..8], wanted[3..8], "nobody has resumed it");
}

#[test]
fn a_charge_far_ahead_is_taken_in_step_by_step() {
    let mut book = Book::new("2025-09-01", terms("day", ladder(&["1 day"], EndAction::Unpaid)));
    book.go_to(day("2026-11-22"));
    assert_eq!(takes_in(&mut book, 447, "2026-11-22"), 2);
    let held = holds(&book).into_iter().filter(|hold| *hold == Some(Hold::CatchUp)).count();
    assert_eq!((held, book.rows.invoices.len()), (447, 448));
    assert_eq!(book.happened(EventKind::CatchUpHeld), 1, "one hold, told once");
    assert_eq!(book.rows.subscription.next_index, 448);
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
