//! All the customers' banks: what the pretend Omise asks for each charge, and a witness of its own for the networks'
//! limits.
//!
//! Promises: every charge is held against the limits by what was truly asked of each card, not by what the book
//! believes. A customer's cards share one state: whichever is charged, the newest decides. Must never know the policy,
//! or the book.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::card::Card;
use super::chance::Chance;
use super::scenario::{Scenario, forbids};
use crate::model::Zone;
use crate::sandbox::{Bank, Question, Ruling};

/// Declines of one card, in a day and in thirty, after which the strictest network charges for another try.
const MOST_A_DAY: usize = 10;
const MOST_A_MONTH: usize = 15;
const DAY: SignedDuration = SignedDuration::from_hours(24);
const MONTH: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What the networks remember of one card.
#[derive(Debug, Default)]
struct Record {
    declines: VecDeque<Timestamp>,
    forbidden: bool,
}

impl Record {
    /// Whether a try now would be one too many.
    fn is_spent(&mut self, now: Timestamp) -> bool {
        while self.declines.front().is_some_and(|at| now.duration_since(*at) >= MONTH) {
            self.declines.pop_front();
        }
        let today = self.declines.iter().filter(|at| now.duration_since(**at) < DAY).count();
        self.forbidden || today >= MOST_A_DAY || self.declines.len() >= MOST_A_MONTH
    }
}

#[derive(Debug)]
struct State {
    cards: Vec<Card>,
    records: HashMap<Box<str>, Record>,
    /// When customers enter another card: the instant, whose, and the trouble that moved them.
    answers: BTreeSet<(Timestamp, usize, u64)>,
    over_budget: u64,
}

/// The banks of all customers.
#[derive(Debug)]
pub struct Issuer {
    chance: Chance,
    scenario: Scenario,
    places: HashMap<Box<str>, usize>,
    names: Vec<String>,
    state: Mutex<State>,
}

impl Issuer {
    /// Good cards for these customers.
    pub fn new(seed: u64, scenario: Scenario, customers: Vec<String>, zone: &Zone) -> Self {
        let chance = Chance(seed);
        let cards = (0..customers.len()).map(|whose| Card::new(chance, whose, zone.clone())).collect();
        let places = customers.iter().enumerate().map(|(place, id)| (id.as_str().into(), place)).collect();
        let state = State { cards, records: HashMap::new(), answers: BTreeSet::new(), over_budget: 0 };
        Self { chance, scenario, places, names: customers, state: Mutex::new(state) }
    }

    /// Customers who enter another card up to that instant: their cards are good from here on.
    pub fn take_answers(&self, now: Timestamp) -> Vec<&str> {
        let mut state = self.state();
        let mut renewed = Vec::new();
        while state.answers.first().is_some_and(|(at, _, _)| *at <= now) {
            let Some((_, whose, trouble)) = state.answers.pop_first() else { break };
            // Whose trouble ended meanwhile has no reason to.
            if state.cards[whose].in_trouble() == Some(trouble) {
                state.cards[whose].renew();
                renewed.push(self.names[whose].as_str());
            }
        }
        renewed
    }

    /// Tries that a network forbids or charges for.
    pub fn over_budget(&self) -> u64 {
        self.state().over_budget
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bank for Issuer {
    fn rule(&self, question: &Question<'_>) -> Ruling {
        let Some(&whose) = self.places.get(question.customer) else { return Ruling::Pays };
        let at_ms = i64::try_from(question.at_ms).unwrap_or(i64::MAX);
        let now = Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::MAX);
        let mut state = self.state();
        let state = &mut *state;
        let record = state.records.entry(question.card.into()).or_default();
        if record.is_spent(now) {
            let (month, forbidden) = (record.declines.len(), record.forbidden);
            tracing::error!(whose, card = question.card, %now, month, forbidden, "a try beyond the networks' limits");
            state.over_budget += 1;
        }
        let card = &mut state.cards[whose];
        let before = card.in_trouble();
        let ruling = card.try_at(self.chance, self.scenario, now);
        if ruling != Ruling::Pays {
            record.declines.push_back(now);
            record.forbidden |= forbids(&ruling);
        }
        if let (None, Some(trouble)) = (before, card.in_trouble())
            && let Some(answer) = card.answers_at(self.chance)
        {
            state.answers.insert((answer, whose, trouble));
        }
        ruling
    }
}
