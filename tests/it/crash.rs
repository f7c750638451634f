//! Crash proof: the real binary is stopped by SIGKILL at every named point, at moments on the wire, and at random
//! moments, while the provider answers in every way it can; then it is started again until nothing moves any more.
//! The provider's own ledger judges: no invoice charged twice, no result lost, no due period missed, doubt ended.
//!
//! The sandbox ignores idempotency keys, so nothing here rests on them. Ways of answering that only an answer can tell
//! apart are tried at the decisive points alone (`ways.rs`), which keeps the proof within minutes; each name that is
//! printed says how many ways it went through.

mod beside;
mod fates;
mod points;
mod random;
mod refused;
mod ways;
mod wire;

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use crate::harness::{AT, Book, Expected, Scene, Setting, judge};

/// Runs after which everything must have come to rest.
const MOST_RUNS_TO_REST: u32 = 12;
/// Between two runs the provider's clock moves so far: past `[doubt] settle` and every send deadline in the tests.
const PROVIDER_SECONDS_BETWEEN_RUNS: u32 = 15;

/// What one proof counted.
#[derive(Default)]
pub struct Count {
    pub cases: u64,
    pub kills: u64,
    pub charges: u64,
    pub faults: Vec<String>,
}

impl Count {
    /// Judges a scene at rest and counts it in.
    pub fn judged(&mut self, case: &str, scene: &Scene, expected: &Expected) {
        let ledger = scene.ledger();
        let book = Book::of_money(scene);
        let faults = judge(&ledger, &book, expected);
        self.cases += 1;
        self.charges += ledger.len() as u64;
        if !faults.is_empty() {
            self.faults.push(format!("{case}\n  {}\n{}", faults.join("\n  "), scene.story()));
        }
    }

    fn kind(&self, kind: &str) -> usize {
        self.faults
            .iter()
            .flat_map(|fault| fault.lines())
            .filter(|line| line.trim().starts_with(kind))
            .count()
    }

    /// The end of a proof: nobody was killed, nothing proved.
    pub fn close(self, name: &str) {
        assert!(self.kills > 0, "nobody was killed: {name}");
        self.told(name);
    }

    /// The end of a count without kills.
    pub fn close_undisturbed(self, name: &str) {
        assert!(self.kills == 0 && self.cases > 0, "{} cases and {} kills: {name}", self.cases, self.kills);
        self.told(name);
    }

    /// Prints the count, keeps it for the summary of `tests/run`, and fails the test if anything was wrong.
    fn told(self, name: &str) {
        let line = format!(
            "crash proof: {} kills, {} charges, {} twice, {} lost, {} missed ({} cases: {name})",
            self.kills,
            self.charges,
            self.kind("twice:"),
            self.kind("lost:"),
            self.kind("missed:"),
            self.cases
        );
        println!("{line}");
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("crash-proof.txt");
        if let Ok(mut file) = OpenOptions::new().create(true).append(true).open(kept) {
            let _ = writeln!(file, "{line}");
        }
        assert!(self.faults.is_empty(), "{line}\n{}", self.faults.join("\n\n"));
    }
}

/// Five subscriptions with six due periods; one customer owes two, and one has no card.
fn small_book(timeout: &'static str) -> (Scene, Expected) {
    small_book_in(Setting { customers: 4, timeout, in_flight: 2, ..Setting::default() })
}

fn small_book_in(setting: Setting) -> (Scene, Expected) {
    let scene = Scene::new(setting);
    let who = scene.customers();
    scene.import(&format!(
        "id,customer,plan,starts\nmay,{},monthly,2030-11-15\nron,{},monthly,2030-10-10\n\
         sue,{},weekly,2030-11-19\ntom,{},weekly,2030-11-18\nuna,{},weekly,2030-11-18\n",
        who[0],
        who[1],
        who[2],
        who[3],
        scene.cardless_customer()
    ));
    let expected = Expected::default()
        .with("may", &["2030-11-15"], 99_000)
        .with("ron", &["2030-10-10", "2030-11-10"], 99_000)
        .with("sue", &["2030-11-19"], 12_050)
        .with("tom", &["2030-11-18"], 12_050)
        .with("una", &["2030-11-18"], 12_050);
    (scene, expected)
}

/// Runs until a whole run sends, settles and leaves nothing. An error says what never ended.
fn rest(scene: &Scene, at: &str) -> Result<(), String> {
    let mut last = String::new();
    for _ in 0..MOST_RUNS_TO_REST {
        scene.provider_time_passes(PROVIDER_SECONDS_BETWEEN_RUNS);
        let ended = scene.run_at(at);
        last = format!("{ended:#?}");
        // Refused keys end a run without a report; the next one tries again.
        if ended.code() == 5 {
            continue;
        }
        // A book that finds a charge which the provider made of its own accord waits until a person has looked.
        if ended.code() == 4 && provider_doubled(scene) && ended.stderr.contains("dues adopt") {
            let adopted = scene.dues(&["adopt"]);
            if !matches!(adopted.code(), 0 | 3) {
                return Err(format!("it was not adopted: {adopted:#?}"));
            }
            continue;
        }
        if !matches!(ended.code(), 0 | 3) {
            return Err(format!("a run failed: {last}"));
        }
        let report = ended.json();
        let moved = |part: &str| {
            report[part].as_object().into_iter().flatten().any(|(_, count)| count.as_u64().unwrap_or(1) > 0)
        };
        let quiet = !moved("attempts") && !moved("resolved") && report["doubt_left"] == 0;
        if quiet && report["stopped_by"].is_null() {
            return Ok(());
        }
    }
    Err(format!("unfinished: no rest after {MOST_RUNS_TO_REST} runs; the last: {last}"))
}

/// Whether the provider made two charges of one request: under one key, one right after the other.
fn provider_doubled(scene: &Scene) -> bool {
    let ledger = scene.ledger();
    ledger
        .windows(2)
        .any(|pair| pair[0].idempotency_key.is_some() && pair[0].idempotency_key == pair[1].idempotency_key)
}

/// One case: killed as told, then started again until it rests, then judged.
fn killed_in_turn(
    count: &mut Count,
    case: &str,
    faults: &str,
    timeout: &'static str,
    kills: &[String],
) -> u64 {
    let (scene, mut expected) = small_book(timeout);
    expected.doubled_by_provider = ways::doubled(faults);
    if !faults.is_empty() {
        scene.charges_meet(faults, None, Some(ways::MET.into()));
    }
    let mut died = 0;
    for kill in kills {
        let words = ["run-now", "--json", "--at", AT];
        let ended = scene.start(&words, &[("DUES_KILL_AT", kill)]).wait();
        if ended.killed() {
            died += 1;
        } else if !(matches!(ended.code(), 0 | 3 | 5) || ended.code() == 4 && provider_doubled(&scene)) {
            count.faults.push(format!("{case}: a run failed: {ended:#?}"));
        }
        if faults.starts_with("late") {
            std::thread::sleep(Duration::from_millis(60));
        }
        scene.provider_time_passes(PROVIDER_SECONDS_BETWEEN_RUNS);
    }
    count.kills += died;
    match rest(&scene, AT) {
        Ok(()) => count.judged(case, &scene, &expected),
        Err(story) => count.faults.push(format!("{case}: {story}\n{}", scene.story())),
    }
    died
}
