//! Stories as text tables, moved by days: what a run meets, what the bank answers, what the book then says.
//!
//! A line is `WHEN | WHAT | SEEN`. `WHEN` is `MM-DD` or `MM-DDTHH:MM` of 2026 in the subscription's zone; empty: the
//! same instant.
//! `WHAT` is one of the words below. `SEEN` are facts that must hold then; see `fact`.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};

use super::book::{Book, Look};
use super::kit::{bangkok, card};
use crate::model::settings::{CatchUp, ThreeDs};
use crate::model::{
    AttemptId, AttemptStatus, ChargeOutcome, ChargeSeen, CustomerState, Decline, InvoiceStatus, NoAnswer,
    NotSent, Rejected, RejectedWhy, Reversal, ReversalKind, SeenStatus, Zone, first_instant,
};
use crate::rules::pending::{self, PendingStep, Strange};
use crate::rules::reversal::reversed;
use crate::rules::watch::{self, News};
use crate::rules::{Scan, commands, conclude, doubt, ending, looks, outcome_of};

/// Tells the story to this book.
pub(super) fn tell(book: &mut Book, table: &str) {
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut columns = line.split('|').map(str::trim);
        let (when, what, seen) =
            (columns.next().unwrap(), columns.next().unwrap(), columns.next().unwrap_or(""));
        if !when.is_empty() {
            book.go_to(moment_in(when, &book.rows.subscription.zone));
        }
        let skipped = act(book, what, line);
        for wanted in seen.split_whitespace() {
            let (name, value) = wanted.split_once(':').unwrap_or_else(|| panic!("{wanted} in {line}"));
            let found = fact(book, name, skipped.as_deref());
            assert_eq!(found, value, "{name} after: {line}\n{:#?}", book.rows);
        }
    }
}

/// An instant of 2026 in Bangkok.
pub(super) fn moment(text: &str) -> Timestamp {
    moment_in(text, &bangkok())
}

fn moment_in(text: &str, zone: &Zone) -> Timestamp {
    let (date, time) = text.split_once('T').unwrap_or((text, "00:00"));
    let date: Date = format!("2026-{date}").parse().unwrap();
    let local: DateTime = format!("{date}T{time}:00").parse().unwrap();
    first_instant(local, zone).unwrap()
}

/// The same, back to text; midnight is left out.
fn told(book: &Book, at: Timestamp) -> String {
    book.rows
        .subscription
        .zone
        .at(at)
        .strftime("%m-%dT%H:%M")
        .to_string()
        .trim_end_matches("T00:00")
        .to_owned()
}

/// Does it; answers the reason if a run skipped.
fn act(book: &mut Book, what: &str, line: &str) -> Option<String> {
    let words: Vec<&str> = what.split_whitespace().collect();
    match words.as_slice() {
        ["wait"] => {}
        ["run"] => match book.look() {
            Look::Skipped(reason) => return Some(reason.word().to_owned()),
            Look::Charge(charge) => panic!("{line}: charged {:?}", charge.request),
        },
        ["card", id, expires] => {
            let (month, year) = expires.split_once('/').unwrap();
            book.rows.customer.cards = vec![card(id, (month.parse().unwrap(), year.parse().unwrap()))];
            book.rows.customer.default_card = Some(id.parse().unwrap());
        }
        ["saved", id, expires] => {
            let (month, year) = expires.split_once('/').unwrap();
            book.rows.customer.cards.push(card(id, (month.parse().unwrap(), year.parse().unwrap())));
        }
        ["unsaved", id] => book.rows.customer.cards.retain(|card| card.id.as_str() != *id),
        ["nocard"] => {
            book.rows.customer.cards.clear();
            book.rows.customer.default_card = None;
        }
        ["watch"] => watch(book),
        ["news"] => news(book),
        ["brand", brand] => (*brand).clone_into(&mut book.rows.customer.cards[0].brand),
        ["reversed"] => {
            let attempt = book.rows.invoices[0].attempts[0].clone();
            let (amount, at) = (attempt.amount, book.circumstances.at);
            let back = Reversal { attempt: attempt.id, kind: ReversalKind::Refunded, amount, at };
            let charge = "chrg_test_1".parse().unwrap();
            let ended = reversed(&book.snapshot(), &book.noted, &back, &charge);
            book.apply(&ended);
            let again = reversed(&book.snapshot(), &book.noted, &back, &charge);
            assert!(again.is_empty(), "{again:?}");
        }
        ["gone"] => book.rows.customer.state = CustomerState::Gone,
        ["back"] => book.rows.customer.state = CustomerState::Present,
        ["hear", answer @ ..] => {
            let attempt = unfinished(book);
            book.conclude(&attempt, &outcome(answer));
        }
        ["poll"] => poll(book),
        ["poll", "gone"] => strange(book, &Strange::Gone),
        ["poll", "unended"] => strange(book, &Strange::Unended),
        ["poll", "broken"] => unread(book),
        ["poll", word] => strange(book, &Strange::Unreadable(format!("the status {word:?}").into())),
        ["undated"] => book.circumstances.wire.provider_now = None,
        ["look", found @ ..] => look(book, found),
        ["person", command @ ..] => command_of(book, command),
        answer => match book.look() {
            Look::Charge(charge) => {
                assert!(book.rows.subscription.wake_at != Some(book.circumstances.at), "{line}");
                book.conclude(&charge.request.attempt, &outcome(answer));
                same_news_twice(book, &charge.request.attempt, answer);
            }
            Look::Skipped(reason) => panic!("{line}: skipped as {reason}\n{:#?}", book.rows),
        },
    }
    None
}

