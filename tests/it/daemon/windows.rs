//! The windows of the real program: what they show, to whom, and that all that is watched for is shown.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use dues::sandbox::{Fate, Fates};
use rustix::process::Signal;
use serde_json::json;

use super::process::{Supervisor, in_days, scene, signal, start};
use super::webhooks::{OLD, ring, signed, until};
use crate::harness::{Child, Scene, Setting};
use crate::sdk;

/// Parsers of others: of expressions, of the page of metrics, of the rules' file.
const PARSERS: &[&str] = &["promql-parser==0.12.0", "prometheus-client==0.26.0", "PyYAML==6.0.3"];

/// What a window answers: its status and its text.
pub(super) fn looks_in(addr: &str, path: &str, host: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(addr).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body).to_owned();
    (answer[9..12].parse().unwrap(), body)
}

/// No run but the first comes of itself, whatever o'clock it is: the schedule has one every five minutes.
const SELDOM: &str = "[schedule]\nbilling = \"0 0 0 1 1 *\"";

/// A service of that scene with windows, which has made its first run, and where they are. No other run comes of itself.
pub(super) fn with_windows(scene: &Scene, more: &str) -> (Child, Supervisor, String) {
    let addr = scene.free_address().to_string();
    let config = std::fs::read_to_string(scene.path("dues.toml")).unwrap();
    scene.write("dues.toml", &format!("{config}\n[web]\nlisten = \"{addr}\"\n{more}\n{SELDOM}\n"));
    let (child, mut supervisor) = start(scene);
    supervisor.waits_for("last run");
    (child, supervisor, addr)
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Our metrics that a text names.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with("dues_")).map(str::to_owned).collect()
}

#[test]
fn windows_show_how_the_service_stands_and_nobody_s_name() {
    let scene = scene();
    let (child, _supervisor, addr) = with_windows(&scene, "hosts = [\"billing.shop.example\"]");
    assert_eq!(looks_in(&addr, "/healthz", &addr).0, 200);
    assert_eq!(looks_in(&addr, "/healthz", "billing.shop.example").0, 200);
    assert_eq!(looks_in(&addr, "/healthz", "rebind.example").0, 421);
    assert_eq!(looks_in(&addr, "/anything", &addr).0, 404);
    let (status, text) = looks_in(&addr, "/readyz", &addr);
    assert_eq!((status, text.as_str()), (200, "ready\n"));
    let (status, text) = looks_in(&addr, "/metrics", &addr);
    assert_eq!(status, 200, "{text}");
    for line in [
        "dues_attempts_total{outcome=\"succeeded\"} 6",
        "dues_collected_minor_total{currency=\"THB\"} 594000",
        "dues_due 0",
        "dues_in_doubt 0",
        "dues_runs_total 1",
        "dues_failures_total{task=\"reconcile\"} 0",
        "dues_queue_depth{queue=\"charges\"} 0",
        "dues_serving 1",
        "dues_provider_call_seconds_count{call=\"charge\"} 6",
        "dues_queue_places{queue=\"charges\"} 4",
        "dues_build_info{version=",
        "# EOF",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    assert!(!text.contains("cust_") && !text.contains("sub_"), "{text}");
    signal(&child, Signal::TERM);
    child.wait().expect(0);
}

#[test]
fn all_that_is_watched_for_is_shown() {
    let scene = scene();
    let declined = scene.new_customer("4111111111140011").0;
    let unknown = scene.new_customer("4242424242424242").0;
    scene.charges_meet("decline:moon_phase", Some(&unknown), None);
    scene.import(&format!("customer,plan\n{declined},monthly\n{unknown},monthly\n"));
    let (child, _supervisor, addr) = with_windows(&scene, "");
    let (status, page) = looks_in(&addr, "/metrics", &addr);
    assert_eq!(status, 200, "{page}");
    for line in [
        "dues_unknown_declines_total 1",
        "dues_retries_waiting 2",
        "# HELP dues_flags Standing flags of subscriptions, by reason.",
        "dues_declines_total{code=\"moon_phase\"} 1",
    ] {
        assert!(page.contains(line), "{line} is not in\n{page}");
    }
    let (alerts, board) = (root().join("config/alerts.yml"), root().join("config/grafana.json"));
    let watched: BTreeSet<String> = [&alerts, &board]
        .into_iter()
        .flat_map(|file| named(&std::fs::read_to_string(file).unwrap()))
        .collect();
    assert!(watched.len() > 20, "{watched:?}");
    let told = std::fs::read_to_string(root().join("README.md")).unwrap();
    let rules = std::fs::read_to_string(&alerts).unwrap();
    for alarm in rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        assert!(told.contains(&format!("`{alarm}`")), "the README does not say what {alarm} means");
    }
    let printed = |name: &String| {
        page.lines()
            .any(|line| line.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with([' ', '{'])))
    };
    let missing: Vec<_> = watched.iter().filter(|name| !printed(name)).collect();
    assert!(missing.is_empty(), "watched for, but not shown: {missing:?}\n{page}");
    // The same again, read by parsers that nobody here wrote.
    scene.write("metrics.txt", &page);
    let python = sdk::python("promql-0.12.0", PARSERS);
    let script = root().join("tests/promql/check.py");
    let mut check = Command::new(python);
    check.arg(script).args([&alerts, &board, &scene.path("metrics.txt")]);
    let said = sdk::must("the rules and the dashboard", &mut check);
    assert_eq!(named(&said), watched);
    signal(&child, Signal::TERM);
    child.wait().expect(0);
}

