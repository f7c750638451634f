//! Stories of a card that was refused for good: what brings it back, and what does not.

use super::book::Book;
use super::kit::{ladder, terms};
use super::story::tell;
use crate::model::{Currency, EndAction};

/// A customer whose card was refused for good on 31 January.
fn refused() -> Book {
    let mut book = Book::monthly("2026-01-31");
    tell(&mut book, "01-31 | no failed_fraud_check | 0:new_card 0.next:none \n | run | skip:dead_card");
    book
}

/// The same, with another card as the default since the next day.
fn replaced() -> Book {
    let mut book = refused();
    tell(&mut book, "02-01 | saved card_test_2 12/2060 | \n | default card_test_2 |");
    book
}

const GONE_AGAIN: &str = " | unsaved card_test_2 | \n | default card_test_1 |";

/// At most one charge of the story's price a day.
fn one_a_day(book: &mut Book) {
    book.circumstances.customer_day.insert(Currency::Thb, "1500.00 THB".parse().unwrap());
}

#[test]
fn another_card_that_was_declined_meanwhile_does_not_lift_it() {
    let mut book = replaced();
    tell(
        &mut book,
        "02-01 | no2 insufficient_fund | 0:new_card 0.next:02-05T09:00 flag:none wake:02-05T09:00",
    );
    tell(&mut book, GONE_AGAIN);
    tell(
        &mut book,
        "02-05T09:00 | run          | skip:dead_card flag:dead_card 0.tries:2 0.next:none
         02-06       | run          | skip:dead_card 0.tries:2
                     | person retry | 0:open 0.next:02-06
                     | ok           | 0:paid flag:none sub:active",
    );
}

#[test]
fn another_card_that_had_to_wait_for_a_brake_or_its_budget_does_not_lift_it() {
    let mut book = replaced();
    one_a_day(&mut book);
    book.rows.customer.spent_on = Some(jiff::civil::date(2026, 2, 1));
    book.rows.customer.spent = vec!["990.00 THB".parse().unwrap()];
    tell(&mut book, "02-01T10:00 | run | skip:customer_day 0:new_card 0.next:02-02 wake:02-02");
    let why = crate::rules::next_steps(&book.snapshot(), &book.circumstances).join("\n");
    assert!(why.contains("is tried next at 2026-02-02T00:00:00+07:00"), "{why}");
    let mut kept = book.clone();
    tell(&mut kept, "02-01T11:00 | run | skip:not_due wake:02-02 \n 02-02 | ok2 | 0:paid sub:active");
    tell(&mut book, GONE_AGAIN);
    tell(&mut book, "02-02 | run | skip:dead_card flag:dead_card 0.tries:1 0.next:none");
    let mut book = replaced();
    for hour in 0..15 {
        book.rows.declines.push(crate::model::CardDecline {
            card: "card_test_2".parse().unwrap(),
            fingerprint: None,
            at: super::kit::day("2026-01-20") + jiff::SignedDuration::from_hours(hour),
            amount: "1.00 THB".parse().unwrap(),
            never: false,
        });
    }
    tell(&mut book, "02-01 | run | skip:budget 0:new_card 0.next:02-19");
    tell(&mut book, GONE_AGAIN);
    tell(&mut book, "02-19 | run | skip:dead_card 0.tries:1");
}

#[test]
fn another_card_is_read_again_when_its_time_has_come_however_fresh_it_is() {
    let mut book = replaced();
    one_a_day(&mut book);
    book.rows.customer.spent_on = Some(jiff::civil::date(2026, 2, 1));
    book.rows.customer.spent = vec!["990.00 THB".parse().unwrap()];
    tell(&mut book, "02-01T10:00 | run | skip:customer_day 0.next:02-02");
    // Fourteen hours old: good for a day, but not for a card that came in the place of a refused one.
    book.go_to(super::story::moment("02-02"));
    let asked = book.prepare(false);
    assert!(matches!(asked, crate::rules::Prepared::ConfirmCustomer(None)), "{asked:?}");
    // News of this very moment are not asked for again.
    let mut book = replaced();
    tell(&mut book, "02-01 | news | 0:new_card 0.next:02-01");
    assert!(matches!(book.prepare(false), crate::rules::Prepared::Charge(_)));
}

