//! What people are told comes next, and then what the next run does: each state is told, then played.

use std::collections::BTreeSet;

use jiff::Timestamp;
use proptest::prelude::*;

use super::book::Book;
use super::kit::{ladder, terms};
use super::laws;
use super::properties::{happen, happens};
use super::story::tell;
use crate::model::{EndAction, Hold, SkipReason};
use crate::rules::next_steps;

struct Row {
    state: &'static str,
    /// How it came to that state.
    before: &'static str,
    /// What is said then.
    said: &'static [&'static str],
    /// What is not.
    unsaid: &'static [&'static str],
    /// What happens then.
    then: &'static str,
}

const BILLED_1: &str =
    "period 1 from 2026-02-28T00:00:00+07:00 to 2026-03-31T00:00:00+07:00 is billed: 990.00 THB";
const SKIPPED_1: &str = "period 1 from 2026-02-28T00:00:00+07:00 to 2026-03-31T00:00:00+07:00 is skipped unless it \
                         goes on before: 990.00 THB";
const OPENED_0: &str =
    "period 0 from 2026-01-31T00:00:00+07:00 to 2026-02-28T00:00:00+07:00 is invoiced by the next run";

const ROWS: &[Row] = &[
    Row {
        state: "new, and its period has begun",
        before: "01-31T08:00 | wait |",
        said: &["sub_1 is active", OPENED_0, ": 990.00 THB; it is due: the", BILLED_1],
        unsaid: &["waits", "skipped"],
        then: "| ok | 0:paid
               02-28 | ok | 1:paid",
    },
    Row {
        state: "paused before any run, until a person lets it go on",
        before: "01-31T08:00 | person pause |",
        said: &[OPENED_0, ", and waits for `dues resume sub_1`: 990.00 THB", SKIPPED_1],
        unsaid: &[
            "is billed:",
            "period 0 from 2026-01-31T00:00:00+07:00 to 2026-02-28T00:00:00+07:00 is skipped",
        ],
        then: "      | run           | skip:paused 0:stopped 0.tries:0
               02-28 | run           | skip:paused 0:stopped skipped:1..2=paused
               03-01 | person resume | 0:open
                     | ok            | 0:paid",
    },
    Row {
        state: "paused before any run, until before the next period",
        before: "01-31T08:00 | person pause 02-10 |",
        said: &[
            OPENED_0,
            ", and waits: due again at 2026-02-10T00:00:00+07:00, or with `dues resume sub_1`: 990.00 THB",
            BILLED_1,
        ],
        unsaid: &["skipped unless"],
        then: "      | run | skip:paused 0:stopped
               02-10 | ok  | 0:paid sub:active
               02-28 | ok  | 1:paid",
    },
    Row {
        state: "the same after the run that opened it",
        before: "01-31T08:00 | person pause 02-10 |
                             | run               | 0:stopped",
        said: &[
            "on hold: the subscription was stopped; it is due again at 2026-02-10T00:00:00+07:00, or",
            BILLED_1,
        ],
        unsaid: &["invoiced by"],
        then: "02-10 | ok | 0:paid",
    },
    Row {
        state: "paused until the very start of the next period",
        before: "01-31T08:00 | person pause 02-28 |",
        said: &[OPENED_0, BILLED_1],
        unsaid: &["skipped unless"],
        then: "02-28 | ok | 0:paid
                     | ok | 1:paid skipped:",
    },
    Row {
        state: "paused until after the start of the next period",
        before: "01-31T08:00 | person pause 03-05 |",
        said: &[OPENED_0, "due again at 2026-03-05T00:00:00+07:00", SKIPPED_1],
        unsaid: &["is billed:"],
        then: "02-28 | run | skip:paused 0:stopped skipped:1..2=paused
               03-05 | ok  | 0:paid
               03-31 | ok  | 2:paid",
    },
    Row {
        state: "its pause ended while nobody looked, and a period began in it",
        before: "01-31 | ok                 | 0:paid
                 02-10 | person pause 03-05 |
                 03-10 | wait               |",
        said: &[
            "its pause ended at 2026-03-05T00:00:00+07:00: the next run lets it go on",
            "period 1, from 2026-02-28T00:00:00+07:00 on, began while it was paused: the next run skips it, never",
            "period 2 from 2026-03-31T00:00:00+07:00 to 2026-04-30T00:00:00+07:00 is billed",
        ],
        unsaid: &["skipped unless", "is invoiced"],
        then: "      | run | sub:active skipped:1..2=paused
               03-31 | ok  | 2:paid",
    },
    Row {
        state: "cancelled before any run",
        before: "01-31T08:00 | person cancel |",
        said: &[
            "ended at 2026-01-31T08:00:00+07:00",
            OPENED_0,
            ", and waits, since the subscription ended: `dues retry sub_1` tries it once: 990.00 THB",
        ],
        unsaid: &["period 1", "is billed:"],
        then: "      | run          | skip:canceled 0:stopped 0.tries:0 wake:none
               03-31 | wait         | due:false 1:none
                     | person retry | due:true
                     | ok           | 0:paid",
    },
    Row {
        state: "to end with its period, before any run",
        before: "01-31T08:00 | person cancel later |",
        said: &[OPENED_0, "; it is due: the", "it ends at 2026-02-28T00:00:00+07:00"],
        unsaid: &["period 1", "waits"],
        then: "      | ok  | 0:paid
               02-28 | run | sub:canceled 1:none",
    },
    Row {
        state: "its end came while nobody looked",
        before: "01-31 | ok                  | 0:paid
                 02-10 | person cancel later |
                 03-05 | wait                |",
        said: &["it ended at 2026-02-28T00:00:00+07:00, which the next run puts into the book"],
        unsaid: &["period 1", "it ends at", "is billed:"],
        then: "| run | sub:canceled 1:none",
    },
    Row {
        state: "paused by its policy",
        before: "01-31       | no insufficient_fund |
                 02-02T09:00 | no insufficient_fund |
                 02-06T09:00 | no insufficient_fund | sub:paused",
        said: &["skipped, until all that was declined has been charged, or `dues resume sub_1`", SKIPPED_1],
        unsaid: &["is billed:"],
        then: "02-10 | person retry |
                     | ok           | 0:paid sub:active
               02-28 | ok           | 1:paid",
    },
    Row {
        state: "few periods were missed",
        before: "04-02 | wait |",
        said: &[
            "periods 0 to 1 from 2026-01-31T00:00:00+07:00 to 2026-03-31T00:00:00+07:00 are invoiced by the next run: \
             990.00 THB each; collected oldest first, one a day",
            "is invoiced by the next run: 990.00 THB; charged after invoice sub_1.0",
            "period 3 from 2026-04-30T00:00:00+07:00 to 2026-05-31T00:00:00+07:00 is billed",
        ],
        unsaid: &["waits"],
        then: "      | ok  | 0:paid 1:open
                     | ok  | 2:paid 1:open
                     | run | skip:catch_up_spread
               04-03 | ok  | 1:paid",
    },
    Row {
        state: "too many were missed",
        before: "07-02 | wait |",
        said: &[
            "periods 0 to 4 from 2026-01-31T00:00:00+07:00 to 2026-06-30T00:00:00+07:00 are invoiced by the next run, and \
             wait for `dues resume sub_1`, since too many were missed: 990.00 THB each",
            "period 5 from 2026-06-30T00:00:00+07:00 to 2026-07-31T00:00:00+07:00 is invoiced by the next run: 990.00 \
             THB; it is due: the",
            "period 6 from 2026-07-31T00:00:00+07:00",
        ],
        unsaid: &["one a day"],
        then: "      | ok            | 0:catch_up 4:catch_up 5:paid
                     | person resume | 0:open 4:open
                     | ok            | 0:paid 1:open",
    },
    Row {
        state: "paused while it waits for another card",
        before: "01-31 | no stolen_or_lost_card | 0:new_card
                 02-01 | person pause           |",
        said: &["another card of the customer is charged by itself once the subscription goes on"],
        unsaid: &["is billed:"],
        then: "02-05 | card card_test_2 12/2060 |
               02-28 | run           | skip:paused 0:new_card
               03-01 | person resume |
                     | ok2           | 0:paid",
    },
    Row {
        state: "ended while it waited for another card",
        before: "01-31 | no stolen_or_lost_card | 0:new_card
                 02-01 | person cancel          |",
        said: &["sub_1.0 (990.00 THB) is on hold: the subscription ended; `dues retry sub_1` tries it once"],
        unsaid: &["by itself", "period 1"],
        then: "02-05 | card card_test_2 12/2060 |
               03-05 | wait         | due:false 0:new_card
                     | person retry |
                     | ok2          | 0:paid",
    },
    Row {
        state: "ended while too many missed periods were on hold",
        before: "07-02 | ok            | 0:catch_up 5:paid
                 07-03 | person cancel |",
        said: &["the subscription ended, and too many periods were missed; `dues invoice` ends it"],
        unsaid: &["resume", "by itself", "period 6"],
        then: "08-05 | wait          | due:false 0:catch_up 6:none
                     | person void 0 | 0:void",
    },
];

