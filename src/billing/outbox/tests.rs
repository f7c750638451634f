//! One outcome, one message: a property over the real rules and a real book, and the mistakes it must notice.
//!
//! A course of days is made up by chance: paid, declined, mended, set to end, ended, paused; the diary is read at odd
//! moments, in pages, or twice; what was taken is delivered or lost. The judge knows invoices, attempts and the end of
//! the subscription alone, and nothing of events.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::read_page;
use crate::hooks::{Bug, with_planted};
use crate::model::settings::{CommandWishes, Notify};
use crate::model::{
    AttemptStatus, Channel, ChargeOutcome, CustomerId, Decline, DeclineClass, DunningPolicy, EndAction,
    EventKind, InvoiceStatus, MessageKind, MessageMark, MessageState, NewEvent, PlanKey, PlanTerms,
    RetrySchedule, Subscription, SubscriptionId, SubscriptionStatus, Transition,
};
use crate::rules::messages::{News, still_news, told_of};
use crate::rules::{Circumstances, Prepared, Wire, commands, conclude, prepare};
use crate::store::sqlite::SqliteStore;
use crate::store::{CustomerReading, Filter, Outbox as _, Store as _};

/// What a day may bring.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// A look at what is due, answered with yes.
    Pays,
    /// The same, answered with a soft no.
    Declines,
    /// A hard no.
    Dead,
    EndsWithPeriod,
    EndsNow,
    Pauses,
    Resumes,
    /// One page of the diary is read.
    Reads,
    /// What is due is judged, and delivered.
    Delivers,
    /// What is due is taken by somebody who dies.
    Loses,
}

fn acts() -> impl Strategy<Value = Vec<(Act, i64)>> {
    let act = prop_oneof![
        4 => Just(Act::Pays),
        4 => Just(Act::Declines),
        1 => Just(Act::Dead),
        1 => Just(Act::EndsWithPeriod),
        1 => Just(Act::EndsNow),
        1 => Just(Act::Pauses),
        1 => Just(Act::Resumes),
        4 => Just(Act::Reads),
        3 => Just(Act::Delivers),
        1 => Just(Act::Loses),
    ];
    proptest::collection::vec((act, 1_i64..200), 1..40)
}

fn wishes() -> Notify {
    let command = CommandWishes {
        program: vec!["true".into()],
        events: MessageKind::ALL.to_vec(),
        timeout: SignedDuration::from_secs(1),
    };
    Notify { command: Some(command), ..Notify::default() }
}

struct Course {
    store: SqliteStore,
    now: Timestamp,
    id: SubscriptionId,
    /// How often each key was delivered.
    told: BTreeMap<String, u32>,
    /// Ends that were set or came.
    ends: Vec<Timestamp>,
}

impl Course {
    fn new() -> Self {
        let mut store = SqliteStore::in_memory().unwrap();
        let now: Timestamp = "2026-01-01T05:00:00Z".parse().unwrap();
        let dunning = DunningPolicy {
            silent: Some("2 days".parse().unwrap()),
            ..DunningPolicy::plain(
                "standard".into(),
                RetrySchedule::Ladder(["1 day", "1 day", "3 days"].map(|w| w.parse().unwrap()).to_vec()),
                None,
                EndAction::Pause,
            )
        };
        let terms = PlanTerms {
            name: "Pro".into(),
            price: "990.00 THB".parse().unwrap(),
            every: "month".parse().unwrap(),
            trial: None,
            description: None,
            dunning,
        };
        store.apply_plans(&[(PlanKey::parse("pro").unwrap(), terms)], now).unwrap();
        let plan = store.plans().unwrap()[0].id;
        let subscription =
            Subscription { wake_at: Some(now), ..crate::store::conformance::samples::subscription(0, plan) };
        let id = subscription.id.clone();
        let change = crate::model::Change::InsertSubscription(subscription);
        let made = Transition { epoch: None, changes: vec![change], events: Vec::new() };
        assert_eq!(store.commit(&[made]).unwrap(), [Ok(())]);
        store.observe_customers(&[crate::store::conformance::samples::reading(0)]).unwrap();
        store.begin_epoch(now, now, Some(now)).unwrap();
        Self { store, now, id, told: BTreeMap::new(), ends: Vec::new() }
    }

