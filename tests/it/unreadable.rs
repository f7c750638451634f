//! A row that no type can hold, such as a hand may write into the book: it is named, and stops nobody else.

use std::time::Duration;

use crate::harness::{AT, Scene, Setting};

const WRONG: &str = "subscriptions 1: found \"99999999\", wanted days since 1970";

#[test]
fn one_unreadable_subscription_stops_nobody_else() {
    let scene = Scene::new(Setting { customers: 4, ..Setting::default() });
    let rows: Vec<String> = scene.customers().iter().map(|id| format!("{id},weekly")).collect();
    // By the machine's clock throughout, as `check` goes by it.
    let run_now = |code: i32| scene.dues(&["run-now", "--json"]).expect(code).json();
    scene.import(&format!("customer,plan\n{}\n", rows.join("\n")));
    let book = rusqlite::Connection::open(scene.path("dues.db")).unwrap();
    assert_eq!(book.execute("UPDATE subscriptions SET starts = 99999999 WHERE row = 1", []).unwrap(), 1);
    let dry = scene.dues(&["run-now", "--dry-run", "--json"]).expect(3).json();
    assert_eq!(dry["flagged"]["unchargeable"], 1, "{dry:#}");
    assert_eq!(scene.list("flags").len(), 0, "a dry run writes nothing");
    for (succeeded, flagged) in [(3, Some(1)), (0, None)] {
        let report = run_now(3);
        assert_eq!(report["attempts"]["succeeded"].as_u64().unwrap_or(0), succeeded, "{report:#}");
        let incidents = report["incidents"].as_array().unwrap();
        assert_eq!(incidents.len(), 1, "{report:#}");
        let told = incidents[0].as_str().unwrap();
        assert!(told.contains(WRONG), "{told}");
        assert_eq!(report["flagged"]["unchargeable"].as_u64(), flagged, "raised once: {report:#}");
        let flags = scene.list("flags");
        assert_eq!(flags.len(), 1, "{flags:#?}");
        assert!(flags[0]["detail"].as_str().unwrap().contains(WRONG), "{flags:#?}");
    }
    assert_eq!(scene.ledger().len(), 3, "the others have paid, once");
    let check = scene.dues(&["check"]);
    assert!(check.stdout.contains("1 subscription of which nothing can be told"), "{check:#?}");
    // Put right by the same hand: it is charged, and its flag goes.
    let starts =
        "UPDATE subscriptions SET starts = (SELECT starts FROM subscriptions WHERE row = 2) WHERE row = 1";
    assert_eq!(book.execute(starts, []).unwrap(), 1);
    assert_eq!(run_now(0)["attempts"]["succeeded"], 1);
    assert_eq!((scene.list("flags").len(), scene.ledger().len()), (0, 4));
}

/// Four customers on a weekly plan; the zone of the first subscription is one that no calendar knows.
fn with_a_wrong_zone() -> Scene {
    with_a_wrong_zone_after(|_| ())
}

/// The same, that zone being written after this.
fn with_a_wrong_zone_after(before: impl FnOnce(&Scene)) -> Scene {
    let scene = Scene::new(Setting { customers: 4, ..Setting::default() });
    let rows: Vec<String> = scene.customers().iter().map(|id| format!("{id},weekly,2030-11-21")).collect();
    scene.import(&format!("customer,plan,starts\n{}\n", rows.join("\n")));
    before(&scene);
    let book = rusqlite::Connection::open(scene.path("dues.db")).unwrap();
    let wrong = "INSERT INTO zones (row, name) VALUES (99, 'Mars/Tharsis'); \
        UPDATE subscriptions SET zone = 99 WHERE row = 1";
    book.execute_batch(wrong).unwrap();
    scene
}

