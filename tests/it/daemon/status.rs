//! The status line: what is due, why nothing is charged, what the last run truly came to, and what a start waits for.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use dues::store::ChargingLock;

use super::process::{Supervisor, scene, signal, start};
use super::windows::{looks_in, with_windows};

#[test]
fn a_pause_is_named_with_what_is_due_under_it() {
    let scene = scene();
    let config = std::fs::read_to_string(scene.path("dues.toml")).unwrap();
    scene.write("dues.toml", &format!("{config}\n[brakes]\npause_file = \"PAUSED\"\n"));
    scene.write("PAUSED", "");
    let (child, mut supervisor) = start(&scene);
    let status = supervisor.waits_for("stopped: pause file");
    assert!(status.contains("paused: nothing is charged while "), "{status}");
    assert!(status.contains("PAUSED exists; 6 due now"), "{status}");
    signal(&child, Signal::TERM);
    child.wait().expect(0);
    assert!(scene.ledger().is_empty());
}

#[test]
fn a_run_that_reached_nobody_is_told_as_one_that_failed() {
    let scene = scene();
    // Nobody listens there.
    scene.write_config("dues.toml", "127.0.0.1:1".parse().unwrap());
    let (child, mut supervisor) = start(&scene);
    let status = supervisor.waits_for("last run failed: the provider cannot be reached");
    assert!(status.contains("6 due now") && !status.contains("considered"), "{status}");
    signal(&child, Signal::TERM);
    child.wait().expect(0);
}

#[test]
fn declines_are_not_counted_as_charges() {
    let scene = scene();
    let customers = scene.customers();
    for customer in &customers[..2] {
        scene.charges_meet("decline:insufficient_fund", Some(customer), None);
    }
    let (child, mut supervisor) = start(&scene);
    let status = supervisor.waits_for("6 considered, 4 succeeded, 2 declined");
    assert!(status.contains("next due") && !status.contains("due now"), "{status}");
    signal(&child, Signal::TERM);
    child.wait().expect(0);
}

#[test]
fn a_start_behind_a_run_says_so_asks_for_time_and_can_be_stopped() {
    let scene = scene();
    let lock = ChargingLock::take(&scene.path("dues.db")).unwrap();
    let mut supervisor = Supervisor::new(&scene);
    let socket = scene.path("notify").display().to_string();
    let child = scene.start(&["daemon"], &[("NOTIFY_SOCKET", socket.as_str())]);
    let holder = format!("STATUS=waiting for the run of process {} to end", std::process::id());
    // Again and again, since a run may take an hour.
    for _ in 0..2 {
        supervisor.waits_for(&holder);
        supervisor.waits_for("EXTEND_TIMEOUT_USEC=");
    }
    signal(&child, Signal::TERM);
    child.wait().expect(0);
    drop(lock);
    assert!(scene.ledger().is_empty());
}

