//! Hundreds of SIGKILLs at random moments over a larger book, while one charge in four meets some fault.
//!
//! The seed is printed; `DUES_CRASH_SEED` repeats a course as far as the machine's timing allows.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::json;

use super::{Count, PROVIDER_SECONDS_BETWEEN_RUNS, rest};
use crate::harness::{Chance, Expected, PLANS, Scene, Setting};

const SUBSCRIPTIONS: u32 = 200;
const KILLS_WANTED: u64 = 250;
/// Kills before time moves on and new periods are due.
const KILLS_A_MONTH: u64 = 60;
/// From before the first read to the midst of the charges.
const LONGEST_LIFE_MS: u64 = 160;
/// So slow is the bank, so that a month's charges outlive many a process.
const BANK: &str = "delay_before:40";
/// Provider time is moved between runs, but never so far that the clocks seem to disagree.
const MOST_PROVIDER_SECONDS: u32 = 240;

/// Instants of runs, a month apart, with the periods of a subscription from 5 September that are due by then.
const MONTHS: &[&str] = &[
    "2030-09-05T12:00:00+07:00",
    "2030-10-05T12:00:00+07:00",
    "2030-11-05T12:00:00+07:00",
    "2030-12-05T12:00:00+07:00",
    "2031-01-05T12:00:00+07:00",
    "2031-02-05T12:00:00+07:00",
];
const STARTS: &[&str] = &["2030-09-05", "2030-10-05", "2030-11-05", "2030-12-05", "2031-01-05", "2031-02-05"];

/// Faults of charges, each in so many of a thousand.
const FAULTS: &[(&str, u32)] = &[
    ("close_after", 40),
    ("close_before", 30),
    ("reset_after", 20),
    ("status_after:500", 30),
    ("status_before:503", 30),
    ("page_after:502", 15),
    ("too_many:0", 15),
    ("decline:insufficient_fund", 30),
    ("wrong:amount", 10),
    ("truncate", 15),
    ("in_flight:50", 10),
    ("status_before:400", 4),
];

#[test]
fn at_random_moments() {
    let seed = Chance::seed_from("DUES_CRASH_SEED");
    println!("crash proof at random moments: DUES_CRASH_SEED={seed}");
    let mut chance = Chance::new(seed);
    let (scene, expected) = big_book();
    let mut count = Count::default();
    let mut provider_seconds = 0;
    for at in MONTHS {
        let month_begins = count.kills;
        while count.kills < month_begins + KILLS_A_MONTH {
            let life = Duration::from_millis(1 + chance.below(LONGEST_LIFE_MS));
            let ended = scene.start(&["run-now", "--json", "--at", at], &[]).kill_after(life);
            if ended.killed() {
                count.kills += 1;
            } else {
                assert!(matches!(ended.code(), 0 | 3), "DUES_CRASH_SEED={seed}: {ended:#?}");
                if ended.json()["attempts"].as_object().is_some_and(|sent| sent.values().all(|n| *n == 0)) {
                    break;
                }
            }
            // Seldom, so that doubt is found in every state: fresh, once scanned, settled.
            if chance.below(4) == 0 && provider_seconds < MOST_PROVIDER_SECONDS / 2 {
                scene.provider_time_passes(2);
                provider_seconds += 2;
            }
        }
    }
    scene.behave();
    assert!(provider_seconds + 6 * PROVIDER_SECONDS_BETWEEN_RUNS < 300, "the clocks would disagree");
    let last = MONTHS[MONTHS.len() - 1];
    let case = format!("random kills, DUES_CRASH_SEED={seed}");
    match rest(&scene, last) {
        Ok(()) => count.judged(&case, &scene, &expected),
        Err(story) => count.faults.push(format!("{case}: {story}")),
    }
    assert!(count.kills >= KILLS_WANTED, "only {} kills: runs ended too soon", count.kills);
    count.close("at random moments");
}

fn big_book() -> (Scene, Expected) {
    let toml: &'static str = Box::leak(
        format!("{PLANS}\n[catch_up]\nhold_after = 24\n[brakes]\ndecline_share = 1.0\n").into_boxed_str(),
    );
    let scene = Scene::new(Setting {
        customers: SUBSCRIPTIONS,
        in_flight: 4,
        timeout: "2s",
        toml,
        ..Setting::default()
    });
    let mut csv = String::from("id,customer,plan,starts\n");
    let mut expected = Expected::default();
    for (number, customer) in scene.customers().iter().enumerate() {
        let id = format!("sub-{number}");
        let _ = writeln!(csv, "{id},{customer},monthly,2030-09-05");
        expected = expected.with(&id, STARTS, 99_000);
    }
    scene.import(&csv);
    scene.charges_meet(BANK, None, None);
    for (faults, share) in FAULTS {
        let rule = json!({"path": "/charges", "method": "POST", "per_mille": share, "faults": faults});
        scene.ask("POST", "/__sandbox/faults", "", &rule);
    }
    (scene, expected)
}
