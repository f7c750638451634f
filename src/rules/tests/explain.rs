//! What people are told when they ask why.

use super::book::Book;
use super::story::{moment, tell};
use crate::rules::{asked_try, next_steps, next_try_at};

fn told(book: &Book) -> String {
    next_steps(&book.snapshot(), &book.circumstances).join("\n")
}

fn says(book: &Book, words: &[&str]) {
    let told = told(book);
    for word in words {
        assert!(told.contains(word), "no {word:?} in:\n{told}");
    }
}

#[test]
fn each_state_says_what_comes_next_and_when() {
    let mut book = Book::monthly("2026-01-31");
    tell(&mut book, "01-31 | ok |");
    says(
        &book,
        &[
            "is active",
            "period 1 from 2026-02-28T00:00:00+07:00 to 2026-03-31T00:00:00+07:00 is billed: 990.00 THB",
        ],
    );
    tell(&mut book, "02-28 | no insufficient_fund |");
    says(&book, &["past due", "invoice sub_1.1 (990.00 THB) is tried next at 2026-03-02T09:00:00+07:00"]);
    tell(&mut book, "03-31 | nocard | \n | run | skip:no_card");
    says(
        &book,
        &[
            "sub_1.1 (990.00 THB) is due, but no_card",
            "invoice sub_1.2 waits for invoice sub_1.1",
            "flagged no_card since",
        ],
    );
    tell(&mut book, "04-01 | card card_test_2 12/2060 | \n | silence |");
    says(&book, &["takes no other attempt", "every run looks it up"]);
    tell(&mut book, "04-02 | person pause | ");
    says(&book, &["is paused by a person", "`dues resume sub_1`", "is skipped unless"]);
}

#[test]
fn holds_name_the_command_that_ends_them() {
    let mut rejected = Book::monthly("2026-01-31");
    tell(&mut rejected, "01-31 | rejected request | 0:rejected");
    says(&rejected, &["the provider refused the request", "`dues retry sub_1`"]);
    let mut missed = Book::monthly("2026-01-31");
    tell(&mut missed, "07-02 | ok | 0:catch_up");
    says(&missed, &["too many periods were missed", "`dues resume sub_1`"]);
    let mut used_up = Book::monthly("2026-01-31");
    tell(
        &mut used_up,
        "01-31 | no insufficient_fund | \n 02-02T09:00 | no insufficient_fund | \n 02-06T09:00 | no insufficient_fund |",
    );
    says(&used_up, &["is paused by its dunning policy", "all tries of the policy are used up"]);
    let mut ended = Book::monthly("2026-01-31");
    tell(&mut ended, "01-31 | ok | \n 02-01 | person cancel |");
    says(&ended, &["ended at 2026-02-01T00:00:00+07:00"]);
    assert!(!told(&ended).contains("period 1"));
}

#[test]
fn a_flag_for_an_amount_is_believed_by_who_does_not_know_the_limits() {
    let mut book = Book::monthly("2026-01-31");
    book.circumstances.limits.currency = Some(crate::model::Currency::Thb);
    book.circumstances.limits.most_minor = Some(98_999);
    tell(&mut book, "01-31 | run | skip:unchargeable");
    book.circumstances.limits = crate::model::settings::AccountLimits::default();
    says(
        &book,
        &["sub_1.0 (990.00 THB) is due, but unchargeable: found 990.00 THB, wanted at most 989.99 THB"],
    );
    assert!(!told(&book).contains("the next run charges"), "{}", told(&book));
}

#[test]
fn a_try_that_was_asked_for_is_promised_when_it_comes() {
    let asked = |book: &Book| asked_try(&book.snapshot(), &book.circumstances);
    let mut book = Book::monthly("2026-01-31");
    tell(&mut book, "01-31 | no insufficient_fund | \n 02-01 | person retry |");
    assert_eq!(asked(&book), "tried again in the next run");
    // Tried again after a decline, it rests for a day, whoever asks.
    tell(&mut book, "02-01 | no insufficient_fund | \n 02-01T08:00 | person retry | 0.next:02-01T08:00");
    let rests = "rests until 2026-02-02T00:00:00+07:00";
    assert_eq!(asked(&book), format!("asked for; its card or customer {rests}, and it is tried then"));
    says(&book, &[rests]);
    tell(&mut book, "02-01T09:00 | run | 0.next:02-02 \n 02-02 | ok | 0:paid");

    let mut cardless = Book::monthly("2026-01-31");
    tell(&mut cardless, "01-31 | nocard | \n | run | skip:no_card \n | person retry |");
    assert!(asked(&cardless).starts_with("asked for, but no_card: "), "{}", asked(&cardless));
    tell(&mut cardless, "01-31 | run | skip:no_card");
}

#[test]
fn what_a_run_for_a_later_day_has_looked_at_waits_for_the_look_after_it() {
    let mut book = Book::monthly("2026-01-31");
    tell(
        &mut book,
        "05-02 | ok | 0:paid 2.tries:0 \n | ok | 3:paid \n | run | skip:catch_up_spread \n 05-05 | ok | 1:paid due:false",
    );
    book.go_to(moment("05-03"));
    assert!(!book.is_due());
    let told = told(&book);
    assert!(
        told.contains("sub_1.2 (990.00 THB) is due, but a run for a later day has looked at it"),
        "{told}"
    );
    assert!(told.contains("looked at again at 2026-05-06T00:00:00+07:00"), "{told}");
    assert!(!told.contains("the next run charges"), "{told}");
    book.go_to(moment("05-06"));
    says(&book, &["sub_1.2 (990.00 THB) is due: the next run charges"]);
}

#[test]
fn a_missed_period_is_tried_next_when_its_turn_comes() {
    let mut book = Book::monthly("2026-01-31");
    tell(&mut book, "04-15 | ok | 0:paid \n | ok | 2:paid \n | run | skip:catch_up_spread");
    let snapshot = book.snapshot();
    let invoice = &snapshot.invoices[0].invoice;
    let (caught_up, wakes) = (snapshot.customer.caught_up_at, snapshot.subscription.wake_at);
    let next = |declined, wakes, at| next_try_at(invoice, declined, caught_up, wakes, moment(at));
    let planned = invoice.next_attempt_at;
    assert_eq!((planned, wakes), (Some(invoice.period.start), Some(moment("04-16"))));
    assert_eq!(next(false, None, "04-15T01:00"), Some(moment("04-16")), "its turn");
    assert_eq!(next(true, None, "04-15T01:00"), planned, "one that was declined takes none");
    assert_eq!(next(true, wakes, "04-15T01:00"), wakes, "no run looks at it before");
    assert_eq!(next(false, wakes, "04-16"), planned, "it has come");
    assert_eq!(next(false, Some(moment("04-16")), "02-01"), planned, "a plan that lies ahead stands");
}
