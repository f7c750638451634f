//! The drawing of the house, held against what the source imports.
//!
//! `ROOMS` is the drawing: a new arrow is a design decision made by editing it. `FENCES` keeps awkward libraries and
//! powers in the files that are named for them. Both are proved able to fail on made-up sources.

mod source;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use source::Reading;

/// A room: its floor and the rooms that it may import.
#[derive(Clone, Copy)]
struct Room {
    name: &'static str,
    floor: i8,
    may_import: &'static [&'static str],
    /// What its unit tests may import besides.
    tests_may_import: &'static [&'static str],
}

const fn room(name: &'static str, floor: i8, may_import: &'static [&'static str]) -> Room {
    Room { name, floor, may_import, tests_may_import: &[] }
}

/// Rooms whose unit tests need more than the room itself name it here.
const fn tested_with(room: Room, tests_may_import: &'static [&'static str]) -> Room {
    Room { tests_may_import, ..room }
}

/// The drawing.
const ROOMS: &[Room] = &[
    room("model", 0, &[]),
    tested_with(room("omise", 0, &[]), &["sandbox"]),
    // The cellar: whoever the suite must stop, mislead or hurry reaches down here, the clock itself among them, so that
    // it cannot share a floor with any.
    room("hooks", -1, &[]),
    // On the ground floor and not beside gateway and store: both measure how long a call or a commit took, and an arrow
    // within a floor would not go down. They are told the time all the same.
    room("clock", 0, &["hooks"]),
    // Its tests read declines by the built-in table.
    tested_with(room("rules", 1, &["model", "hooks"]), &["config"]),
    room("gateway", 1, &["model", "omise", "clock", "hooks"]),
    room("store", 1, &["model", "clock", "hooks"]),
    // Its tests read declines by the built-in table.
    tested_with(room("billing", 2, &["rules", "gateway", "store", "clock", "model", "hooks"]), &["config"]),
    room("config", 2, &["gateway", "store", "rules", "model"]),
    room("sandbox", 2, &["omise", "clock", "model"]),
    room("notify", 2, &["model"]),
    room("wiring", 3, &["config", "billing", "notify", "gateway", "store", "sandbox", "clock", "model"]),
    room("web", 3, &["billing", "model"]),
    room("daemon", 4, &["wiring", "web", "billing", "notify", "clock", "model", "hooks"]),
    room("simulator", 4, &["billing", "sandbox", "gateway", "store", "rules", "clock", "model"]),
    room(
        "cli",
        5,
        &[
            "daemon",
            "simulator",
            "wiring",
            "web",
            "billing",
            "config",
            "sandbox",
            "notify",
            "gateway",
            "store",
            "rules",
            "clock",
            "model",
            "omise",
        ],
    ),
    room("main", 6, &["cli"]),
];

/// A word that may be used only in some files.
struct Fence {
    /// The word, or the path joined by `::`.
    what: &'static str,
    /// Files, or folders with a slash at their end, under `src/`.
    only_in: &'static [&'static str],
    /// Whether test-only code is held to it too.
    tests_too: bool,
}