#[test]
fn another_card_that_was_never_asked_does_not_lift_it() {
    for answer in ["unsent", "rejected keys", "rejected source"] {
        let mut book = replaced();
        tell(&mut book, &format!("02-01 | {answer} | 0:new_card due:true"));
        let mut kept = book.clone();
        tell(&mut kept, "02-01 | ok2 | 0:paid");
        tell(&mut book, GONE_AGAIN);
        tell(&mut book, "02-01T01:00 | run | skip:dead_card 0.tries:2");
    }
    let mut book = replaced();
    tell(&mut book, "02-01 | rejected request | 0:rejected 0.next:none");
    let mut book = replaced();
    tell(
        &mut book,
        "02-01 | silence | \n 02-01T00:20 | look empty | \n 02-01T00:40 | look empty | 0:new_card",
    );
    tell(&mut book, GONE_AGAIN);
    tell(&mut book, "02-01T01:00 | run | skip:dead_card 0.tries:2");
}

#[test]
fn news_of_another_card_do_not_lift_it() {
    let mut book = replaced();
    tell(&mut book, "02-01 | news | flag:none 0:new_card 0.next:02-01 due:true");
    tell(&mut book, GONE_AGAIN);
    tell(&mut book, "02-01T01:00 | run | skip:dead_card 0.tries:1");
}

#[test]
fn a_pause_in_between_does_not_lift_it() {
    let mut book = replaced();
    tell(
        &mut book,
        "02-01 | no2 insufficient_fund | 0:new_card 0.next:02-05T09:00
         02-02 | person pause          | 0:stopped 0.next:none
         02-04 | person resume         | 0:new_card 0.next:02-04",
    );
    let mut kept = book.clone();
    tell(&mut kept, "02-04 | ok2 | 0:paid");
    tell(&mut book, GONE_AGAIN);
    tell(&mut book, "02-04 | run | skip:dead_card 0.tries:2");
}

#[test]
fn a_person_lifts_it_and_what_never_left_us_does_not_take_their_word_back() {
    for answer in ["unsent", "rejected keys"] {
        let mut book = refused();
        tell(
            &mut book,
            &format!(
                "02-01 | person retry | 0:open 0.next:02-01
                       | {answer}     | 0:open due:true
                       | ok           | 0:paid sub:active"
            ),
        );
    }
    let mut book = refused();
    one_a_day(&mut book);
    book.rows.customer.spent_on = Some(jiff::civil::date(2026, 2, 1));
    book.rows.customer.spent = vec!["990.00 THB".parse().unwrap()];
    tell(
        &mut book,
        "02-01 | person retry |
               | run          | skip:customer_day 0:open 0.next:02-02
         02-02 | ok           | 0:paid",
    );
}

#[test]
fn a_card_renewed_while_it_waits_for_a_brake_is_still_tried() {
    let mut book = Book::monthly("2026-01-31");
    one_a_day(&mut book);
    tell(
        &mut book,
        "01-31 | no expired_card          | 0:new_card
         02-01 | run                      | skip:expired_card flag:expired_card
               | card card_test_1 11/2061 |",
    );
    book.rows.customer.spent_on = Some(jiff::civil::date(2026, 2, 1));
    book.rows.customer.spent = vec!["990.00 THB".parse().unwrap()];
    tell(
        &mut book,
        "02-01T10:00 | run | skip:customer_day flag:none 0.next:02-02
         02-02       | ok  | 0:paid",
    );
}

