//! Cards that end, and payments that wait: told of by their events, each once.

use super::words::{hooked, send, told};
use crate::harness::AT;

#[test]
fn a_payment_that_waits_for_its_customer_is_told_with_its_page() {
    let scene = hooked();
    let who = scene.customers().remove(0);
    scene.import(&format!("id,customer,plan,starts\nmay,{who},monthly,2030-11-15\n"));
    scene.charges_meet("3ds", Some(&who), Some(1));
    scene.run_at(AT).expect(0);
    send(&scene);
    let text = std::fs::read_to_string(scene.path("told.jsonl")).unwrap();
    let line = text.lines().find(|line| line.contains("action_needed")).unwrap_or_else(|| panic!("{text}"));
    let message: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(message["key"], "action_needed/may.0.1");
    assert!(message["facts"]["action_url"].as_str().unwrap().starts_with("http"), "{message}");
}

#[test]
fn a_customer_without_a_card_is_told_once_though_every_run_looks_again() {
    let scene = hooked();
    let who = scene.cardless_customer();
    scene.import(&format!("id,customer,plan,starts\nuna,{who},monthly,2030-11-15\n"));
    for _ in 0..3 {
        scene.run_at(AT).expect(0);
        send(&scene);
    }
    let flags: Vec<_> = told(&scene).into_iter().filter(|key| key.starts_with("no_card/una/")).collect();
    assert_eq!(flags.len(), 1, "{:?}", told(&scene));
}

#[test]
fn a_hard_decline_is_told_once_though_its_card_is_flagged_too() {
    let scene = hooked();
    let who = scene.customers();
    scene.import(&format!(
        "id,customer,plan,starts\nmay,{},monthly,2030-11-15\nlou,{},monthly,2030-11-15\n",
        who[0], who[1]
    ));
    scene.charges_meet("decline:stolen_or_lost_card", Some(&who[0]), Some(1));
    scene.charges_meet("decline:expired_card", Some(&who[1]), Some(1));
    for _ in 0..2 {
        scene.run_at(AT).expect(0);
        send(&scene);
    }
    let flags = scene.dues(&["list", "flags", "--json"]).expect(0).rows();
    let mut reasons: Vec<_> = flags.iter().filter_map(|row| row["reason"].as_str()).collect();
    reasons.sort_unstable();
    assert_eq!(reasons, ["dead_card", "expired_card"]);
    let wanted =
        ["action_needed/lou.0.1", "action_needed/may.0.1", "invoice_opened/lou.0", "invoice_opened/may.0"];
    assert_eq!(told(&scene), wanted);
}
