//! Which card is charged, who is flagged and when, and how often a card may be tried.

use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};

use super::book::{Book, Look};
use super::kit::{card, day, ladder, terms};
use super::story::{moment, outcome, tell};
use crate::model::{CardDecline, EndAction, FlagReason, SkipReason};
use crate::rules::{Prepared, ahead, next_steps};

#[test]
fn a_fresh_and_good_snapshot_is_believed_without_a_read() {
    let mut book = Book::monthly("2026-01-31");
    book.rows.customer.read_at = Some(day("2026-01-30"));
    assert!(matches!(book.prepare(false), Prepared::Charge(_)));
    book.rows.customer.read_at = Some(day("2026-01-30") - SignedDuration::from_secs(1));
    assert!(matches!(book.prepare(false), Prepared::ConfirmCustomer(None)), "older than a day");
    book.rows.customer.read_at = None;
    assert!(matches!(book.prepare(false), Prepared::ConfirmCustomer(None)), "never read");
}

#[test]
fn nobody_is_flagged_before_a_read_however_fresh_the_bad_news() {
    let mut book = Book::monthly("2026-01-31");
    book.rows.customer.read_at = Some(day("2026-01-31"));
    book.rows.customer.default_card = None;
    let asked = book.prepare(false);
    assert!(matches!(asked, Prepared::ConfirmCustomer(Some(FlagReason::NoCard))), "{asked:?}");
    assert!(matches!(book.look(), Look::Skipped(SkipReason::NoCard)));
    assert_eq!((book.reads, book.flag()), (1, Some(FlagReason::NoCard)));
    // The flag stands, and the next run reads again before it passes over.
    assert!(matches!(book.prepare(false), Prepared::ConfirmCustomer(Some(FlagReason::NoCard))));
    book.rows.customer.default_card = Some("card_test_1".parse().unwrap());
    assert!(matches!(book.prepare(false), Prepared::ConfirmCustomer(Some(FlagReason::NoCard))));
    assert!(matches!(book.look(), Look::Charge(_)));
    assert_eq!(book.flag(), None);
}

#[test]
fn each_reason_is_told_apart() {
    let reasons =
        [("nocard", "no_card"), ("gone", "customer_gone"), ("card card_test_1 12/2025", "expired_card")];
    for (what, reason) in reasons {
        let table = format!(
            "01-31 | {what} |
                   | run    | skip:{reason} flag:{reason} sub:past_due due:true 0.tries:0
             02-01 | run    | skip:{reason} flag:{reason} reads:2"
        );
        tell(&mut Book::monthly("2026-01-31"), &table);
    }
}

#[test]
fn a_card_is_charged_through_the_last_instant_of_its_month_everywhere() {
    let mut book = Book::monthly("2026-01-31");
    book.rows.customer.cards = vec![card("card_test_1", (1, 2026))];
    book.go_to("2026-02-01T11:59:59Z".parse().unwrap());
    book.read_customer();
    assert!(matches!(book.prepare(true), Prepared::Charge(_)));
    book.go_to("2026-02-01T12:00:00Z".parse().unwrap());
    assert!(matches!(book.prepare(true), Prepared::Settle { skipped: SkipReason::ExpiredCard, .. }));
}

#[test]
fn a_card_of_its_own_is_named_and_the_default_is_not() {
    let mut book = Book::monthly("2026-01-31");
    let Look::Charge(by_default) = book.clone().look() else { panic!("not charged") };
    assert_eq!(by_default.request.card, None);
    book.rows.customer.cards.push(card("card_test_2", (12, 2060)));
    book.rows.subscription.card = Some("card_test_2".parse().unwrap());
    let Look::Charge(own) = book.clone().look() else { panic!("not charged") };
    assert_eq!(own.request.card.as_ref().unwrap().as_str(), "card_test_2");
    book.rows.customer.cards.pop();
    assert!(matches!(book.look(), Look::Skipped(SkipReason::CardGone)));
}

#[test]
fn what_the_account_cannot_charge_is_flagged_without_a_read() {
    let mut book = Book::monthly("2026-01-31");
    book.circumstances.limits.currency = Some(crate::model::Currency::Thb);
    book.circumstances.limits.most_minor = Some(98_999);
    assert!(matches!(book.look(), Look::Skipped(SkipReason::Unchargeable)));
    assert_eq!((book.reads, book.flag()), (0, Some(FlagReason::Unchargeable)));
    book.circumstances.limits.most_minor = Some(99_000);
    assert!(matches!(book.look(), Look::Charge(_)));
    assert_eq!(book.flag(), None);
}

fn declined(book: &mut Book, card: &str, fingerprint: Option<&str>, at: Timestamp, never: bool) {
    book.rows.declines.push(CardDecline {
        card: card.parse().unwrap(),
        fingerprint: fingerprint.map(Into::into),
        at,
        amount: "1.00 THB".parse().unwrap(),
        never,
    });
}

