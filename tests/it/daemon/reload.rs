//! A config that is read again is granted whole, or refused with its place and without a trace in the book.

use std::time::{Duration, Instant};

use dues::store::Store as _;
use dues::store::sqlite::{OpenOptions, SqliteStore};
use rusqlite::{Connection, OpenFlags};
use rustix::process::Signal;
use serde_json::json;

use super::process::{Supervisor, scene, signal, start};
use super::webhooks::{OLD, requests, until};
use super::windows::with_windows;
use crate::harness::{Child, Scene, Setting};

const PLAN: &str = "\n[plans.tiny]\nprice = \"30.00 THB\"\nevery = \"month\"\ndunning = \"standard\"\n";

/// What the service answers to the config as it is now.
fn reloads(child: &Child, supervisor: &mut Supervisor) -> String {
    signal(child, Signal::HUP);
    supervisor.waits_for("RELOADING=1");
    supervisor.waits_for("READY=1")
}

/// The book's zone, and how many plans it has.
fn in_book(scene: &Scene) -> (String, i64) {
    let book = Connection::open_with_flags(scene.path("dues.db"), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let facts = "SELECT zone, (SELECT count(*) FROM plans) FROM book";
    book.query_row(facts, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
}

fn config(scene: &Scene) -> String {
    std::fs::read_to_string(scene.path("dues.toml")).unwrap()
}

/// Where that text stands in the config, as mistakes name it: line and column.
fn place(scene: &Scene, text: &str) -> String {
    let config = config(scene);
    let (line, found) = config.lines().enumerate().find(|(_, line)| line.contains(text)).unwrap();
    format!("dues.toml:{}:{}", line + 1, found.find(text).unwrap() + 1)
}

#[test]
fn a_refused_config_leaves_no_trace_in_the_book() {
    let scene = scene();
    scene.write_secret("webhook.secret", &format!("{OLD}\n"));
    let (child, mut supervisor, _) = with_windows(&scene, "webhook_secret_file = \"webhook.secret\"");
    let before = in_book(&scene);
    let good = config(&scene);
    let new = good.replace("Asia/Bangkok", "Asia/Tokyo") + PLAN;
    scene.write("dues.toml", &new);
    scene.write_secret("webhook.secret", "no base64 at all\n");
    let answer = reloads(&child, &mut supervisor);
    let place = format!("({})", place(&scene, "\"webhook.secret\""));
    assert!(answer.contains("new config refused") && answer.contains(&place), "{place}: {answer}");
    assert_eq!(in_book(&scene), before);
    // The same config with a secret that is one is granted whole.
    scene.write_secret("webhook.secret", &format!("{OLD}\n"));
    let answer = reloads(&child, &mut supervisor);
    assert!(!answer.contains("refused"), "{answer}");
    assert_eq!(in_book(&scene), ("Asia/Tokyo".to_owned(), before.1 + 1));
    signal(&child, Signal::TERM);
    child.wait().expect(0);
}

#[test]
fn what_needs_a_restart_is_refused_at_its_place() {
    let scene = scene();
    let (child, mut supervisor, addr) = with_windows(&scene, "due_limit = \"2h\"");
    let good = config(&scene);
    for (old, new, key) in [
        ("\"2h\"", "\"3h\"", "web.due_limit"),
        (addr.as_str(), "127.0.0.1:1", "web.listen"),
        ("\"dues.db\"", "\"other.db\"", "store.path"),
    ] {
        scene.write("dues.toml", &good.replace(old, new));
        let answer = reloads(&child, &mut supervisor);
        let place = place(&scene, &format!("\"{}\"", new.trim_matches('"')));
        let named = answer.contains(&format!("{key}: found another value"));
        assert!(named && answer.contains(&format!("({place})")), "{place}: {answer}");
    }
    scene.write("dues.toml", &format!("{good}\n[sandbox]\ncustomers = 3\n"));
    let answer = reloads(&child, &mut supervisor);
    let line = config(&scene).lines().count();
    let place = format!("(dues.toml:{line}:13)");
    let named = answer.contains("sandbox.customers: found another value");
    assert!(named && answer.contains(&place), "{place}: {answer}");
    signal(&child, Signal::TERM);
    let ended = child.wait().expect(0);
    assert!(ended.stderr.contains("--> dues.toml:"), "{}", ended.stderr);
}

#[test]
fn a_new_key_is_taken_if_it_is_of_the_same_kind_and_the_provider_takes_it() {
    let scene = scene();
    // Doubt that settles sooner is refused beside a live key, whatever the book is.
    scene.write("dues.toml", &config(&scene).replace("settle = \"1s\"", "settle = \"10m\""));
    let (child, mut supervisor) = start(&scene);
    supervisor.waits_for("last run");
    let key = scene.sandbox().secret_key().to_owned();
    let place = format!("({})", place(&scene, "\"omise.key\""));
    scene.write_secret("omise.key", "skey_5hzn0s8b1m3wz7q2d4x");
    let answer = reloads(&child, &mut supervisor);
    assert!(answer.contains("found live keys, wanted test keys"), "{answer}");
    assert!(answer.contains(&place), "{place}: {answer}");
    scene.write_secret("omise.key", "skey_test_5hzn0s8b1m3wz7q2d4x");
    let answer = reloads(&child, &mut supervisor);
    assert!(answer.contains("new config refused") && answer.contains(&place), "{place}: {answer}");
    scene.write_secret("omise.key", &key);
    let answer = reloads(&child, &mut supervisor);
    assert!(!answer.contains("refused"), "{answer}");
    signal(&child, Signal::TERM);
    child.wait().expect(0);
}

#[test]
fn a_price_that_the_book_has_already_is_held_against_the_account_too() {
    let scene = scene();
    let (child, mut supervisor) = start(&scene);
    supervisor.waits_for("last run");
    scene.write("dues.toml", &(config(&scene) + &PLAN.replace("30.00", "1.00")));
    let wished = dues::config::load(&scene.path("dues.toml")).unwrap().plans;
    let mut book = SqliteStore::open(&scene.path("dues.db"), OpenOptions::default()).unwrap();
    book.apply_plans(&wished, jiff::Timestamp::from_second(1_700_000_000).unwrap()).unwrap();
    drop(book);
    let answer = reloads(&child, &mut supervisor);
    let place = format!("({})", place(&scene, "\"1.00 THB\""));
    assert!(
        answer.contains("found 1.00 THB, wanted at least 20.00 THB") && answer.contains(&place),
        "{answer}"
    );
    assert!(answer.contains("the book has it already"), "{answer}");
    signal(&child, Signal::TERM);
    child.wait().expect(0);
}

#[test]
fn a_stop_does_not_wait_for_a_config_that_waits_for_the_provider() {
    let scene = Scene::new(Setting { timeout: "60s", ..Setting::default() });
    let (child, mut supervisor) = start(&scene);
    supervisor.waits_for("0 considered, 0 succeeded");
    let before = in_book(&scene);
    // Whoever asks what the account can charge hears nothing for long.
    let silent = json!({"path": "/capability", "method": "GET", "faults": "delay_before:60000"});
    scene.ask("POST", "/__sandbox/faults", "", &silent);
    scene.write("dues.toml", &(config(&scene) + PLAN));
    let begun = requests(&scene);
    signal(&child, Signal::HUP);
    supervisor.waits_for("RELOADING=1");
    until(&scene, "the account is asked", || requests(&scene) >= begun + 2);
    let told = Instant::now();
    signal(&child, Signal::TERM);
    supervisor.waits_for("STOPPING=1");
    child.wait().expect(0);
    assert!(told.elapsed() < Duration::from_secs(20), "it waited for {:?}", told.elapsed());
    assert_eq!(in_book(&scene), before, "half a config was taken");
}
