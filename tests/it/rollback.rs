//! A book file that was put back, lost or doubled: nobody is charged twice from it, and what must be done is said.

use std::fs;
use std::os::unix::fs::symlink;

use dues::store::ChargingLock;
use serde_json::{Value, json};

use crate::harness::{AT, Ended, Scene, Setting};

const CUSTOMERS: u32 = 6;
/// Longer than nothing is charged after adopting: `settle`, `timeout` and five seconds.
const SETTLING_SECONDS: u32 = 15;
/// What belongs to a book, its journal included.
const BOOK: [&str; 4] = ["dues.db", "dues.db-wal", "dues.db-shm", "dues.db.witness"];

/// One due period for each customer, none of them charged yet.
fn due() -> Scene {
    let scene = Scene::new(Setting { customers: CUSTOMERS, ..Setting::default() });
    let rows = scene.customers().into_iter().enumerate();
    let rows: Vec<_> = rows.map(|(n, customer)| format!("s{n},{customer},monthly,2030-11-15\n")).collect();
    scene.import(&format!("id,customer,plan,starts\n{}", rows.concat()));
    scene
}

/// The same after all were charged.
fn charged() -> Scene {
    let scene = due();
    scene.run_at(AT).expect(0);
    assert_eq!(scene.ledger().len(), CUSTOMERS as usize);
    scene
}

fn copy_aside(scene: &Scene) {
    fs::create_dir(scene.path("aside")).unwrap();
    for name in BOOK.iter().filter(|name| scene.path(name).exists()) {
        fs::copy(scene.path(name), scene.path("aside").join(name)).unwrap();
    }
}

fn put_back(scene: &Scene) {
    remove(scene, &BOOK);
    for name in BOOK {
        let kept = scene.path("aside").join(name);
        if kept.exists() {
            fs::copy(kept, scene.path(name)).unwrap();
        }
    }
}

fn remove(scene: &Scene, names: &[&str]) {
    for name in names {
        let _ = fs::remove_file(scene.path(name));
    }
}

/// Refused with exit code 4 and these words, and nobody was charged.
#[track_caller]
fn refused(scene: &Scene, words: &[&str], says: &[&str]) {
    let before = scene.ledger().len();
    let ended = scene.dues(words).expect(4);
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert!(says.iter().all(|word| said.contains(word)), "{words:?} lacks one of {says:?}: {said}");
    assert_eq!(scene.ledger().len(), before, "{words:?} charged");
}

/// Adopts the book; what was under way before has been listed since.
fn adopt(scene: &Scene) -> Ended {
    let adopted = scene.dues(&["adopt", "--json"]);
    scene.provider_time_passes(SETTLING_SECONDS);
    adopted
}

#[test]
fn a_charge_that_is_listed_late_is_not_made_again_by_a_book_adopted_meanwhile() {
    let scene = due();
    copy_aside(&scene);
    // The list shows none of them for a while.
    scene.charges_meet("list_delay:4000", None, None);
    scene.run_at(AT).expect(0);
    scene.behave();
    put_back(&scene);
    let adopted = scene.dues(&["adopt", "--json"]).expect(0).json();
    assert_eq!((&adopted["charges"], &adopted["bound"]), (&json!(0), &json!(true)), "{adopted}");
    let from = adopted["charging_from"].as_str().unwrap();
    for words in [&["run-now", "--at", AT][..], &["run-now", "--at", AT, "--dry-run"]] {
        refused(&scene, words, &["was adopted just now", from]);
    }
    let checked = scene.dues(&["check"]).expect(0).stdout;
    assert!(checked.contains("adopted just now: charging begins at"), "{checked}");
    scene.provider_time_passes(SETTLING_SECONDS);
    for _ in 0..2 {
        refused(&scene, &["run-now", "--at", AT], &["older copy", "`dues adopt`"]);
    }
    assert_eq!(adopt(&scene).expect(0).json()["taken_in"], CUSTOMERS);
    scene.run_at(AT).expect(0);
    assert_eq!(scene.ledger().len(), CUSTOMERS as usize, "{}", scene.story());
}

#[test]
fn a_book_older_than_the_provider_s_list_charges_nobody() {
    let scene = due();
    scene.dues(&["run-now", "--at", AT, "--limit", "2"]).expect(0);
    copy_aside(&scene);
    scene.run_at(AT).expect(0);
    put_back(&scene);
    let run = ["run-now", "--at", AT];
    for _ in 0..2 {
        refused(&scene, &run, &["older copy", "charge chrg_test_", "`dues adopt`", "nothing was charged"]);
    }
    scene.dues(&["list", "attempts"]).expect(0);
    scene.dues(&["run-now", "--at", AT, "--dry-run"]).expect(0);
    let adopted = adopt(&scene).expect(0).json();
    assert_eq!(
        (&adopted["charges"], &adopted["taken_in"]),
        (&json!(CUSTOMERS), &json!(CUSTOMERS - 2)),
        "{adopted}"
    );
    for at in [AT, "2030-12-15T09:00:00+07:00"] {
        scene.run_at(at).expect(0);
    }
    assert_eq!(scene.ledger().len(), 2 * CUSTOMERS as usize, "each period once\n{}", scene.story());
}

