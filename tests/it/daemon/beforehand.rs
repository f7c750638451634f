//! What `dues check` says a start would do is what the start then does.

use rustix::process::Signal;

use super::process::{in_days, signal, start};
use crate::harness::{Scene, Setting};

#[test]
fn a_start_does_what_was_told_beforehand() {
    let scene = Scene::new(Setting::default());
    let customers = scene.customers();
    // Two in time; two that missed two weeks, of one customer; one that missed many.
    let rows = [(0, 0), (1, 0), (2, -16), (2, -16), (3, -100)];
    let rows = rows.map(|(customer, starts)| format!("{},weekly,{}", customers[customer], in_days(starts)));
    scene.import(&format!("customer,plan,starts\n{}\n", rows.join("\n")));
    let check = scene.dues(&["check", "--json"]).expect(0).json();
    let told = check["checks"].as_array().unwrap().iter().find(|one| one["check"] == "catch-up").unwrap();
    let data = &told["data"];
    assert_eq!(data["looked_at"], 5, "{told:#}");
    // 16 days are three weeks begun, 100 are fifteen.
    assert_eq!(
        (&data["invoiced"], &data["missed"]),
        (&(2 + 2 * 3 + 15).into(), &(2 * 2 + 14).into()),
        "{told:#}"
    );
    assert_eq!((&data["held_periods"], &data["held_customers"]), (&14.into(), &1.into()), "{told:#}");
    // One missed week of the pair at once and three on the days after; and the current week of all five.
    assert_eq!((&data["charges_now"], &data["charges_later"]), (&6.into(), &3.into()), "{told:#}");
    assert_eq!(data["spread_days"], 3, "{told:#}");
    let words = scene.dues(&["check"]).expect(0).stdout;
    assert!(words.contains("1 customer with 14 missed periods waits for `dues resume`"), "{words}");
    assert!(words.contains("the last in 3 days"), "{words}");
    assert!(scene.list("invoices").is_empty() && scene.ledger().is_empty(), "a check did something");
    let (child, mut supervisor) = start(&scene);
    supervisor.waits_for("5 considered, 6 succeeded");
    signal(&child, Signal::TERM);
    child.wait().expect(0);
    assert_eq!(scene.list("invoices").len(), 23, "{}", scene.story());
    assert_eq!(scene.ledger().len(), 6, "{}", scene.story());
}
