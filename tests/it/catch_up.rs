//! Missed periods of a customer with several subscriptions: one charge a day, the oldest of them all first.

use crate::harness::{Scene, Setting};

/// Whose invoices the ledger has, in the order of their charges: the subscription and the period's number.
fn charged(scene: &Scene) -> Vec<String> {
    scene.ledger().iter().map(|entry| entry.metadata["dues_invoice"].as_str().unwrap().to_owned()).collect()
}

/// One customer; at the end of November each subscription has missed two periods and is in its third.
fn scene(rows: &str) -> Scene {
    let scene = Scene::new(Setting { customers: 1, ..Setting::default() });
    let customer = &scene.customers()[0];
    scene.import(&format!("id,customer,plan,starts\n{}", rows.replace("CUST", customer)));
    scene
}

fn day(n: u32) -> String {
    format!("2030-11-{:02}T12:00:00+07:00", 20 + n)
}

#[test]
fn the_oldest_missed_period_of_a_customer_is_collected_first_whichever_subscription_it_is_of() {
    for rows in [
        "later,CUST,monthly,2030-09-10\nearly,CUST,monthly,2030-09-05\n",
        "early,CUST,monthly,2030-09-05\nlater,CUST,monthly,2030-09-10\n",
    ] {
        let scene = scene(rows);
        scene.run_at(&day(0)).expect(0);
        // The periods that have not ended are charged at once.
        let mut first = charged(&scene);
        first.sort_unstable();
        assert_eq!(first, ["early.0", "early.2", "later.2"], "{rows}\n{}", scene.story());
        for (n, wanted) in [(1, "later.0"), (2, "early.1"), (3, "later.1")] {
            scene.run_at(&day(n)).expect(0);
            let all = charged(&scene);
            assert_eq!(all.len(), 3 + n as usize, "{rows}\n{}", scene.story());
            assert_eq!(all.last().map(String::as_str), Some(wanted), "{rows}\n{}", scene.story());
        }
    }
}

#[test]
fn a_missed_period_that_waits_its_turn_is_listed_with_it() {
    let now = jiff::Timestamp::now();
    let begun = now.to_zoned(jiff::tz::TimeZone::get("Asia/Bangkok").unwrap()).date();
    // Two weeks have ended, the third has begun.
    let starts = begun.checked_sub(jiff::Span::new().days(17)).unwrap();
    let scene = scene(&format!("una,CUST,weekly,{starts}\n"));
    scene.dues(&["run-now"]).expect(0);
    assert_eq!(charged(&scene), ["una.0", "una.2"], "{}", scene.story());
    let turn = &scene.dues(&["list", "subscriptions", "--json"]).expect(0).rows()[0]["next_due_at"];
    let invoices = scene.dues(&["list", "invoices", "--status", "open", "--json"]).expect(0).rows();
    assert_eq!((&invoices[0]["id"], &invoices[0]["next_attempt_at"]), (&"una.1".into(), turn));
    let told: jiff::Timestamp = turn.as_str().unwrap().parse().unwrap();
    assert!(
        told >= now + jiff::SignedDuration::from_hours(24) - jiff::SignedDuration::from_secs(1),
        "{turn}"
    );
}