#[test]
fn a_start_beside_a_program_that_locks_the_book_waits_for_it() {
    let scene = scene();
    let config = std::fs::read_to_string(scene.path("dues.toml")).unwrap();
    // What a start has to write.
    scene.write("dues.toml", &config.replace("Asia/Bangkok", "Asia/Tokyo"));
    let other = rusqlite::Connection::open(scene.path("dues.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut supervisor = Supervisor::new(&scene);
    let socket = scene.path("notify").display().to_string();
    let child = scene.start(&["daemon"], &[("NOTIFY_SOCKET", socket.as_str())]);
    supervisor.waits_for("STATUS=waiting for another program that keeps ");
    other.execute_batch("ROLLBACK").unwrap();
    supervisor.waits_for("6 considered, 6 succeeded");
    signal(&child, Signal::TERM);
    child.wait().expect(0);
}

#[test]
fn a_start_behind_a_locked_book_hears_a_signal_while_it_waits() {
    let scene = scene();
    let config = std::fs::read_to_string(scene.path("dues.toml")).unwrap();
    scene.write("dues.toml", &config.replace("Asia/Bangkok", "Asia/Tokyo"));
    let other = rusqlite::Connection::open(scene.path("dues.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut supervisor = Supervisor::new(&scene);
    let socket = scene.path("notify").display().to_string();
    let child = scene.start(&["daemon"], &[("NOTIFY_SOCKET", socket.as_str())]);
    supervisor.waits_for("STATUS=waiting for another program that keeps ");
    // By now it waits for SQLite again.
    std::thread::sleep(Duration::from_millis(1_300));
    let told = Instant::now();
    signal(&child, Signal::TERM);
    child.wait().expect(0);
    let took = told.elapsed();
    assert!(took < Duration::from_secs(4), "it left only after {took:?}");
    other.execute_batch("ROLLBACK").unwrap();
}

#[test]
fn a_start_with_new_plans_waits_for_a_provider_that_does_not_answer() {
    let scene = scene();
    let config = std::fs::read_to_string(scene.path("dues.toml")).unwrap();
    let address = scene.sandbox().addr().to_string();
    scene.write("dues.toml", &config.replace("990.00 THB", "991.00 THB").replace(&address, "127.0.0.1:1"));
    let mut supervisor = Supervisor::new(&scene);
    let socket = scene.path("notify").display().to_string();
    let mut child = scene.start(&["daemon"], &[("NOTIFY_SOCKET", socket.as_str())]);
    for _ in 0..2 {
        supervisor.waits_for("STATUS=waiting for the provider, which is to judge new plans: ");
        supervisor.waits_for("EXTEND_TIMEOUT_USEC=");
    }
    assert!(!child.has_ended());
    signal(&child, Signal::TERM);
    child.wait().expect(0);
    // Keys that it refuses are another matter.
    scene.write("dues.toml", &config.replace("990.00 THB", "991.00 THB"));
    scene.write_secret("omise.key", "skey_test_nobodyknowsthis");
    scene.dues(&["daemon"]).expect(5);
}

#[test]
fn a_book_that_stays_locked_is_told_of_and_the_watchdog_is_fed() {
    let scene = scene();
    let (child, mut supervisor, addr) = with_windows(&scene, "");
    let other = rusqlite::Connection::open(scene.path("dues.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let locked = Instant::now();
    // Longer than the watchdog's limit of four seconds, and than a wait for the lock; watched every half a second.
    let (mut fed, mut longest, mut told) = (Instant::now(), Duration::ZERO, None);
    let mut watchers = Vec::new();
    while locked.elapsed() < Duration::from_secs(14) {
        let addr = addr.clone();
        watchers.push(std::thread::spawn(move || looks_in(&addr, "/readyz", &addr)));
        let until = Instant::now() + Duration::from_millis(500);
        while Instant::now() < until {
            let Some(message) = supervisor.hears() else { continue };
            if message.contains("WATCHDOG=1") {
                longest = longest.max(fed.elapsed());
                fed = Instant::now();
            }
            if message.contains("trouble with the book") {
                told.get_or_insert(locked.elapsed());
            }
        }
    }
    // Nobody reads any more: a full queue would hold the service up.
    drop(supervisor);
    longest = longest.max(fed.elapsed());
    assert!(longest < Duration::from_secs(4), "not fed for {longest:?}");
    assert!(told.is_some_and(|told| told < Duration::from_secs(10)), "told after {told:?}");
    for watcher in watchers {
        let (status, text) = watcher.join().unwrap();
        assert!(status == 503 && text.contains("store: "), "{status}: {text}");
    }
    other.execute_batch("ROLLBACK").unwrap();
    let released = Instant::now();
    while looks_in(&addr, "/readyz", &addr) != (200, "ready\n".to_owned()) {
        assert!(released.elapsed() < Duration::from_secs(20), "it never was ready again");
        std::thread::sleep(Duration::from_millis(200));
    }
    signal(&child, Signal::TERM);
    let ended = child.wait().expect(0);
    let lines = |what: &str| ended.stderr.lines().filter(|line| line.contains(what)).count();
    assert_eq!(lines("trouble with the book"), 1, "{}", ended.stderr);
    assert_eq!(lines("the book answers again"), 1, "{}", ended.stderr);
}
