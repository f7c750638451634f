//! The real program, and what it tells a supervisor on a socket of ours.

use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::harness::{Child, Scene, Setting};

const LONGEST: Duration = Duration::from_mins(1);

/// The end of the socket that a supervisor would hold.
pub(super) struct Supervisor {
    socket: UnixDatagram,
    heard: Vec<String>,
}

impl Supervisor {
    pub(super) fn new(scene: &Scene) -> Self {
        let socket = UnixDatagram::bind(scene.path("notify")).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        Self { socket, heard: Vec::new() }
    }

    /// The next message; `None`: none comes for some moments.
    pub(super) fn hears(&mut self) -> Option<String> {
        let mut bytes = [0; 4096];
        let length = self.socket.recv(&mut bytes).ok()?;
        let message = String::from_utf8_lossy(&bytes[..length]).into_owned();
        self.heard.push(message.clone());
        Some(message)
    }

    /// Reads until a message holds that text; returns the message.
    #[track_caller]
    pub(super) fn waits_for(&mut self, text: &str) -> String {
        let begun = Instant::now();
        while begun.elapsed() < LONGEST {
            if let Some(message) = self.hears().filter(|message| message.contains(text)) {
                return message;
            }
        }
        panic!("{text:?} was never said: {:#?}", self.heard);
    }
}

pub(super) fn start(scene: &Scene) -> (Child, Supervisor) {
    let mut supervisor = Supervisor::new(scene);
    let socket = scene.path("notify").display().to_string();
    let child = scene.start(&["daemon"], &[("NOTIFY_SOCKET", socket.as_str()), ("WATCHDOG_USEC", "4000000")]);
    supervisor.waits_for("READY=1");
    (child, supervisor)
}

/// A date so many days from today.
pub(super) fn in_days(days: i64) -> String {
    let then = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * days);
    then.strftime("%Y-%m-%d").to_string()
}

