//! Stories of the backup card: when it is tried, that it is tried once, and when it is not.

use super::book::{Book, Look};
use super::kit::{card, ladder, terms};
use super::story::tell;
use crate::model::{BackupCard, EndAction};

/// A customer with two cards who agreed to both, under a policy of one retry.
pub(super) fn book(then: EndAction) -> Book {
    let mut policy = ladder(&["2 days"], then);
    policy.backup_card = true;
    let mut book = Book::new("2026-01-31", terms("month", policy));
    book.rows.subscription.backup = BackupCard::Agreed;
    book.rows.customer.cards.push(card("card_test_2", (12, 2060)));
    book
}

#[test]
fn after_the_first_hard_decline_the_backup_card_is_tried_at_once_and_named() {
    let mut book = book(EndAction::Pause);
    tell(&mut book, "01-31 | no stolen_or_lost_card | 0:new_card 0.next:01-31 due:true");
    let Look::Charge(charge) = book.clone().look() else { panic!("not charged") };
    assert_eq!(charge.request.card.as_ref().unwrap().as_str(), "card_test_2");
    tell(&mut book, "01-31 | ok2 | 0:paid sub:active flag:none");
    assert_eq!(book.rows.subscription.backup, BackupCard::Agreed);
}

#[test]
fn after_the_last_soft_decline_the_backup_card_is_tried_once() {
    tell(
        &mut book(EndAction::Pause),
        "01-31       | no insufficient_fund  | 0.next:02-02T09:00
         02-02T09:00 | no insufficient_fund  | 0:open 0.next:02-02T09:00 sub:past_due
                     | no2 insufficient_fund | 0:exhausted sub:paused 0.tries:3
         02-28       | run                   | skip:paused",
    );
    tell(
        &mut book(EndAction::Cancel),
        "01-31       | no insufficient_fund  |
         02-02T09:00 | no insufficient_fund  | 0:open
                     | ok2                   | 0:paid sub:active wake:02-28
         02-28       | ok                    | 1:paid",
    );
}

#[test]
fn when_both_cards_are_refused_the_usual_ones_answer_stands() {
    tell(
        &mut book(EndAction::Cancel),
        "01-31 | no stolen_or_lost_card  | 0:new_card 0.next:01-31
               | no2 stolen_or_lost_card | 0:new_card sub:past_due
               | run                     | skip:dead_card flag:dead_card 0.tries:2
         02-01 | run                     | skip:dead_card 0.tries:2",
    );
    tell(
        &mut book(EndAction::Cancel),
        "01-31       | no insufficient_fund    |
         02-02T09:00 | no insufficient_fund    | 0:open
                     | no2 stolen_or_lost_card | 0:uncollectible sub:canceled wake:none",
    );
}

#[test]
fn without_consent_policy_or_another_good_card_there_is_none() {
    let hard = "01-31 | no stolen_or_lost_card | 0:new_card 0.next:none";
    let mut unasked = book(EndAction::Pause);
    unasked.rows.subscription.backup = BackupCard::No;
    tell(&mut unasked, hard);
    let mut unwished = Book::monthly("2026-01-31");
    unwished.rows.subscription.backup = BackupCard::Agreed;
    unwished.rows.customer.cards.push(card("card_test_2", (12, 2060)));
    tell(&mut unwished, hard);
    let mut expired = book(EndAction::Pause);
    expired.rows.customer.cards[1] = card("card_test_2", (12, 2025));
    tell(&mut expired, hard);
    let mut copied = book(EndAction::Pause);
    copied.rows.customer.cards[1].fingerprint = Some("print of card_test_1".into());
    tell(&mut copied, hard);
}

#[test]
fn a_backup_card_that_vanishes_leaves_the_last_answer() {
    tell(
        &mut book(EndAction::Pause),
        "01-31       | no insufficient_fund  |
         02-02T09:00 | no insufficient_fund  | 0:open
                     | unsaved card_test_2   |
         02-04       | run                   | skip:not_due 0:exhausted sub:paused",
    );
}

#[test]
fn a_new_usual_card_comes_before_the_backup_card() {
    let mut book = book(EndAction::Pause);
    tell(
        &mut book,
        "01-31 | no stolen_or_lost_card   | 0:new_card 0.next:01-31
               | card card_test_3 12/2060 |",
    );
    let Look::Charge(charge) = book.look() else { panic!("not charged") };
    assert_eq!(charge.request.card, None, "the default is left to the provider");
}

#[test]
fn a_resting_backup_card_is_waited_for() {
    let mut book = book(EndAction::Pause);
    for hour in 0..15 {
        book.rows.declines.push(crate::model::CardDecline {
            card: "card_test_2".parse().unwrap(),
            fingerprint: None,
            at: super::kit::day("2026-01-20") + jiff::SignedDuration::from_hours(hour),
            amount: "1.00 THB".parse().unwrap(),
            never: false,
        });
    }
    tell(
        &mut book,
        "01-31 | no stolen_or_lost_card | 0:new_card due:true
               | run                    | skip:budget 0.next:02-19
         02-19 | ok2                    | 0:paid",
    );
}
