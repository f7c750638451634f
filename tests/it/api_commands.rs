//! The customer client on the command line, against the embedded sandbox: what goes in, what comes out, how it ends.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

const CONFIG: &str = r#"
zone = "Asia/Bangkok"
[store]
path = "dues.db"
[omise]
sandbox = true
[plans.pro]
name = "Pro"
price = "990.00 THB"
every = "month"
[dunning.standard]
retry = ["2 days"]
then = "pause"
"#;

/// How a command ended.
struct Ended {
    code: i32,
    out: String,
    err: String,
}

impl Ended {
    /// The objects on its stdout, one a line.
    fn objects(&self) -> Vec<Value> {
        assert_eq!(self.code, 0, "{}", self.err);
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn object(&self) -> Value {
        let mut objects = self.objects();
        assert_eq!(objects.len(), 1, "{}", self.out);
        objects.remove(0)
    }
}

fn house() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("dues.toml"), CONFIG).unwrap();
    folder
}

fn dues_with(folder: &Path, stdin: &str, arguments: &[&str]) -> Ended {
    let mut child = Command::new(env!("CARGO_BIN_EXE_dues"))
        .args(["--config", "dues.toml"])
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that reads nothing may be gone before it is written to.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    let output = child.wait_with_output().unwrap();
    Ended {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn dues(folder: &Path, arguments: &[&str]) -> Ended {
    dues_with(folder, "", arguments)
}

fn token(folder: &Path, number: &str) -> String {
    let made = dues_with(folder, number, &["tokens", "create", "--expires", "12/2090", "--json"]);
    made.object()["id"].as_str().unwrap().to_owned()
}

fn customer(folder: &Path, number: &str) -> String {
    let token = token(folder, number);
    let made = dues(folder, &["customers", "create", "--token", &token, "--json"]);
    made.object()["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_customer_from_creation_to_deletion() {
    let house = house();
    let at = house.path();
    let (first, second) = (token(at, "4242 4242 4242 4242\n"), token(at, "5555555555554444"));
    let create = [
        "customers",
        "create",
        "--email",
        "a@example.test",
        "--token",
        &first,
        "--metadata",
        "loyalty=7",
        "--json",
    ];
    let made = dues(at, &create).object();
    assert_eq!(
        (made["email"].as_str(), made["metadata"]["loyalty"].as_str()),
        (Some("a@example.test"), Some("7"))
    );
    let id = made["id"].as_str().unwrap();

    let two = dues(at, &["customers", "update", id, "--token", &second, "--json"]).object();
    assert_eq!(two["cards"]["total"], 2);
    let card = two["cards"]["data"][1]["id"].as_str().unwrap();
    let picked = dues(at, &["customers", "update", id, "--default-card", card, "--json"]).object();
    assert_eq!(picked["default_card"], card);

    let update = ["customers", "cards", "update", id, card, "--expiration-year", "2091", "--json"];
    assert_eq!(dues(at, &update).object()["expiration_year"], 2091);
    assert_eq!(dues(at, &["customers", "cards", "get", id, card, "--json"]).object()["id"], card);
    assert_eq!(dues(at, &["customers", "cards", "list", id, "--json"]).objects().len(), 2);
    assert_eq!(dues(at, &["customers", "cards", "delete", id, card, "--json"]).object()["deleted"], true);
    assert_eq!(dues(at, &["customers", "schedules", id, "--json"]).objects().len(), 0);
    assert_eq!(dues(at, &["customers", "search", "a@example.test", "--json"]).object()["id"], id);
    assert_eq!(dues(at, &["customers", "delete", id, "--json"]).object()["deleted"], true);
    assert_eq!(dues(at, &["customers", "list", "--json"]).objects().len(), 0);
}

#[test]
fn charges_from_creation_to_refund() {
    let house = house();
    let at = house.path();
    let (rich, poor) = (customer(at, "4242424242424242"), customer(at, "4111111111140011"));
    let paid = dues(
        at,
        &["charges", "create", "990.00 THB", "--customer", &rich, "--description", "order 7", "--json"],
    )
    .object();
    assert_eq!((paid["status"].as_str(), paid["amount"].as_i64()), (Some("successful"), Some(99_000)));
    let id = paid["id"].as_str().unwrap();
    let declined = dues(at, &["charges", "create", "990.00 THB", "--customer", &poor, "--json"]).object();
    assert_eq!(declined["failure_code"], "insufficient_fund");

    let held = ["charges", "create", "500.00 THB", "--customer", &rich, "--authorize-only", "--json"];
    let held = || dues(at, &held).object()["id"].as_str().unwrap().to_owned();
    let (one, two, three) = (held(), held(), held());
    assert_eq!(dues(at, &["charges", "capture", &one, "--json"]).object()["status"], "successful");
    assert_eq!(dues(at, &["charges", "reverse", &two, "--json"]).object()["status"], "reversed");
    assert_eq!(dues(at, &["charges", "expire", &three, "--json"]).object()["status"], "expired");

    assert_eq!(
        dues(at, &["charges", "update", id, "--description", "noted", "--json"]).object()["description"],
        "noted"
    );
    assert_eq!(dues(at, &["charges", "refund", id, "100.00 THB", "--json"]).object()["amount"], 10_000);
    assert_eq!(dues(at, &["charges", "refunds", id, "--json"]).objects().len(), 1);
    assert!(dues(at, &["charges", "events", id, "--json"]).objects().len() >= 2);
    assert_eq!(dues(at, &["charges", "get", id, "--json"]).object()["refunded_amount"], 10_000);
    assert_eq!(dues(at, &["charges", "list", "--newest", "--json"]).objects().len(), 5);
    let recurring = [
        "charges",
        "create",
        "20.00 THB",
        "--customer",
        &rich,
        "--transaction-indicator",
        "MIT",
        "--recurring-reason",
        "subscription",
        "--first-charge",
        id,
        "--json",
    ];
    // The API never shows these three again: that they are sent is tested where they are read.
    assert_eq!(dues(at, &recurring).object()["status"], "successful");
    let pages = ["charges", "search", "--page", "2", "--per-page", "4", "--json"];
    assert_eq!(dues(at, &pages).objects().len(), 2, "the last of six");
    assert_eq!(dues(at, &["charges", "search", "--per-page", "4", "--json"]).objects().len(), 6);
    assert_eq!(
        dues(at, &["charges", "search", "noted", "--filter", "amount=900..1000", "--json"]).object()["id"],
        id
    );
}

#[test]
fn the_rest_of_what_the_provider_tells() {
    let house = house();
    let at = house.path();
    customer(at, "4242424242424242");
    assert_eq!(dues(at, &["provider", "account", "--json"]).object()["object"], "account");
    assert_eq!(dues(at, &["provider", "balance", "--json"]).object()["currency"], "THB");
    assert_eq!(dues(at, &["provider", "capability", "--json"]).object()["object"], "capability");
    let events = dues(at, &["provider", "events", "--json"]).objects();
    let event = events[0]["id"].as_str().unwrap();
    assert_eq!(dues(at, &["provider", "event", event, "--json"]).object()["id"], event);
    assert_eq!(dues(at, &["provider", "schedules", "--json"]).objects().len(), 0);
    assert_eq!(dues(at, &["provider", "search", "customer", "--json"]).objects().len(), 1);
    for missing in ["schedule", "occurrences", "end-schedule"] {
        let ended = dues(at, &["provider", missing, "schd_test_nobody", "--json"]);
        assert_eq!(ended.code, 1, "{}", ended.err);
        assert!(ended.err.contains("404 not_found"), "{}", ended.err);
    }
}

#[test]
fn people_get_tables_and_indented_objects() {
    let house = house();
    let at = house.path();
    assert_eq!(dues(at, &["customers", "list"]).out, "none\n");
    let id = customer(at, "4242424242424242");
    let table = dues(at, &["customers", "list"]).out;
    let lines: Vec<_> = table.lines().collect();
    assert!(lines.len() == 2 && lines[0].starts_with("customer") && lines[1].starts_with(&id), "{table}");
    let object = dues(at, &["customers", "get", &id]).out;
    assert!(object.starts_with("{\n  \"object\": \"customer\",\n  \"id\": "), "{object}");
    assert_eq!(serde_json::from_str::<Value>(&object).unwrap()["id"], id.as_str());
}

#[test]
fn what_is_refused_says_why_and_ends_with_the_right_code() {
    let house = house();
    let at = house.path();
    let id = customer(at, "4242424242424242");
    let charge = dues(at, &["charges", "create", "990.00 THB", "--customer", &id, "--json"]).object();
    let charge = charge["id"].as_str().unwrap();
    for (arguments, code, word) in [
        (vec!["customers", "get", "cust_test_nobody"], 1, "not_found"),
        (vec!["customers", "get", "../charges"], 2, "cannot be an id"),
        (vec!["charges", "create", "1.00 THB", "--customer", &id], 1, "invalid_charge"),
        (vec!["charges", "create", "990.00", "--customer", &id], 2, "990.00"),
        (vec!["charges", "create", "990.00 THB"], 2, "--customer"),
        (
            vec!["charges", "create", "990.00 THB", "--customer", &id, "--metadata", "dues_attempt=1"],
            2,
            "dues_",
        ),
        (vec!["charges", "update", charge, "--metadata", "dues_invoice=1"], 2, "dues_"),
        (vec!["charges", "refund", charge, "100 JPY"], 2, "the currency of the charge"),
        (vec!["charges", "refund", charge, "5000.00 THB"], 1, "failed_refund"),
        (vec!["provider", "search", "moon"], 1, "invalid_scope"),
        (vec!["tokens", "create", "--expires", "13/2030"], 2, "MM/YYYY"),
        (vec!["tokens", "create", "--expires", "12/2030"], 2, "stdin"),
        (vec!["tokens", "create", "--expires", "12/2030", "--public-key", "skey_test_1"], 2, "secret key"),
    ] {
        let ended = dues(at, &arguments);
        assert_eq!(ended.code, code, "{arguments:?}: {}", ended.err);
        assert!(
            ended.err.contains(word) && ended.out.is_empty(),
            "{arguments:?}: {}{}",
            ended.out,
            ended.err
        );
    }
}

#[test]
fn a_live_key_makes_no_charge_and_no_token_by_hand() {
    let house = house();
    let at = house.path();
    // Nobody listens there: a request would end in another sentence, and with another code.
    let config = CONFIG.replace(
        "sandbox = true",
        "secret_key_file = \"omise.key\"\napi_url = \"http://127.0.0.1:9\"\nvault_url = \"http://127.0.0.1:9\"",
    );
    std::fs::write(at.join("dues.toml"), config).unwrap();
    std::fs::write(at.join("omise.key"), "skey_notatestkey00000000").unwrap();
    std::fs::set_permissions(at.join("omise.key"), std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .unwrap();
    let charge = dues(at, &["charges", "create", "990.00 THB", "--customer", "cust_1"]);
    let token = dues_with(at, "4242424242424242", &["tokens", "create", "--expires", "12/2090"]);
    for ended in [charge, token] {
        assert_eq!(ended.code, 2, "{}", ended.err);
        assert!(ended.err.contains("found a live key"), "{}", ended.err);
    }
}

#[test]
fn everything_held_about_a_customer_comes_out_in_one_object() {
    let house = house();
    let at = house.path();
    let (one, other) = (customer(at, "4242424242424242"), customer(at, "4242424242424242"));
    for id in [&one, &other] {
        dues(at, &["charges", "create", "990.00 THB", "--customer", id, "--json"]).object();
    }
    let subscribed = dues(at, &["subscribe", "--customer", &one, "--plan", "pro"]);
    assert_eq!(subscribed.code, 0, "{}", subscribed.err);

    let data = dues(at, &["customers", "export", &one, "--reason", "asked by mail"]).object();
    let provider = &data["provider"];
    assert_eq!(
        (data["customer"].as_str(), provider["customer"]["id"].as_str()),
        (Some(one.as_str()), Some(one.as_str()))
    );
    assert_eq!(provider["cards"][0]["last_digits"], "4242");
    let charges = provider["charges"].as_array().unwrap();
    assert_eq!((charges.len(), charges[0]["customer"].as_str()), (1, Some(one.as_str())));
    assert_eq!(data["book"]["subscriptions"][0]["customer"], one.as_str());
    assert_eq!(data["book"]["subscriptions"].as_array().unwrap().len(), 1);

    let refused = dues(at, &["customers", "export", &one]);
    assert_eq!((refused.code, refused.err.contains("--reason")), (2, true), "{}", refused.err);
    let stranger = dues(at, &["customers", "export", "cust_test_nobody", "--reason", "asked"]).object();
    assert_eq!(stranger["provider"]["customer"], Value::Null);
}

#[test]
fn every_look_at_customer_data_leaves_a_line_before_it_happens() {
    let house = house();
    let at = house.path();
    let id = customer(at, "4242424242424242");
    assert_eq!(dues(at, &["customers", "get", &id, "--reason", "a call"]).code, 0);
    dues(at, &["customers", "get", "cust_test_nobody"]);
    let record = std::fs::read_to_string(at.join("dues.db.access")).unwrap();
    let lines: Vec<Value> = record.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let acts: Vec<_> = lines.iter().map(|line| line["act"].as_str().unwrap()).collect();
    assert_eq!(acts, ["customers create", "customers get", "customers get"]);
    assert_eq!(
        (lines[1]["customer"].as_str(), lines[1]["reason"].as_str()),
        (Some(id.as_str()), Some("a call"))
    );
    assert!(lines[2]["uid"].is_u64() && lines[2]["reason"].is_null());

    // A record that cannot be written refuses the act.
    std::fs::remove_file(at.join("dues.db.access")).unwrap();
    std::fs::create_dir(at.join("dues.db.access")).unwrap();
    let refused = dues(at, &["customers", "delete", &id]);
    assert_eq!(refused.code, 4, "{}", refused.err);
    assert!(refused.err.contains("nothing is done without its line"), "{}", refused.err);
    std::fs::remove_dir(at.join("dues.db.access")).unwrap();
    assert_eq!(dues(at, &["customers", "get", &id, "--json"]).object()["deleted"], false);
}
