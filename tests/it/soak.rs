//! The soak: the real service against the real sandbox process, for minutes, with random faults, kill -9 every few
//! seconds, people's commands beside it, and time sped up. At the end the faults stop, doubt is settled, and the
//! sandbox's ledger and the book must agree to the satang.
//!
//! Time moves in leaps of hours, twice a second, for every process alike: wall clock, steady clock and the
//! provider's. A machine that slept looks the same. Between two leaps everything runs at its real speed, so that
//! time-outs, the limit between an intent and its sending, and the pace keep their meaning; a leap inside that limit
//! makes a request unsent, as it must. Settling is set to more than one leap, and no fault holds a request as long as
//! the real time between two leaps, so that "absent" stays provable.
//!
//! `DUES_SOAK_SECONDS` says how long (default: a minute), `DUES_SOAK_SEED` repeats a course as far as the machine's
//! timing allows; `tests/soak` sets both.

mod beside;
mod faults;
mod world;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use beside::Beside;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, Unit, Zoned};
use rustix::process::Signal;
use world::World;

use crate::harness::{Book, Chance, Child, Expected, judge, text};

const SECONDS: u64 = 60;
/// Subscriptions of each plan that nobody touches, one for each customer.
const STEADY: [(&str, u32, i64); 3] = [("daily", 60, 3_525), ("weekly", 30, 12_050), ("monthly", 20, 99_000)];
const WEEKLY_AMOUNT: i64 = 12_050;
/// Customers whose subscriptions people change.
const CHANGING: u32 = 10;

/// Between two leaps, in real time: far longer than any fault holds a request.
const BETWEEN_LEAPS: Duration = Duration::from_millis(500);
/// A leap is from one hour to so many; shorter than `[doubt] settle`.
const MOST_LEAP_HOURS: u64 = 4;
/// A service lives from the shortest of these to their sum before it is killed.
const SHORTEST_LIFE_MS: u64 = 100;
const MORE_LIFE_MS: u64 = 3_000;
/// Between two commands, up to so long.
const MOST_BETWEEN_COMMANDS_MS: u64 = 2_500;
/// The course itself looks about so often.
const STEP: Duration = Duration::from_millis(10);
/// After the faults, everything must come to rest within so many leaps.
const MOST_LEAPS_TO_REST: u32 = 120;

#[test]
fn kills_faults_and_leaps_of_time_leave_ledger_and_book_the_same() {
    let seconds = std::env::var("DUES_SOAK_SECONDS").ok().and_then(|text| text.parse().ok());
    let length = Duration::from_secs(seconds.unwrap_or(SECONDS));
    let seed = Chance::seed_from("DUES_SOAK_SEED");
    println!("soak: {} s, DUES_SOAK_SEED={seed}", length.as_secs());
    let mut soak = Soak::begin(seed);
    soak.course(length);
    soak.rest();
    soak.close(seed);
}

struct Soak {
    chance: Chance,
    world: World,
    beside: Beside,
    first_day: Zoned,
    service: Option<Child>,
    kills: u64,
    leaps: u64,
    played: Vec<(String, u64)>,
}

impl Soak {
    fn begin(seed: u64) -> Self {
        let steady: u32 = STEADY.iter().map(|(_, count, _)| count).sum();
        let world = World::new(seed, steady + CHANGING);
        let first_day = world.local_now();
        let mut customers = world.customers();
        let beside = Beside::new(customers.split_off(usize::try_from(steady).expect("small")));
        let mut csv = String::from("id,customer,plan,starts\n");
        let mut customers = customers.into_iter();
        for (plan, count, _) in STEADY {
            for number in 0..count {
                let customer = customers.next().expect("one customer each");
                let _ = writeln!(csv, "{plan}-{number},{customer},{plan},{}", first_day.date());
            }
        }
        world.write("first.csv", &csv);
        world.dues(&["import", "first.csv"]).expect(0);
        world.rules(&faults::rules());
        let chance = Chance::new(seed);
        Self { chance, world, beside, first_day, service: None, kills: 0, leaps: 0, played: Vec::new() }
    }

    /// Leaps, kills and commands, each in its own time.
    fn course(&mut self, length: Duration) {
        let begun = Instant::now();
        let (mut leap_at, mut kill_at, mut command_at) = (BETWEEN_LEAPS, Duration::ZERO, Duration::ZERO);
        while begun.elapsed() < length {
            if begun.elapsed() >= kill_at {
                self.kill();
                self.service = Some(self.world.start(&["daemon"]));
                let life = SHORTEST_LIFE_MS + self.chance.below(MORE_LIFE_MS);
                kill_at = begun.elapsed() + Duration::from_millis(life);
            }
            if begun.elapsed() >= leap_at {
                self.leap();
                leap_at = begun.elapsed() + BETWEEN_LEAPS;
            }
            if begun.elapsed() >= command_at {
                self.beside.act(&self.world, &mut self.chance);
                let pause = self.chance.below(MOST_BETWEEN_COMMANDS_MS);
                command_at = begun.elapsed() + Duration::from_millis(pause);
            }
            std::thread::sleep(STEP);
        }
        self.kill();
    }

