//! What the scenes of this folder share: a config with channels, and what was told through a command.

use serde_json::Value;

use crate::harness::{PLANS, Scene, Setting};

/// A command that writes each message as one line, in one write.
pub const HOOK: &str = r#"
[notify.command]
program = ["/bin/sh", "-c", "read -r line; printf '%s\\n' \"$line\" >> told.jsonl"]
"#;

/// A policy whose first declines are not told of at once.
pub const SILENT_PLANS: &str = r#"
[plans.monthly]
name = "Monthly"
price = "990.00 THB"
every = "month"
dunning = "standard"

[plans.trying]
name = "Trying"
price = "990.00 THB"
every = "month"
trial = "2 days"
dunning = "standard"

[dunning.standard]
retry = ["1 day", "4 days"]
silent = "2 days"
then = "pause"
"#;

/// A scene with these sections.
pub fn scene(sections: &[&str]) -> Scene {
    let toml: &'static str = Box::leak(sections.concat().into_boxed_str());
    Scene::new(Setting { customers: 4, toml, ..Setting::default() })
}

/// The plans of the harness, and the hook.
pub fn hooked() -> Scene {
    scene(&[PLANS, HOOK])
}

/// What the command was told so far: kind and key, in the order of keys.
#[track_caller]
pub fn told(scene: &Scene) -> Vec<String> {
    let text = std::fs::read_to_string(scene.path("told.jsonl")).unwrap_or_default();
    let mut keys: Vec<String> = text
        .lines()
        .map(|line| {
            let message: Value = serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"));
            assert!(message["key"].as_str().unwrap().starts_with(message["kind"].as_str().unwrap()));
            message["key"].as_str().unwrap().to_owned()
        })
        .collect();
    keys.sort();
    keys
}

/// Delivers what is due; the command's own report.
#[track_caller]
pub fn send(scene: &Scene) -> Value {
    scene.dues(&["notify", "send", "--json"]).expect(0).json()
}

/// Every message of the book, as `key channel state`.
#[track_caller]
pub fn messages(scene: &Scene) -> Vec<String> {
    let rows = scene.dues(&["notify", "list", "--json"]).expect(0).rows();
    let word = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let mut all: Vec<String> = rows
        .iter()
        .map(|row| format!("{} {} {}", word(row, "key"), word(row, "channel"), word(row, "state")))
        .collect();
    all.sort();
    all
}