#[test]
fn who_is_not_ready_says_why() {
    let scene = scene();
    let (child, _supervisor, addr) = with_windows(&scene, "due_limit = \"1m\"");
    assert_eq!(looks_in(&addr, "/readyz", &addr).0, 200);
    // A look at the provider is good for half a minute, so the next service looks anew.
    signal(&child, Signal::TERM);
    child.wait().expect(0);
    let _ = std::fs::remove_file(scene.path("notify"));
    scene.write("PAUSED", "");
    let customer = &scene.customers()[0];
    scene.import(&format!("customer,plan,starts\n{customer},weekly,{}\n", in_days(-2)));
    let (child, mut supervisor) = start(&scene);
    supervisor.waits_for("last run");
    let page = looks_in(&addr, "/metrics", &addr).1;
    for line in ["dues_runs_total 1", "dues_last_good_run_timestamp_seconds 0", "dues_due 1"] {
        assert!(page.contains(&format!("{line}\n")), "a run that the pause file held: no {line} in\n{page}");
    }
    scene.ask("POST", "/__sandbox/faults", "", &json!({"path": "/account", "faults": "page_before:503"}));
    let (status, text) = looks_in(&addr, "/readyz", &addr);
    assert_eq!(status, 503, "{text}");
    let lines: Vec<_> = text.lines().collect();
    assert!(lines.len() == 2 && lines[0].starts_with("provider: "), "{text}");
    assert!(
        lines[1].starts_with("due: the oldest has waited for ") && lines[1].ends_with("wanted at most 60"),
        "{text}"
    );
    // It is not asked again for each who looks; jobs of the start may still be asking of their own.
    let asked = || scene.ask("GET", "/__sandbox/traffic", "", &json!(null))["requests"].as_u64().unwrap();
    let asks_nothing = || {
        let before = asked();
        assert_eq!(looks_in(&addr, "/readyz", &addr).0, 503);
        asked() == before
    };
    assert!((0..20).any(|_| asks_nothing()), "the provider is asked at every look");
    signal(&child, Signal::TERM);
    child.wait().expect(0);
}