    fn circumstances(&mut self) -> Circumstances {
        let facts = self.store.facts().unwrap();
        Circumstances {
            at: self.now,
            budget_now: self.now,
            live: false,
            book_zone: crate::model::Zone::parse("Asia/Bangkok").unwrap(),
            installation: facts.installation,
            epoch: Some(facts.epoch),
            limits: crate::model::settings::AccountLimits::default(),
            cards: crate::model::settings::Cards {
                fresh: SignedDuration::from_hours(24 * 366),
                warn_before: Vec::new(),
                renewals_ahead: 0,
                try_expired: false,
            },
            doubt: crate::model::settings::Doubt { settle: SignedDuration::from_mins(10) },
            catch_up: crate::model::settings::CatchUp { hold_after: 100 },
            customer_day: BTreeMap::new(),
            declines: std::sync::Arc::new(crate::config::shipped_declines().unwrap()),
            budgets: crate::model::settings::Budgets::default(),
            wire: Wire {
                wall_at: self.now,
                provider_seen: Some(self.now),
                provider_now: Some(self.now),
                timeout: SignedDuration::from_secs(90),
            },
        }
    }

    fn commit(&mut self, transition: Transition) {
        if !transition.changes.is_empty() || !transition.events.is_empty() {
            assert_eq!(self.store.commit(&[transition]).unwrap(), [Ok(())]);
        }
    }

    /// A look at the subscription as a run would take it; the bank answers so.
    fn charges(&mut self, code: Option<&str>) {
        let reading = CustomerReading { read_at: self.now, ..crate::store::conformance::samples::reading(0) };
        self.store.observe_customers(&[reading]).unwrap();
        let c = self.circumstances();
        let snapshot = self.store.snapshot(&self.id).unwrap().unwrap();
        match prepare(&snapshot, &c, &|_| "{}".into(), true).unwrap() {
            Prepared::Settle { transition, .. } => self.commit(transition),
            Prepared::Charge(charge) => {
                let attempt = charge.request.attempt.clone();
                self.commit(charge.transition.clone());
                let outcome = match code {
                    None => ChargeOutcome::Succeeded {
                        charge: crate::store::conformance::samples::charge(
                            attempt.invoice.index * 100 + attempt.number,
                        ),
                        card: None,
                    },
                    Some(code) => ChargeOutcome::Declined(Decline {
                        charge: None,
                        card: None,
                        code: code.into(),
                        message: None,
                        advice: None,
                        advice_code: None,
                    }),
                };
                let after = self.store.snapshot_of_invoice(&attempt.invoice).unwrap().unwrap();
                let concluded = conclude(&after, &attempt, &outcome, &c).unwrap();
                self.commit(concluded);
            }
            Prepared::ConfirmCustomer(_) => {}
        }
    }

    fn orders(&mut self, order: impl FnOnce(&crate::model::Snapshot, Timestamp) -> Option<Transition>) {
        let snapshot = self.store.snapshot(&self.id).unwrap().unwrap();
        if let Some(transition) = order(&snapshot, self.now) {
            self.commit(transition);
        }
    }

    fn reads(&mut self) -> bool {
        read_page(&mut self.store, &wishes(), self.now).unwrap().at_end
    }

    /// Takes what is due; `delivers`: and tells what is still news.
    fn takes(&mut self, delivers: bool) {
        let lost_at = self.now + SignedDuration::from_mins(1);
        let rows = self.store.take_messages(Channel::Command, self.now, lost_at, 100).unwrap();
        for row in rows.into_iter().filter(|_| delivers) {
            let message = row.message.unwrap();
            let snapshot = match &message.facts.invoice {
                Some(invoice) => self.store.snapshot_of_invoice(invoice).unwrap().unwrap(),
                None => self.store.snapshot(&self.id).unwrap().unwrap(),
            };
            let news = row.not_before.map_or(News::Tell, |_| still_news(&message, &snapshot, self.now));
            let mark = match news {
                News::Tell => {
                    *self.told.entry(row.key.clone()).or_default() += 1;
                    MessageMark::Sent
                }
                News::Wait(until) => MessageMark::Waits { until, why: None, tried: false },
                News::Moot(why) => MessageMark::Moot(why.into()),
            };
            self.store.mark_message(row.row, &mark, self.now).unwrap();
        }
    }

