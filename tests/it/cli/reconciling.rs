//! `dues reconcile` against providers that know less than the book.

use serde_json::{Value, json};

use crate::harness::{Scene, Setting};

const CUSTOMERS: u32 = 5;
/// Gone by, as the window that is compared is.
const AT: &str = "2026-11-21T09:00:00+07:00";

/// Everybody has been charged once, by a provider whose list shows a charge so late.
fn charged(list_delay_ms: u64) -> Scene {
    let scene = Scene::new(Setting { customers: CUSTOMERS, ..Setting::default() });
    scene.ask("POST", "/__sandbox/settings", "", &json!({"list_delay_ms": list_delay_ms}));
    let rows: Vec<String> = scene.customers().iter().map(|id| format!("{id},monthly,2026-11-21")).collect();
    scene.import(&format!("customer,plan,starts\n{}\n", rows.join("\n")));
    scene.run_at(AT).expect(0);
    scene
}

/// Matched, missing there, and requests made, over a window from that day on that holds the provider's own time.
fn reconciled(scene: &Scene, provider: &Scene, from: &str, code: i32) -> (u64, u64, u64) {
    scene.write_config("provider.toml", provider.sandbox().addr());
    let asked = || provider.ask("GET", "/__sandbox/traffic", "", &Value::Null)["requests"].as_u64().unwrap();
    let before = asked();
    let to = jiff::Timestamp::now().checked_add(jiff::SignedDuration::from_hours(1)).unwrap().to_string();
    let words = ["reconcile", "--from", from, "--to", &to, "--json", "--config", "provider.toml"];
    let counts = scene.dues(&words).expect(code).json();
    let count = |name: &str| counts[name].as_u64().unwrap();
    (count("matched"), count("missing_there"), asked() - before)
}

#[test]
fn what_the_list_shows_is_not_asked_for_again() {
    let scene = charged(0);
    assert_eq!(reconciled(&scene, &scene, "2026-11-20", 0), (5, 0, 1));
}

#[test]
fn what_the_list_does_not_show_is_asked_for_by_its_id() {
    let scene = charged(86_400_000);
    assert_eq!(reconciled(&scene, &scene, "2026-11-20", 0), (0, 0, 6), "all are there");
    // Made on that morning, by the billing instant.
    assert_eq!(reconciled(&scene, &scene, "2026-11-22", 0), (0, 0, 1), "none is of this window");
}

#[test]
fn what_the_provider_does_not_have_is_a_difference() {
    let scene = charged(0);
    let empty = Scene::new(Setting { customers: CUSTOMERS, ..Setting::default() });
    assert_eq!(reconciled(&scene, &empty, "2026-11-20", 3), (0, 5, 6));
}