#[test]
fn tries_that_were_used_up_stay_so_where_the_card_that_came_is_gone_again() {
    let mut book = Book::new("2026-01-31", terms("year", ladder(&["1 day"], EndAction::Pause)));
    one_a_day(&mut book);
    tell(
        &mut book,
        "01-31       | no insufficient_fund     |
         02-01T09:00 | no insufficient_fund     | 0:exhausted sub:paused
                     | saved card_test_2 12/2060 |
                     | default card_test_2      |",
    );
    book.rows.customer.spent_on = Some(jiff::civil::date(2026, 2, 2));
    book.rows.customer.spent = vec!["990.00 THB".parse().unwrap()];
    tell(&mut book, "02-02T09:00 | run | skip:customer_day 0:exhausted 0.next:02-03 wake:02-03");
    let mut kept = book.clone();
    tell(&mut kept, "02-03 | ok2 | 0:paid sub:active");
    tell(&mut book, GONE_AGAIN);
    tell(&mut book, "02-03 | run | skip:paused 0:exhausted 0.next:none 0.tries:2 wake:02-03T09:00");
}

#[test]
fn a_backup_card_that_is_not_wished_any_more_does_not_bring_back_the_usual_one() {
    let mut book = super::stories_backup::book(EndAction::Pause);
    tell(&mut book, "01-31 | no failed_fraud_check | 0:new_card 0.next:01-31");
    book.rows.subscription.backup = crate::model::BackupCard::No;
    tell(&mut book, "01-31 | run | skip:dead_card 0.tries:1 0.next:none");
}

/// Sent on 31 January without an answer, and paused by a person until 5 February.
fn paused_in_doubt() -> Book {
    let mut book = Book::monthly("2026-01-31");
    tell(&mut book, "01-31 | silence | \n | person pause 02-05 | 0:stopped sub:paused");
    book
}

#[test]
fn what_the_bank_says_during_a_pause_holds_after_it() {
    for (code, hold, skip) in [
        ("failed_fraud_check", "new_card", "dead_card"),
        ("stolen_or_lost_card", "new_card", "dead_card"),
        ("expired_card", "new_card", "expired_card"),
        ("payment_cancelled", "customer", "held"),
        ("reversed", "rejected", "held"),
    ] {
        tell(
            &mut paused_in_doubt(),
            &format!(
                "02-01 | look no {code} | 0:{hold} 0.next:none sub:paused
                       | run            | skip:paused 0.tries:1
                 02-05 | run            | skip:{skip} 0.tries:1 0:{hold}"
            ),
        );
    }
    tell(
        &mut paused_in_doubt(),
        "02-01 | look no insufficient_fund | 0:stopped sub:paused
         02-05 | ok                        | 0:paid sub:active",
    );
    let mut rejected = Book::monthly("2026-01-31");
    let super::book::Look::Charge(charge) = rejected.look() else { panic!("not charged") };
    tell(&mut rejected, "01-31 | person pause 02-05 | 0:stopped");
    rejected.conclude(&charge.request.attempt, &super::story::outcome(&["rejected", "request"]));
    tell(&mut rejected, "02-05 | run | skip:held 0:rejected 0.tries:1");
}

#[test]
fn after_a_last_try_that_a_pause_met_one_more_has_the_policy_s_last_word() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31       | no insufficient_fund      |
         02-02T09:00 | no insufficient_fund      | 0.next:02-06T09:00
         02-06T09:00 | silence                   |
                     | person pause 02-10        | 0:stopped
         02-07       | look no insufficient_fund | 0:stopped sub:paused
         02-10       | no insufficient_fund      | 0:exhausted 0.tries:4 sub:paused
         02-11       | person retry              |
                     | ok                        | 0:paid sub:active",
    );
}

#[test]
fn a_backup_card_is_tried_once_the_pause_that_met_the_refusal_has_ended() {
    let mut book = super::stories_backup::book(EndAction::Cancel);
    tell(
        &mut book,
        "01-31 | silence                    |
               | person pause 02-05         |
         02-01 | look no failed_fraud_check | sub:paused
               | run                        | skip:paused 0.tries:1
         02-05 | ok2                        | 0:paid 0.tries:2 sub:active",
    );
}

#[test]
fn money_that_went_back_during_a_pause_ends_what_would_follow_it() {
    let mut book = Book::monthly("2026-01-31");
    tell(
        &mut book,
        "01-31 | no insufficient_fund | 0.next:02-02T09:00
         02-01 | person pause 02-05   | 0:stopped
               | reversed             | 0:rejected 0.next:none
         02-05 | run                  | skip:held 0.tries:1 0:rejected",
    );
}