#[test]
fn who_cannot_be_charged_keeps_nobody_waiting() {
    let fates = [Fate::NoCard, Fate::ExpiredCard, Fate::StolenOrLostCard, Fate::Deleted];
    let scene = Scene::new(Setting { customers: 200, fates: Fates::Mixed, ..Setting::default() });
    let customers = scene.sandbox().customers();
    let of = |fate| customers.iter().find(|customer| customer.fate == fate).unwrap().id.clone();
    let rows = fates.map(|fate| format!("{},weekly,{}", of(fate), in_days(-2)));
    scene.import(&format!("customer,plan,starts\n{}\n", rows.join("\n")));
    let (child, _supervisor, addr) = with_windows(&scene, "due_limit = \"1m\"");
    assert_eq!(scene.list("flags").len(), fates.len(), "{}", scene.story());
    let (status, text) = looks_in(&addr, "/readyz", &addr);
    assert_eq!((status, text.as_str()), (200, "ready\n"));
    let page = looks_in(&addr, "/metrics", &addr).1;
    assert!(page.contains("dues_due 0\n") && page.contains("dues_oldest_due_seconds 0\n"), "{page}");
    // One who could pay, and is not served.
    scene.write("PAUSED", "");
    scene.import(&format!("customer,plan,starts\n{},weekly,{}\n", of(Fate::Paying), in_days(-2)));
    let (status, text) = looks_in(&addr, "/readyz", &addr);
    assert!(status == 503 && text.starts_with("due: the oldest has waited for "), "{text}");
    assert!(looks_in(&addr, "/metrics", &addr).1.contains("dues_due 1\n"));
    signal(&child, Signal::TERM);
    child.wait().expect(0);
}

#[test]
fn a_clock_apart_from_the_provider_s_is_told() {
    let scene = scene();
    let (child, _supervisor, addr) = with_windows(&scene, "");
    assert!(looks_in(&addr, "/metrics", &addr).1.contains("dues_clock_trusted 1\n"));
    scene.provider_time_passes(2 * 24 * 3_600);
    assert!(!scene.dues(&["run-now"]).status.success(), "a run by a wrong clock");
    let page = looks_in(&addr, "/metrics", &addr).1;
    for line in ["dues_clock_trusted 0", "dues_failures_total{task=\"a run asked for\"} 1"] {
        assert!(page.contains(&format!("{line}\n")), "no {line} in\n{page}");
    }
    let (status, text) = looks_in(&addr, "/readyz", &addr);
    assert_eq!(status, 503, "{text}");
    assert!(text.lines().any(|line| line.starts_with("clock: the wall clock says")), "{text}");
    signal(&child, Signal::TERM);
    child.wait().expect(0);
}