/// Concluding an attempt a second time changes nothing.
fn same_news_twice(book: &Book, attempt: &AttemptId, answer: &[&str]) {
    let snapshot = book.snapshot_of(attempt);
    let again = conclude(&snapshot, attempt, &outcome(answer), &book.circumstances).unwrap();
    assert!(again.is_empty(), "{again:?}");
}

fn unfinished(book: &Book) -> AttemptId {
    let mut attempts = book.rows.invoices.iter().flat_map(|open| &open.attempts);
    attempts.find(|a| !a.status.is_final()).expect("an unfinished attempt").id.clone()
}

pub(super) fn decline(code: &str) -> Decline {
    Decline { charge: None, card: None, code: code.into(), message: None, advice: None, advice_code: None }
}

pub(super) fn outcome(words: &[&str]) -> ChargeOutcome {
    let charge = "chrg_test_1".parse().unwrap();
    match words {
        ["ok"] => ChargeOutcome::Succeeded { charge, card: Some("card_test_1".parse().unwrap()) },
        ["no", code] => {
            let card = Some("card_test_1".parse().unwrap());
            ChargeOutcome::Declined(Decline { charge: Some(charge), card, ..decline(code) })
        }
        ["ok2"] => ChargeOutcome::Succeeded { charge, card: Some("card_test_2".parse().unwrap()) },
        ["no2", code] => {
            let card = Some("card_test_2".parse().unwrap());
            ChargeOutcome::Declined(Decline { charge: Some(charge), card, ..decline(code) })
        }
        ["no", code, "on", card] => {
            let card = Some(card.parse().unwrap());
            ChargeOutcome::Declined(Decline { charge: Some(charge), card, ..decline(code) })
        }
        ["no", code, "advised", advice] => {
            let card = Some("card_test_1".parse().unwrap());
            let advice_code = Some((*advice).into());
            ChargeOutcome::Declined(Decline { charge: Some(charge), card, advice_code, ..decline(code) })
        }
        ["cardless", code] => ChargeOutcome::Declined(decline(code)),
        ["pending"] => {
            ChargeOutcome::Pending { charge, card: None, authorize_uri: Some("https://act.example".into()) }
        }
        ["in", "flight"] => ChargeOutcome::Pending { charge, card: None, authorize_uri: None },
        ["silence"] => ChargeOutcome::NoAnswer(NoAnswer { reason: "timed out".into(), alarm: false }),
        ["nonsense"] => ChargeOutcome::NoAnswer(NoAnswer { reason: "another amount".into(), alarm: true }),
        ["unsent"] => ChargeOutcome::NotSent(NotSent {
            reason: "refused".into(),
            rate_limited: false,
            retry_after_s: None,
        }),
        ["rejected", why] => ChargeOutcome::Rejected(Rejected {
            why: RejectedWhy::from_word(why).unwrap(),
            code: "not_found".into(),
            message: "no such thing".into(),
        }),
        ["ended", word] => outcome_of(&seen(SeenStatus::Ended((*word).into()), "chrg_test_1")),
        other => panic!("no such answer: {other:?}"),
    }
}

/// A charge of the story's customer as the provider shows it.
pub(super) fn seen(status: SeenStatus, charge: &str) -> ChargeSeen {
    ChargeSeen {
        charge: charge.parse().unwrap(),
        created_at: "2026-01-31T00:00:00Z".parse().unwrap(),
        amount: Some("990.00 THB".parse().unwrap()),
        customer: Some("cust_test_1".parse().unwrap()),
        card: None,
        status,
        installation: None,
        invoice: None,
        attempt: None,
        description: None,
        refunded_minor: 0,
        disputed: false,
    }
}

