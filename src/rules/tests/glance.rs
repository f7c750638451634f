//! Who is passed over at a glance would have been passed over after a closer look.

use std::cell::Cell;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use jiff::{SignedDuration, Timestamp, ToSpan as _};

use super::book::Book;
use super::kit::{card, ladder, terms};
use super::properties::{Happens, happen, happens};
use crate::model::settings::Cards;
use crate::model::{
    CardDecline, CustomerGlance, CustomerState, EndAction, Expiration, Flag, FlagReason, Snapshot,
    SubscriptionStatus, Transition, Zone,
};
use crate::rules::ending;
use crate::rules::glance::Glancer;
use crate::rules::watch::{self, News};

/// A customer's circumstances beside what happened to their subscription.
#[derive(Clone, Debug)]
struct Case {
    story: Vec<Happens>,
    every: &'static str,
    zone: &'static str,
    /// Months from now through which their two cards work.
    months: [i32; 2],
    /// Hours from the turn of the month, at which it is now.
    hour: Option<i64>,
    own_card: bool,
    never: bool,
    flag: Option<FlagReason>,
    warn_days: Vec<i64>,
    renewals_ahead: u32,
    try_expired: bool,
}

fn cases() -> impl Strategy<Value = Case> {
    let of = |words: &'static [&'static str]| prop::sample::select(words.to_vec());
    let rare = || prop::bool::weighted(0.1);
    let facts = (
        prop::collection::vec(happens(), 0..8),
        of(&["day", "2 weeks", "month", "3 months", "year"]),
        of(&["Asia/Bangkok", "America/New_York", "Pacific/Kiritimati", "Etc/GMT+12"]),
        [-1_i32..30, -1_i32..30],
        prop::option::of(-40_i64..40),
    );
    let flags =
        prop::sample::select(vec![FlagReason::NoCard, FlagReason::ExpiredCard, FlagReason::Unchargeable]);
    let rarities = (rare(), rare(), prop::option::weighted(0.1, flags));
    let wishes = (rarities, prop::collection::vec(0_i64..60, 0..3), 0_u32..5, any::<bool>());
    (facts, wishes).prop_map(|(facts, wishes)| {
        let (story, every, zone, months, hour) = facts;
        let ((own_card, never, flag), warn_days, renewals_ahead, try_expired) = wishes;
        Case {
            story,
            every,
            zone,
            months,
            hour,
            own_card,
            never,
            flag,
            warn_days,
            renewals_ahead,
            try_expired,
        }
    })
}

impl Case {
    fn wishes(&self) -> Cards {
        Cards {
            fresh: SignedDuration::from_hours(24),
            warn_before: self.warn_days.iter().map(|days| SignedDuration::from_hours(24 * days)).collect(),
            renewals_ahead: self.renewals_ahead,
            try_expired: self.try_expired,
        }
    }

    /// What the book holds of them, and the instant of the watch.
    fn snapshot(&self) -> (Snapshot, Timestamp) {
        let mut book = Book::new("2026-01-31", terms(self.every, ladder(&["1 day"], EndAction::Pause)));
        book.rows.subscription.zone = Zone::parse(self.zone).unwrap();
        for what in &self.story {
            happen(&mut book, what);
        }
        let mut at = book.circumstances.at;
        if let Some(hour) = self.hour {
            let turn = Zone::UTC.at(at).first_of_month().unwrap().start_of_day().unwrap();
            at = turn.timestamp() + SignedDuration::from_hours(hour + 12);
        }
        let mut s = book.snapshot();
        s.customer.read_at = Some(at);
        s.customer.cards.clear();
        for (n, months) in self.months.iter().enumerate() {
            let month = Zone::UTC.at(at).date().first_of_month() + months.months();
            let id = format!("card_test_{}", n + 1);
            s.customer.cards.push(card(&id, (month.month().into(), month.year().into())));
        }
        s.subscription.card = self.own_card.then(|| "card_test_2".parse().unwrap());
        if self.never {
            s.declines.push(CardDecline {
                card: "card_test_1".parse().unwrap(),
                fingerprint: None,
                at,
                amount: "1.00 THB".parse().unwrap(),
                never: true,
            });
        }
        if let Some(reason) = self.flag.filter(|_| s.flags.is_empty()) {
            s.flags.push(Flag {
                customer: s.customer.id.clone(),
                subscription: s.subscription.id.clone(),
                reason,
                since: at,
                until: None,
                detail: "no card".into(),
            });
        }
        (s, at)
    }
}

