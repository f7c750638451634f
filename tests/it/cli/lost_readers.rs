//! Nobody listens any more: stderr and stdout that take nothing change neither what is charged nor how it is told.

use std::fs::File;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::harness::{AT, Scene, Setting, text};

const LONGEST: Duration = Duration::from_mins(1);

/// Six customers who pay, from the day of the run on.
fn scene() -> Scene {
    scene_from("2030-11-21")
}

/// The same from that day on; empty: today.
fn scene_from(starts: &str) -> Scene {
    let scene = Scene::new(Setting::default());
    let rows: Vec<String> = scene.customers().iter().map(|id| format!("{id},monthly,{starts}")).collect();
    scene.import(&format!("customer,plan,starts\n{}\n", rows.join("\n")));
    scene
}

fn dues(scene: &Scene, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dues"));
    command.args(words).args(["--config", "dues.toml"]).current_dir(scene.folder()).stdin(Stdio::null());
    command.env_remove("RUST_LOG").env_remove("JOURNAL_STREAM");
    command
}

/// A disk without room.
fn full() -> Stdio {
    File::options().write(true).open("/dev/full").unwrap().into()
}

/// A pipe whose reader has gone.
fn left() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

/// What a run says, but for what it took.
fn report(output: &Output) -> Value {
    let mut report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|why| panic!("{why}: {output:?}"));
    for measured in ["elapsed_ms", "api_calls"] {
        report.as_object_mut().unwrap().remove(measured);
    }
    report
}

#[track_caller]
fn all_are_paid(scene: &Scene) {
    let attempts = scene.list("attempts");
    assert_eq!((attempts.len(), scene.ledger().len()), (6, 6), "{attempts:#?}");
    assert!(attempts.iter().all(|row| text(row, "status") == "succeeded"), "{attempts:#?}");
}

#[test]
fn a_run_without_a_stderr_ends_like_any_other() {
    let words = ["run-now", "--json", "-vv", "--at", AT];
    let heard = dues(&scene(), &words).output().unwrap();
    assert!(heard.status.success() && !heard.stderr.is_empty(), "{heard:?}");
    for (what, stderr) in [("a full disk", full()), ("a pipe that nobody reads", left())] {
        let scene = scene();
        let unheard = dues(&scene, &words).stderr(stderr).output().unwrap();
        assert_eq!(unheard.status.code(), Some(0), "{what}");
        assert_eq!(report(&unheard), report(&heard), "{what}");
        all_are_paid(&scene);
    }
}

#[test]
fn a_run_whose_reader_has_left_keeps_its_exit_code() {
    let scene = scene();
    let words = ["run-now", "-vv", "--at", AT];
    scene.write("PAUSED", "");
    let stopped = dues(&scene, &words).stdout(left()).stderr(left()).output().unwrap();
    assert_eq!(stopped.status.code(), Some(3));
    std::fs::remove_file(scene.path("PAUSED")).unwrap();
    let done = dues(&scene, &words).stdout(left()).stderr(left()).output().unwrap();
    assert_eq!(done.status.code(), Some(0));
    all_are_paid(&scene);
    let lost = dues(&scene, &words).stdout(full()).output().unwrap();
    let said = String::from_utf8_lossy(&lost.stderr);
    assert!(lost.status.code() == Some(1) && said.contains("the output could not be written"), "{lost:?}");
}

#[test]
fn a_deed_whose_output_is_lost_is_not_taken_for_undone() {
    let scene = scene();
    let customer = &scene.customers()[0];
    let said_of = |words: &[&str]| {
        let lost = dues(&scene, words).stdout(full()).output().unwrap();
        assert_eq!(lost.status.code(), Some(1), "{lost:?}");
        String::from_utf8(lost.stderr).unwrap()
    };
    let done = "the output could not be written (No space left on device (os error 28)); what was asked is done: look \
                before you repeat it";
    let before = scene.list("subscriptions").len();
    let subscribed = said_of(&["subscribe", "--customer", customer, "--plan", "monthly"]);
    assert!(subscribed.contains(done), "{subscribed}");
    assert_eq!(scene.list("subscriptions").len(), before + 1);
    let ran = said_of(&["run-now", "--at", AT]);
    assert!(ran.contains(done), "{ran}");
    // Nothing was asked for that could be done twice.
    for words in [&["list", "subscriptions"][..], &["run-now", "--dry-run", "--at", AT], &["plans", "diff"]] {
        let looked = said_of(words);
        assert!(
            looked.contains("could not be written") && !looked.contains("is done"),
            "{words:?}: {looked}"
        );
    }
}

/// A program of ours that ends with the test.
struct Ours(Child);

impl Drop for Ours {
    fn drop(&mut self) {
        let _ = (self.0.kill(), self.0.wait());
    }
}

#[test]
fn a_service_without_a_stderr_serves() {
    let scene = scene_from("");
    let mut service = Ours(dues(&scene, &["daemon"]).stdout(Stdio::null()).stderr(full()).spawn().unwrap());
    let begun = Instant::now();
    while scene.ledger().len() < 6 {
        assert_eq!(service.0.try_wait().unwrap(), None, "the service has ended");
        assert!(begun.elapsed() < LONGEST, "it charges nobody: {}", scene.story());
        std::thread::sleep(Duration::from_millis(20));
    }
    let pid = Pid::from_raw(i32::try_from(service.0.id()).unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    assert_eq!(service.0.wait().unwrap().code(), Some(0));
    all_are_paid(&scene);
}
