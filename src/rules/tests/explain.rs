//! What people are told when they ask why.

use super::book::Book;
use super::story::tell;
use crate::rules::next_steps;

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
