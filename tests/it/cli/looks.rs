//! What only looks makes nothing, what would be refused is said beforehand, and what was most likely mistyped is told
//! while it can still be mended.

use serde_json::Value;

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
    let first = shop.dues(&["run-now", "--dry-run", "--json"]).ok().json();
    assert!(!shop.path("demo-book").exists(), "a dry run made something");
    // The plans are in the book already, the demo's subscriptions are not.
    shop.dues(&["plans", "apply"]).ok();
    let dry = shop.dues(&["run-now", "--dry-run", "--json"]).ok().json();
    assert!(shop.dues(&["list", "subscriptions", "--json"]).ok().stdout.is_empty(), "a dry run imported");
    let real = shop.dues(&["run-now", "--json"]).ok().json();
    assert_eq!((&dry["considered"], &dry["invoiced"]), (&real["considered"], &real["invoiced"]));
    assert_eq!(first["planned"], dry["planned"]);
    assert!(dry["considered"].as_u64() > Some(100), "{dry}");
}

#[test]
fn ids_of_the_other_kind_of_account_are_refused() {
    let shop = Shop::new();
    let subscribe = |customer: &'static str, more: &[&'static str]| {
        shop.dues(&[&["subscribe", "--customer", customer, "--plan", "pro-monthly"], more].concat())
    };
    subscribe("cust_5x1", &[]).fails(
        2,
        &["customer: found cust_5x1, which is of a live account, wanted a test one, such as cust_test_"],
    );
    subscribe("cust_test_1", &["--card", "card_5x1"])
        .fails(2, &["card: found card_5x1", "wanted a test one"]);
    shop.write("in.csv", "customer,plan,card\ncust_test_1,pro-monthly,\ncust_5x2,pro-monthly,card_5x2\n");
    shop.dues(&["import", "in.csv"]).fails(
        2,
        &["in.csv: line 3: customer: found cust_5x2", "card: found card_5x2", "nothing was imported"],
    );
    assert!(!shop.path("book").exists(), "a refused command made a book");
    let id = shop.subscribe("cust_test_1");
    shop.dues(&["change", &id, "--card", "card_5x1"])
        .fails(2, &["card: found card_5x1", "wanted a test one"]);
    shop.dues(&["change", &id, "--card", "card_test_5x1"]).ok();

    // Live keys, and a book that is bound to nothing yet.
    let shop = Shop::new();
    shop.with_key("skey_5xuy4w91xqz7d1w9u0t", 0o600);
    shop.dues(&["subscribe", "--customer", "cust_test_1", "--plan", "pro-monthly"])
        .fails(2, &["customer: found cust_test_1, which is of a test account, wanted a live one"]);
}

#[test]
fn a_first_day_long_ago_is_told_before_anything_comes_of_it() {
    let shop = Shop::new();
    let subscribe = |starts: &str| {
        let words = ["subscribe", "--customer", "cust_test_1", "--plan", "pro-monthly", "--starts", starts];
        shop.dues(&[&words[..], &["--json"]].concat()).ok()
    };
    let missed = |row: &Value| row["missed_periods"].as_u64().unwrap();
    let today = jiff::Zoned::now().with_time_zone(jiff::tz::TimeZone::get("Asia/Bangkok").unwrap()).date();
    let new = subscribe(&today.to_string());
    assert_eq!((missed(&new.json()), new.stderr.as_str()), (0, ""));
    let old = subscribe("1900-01-01");
    let many = missed(&old.json());
    assert!(many > 1_500, "{}", old.stdout);
    let sentence = format!("{many} periods of {} have ended already", old.json()["id"].as_str().unwrap());
    assert!(old.stderr.contains(&sentence), "{}", old.stderr);
    for words in ["[catch_up] hold_after = 3", "`dues resume"] {
        assert!(old.stderr.contains(words), "{}", old.stderr);
    }
    let recent = subscribe(&today.checked_sub(jiff::Span::new().days(70)).unwrap().to_string());
    assert_eq!(missed(&recent.json()), 2);
    assert!(recent.stderr.contains("they are collected, one a day"), "{}", recent.stderr);
    // The forecast counts by the course itself.
    let check = shop.dues(&["check", "--json"]).ok().json();
    let told = check["checks"].as_array().unwrap().iter().find(|one| one["check"] == "catch-up").unwrap();
    assert_eq!(told["data"]["missed"], many + 2, "{told:#}");

    let ago = today.checked_sub(jiff::Span::new().days(70)).unwrap();
    shop.write(
        "in.csv",
        &format!(
            "customer,plan,starts,paid_through\ncust_test_2,pro-monthly,1900-01-01,\ncust_test_3,pro-monthly,{ago},\n\
             cust_test_4,pro-monthly,1900-01-01,{today}\n"
        ),
    );
    for more in [&["--dry-run"][..], &[]] {
        let done = shop.dues(&[&["import", "in.csv", "--json"], more].concat()).ok();
        let late = &done.json()["missed"];
        assert_eq!((&late["subscriptions"], &late["periods"]), (&2.into(), &(many + 2).into()), "{late}");
        assert_eq!(late["held"], many);
        assert!(done.stderr.contains(&format!("{} periods of 2 subscriptions", many + 2)), "{}", done.stderr);
    }
}