#[test]
fn a_book_put_back_to_before_its_first_run_charges_nobody() {
    let scene = due();
    copy_aside(&scene);
    scene.run_at(AT).expect(0);
    put_back(&scene);
    remove(&scene, &["dues.db.witness"]);
    refused(&scene, &["run-now", "--at", AT], &["older copy", "`dues adopt`"]);
}

#[test]
fn a_usual_run_asks_the_list_once() {
    let scene = charged();
    let asked = || scene.ask("GET", "/__sandbox/traffic", "", &Value::Null)["requests"].as_u64().unwrap();
    let before = asked();
    let report = scene.run_at(AT).expect(0).json();
    // The account, its limits, and the list: nobody is due.
    assert_eq!((asked() - before, &report["api_calls"]), (3, &json!(3)), "{report}");
}

#[test]
fn a_book_without_its_witness_is_adopted_first() {
    let scene = charged();
    remove(&scene, &["dues.db.witness"]);
    for words in [&["run-now", "--at", AT][..], &["check"]] {
        refused(&scene, words, &["no witness", "`dues adopt`"]);
    }
    scene.dues(&["list", "invoices"]).expect(0);
    adopt(&scene).expect(0);
    assert!(scene.path("dues.db.witness").exists());
    scene.run_at(AT).expect(0);
    scene.dues(&["check"]).expect(0);
}

#[test]
fn a_lost_book_is_not_followed_by_a_new_one() {
    let scene = charged();
    scene.dues(&["backup", "copy.db"]).expect(0);
    remove(&scene, &["dues.db", "dues.db-wal", "dues.db-shm"]);
    let commands: [&[&str]; 4] =
        [&["run-now", "--at", AT], &["import", "import.csv"], &["check"], &["run-now", "--dry-run"]];
    for words in commands {
        refused(&scene, words, &["witness", "restore", "a new book"]);
        assert!(!scene.path("dues.db").exists(), "{words:?} made a book");
    }
    scene.dues(&["restore", "copy.db"]).expect(0);
    adopt(&scene).expect(0);
    scene.run_at(AT).expect(0);
    assert_eq!(scene.ledger().len(), CUSTOMERS as usize);
}

/// Makes the charge of that attempt once more, as a provider may of its own accord; returns the first and the second.
fn made_again(scene: &Scene, attempt: &Value) -> (String, String) {
    let first = attempt["charge"].as_str().unwrap().to_owned();
    let key = scene.sandbox().secret_key();
    let seen = scene.ask("GET", &format!("/charges/{first}"), key, &Value::Null);
    let mut again = json!({});
    for field in ["amount", "currency", "metadata", "description"] {
        again[field] = seen[field].clone();
    }
    again["customer"] = attempt["customer"].clone();
    let second = scene.ask("POST", "/charges", key, &again)["id"].as_str().unwrap().to_owned();
    (first, second)
}

#[test]
fn a_second_charge_of_a_finished_attempt_is_an_incident_and_stops_nobody() {
    let scene = charged();
    let attempts = scene.list("attempts");
    let (first, second) = made_again(&scene, &attempts[0]);
    let (other, _) = scene.new_customer("4242424242424242");
    scene.import(&format!("id,customer,plan,starts\nnew,{other},monthly,2030-11-15\n"));
    assert_eq!(scene.run_at(AT).expect(3).json()["attempts"]["succeeded"], 1, "{}", scene.story());
    let incidents = || {
        let told = scene.list("events").into_iter().filter(|event| event["kind"] == "incident");
        told.map(|event| event.to_string()).collect::<Vec<_>>()
    };
    assert!(incidents().len() == 1, "{:?}", incidents());
    assert!(incidents()[0].contains(&first) && incidents()[0].contains(&second), "{:?}", incidents());
    // It is told once, also by who compares the whole book.
    scene.run_at(AT).expect(0);
    assert_eq!(adopt(&scene).expect(0).json()["contradicted"], 0);
    made_again(&scene, &attempts[1]);
    let adopted = adopt(&scene).expect(3).json();
    assert_eq!((&adopted["contradicted"], &adopted["taken_in"]), (&json!(1), &json!(0)), "{adopted}");
    scene.run_at(AT).expect(0);
    assert_eq!(incidents().len(), 2);
}

#[test]
fn several_second_charges_are_another_books() {
    let scene = charged();
    let doubled: Vec<_> =
        scene.list("attempts").iter().take(4).map(|attempt| made_again(&scene, attempt)).collect();
    let (first, second) = &doubled[3];
    refused(&scene, &["run-now", "--at", AT], &[first, second, "`dues adopt`"]);
}

