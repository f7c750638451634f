//! Attempts that only a person can end, ended.

use serde_json::Value;

use crate::harness::{AT, Scene, Setting};

const NEXT_MONTH: &str = "2026-12-21T09:00:00+07:00";

/// A book that lost a change of quantity and the charge of its period, put back and compared: attempt `sub.1.1` waits
/// for a person.
fn lost_a_change() -> Scene {
    let scene = Scene::new(Setting { customers: 1, ..Setting::default() });
    scene.import(&format!("customer,plan,id,starts\n{},monthly,sub,2026-11-21\n", scene.customers()[0]));
    scene.run_at(AT).expect(0);
    scene.dues(&["backup", "old.db"]).expect(0);
    scene.dues(&["change", "sub", "--quantity", "2"]).expect(0);
    scene.run_at(NEXT_MONTH).expect(0);
    scene.dues(&["restore", "old.db"]).expect(0);
    scene.dues(&["adopt"]).expect(3);
    scene
}

/// A charge of that sum at the provider.
fn charge_of(scene: &Scene, minor: i64) -> String {
    let rows = scene.dues(&["charges", "list", "--json"]).expect(0).rows();
    rows.iter().find(|row| row["amount"] == minor).unwrap()["id"].as_str().unwrap().to_owned()
}

fn told(row: &Value, name: &str) -> String {
    row[name].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_charge_of_another_sum_ends_its_own_attempt_and_is_the_last() {
    let scene = lost_a_change();
    let own = charge_of(&scene, 198_000);
    let way = format!("dues resolve sub.1.1 --charge {own}");
    let paid = scene.dues(&["invoice", "mark-paid", "sub.1", "--reason", "x"]).expect(2);
    assert!(paid.stderr.contains(&way) && !paid.stderr.contains("wait until"), "{}", paid.stderr);
    let absent = scene.dues(&["resolve", "sub.1.1", "--absent", "--reason", "x"]).expect(2);
    assert!(absent.stderr.contains(&way), "{}", absent.stderr);
    let ended = scene.dues(&["resolve", "sub.1.1", "--charge", &own, "--reason", "seen"]).expect(0);
    assert!(ended.stdout.contains("1980.00 THB, where 990.00 THB"), "{}", ended.stdout);
    let invoice = scene.list("invoices").remove(1);
    assert_eq!((told(&invoice, "status"), told(&invoice, "charge")), ("paid".into(), own));
    let incident = scene.list("events").into_iter().rfind(|event| event["kind"] == "incident").unwrap();
    let detail = incident["data"].to_string();
    assert!(detail.contains("found 1980.00 THB") && detail.contains("wanted 990.00 THB"), "{detail}");
    scene.run_at("2026-12-22T09:00:00+07:00").expect(0);
    scene.run_at("2027-01-21T09:00:00+07:00").expect(0);
    let sums: Vec<_> = scene.ledger().iter().map(|entry| entry.amount).collect();
    assert_eq!(sums, [99_000, 198_000, 99_000], "{}", scene.story());
    assert!(scene.dues(&["check"]).expect(0).stdout.contains("whole"));
}