const fn fence(what: &'static str, only_in: &'static [&'static str]) -> Fence {
    Fence { what, only_in, tests_too: false }
}

/// Libraries and powers, each with the only places that may touch it.
const FENCES: &[Fence] = &[
    fence("backoff", &["omise/retry.rs", "rules/curve.rs"]),
    fence("tokio_cron_scheduler", &["daemon/schedule.rs"]),
    // Who wishes cron words and who obeys them must not read them in two ways.
    fence("croner", &["model/cron.rs"]),
    fence("rusqlite", &["store/sqlite/"]),
    // Messages are posted to merchants, and never through the provider's client.
    fence("reqwest", &["omise/", "notify/webhook.rs"]),
    fence("lettre", &["notify/email.rs"]),
    fence("hyper", &["sandbox/", "web/"]),
    fence("getrandom", &["store/sqlite/"]),
    fence("toml", &["config/"]),
    // The config's secrets, the commands that messages are handed to, and who sits at the counter.
    fence("std::env", &["config/secret.rs", "wiring/post.rs", "cli/", "hooks.rs"]),
    // The counter alone talks to people. A command that a message is handed to has streams of its own.
    fence("stdout", &["cli/", "notify/command.rs"]),
    fence("stderr", &["cli/", "notify/command.rs"]),
    fence("Timestamp::now", &["clock.rs"]),
    fence("Zoned::now", &["clock.rs"]),
    fence("SystemTime", &["clock.rs"]),
    // The sandbox drips its answers on the runtime's own timer.
    fence("Instant", &["clock.rs", "sandbox/http/answer.rs"]),
    fence("clock_gettime", &["clock.rs"]),
    // Names can be changed on import, so clippy forbids the calls by type as well; only the clock may set that aside.
    Fence { what: "disallowed_methods", only_in: &["clock.rs"], tests_too: true },
    Fence { what: "unsafe", only_in: &[], tests_too: true },
];

/// Fenced by their last part wherever it stands, although they begin like a library.
const BARE_WORDS: &[&str] = &["unsafe", "clock_gettime", "disallowed_methods", "stdout", "stderr"];

/// What clippy forbids by type, whatever it was renamed to.
const FORBIDDEN_BY_TYPE: &[&str] =
    &["jiff::Timestamp::now", "jiff::Zoned::now", "std::time::SystemTime::now", "std::time::Instant::now"];

/// Words of the test switches, which only the file of the switches may read or name.
const SWITCH_WORDS: &[&str] = &["DUES_KILL_AT", "DUES_PLANT", "DUES_CLOCK", "DUES_HANG", "test-hooks"];

/// What pure rooms must never touch, in code that ships.
const PURE_ROOMS: &[&str] = &["model", "rules"];
const EFFECTS: &[&str] = &[
    "tokio",
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "std::io",
    "tracing",
    "rustix",
];

/// A source file under test: its path under `src/` and its text.
struct File {
    path: String,
    text: String,
}

#[test]
fn arrows_only_go_down() {
    for room in ROOMS {
        for below in room.may_import {
            let below =
                find(below).unwrap_or_else(|| panic!("{} may import {below}, which is no room", room.name));
            assert!(below.floor < room.floor, "{} -> {} does not go down", room.name, below.name);
        }
    }
}

#[test]
fn every_import_is_an_arrow_of_the_drawing() {
    let complaints = judge(&house());
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

#[test]
fn every_kill_point_is_listed_and_every_listed_one_exists() {
    let mut called = BTreeSet::new();
    for file in house().iter().filter(|file| file.path != "hooks.rs") {
        for (name, line) in source::read(&file.text, &module_of(&file.path)).kill_points {
            assert!(
                dues::hooks::KILL_POINTS.contains(&name.as_str()),
                "src/{}:{line}: the kill point {name} is not in hooks::KILL_POINTS",
                file.path
            );
            called.insert(name);
        }
    }
    for name in dues::hooks::KILL_POINTS {
        assert!(called.contains(*name), "hooks::KILL_POINTS lists {name}, which no room calls");
    }
}

#[test]
fn every_planted_bug_has_its_place_in_the_rooms() {
    let house = house();
    for bug in dues::hooks::Bug::ALL {
        let variant = format!("{bug:?}");
        let planted = house.iter().filter(|file| file.path != "hooks.rs").any(|file| {
            let words = source::read(&file.text, &[]).words;
            words.iter().any(|(word, _, in_test)| *word == variant && !in_test)
        });
        assert!(planted, "the bug {} is planted nowhere", bug.name());
    }
}

#[test]
fn a_shipped_binary_has_no_test_switches() {
    let tree = |edges: &str| {
        let words =
            ["tree", "--offline", "--locked", "--depth", "0", "--format", "{p} [{f}]", "--edges", edges];
        let output = std::process::Command::new(env!("CARGO"))
            .args(words)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .expect("cargo runs");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(!tree("normal,build").contains("test-hooks"), "a release build would have the test switches");
    assert!(tree("normal,dev").contains("test-hooks"), "the suite's own binary has no test switches");
}

#[test]
fn clippy_forbids_the_clocks_by_type() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("clippy.toml");
    let wishes = std::fs::read_to_string(path).expect("clippy's wishes");
    let (_, forbidden) = wishes.split_once("disallowed-methods = [").expect("a list of what is forbidden");
    let (forbidden, _) = forbidden.split_once("\n]").expect("its end");
    for path in FORBIDDEN_BY_TYPE {
        assert!(forbidden.contains(&format!("{{ path = \"{path}\", ")), "{path} is not in\n{forbidden}");
    }
}

#[test]
fn a_bad_house_is_refused() {
    let cases = [
        ("rules/x.rs", "use crate::store::Store;", "src/rules/x.rs:1: rules -> store"),
        ("rules/x.rs", "\n\nfn f() { crate::gateway::f() }", "src/rules/x.rs:3: rules -> gateway"),
        ("model/x.rs", "use super::super::{clock::Clock};", "src/model/x.rs:1: model -> clock"),
        ("store/sqlite/a/b.rs", "use super::super::super::super::billing::Run;", "store -> billing"),
        ("omise/mod.rs", "use crate::{\n  model::Money as M,\n};", "src/omise/mod.rs:2: omise -> model"),
        ("sandbox/x.rs", "mod y { use super::super::super::store::Lane; }", "sandbox -> store"),
        ("web/x.rs", "type T = Vec<crate::daemon::Tick>;", "web -> daemon"),
        ("omise/x.rs", "use crate::hooks::planted;", "omise -> hooks"),
        ("notify.rs", "#[cfg(test)] mod tests { use crate::store::Lane; }", "notify -> store"),
        ("gateway/x.rs", "use crate::*;", "src/gateway/x.rs:1: `crate::*` names no room"),
        ("attic/x.rs", "use crate::model::Money;", "`attic` is no room"),
        ("model/x.rs", "extern crate std;", "`extern crate` hides an import"),
        ("model/x.rs", "#[path = \"../store/mod.rs\"] mod s;", "`#[path]` hides"),
        ("billing/x.rs", "fn f() { backoff::f() }", "src/billing/x.rs:1: `backoff` belongs in"),
        ("billing/x.rs", "use rusqlite as r;", "`rusqlite` belongs in"),
        ("store/x.rs", "use rusqlite::Connection;", "`rusqlite` belongs in"),
        ("gateway/x.rs", "use reqwest::Client;", "`reqwest` belongs in"),
        ("daemon/x.rs", "use tokio_cron_scheduler::Job;", "`tokio_cron_scheduler` belongs in"),
        ("billing/x.rs", "fn f() { jiff::Timestamp::now(); }", "`Timestamp::now` belongs in"),
        ("billing/x.rs", "fn f() { std::time::Instant::now(); }", "`Instant` belongs in"),
        ("billing/x.rs", "#[cfg(test)] mod t { fn f() { unsafe {} } }", "`unsafe` belongs nowhere"),
        ("billing/x.rs", "#[allow(clippy::disallowed_methods)] fn f() {}", "`disallowed_methods` belongs in"),
        ("billing/x.rs", "use croner::Cron;", "`croner` belongs in"),
        ("gateway/x.rs", "fn f() { std::env::var(\"X\"); }", "`std::env` belongs in"),
        ("store/x.rs", "use std::{env, fs};", "`std::env` belongs in"),
        ("daemon/x.rs", "use std::io; fn f() { io::stdout(); }", "`stdout` belongs in"),
        ("billing/x.rs", "fn f() { std::io::stderr(); }", "`stderr` belongs in"),
        ("rules/x.rs", "fn f() { std::env::var(\"X\"); }", "src/rules/x.rs:1: `std::env` is an effect"),
        ("model/x.rs", "use std::{fs, fmt};", "`std::fs` is an effect"),
        ("billing/x.rs", "fn f(n: &str) { kill_point(n) }", "a kill point without a literal name"),
        ("store/x.rs", "fn f() { std::env::var(\"DUES_PLANT\"); }", "`DUES_PLANT` belongs in"),
        ("store/x.rs", "#[cfg(feature = \"test-hooks\")] fn f() {}", "`test-hooks` belongs in"),
        ("billing/utils.rs", "", "no room for `utils`"),
        ("billing/x.rs", "fn f() {}", "opens without a `//!` header"),
    ];
    for (path, code, wanted) in cases {
        let text = if wanted.contains("header") { code.to_owned() } else { format!("/*! */{code}") };
        let complaints = judge(&[File { path: path.into(), text }]);
        assert!(
            complaints.iter().any(|complaint| complaint.contains(wanted)),
            "{path}: {code}\nwanted a complaint with: {wanted}\nfound: {complaints:#?}"
        );
    }
}

#[test]
fn a_good_house_is_not() {
    let cases = [
        ("billing/x.rs", "use crate::{rules, store::{self, Lane}};\nuse super::pace::Pace;"),
        (
            "rules/x.rs",
            "// use crate::store::Store;\n/* crate::billing */ const S: &str = \"crate::store::X\";",
        ),
        (
            "rules/x.rs",
            "const S: &str = r#\"crate::store::\"#; fn f<'a>(c: char) -> bool { c == '\"' || c == '\\'' }",
        ),
        ("config/x.rs", "fn f(p: &Policy) { p.backoff.first(); }"),
        ("rules/x.rs", "#[cfg(test)]\nmod tests { use super::*; use std::fs; }"),
        ("clock.rs", "fn f() { jiff::Timestamp::now(); }"),
        ("main.rs", "fn main() { dues::cli::run(); }"),
    ];
    for (path, code) in cases {
        let complaints = judge(&[File { path: path.into(), text: format!("/*! */{code}") }]);
        assert!(complaints.is_empty(), "{path}: {code}\n{complaints:#?}");
    }
    let main =
        judge(&[File { path: "main.rs".into(), text: "/*! */fn main() { dues::store::open(); }".into() }]);
    assert!(main[0].contains("main -> store"), "{main:?}");
}

/// Every file of `src/`.
fn house() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("src can be listed") {
            let path = entry.expect("src can be listed").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = std::fs::read_to_string(&path).expect("source can be read");
                files.push(File { path: under(&root, &path), text });
            }
        }
    }
    assert!(files.len() > 50, "only {} files found under {}", files.len(), root.display());
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