#[test]
fn a_subscription_made_anew_after_a_book_was_put_back_is_another_one() {
    let scene = charged();
    copy_aside(&scene);
    let (customer, _) = scene.new_customer("4242424242424242");
    let subscribe = || {
        let words = ["subscribe", "--customer", &customer, "--plan", "monthly", "--starts", "2030-11-15"];
        scene.dues(&words).expect(0).stdout.trim().to_owned()
    };
    let lost = subscribe();
    scene.run_at(AT).expect(0);
    put_back(&scene);
    // Its charge is of a subscription that this book does not have: that is said, and a person's.
    let adopted = adopt(&scene).expect(3);
    assert!(adopted.stdout.contains(&lost), "{adopted:#?}");
    let incidents = || scene.list("events").iter().filter(|event| event["kind"] == "incident").count();
    assert_eq!(incidents(), 1);
    adopt(&scene).expect(3);
    assert_eq!(incidents(), 1, "it is noted once");
    let anew = subscribe();
    assert_ne!(lost, anew);
    scene.run_at(AT).expect(0);
    let invoices: std::collections::BTreeSet<_> =
        scene.ledger().iter().map(|entry| entry.metadata["dues_invoice"].to_string()).collect();
    assert_eq!(invoices.len(), scene.ledger().len(), "{}", scene.story());
}

#[test]
fn a_book_reached_by_a_link_is_locked_once() {
    let scene = charged();
    symlink("dues.db", scene.path("link.db")).unwrap();
    let config = fs::read_to_string(scene.path("dues.toml")).unwrap();
    scene.write("link.toml", &config.replace("dues.db", "link.db"));
    let run = ["run-now", "--at", AT, "--config", "link.toml"];
    let lock = ChargingLock::take(&scene.path("dues.db")).unwrap();
    refused(&scene, &run, &["dues.db.lock"]);
    drop(lock);
    scene.dues(&run).expect(0);
    for kind in ["lock", "witness", "reserve"] {
        assert!(!scene.path(&format!("link.db.{kind}")).exists(), "a second {kind}");
    }
}

const LATER: &str = "2030-11-25T09:00:00+07:00";

/// One customer, whose first charge meets that.
fn one_whose_first_charge_meets(fault: &str) -> Scene {
    let scene = Scene::new(Setting { customers: 1, ..Setting::default() });
    let customer = scene.customers().remove(0);
    scene.import(&format!("id,customer,plan,starts\ns0,{customer},monthly,2030-11-15\n"));
    scene.charges_meet(fault, None, Some(1));
    scene
}

fn paid(scene: &Scene) -> usize {
    scene.list("attempts").iter().filter(|attempt| attempt["status"] == "succeeded").count()
}

fn succeeded(scene: &Scene) -> usize {
    scene.ledger().iter().filter(|entry| entry.status == "successful").count()
}

/// Runs, an hour's worth of settling between them, until the invoice is paid.
fn run_until_paid(scene: &Scene, at: &str) {
    for _ in 0..6 {
        scene.run_at(at);
        if paid(scene) == 1 {
            return;
        }
        scene.provider_time_passes(20);
    }
    panic!("never paid: {}", scene.story());
}

#[test]
fn lost_attempts_of_one_invoice_are_all_taken_in() {
    let scene = one_whose_first_charge_meets("decline:insufficient_fund");
    copy_aside(&scene);
    scene.run_at(AT).expect(0);
    run_until_paid(&scene, LATER);
    assert_eq!((scene.ledger().len(), succeeded(&scene)), (2, 1));
    put_back(&scene);
    refused(&scene, &["run-now", "--at", LATER], &["older copy"]);
    let adopted = adopt(&scene).expect(0).json();
    assert_eq!((&adopted["taken_in"], &adopted["bound"]), (&json!(2), &json!(true)), "{adopted}");
    assert_eq!(paid(&scene), 1, "{}", scene.story());
    scene.run_at(LATER).expect(0);
    assert_eq!(succeeded(&scene), 1, "{}", scene.story());
}

#[test]
fn a_lost_attempt_behind_doubt_waits_for_its_end_before_the_book_is_bound() {
    let scene = one_whose_first_charge_meets("close_before");
    scene.run_at(AT);
    assert_eq!(scene.list("attempts")[0]["status"], "in_doubt", "{}", scene.story());
    copy_aside(&scene);
    scene.provider_time_passes(20);
    run_until_paid(&scene, LATER);
    assert_eq!(succeeded(&scene), 1);
    put_back(&scene);
    let mut bound = false;
    for _ in 0..6 {
        let adopted = adopt(&scene);
        bound = adopted.json()["bound"] == true;
        if bound {
            adopted.expect(0);
            break;
        }
        adopted.expect(4);
        refused(&scene, &["run-now", "--at", LATER], &["older copy"]);
        scene.provider_time_passes(20);
    }
    assert!(bound && paid(&scene) == 1, "{}", scene.story());
    scene.run_at(LATER).expect(0);
    assert_eq!(succeeded(&scene), 1, "{}", scene.story());
}