    fn goes(&mut self, act: Act, hours: i64) {
        self.now += SignedDuration::from_hours(hours);
        match act {
            Act::Pays => self.charges(None),
            Act::Declines => self.charges(Some("insufficient_fund")),
            Act::Dead => self.charges(Some("stolen_or_lost_card")),
            Act::EndsWithPeriod => self.orders(|s, at| commands::cancel_at_period_end(s, at, None).ok()),
            Act::EndsNow => self.orders(|s, at| commands::cancel_now(s, at, None).ok()),
            Act::Pauses => self.orders(|s, at| commands::pause(s, None, at, None).ok()),
            Act::Resumes => {
                let catch_up = crate::model::settings::CatchUp { hold_after: 100 };
                self.orders(|s, at| commands::resume(s, catch_up, at).ok());
            }
            Act::Reads => {
                self.reads();
            }
            Act::Delivers => self.takes(true),
            Act::Loses => self.takes(false),
        }
        let s = self.store.snapshot(&self.id).unwrap().unwrap().subscription;
        for end in [s.cancel_at, s.ended_at].into_iter().flatten() {
            if !self.ends.contains(&end) {
                self.ends.push(end);
            }
        }
    }

    /// Time passes until everything was read and told.
    fn rests(&mut self) {
        while !self.reads() {}
        for _ in 0..6 {
            self.now += SignedDuration::from_hours(24);
            self.takes(true);
        }
    }

    /// Everything that is wrong, a line each.
    fn judged(&mut self) -> Vec<String> {
        let mut faults: Vec<String> = Vec::new();
        for (key, times) in self.told.iter().filter(|(_, times)| **times != 1) {
            faults.push(format!("{key} was told {times} times"));
        }
        let rows = self.store.list_messages(&Filter::default(), 0, 10_000).unwrap();
        for row in rows.iter().filter(|row| row.state == MessageState::Waiting) {
            faults.push(format!("{} still waits", row.key));
        }
        let told = |key: &str| self.told.contains_key(key);
        let invoices = self.store.list_invoices(&Filter::default(), 0, 10_000).unwrap();
        let attempts = self.store.list_attempts(&Filter::default(), 0, 10_000).unwrap();
        for invoice in invoices.iter().map(|row| &row.invoice) {
            if !told(&format!("invoice_opened/{}", invoice.id)) {
                faults.push(format!("invoice {} was opened and nobody was told", invoice.id));
            }
            if (invoice.status == InvoiceStatus::Paid) != told(&format!("invoice_paid/{}", invoice.id)) {
                faults.push(format!("invoice {} is {}", invoice.id, invoice.status));
            }
            faults.extend(self.judge_declines(&invoice.id.to_string(), &attempts));
        }
        // No card of this course is ever flagged but for what the bank said, which the decline has told.
        let of_a_flag = format!("action_needed/{}/", self.id);
        faults.extend(self.told.keys().filter(|key| key.starts_with(&of_a_flag)).cloned());
        let ends = self.told.keys().filter(|key| key.starts_with("subscription_canceled")).count();
        if ends != self.ends.len() {
            faults.push(format!("{} ends, {ends} told", self.ends.len()));
        }
        faults
    }

    fn judge_declines(&self, invoice: &str, attempts: &[crate::store::AttemptRow]) -> Vec<String> {
        let mut of: Vec<_> =
            attempts.iter().map(|row| &row.attempt).filter(|a| a.id.invoice.to_string() == invoice).collect();
        of.sort_by_key(|attempt| attempt.id.number);
        let silence = of
            .iter()
            .find(|a| a.status == AttemptStatus::Declined)
            .and_then(|a| a.resolved_at)
            .map(|at| at + SignedDuration::from_hours(48));
        let mut faults = Vec::new();
        for (place, attempt) in of.iter().enumerate().filter(|(_, a)| a.status == AttemptStatus::Declined) {
            let (plain, act) = (format!("declined/{}", attempt.id), format!("action_needed/{}", attempt.id));
            let times = [&plain, &act].iter().filter(|key| self.told.contains_key(**key)).count();
            if times > 1 {
                faults.push(format!("{} was told in two ways", attempt.id));
            }
            let hard = attempt.decline.is_some_and(|kind| kind.class() == DeclineClass::Hard);
            // One that another try within the silence mended, or overtook.
            let mended = of.get(place + 1).is_some_and(|next| {
                silence.is_some_and(|until| next.resolved_at.is_some_and(|at| at < until)) && !hard
            });
            if mended && times > 0 {
                faults.push(format!("{} was mended in the silence, and told", attempt.id));
            }
            if hard && !self.told.contains_key(&act) {
                faults.push(format!("{} needs an act and nobody was told", attempt.id));
            }
        }
        faults
    }
}

