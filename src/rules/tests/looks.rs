//! Whoever wakes for looks rests after each: over all statuses, ages and earlier looks.

use jiff::{SignedDuration, Timestamp};

use super::book::Book;
use super::kit::day;
use super::story::{decline, seen, tell, wishes};
use crate::model::{Attempt, AttemptStatus, SeenStatus, Transition};
use crate::rules::pending::{self, Strange};
use crate::rules::{Scan, doubt, looks};

const BEGUN: &str = "2026-01-31";

/// Minutes between the doubt, or the intent, and a look: before, at, between and after all ages; clocks go back too.
const AGES: [i64; 17] =
    [-90, 0, 1, 2, 5, 14, 15, 59, 60, 360, 1_439, 1_440, 5_000, 7_199, 7_200, 7_201, 40_000];

/// A book whose only attempt has that status and was last looked at then, at an instant so old.
fn met(status: AttemptStatus, looked: Option<i64>, age: i64) -> Book {
    let mut book = Book::monthly(BEGUN);
    let answer = if status == AttemptStatus::Pending { "pending" } else { "silence" };
    tell(&mut book, &format!("01-31 | {answer} |"));
    let attempt = &mut book.rows.invoices[0].attempts[0];
    attempt.status = status;
    let intent = attempt.intent.as_mut().unwrap();
    intent.looked_at = looked.map(after);
    if status.is_final() {
        attempt.intent = None;
    }
    book.go_to(after(age));
    book
}

fn after(minutes: i64) -> Timestamp {
    day(BEGUN) + SignedDuration::from_mins(minutes)
}

fn attempt(book: &Book) -> &Attempt {
    &book.rows.invoices[0].attempts[0]
}

/// Everything that a look can come to, each by itself.
fn looks_at(book: &Book) -> Vec<Transition> {
    let (id, c, s) = (attempt(book).id.clone(), &book.circumstances, book.snapshot());
    if attempt(book).status == AttemptStatus::Pending {
        let strange = |shown| pending::strange(&s, &id, &shown, &wishes(), c).unwrap();
        return vec![
            pending::polled(&s, &id, &wishes(), c).unwrap(),
            strange(Strange::Gone),
            strange(Strange::Unreadable("moonlit".into())),
            strange(Strange::Unended),
            pending::unread(&s, &id, c).unwrap(),
        ];
    }
    let found = |status| vec![seen(status, "chrg_test_1")];
    let all = [
        vec![],
        found(SeenStatus::Unknown("moonlit".into())),
        found(SeenStatus::Pending(None)),
        found(SeenStatus::Failed(decline("insufficient_fund"))),
        found(SeenStatus::Successful),
    ];
    let scans = [(true, true), (true, false), (false, true), (false, false)];
    let mut made = Vec::new();
    for (mine, (complete, dated)) in all.iter().flat_map(|mine| scans.map(|scan| (mine, scan))) {
        let scan = Scan { complete, provider_at: dated.then_some(c.at), wall_at: c.wire.wall_at };
        let step = doubt::judge(attempt(book), mine, &[], &scan, c);
        made.push(doubt::transition(&s, &id, &step, &scan, c).unwrap());
    }
    made
}

#[test]
fn a_look_made_now_is_never_followed_by_one_due_now_or_before() {
    let mut made = 0;
    for status in [AttemptStatus::InDoubt, AttemptStatus::Pending] {
        for looked in [None].into_iter().chain(AGES.map(Some)) {
            for age in AGES {
                let book = met(status, looked, age);
                for look in looks_at(&book) {
                    let mut book = book.clone();
                    book.apply(&look);
                    let (now, next) = (after(age), looks::next_look(attempt(&book)));
                    let rests = next.is_none_or(|next| next > now);
                    assert!(rests, "{status}, looked {looked:?}, now {age}: {next:?} after {look:?}");
                    made += 1;
                }
            }
        }
    }
    assert!(made > 5_000, "{made} looks");
}

#[test]
fn what_no_look_can_move_wakes_nobody_and_what_one_can_always_wakes_somebody() {
    for status in AttemptStatus::ALL {
        for looked in [None].into_iter().chain(AGES.map(Some)) {
            let next = looks::next_look(attempt(&met(*status, looked, 0)));
            let moves = matches!(status, AttemptStatus::InDoubt | AttemptStatus::Pending);
            assert_eq!(next.is_some(), moves, "{status}, looked {looked:?}");
        }
    }
}