/// One look through the provider's list for the attempt in doubt.
fn look(book: &mut Book, found: &[&str]) {
    let id = unfinished(book);
    let c = book.circumstances.clone();
    let (mine, alike, complete) = match found {
        ["empty"] => (vec![], vec![], true),
        ["broken"] => (vec![], vec![], false),
        ["ok"] => (vec![seen(SeenStatus::Successful, "chrg_test_1")], vec![], true),
        ["no", code] => (vec![seen(SeenStatus::Failed(decline(code)), "chrg_test_1")], vec![], true),
        ["alike"] => (vec![], vec![seen(SeenStatus::Successful, "chrg_test_8")], true),
        ["twice"] => {
            let both = [
                seen(SeenStatus::Failed(decline("timeout")), "chrg_test_1"),
                seen(SeenStatus::Successful, "chrg_test_2"),
            ];
            (both.to_vec(), vec![], true)
        }
        other => panic!("no such find: {other:?}"),
    };
    let scan = Scan { complete, provider_at: c.wire.provider_now, wall_at: c.wire.wall_at };
    let snapshot = book.snapshot_of(&id);
    let attempts = snapshot.invoices.iter().flat_map(|open| &open.attempts);
    let attempt = attempts.clone().find(|a| a.id == id).unwrap();
    let step = doubt::judge(attempt, &mine, &alike, &scan, &c);
    let transition = doubt::transition(&snapshot, &id, &step, &scan, &c).unwrap();
    book.apply(&transition);
}

/// Reminders after one and three days, an end after seven.
pub(super) fn wishes() -> ThreeDs {
    let days = |days: i64| jiff::SignedDuration::from_hours(24 * days);
    ThreeDs { remind: vec![days(1), days(3)], give_up: days(7) }
}

/// The provider shows neither that the charge is pending nor how it ended. The same look again tells nobody anything.
fn strange(book: &mut Book, shown: &Strange) {
    let id = unfinished(book);
    let look = |book: &Book| {
        pending::strange(&book.snapshot_of(&id), &id, shown, &wishes(), &book.circumstances).unwrap()
    };
    book.apply(&look(book));
    let again = look(book);
    assert!(again.events.is_empty(), "told twice: {again:?}");
}

/// The charge could not be read: nothing but the next look changes, and nobody is told.
fn unread(book: &mut Book) {
    let id = unfinished(book);
    let noted = pending::unread(&book.snapshot_of(&id), &id, &book.circumstances).unwrap();
    assert!(noted.events.is_empty() && !noted.is_empty(), "{noted:?}");
    book.apply(&noted);
}

/// The provider shows the charge pending still.
fn poll(book: &mut Book) {
    let wishes = wishes();
    let (id, c) = (unfinished(book), book.circumstances.clone());
    let snapshot = book.snapshot_of(&id);
    let attempt = snapshot.invoices.iter().flat_map(|open| &open.attempts).find(|a| a.id == id).unwrap();
    match pending::judge(attempt, &wishes, c.at, c.wire.wall_at) {
        PendingStep::GiveUp => return book.conclude(&id, &outcome(&["ended", "expired"])),
        PendingStep::Overdue => return strange(book, &Strange::Unended),
        PendingStep::Wait | PendingStep::Remind(_) => {}
    }
    book.apply(&pending::polled(&snapshot, &id, &wishes, &c).unwrap());
    let again = pending::polled(&book.snapshot_of(&id), &id, &wishes, &c).unwrap();
    assert!(again.events.is_empty(), "reminded twice: {again:?}");
}

/// What the card watch does with one subscription: asks for a read where the card looks bad, then tells of its end.
fn watch(book: &mut Book) {
    let (c, at) = (book.circumstances.clone(), book.circumstances.at);
    let mut news = watch::judge(&book.snapshot(), &c.cards, at, false);
    if let News::Confirm(_) = news {
        book.read_customer();
        news = watch::judge(&book.snapshot(), &c.cards, at, true);
    }
    settle(book, news);
    if let Some(card) = ending::paying_card(&book.snapshot(), &c.cards, at) {
        let warning = ending::warn(&card, &book.told, &c.cards, at);
        book.apply(&warning);
    }
}

/// News of the customer, who was read for them; a second time they change nothing.
fn news(book: &mut Book) {
    book.read_customer();
    let (c, at) = (book.circumstances.clone(), book.circumstances.at);
    settle(book, watch::judge(&book.snapshot(), &c.cards, at, true));
    let again = watch::judge(&book.snapshot(), &c.cards, at, true);
    assert_eq!(again, News::Settled(crate::model::Transition::default()), "the same news twice");
}

fn settle(book: &mut Book, news: News) {
    match news {
        News::Settled(transition) => book.apply(&transition),
        News::Confirm(reason) => panic!("asked twice for {reason}"),
    }
}

