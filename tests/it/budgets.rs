//! Budgets of the card networks, held by the real binary against a provider that declines everything.

use std::fmt::Write as _;

use crate::harness::{AT, Ended, Scene, Setting};

const VISA: &str = "4242424242424242";
const MASTERCARD: &str = "5555555555554444";
const JCB: &str = "3530111333300000";

/// Customers with that card number, each with so many subscriptions that are all due.
fn all_due(number: &str, customers: u32, subscriptions: u32) -> Scene {
    let scene = Scene::new(Setting { customers: 0, in_flight: 8, ..Setting::default() });
    let mut csv = "id,customer,plan,starts\n".to_owned();
    for c in 0..customers {
        let (customer, _) = scene.new_customer(number);
        for s in 0..subscriptions {
            writeln!(csv, "may-{c}-{s},{customer},monthly,2030-11-15").unwrap();
        }
    }
    scene.import(&csv);
    scene.charges_meet("decline:insufficient_fund", None, None);
    scene
}

#[track_caller]
fn run(scene: &Scene, at: &str) -> Ended {
    scene.run_at(at).expect(0)
}

#[test]
fn subscriptions_served_side_by_side_share_the_budget_of_their_card() {
    for (number, wanted) in [(VISA, 15), (MASTERCARD, 10), (JCB, 10)] {
        let scene = all_due(number, 1, 20);
        let report = run(&scene, AT).json();
        assert_eq!(scene.ledger().len(), wanted, "{number}\n{report}\n{}", scene.story());
        assert_eq!(report["attempts"]["declined"], wanted);
        assert_eq!(report["skipped"]["budget"], 20 - wanted);
    }
}

#[test]
fn one_number_has_one_budget_whoever_has_saved_it() {
    let scene = all_due(VISA, 4, 5);
    run(&scene, AT);
    assert_eq!(scene.ledger().len(), 15, "{}", scene.story());
}

#[test]
fn no_command_leads_past_a_budget_and_time_does() {
    let scene = all_due(VISA, 1, 16);
    run(&scene, AT);
    for at in [AT, "2030-11-23T12:00:00+07:00", "2030-12-20T09:00:00+07:00"] {
        for n in 0..16 {
            scene.dues(&["retry", &format!("may-0-{n}")]).expect(0);
        }
        run(&scene, at);
        scene.dues(&["run-now", "--at", at, "--only", "may-0-15"]).expect(0);
        assert_eq!(scene.ledger().len(), 15, "{at}\n{}", scene.story());
    }
    run(&scene, "2030-12-21T09:00:01+07:00");
    assert!(scene.ledger().len() > 15, "the oldest declines have aged\n{}", scene.story());
    assert!(scene.ledger().len() <= 30, "{}", scene.story());
}

#[test]
fn who_waits_for_the_turn_of_a_card_leaves_the_place_for_a_call_to_its_holder() {
    // The provider asks for patience, so whoever is being charged needs a second place while the others wait.
    let scene = Scene::new(Setting { customers: 0, in_flight: 2, ..Setting::default() });
    let (customer, _) = scene.new_customer(VISA);
    let rows = (0..6).fold("id,customer,plan,starts\n".to_owned(), |mut csv, n| {
        writeln!(csv, "may-{n},{customer},monthly,2030-11-15").unwrap();
        csv
    });
    scene.import(&rows);
    scene.charges_meet("too_many:0", None, Some(2));
    let report = run(&scene, AT).json();
    assert_eq!(report["attempts"]["succeeded"], 6, "{report}\n{}", scene.story());
    assert_eq!(scene.ledger().len(), 6);
}

#[test]
fn a_retry_by_hand_is_promised_when_its_card_may_be_tried_again() {
    let scene = Scene::new(Setting { customers: 1, ..Setting::default() });
    let who = scene.customers().remove(0);
    scene.import(&format!("id,customer,plan\nmay,{who},monthly\n"));
    scene.charges_meet("decline:insufficient_fund", Some(&who), Some(2));
    scene.dues(&["run-now"]).expect(0);
    let asked = scene.dues(&["retry", "may"]).expect(0).stdout;
    assert!(asked.starts_with("may: tried again in the next run\n"), "{asked}");
    scene.dues(&["run-now"]).expect(0);
    let asked = scene.dues(&["retry", "may"]).expect(0).stdout;
    let headline = asked.lines().next().unwrap_or_default();
    let (_, until) =
        headline.split_once("may: asked for; its card or customer rests until ").expect(headline);
    let until = until.strip_suffix(", and it is tried then").expect(headline);
    // What is promised is what the next run keeps.
    let before = scene.ledger().len();
    scene.dues(&["run-now"]).expect(0);
    assert_eq!(scene.ledger().len(), before, "{}", scene.story());
    let listed = scene.dues(&["list", "invoices", "--json"]).expect(0).rows();
    assert_eq!(listed[0]["next_attempt_at"], until, "{listed:?}");
}