/// A way to overlook something, from which some customer must suffer.
type Blindness = (&'static str, fn(&mut CustomerGlance));

fn blindnesses() -> [Blindness; 7] {
    [
        ("an open invoice", |c| c.subscriptions.iter_mut().for_each(|s| s.owes = false)),
        ("a flag", |c| c.subscriptions.iter_mut().for_each(|s| s.flagged = false)),
        ("a bank's never", |c| c.never = false),
        ("the default's end", |c| c.default_ends = Expiration::new(12, 2300).ok()),
        ("the payer's end", |c| {
            c.subscriptions.iter_mut().for_each(|s| s.card_ends = Expiration::new(12, 2300).ok());
        }),
        ("who is gone", |c| c.state = CustomerState::Present),
        ("periods that have passed", |c| {
            c.subscriptions.iter_mut().for_each(|s| s.next_index = s.anchor_index);
        }),
    ]
}

/// Whether the whole look of the watch would change, count and tell nothing.
fn is_quiet(s: &Snapshot, wishes: &Cards, at: Timestamp) -> bool {
    let settled = watch::judge(s, wishes, at, false) == News::Settled(Transition::default());
    let paying = ending::paying_card(s, wishes, at);
    let told = paying.as_ref().map(|paying| ending::warn(paying, &[], wishes, at));
    let counted = paying.is_some_and(|paying| paying.misses_renewal);
    let longest = wishes.warn_before.iter().copied().max().unwrap_or_default();
    let default = s.customer.default_card.as_ref().and_then(|id| s.customer.card(id));
    let lasts = default.is_some_and(|card| card.expiration.ends_at() > at + longest);
    settled && !counted && told.is_none_or(|told| told.is_empty()) && lasts
}

#[test]
fn who_is_passed_over_at_a_glance_would_be_passed_over_after_a_closer_look() {
    let (passed, quiet) = (Cell::new(0), Cell::new(0));
    let suffered = blindnesses().map(|_| Cell::new(0));
    let config = Config { cases: 4_000, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&cases(), |case| {
            let (s, at) = case.snapshot();
            if s.subscription.status == SubscriptionStatus::Canceled {
                return Ok(());
            }
            let wishes = case.wishes();
            let glance = CustomerGlance::of(std::slice::from_ref(&s)).unwrap();
            let is_quiet = is_quiet(&s, &wishes, at);
            let glancer = Glancer::new(&wishes, at, at);
            if !glancer.wants_more(&glance) {
                prop_assert!(is_quiet, "{s:#?} at {at}");
                passed.set(passed.get() + 1);
            }
            quiet.set(quiet.get() + u32::from(is_quiet));
            for ((_, blind), suffered) in blindnesses().iter().zip(&suffered) {
                let mut glance = glance.clone();
                blind(&mut glance);
                suffered.set(suffered.get() + u32::from(!is_quiet && !glancer.wants_more(&glance)));
            }
            Ok(())
        })
        .unwrap();
    for ((what, _), suffered) in blindnesses().iter().zip(&suffered) {
        assert!(suffered.get() > 0, "whoever overlooks {what} is not found out");
    }
    // It may be careful, but not so careful that it spares nobody a closer look.
    assert!(passed.get() * 2 > quiet.get(), "{} of {} were passed over", passed.get(), quiet.get());
    assert!(passed.get() > 200, "{} were passed over", passed.get());
}

#[test]
fn each_thing_that_matters_asks_for_a_closer_look() {
    let at: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
    let mut book = Book::monthly("2026-10-31");
    book.rows.customer.read_at = Some(at);
    let whole = CustomerGlance::of(&[book.snapshot()]).unwrap();
    let mut wishes = book.circumstances.cards.clone();
    wishes.warn_before = vec![SignedDuration::from_hours(24 * 45)];
    let wants_more = |work: &dyn Fn(&mut CustomerGlance)| {
        let mut glance = whole.clone();
        work(&mut glance);
        Glancer::new(&wishes, at, at).wants_more(&glance)
    };
    let month = |month| crate::model::Expiration::new(month, 2026).unwrap();
    assert!(!wants_more(&|_| ()));
    assert!(wants_more(&|c| c.state = CustomerState::Gone));
    assert!(wants_more(&|c| c.read_at = Some(at - SignedDuration::from_secs(1))));
    assert!(wants_more(&|c| c.read_at = None));
    assert!(wants_more(&|c| c.default_ends = None));
    assert!(wants_more(&|c| c.default_ends = Some(month(11))));
    assert!(wants_more(&|c| c.never = true));
    assert!(wants_more(&|c| c.more = true));
    assert!(wants_more(&|c| c.subscriptions[0].card_ends = None));
    assert!(wants_more(&|c| c.subscriptions[0].card_ends = Some(month(10))));
    assert!(wants_more(&|c| c.subscriptions[0].owes = true));
    assert!(wants_more(&|c| c.subscriptions[0].flagged = true));
    assert!(wants_more(&|c| c.subscriptions[0].next_index = 12 * 40), "a renewal that the card does not see");
}
