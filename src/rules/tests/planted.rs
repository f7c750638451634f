//! Mistakes planted on purpose in this room: each is noticed by the story that names it.

use super::book::Book;
use super::kit::card;
use super::story::tell;
use crate::hooks::{Bug, with_planted};
use crate::model::{BackupCard, EndAction};

/// The story holds as the code is, and breaks with that mistake in it.
fn noticed(bug: Bug, story: impl Fn() + std::panic::RefUnwindSafe) {
    story();
    let planted = with_planted(bug, || std::panic::catch_unwind(&story));
    assert!(planted.is_err(), "{} went unnoticed", bug.name());
}

#[test]
fn last_date_plus_interval() {
    noticed(Bug::LastDatePlusInterval, || {
        tell(
            &mut Book::monthly("2026-01-31"),
            "01-31 | ok |
             02-28 | ok | wake:03-31",
        );
    });
}

#[test]
fn anniversary_is_today() {
    noticed(Bug::AnniversaryIsToday, || {
        tell(&mut Book::monthly("2026-01-31"), "02-01 | ok | 0:paid wake:02-28");
    });
}

#[test]
fn backup_without_consent() {
    noticed(Bug::BackupWithoutConsent, || {
        let mut book = super::stories_backup::book(EndAction::Pause);
        book.rows.subscription.backup = BackupCard::No;
        tell(&mut book, "01-31 | no stolen_or_lost_card | 0:new_card 0.next:none");
    });
}

#[test]
fn expired_card_charged() {
    noticed(Bug::ExpiredCardCharged, || {
        let mut book = Book::monthly("2026-01-31");
        book.rows.customer.cards = vec![card("card_test_1", (12, 2025))];
        tell(&mut book, "01-31 | run | skip:expired_card flag:expired_card 0.tries:0");
    });
}

#[test]
fn retried_after_never() {
    noticed(Bug::RetriedAfterNever, || {
        tell(
            &mut Book::monthly("2026-01-31"),
            "01-31 | no stolen_or_lost_card |
             02-10 | run | skip:dead_card 0.tries:1",
        );
    });
}

#[test]
fn doubt_retried_blindly() {
    noticed(Bug::DoubtRetriedBlindly, || {
        tell(
            &mut Book::monthly("2026-01-31"),
            "01-31 | silence |
             02-01 | run     | skip:unfinished 0.tries:1",
        );
    });
}

#[test]
fn key_made_anew() {
    noticed(Bug::KeyMadeAnew, || {
        tell(
            &mut Book::monthly("2026-01-31"),
            "01-31       | no insufficient_fund |
             02-02T09:00 | ok                   | 0:paid",
        );
    });
}

#[test]
fn over_budget() {
    noticed(Bug::OverBudget, || {
        let mut book = Book::monthly("2026-01-31");
        book.circumstances.budgets.visa_30_days = 1;
        tell(
            &mut book,
            "01-31       | no insufficient_fund | 0.next:03-02
             02-02T09:00 | person retry         |
                         | run                  | skip:budget 0.tries:1",
        );
    });
}

#[test]
fn retried_after_cancel() {
    noticed(Bug::RetriedAfterCancel, || {
        tell(
            &mut Book::monthly("2026-01-31"),
            "01-31       | no insufficient_fund |
                         | person cancel        |
             02-02T09:00 | run                  | skip:canceled 0.tries:1",
        );
    });
}

#[test]
fn beside_unfinished() {
    noticed(Bug::BesideUnfinished, || {
        tell(
            &mut Book::monthly("2026-01-31"),
            "01-31 | pending |
                   | run     | skip:unfinished 0.tries:1",
        );
    });
}
