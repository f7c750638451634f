//! Money that went back: noted once, and retries end with it.

use super::book::Book;
use super::story::{seen, tell};
use crate::model::{EventKind, Reversal, ReversalKind, SeenStatus};
use crate::rules::reversal::{of_charge, reversed};

fn back(book: &Book, kind: ReversalKind, amount: &str) -> Reversal {
    let attempt = book.rows.invoices[0].attempts[0].id.clone();
    Reversal { attempt, kind, amount: amount.parse().unwrap(), at: book.circumstances.at }
}

fn note(book: &mut Book, seen: &Reversal) -> bool {
    let charge = "chrg_test_1".parse().unwrap();
    let transition = reversed(&book.snapshot(), &book.noted, seen, &charge);
    book.apply(&transition);
    !transition.is_empty()
}

#[test]
fn a_refund_ends_the_retries_and_is_noted_once_for_each_amount() {
    let mut book = Book::monthly("2026-01-31");
    tell(
        &mut book,
        "01-31 | ok                   | 0:paid
         02-28 | no insufficient_fund | 1:open 1.next:03-02T09:00",
    );
    let part = back(&book, ReversalKind::Refunded, "100.00 THB");
    assert!(note(&mut book, &part));
    tell(&mut book, "03-02T09:00 | run | skip:held 1:rejected 1.tries:1 sub:past_due");
    assert!(!note(&mut book, &part), "the same again");
    let whole = back(&book, ReversalKind::Refunded, "990.00 THB");
    assert!(note(&mut book, &whole) && !note(&mut book, &part));
    let disputed = back(&book, ReversalKind::Disputed, "990.00 THB");
    assert!(note(&mut book, &disputed));
    assert_eq!((book.happened(EventKind::ChargeRefunded), book.happened(EventKind::ChargeDisputed)), (2, 1));
    // A person takes up what was stopped; periods to come are billed.
    tell(
        &mut book,
        "03-03 | person retry | 1:open
               | ok           | 1:paid
         03-31 | ok           | 2:paid",
    );
}

#[test]
fn what_was_not_tried_yet_and_what_is_on_its_way_stay_as_they_are() {
    let mut book = Book::monthly("2026-01-31");
    tell(
        &mut book,
        "01-31 | ok      | 0:paid
         02-28 | silence | 1.last:in_doubt",
    );
    let part = back(&book, ReversalKind::Refunded, "1.00 THB");
    assert!(note(&mut book, &part));
    tell(&mut book, "02-28 | look ok | 1:paid");
}

#[test]
fn a_charge_says_what_went_back() {
    let mut book = Book::monthly("2026-01-31");
    tell(&mut book, "01-31 | ok | 0:paid");
    let attempt = &book.rows.invoices[0].attempts[0];
    let mut charge = seen(SeenStatus::Successful, "chrg_test_1");
    let kind = |charge: &crate::model::ChargeSeen, attempt| {
        of_charge(charge, attempt, book.circumstances.at).map(|back| (back.kind, back.amount.minor()))
    };
    assert_eq!(kind(&charge, attempt), None);
    charge.refunded_minor = 500;
    assert_eq!(kind(&charge, attempt), Some((ReversalKind::Refunded, 500)));
    charge.disputed = true;
    assert_eq!(kind(&charge, attempt), Some((ReversalKind::Disputed, 99_000)));
    let mut declined = attempt.clone();
    declined.status = crate::model::AttemptStatus::Declined;
    assert_eq!(kind(&charge, &declined), None, "nothing had been taken");
}
