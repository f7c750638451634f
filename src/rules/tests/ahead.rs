//! What is told beforehand is what happens then.

use super::book::Book;
use super::kit::{ladder, terms};
use super::story::tell;
use crate::model::EndAction;
use crate::rules::{Ahead, ahead};

/// What is told of the book, before anybody looks at it on that day.
fn told(book: &mut Book, day: &str) -> Ahead {
    book.go_to(super::story::moment(day));
    ahead(&book.snapshot(), &book.circumstances).unwrap()
}

#[test]
fn a_period_that_begins_is_invoiced_and_charged() {
    let mut book = Book::monthly("2026-01-31");
    assert_eq!(told(&mut book, "01-31"), Ahead { invoiced: 1, current: 1, ..Ahead::default() });
    tell(&mut book, "01-31 | ok | 0:paid");
    assert_eq!(told(&mut book, "02-01"), Ahead::default());
    let mut declined = Book::monthly("2026-01-31");
    tell(&mut declined, "01-31 | no insufficient_fund | 0.next:02-02T09:00");
    assert_eq!(told(&mut declined, "02-01"), Ahead::default(), "its next try has not come");
    assert_eq!(told(&mut declined, "02-02T10:00"), Ahead { current: 1, ..Ahead::default() });
}

#[test]
fn missed_periods_are_told_as_they_are_collected() {
    // As the story of missed periods has it: 0 and the current one at once, 1 a day later.
    let mut book = Book::monthly("2026-01-31");
    let few = Ahead { invoiced: 3, missed: 2, held: 0, current: 1, above_cap: 0, catch_up: 2 };
    assert_eq!(told(&mut book, "04-02"), few);
    tell(&mut book, "04-02 | ok | 0:paid \n | ok | 2:paid");
    assert_eq!(told(&mut book, "04-02"), Ahead { catch_up: 1, ..Ahead::default() });
}

#[test]
fn too_many_missed_periods_are_told_to_wait_and_the_current_one_is_not() {
    let mut book = Book::monthly("2026-01-31");
    let many = Ahead { invoiced: 6, missed: 5, held: 5, current: 1, above_cap: 0, catch_up: 0 };
    assert_eq!(told(&mut book, "07-02"), many);
    tell(&mut book, "07-02 | ok | 0:catch_up 4:catch_up 5:paid");
    let years = ladder(&["1 day"], EndAction::Unpaid);
    let mut book = Book::new("2016-01-01", terms("day", years));
    let ahead = told(&mut book, "01-01");
    assert_eq!((ahead.invoiced, ahead.missed, ahead.held, ahead.current), (3654, 3653, 3653, 1));
}

#[test]
fn a_paused_subscription_is_told_to_do_nothing() {
    let mut book = Book::monthly("2026-01-31");
    tell(&mut book, "01-31 | ok | 0:paid \n 02-01 | person pause |");
    assert_eq!(told(&mut book, "03-01"), Ahead::default());
}