#[test]
fn who_looks_in_during_a_long_stop_is_told_so() {
    let scene = scene();
    scene.write_secret("webhook.secret", OLD);
    let (child, mut supervisor, addr) = with_windows(&scene, "webhook_secret_file = \"webhook.secret\"");
    let customer = scene.new_customer("4242424242424242").0;
    // Long enough for all that is looked at meanwhile.
    scene.charges_meet("delay_after:5000", None, None);
    scene.import(&format!("customer,plan\n{customer},weekly\n"));
    let run = scene.start(&["run-now"], &[]);
    let begun = std::time::Instant::now();
    while scene.ledger().len() < 7 {
        assert!(begun.elapsed() < std::time::Duration::from_mins(1), "nothing was charged");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(looks_in(&addr, "/metrics", &addr).1.contains("dues_queue_depth{queue=\"charges\"} 1\n"));
    signal(&child, Signal::TERM);
    supervisor.waits_for("STOPPING=1");
    let (status, text) = looks_in(&addr, "/readyz", &addr);
    assert!(status == 503 && text.starts_with("service: it is stopping\n"), "{status} {text}");
    assert_eq!(looks_in(&addr, "/healthz", &addr).0, 200);
    let signs = signed(OLD, jiff::Timestamp::now().as_second(), b"{}");
    assert_eq!(ring(&addr, &signs, b"{}"), 503, "nobody looks news up any more");
    child.wait().expect(0);
    run.wait();
    assert!(TcpStream::connect(&addr).is_err(), "the windows are shut");
    let paid: Vec<bool> = scene.list("attempts").iter().map(|row| row["status"] == "succeeded").collect();
    assert_eq!(paid, vec![true; scene.ledger().len()], "{}", scene.story());
}

#[test]
fn messages_that_reach_nobody_are_counted() {
    let scene = scene();
    scene.write_secret("hook.secret", "a secret of sixteen letters or more");
    let nobody = scene.free_address();
    let hook = "secret_file = \"hook.secret\"\nallow_private = true\nevents = [\"invoice_paid\"]";
    let more = format!("[notify.webhook]\nurl = \"http://{nobody}/\"\n{hook}");
    let (child, _supervisor, addr) = with_windows(&scene, &more);
    until(&scene, "no failure was counted", || {
        let page = looks_in(&addr, "/metrics", &addr).1;
        let name = "dues_failures_total{task=\"notifications\"} ";
        page.lines().filter_map(|line| line.strip_prefix(name)).any(|n| n.parse::<u64>().unwrap() > 0)
    });
    signal(&child, Signal::TERM);
    child.wait().expect(0);
}

#[test]
fn a_service_keeps_copies_of_its_book_and_says_how_old_the_last_is() {
    let scene = scene();
    let more = "[backup]\nfolder = \"copies\"\nkeep = 2";
    let (child, _supervisor, addr) = with_windows(&scene, more);
    let last = || {
        let page = looks_in(&addr, "/metrics", &addr).1;
        let line =
            page.lines().find_map(|line| line.strip_prefix("dues_job_timestamp_seconds{task=\"backup\"} "));
        line.unwrap_or_else(|| panic!("no backup in\n{page}")).parse::<i64>().unwrap()
    };
    let begun = std::time::Instant::now();
    while last() == 0 {
        assert!(begun.elapsed() < std::time::Duration::from_mins(1), "no backup was made");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert!(jiff::Timestamp::now().as_second() - last() < 120);
    signal(&child, Signal::TERM);
    child.wait().expect(0);
    let copies = || -> Vec<_> {
        std::fs::read_dir(scene.path("copies")).unwrap().map(|entry| entry.unwrap().path()).collect()
    };
    let made = copies();
    assert_eq!(made.len(), 1, "{made:?}");
    // It is a whole book, and the next start finds that it is not due.
    scene.write(
        "copy.toml",
        &std::fs::read_to_string(scene.path("dues.toml")).unwrap().replace("dues.db", "copy.db"),
    );
    std::fs::copy(&made[0], scene.path("copy.db")).unwrap();
    let rows = scene.dues(&["list", "subscriptions", "--json", "--config", "copy.toml"]).expect(0).rows();
    assert_eq!(rows.len(), 6);
    let _ = std::fs::remove_file(scene.path("notify"));
    let (child, mut supervisor) = start(&scene);
    supervisor.waits_for("last run");
    signal(&child, Signal::TERM);
    child.wait().expect(0);
    assert_eq!(copies(), made);
}

#[test]
fn the_wait_after_adopting_is_no_failure() {
    let scene = scene();
    scene.dues(&["run-now"]).expect(0);
    scene.dues(&["adopt"]).expect(0);
    let (child, _supervisor, addr) = with_windows(&scene, "");
    let (status, text) = looks_in(&addr, "/metrics", &addr);
    assert_eq!(status, 200, "{text}");
    assert!(text.contains("dues_failures_total{task=\"billing\"} 0"), "{text}");
    signal(&child, Signal::TERM);
    let ended = child.wait().expect(0);
    assert!(ended.stderr.contains("the book was adopted just now"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("a piece of work failed"), "{}", ended.stderr);
}
