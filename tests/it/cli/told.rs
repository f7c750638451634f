//! What people and scripts are told holds: nothing is said that another line gainsays, and nothing is left out.

use super::Shop;

#[test]
fn a_run_that_was_stopped_does_not_say_that_nothing_is_due() {
    let shop = Shop::new();
    shop.subscribe("cust_test_1");
    shop.write("PAUSED", "");
    let stopped = shop.dues(&["run-now"]);
    assert_eq!(stopped.code, 3, "{}", stopped.stderr);
    assert!(!stopped.stdout.contains("Nothing is due"), "{}", stopped.stdout);
    assert!(stopped.stdout.contains("what is due stays due: remove the pause file"), "{}", stopped.stdout);
    std::fs::remove_file(shop.path("PAUSED")).unwrap();

    // The sandbox of this shop knows no such customer: flagged, and passed over for nothing else.
    let flagged = shop.dues(&["run-now"]).ok().stdout;
    assert!(flagged.contains("passed over for what stands under \"flagged\"."), "{flagged}");
    assert!(flagged.contains("\n  flagged ") && !flagged.contains("\n  skipped "), "{flagged}");
}
