//! What only looks makes nothing, what would be refused is said beforehand, and what was most likely mistyped is told
//! while it can still be mended.

use super::Shop;

#[test]
fn what_only_reads_makes_no_book() {
    let shop = Shop::demo();
    let looks: &[&[&str]] = &[
        &["list", "subscriptions"],
        &["list", "customers"],
        &["why", "demo-012"],
        &["plans"],
        &["cards", "expiring"],
        &["cards", "watch"],
        &["reconcile"],
        &["notify", "list"],
        &["notify", "send"],
        &["pause", "demo-012"],
        &["adopt"],
    ];
    for args in looks {
        shop.dues(args).fails(4, &["demo-book/dues.db: found no book, wanted one: `dues run-now`"]);
        assert!(!shop.path("demo-book").exists(), "{args:?} made something");
    }
    let diff = shop.dues(&["plans", "diff", "--json"]).ok().rows();
    assert_eq!((diff.len(), &diff[0]["change"]), (5, &"new".into()));
    shop.dues(&["import", "demo.csv", "--dry-run"]).ok();
    assert!(!shop.path("demo-book").exists(), "a comparison made something");
    // The first command of the README, and what it invites to try next.
    shop.dues(&["run-now", "--json"]).ok();
    shop.dues(&["why", "demo-012"]).ok();
    assert_eq!(shop.dues(&["list", "subscriptions", "--json"]).ok().rows().len(), 200);
}

#[test]
fn a_comparison_of_plans_writes_nothing() {
    let shop = Shop::new();
    shop.subscribe("cust_test_1");
    shop.config("990.00 THB", "1090.00 THB");
    shop.config("zone = \"Asia/Bangkok\"", "zone = \"Asia/Tokyo\"");
    let bytes = || std::fs::read(shop.path("book/dues.db")).unwrap();
    let before = bytes();
    assert!(shop.dues(&["plans", "diff"]).ok().stdout.contains("pro-monthly: changed"));
    assert!(bytes() == before, "the book changed");
}

#[test]
fn a_dry_run_is_refused_what_a_run_is_refused() {
    let shop = Shop::new();
    shop.subscribe("cust_test_1");
    let both_refused = |code: i32, said: &str| {
        let before = std::fs::read(shop.path("book/dues.db")).unwrap();
        let dry = shop.dues(&["run-now", "--dry-run", "--json"]).fails(code, &["would be refused: ", said]);
        assert!(dry.stdout.is_empty(), "{}", dry.stdout);
        assert!(std::fs::read(shop.path("book/dues.db")).unwrap() == before, "a dry run wrote");
        let real = shop.dues(&["run-now"]).fails(code, &[said]);
        assert!(!real.stderr.contains("would be"), "{}", real.stderr);
    };
    shop.config("990.00 THB", "1.00 THB");
    both_refused(2, "plans.pro-monthly.price: found 1.00 THB, wanted at least 20.00 THB");
    shop.config("\"1.00 THB", "\"990.00 THB");
    shop.dues(&["run-now", "--json"]).ok();
    shop.dues(&["run-now", "--dry-run"]).ok();
    shop.dues(&["backup", "copy.db"]).ok();
    shop.dues(&["restore", "copy.db"]).ok();
    both_refused(4, "`dues adopt`");
}

#[test]
fn a_first_dry_run_decides_like_the_run_after_it() {
    let shop = Shop::demo();
    // The plans are in the book already, the demo's subscriptions are not.
    shop.dues(&["plans", "apply"]).ok();
    let dry = shop.dues(&["run-now", "--dry-run", "--json"]).ok().json();
    assert!(shop.dues(&["list", "subscriptions", "--json"]).ok().stdout.is_empty(), "a dry run imported");
    let real = shop.dues(&["run-now", "--json"]).ok().json();
    assert_eq!((&dry["considered"], &dry["invoiced"]), (&real["considered"], &real["invoiced"]));
    assert!(dry["considered"].as_u64() > Some(100), "{dry}");
}
