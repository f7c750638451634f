//! A dry run against the run after it, on the same book, where every card pays: the same decisions, the same brakes, the
//! same exit code, and nothing sent or written before.

use std::fmt::Write as _;

use dues::sandbox::{Fate, Fates};
use serde_json::Value;

use crate::harness::{AT, Chance, PLANS, Scene, Setting};

/// What both must say alike.
const ALIKE: &[&str] = &[
    "at",
    "invoiced",
    "flagged",
    "skipped",
    "held_periods",
    "stopped_by",
    "incidents",
    "doubt_left",
    "due_left",
    "next_due_at",
];

/// A plan for books that were left alone for long.
const DAILY: &str = "\n[plans.daily]\nname = \"Daily\"\nprice = \"50.00 THB\"\nevery = \"day\"\n\
    description = \"{plan}\"\ndunning = \"standard\"\n";

/// Makes a dry run and the run; both reports, which are the same as far as the dry run can know.
#[track_caller]
fn both(scene: &Scene, at: &str, more: &[&str], name: &str) -> (Value, Value) {
    let words = [&["run-now", "--json", "--at", at][..], more].concat();
    let state = || (std::fs::read(scene.path("dues.db")).unwrap(), scene.ledger().len());
    let before = state();
    let dry_ended = scene.dues(&[&words[..], &["--dry-run"]].concat());
    assert!(state() == before, "{name}: a dry run sent or wrote");
    let real_ended = scene.dues(&words);
    let codes = (dry_ended.code(), real_ended.code());
    let (dry, real) = (dry_ended.json(), real_ended.json());
    let told = format!("{name}\ndry {dry:#}\nreal {real:#}");
    assert_eq!(codes.0, codes.1, "{told}");
    for field in ALIKE {
        assert_eq!(dry[field], real[field], "{field}: {told}");
    }
    // Whom a run that is stopped has begun with hangs on how many it serves at once.
    if real["stopped_by"].is_null() {
        assert_eq!(dry["considered"], real["considered"], "{told}");
    }
    assert_eq!(dry["planned"], real["attempts"]["succeeded"], "{told}");
    let sent: u64 = real["attempts"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
    assert_eq!(dry["planned"], sent, "{told}");
    (dry, real)
}

/// A book, and what a run of it must say besides being the same as the dry run.
struct Case {
    name: &'static str,
    /// Sections beside the plans.
    toml: &'static str,
    /// Rows of the import, with `{n}` for a customer.
    rows: &'static [&'static str],
    at: &'static str,
    more: &'static [&'static str],
    code: i32,
    planned: u64,
    /// A field and its value, as JSON.
    told: &'static [(&'static str, &'static str)],
}

const FIVE: &[&str] = &[
    "a,{0},monthly,2030-11-21",
    "b,{1},monthly,2030-11-21",
    "c,{2},monthly,2030-11-21",
    "d,{3},monthly,2030-11-21",
    "e,{4},monthly,2030-11-21",
];
const FOUR_OF_ONE: &[&str] = &[
    "a,{0},monthly,2030-11-21",
    "b,{0},monthly,2030-11-21",
    "c,{0},monthly,2030-11-21",
    "d,{0},monthly,2030-11-21",
];