    fn kill(&mut self) {
        let Some(mut service) = self.service.take() else { return };
        let by_itself = service.has_ended();
        let ended = service.kill();
        assert!(!by_itself && !ended.stderr.contains("panicked"), "the service ended by itself: {ended:#?}");
        self.kills += 1;
    }

    fn leap(&mut self) {
        self.world.leap(3_600 + self.chance.below((MOST_LEAP_HOURS - 1) * 3_600));
        self.leaps += 1;
    }

    /// The sandbox behaves, the service stays alive, and time goes on until nothing is unfinished; then it stops
    /// calmly, and single runs find nothing more to do.
    fn rest(&mut self) {
        self.played = self.world.behave();
        let service = self.world.start(&["daemon"]);
        for leap in 0.. {
            self.leap();
            std::thread::sleep(BETWEEN_LEAPS);
            let attempts = self.world.dues(&["list", "attempts", "--json"]).expect(0).rows();
            let open: Vec<_> = attempts
                .iter()
                .filter(|row| ["intended", "in_doubt", "pending", "manual"].contains(&text(row, "status")))
                .collect();
            if open.is_empty() && leap > 0 {
                break;
            }
            assert!(leap < MOST_LEAPS_TO_REST, "unfinished after {leap} leaps without faults: {open:#?}");
        }
        self.beside.wait_for_runs();
        service.signal(Signal::TERM);
        service.wait().expect(0);
        self.leap_to_noon();
        for _ in 0..4 {
            self.world.dues(&["run-now", "--json"]).expect(0);
        }
    }

    /// To the middle of a day, so that no period begins while the book is read.
    fn leap_to_noon(&mut self) {
        let now = self.world.local_now();
        let noon =
            now.round(Unit::Day).and_then(|day| day.checked_add(36.hours())).expect("within the calendar");
        let ahead = noon.timestamp().duration_since(now.timestamp()).as_secs();
        self.world.leap(u64::try_from(ahead).expect("noon lies ahead"));
    }

    fn close(self, seed: u64) {
        let (book, ledger, now) = (self.world.book(), self.world.ledger(), self.world.now());
        let mut faults = judge(&ledger, &book, &self.expected());
        faults.extend(self.beside.judge(&book, now, self.first_day.time_zone()));
        faults.extend(sums(&ledger, &book));
        let (played, mut by_status) = (self.told(), BTreeMap::new());
        for row in &book.attempts {
            *by_status.entry(text(row, "status").to_owned()).or_insert(0_u64) += 1;
        }
        let count = |kind: &str| faults.iter().filter(|fault| fault.starts_with(kind)).count();
        println!(
            "soak: {} kills, {} leaps over {} days, {} charges ({} paid), {} twice, {} lost, {} missed\n\
             soak: attempts {by_status:?}\nsoak: commands {}\nsoak: faults {played}",
            self.kills,
            self.leaps,
            self.world.days_leapt(),
            ledger.len(),
            ledger.iter().filter(|entry| entry.status == "successful").count(),
            count("twice"),
            count("lost"),
            count("missed"),
            self.beside.counts(),
        );
        assert!(faults.is_empty(), "DUES_SOAK_SEED={seed}: {} faults\n{}", faults.len(), faults.join("\n"));
        assert!(self.kills > 0 && !ledger.is_empty(), "nothing was shown");
        self.world.close();
    }

    /// What was played on whom, so often.
    fn told(&self) -> String {
        let words: Vec<String> = self.played.iter().map(|(name, count)| format!("{count} {name}")).collect();
        words.join(", ")
    }

    fn expected(&self) -> Expected {
        let mut expected = Expected::default();
        for (plan, count, amount) in STEADY {
            let starts = starts(plan, &self.first_day, self.world.now());
            let starts: Vec<&str> = starts.iter().map(String::as_str).collect();
            for number in 0..count {
                expected = expected.with(&format!("{plan}-{number}"), &starts, amount);
            }
        }
        for id in self.beside.subscriptions() {
            expected.amounts.insert(id.to_owned(), WEEKLY_AMOUNT);
        }
        expected
    }
}

/// The local dates on which periods from `first_day` begin, up to now.
fn starts(plan: &str, first_day: &Zoned, now: Timestamp) -> Vec<String> {
    let zone: &TimeZone = first_day.time_zone();
    let mut starts = Vec::new();
    for n in 0_i64.. {
        let step = match plan {
            "daily" => n.days(),
            "weekly" => n.weeks(),
            _ => n.months(),
        };
        let day = first_day.date().saturating_add(step);
        if day.to_zoned(zone.clone()).expect("a day of this calendar").timestamp() > now {
            return starts;
        }
        starts.push(day.to_string());
    }
    starts
}

/// To the satang: what the ledger took is what the paid invoices cost.
fn sums(ledger: &[dues::sandbox::LedgerEntry], book: &Book) -> Option<String> {
    let taken: i64 =
        ledger.iter().filter(|entry| entry.status == "successful").map(|entry| entry.amount).sum();
    let paid = book.invoices.iter().filter(|row| text(row, "status") == "paid");
    let booked: i64 = paid.filter_map(|row| row["amount"].as_i64()).sum();
    (taken != booked).then(|| format!("lost: the ledger took {taken}, paid invoices sum to {booked}"))
}
