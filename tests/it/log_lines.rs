//! `--log-format json`: each line is one JSON object, and one about money says of which subscription, invoice and attempt.

use serde_json::Value;

use crate::harness::{AT, Scene, Setting};

#[test]
fn each_line_of_the_log_is_json_and_names_what_it_is_about() {
    let scene = Scene::new(Setting { customers: 2, ..Setting::default() });
    let who = scene.customers();
    scene.import(&format!(
        "id,customer,plan,starts\nann,{},monthly,2030-11-15\nbob,{},monthly,2030-11-15\n",
        who[0], who[1]
    ));
    scene.charges_meet("decline:insufficient_fund", Some(&who[1]), None);
    let ended = scene.dues(&["run-now", "-v", "--log-format", "json", "--json", "--at", AT]).expect(0);
    // What the run answers is not mixed with what it logs.
    assert_eq!(ended.json()["attempts"]["succeeded"], 1, "{ended:#?}");
    let lines: Vec<Value> = ended
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|why| panic!("{why} in {line}")))
        .collect();
    for line in &lines {
        assert!(line["timestamp"].as_str().is_some_and(|at| at.parse::<jiff::Timestamp>().is_ok()), "{line}");
        assert!(["INFO", "WARN", "ERROR"].contains(&line["level"].as_str().unwrap_or_default()), "{line}");
        assert!(line.pointer("/fields/message").is_some_and(Value::is_string), "{line}");
    }
    for (message, id, also) in [("charged", "ann", "charge"), ("declined", "bob", "code")] {
        let about: Vec<_> = lines.iter().filter(|line| line["fields"]["message"] == message).collect();
        let [line] = about[..] else { panic!("{message}: {lines:#?}") };
        let field = |name: &str| line["fields"][name].as_str().unwrap_or_default();
        let found = (field("subscription"), field("invoice"), field("attempt"));
        assert_eq!(found, (id, format!("{id}.0").as_str(), format!("{id}.0.1").as_str()), "{line}");
        assert_eq!((field("customer").len(), field(also).is_empty()), (8, false), "{line}");
        assert!(field("customer").bytes().all(|b| b.is_ascii_hexdigit()), "{line}");
    }
    for name in who.iter().map(String::as_str).chain([scene.sandbox().secret_key()]) {
        assert!(!ended.stderr.contains(name), "{name} is in the log:\n{}", ended.stderr);
    }
}
