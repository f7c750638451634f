//! A row that no type can hold, such as a hand may write into the book: it is named, and stops nobody else.

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