#[test]
fn a_list_shows_the_others_and_names_the_one_that_cannot_be_read() {
    let scene = with_a_wrong_zone();
    let customers = scene.customers();
    let listed = scene.dues(&["list", "subscriptions", "--json"]).expect(3);
    let why = "zones 99: found \"Mars/Tharsis\"";
    assert!(listed.stderr.contains(why), "{listed:#?}");
    let rows = listed.rows();
    assert_eq!(rows.len(), 4, "{rows:#?}");
    let (bad, good) = (rows[0].as_object().unwrap(), rows[1].as_object().unwrap());
    // Whatever a script asks of a row it finds in this one too; what nobody can tell is null.
    let keys: Vec<_> = bad.keys().filter(|key| *key != "unreadable").collect();
    assert_eq!(keys, good.keys().collect::<Vec<_>>());
    assert_eq!(
        (&bad["customer"], &bad["status"], &bad["flags"]),
        (&customers[0].clone().into(), &serde_json::Value::Null, &serde_json::json!([]))
    );
    assert!(bad["unreadable"].as_str().unwrap().contains(why), "{bad:#?}");
    // The page's end is where it was.
    let first = scene.dues(&["list", "subscriptions", "--limit", "1"]).expect(3);
    assert!(first.stdout.contains("unreadable") && first.stdout.contains("and more"), "{first:#?}");
    let of_another = ["list", "subscriptions", "--json", "--customer", customers[1].as_str()];
    assert_eq!(scene.dues(&of_another).expect(0).rows().len(), 1);
}

#[test]
fn a_run_of_one_that_cannot_be_read_flags_it_and_a_run_of_another_is_made() {
    let scene = with_a_wrong_zone();
    let rows = scene.dues(&["list", "subscriptions", "--json"]).expect(3).rows();
    let (bad, good) = (rows[0]["id"].as_str().unwrap(), rows[1]["id"].as_str().unwrap());
    let run = |only: &str, more: &[&str], exit| {
        scene.dues(&[&["run-now", "--at", AT, "--json", "--only", only], more].concat()).expect(exit).json()
    };
    assert_eq!(run(good, &[], 0)["attempts"]["succeeded"], 1);
    let dry = run(bad, &["--dry-run"], 3);
    assert_eq!((&dry["flagged"]["unchargeable"], scene.list("flags").len()), (&1.into(), 0), "{dry:#}");
    for flagged in [Some(1), None] {
        let report = run(bad, &[], 3);
        assert_eq!(report["flagged"]["unchargeable"].as_u64(), flagged, "raised once: {report:#}");
        let told = report["incidents"][0].as_str().unwrap();
        assert!(told.contains("Mars/Tharsis"), "{told}");
        assert_eq!(scene.list("flags")[0]["subscription"], bad);
    }
    // The same by its customer, and beside a word that is in no book.
    run(rows[0]["customer"].as_str().unwrap(), &[], 3);
    let mistyped = scene.dues(&["run-now", "--only", &format!("{good}0")]).expect(2);
    assert!(mistyped.stderr.contains(&format!("did you mean {good:?}")), "{mistyped:#?}");
    let mistyped = scene.dues(&["run-now", "--only", &format!("{bad}0")]).expect(2);
    assert!(mistyped.stderr.contains(&format!("did you mean {bad:?}")), "{mistyped:#?}");
    assert_eq!(scene.ledger().len(), 1);
}

#[test]
fn the_invoices_and_cards_of_one_that_cannot_be_read_are_shown_all_the_same() {
    let scene = with_a_wrong_zone_after(|scene| drop(scene.run_at(AT).expect(0)));
    let listed = scene.dues(&["list", "invoices", "--json"]).expect(3);
    let invoices = listed.rows();
    assert_eq!(invoices.len(), 4, "{invoices:#?}");
    assert_eq!(invoices[0]["period_start"], "2030-11-20T17:00:00+00:00", "the same instant, told in UTC");
    assert_eq!(invoices[1]["period_start"], "2030-11-21T00:00:00+07:00");
    assert!(listed.stderr.contains(&format!("the zone of invoice {}", invoices[0]["id"].as_str().unwrap())));
    let ending = scene.dues(&["cards", "expiring", "--within", "100 years", "--json"]).expect(3);
    assert_eq!(ending.rows().len(), 4, "{ending:#?}");
    assert_eq!(ending.rows().iter().filter(|row| row["next_due_at"].is_null()).count(), 1, "{ending:#?}");
}