fn under(root: &Path, path: &Path) -> String {
    let rest: PathBuf = path.strip_prefix(root).expect("under src").into();
    rest.to_str().expect("plain names").replace('\\', "/")
}

fn find(name: &str) -> Option<&'static Room> {
    ROOMS.iter().find(|room| room.name == name)
}

/// `rules/prepare/mod.rs` is `[rules, prepare]`; `lib.rs` is the root; `main.rs` is a crate of its own.
fn module_of(path: &str) -> Vec<String> {
    let mut parts: Vec<String> = path.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if parts.last().is_some_and(|last| last == "mod") || parts == ["lib"] || parts == ["main"] {
        parts.pop();
    }
    parts
}

/// Everything wrong with these files, a line each.
fn judge(files: &[File]) -> Vec<String> {
    let readings: Vec<(&File, Vec<String>, Reading)> = files
        .iter()
        .map(|file| {
            let module = module_of(&file.path);
            let reading = source::read(&file.text, &module);
            (file, module, reading)
        })
        .collect();
    let test_modules: BTreeSet<Vec<String>> =
        readings.iter().flat_map(|(_, _, reading)| reading.test_modules.iter().cloned()).collect();
    let mut complaints = Vec::new();
    for (file, module, reading) in &readings {
        let only_tests = (1..=module.len()).any(|long| test_modules.contains(&module[..long]));
        complaints
            .extend(reading.unclear.iter().map(|(what, line)| format!("src/{}:{line}: {what}", file.path)));
        shape(file, &mut complaints);
        arrows(file, module, reading, only_tests, &mut complaints);
        fences(file, reading, only_tests, &mut complaints);
    }
    complaints
}