#[test]
fn each_state_is_told_as_the_next_run_then_plays_it() {
    for row in ROWS {
        let mut book = Book::monthly("2026-01-31");
        told_and_played(&mut book, row);
    }
}

#[test]
fn a_period_that_begins_while_it_is_unpaid_is_told_and_skipped() {
    let mut book = Book::new("2026-01-31", terms("month", ladder(&["2 days"], EndAction::Unpaid)));
    told_and_played(
        &mut book,
        &Row {
            state: "unpaid, and a period began since",
            before: "01-31       | no insufficient_fund |
                     02-02T09:00 | no insufficient_fund | sub:unpaid
                     02-28       | wait                 |",
            said: &[
                "skipped, until all that was declined has been charged, or `dues resume sub_1`",
                "period 1, from 2026-02-28T00:00:00+07:00 on, began while it was unpaid: the next run skips it",
                "period 2 from 2026-03-31T00:00:00+07:00 to 2026-04-30T00:00:00+07:00 is skipped unless it goes on",
            ],
            unsaid: &["is billed:", "is invoiced"],
            then: "      | run          | skipped:1..2=unpaid
                         | person retry |
                         | ok           | 0:paid sub:active
                   03-31 | ok           | 2:paid",
        },
    );
}

#[test]
fn a_trial_that_is_over_is_told_as_over() {
    let mut terms = terms("month", ladder(&["2 days"], EndAction::Pause));
    terms.trial = Some("14 days".parse().unwrap());
    let mut book = Book::new("2026-01-31", terms);
    told_and_played(
        &mut book,
        &Row {
            state: "in its trial",
            before: "01-31 | wait |",
            said: &[
                "is in its trial",
                "period 0 from 2026-02-14T00:00:00+07:00 to 2026-03-14T00:00:00+07:00 is billed",
            ],
            unsaid: &["by the next run"],
            then: "02-14 | wait | due:true",
        },
    );
    told_and_played(
        &mut book,
        &Row {
            state: "its trial is over",
            before: "02-14 | wait |",
            said: &[
                "was in its trial, which is over",
                "is invoiced by the next run: 990.00 THB; it is due: the",
            ],
            unsaid: &["is in its trial"],
            then: "| ok | 0:paid sub:active",
        },
    );
}

