//! Stories of answers that are neither yes nor no: pending, silence, refused requests, requests that never left.

use super::book::Book;
use super::story::tell;

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