#[test]
fn one_that_cannot_be_read_keeps_no_other_on_an_older_plan() {
    let scene = with_a_wrong_zone();
    let config = std::fs::read_to_string(scene.path("dues.toml")).unwrap();
    scene.write("dues.toml", &config.replace("120.50 THB", "130.50 THB"));
    let applied = scene.dues(&["plans", "apply", "--existing", "--json"]).expect(3);
    assert_eq!((&applied.json()["moved"], &applied.json()["left"]), (&3.into(), &1.into()), "{applied:#?}");
    assert!(applied.stderr.contains("Mars/Tharsis"), "{applied:#?}");
    let rows = scene.dues(&["list", "subscriptions", "--json"]).expect(3).rows();
    let versions: Vec<_> = rows.iter().map(|row| row["plan_version"].as_u64()).collect();
    assert_eq!(versions, [None, Some(2), Some(2), Some(2)]);
}

#[test]
fn one_subscription_that_cannot_be_decided_stops_nobody_else() {
    let scene = Scene::new(Setting { customers: 2, ..Setting::default() });
    let customers = scene.customers();
    let rows = format!("{},weekly,2030-11-21\n{},monthly,2030-11-21\n", customers[0], customers[1]);
    scene.import(&format!("customer,plan,starts\n{rows}"));
    let book = rusqlite::Connection::open(scene.path("dues.db")).unwrap();
    // What one of them costs is more than any amount can say.
    let guard = "SELECT sql FROM sqlite_schema WHERE name = 'plan_versions_never_change'";
    let guard: String = book.query_row(guard, [], |row| row.get(0)).unwrap();
    let dear = "UPDATE plan_versions SET terms = replace(terms, '120.50', '90000000000000000.00') \
        WHERE row = (SELECT plan FROM subscriptions WHERE row = 1); \
        UPDATE subscriptions SET quantity = 2 WHERE row = 1";
    book.execute_batch(&format!("DROP TRIGGER plan_versions_never_change; {dear}; {guard}")).unwrap();
    for (succeeded, flagged) in [(1, Some(1)), (0, None)] {
        let report = scene.run_at(AT).expect(3).json();
        assert_eq!(report["attempts"]["succeeded"].as_u64().unwrap_or(0), succeeded, "{report:#}");
        assert_eq!(report["flagged"]["unchargeable"].as_u64(), flagged, "raised once: {report:#}");
        assert_eq!(report["incidents"].as_array().unwrap().len(), 1, "{report:#}");
        assert_eq!(scene.list("flags").len(), 1);
    }
    assert_eq!(scene.ledger().len(), 1);
}

#[test]
fn one_unreadable_subscription_in_doubt_stops_neither_runs_nor_the_watch() {
    let scene = Scene::new(Setting { customers: 3, ..Setting::default() });
    let customers = scene.customers();
    let rows: Vec<String> = customers.iter().map(|id| format!("{id},weekly,2030-11-21")).collect();
    scene.import(&format!("customer,plan,starts\n{}\n", rows.join("\n")));
    scene.charges_meet("close_before", Some(&customers[0]), Some(1));
    scene.dues(&["run-now", "--at", AT, "--only", &customers[0]]).expect(0);
    assert_eq!(scene.list("attempts")[0]["status"], "in_doubt");
    let book = rusqlite::Connection::open(scene.path("dues.db")).unwrap();
    assert_eq!(book.execute("UPDATE subscriptions SET starts = 99999999 WHERE row = 1", []).unwrap(), 1);
    let report = scene.run_at(AT).expect(3).json();
    assert_eq!(report["attempts"]["succeeded"], 2, "{report:#}");
    let watched = scene.dues(&["cards", "watch", "--json"]).expect(0).json();
    assert_eq!((&watched["customers"], &watched["unread"]), (&3.into(), &1.into()), "{watched}");
}

