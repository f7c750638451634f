//! Stories of declines: retries, last tries, hard refusals, other cards.

use super::book::Book;
use super::kit::{curve, ladder, terms};
use super::story::tell;
use crate::model::{Curve, EndAction};

#[test]
fn a_soft_decline_is_retried_by_the_ladder_until_it_is_paid() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31       | no insufficient_fund | 0:open 0.next:02-02T09:00 sub:past_due wake:02-02T09:00
         02-02T08:59 | run | skip:not_due
         02-02T09:00 | no insufficient_fund | 0.next:02-06T09:00 0.tries:2
         02-06T09:00 | ok  | 0:paid sub:active wake:02-28",
    );
}

#[test]
fn after_the_last_try_the_policy_pauses_and_periods_pass_unbilled() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31       | no insufficient_fund |
         02-02T09:00 | no insufficient_fund |
         02-06T09:00 | no insufficient_fund | 0:exhausted 0.next:none sub:paused wake:02-07T09:00
         02-28       | run           | skip:paused skipped:1..2=paused 1:none wake:02-28T09:00
         03-05       | person retry  | 0.next:03-05 due:true
                     | ok            | 0:paid sub:active wake:03-31
         03-31       | ok            | 2:paid",
    );
}

#[test]
fn after_the_last_try_the_policy_may_end_or_leave_unpaid() {
    let dunning = |then| ladder(&["1 day"], then);
    tell(
        &mut Book::new("2026-01-31", terms("month", dunning(EndAction::Cancel))),
        "01-31       | no insufficient_fund | 0.next:02-01T09:00
         02-01T09:00 | no insufficient_fund | 0:uncollectible sub:canceled wake:none",
    );
    tell(
        &mut Book::new("2026-01-31", terms("month", dunning(EndAction::Unpaid))),
        "01-31       | no insufficient_fund |
         02-01T09:00 | no insufficient_fund | 0:exhausted sub:unpaid
         02-28       | run           | skipped:1..2=unpaid
         03-01       | person resume | sub:past_due 0:exhausted
         03-31       | ok            | 2:paid 0:exhausted sub:past_due
                     | person paid 0 | 0:paid sub:active",
    );
}

#[test]
fn a_curve_is_a_ladder_that_is_computed() {
    let doubling = Curve {
        first: "1 day".parse().unwrap(),
        multiplier_milli: 2_000,
        longest: "7 days".parse().unwrap(),
        attempts: 2,
    };
    tell(
        &mut Book::new("2026-01-31", terms("year", curve(doubling, EndAction::Unpaid))),
        "01-31       | no insufficient_fund | 0.next:02-01T09:00
         02-01T09:00 | no insufficient_fund | 0.next:02-03T09:00
         02-03T09:00 | no insufficient_fund | 0:exhausted sub:unpaid",
    );
}

#[test]
fn a_code_may_allow_fewer_retries_than_the_policy() {
    tell(
        &mut Book::new("2026-01-31", terms("year", ladder(&["1 day", "1 day", "1 day"], EndAction::Pause))),
        "01-31       | no moon_phase | 0.next:02-01T09:00
         02-01T09:00 | no moon_phase | 0:exhausted sub:paused",
    );
}

#[test]
fn a_hard_decline_waits_for_another_card_and_is_flagged_after_a_read() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31 | no stolen_or_lost_card | 0:new_card sub:past_due flag:none due:true
               | run | skip:dead_card flag:dead_card reads:2
         02-01 | run | skip:dead_card flag:dead_card reads:3
         02-28 | run | skip:dead_card 1:open 1.tries:0
         03-01 | card card_test_2 12/2060 |
               | ok  | 0:paid flag:none due:true
               | ok  | 1:paid sub:active due:false",
    );
}

#[test]
fn a_card_that_the_bank_calls_expired_works_again_with_another_month() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31 | no expired_card          | 0:new_card
         02-01 | run                      | skip:expired_card flag:expired_card
         02-02 | run                      | skip:expired_card
         02-03 | card card_test_1 11/2061 |
               | ok                       | 0:paid flag:none sub:active",
    );
}

#[test]
fn a_person_may_try_a_card_again_that_another_person_calls_good() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31 | no failed_fraud_check | 0:new_card
         02-01 | run          | skip:dead_card
         02-02 | person retry | 0:open
               | ok           | 0:paid flag:none sub:active",
    );
}

#[test]
fn refused_keys_leave_the_invoice_due_and_nobody_declined() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31 | rejected keys | 0:open 0.last:rejected sub:active due:true
         02-01 | ok            | 0:paid",
    );
}

#[test]
fn a_newer_invoice_waits_while_an_older_one_is_being_retried() {
    tell(
        &mut Book::new("2026-01-31", terms("week", ladder(&["10 days"], EndAction::Unpaid))),
        "01-31       | no insufficient_fund | 0.next:02-10T09:00
         02-07       | run | skip:not_due 1:open wake:02-10T09:00
         02-10T09:00 | ok  | 0:paid due:true
                     | ok  | 1:paid wake:02-14",
    );
}

#[test]
fn a_refusal_that_shows_no_card_is_taken_for_the_default_so_that_another_one_is_known() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31 | cardless failed_fraud_check | 0:new_card
         02-01 | run                      | skip:dead_card
         02-02 | card card_test_2 12/2060 |
               | ok                       | 0:paid",
    );
}

#[test]
fn after_the_last_try_a_new_card_is_noticed_within_a_day_for_two_months() {
    tell(
        &mut Book::new("2026-01-31", terms("year", ladder(&["1 day"], EndAction::Pause))),
        "01-31       | no insufficient_fund     |
         02-01T09:00 | no insufficient_fund     | 0:exhausted sub:paused wake:02-02T09:00
         02-02T09:00 | run                      | skip:paused reads:3 wake:02-03T09:00
         02-02T12:00 | card card_test_2 12/2060 | due:false
         02-03T09:00 | ok                       | 0:paid sub:active reads:4",
    );
    tell(
        &mut Book::new("2026-01-31", terms("year", ladder(&["1 day"], EndAction::Pause))),
        "01-31       | no insufficient_fund |
         02-01T09:00 | no insufficient_fund | 0:exhausted
         04-01T09:00 | run                  | skip:paused wake:04-02T09:00
         04-02T09:00 | run                  | skip:paused wake:01-31",
    );
}

#[test]
fn a_customer_who_had_to_act_and_saved_another_card_is_charged_on_it() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31 | no payment_cancelled     | 0:customer wake:02-01
         02-01 | run                      | skip:held wake:02-02
         02-01 | card card_test_2 12/2060 |
         02-02 | ok                       | 0:paid sub:active",
    );
}