fn told_and_played(book: &mut Book, row: &Row) {
    tell(book, row.before);
    let told = next_steps(&book.snapshot(), &book.circumstances).join("\n");
    for words in row.said {
        assert!(told.contains(words), "{}: no {words:?} in:\n{told}", row.state);
    }
    for words in row.unsaid {
        assert!(!told.contains(words), "{}: {words:?} in:\n{told}", row.state);
    }
    tell(book, row.then);
    laws::check(book);
}

/// What is said of periods that have no invoice yet, by their numbers.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    opened: BTreeSet<u32>,
    /// Of these, on hold.
    held: BTreeSet<u32>,
    skipped: BTreeSet<u32>,
    /// The next to begin: its number, when, whether it is billed then.
    next: Option<(u32, Timestamp, bool)>,
}

impl Said {
    fn of(told: &[String]) -> Self {
        let mut said = Self::default();
        for line in told {
            let Some((from, to)) = numbers(line) else { continue };
            if line.contains(" invoiced by the next run") {
                said.opened.extend(from..=to);
                if line.contains(", and wait") {
                    said.held.extend(from..=to);
                }
            } else if line.contains(": the next run skips ") {
                said.skipped.extend(from..=to);
            } else {
                let billed = line.contains(" is billed: ");
                assert!(billed || line.contains(" is skipped unless it goes on before: "), "{line}");
                let starts = line.split(' ').nth(3).unwrap().parse().unwrap();
                assert_eq!(said.next.replace((from, starts, billed)), None, "{told:#?}");
            }
        }
        said
    }
}