const CASES: &[Case] = &[
    Case {
        name: "a missed period and the current one",
        toml: "",
        rows: &["a,{0},weekly,2030-11-22"],
        at: "2030-11-30",
        more: &[],
        code: 0,
        planned: 2,
        told: &[("invoiced", "2"), ("next_due_at", "\"2030-12-05T17:00:00Z\"")],
    },
    Case {
        name: "missed periods of one customer take turns",
        toml: "",
        rows: &["a,{0},weekly,2030-11-15", "b,{0},weekly,2030-11-15"],
        at: "2030-11-30",
        more: &[],
        code: 0,
        planned: 3,
        told: &[("invoiced", "6"), ("next_due_at", "\"2030-11-30T17:00:00Z\"")],
    },
    Case {
        name: "more periods than one decision opens",
        toml: "",
        rows: &["a,{0},daily,2029-06-01"],
        at: "2030-11-30",
        more: &[],
        code: 0,
        planned: 1,
        told: &[("invoiced", "548"), ("held_periods", "547")],
    },
    Case {
        name: "more missed periods than are collected without asking",
        toml: "[catch_up]\nhold_after = 1\n",
        rows: &["a,{0},weekly,2030-11-01", "b,{1},weekly,2030-11-21"],
        at: "2030-11-30",
        more: &[],
        code: 0,
        planned: 3,
        told: &[("held_periods", "4")],
    },
    Case {
        name: "a customer's day is used up",
        toml: "[brakes]\namount_per_customer_per_day = { THB = \"2000.00\" }\n",
        rows: FOUR_OF_ONE,
        at: AT,
        more: &[],
        code: 0,
        planned: 2,
        told: &[("skipped", r#"{"customer_day":2}"#), ("next_due_at", "\"2030-11-21T17:00:00Z\"")],
    },
    Case {
        name: "amount_per_run",
        toml: "[brakes]\namount_per_run = { THB = \"1500.00\" }\n",
        rows: &["a,{0},monthly,2030-10-05"],
        at: AT,
        more: &[],
        code: 3,
        planned: 1,
        told: &[
            ("stopped_by", "\"amount_per_run\""),
            ("due_left", "1"),
            ("next_due_at", "\"2030-11-21T02:00:00Z\""),
        ],
    },
    Case {
        name: "charges_per_run",
        toml: "[brakes]\ncharges_per_run = 3\n",
        rows: FIVE,
        at: AT,
        more: &[],
        code: 3,
        planned: 3,
        told: &[("stopped_by", "\"charges_per_run\""), ("due_left", "2")],
    },
    Case {
        name: "--limit",
        toml: "",
        rows: FIVE,
        at: AT,
        more: &["--limit", "2"],
        code: 0,
        planned: 2,
        told: &[("stopped_by", "\"limit\""), ("due_left", "3"), ("next_due_at", "\"2030-11-21T02:00:00Z\"")],
    },
    Case {
        name: "--limit that is enough",
        toml: "",
        rows: FIVE,
        at: AT,
        more: &["--limit", "5"],
        code: 0,
        planned: 5,
        told: &[("stopped_by", "null"), ("due_left", "0"), ("next_due_at", "\"2030-12-20T17:00:00Z\"")],
    },
    Case {
        name: "--only",
        toml: "",
        rows: FIVE,
        at: AT,
        more: &["--only", "c"],
        code: 0,
        planned: 1,
        told: &[("due_left", "4"), ("next_due_at", "\"2030-11-21T02:00:00Z\"")],
    },
];

#[track_caller]
fn laid(toml: &str, rows: &[&str], customers: u32, fates: Fates) -> Scene {
    let toml: &'static str = Box::leak(format!("{PLANS}{DAILY}\n{toml}").into_boxed_str());
    let scene = Scene::new(Setting { customers, fates, toml, ..Setting::default() });
    let mut csv = String::from("id,customer,plan,starts\n");
    for row in rows {
        let _ = writeln!(csv, "{row}");
    }
    for (number, customer) in scene.customers().iter().enumerate() {
        csv = csv.replace(&format!("{{{number}}}"), customer);
    }
    scene.import(&csv);
    scene
}

#[test]
fn a_dry_run_shows_what_the_run_does() {
    for case in CASES {
        let scene = laid(case.toml, case.rows, 5, Fates::Paying);
        let words = [&["run-now", "--at", case.at, "--dry-run"][..], case.more].concat();
        let told = scene.dues(&words).expect(case.code).stdout;
        assert!(told.contains(", if every charge succeeds"), "{}: {told}", case.name);
        let (dry, _) = both(&scene, case.at, case.more, case.name);
        assert_eq!(dry["planned"], case.planned, "{}: {dry:#}", case.name);
        for (field, wanted) in case.told {
            assert_eq!(dry[field], serde_json::from_str::<Value>(wanted).unwrap(), "{}: {field}", case.name);
        }
    }
}

#[test]
fn a_dry_run_flags_whom_the_run_flags() {
    let scene = laid("", &["z,{0},weekly,2031-06-01"], 200, Fates::Mixed);
    let seeded = scene.sandbox().customers();
    let of = |fate: Fate| seeded.iter().filter(move |customer| customer.fate == fate).map(|c| c.id.clone());
    let mut csv = String::from("id,customer,plan,starts\n");
    for (name, fate) in
        [("p", Fate::Paying), ("n", Fate::NoCard), ("x", Fate::ExpiredCard), ("g", Fate::Deleted)]
    {
        for (number, customer) in of(fate).take(2).enumerate() {
            let _ = writeln!(csv, "{name}-{number}-a,{customer},weekly,2030-11-22");
            let _ = writeln!(csv, "{name}-{number}-b,{customer},monthly,2030-11-22");
        }
    }
    scene.import(&csv);
    let (first, _) = both(&scene, "2030-11-30", &[], "flags");
    let wanted = serde_json::json!({"no_card": 4, "expired_card": 4, "customer_gone": 4});
    assert_eq!((&first["planned"], &first["flagged"]), (&6.into(), &wanted), "{first:#}");
    // They are looked at again, and what flags explain is not what is left due.
    let (again, _) = both(&scene, "2030-12-01", &["--limit", "9"], "flags that stand");
    assert_eq!((&again["planned"], &again["flagged"]), (&0.into(), &serde_json::json!({})), "{again:#}");
    let (narrow, _) = both(&scene, "2030-12-06", &["--only", "p-0-a"], "flags beside what is due");
    assert_eq!((&narrow["planned"], &narrow["due_left"]), (&1.into(), &1.into()), "{narrow:#}");
}

#[test]
fn a_run_that_a_pause_file_stops_says_that_something_is_due_now() {
    let scene = laid("[brakes]\npause_file = \"PAUSED\"\n", FIVE, 5, Fates::Paying);
    scene.write("PAUSED", "");
    let (dry, real) = both(&scene, AT, &[], "the pause file");
    for report in [dry, real] {
        assert_eq!(report["stopped_by"], "pause_file");
        assert_eq!(
            (&report["due_left"], &report["next_due_at"]),
            (&5.into(), &"2030-11-21T02:00:00Z".into())
        );
    }
    let told = scene.dues(&["run-now", "--at", AT]).expect(3).stdout;
    assert!(told.contains("next due      now (5 subscriptions still due)"), "{told}");
    std::fs::remove_file(scene.path("PAUSED")).unwrap();
    let (after, _) = both(&scene, AT, &[], "no pause file any more");
    assert_eq!((&after["due_left"], &after["planned"]), (&0.into(), &5.into()));
}

#[test]
fn a_dry_run_shows_what_the_run_does_on_any_book() {
    let seeds = std::env::var("DUES_DRY_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(5);
    for seed in 1..=seeds {
        random_course(seed);
    }
}

/// A book of a few customers with several subscriptions each goes through weeks of declines and people's words; then every
/// card pays, and three times a dry run and the run must agree.
fn random_course(seed: u64) {
    let mut chance = Chance::new(seed);
    let day = [600, 1_200, 5_000][usize::try_from(chance.below(3)).unwrap()];
    let hold = chance.below(5);
    let toml = format!(
        "[brakes]\namount_per_customer_per_day = {{ THB = \"{day}.00\" }}\n[catch_up]\nhold_after = {hold}\n"
    );
    let mut rows = Vec::new();
    for number in 0..14 {
        let plan = ["weekly", "monthly", "daily"][usize::try_from(chance.below(3)).unwrap()];
        let (month, day) = (10 + chance.below(2), 1 + chance.below(20));
        rows.push(format!("s{number},{{{}}},{plan},2030-{month}-{day:02}", chance.below(5)));
    }
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let scene = laid(&toml, &rows, 5, Fates::Paying);
    let customers = scene.customers();
    let mut date: jiff::civil::Date = "2030-11-05".parse().unwrap();
    for step in 0..6 {
        let at = format!("{date}T{:02}:30:00+07:00", chance.below(24));
        let name = format!("seed {seed}, step {step}, at {at}");
        if step < 3 {
            for customer in &customers {
                if chance.below(2) == 0 {
                    scene.charges_meet(
                        "decline:insufficient_fund",
                        Some(customer),
                        Some(1 + chance.below(4)),
                    );
                }
            }
            scene.run_at(&at).expect(0);
            scene.behave();
            let who = format!("s{}", chance.below(14));
            scene.dues(&[
                ["pause", "resume", "retry", "cancel"][usize::try_from(chance.below(4)).unwrap()],
                &who,
            ]);
        } else {
            let (dry, _) = both(&scene, &at, &[], &name);
            println!(
                "{name}: planned {}, skipped {}, held {}",
                dry["planned"], dry["skipped"], dry["held_periods"]
            );
        }
        date = date.checked_add(jiff::Span::new().days(1 + i64::try_from(chance.below(9)).unwrap())).unwrap();
    }
}
