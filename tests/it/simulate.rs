//! A small form of the simulated year: what it counts is held together by its own judge, and planted bugs show that
//! the judge and the witness of the networks' limits can see.

use serde_json::Value;

use crate::harness::{Child, Ended};

fn play(words: &[&str], plant: &str) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    let mut all = vec!["simulate", "--json"];
    if !words.contains(&"--days") {
        all.extend(["--days", "60", "--subscriptions", "200"]);
    }
    all.extend(words);
    Child::start(folder.path(), &all, &[("DUES_PLANT", plant)]).wait()
}

fn count(row: &Value, name: &str) -> u64 {
    row[name].as_u64().unwrap_or_else(|| panic!("no {name} in {row}"))
}

#[test]
fn sixty_days_of_two_hundred_agree_with_the_ledger_under_every_policy() {
    for scenario in ["a", "b"] {
        let rows = play(&["--scenario", scenario, "--seed", "3"], "").expect(0).rows();
        let policies: Vec<&str> = rows.iter().filter_map(|row| row["policy"].as_str()).collect();
        assert_eq!(policies, ["none", "ours", "3/5/7", "8/8/8"]);
        for row in &rows {
            assert_eq!(count(row, "over_budget"), 0, "{row}");
            assert_eq!(count(row, "subscriptions"), 200);
            // Two periods of each, three of those that began on the first days, less what was paused.
            assert!((370..=600).contains(&count(row, "invoices")), "{row}");
            assert!((15..=80).contains(&count(row, "declined")), "{row}");
            let parts = ["recovered", "waiting", "lost"].map(|part| count(row, part));
            assert_eq!(parts.iter().sum::<u64>(), count(row, "declined"), "{row}");
            assert_eq!(count(row, "collected") % 99_000, 0, "{row}");
        }
        // Retrying brings back more than not retrying: anything else would be a fault of the play.
        assert!(count(&rows[1], "recovered") > count(&rows[0], "recovered"), "{rows:#?}");
    }
}

#[test]
fn a_seed_plays_the_same_again_and_another_does_not() {
    let once = |seed| play(&["--policy", "ours", "--seed", seed], "").expect(0).stdout;
    let first = once("5");
    assert_eq!(first, once("5"));
    assert_ne!(first, once("6"));
}

#[test]
fn a_second_charge_of_one_period_is_no_result_but_a_failure() {
    let small = ["--policy", "ours", "--days", "3", "--subscriptions", "20"];
    let failed = play(&small, "second-run-charges").expect(1);
    assert!(failed.stderr.contains("disagreement"), "{failed:#?}");
}

#[test]
fn a_try_after_never_is_counted_by_the_banks() {
    let rows = play(&["--policy", "ours"], "retried-after-never").expect(0).rows();
    assert!(count(&rows[0], "over_budget") > 0, "{rows:#?}");
}

#[test]
fn a_policy_that_nobody_named_is_refused() {
    let refused = play(&["--policy", "theirs"], "").expect(2);
    assert!(refused.stderr.contains("wanted one of"), "{refused:#?}");
}
