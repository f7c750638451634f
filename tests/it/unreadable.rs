//! A row that no type can hold, such as a hand may write into the book: it is named, and stops nobody else.

use crate::harness::{AT, Scene, Setting};

#[test]
fn one_unreadable_subscription_stops_nobody_else() {
    let scene = Scene::new(Setting { customers: 4, ..Setting::default() });
    let rows: Vec<String> = scene.customers().iter().map(|id| format!("{id},weekly,2026-11-21")).collect();
    scene.import(&format!("customer,plan,starts\n{}\n", rows.join("\n")));
    let book = rusqlite::Connection::open(scene.path("dues.db")).unwrap();
    assert_eq!(book.execute("UPDATE subscriptions SET starts = 99999999 WHERE row = 1", []).unwrap(), 1);
    for succeeded in [3, 0] {
        let report = scene.run_at(AT).expect(3).json();
        assert_eq!(report["attempts"]["succeeded"].as_u64().unwrap_or(0), succeeded, "{report:#}");
        let incidents = report["incidents"].as_array().unwrap();
        assert_eq!(incidents.len(), 1, "{report:#}");
        let told = incidents[0].as_str().unwrap();
        assert!(told.contains("subscriptions 1: found \"99999999\", wanted days since 1970"), "{told}");
    }
    assert_eq!(scene.ledger().len(), 3, "the others have paid, once");
    let check = scene.dues(&["check"]);
    assert!(check.stdout.contains("1 subscriptions of which nothing can be told"), "{check:#?}");
}