#[test]
fn never_holds_for_every_subscription_and_every_copy_of_the_card() {
    let mut book = Book::monthly("2026-01-31");
    let at = day("2026-01-01");
    declined(&mut book, "card_test_9", Some("print of card_test_1"), at, true);
    assert!(matches!(book.look(), Look::Skipped(SkipReason::DeadCard)));
}

#[test]
fn never_holds_also_where_no_bank_answered() {
    let mut book = Book::monthly("2026-01-31");
    tell(
        &mut book,
        "01-31 | brand MasterCard     |
               | no expired advised 03 | 0:new_card
               | person lost 0        | 0:uncollectible
         02-28 | run                  | skip:dead_card flag:dead_card 1.tries:0",
    );
    assert!(book.rows.declines.iter().all(|decline| decline.never), "{:?}", book.rows.declines);
    // Without that advice nobody said anything of the card.
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31 | no expired    |
               | person lost 0 | 0:uncollectible
         02-28 | ok            | 1:paid",
    );
}

#[test]
fn a_card_rests_after_ten_declines_in_a_day_and_fifteen_in_thirty() {
    let mut book = Book::monthly("2026-01-31");
    book.rows.customer.cards[0].brand = "one of tomorrow's".into();
    let start = day("2026-01-30") + SignedDuration::from_hours(12);
    for n in 0..10 {
        declined(&mut book, "card_test_1", None, start + SignedDuration::from_mins(n), false);
    }
    assert!(matches!(book.look(), Look::Skipped(SkipReason::Budget)));
    let frees = start + SignedDuration::from_hours(24);
    assert_eq!(book.rows.subscription.wake_at, Some(frees));
    book.go_to(frees);
    assert!(matches!(book.clone().look(), Look::Charge(_)), "nine are left in the day");
    for n in 0..5 {
        declined(&mut book, "card_test_1", None, day("2026-01-10") + SignedDuration::from_hours(n), false);
    }
    assert!(matches!(book.look(), Look::Skipped(SkipReason::Budget)), "fifteen in thirty days");
    assert_eq!(book.rows.subscription.wake_at, Some(day("2026-02-09")));
}

#[test]
fn declines_dated_later_count_too() {
    let mut book = Book::monthly("2026-01-31");
    book.rows.customer.cards[0].brand.clear();
    for n in 0..10 {
        declined(&mut book, "card_test_1", None, day("2026-02-20") + SignedDuration::from_hours(n), false);
    }
    assert!(matches!(book.look(), Look::Skipped(SkipReason::Budget)));
}

#[test]
fn one_retry_of_an_invoice_and_card_in_a_day() {
    tell(
        &mut Book::new(
            "2026-01-31",
            terms("year", ladder(&["1 hour", "1 hour", "1 hour"], EndAction::Pause)),
        ),
        "01-31       | no insufficient_fund | 0.next:01-31T01:00
         01-31T01:00 | no insufficient_fund | 0.next:02-01T01:00 wake:02-01T01:00
         01-31T02:00 | person retry         | 0.next:01-31T02:00
                     | run                  | skip:budget 0.next:02-01T01:00 wake:02-01T01:00
         02-01T00:59 | run                  | skip:not_due
         02-01T01:00 | ok                   | 0:paid",
    );
}

#[test]
fn a_customers_day_is_capped_and_the_rest_waits_for_the_next() {
    let mut book = Book::new("2026-01-31", terms("day", ladder(&["1 day"], EndAction::Pause)));
    let cap = "1500.00 THB".parse().unwrap();
    book.circumstances.customer_day.insert(crate::model::Currency::Thb, cap);
    tell(
        &mut book,
        "02-01 | ok     | 0:paid
               | run    | skip:customer_day 1.next:02-02 wake:02-02
         02-02 | unsent | 1.last:not_sent
               | ok     | 1:paid 2:open",
    );
    let sum = book.rows.customer.spent.first().unwrap().to_string();
    assert_eq!(sum, "990.00 THB", "what never left is not counted");
}

