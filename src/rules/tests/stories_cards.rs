//! Stories of cards: what the watch makes of them, flags ahead of time, warnings, expired cards that are tried.

use jiff::SignedDuration;

use super::book::Book;
use super::kit::{ladder, terms};
use super::story::tell;
use crate::model::EndAction;

fn warned(days: &[i64]) -> Book {
    let mut book = Book::monthly("2026-01-31");
    book.circumstances.cards.warn_before = days.iter().map(|d| SignedDuration::from_hours(24 * d)).collect();
    book
}

#[test]
fn the_watch_flags_ahead_of_time_once_and_the_flag_stands_until_the_card_works() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31 | ok     | 0:paid sub:active wake:02-28
         02-10 | nocard |
               | watch  | flag:no_card raised:1 reads:2 sub:active wake:02-28
         02-11 | watch  | flag:no_card raised:1
         02-28 | run    | skip:no_card flag:no_card raised:1 sub:past_due
         03-01 | card card_test_2 12/2060 |
               | watch  | flag:none due:true
               | ok     | 1:paid sub:active",
    );
}

#[test]
fn a_look_while_nothing_is_due_leaves_a_flag_that_still_holds() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31 | ok              | 0:paid
         02-10 | gone            |
               | watch           | flag:customer_gone
         02-11 | run             | skip:not_due flag:customer_gone raised:1
               | back            |
         02-12 | news            | flag:none wake:02-28
         02-28 | ok              | 1:paid",
    );
}

#[test]
fn bad_news_are_confirmed_by_a_read_before_anybody_is_flagged() {
    // The list said that there is no card; the read of that very moment shows one.
    let mut book = Book::monthly("2026-01-31");
    tell(&mut book, "01-31 | ok | 0:paid");
    let good = book.rows.customer.clone();
    tell(&mut book, "02-10 | nocard | ");
    let asked =
        crate::rules::watch::judge(&book.snapshot(), &book.circumstances.cards, book.circumstances.at, false);
    assert!(matches!(asked, crate::rules::watch::News::Confirm(_)), "{asked:?}");
    book.rows.customer = crate::model::CustomerSnapshot { version: book.rows.customer.version, ..good };
    tell(&mut book, "02-10 | news | flag:none raised:0 reads:2");
}

#[test]
fn a_new_card_is_tried_at_once_and_once() {
    tell(
        &mut Book::new("2026-01-31", terms("year", ladder(&["7 days", "7 days"], EndAction::Pause))),
        "01-31       | no insufficient_fund     | 0.next:02-07T09:00
         02-01       | news                     | 0.next:02-07T09:00 due:false
         02-02       | card card_test_2 12/2060 |
                     | news                     | 0.next:02-02 due:true
                     | no2 insufficient_fund    | 0.next:02-09T09:00
         02-03       | news                     | 0.next:02-09T09:00 due:false",
    );
}

#[test]
fn another_card_lifts_what_waits_for_one_but_not_what_a_person_stopped() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31 | no stolen_or_lost_card   | 0:new_card
               | run                      | skip:dead_card flag:dead_card
         02-01 | news                     | flag:dead_card 0:new_card
               | card card_test_2 12/2060 |
               | news                     | flag:none 0:new_card 0.next:02-01 due:true
               | ok                       | 0:paid",
    );
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31 | no stolen_or_lost_card   | 0:new_card
         02-01 | person pause             | sub:paused
               | card card_test_2 12/2060 |
               | news                     | 0:new_card due:false",
    );
}

#[test]
fn each_length_is_told_once_and_two_that_come_together_as_one() {
    // The card ends with February: at noon UTC of 1 March.
    tell(
        &mut warned(&[45, 15, 3]),
        "01-31 | card card_test_1 02/2026 |
               | ok    | 0:paid
               | watch | warned:45 warnings:1
         02-01 | watch | warned:45 warnings:1
         02-15 | watch | warned:45,15 warnings:2
         02-27 | watch | warned:45,15,3 warnings:3
         03-01 | watch | warnings:3 flag:none
         03-02 | watch | warnings:3 flag:expired_card",
    );
    tell(
        &mut warned(&[45, 15, 3]),
        "02-27 | card card_test_1 02/2026 |
               | ok    | 0:paid
               | watch | warned:45,15,3 warnings:1
         02-28 | watch | warnings:1
               | card card_test_1 02/2027 |
               | watch | warnings:1",
    );
}

#[test]
fn a_renewal_that_the_card_will_not_see_is_told_of_long_before() {
    let mut book = Book::new("2026-01-31", terms("year", ladder(&["1 day"], EndAction::Pause)));
    book.circumstances.cards.warn_before = vec![SignedDuration::from_hours(24 * 15)];
    tell(
        &mut book,
        "01-31 | card card_test_1 06/2026 |
               | ok    | 0:paid
               | watch | warned:0 warnings:1
         02-01 | watch | warnings:1
         06-20 | watch | warned:0,15 warnings:2",
    );
    // By then it has ended, or it is not asked about.
    let mut book = Book::new("2026-01-31", terms("year", ladder(&["1 day"], EndAction::Pause)));
    book.circumstances.cards.renewals_ahead = 0;
    tell(
        &mut book,
        "01-31 | card card_test_1 06/2026 |
               | ok    | 0:paid
               | watch | warned:none",
    );
}

#[test]
fn an_expired_card_is_tried_once_a_period_where_that_is_wished() {
    let mut book = Book::monthly("2026-01-31");
    book.circumstances.cards.try_expired = true;
    tell(
        &mut book,
        "01-31       | card card_test_1 12/2025 |
                     | watch                    | flag:none
                     | no insufficient_fund     | 0.tries:1 flag:none 0.next:02-02T09:00
         02-02T09:00 | run                      | skip:expired_card flag:expired_card 0.tries:1
         02-28       | run                      | skip:expired_card 1:open raised:1
         03-01       | person void 0            | 0:void
                     | no expired_card          | 1.tries:1 1:new_card
         03-02       | run                      | skip:expired_card flag:expired_card
         03-03       | card card_test_1 12/2061 |
                     | ok                       | 1:paid flag:none",
    );
}

#[test]
fn a_card_that_answers_in_the_place_of_the_default_is_not_asked_a_third_time() {
    // Whoever reads the customer is told of card_test_1; whoever charges them is answered by card_test_2.
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31 | no2 stolen_or_lost_card | 0:new_card
               | no2 stolen_or_lost_card | 0:new_card 0.tries:2
               | run                     | skip:dead_card flag:dead_card 0.tries:2
         02-01 | run                     | skip:dead_card 0.tries:2
         02-28 | run                     | skip:dead_card 0.tries:2",
    );
}
