//! What the service does once a day beside its work: the card watch and the reconciliation.

use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use rustix::process::Signal;
use serde_json::{Value, json};

use super::process::{in_days, signal, start};
use crate::harness::{Child, PLANS, Scene, Setting};

/// Rests of four seconds a page are within this.
const LONGEST: Duration = Duration::from_mins(1);

/// When a job was begun, as the book has it.
fn began(scene: &Scene, job: &str) -> Option<i64> {
    let book = Connection::open_with_flags(scene.path("dues.db"), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    book.query_row("SELECT began FROM jobs WHERE name = ?1", [job], |row| row.get(0)).ok()
}

#[track_caller]
fn until(scene: &Scene, what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < LONGEST, "{what}:\n{}", scene.story());
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn leaves(scene: &Scene, child: Child) {
    signal(&child, Signal::TERM);
    child.wait().expect(0);
    let _ = std::fs::remove_file(scene.path("notify"));
}

/// A book in which nothing is due, with so many customers who have a card, and one without.
fn not_due(customers: u32, toml: &'static str) -> Scene {
    let scene = Scene::new(Setting { customers, toml, ..Setting::default() });
    let mut ids = scene.customers();
    ids.push(scene.cardless_customer());
    let starts = in_days(20);
    let rows: Vec<String> = ids.iter().map(|id| format!("{id},monthly,{starts}")).collect();
    scene.import(&format!("customer,plan,starts\n{}\n", rows.join("\n")));
    scene
}

#[test]
fn the_day_s_jobs_are_done_beside_the_work_and_once() {
    let scene = not_due(3, PLANS);
    let (child, _supervisor) = start(&scene);
    until(&scene, "watched", || began(&scene, "card_watch").is_some());
    until(&scene, "reconciled", || began(&scene, "reconcile").is_some());
    let flags = scene.list("flags");
    assert_eq!((flags.len(), flags[0]["reason"].as_str()), (1, Some("no_card")), "{}", scene.story());
    for job in ["card_watch", "reconcile"] {
        assert_eq!(began(&scene, job), began(&scene, &format!("{job}.begun")), "{job}, in one go");
    }
    leaves(&scene, child);
    let done = began(&scene, "card_watch");
    let (child, mut supervisor) = start(&scene);
    supervisor.waits_for("0 considered, 0 succeeded");
    assert_eq!(began(&scene, "card_watch"), done, "once a day");
    leaves(&scene, child);
}

#[test]
fn a_watch_that_was_cut_short_is_begun_again_with_the_time_that_is_left() {
    let scene = not_due(150, PLANS);
    let (child, mut supervisor) = start(&scene);
    supervisor.waits_for("beside that: card_watch");
    until(&scene, "begun", || began(&scene, "card_watch.begun").is_some());
    let first = began(&scene, "card_watch.begun");
    let asked = Instant::now();
    leaves(&scene, child);
    assert!(asked.elapsed() < Duration::from_secs(4), "a rest between two pages is not sat out");
    assert_eq!(began(&scene, "card_watch"), None, "it was not done");
    let (child, _supervisor) = start(&scene);
    until(&scene, "done", || began(&scene, "card_watch").is_some());
    assert_eq!(began(&scene, "card_watch.begun"), first, "the time that it is given began then");
    assert!(began(&scene, "card_watch") > first);
    assert_eq!(scene.list("flags").len(), 1, "{}", scene.story());
    leaves(&scene, child);
}

#[test]
fn what_was_read_too_long_ago_by_the_same_watch_is_read_again() {
    // Two pages of the list lie four seconds apart, which is longer than a reading of the first is believed here.
    let scene = not_due(150, format!("[cards]\nfresh = \"1s\"\n{PLANS}").leak());
    let key = scene.sandbox().secret_key().to_owned();
    let path = format!("/customers/{}", scene.customers()[0]);
    let card = scene.ask("GET", &path, &key, &Value::Null)["default_card"].clone();
    scene.ask("DELETE", &format!("{path}/cards/{}", card.as_str().unwrap()), &key, &Value::Null);
    scene.dues(&["cards", "watch"]).expect(0);
    assert_eq!(scene.list("flags").len(), 2, "{}", scene.story());
    let token = scene.new_token("4242424242424242");
    scene.ask("PATCH", &path, &key, &json!({"card": token}));
    let (child, _supervisor) = start(&scene);
    until(&scene, "done", || began(&scene, "card_watch").is_some());
    assert_eq!(scene.list("flags").len(), 1, "{}", scene.story());
    leaves(&scene, child);
}
