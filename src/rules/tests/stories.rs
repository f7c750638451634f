//! One story for each outcome of a charge, and what follows it.

use super::book::{Book, curve, ladder, terms};
use super::story::tell;
use crate::model::{Curve, EndAction};

#[test]
fn paid_month_after_month_on_the_last_day() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-30T23:59 | wait | due:false
         01-31       | ok   | 0:paid sub:active wake:02-28 due:false
                     | run  | skip:not_due
         02-28       | ok   | 1:paid wake:03-31
         03-31       | ok   | 2:paid wake:04-30",
    );
}

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
fn three_d_secure_waits_for_the_customer_and_nothing_is_charged_beside_it() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31 | pending | 0:open 0.last:pending 0.next:none wake:02-28
         02-01 | run     | skip:unfinished
         02-28 | run     | skip:unfinished 1:open 1.tries:0
         03-01 | hear ok | 0:paid due:true
               | ok      | 1:paid",
    );
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31 | pending      |
         02-07 | hear ended expired | 0:customer 0.last:declined sub:past_due
         02-08 | person retry |
               | ok           | 0:paid sub:active",
    );
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31 | pending             |
         02-07 | hear ended reversed | 0:rejected 0.last:declined",
    );
}

#[test]
fn what_never_left_goes_again_at_once() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31 | unsent | 0:open 0.next:01-31 0.last:not_sent due:true sub:active
               | ok     | 0:paid 0.tries:2",
    );
}

#[test]
fn a_wrong_request_waits_for_a_person() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31 | rejected request | 0:rejected 0.last:rejected due:false
         02-28 | ok               | 1:paid 0:rejected
         03-01 | person retry     |
               | ok               | 0:paid",
    );
}

#[test]
fn a_source_that_is_gone_is_read_again_then_tried_once_more() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31 | rejected source | 0:open due:true reads:1
               | rejected source | 0:rejected reads:2 0.tries:2",
    );
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31 | rejected source | due:true
               | gone            |
               | run             | skip:customer_gone flag:customer_gone
         02-01 | back            |
               | ok              | 0:paid flag:none sub:active",
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
fn silence_is_looked_up_and_adopted() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31T00:00 | silence | 0.last:in_doubt 0.next:none due:false
                     | run     | skip:unfinished
         01-31T00:05 | look ok | 0:paid sub:active",
    );
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31       | silence      |
         01-31T00:05 | look no insufficient_fund | 0.last:declined 0.next:02-02T09:00 sub:past_due",
    );
}

#[test]
fn absent_needs_two_empty_looks_far_enough_apart() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31       | silence     |
         01-31T00:05 | look empty  | 0.last:in_doubt
         01-31T00:11 | look empty  | 0.last:in_doubt
         01-31T00:12 | look empty  | 0.last:in_doubt
         01-31T00:21 | look empty  | 0.last:in_doubt
         01-31T00:21 | run         | skip:unfinished
         01-31T00:22 | look broken | 0.last:in_doubt
         01-31T00:23 | look empty  | 0.last:absent 0.next:01-31T00:23
                     | ok          | 0:paid 0.tries:2",
    );
}

#[test]
fn an_answer_that_contradicts_the_request_is_in_doubt_and_an_incident() {
    tell(&mut Book::monthly("2026-01-31"), "01-31 | nonsense | 0.last:in_doubt incidents:1");
}

#[test]
fn found_twice_is_adopted_once_and_an_incident() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31       | silence    |
         01-31T00:05 | look twice | 0:paid incidents:1",
    );
}

#[test]
fn a_charge_that_may_be_ours_needs_a_person() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31       | silence        |
         01-31T00:05 | look alike     | 0.last:manual incidents:1
         02-01       | run            | skip:unfinished
         02-01       | person charged | 0:paid sub:active",
    );
}

#[test]
fn past_the_last_age_a_person_decides() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31       | silence       |
         02-04T23:59 | look broken   | 0.last:in_doubt
         02-05       | look broken   | 0.last:manual
         02-06       | person absent | 0.last:absent 0.next:02-06
                     | ok            | 0:paid",
    );
}

#[test]
fn what_a_person_did_meanwhile_stays_and_the_result_is_kept() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31 | silence        |
         02-01 | person cancel  | sub:canceled
               | look no insufficient_fund | 0:stopped 0.last:declined 0.next:none sub:canceled wake:none",
    );
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31 | silence       |
         02-01 | person pause  | sub:paused
               | look ok       | 0:paid sub:paused
         02-28 | run           | skip:paused skipped:1..2=paused
         03-01 | person resume | sub:active wake:03-31",
    );
}

#[test]
fn a_pause_ends_retries_and_resuming_makes_them_due() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31 | no insufficient_fund | 0.next:02-02T09:00
         02-01 | person pause  | 0:stopped 0.next:none sub:paused wake:02-28
         02-10 | run           | skip:paused
         02-11 | person resume | 0:open 0.next:02-11 sub:past_due
               | ok            | 0:paid sub:active",
    );
}

#[test]
fn a_pause_with_an_end_resumes_by_itself_and_periods_in_it_are_skipped() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31 | ok                 |
         02-10 | person pause 03-15 | wake:02-28
         04-02 | ok                 | skipped:1..2=paused 2:paid sub:active wake:04-30",
    );
}

#[test]
fn an_end_with_the_period_comes_by_itself_however_late_anybody_looks() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31 | ok                  |
         02-10 | person cancel later | sub:active wake:02-28
         05-05 | run                 | sub:canceled skip:canceled skipped:1..4=canceled wake:none 1:none",
    );
}

#[test]
fn a_trial_is_not_billed() {
    let mut plan = terms("month", ladder(&["2 days"], EndAction::Pause));
    plan.trial = Some("14 days".parse().unwrap());
    tell(
        &mut Book::new("2026-01-17", plan),
        "01-17 | run | skip:trialing sub:trialing wake:01-31
         01-31 | ok  | 0:paid sub:active wake:02-28",
    );
}

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
fn an_invoice_ended_by_hand_is_not_collected() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31 | no insufficient_fund |
               | person void 0 | 0:void sub:active wake:02-28 due:false",
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
fn a_retry_lifts_all_that_a_person_can_overrule() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31 | rejected request | 0:rejected
         02-28 | rejected request | 1:rejected 0:rejected
         03-01 | person retry     | 0:open 1:open
               | ok               | 0:paid
               | ok               | 1:paid",
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