/// A header that says what it is, and no drawer for odds and ends.
fn shape(file: &File, complaints: &mut Vec<String>) {
    if !file.text.starts_with("//!") && !file.text.starts_with("/*!") {
        complaints.push(format!("src/{}:1: opens without a `//!` header", file.path));
    }
    for word in ["utils", "util", "helpers", "helper", "common", "misc"] {
        if module_of(&file.path).iter().any(|part| part == word) {
            complaints.push(format!("src/{}:1: no room for `{word}`", file.path));
        }
    }
}

fn arrows(file: &File, module: &[String], reading: &Reading, only_tests: bool, complaints: &mut Vec<String>) {
    let own = match (file.path.as_str(), module.first()) {
        ("lib.rs", _) => return,
        ("main.rs", _) => "main",
        (_, Some(first)) => first,
        (_, None) => return,
    };
    let Some(room) = find(own) else {
        complaints.push(format!("src/{}:1: `{own}` is no room of the drawing", file.path));
        return;
    };
    for named in &reading.named {
        let other = match (named.own, named.segments.split_first()) {
            (false, Some((first, rest))) if first == "dues" => rest.first(),
            (false, _) => continue,
            (true, _) if own == "main" => continue,
            (true, _) => named.segments.first(),
        };
        let at = format!("src/{}:{}", file.path, named.line);
        let Some(other) = other.filter(|other| *other != "*") else {
            complaints.push(format!("{at}: `crate::*` names no room"));
            continue;
        };
        let in_test = named.in_test || only_tests;
        let allowed = other == room.name
            || room.may_import.contains(&other.as_str())
            || (in_test && room.tests_may_import.contains(&other.as_str()));
        if !allowed {
            complaints.push(format!("{at}: {own} -> {other} is not in the drawing"));
        }
    }
}

