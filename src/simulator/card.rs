//! One customer's card with its hidden state: what a try at some instant comes to, and when the customer answers.
//!
//! Promises: what happens to a balance or an issuer does not depend on how often it is asked, but for a block, which
//! lifts less and less readily; all chance is drawn from the seed. Must never know the policy, or the book.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::chance::{Chance, Draw, WHOLE};
use super::payday::Payday;
use super::scenario::{Class, FIRST_TRIES_DECLINED, Scenario};
use crate::model::Zone;
use crate::sandbox::Ruling;

/// A day's hazard that a low balance is filled up, and near the payday so many times as likely.
const REFILLS: u64 = 400;
const PAYDAY_TIMES: u64 = 6;
/// A day's hazard that a filled balance is low again.
const DRAINS: u64 = 300;
/// The first retry of a block, and what is left of that for each further one, in percent.
const BLOCK_LIFTS: u64 = 800;
const BLOCK_DECAY_PERCENT: u64 = 85;
/// At another hour of the day than the try before, in percent.
const OTHER_HOUR_PERCENT: u64 = 130;
/// A block never lifts sooner.
const BLOCK_LASTS: SignedDuration = SignedDuration::from_hours(12);
/// An outage outlives an hour in so many of 10,000 cases: three hours in the mean.
const OUTAGE_GOES_ON: u64 = 7_165;
const LONGEST_OUTAGE_HOURS: i64 = 72;
/// Each midnight lifts a limit in so many cases.
const LIMIT_LIFTS: u64 = 5_000;
/// Issuers that take a reissued card under its old number, a day after the first refusal.
const UPDATED: u64 = 4_700;
const UPDATE_TAKES: SignedDuration = SignedDuration::from_hours(24);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// Longer than this nobody waits for a balance.
const MOST_DAYS: i64 = 400;

/// What went wrong, and since when.
#[derive(Clone, Copy, Debug)]
struct Trouble {
    class: Class,
    since: Timestamp,
    last_try: Timestamp,
    /// Retries so far.
    retries: u64,
}

/// A card.
#[derive(Clone, Debug)]
pub struct Card {
    whose: usize,
    zone: Zone,
    payday: Payday,
    /// Tries while nothing was wrong.
    asked: u64,
    /// Troubles so far, the present one included.
    troubles: u64,
    trouble: Option<Trouble>,
}

impl Card {
    /// A good card of that customer.
    pub fn new(chance: Chance, whose: usize, zone: Zone) -> Self {
        let payday = Payday::of(chance.number(Draw::Payday, whose, 0));
        Self { whose, zone, payday, asked: 0, troubles: 0, trouble: None }
    }

    /// A try at that instant.
    pub fn try_at(&mut self, chance: Chance, scenario: Scenario, now: Timestamp) -> Ruling {
        let Some(trouble) = self.trouble else {
            self.asked += 1;
            if !chance.happens(Draw::FirstTry, self.whose, self.asked, FIRST_TRIES_DECLINED) {
                return Ruling::Pays;
            }
            self.troubles += 1;
            let class = scenario.class(chance, self.whose, self.troubles);
            self.trouble = Some(Trouble { class, since: now, last_try: now, retries: 0 });
            return class.ruling(chance, self.whose, self.troubles << 16);
        };
        let trouble = Trouble { retries: trouble.retries + 1, ..trouble };
        if self.is_over(chance, &trouble, now) {
            self.trouble = None;
            return Ruling::Pays;
        }
        self.trouble = Some(Trouble { last_try: now, ..trouble });
        trouble.class.ruling(chance, self.whose, (self.troubles << 16) + trouble.retries)
    }

    /// The number of the trouble it is in; `None`: it is in none.
    pub fn in_trouble(&self) -> Option<u64> {
        self.trouble.map(|_| self.troubles)
    }

    /// The customer entered another card.
    pub fn renew(&mut self) {
        self.trouble = None;
    }

    /// When the customer, asked by mail from now on, enters another card; `None`: never.
    pub fn answers_at(&self, chance: Chance) -> Option<Timestamp> {
        let trouble = self.trouble?;
        let turn = |mail: usize| (self.troubles << 8) + mail as u64;
        let (mail, (day, _)) = trouble
            .class
            .answers()
            .iter()
            .enumerate()
            .find(|(mail, (_, hazard))| chance.happens(Draw::Answer, self.whose, turn(*mail), *hazard))?;
        let hours = 1 + chance.number(Draw::Hour, self.whose, turn(mail)) % 20;
        let wait = DAY.saturating_mul(i32::try_from(*day).ok()?);
        trouble.since.checked_add(wait + HOUR.saturating_mul(i32::try_from(hours).ok()?)).ok()
    }

    fn is_over(&self, chance: Chance, trouble: &Trouble, now: Timestamp) -> bool {
        let passed = now.duration_since(trouble.since);
        match trouble.class {
            Class::Funds => self.has_funds(chance, trouble.since, now),
            Class::Block => self.block_lifts(chance, trouble, now),
            Class::Outage => passed >= self.outage(chance),
            Class::Limit => self.limit_lifts(chance, trouble.since, now),
            Class::Reissued => {
                passed >= UPDATE_TAKES && chance.happens(Draw::Updater, self.whose, self.troubles, UPDATED)
            }
            Class::Gone | Class::Never | Class::Customer => false,
        }
    }