/// `period 3 …` or `periods 0 to 4 …`.
fn numbers(line: &str) -> Option<(u32, u32)> {
    let mut words = line.split([' ', ',']);
    let number = |word: Option<&str>| word.unwrap().parse::<u32>().unwrap();
    match words.next()? {
        "period" => {
            let only = number(words.next());
            Some((only, only))
        }
        "periods" => Some((number(words.next()), number(words.nth(1)))),
        _ => None,
    }
}

fn indices(book: &Book) -> BTreeSet<u32> {
    book.rows.invoices.iter().map(|open| open.invoice.id.index).collect()
}

/// Periods that were skipped since `before`, as long as it was paused or unpaid.
fn newly_skipped(book: &Book, before: &Book) -> BTreeSet<u32> {
    let new = &book.skipped[before.skipped.len()..];
    let told = new.iter().filter(|(_, _, why)| matches!(why, SkipReason::Paused | SkipReason::Unpaid));
    told.flat_map(|(from, to, _)| *from..*to).collect()
}

/// Lets the next run look once, now and when the next period begins, and compares.
fn plays_as_told(book: &Book) {
    let told = next_steps(&book.snapshot(), &book.circumstances);
    let said = Said::of(&told);
    let mut run = book.clone();
    if run.is_due() {
        run.look();
    }
    let opened: BTreeSet<u32> = indices(&run).difference(&indices(book)).copied().collect();
    let is_held = |index: &u32| {
        let mut all = run.rows.invoices.iter();
        let hold = all.find(|open| open.invoice.id.index == *index).and_then(|open| open.invoice.hold);
        matches!(hold, Some(Hold::CatchUp | Hold::Stopped))
    };
    let held = opened.iter().copied().filter(is_held).collect();
    let skipped = newly_skipped(&run, book);
    let played = Said { opened, held, skipped, next: said.next };
    assert_eq!(said, played, "{told:#?}\n{:#?}", book.rows);
    let Some((index, starts, billed)) = said.next else { return };
    let mut then = book.clone();
    then.go_to(starts);
    assert!(then.is_due(), "{told:#?}");
    then.look();
    assert_eq!(indices(&then).contains(&index), billed, "{told:#?}\n{:#?}", book.rows);
    assert_eq!(newly_skipped(&then, book).contains(&index), !billed, "{told:#?}\n{:#?}", book.rows);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 384, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happened_the_next_run_does_what_was_told(
        story in prop::collection::vec(happens(), 1..40),
        // Of days more would be due than one look opens.
        every in prop::sample::select(vec!["week", "month", "3 months"]),
        then in prop::sample::select(EndAction::ALL.to_vec()),
        trial in any::<bool>(),
    ) {
        let mut plan = terms(every, ladder(&["6 hours", "1 day", "3 days"], then));
        plan.trial = trial.then(|| "14 days".parse().unwrap());
        let mut book = Book::new("2026-01-31", plan);
        for what in &story {
            happen(&mut book, what);
            plays_as_told(&book);
        }
    }
}
