//! However often and however a subscription is declined: never over budget, never after never, never beside an attempt
//! that has not ended, never after a cancel. Each law is proved able to fail by a mistake planted for it, and each
//! failure is shrunk to a story that a person can read.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

use super::book::Book;
use super::kit::{ladder, terms};
use super::laws::check;
use super::properties::{Happens, happen, happens};
use crate::hooks::{Bug, with_planted};
use crate::model::{EndAction, KindPolicy, NewerPeriods, RetryDays, RetrySchedule};

/// A course of declines: what happens, and under which policy and budgets.
#[derive(Clone, Debug)]
struct Course {
    story: Vec<Happens>,
    brand: &'static str,
    visa_30_days: u32,
    waits: Vec<&'static str>,
    days: RetryDays,
    newer: NewerPeriods,
    own_waits: bool,
    then: EndAction,
}

fn courses() -> impl Strategy<Value = Course> {
    let wait = prop::sample::select(vec!["1 hour", "6 hours", "1 day", "2 days", "1 week"]);
    let day = prop::sample::select(vec!["saturday", "sunday", "1", "25", "last day", "last working day"]);
    let days = prop::collection::vec(day, 0..3);
    (
        prop::collection::vec(happens(), 1..60),
        prop::sample::select(vec!["Visa", "MasterCard", "JCB", ""]),
        1_u32..6,
        prop::collection::vec(wait, 0..12),
        (days.clone(), days),
        prop::sample::select(NewerPeriods::ALL.to_vec()),
        any::<bool>(),
        prop::sample::select(EndAction::ALL.to_vec()),
    )
        .prop_map(|(story, brand, visa_30_days, waits, (prefer, avoid), newer, own_waits, then)| {
            let rules = |texts: Vec<&str>| texts.into_iter().map(|text| text.parse().unwrap()).collect();
            let days = RetryDays { prefer: rules(prefer), prefer_within: None, avoid: rules(avoid) };
            Course { story, brand, visa_30_days, waits, days, newer, own_waits, then }
        })
}

/// Plays the course; the laws are held against every charge and after everything that happens.
fn play(course: &Course) {
    let mut policy = ladder(&course.waits, course.then);
    policy.days = course.days.clone();
    policy.newer = course.newer;
    if course.own_waits {
        let own = RetrySchedule::Ladder(vec!["2 hours".parse().unwrap(); 4]);
        let own = KindPolicy { retry: Some(own), ..KindPolicy::default() };
        policy.kinds.insert(crate::model::DeclineKind::Technical, own);
    }
    let mut book = Book::new("2026-01-31", terms("week", policy));
    book.circumstances.budgets.visa_30_days = course.visa_30_days;
    for what in &course.story {
        for card in &mut book.rows.customer.cards {
            course.brand.clone_into(&mut card.brand);
        }
        happen(&mut book, what);
        check(&book);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_declined_the_laws_hold(course in courses()) {
        play(&course);
    }
}

/// The laws hold as the code is; with that mistake in it the property finds a course that breaks this one, and what it
/// shrinks it to is shorter than what it began with.
fn caught(bug: Bug, law: &str) {
    let config =
        Config { cases: 4_000, max_shrink_iters: 400, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let broken = with_planted(bug, || {
        let found = runner.run(&courses(), |course| {
            play(&course);
            Ok(())
        });
        match found {
            Err(TestError::Fail(why, course)) => Some((why, course)),
            _ => None,
        }
    });
    let Some((why, course)) = broken else { panic!("{} went unnoticed", bug.name()) };
    assert!(why.message().contains(law), "wanted {law:?}, found {why} in {course:#?}");
    assert!(course.story.len() < 30, "not shrunk: {course:#?}");
}

#[test]
fn never_over_budget() {
    caught(Bug::OverBudget, "over budget");
}

#[test]
fn never_after_never() {
    caught(Bug::RetriedAfterNever, "must never be tried again");
}

#[test]
fn never_beside_an_unfinished_attempt() {
    caught(Bug::BesideUnfinished, "unfinished");
}

#[test]
fn never_after_a_cancel() {
    caught(Bug::RetriedAfterCancel, "after cancel");
}