    /// Follows the balance day by day since it was found low.
    fn has_funds(&self, chance: Chance, since: Timestamp, now: Timestamp) -> bool {
        let (mut day, today) = (self.zone.date(since), self.zone.date(now));
        let mut full = false;
        for _ in 0..MOST_DAYS {
            if day >= today {
                break;
            }
            day = day.tomorrow().unwrap_or(today);
            let hazard = match (full, self.payday.is_near(day)) {
                (true, _) => DRAINS,
                (false, true) => REFILLS * PAYDAY_TIMES,
                (false, false) => REFILLS,
            };
            full ^= chance.happens(Draw::Balance, self.whose, number_of(day), hazard);
        }
        full
    }

    fn block_lifts(&self, chance: Chance, trouble: &Trouble, now: Timestamp) -> bool {
        if now.duration_since(trouble.last_try) < BLOCK_LASTS {
            return false;
        }
        let decays = trouble.retries.saturating_sub(1).min(40);
        let mut share = (0..decays).fold(BLOCK_LIFTS, |share, _| share * BLOCK_DECAY_PERCENT / 100);
        let hour = |at: Timestamp| self.zone.at(at).hour();
        if hour(now) != hour(trouble.last_try) {
            share = share * OTHER_HOUR_PERCENT / 100;
        }
        let which = (self.troubles << 16) + trouble.retries;
        chance.happens(Draw::Block, self.whose, which, share.min(WHOLE))
    }

    fn outage(&self, chance: Chance) -> SignedDuration {
        let goes_on = |hour: &i64| {
            chance.happens(
                Draw::Outage,
                self.whose,
                (self.troubles << 16) + hour.unsigned_abs(),
                OUTAGE_GOES_ON,
            )
        };
        let hours = (0..LONGEST_OUTAGE_HOURS).take_while(goes_on).count();
        HOUR.saturating_mul(i32::try_from(hours).unwrap_or(i32::MAX))
    }

    fn limit_lifts(&self, chance: Chance, since: Timestamp, now: Timestamp) -> bool {
        let (mut day, today) = (self.zone.date(since), self.zone.date(now));
        for _ in 0..MOST_DAYS {
            if day >= today {
                return false;
            }
            day = day.tomorrow().unwrap_or(today);
            if day.day() == 1 || chance.happens(Draw::Midnight, self.whose, number_of(day), LIMIT_LIFTS) {
                return true;
            }
        }
        true
    }
}

/// Days as numbers that differ.
fn number_of(day: Date) -> u64 {
    u64::from(day.year().unsigned_abs()) * 1_000 + u64::from(day.day_of_year().unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANCE: Chance = Chance(11);

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn in_trouble(whose: usize, class: Class) -> Card {
        let since = at("2026-01-05T03:00:00Z");
        let trouble = Some(Trouble { class, since, last_try: since, retries: 0 });
        Card { troubles: 1, trouble, ..Card::new(CHANCE, whose, "Asia/Bangkok".parse().unwrap()) }
    }

    /// Of a thousand cards in that trouble, those that pay at their first retry then.
    fn paying(class: Class, now: &str) -> usize {
        (0..1_000)
            .filter(|whose| in_trouble(*whose, class).try_at(CHANCE, Scenario::A, at(now)) == Ruling::Pays)
            .count()
    }

    #[test]
    fn first_tries_fail_as_often_as_stated() {
        let zone: Zone = "Asia/Bangkok".parse().unwrap();
        let declined = (0..10_000)
            .filter(|whose| {
                let mut card = Card::new(CHANCE, *whose, zone.clone());
                card.try_at(CHANCE, Scenario::A, at("2026-01-05T03:00:00Z")) != Ruling::Pays
            })
            .count();
        assert!((900..1_100).contains(&declined), "{declined}");
    }

    #[test]
    fn each_trouble_ends_as_its_class_does() {
        let (soon, next_day, later) =
            ("2026-01-05T09:00:00Z", "2026-01-06T03:00:00Z", "2026-01-28T03:00:00Z");
        assert!((780..=950).contains(&paying(Class::Outage, soon)), "{}", paying(Class::Outage, soon));
        assert!(paying(Class::Funds, next_day) < 120 && paying(Class::Funds, later) > 400);
        assert_eq!(paying(Class::Limit, soon), 0);
        assert!((420..580).contains(&paying(Class::Limit, next_day)));
        assert!((40..130).contains(&paying(Class::Block, next_day)));
        assert!((400..540).contains(&paying(Class::Reissued, later)));
        for class in [Class::Gone, Class::Never, Class::Customer] {
            assert_eq!(paying(class, later), 0, "{class:?}");
        }
    }

    #[test]
    fn who_stopped_a_payment_never_answers_and_others_do() {
        let answers =
            |class| (0..1_000).filter(|whose| in_trouble(*whose, class).answers_at(CHANCE).is_some()).count();
        assert_eq!(answers(Class::Never), 0);
        assert!((230..330).contains(&answers(Class::Gone)), "{}", answers(Class::Gone));
        assert!((320..430).contains(&answers(Class::Customer)), "{}", answers(Class::Customer));
    }
}
