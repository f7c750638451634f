//! Stories of a subscription's course: paid periods, trials, pauses, ends, and what a person did meanwhile.

use super::book::Book;
use super::kit::{ladder, terms};
use super::story::tell;
use crate::model::EndAction;

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
fn an_invoice_ended_by_hand_is_not_collected() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31 | no insufficient_fund |
               | person void 0 | 0:void sub:active wake:02-28 due:false",
    );
}

#[test]
fn what_began_while_it_was_stopped_stays_unbilled_whatever_ends_the_stop() {
    // Nobody looked between the pause and the end.
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31 | ok            | 0:paid
         02-01 | person pause  | sub:paused
         04-05 | person cancel | sub:canceled skipped:1..3=paused
         04-30 | run           | 1:none 2:none",
    );
    // Paused by its policy, and then by a person.
    tell(
        &mut Book::new("2026-01-31", terms("month", ladder(&["2 days"], EndAction::Pause))),
        "01-31       | no insufficient_fund | 0:open
         02-02T09:00 | no insufficient_fund | sub:paused
         03-01       | person pause         | sub:paused skipped:1..2=paused
         03-02       | run                  | 1:none",
    );
}
