//! A default card that is not among the customer's cards: nobody has read it, so nobody knows whether it works.

use std::cell::Cell;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::book::{Book, Look};
use super::kit::{card, ladder, terms};
use super::properties::{Happens, happen, happens};
use super::stories_backup;
use crate::model::{BackupCard, CustomerState, EndAction, FlagReason, SkipReason};
use crate::rules::Prepared;
use crate::rules::watch::{self, News};

/// Makes the customer's default one that is not among their cards, as when only the first page of them was read.
fn take_out_of_sight(book: &mut Book) {
    book.rows.customer.default_card = Some("card_test_21".parse().unwrap());
    book.rows.customer.read_at = Some(book.circumstances.at);
}

fn shown(book: &mut Book, expires: (i64, i64)) {
    book.rows.customer.cards.push(card("card_test_21", expires));
}

#[test]
fn a_default_card_out_of_sight_is_read_before_it_is_charged() {
    let mut book = Book::monthly("2026-01-31");
    take_out_of_sight(&mut book);
    let asked = book.prepare(false);
    assert!(matches!(asked, Prepared::ConfirmCustomer(Some(FlagReason::CardGone))), "{asked:?}");
    let mut good = book.clone();
    shown(&mut good, (12, 2060));
    assert!(matches!(good.look(), Look::Charge(_)));
    let mut ended = book.clone();
    shown(&mut ended, (12, 2025));
    assert!(matches!(ended.look(), Look::Skipped(SkipReason::ExpiredCard)));
    // The read does not show it either: that is said, and a later read that shows it clears the flag.
    assert!(matches!(book.look(), Look::Skipped(SkipReason::CardGone)));
    assert_eq!((book.reads, book.flag()), (1, Some(FlagReason::CardGone)));
    let detail = "card_test_21, the default card of cust_test_1, is not among their cards";
    assert_eq!(&*book.rows.flags[0].detail, detail);
    shown(&mut book, (12, 2060));
    assert!(matches!(book.look(), Look::Charge(_)));
    assert_eq!(book.flag(), None);
}

#[test]
fn the_watch_asks_for_a_read_too_and_flags_after_it() {
    let mut book = Book::monthly("2026-01-31");
    take_out_of_sight(&mut book);
    let judge = |confirmed| {
        watch::judge(&book.snapshot(), &book.circumstances.cards, book.circumstances.at, confirmed)
    };
    assert_eq!(judge(false), News::Confirm(FlagReason::CardGone));
    assert!(matches!(judge(true), News::Settled(transition) if !transition.is_empty()));
}

#[test]
fn a_backup_card_does_not_stand_in_for_a_default_that_was_not_read() {
    let mut book = stories_backup::book(EndAction::Pause);
    super::story::tell(&mut book, "01-31 | no stolen_or_lost_card | 0:new_card due:true");
    assert!(matches!(book.clone().look(), Look::Charge(_)), "the backup card is next");
    take_out_of_sight(&mut book);
    assert!(matches!(book.prepare(false), Prepared::ConfirmCustomer(_)));
}

#[test]
fn whatever_happened_before_nobody_is_charged_on_a_part_of_their_cards_without_a_read() {
    let (asked, charged) = (Cell::new(0), Cell::new(0));
    let config = Config { cases: 700, failure_persistence: None, ..Config::default() };
    let told = (prop::collection::vec(happens(), 0..20), any::<bool>(), any::<bool>(), any::<bool>());
    TestRunner::new(config)
        .run(&told, |(story, own_card, backup, try_expired)| {
            let mut policy = ladder(&["6 hours", "1 day"], EndAction::Pause);
            policy.backup_card = backup;
            let mut book = Book::new("2026-01-31", terms("week", policy));
            for what in &story {
                happen(&mut book, what);
            }
            happen(&mut book, &Happens::Time(24 * 8));
            book.circumstances.cards.try_expired = try_expired;
            book.rows.customer.state = CustomerState::Present;
            if own_card {
                book.rows.customer.cards.push(card("card_test_9", (12, 2060)));
                book.rows.subscription.card = Some("card_test_9".parse().unwrap());
            }
            if backup {
                let called = book.rows.invoices.last().map(|open| open.invoice.id.index);
                book.rows.subscription.backup = called.map_or(BackupCard::Agreed, BackupCard::Called);
            }
            let whole = matches!(book.prepare(true), Prepared::Charge(_));
            take_out_of_sight(&mut book);
            let unread = book.prepare(false);
            prop_assert!(!matches!(unread, Prepared::Charge(_)), "{unread:?}");
            asked.set(asked.get() + u32::from(whole && matches!(unread, Prepared::ConfirmCustomer(_))));
            if let Prepared::Charge(charge) = book.prepare(true) {
                // After a read that shows no more, a card that was read may pay; the default never does.
                let card = charge.request.card.as_ref();
                prop_assert!(card.is_some_and(|card| book.rows.customer.card(card).is_some()), "{card:?}");
                charged.set(charged.get() + 1);
            }
            Ok(())
        })
        .unwrap();
    assert!(asked.get() > 100, "{} would have been charged on a whole", asked.get());
    assert!(charged.get() > 10, "{} were charged with a card that was read", charged.get());
}
