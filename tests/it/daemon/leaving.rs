//! Leaving in the middle of work: calmly on a first signal, at once on a second, and losing nothing either way.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;

use super::process::{Supervisor, scene, signal, start};
use super::webhooks::{requests, until};
use crate::harness::{Child, Scene, Setting};

/// Answers come so late, but within `[omise] timeout`.
const SLOW: Duration = Duration::from_secs(4);

/// A service whose first charges are made at the provider, and whose answers are still on their way.
fn in_flight(scene: &Scene) -> (Child, Supervisor) {
    scene.charges_meet(&format!("delay_after:{}", SLOW.as_millis()), None, None);
    let (child, supervisor) = start(scene);
    let begun = Instant::now();
    while scene.ledger().len() < 4 {
        assert!(begun.elapsed() < Duration::from_mins(1), "nothing was charged");
        std::thread::sleep(Duration::from_millis(20));
    }
    (child, supervisor)
}

/// How often each customer has truly paid.
fn payments(scene: &Scene) -> BTreeMap<String, u32> {
    let mut paid = BTreeMap::new();
    for entry in scene.ledger().into_iter().filter(|entry| entry.status == "successful") {
        *paid.entry(entry.customer.unwrap_or_default()).or_insert(0) += 1;
    }
    paid
}

/// Starts it again where the provider behaves, until nothing is in doubt; then everybody has paid, once.
fn comes_back(scene: &Scene) {
    scene.behave();
    let _ = std::fs::remove_file(scene.path("notify"));
    let (child, mut supervisor) = start(scene);
    supervisor.waits_for("last run");
    signal(&child, Signal::TERM);
    child.wait().expect(0);
    let paid = payments(scene);
    assert!(paid.len() == 6 && paid.values().all(|times| *times == 1), "{paid:?}\n{}", scene.story());
    let open: Vec<_> = scene.list("invoices").into_iter().filter(|row| row["status"] != "paid").collect();
    assert!(open.is_empty(), "{open:?}\n{}", scene.story());
    let attempts = scene.list("attempts");
    let succeeded = attempts.iter().filter(|row| row["status"] == "succeeded").count();
    assert_eq!((attempts.len(), succeeded), (6, 6), "{}", scene.story());
}

#[test]
fn a_first_signal_waits_for_the_answers_and_keeps_them() {
    let scene = scene();
    let (child, mut supervisor) = in_flight(&scene);
    signal(&child, Signal::TERM);
    supervisor.waits_for("STOPPING=1");
    child.wait().expect(0);
    let attempts = scene.list("attempts");
    assert_eq!(attempts.len(), 4, "nothing new is begun: {}", scene.story());
    assert!(attempts.iter().all(|row| row["status"] == "succeeded"), "{}", scene.story());
    comes_back(&scene);
}

#[test]
fn a_second_signal_leaves_at_once_and_the_next_start_finds_everything() {
    for second in [Signal::TERM, Signal::INT] {
        let scene = scene();
        let (child, mut supervisor) = in_flight(&scene);
        signal(&child, Signal::TERM);
        supervisor.waits_for("STOPPING=1");
        let told = Instant::now();
        signal(&child, second);
        child.wait().expect(130);
        let took = told.elapsed();
        assert!(took < SLOW / 2, "it left only after {took:?}");
        let attempts = scene.list("attempts");
        assert!(
            attempts.len() == 4 && attempts.iter().all(|row| row["status"] == "intended"),
            "no answer came, so none is known: {}",
            scene.story()
        );
        assert_eq!(payments(&scene).len(), 4);
        comes_back(&scene);
    }
}

#[test]
fn a_stop_does_not_wait_for_a_provider_that_never_answered() {
    let scene = Scene::new(Setting { customers: 1, timeout: "60s", ..Setting::default() });
    scene.import(&format!("customer,plan\n{},monthly\n", scene.customers()[0]));
    let silent = json!({"path": "/capability", "method": "GET", "faults": "delay_before:60000"});
    scene.ask("POST", "/__sandbox/faults", "", &silent);
    // A service that has not come as far as being ready, and a run.
    for words in [&["daemon"][..], &["run-now", "--json"]] {
        let before = requests(&scene);
        let child = scene.start(words, &[]);
        until(&scene, "the account is asked", || requests(&scene) >= before + 2);
        let told = Instant::now();
        signal(&child, Signal::TERM);
        let ended = child.wait();
        assert!(told.elapsed() < Duration::from_secs(20), "it waited for {:?}: {ended:#?}", told.elapsed());
        if words.len() > 1 {
            assert_eq!(ended.expect(3).json()["stopped_by"], "signal");
        } else {
            ended.expect(0);
        }
    }
    assert!(scene.ledger().is_empty());
    scene.behave();
    assert_eq!(scene.dues(&["run-now", "--json"]).expect(0).json()["attempts"]["succeeded"], 1);
}