pub(super) fn signal(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

pub(super) fn scene() -> Scene {
    let scene = Scene::new(Setting { timeout: "30s", ..Setting::default() });
    let rows: Vec<String> = scene.customers().iter().map(|id| format!("{id},monthly")).collect();
    scene.import(&format!("customer,plan\n{}\n", rows.join("\n")));
    scene
}

#[test]
fn a_service_charges_what_is_due_and_tells_its_supervisor() {
    let scene = scene();
    let (child, mut supervisor) = start(&scene);
    let status = supervisor.waits_for("6 considered, 6 succeeded");
    assert!(status.contains("next due"), "{status}");
    supervisor.waits_for("WATCHDOG=1");
    signal(&child, Signal::TERM);
    let last = supervisor.waits_for("STOPPING=1");
    assert!(last.contains("STATUS=stopping"), "{last}");
    child.wait().expect(0);
    assert_eq!(scene.ledger().len(), 6);
    // A start after it finds nothing to do.
    let _ = std::fs::remove_file(scene.path("notify"));
    let (child, mut supervisor) = start(&scene);
    supervisor.waits_for("0 considered, 0 succeeded");
    signal(&child, Signal::INT);
    child.wait().expect(0);
    assert_eq!(scene.ledger().len(), 6);
}

#[test]
fn a_second_service_is_refused_with_one_sentence() {
    let scene = scene();
    let (child, _supervisor) = start(&scene);
    let second = scene.dues(&["daemon"]).expect(4);
    assert_eq!(second.stderr.trim().lines().count(), 1, "{second:#?}");
    let sentence = format!("held by process {}", child.id());
    assert!(second.stderr.contains(&sentence), "{second:#?}");
    signal(&child, Signal::TERM);
    child.wait().expect(0);
}

#[test]
fn a_wrong_config_is_refused_with_its_place_and_the_old_one_stays() {
    let scene = scene();
    let (child, mut supervisor) = start(&scene);
    let good = std::fs::read_to_string(scene.path("dues.toml")).unwrap();
    scene.write("dues.toml", &good.replace("every = \"week\"", "every = \"fortnight\""));
    signal(&child, Signal::HUP);
    let reloading = supervisor.waits_for("RELOADING=1");
    assert!(reloading.contains("MONOTONIC_USEC="), "{reloading}");
    let answer = supervisor.waits_for("READY=1");
    assert!(answer.contains("new config refused, the old one stays"), "{answer}");
    let plans = || scene.dues(&["plans", "list", "--json"]);
    scene.write("dues.toml", &good.replace("120.50 THB", "130.50 THB"));
    signal(&child, Signal::HUP);
    supervisor.waits_for("RELOADING=1");
    let answer = supervisor.waits_for("READY=1");
    assert!(!answer.contains("refused"), "{answer}");
    // What no reload can change is refused too.
    scene.write("dues.toml", &good.replace("path = \"dues.db\"", "path = \"other.db\""));
    signal(&child, Signal::HUP);
    supervisor.waits_for("RELOADING=1");
    let answer = supervisor.waits_for("READY=1");
    assert!(answer.contains("store.path: found another value"), "{answer}");
    signal(&child, Signal::TERM);
    let ended = child.wait().expect(0);
    let place = ended.stderr.lines().find(|line| line.contains("dues.toml:")).unwrap_or_default();
    assert!(place.contains("dues.toml:"), "no place of the mistake in {}", ended.stderr);
    scene.write("dues.toml", &good.replace("120.50 THB", "130.50 THB"));
    let plans = plans();
    assert!(plans.stdout.contains("13050") && plans.stdout.contains("\"version\":2"), "{plans:#?}");
}

#[test]
fn a_run_beside_a_service_is_handed_over_and_reported() {
    let scene = scene();
    let (child, mut supervisor) = start(&scene);
    supervisor.waits_for("6 considered, 6 succeeded");
    // Period 0 is paid, period 1 lies ahead.
    let report = scene.run_at(&in_days(38)).expect(0).json();
    assert_eq!(report["attempts"]["succeeded"], 6, "{report:#}");
    assert_eq!(report["collected"]["THB"], 6 * 99_000, "{report:#}");
    let wrong = scene.dues(&["run-now", "--only", "sub_nobody"]).expect(2);
    assert!(wrong.stderr.contains("--only"), "{wrong:#?}");
    supervisor.waits_for("last run failed: --only");
    signal(&child, Signal::TERM);
    child.wait().expect(0);
    assert_eq!(scene.ledger().len(), 12);
}

#[test]
fn a_run_outlives_the_service_it_was_handed_to() {
    let scene = scene();
    let (child, mut supervisor) = start(&scene);
    supervisor.waits_for("6 considered, 6 succeeded");
    // Answers come late, and the service dies among them.
    scene.ask("POST", "/__sandbox/settings", "", &serde_json::json!({"latency_ms": 700}));
    let run = scene.start(&["run-now", "--json", "--at", &in_days(38)], &[]);
    supervisor.waits_for("at work: a run asked for");
    let begun = Instant::now();
    while scene.ledger().len() == 6 {
        assert!(begun.elapsed() < LONGEST, "nothing was charged");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(child.kill().killed());
    scene.ask("POST", "/__sandbox/settings", "", &serde_json::json!({"latency_ms": 0}));
    let run = run.wait().expect(0);
    assert!(run.stderr.contains("taking over"), "{run:#?}");
    // Doubt that the dead service left needs two looks, after the last moment at which it may have been sent; then nobody
    // has paid twice, and nobody not at all.
    for _ in 0..5 {
        scene.provider_time_passes(45);
        scene.run_at(&in_days(38)).expect(0);
    }
    let mut paid = std::collections::BTreeMap::new();
    for entry in scene.ledger() {
        *paid.entry(entry.customer.unwrap_or_default()).or_insert(0) += 1;
    }
    assert!(paid.len() == 6 && paid.values().all(|times| *times == 2), "{paid:?}\n{}", scene.story());
}

/// Requests for runs in the book that are not over.
fn open_requests(scene: &Scene) -> u32 {
    let book = rusqlite::Connection::open(scene.path("dues.db")).unwrap();
    book.query_row("SELECT count(*) FROM run_requests WHERE ended IS NULL", [], |row| row.get(0)).unwrap()
}

/// Stops the service where it holds no lock on the book: who holds one keeps everybody else from writing for as long as it
/// stands still.
fn stops_without_the_lock(scene: &Scene, child: &Child) {
    let book = rusqlite::Connection::open(scene.path("dues.db")).unwrap();
    book.busy_timeout(Duration::from_millis(100)).unwrap();
    let begun = Instant::now();
    loop {
        signal(child, Signal::STOP);
        stands_still(child);
        if book.execute_batch("BEGIN IMMEDIATE; ROLLBACK").is_ok() {
            return;
        }
        signal(child, Signal::CONT);
        assert!(begun.elapsed() < LONGEST, "it always holds the lock");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A signal to stop is sent at once and heeded a little later.
fn stands_still(child: &Child) {
    let begun = Instant::now();
    let is_stopped = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
        stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('T'))
    };
    while !is_stopped() {
        assert!(begun.elapsed() < LONGEST, "it goes on");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_run_that_was_broken_off_before_the_service_took_it_is_not_made() {
    let scene = scene();
    let (child, mut supervisor) = start(&scene);
    supervisor.waits_for("6 considered, 6 succeeded");
    stops_without_the_lock(&scene, &child);
    let run = scene.start(&["run-now", "--at", &in_days(38)], &[]);
    let begun = Instant::now();
    while open_requests(&scene) == 0 {
        assert!(begun.elapsed() < LONGEST, "nothing was asked");
        std::thread::sleep(Duration::from_millis(20));
    }
    signal(&run, Signal::INT);
    let run = run.wait().expect(130);
    assert!(run.stderr.contains("it is not made"), "{run:#?}");
    assert_eq!(open_requests(&scene), 0);
    signal(&child, Signal::CONT);
    std::thread::sleep(Duration::from_millis(2_500));
    assert_eq!(scene.ledger().len(), 6, "{}", scene.story());
    // One that is under way is the service's.
    scene.ask("POST", "/__sandbox/settings", "", &serde_json::json!({"latency_ms": 700}));
    let run = scene.start(&["run-now", "--at", &in_days(38)], &[]);
    supervisor.waits_for("at work: a run asked for");
    signal(&run, Signal::TERM);
    let run = run.wait().expect(130);
    assert!(run.stderr.contains("goes on with this run"), "{run:#?}");
    supervisor.waits_for("STATUS=waiting");
    assert_eq!(scene.ledger().len(), 12);
    signal(&child, Signal::TERM);
    child.wait().expect(0);
}

#[test]
fn a_run_that_could_not_be_taken_over_is_made_by_nobody_later() {
    let scene = scene();
    let (child, mut supervisor) = start(&scene);
    supervisor.waits_for("6 considered, 6 succeeded");
    signal(&child, Signal::STOP);
    let run = scene.start(&["run-now", "--at", &in_days(38)], &[]);
    let begun = Instant::now();
    while open_requests(&scene) == 0 {
        assert!(begun.elapsed() < LONGEST, "nothing was asked");
        std::thread::sleep(Duration::from_millis(20));
    }
    // By the time the service is gone, everybody may read the key.
    scene.set_mode("omise.key", 0o644);
    assert!(child.kill().killed());
    let run = run.wait().expect(2);
    assert!(run.stderr.contains("taking over") && run.stderr.contains("omise.key"), "{run:#?}");
    assert_eq!(open_requests(&scene), 0, "the request stays");
    scene.set_mode("omise.key", 0o600);
    let _ = std::fs::remove_file(scene.path("notify"));
    let (child, mut supervisor) = start(&scene);
    supervisor.waits_for("0 considered, 0 succeeded");
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!(scene.ledger().len(), 6, "{}", scene.story());
    signal(&child, Signal::TERM);
    child.wait().expect(0);
}