fn fences(file: &File, reading: &Reading, only_tests: bool, complaints: &mut Vec<String>) {
    let inside = |places: &[&str]| {
        places
            .iter()
            .any(|place| file.path == *place || (place.ends_with('/') && file.path.starts_with(place)))
    };
    for fence in FENCES.iter().filter(|fence| !inside(fence.only_in)) {
        for line in uses(reading, fence.what, only_tests, fence.tests_too) {
            let home =
                if fence.only_in.is_empty() { "nowhere".into() } else { format!("in {:?}", fence.only_in) };
            complaints.push(format!("src/{}:{line}: `{}` belongs {home}", file.path, fence.what));
        }
    }
    for (text, line) in reading.texts.iter().filter(|_| file.path != "hooks.rs") {
        for word in SWITCH_WORDS.iter().filter(|word| text.contains(**word)) {
            complaints.push(format!("src/{}:{line}: `{word}` belongs in [\"hooks.rs\"]", file.path));
        }
    }
    if PURE_ROOMS.iter().any(|room| file.path.split(['/', '.']).next() == Some(*room)) {
        for effect in EFFECTS {
            for line in uses(reading, effect, only_tests, false) {
                complaints.push(format!(
                    "src/{}:{line}: `{effect}` is an effect, and this room is pure",
                    file.path
                ));
            }
        }
    }
}

/// The lines where a word (its last part named so) or a path beginning or ending so is used.
fn uses(reading: &Reading, what: &str, only_tests: bool, tests_too: bool) -> Vec<usize> {
    let wanted: Vec<&str> = what.split("::").collect();
    let counts = |in_test: bool| tests_too || !(in_test || only_tests);
    let library = what.starts_with(char::is_lowercase) && !BARE_WORDS.contains(&what);
    let mut lines = BTreeSet::new();
    for named in reading.named.iter().filter(|named| counts(named.in_test)) {
        let segments: Vec<&str> = named.segments.iter().map(String::as_str).collect();
        let hit = if library {
            !named.own && segments.starts_with(&wanted)
        } else {
            segments.windows(wanted.len()).any(|window| window == wanted)
        };
        if hit {
            lines.insert(named.line);
        }
    }
    if !library && wanted.len() == 1 {
        let words = reading.words.iter().filter(|(word, _, in_test)| word == what && counts(*in_test));
        lines.extend(words.map(|(_, line, _)| *line));
    }
    lines.into_iter().collect()
}