/// Waits until the provider has made so many charges.
fn ledger_has(scene: &Scene, charges: usize) {
    for _ in 0..10_000 {
        if scene.ledger().len() >= charges {
            return;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    panic!("no charge: {}", scene.story());
}

fn hand(scene: &Scene, sql: &str) {
    let book = rusqlite::Connection::open(scene.path("dues.db")).unwrap();
    book.busy_timeout(Duration::from_secs(10)).unwrap();
    assert_eq!(book.execute(sql, []).unwrap(), 1, "{sql}");
}

#[test]
fn a_result_whose_subscription_cannot_be_read_any_more_is_given_up_and_looked_up_later() {
    let scene = Scene::new(Setting { customers: 1, timeout: "20s", ..Setting::default() });
    scene.import(&format!("customer,plan,id,starts\n{},weekly,sub,2030-11-21\n", scene.customers()[0]));
    scene.charges_meet("delay_after:4000", None, Some(1));
    let run = scene.start(&["run-now", "--json", "--at", AT], &[]);
    ledger_has(&scene, 1);
    // Somebody ends it while its charge is on its way, and another writes what nobody can read.
    scene.dues(&["cancel", "sub"]).expect(0);
    hand(&scene, "UPDATE subscriptions SET starts = 99999999");
    let ended = run.kill_after(Duration::from_secs(20));
    assert!(!ended.killed(), "it goes round for ever, and has said {} bytes", ended.stderr.len());
    let report = ended.expect(3).json();
    let told = report["incidents"][0].as_str().unwrap();
    assert!(told.starts_with("attempt sub.0.1: ") && told.contains(WRONG), "{report:#}");
    assert_eq!(scene.list("attempts")[0]["status"], "intended");
    let starts = "UPDATE subscriptions SET starts = (julianday('2030-11-21') - julianday('1970-01-01'))";
    hand(&scene, starts);
    scene.run_at(AT);
    let attempt = scene.list("attempts").remove(0);
    assert_eq!(
        (attempt["status"].as_str(), scene.ledger().len()),
        (Some("succeeded"), 1),
        "{}",
        scene.story()
    );
}

#[test]
fn one_that_cannot_be_read_any_more_once_its_turn_comes_stops_nobody_else() {
    const DUE: usize = 20;
    let scene = Scene::new(Setting { customers: 101, ..Setting::default() });
    let customers = scene.customers();
    // The last is on the second page of the provider's list: it is put off until that page has come.
    let who = customers[..DUE - 1].iter().chain(customers.last()).enumerate();
    let rows: Vec<_> = who.map(|(n, id)| format!("s{n},{id},weekly,2030-11-21\n")).collect();
    scene.import(&format!("id,customer,plan,starts\n{}", rows.concat()));
    let slow =
        serde_json::json!({"path": "/customers", "method": "GET", "faults": "delay_before:2000", "nth": 2});
    scene.ask("POST", "/__sandbox/faults", "", &slow);
    let run = scene.start(&["run-now", "--json", "--at", AT], &[]);
    ledger_has(&scene, 1);
    hand(&scene, &format!("UPDATE subscriptions SET starts = 99999999 WHERE id = 's{}'", DUE - 1));
    let report = run.wait().expect(3).json();
    assert_eq!(report["attempts"]["succeeded"], DUE - 1, "{report:#}");
    let told = report["incidents"][0].as_str().unwrap();
    assert!(told.contains("99999999"), "{report:#}");
    let flags = scene.list("flags");
    assert_eq!((flags.len(), &flags[0]["subscription"]), (1, &format!("s{}", DUE - 1).into()), "{flags:#?}");
}
