//! Whatever happens to a subscription, in whatever order: what must always hold holds.

use proptest::prelude::*;

use jiff::SignedDuration;

use super::book::{Book, Look};
use super::kit::{card, ladder, terms};
use super::laws::{check, check_charge};
use super::story::{outcome, seen};
use crate::model::settings::CatchUp;
use crate::model::{
    AttemptId, AttemptStatus, CardId, ChargeOutcome, CustomerState, EndAction, Hold, OpenInvoice, Quantity,
    SeenStatus, SkipReason, SubscriptionStatus,
};
use crate::rules::{Prepared, RuleError, Scan, commands, conclude, doubt};

/// One thing that happens.
#[derive(Clone, Debug)]
pub(super) enum Happens {
    Time(i64),
    Runs(Vec<&'static str>),
    Card(u8),
    NoCard,
    Gone(bool),
    Looked(&'static str),
    Heard(&'static str),
    Asked(&'static str),
}

const ANSWERS: &[&str] = &[
    "ok",
    "ok",
    "no insufficient_fund",
    "no payment_rejected",
    "no stolen_or_lost_card",
    "no expired_card",
    "no payment_cancelled",
    "no moon_phase",
    "pending",
    "silence",
    "nonsense",
    "unsent",
    "rejected request",
    "rejected source",
    "rejected keys",
];
const LOOKS: &[&str] = &["empty", "broken", "ok", "no", "alike"];
const COMMANDS: &[&str] = &[
    "pause",
    "pause until",
    "resume",
    "cancel",
    "cancel later",
    "retry",
    "void",
    "quantity",
    "weekly",
    "zone",
    "zone of the first day",
    "zone of the last day",
    "absent",
];

pub(super) fn happens() -> impl Strategy<Value = Happens> {
    let one_of = |words: &'static [&'static str]| prop::sample::select(words.to_vec());
    prop_oneof![
        6 => (0_i64..40 * 24).prop_map(Happens::Time),
        8 => prop::collection::vec(one_of(ANSWERS), 1..4).prop_map(Happens::Runs),
        1 => (1_u8..4).prop_map(Happens::Card),
        1 => Just(Happens::NoCard),
        1 => any::<bool>().prop_map(Happens::Gone),
        3 => one_of(LOOKS).prop_map(Happens::Looked),
        2 => one_of(ANSWERS).prop_map(Happens::Heard),
        2 => one_of(COMMANDS).prop_map(Happens::Asked),
    ]
}

pub(super) fn happen(book: &mut Book, what: &Happens) {
    match what {
        Happens::Time(hours) => {
            let at = book.circumstances.at + SignedDuration::from_hours(*hours);
            book.go_to(at);
        }
        Happens::Runs(answers) => run(book, answers),
        Happens::Card(n) => {
            let id = format!("card_test_{n}");
            book.rows.customer.cards = vec![card(&id, (12, 2027 + i64::from(*n)))];
            book.rows.customer.default_card = Some(id.parse().unwrap());
        }
        Happens::NoCard => {
            book.rows.customer.cards.clear();
            book.rows.customer.default_card = None;
        }
        Happens::Gone(gone) => {
            book.rows.customer.state = if *gone { CustomerState::Gone } else { CustomerState::Present };
        }
        Happens::Looked(found) => look(book, found),
        Happens::Heard(answer) => hear(book, answer),
        Happens::Asked(command) => ask(book, command),
    }
}

/// A run: looks while the subscription is due and there are answers left.
fn run(book: &mut Book, answers: &[&str]) {
    for answer in answers {
        if !book.is_due() {
            return check_idle(book);
        }
        match book.look() {
            Look::Charge(charge) => {
                check_charge(book, &charge.request);
                let words: Vec<&str> = answer.split(' ').collect();
                let outcome = with_card(outcome(&words), book, &charge.request.attempt);
                book.conclude(&charge.request.attempt, &outcome);
                let again = conclude(
                    &book.snapshot_of(&charge.request.attempt),
                    &charge.request.attempt,
                    &outcome,
                    &book.circumstances,
                );
                assert!(again.unwrap().is_empty(), "the same news twice");
            }
            // A newer invoice may be due beside the one that rests.
            Look::Skipped(SkipReason::Budget) if book.is_due() => {}
            Look::Skipped(_) => {
                match book.prepare(true) {
                    Prepared::Settle { transition, .. } => {
                        assert!(transition.is_empty(), "a second look changed something: {transition:#?}");
                    }
                    other => panic!("a second look decided otherwise: {other:?}"),
                }
                return;
            }
        }
    }
}

/// Looking when nothing is due decides nothing, unless a card was replaced that an invoice waits for.
fn check_idle(book: &Book) {
    let waits = |o: &OpenInvoice| matches!(o.invoice.hold, Some(Hold::Customer | Hold::Exhausted));
    let ended = book.rows.subscription.status == SubscriptionStatus::Canceled;
    if ended || book.rows.invoices.iter().any(waits) {
        return;
    }
    let Prepared::Settle { transition, .. } = book.prepare(true) else { panic!("charged, not due") };
    let before = book.snapshot();
    let mut after = book.clone();
    after.apply(&transition);
    assert_eq!(after.rows.subscription.next_index, before.subscription.next_index);
    assert_eq!(after.rows.invoices.len(), book.rows.invoices.len());
}

/// The card that was the default when the attempt was charged.
fn charged_card(book: &Book, attempt: &AttemptId) -> Option<CardId> {
    book.charged.iter().find(|(id, _)| id == attempt).unwrap().1.clone()
}

/// Declines and successes name the card that was the default when it was charged, as the real provider does.
fn with_card(outcome: ChargeOutcome, book: &Book, attempt: &AttemptId) -> ChargeOutcome {
    let default = charged_card(book, attempt);
    match outcome {
        ChargeOutcome::Succeeded { charge, .. } => ChargeOutcome::Succeeded { charge, card: default },
        ChargeOutcome::Declined(decline) => {
            ChargeOutcome::Declined(crate::model::Decline { card: default, ..decline })
        }
        other => other,
    }
}

fn unfinished(book: &Book, status: AttemptStatus) -> Option<crate::model::Attempt> {
    book.rows.invoices.iter().flat_map(|open| &open.attempts).find(|a| a.status == status).cloned()
}

fn look(book: &mut Book, found: &str) {
    let Some(attempt) = unfinished(book, AttemptStatus::InDoubt) else { return };
    let c = book.circumstances.clone();
    let mut charge = seen(SeenStatus::Successful, "chrg_test_1");
    (charge.amount, charge.card) = (Some(attempt.amount), charged_card(book, &attempt.id));
    let (mine, alike) = match found {
        "ok" => (vec![charge], vec![]),
        "no" => {
            let decline = super::story::decline("insufficient_fund");
            charge.status =
                SeenStatus::Failed(crate::model::Decline { card: charge.card.clone(), ..decline });
            (vec![charge], vec![])
        }
        "alike" => (vec![], vec![charge]),
        _ => (vec![], vec![]),
    };
    let scan =
        Scan { complete: found != "broken", provider_at: c.wire.provider_now, wall_at: c.wire.wall_at };
    let step = doubt::judge(&attempt, &mine, &alike, &scan, &c);
    let transition =
        doubt::transition(&book.snapshot_of(&attempt.id), &attempt.id, &step, &scan, &c).unwrap();
    book.apply(&transition);
}

fn hear(book: &mut Book, answer: &str) {
    let Some(attempt) = unfinished(book, AttemptStatus::Pending) else { return };
    let words: Vec<&str> = answer.split(' ').collect();
    let outcome = with_card(outcome(&words), book, &attempt.id);
    book.conclude(&attempt.id, &outcome);
}

fn ask(book: &mut Book, command: &str) {
    let (s, at) = (book.snapshot(), book.circumstances.at);
    let catch_up = CatchUp { hold_after: 3 };
    let change = |order: &commands::ChangeOrder| {
        commands::change(&s, order, catch_up, at, None).map(|changed| changed.transition)
    };
    let done = match command {
        "pause" => commands::pause(&s, None, at, None),
        "pause until" => commands::pause(&s, Some(at + SignedDuration::from_hours(24 * 40)), at, None),
        "resume" => commands::resume(&s, catch_up, at),
        "cancel" => commands::cancel_now(&s, at, None),
        "cancel later" => commands::cancel_at_period_end(&s, at, None),
        "retry" => commands::retry(&s, at, None),
        "void" => match s.invoices.first() {
            Some(open) => commands::void(&s, &open.invoice.id, at, "property"),
            None => return,
        },
        "quantity" => change(&commands::ChangeOrder {
            quantity: Some(Quantity::new(1 + s.subscription.quantity.get()).unwrap()),
            ..Default::default()
        }),
        "zone" => change(&zone("America/New_York")),
        // The two ends of the earth's calendar: 25 hours apart.
        "zone of the first day" => change(&zone("Pacific/Kiritimati")),
        "zone of the last day" => change(&zone("Pacific/Pago_Pago")),
        "weekly" => change(&commands::ChangeOrder { plan: Some(weekly()), ..Default::default() }),
        "absent" => match unfinished(book, AttemptStatus::Manual) {
            Some(attempt) => commands::resolve_absent(&s, &attempt.id, "property", &book.circumstances),
            None => return,
        },
        other => panic!("no such command: {other}"),
    };
    match done {
        Ok(transition) => {
            book.apply(&transition);
            if command == "weekly" {
                book.rows.plan = weekly();
            }
        }
        Err(RuleError::Refused(sentence)) => assert!(sentence.contains(' '), "{sentence}"),
        Err(other) => panic!("{other}"),
    }
}

fn zone(name: &str) -> commands::ChangeOrder {
    commands::ChangeOrder { zone: Some(crate::model::Zone::parse(name).unwrap()), ..Default::default() }
}

fn weekly() -> std::sync::Arc<crate::model::PlanVersion> {
    super::kit::plan(2, terms("week", ladder(&["1 day"], EndAction::Unpaid)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 768, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_what_must_hold_holds(
        story in prop::collection::vec(happens(), 1..60),
        every in prop::sample::select(vec!["day", "week", "month", "3 months", "year"]),
        then in prop::sample::select(EndAction::ALL.to_vec()),
        trial in any::<bool>(),
    ) {
        let mut plan = terms(every, ladder(&["6 hours", "1 day", "3 days"], then));
        plan.trial = trial.then(|| "14 days".parse().unwrap());
        let mut book = Book::new("2026-01-31", plan);
        for what in &story {
            happen(&mut book, what);
            check(&book);
        }
    }
}