#[test]
fn what_no_day_of_a_customer_allows_is_flagged_once_until_it_is_allowed() {
    let mut book = Book::monthly("2026-01-31");
    let cap = |sum: &str| (crate::model::Currency::Thb, sum.parse().unwrap());
    book.circumstances.customer_day.extend([cap("989.99 THB")]);
    tell(
        &mut book,
        "01-31 | run | skip:unchargeable flag:unchargeable sub:past_due due:true reads:0
         02-01 | run | skip:unchargeable flag:unchargeable raised:1 0.tries:0",
    );
    assert!(book.rows.flags[0].detail.contains("[brakes]"), "{:?}", book.rows.flags);
    let why = next_steps(&book.snapshot(), &book.circumstances).join("\n");
    assert!(
        why.contains("is due, but cannot be charged: found 990.00 THB, wanted at most 989.99 THB"),
        "{why}"
    );
    assert!(why.contains("amount_per_customer_per_day"), "{why}");
    let ahead = ahead(&book.snapshot(), &book.circumstances).unwrap();
    assert_eq!((ahead.above_cap, ahead.current), (1, 0));
    book.circumstances.customer_day.extend([cap("990.00 THB")]);
    tell(&mut book, "02-02 | ok | 0:paid flag:none sub:active");
}

/// What a customer is noted to have been sent on the day of the last charge.
fn spent(book: &Book) -> String {
    book.rows.customer.spent.first().unwrap().to_string()
}

#[test]
fn what_was_booked_on_another_day_is_not_given_back_out_of_this_one() {
    let mut book = Book::new("2026-01-31", terms("week", ladder(&["1 day"], EndAction::Pause)));
    book.circumstances.customer_day.insert(crate::model::Currency::Thb, "1500.00 THB".parse().unwrap());
    tell(&mut book, "01-31 | silence | 0.last:in_doubt");
    // Another subscription of the same customer is charged on the next day.
    book.rows.customer.spent_on = Some(date(2026, 2, 1));
    book.rows.customer.spent = vec!["990.00 THB".parse().unwrap()];
    tell(&mut book, "02-01T00:20 | look empty | \n 02-01T00:40 | look empty | 0.last:absent 0:open");
    assert_eq!(spent(&book), "990.00 THB", "of the other subscription");
    tell(&mut book, "02-01T00:50 | run | skip:customer_day 0.next:02-02");
}

#[test]
fn a_live_book_gives_back_by_the_clock_that_it_booked_by() {
    let mut book = Book::new("2026-01-31", terms("week", ladder(&["1 day"], EndAction::Pause)));
    book.circumstances.customer_day.insert(crate::model::Currency::Thb, "1500.00 THB".parse().unwrap());
    book.circumstances.live = true;
    book.go_to(moment("01-31"));
    // A run dated back by a day and a bit: the budgets go by the wall clock.
    let wall = moment("02-01T08:00");
    (book.circumstances.budget_now, book.circumstances.wire.wall_at) = (wall, wall);
    let Look::Charge(charge) = book.look() else { panic!("not charged") };
    assert_eq!((book.rows.customer.spent_on, spent(&book)), (Some(date(2026, 2, 1)), "990.00 THB".into()));
    book.conclude(&charge.request.attempt, &outcome(&["unsent"]));
    assert_eq!(spent(&book), "0.00 THB", "it was booked on that very day");
}

/// A live book at that billing instant, while the wall clock says another.
fn dated_back(book: &mut Book, at: &str, wall: &str) {
    book.circumstances.live = true;
    book.go_to(moment(at));
    let wall = moment(wall);
    (book.circumstances.budget_now, book.circumstances.wire.wall_at) = (wall, wall);
}

#[test]
fn a_run_dated_back_with_a_live_key_retries_no_sooner() {
    let mut book = Book::monthly("2026-01-31");
    dated_back(&mut book, "01-31", "02-10T08:00");
    let Look::Charge(charge) = book.look() else { panic!("not charged") };
    book.conclude(&charge.request.attempt, &outcome(&["no", "insufficient_fund"]));
    let open = &book.rows.invoices[0];
    assert_eq!(open.attempts[0].intended_at, moment("02-10T08:00"), "when it was really sent");
    assert_eq!(book.rows.declines[0].at, moment("02-10T08:00"));
    assert!(open.invoice.next_attempt_at >= Some(moment("02-12T08:00")), "{:?}", open.invoice);
    dated_back(&mut book, "02-09", "02-10T09:00");
    assert!(!book.is_due());
}

#[test]
fn a_run_dated_back_with_a_live_key_takes_no_second_turn_for_missed_periods() {
    let mut book = Book::monthly("2026-01-31");
    tell(
        &mut book,
        "04-02 | ok | 0:paid 1:open 2:open
               | ok | 2:paid 1:open",
    );
    dated_back(&mut book, "04-01", "04-02T09:00");
    assert!(matches!(book.look(), Look::Skipped(SkipReason::CatchUpSpread)));
    assert_eq!(book.rows.invoices[1].invoice.next_attempt_at, Some(moment("04-03")));
    dated_back(&mut book, "04-03", "04-03T09:00");
    assert!(matches!(book.look(), Look::Charge(_)));
}

#[test]
fn a_source_that_vanished_for_a_moment_is_not_flagged() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31 | rejected source | due:true flag:none
               | ok              | 0:paid flag:none",
    );
}