fn command_of(book: &mut Book, words: &[&str]) {
    let (s, at) = (book.snapshot(), book.circumstances.at);
    let catch_up = CatchUp { hold_after: 3 };
    let why = Some("story");
    let invoice = |index: &str| format!("sub_1.{index}").parse().unwrap();
    let done = match words {
        ["pause"] => commands::pause(&s, None, at, why),
        ["pause", until] => commands::pause(&s, Some(moment(until)), at, why),
        ["resume"] => commands::resume(&s, catch_up, at),
        ["cancel"] => commands::cancel_now(&s, at, why),
        ["cancel", "later"] => commands::cancel_at_period_end(&s, at, why),
        ["retry"] => commands::retry(&s, at, why),
        ["void", index] => commands::void(&s, &invoice(index), at, "story"),
        ["paid", index] => commands::mark_paid(&s, &invoice(index), at, "story"),
        ["lost", index] => commands::write_off(&s, &invoice(index), at, "story"),
        ["absent"] => commands::resolve_absent(&s, &unfinished(book), "story", &book.circumstances),
        ["charged"] => {
            let charge = seen(SeenStatus::Successful, "chrg_test_1");
            commands::resolve_charge(&s, &unfinished(book), &charge, None, "story", &book.circumstances)
        }
        other => panic!("no such command: {other:?}"),
    };
    book.apply(&done.unwrap_or_else(|e| panic!("{words:?}: {e}")));
}

/// `sub`: status. `skip`: why the run skipped. `flag`: the standing one, or `none`. `wake`: the next visit, or `none`.
/// `next_look`: when an unfinished attempt is looked up next, or `none`.
/// `reminded`: reminders of a payment to confirm. `raised`: flags raised so far. `warned`: days before a card's end of which its customer was told; `warnings`: how often.
/// `reads`: reads of the customer so far. `0`: invoice 0: its status, or while open its hold or `open`. `0.next`: its next
/// try. `0.last`: its last attempt. `0.tries`: how many. `skipped`: ranges of periods never billed.
fn fact(book: &Book, name: &str, skipped: Option<&str>) -> String {
    let none = || "none".to_owned();
    match name {
        "sub" => book.rows.subscription.status.word().to_owned(),
        "skip" => skipped.map_or_else(none, str::to_owned),
        "flag" => book.flag().map_or_else(none, |reason| reason.word().to_owned()),
        "wake" => book.rows.subscription.wake_at.map_or_else(none, |at| told(book, at)),
        "due" => book.is_due().to_string(),
        "reads" => book.reads.to_string(),
        "next_look" => {
            let attempts = book.rows.invoices.iter().flat_map(|open| &open.attempts);
            attempts.filter_map(looks::next_look).min().map_or_else(none, |at| told(book, at))
        }
        "reminded" => book.happened(crate::model::EventKind::ActionReminded).to_string(),
        "raised" => book.happened(crate::model::EventKind::FlagRaised).to_string(),
        "warned" => {
            let told = book.told.iter().map(|told| (told.ahead.as_hours() / 24).to_string());
            let told: Vec<_> = told.collect();
            if told.is_empty() { none() } else { told.join(",") }
        }
        "warnings" => book.happened(crate::model::EventKind::CardExpiring).to_string(),
        "incidents" => book.happened(crate::model::EventKind::Incident).to_string(),
        "skipped" => {
            let range = |(from, to, why): &(u32, u32, _)| format!("{from}..{to}={why}");
            book.skipped.iter().map(range).collect::<Vec<_>>().join(",")
        }
        _ => of_invoice(book, name),
    }
}

fn of_invoice(book: &Book, name: &str) -> String {
    let (index, what) = name.split_once('.').unwrap_or((name, ""));
    let index: u32 = index.parse().unwrap_or_else(|_| panic!("no such fact: {name}"));
    let Some(open) = book.rows.invoices.iter().find(|open| open.invoice.id.index == index) else {
        return "none".to_owned();
    };
    let invoice = &open.invoice;
    match what {
        "" if invoice.status == InvoiceStatus::Open => {
            invoice.hold.map_or("open", |hold| hold.word()).to_owned()
        }
        "" => invoice.status.word().to_owned(),
        "next" => invoice.next_attempt_at.map_or_else(|| "none".to_owned(), |at| told(book, at)),
        "last" => open.attempts.last().map_or("none", |a: &crate::model::Attempt| a.status.word()).to_owned(),
        "tries" => open.attempts.iter().filter(|a| a.status != AttemptStatus::Intended).count().to_string(),
        other => panic!("no such fact: {other}"),
    }
}