fn faults_of(acts: &[(Act, i64)]) -> Vec<String> {
    let mut course = Course::new();
    for (act, hours) in acts {
        course.goes(*act, *hours);
    }
    course.rests();
    course.judged()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_message_per_outcome(acts in acts()) {
        let faults = faults_of(&acts);
        prop_assert!(faults.is_empty(), "{faults:#?}");
    }
}

/// A course in which every mistake shows.
fn telling() -> Vec<(Act, i64)> {
    vec![
        (Act::Declines, 1),
        (Act::Reads, 1),
        (Act::Delivers, 1),
        (Act::Pays, 30),
        (Act::Reads, 1),
        (Act::EndsWithPeriod, 1),
        (Act::Reads, 1),
        (Act::Delivers, 1),
        (Act::Pays, 24 * 40),
    ]
}

#[test]
fn planted_mistakes_are_noticed() {
    assert_eq!(faults_of(&telling()), Vec::<String>::new());
    for (bug, fault) in
        [(Bug::SilenceBroken, "in the silence, and told"), (Bug::OutcomeToldTwice, "ends, 2 told")]
    {
        let faults = with_planted(bug, || faults_of(&telling()));
        assert!(faults.iter().any(|said| said.contains(fault)), "{bug:?}: {faults:#?}");
    }
}

#[test]
fn whose_customer_is_told_is_whose_the_subscription_is() {
    let mut course = Course::new();
    course.goes(Act::Pays, 1);
    while !course.reads() {}
    let rows = course.store.list_messages(&Filter::default(), 0, 10).unwrap();
    let whom: Vec<Option<CustomerId>> =
        rows.into_iter().map(|row| row.message.and_then(|message| message.customer)).collect();
    assert_eq!(whom.len(), 2);
    assert!(whom.iter().all(|id| *id == Some(crate::store::conformance::samples::customer(0))));
    let status = course.store.snapshot(&course.id).unwrap().unwrap().subscription.status;
    assert_eq!(status, SubscriptionStatus::Active);
}

#[test]
fn a_decline_of_any_kind_is_told_with_the_end_that_it_leads_to() {
    let mut course = Course::new();
    course.goes(Act::Dead, 1);
    let events = course.store.list_events(&Filter::default(), 0, 10).unwrap();
    let declined = events.iter().find(|event| event.kind == EventKind::AttemptDeclined).unwrap().clone();
    let snapshot = course.store.snapshot(&course.id).unwrap().unwrap();
    let alone = told_of(std::slice::from_ref(&declined), 0, &snapshot).map(|told| told.message.kind);
    assert_eq!(alone, Some(MessageKind::ActionNeeded));
    for kind in [EventKind::SubscriptionPaused, EventKind::SubscriptionCanceled] {
        // As a backup card's last answer has it.
        let end = crate::model::Event { seq: declined.seq + 1, kind, data: None, ..declined.clone() };
        assert_eq!(told_of(&[declined.clone(), end], 0, &snapshot), None, "{kind}");
    }
}

#[test]
fn warnings_and_reminders_are_told_once_each() {
    let mut course = Course::new();
    course.goes(Act::Pays, 1);
    let card = crate::store::conformance::samples::card(0);
    let warning = |before: &str| NewEvent {
        at: course.now,
        kind: EventKind::CardExpiring,
        subscription: Some(course.id.clone()),
        invoice: None,
        data: Some(serde_json::json!({ "card": card, "before": before }).to_string().into()),
    };
    let events = vec![warning("15 days"), warning("15 days"), warning("renewal")];
    course.commit(Transition { epoch: None, changes: Vec::new(), events });
    while !course.reads() {}
    let rows = course.store.list_messages(&Filter::default(), 0, 10).unwrap();
    let warnings: Vec<_> =
        rows.iter().filter(|row| row.kind == MessageKind::CardExpiring).map(|row| row.key.as_str()).collect();
    let named = |before: &str| format!("card_expiring/{card}/2030-12/{before}");
    assert_eq!(warnings, [named("15-days"), named("renewal")]);
    let facts = &rows.last().unwrap().message.as_ref().unwrap().facts;
    assert_eq!(facts.ends_at, facts.card.as_ref().map(|card| card.expiration.ends_at()));
}
