//! Plans of the config and those of the book: who may bring which, and what is sold.

use dues::store::Store as _;
use serde_json::json;

use super::Shop;
use super::bad_input::open;
use crate::harness::{Scene, Setting};

/// A config that names no key.
fn without_key(shop: &Shop) {
    shop.config("sandbox = true", "");
}

/// How many versions of plans the book has.
fn versions(shop: &Shop) -> usize {
    open(shop).plan_usage().unwrap().len()
}

/// Puts the config's plans into the book behind the program's back.
fn smuggle_plans(shop: &Shop) {
    let wished = dues::config::load(&shop.path("dues.toml")).unwrap().plans;
    open(shop).apply_plans(&wished, jiff::Timestamp::from_second(1_700_000_000).unwrap()).unwrap();
}

#[test]
fn who_only_looks_brings_no_price_into_the_book() {
    let shop = Shop::new();
    let id = shop.subscribe("cust_test_1");
    shop.config("990.00 THB", "1.00 THB");
    let looks: &[&[&str]] = &[
        &["list", "flags"],
        &["list", "subscriptions"],
        &["plans"],
        &["plans", "diff"],
        &["why", &id],
        &["cards", "expiring"],
        &["pause", &id],
        &["resume", &id],
        &["change", &id, "--quantity", "2"],
    ];
    let look = |shop: &Shop| {
        for args in looks {
            shop.dues(args).ok();
            assert_eq!(versions(shop), 2, "{args:?} brought a version");
        }
    };
    look(&shop);
    without_key(&shop);
    look(&shop);
    let told = shop.dues(&["plans", "--json"]).ok();
    assert_eq!((told.rows().len(), told.rows()[0]["price"].as_u64()), (2, Some(99_000)));
    assert!(told.stderr.contains("does not have the config's terms of pro-monthly yet"), "{}", told.stderr);

    // Whoever needs the new terms needs a key; the other plan is sold all the same.
    let new = ["subscribe", "--customer", "cust_test_2", "--plan", "pro-monthly"];
    shop.dues(&new).fails(2, &["found \"pro-monthly\"", "not have in the config's terms yet, and no key"]);
    shop.dues(&["plans", "apply"]).fails(2, &["plans.pro-monthly.price: found no key, wanted one"]);
    shop.dues(&["change", &id, "--plan", "pro-monthly"]).fails(2, &["and no key to hold its price against"]);
    shop.dues(&["subscribe", "--customer", "cust_test_2", "--plan", "team-yearly"]).ok();
    assert_eq!(versions(&shop), 2);
}

#[test]
fn who_only_looks_brings_in_what_the_account_can_charge() {
    let shop = Shop::new();
    let id = shop.subscribe("cust_test_1");
    for (count, (words, from, to)) in [
        (&["list", "subscriptions"][..], "990.00 THB", "1090.00 THB"),
        (&["why", &id], "1090.00 THB", "1190.00 THB"),
        (&["pause", &id], "1190.00 THB", "1290.00 THB"),
    ]
    .into_iter()
    .enumerate()
    {
        shop.config(from, to);
        let done = shop.dues(words).ok();
        assert!(!done.stderr.contains("stay out"), "{words:?}: {}", done.stderr);
        assert_eq!(versions(&shop), 3 + count, "{words:?}");
    }
}

#[test]
fn a_price_that_the_book_has_already_is_held_against_the_account_too() {
    let shop = Shop::new();
    let id = shop.subscribe("cust_test_1");
    shop.config("990.00 THB", "1.00 THB");
    smuggle_plans(&shop);
    let sentence = "plans.pro-monthly.price: found 1.00 THB, wanted at least 20.00 THB, the account's minimum; \
                    the book has it already: mend it, then `dues plans apply --existing`";
    let refused: &[&[&str]] = &[
        &["plans", "apply"],
        &["plans", "apply", "--existing"],
        &["run-now"],
        &["run-now", "--dry-run"],
        &["subscribe", "--customer", "cust_test_2", "--plan", "team-yearly"],
        &["change", &id, "--plan", "team-yearly"],
    ];
    for args in refused {
        shop.dues(args).fails(2, &[sentence]);
    }
    let list = shop.dues(&["list", "subscriptions", "--json"]).ok().rows();
    assert_eq!((list.len(), &list[0]["plan_version"]), (1, &1.into()));
    shop.config("\"1.00 THB", "\"990.00 THB");
    shop.dues(&["plans", "apply", "--existing"]).ok();
    shop.dues(&["run-now"]).ok();
}

#[test]
fn what_needs_no_new_plan_works_while_the_provider_is_away() {
    let shop = Shop::new();
    let (id, other) = (shop.subscribe("cust_test_1"), shop.subscribe("cust_test_2"));
    shop.config("990.00 THB", "1090.00 THB");
    shop.with_key("skey_test_5xuy4w91xqz7d1w9u0t", 0o600);
    let works: &[&[&str]] = &[
        &["list", "subscriptions"],
        &["plans", "list"],
        &["why", &id],
        &["pause", &id],
        &["resume", &id],
        &["change", &id, "--quantity", "3"],
        &["cancel", &id],
    ];
    for args in works {
        let done = shop.dues(args).ok();
        assert!(done.stderr.contains("stay out of the book for now"), "{args:?}: {}", done.stderr);
    }
    let rows = shop.dues(&["list", "subscriptions", "--json"]).ok().rows();
    assert_eq!((&rows[0]["id"], &rows[0]["status"]), (&id.as_str().into(), &"canceled".into()));
    shop.dues(&["change", &other, "--plan", "team-yearly"]).fails(1, &["the provider could not be read"]);
    assert_eq!(versions(&shop), 2);
    // Where nothing is new nothing waits for the provider.
    shop.config("1090.00 THB", "990.00 THB");
    let done = shop.dues(&["subscribe", "--customer", "cust_test_3", "--plan", "pro-monthly"]).ok();
    assert!(done.stderr.contains("could not be held against the account's limits"), "{}", done.stderr);
}

#[test]
fn a_dry_import_is_refused_the_prices_that_the_import_is_refused() {
    let shop = Shop::new();
    shop.write("in.csv", "customer,plan\ncust_test_1,pro-monthly\n");
    shop.config("990.00 THB", "1.00 THB");
    let said = "plans.pro-monthly.price: found 1.00 THB, wanted at least 20.00 THB";
    let dry = shop.dues(&["import", "in.csv", "--dry-run"]).fails(2, &["would be refused: ", said]);
    assert!(dry.stdout.is_empty() && !shop.path("book").exists(), "{}", dry.stdout);
    shop.dues(&["import", "in.csv"]).fails(2, &[said]);
    without_key(&shop);
    let dry = shop.dues(&["import", "in.csv", "--dry-run"]).ok();
    assert_eq!(dry.stdout, "1 line is good; nothing was written\n");
    assert!(dry.stderr.contains("prices were not held against the account's limits"), "{}", dry.stderr);
    shop.dues(&["import", "in.csv"]).fails(2, &["in.csv: line 2: plan: found \"pro-monthly\"", "and no key"]);
}

#[test]
fn a_plan_that_left_the_config_is_not_sold_and_goes_on() {
    let shop = Shop::new();
    let id = shop.subscribe("cust_test_1");
    let other = shop.dues(&["subscribe", "--customer", "cust_test_2", "--plan", "team-yearly"]).ok();
    shop.config("plans.pro-monthly", "plans.pro-month");
    let why = "plan: found \"pro-monthly\", which is in the book but no longer in the config, so it is not sold: wanted one \
               of the config's, such as pro-month, team-yearly";
    let new = ["subscribe", "--customer", "cust_test_3", "--plan", "pro-monthly"];
    shop.dues(&new).fails(2, &[why]);
    shop.dues(&["change", other.stdout.trim(), "--plan", "pro-monthly"]).fails(2, &[why]);
    shop.write("in.csv", "customer,plan\ncust_test_4,team-yearly\ncust_test_5,pro-monthly\n");
    for more in [&[][..], &["--dry-run"]] {
        let args = [&["import", "in.csv"], more].concat();
        shop.dues(&args).fails(2, &[&format!("in.csv: line 3: {why}"), "1 bad line; nothing was imported"]);
    }
    shop.dues(&["subscribe", "--customer", "cust_test_3", "--plan", "pro-month"]).ok();
    shop.dues(&["change", &id, "--quantity", "2"]).ok();
    let report = shop.dues(&["run-now", "--json"]).ok().json();
    assert_eq!(report["considered"], 2, "{report}");
    let rows = shop.dues(&["list", "subscriptions", "--json"]).ok().rows();
    assert_eq!((rows.len(), &rows[0]["plan"], &rows[0]["quantity"]), (3, &"pro-monthly".into(), &2.into()));
}

#[test]
fn a_key_of_the_other_kind_brings_no_plan_into_the_book() {
    let shop = Shop::new();
    shop.subscribe("cust_test_1");
    shop.dues(&["run-now"]).ok();
    shop.config("990.00 THB", "1090.00 THB");
    // Nobody answers at that address: whoever asked before it looked would say so, and exit 1.
    shop.with_key("skey_5xuy4w91xqz7d1w9u0t", 0o600);
    shop.dues(&["plans", "apply"]).fails(2, &["live", "test"]);
    assert_eq!(versions(&shop), 2);
}

#[test]
fn who_waits_for_the_provider_is_told_so() {
    let scene = Scene::new(Setting { customers: 1, ..Setting::default() });
    scene.import(&format!("customer,plan\n{},monthly\n", scene.customers()[0]));
    let id = scene.list("subscriptions")[0]["id"].as_str().unwrap().to_owned();
    let good = std::fs::read_to_string(scene.path("dues.toml")).unwrap();
    let more = |name: &str| {
        let plan =
            format!("\n[plans.{name}]\nprice = \"30.00 THB\"\nevery = \"week\"\ndunning = \"standard\"\n");
        scene.write("dues.toml", &(good.clone() + &plan));
    };
    let slow = json!({"path": "/capability", "method": "GET", "faults": "delay_before:1500"});
    scene.ask("POST", "/__sandbox/faults", "", &slow);
    more("tiny");
    let change = scene.dues(&["change", &id, "--plan", "weekly"]).expect(0);
    let told = "waiting for the provider, a call to which may take 6s: the config's prices are held against the account's \
                limits; new to the book: tiny";
    assert_eq!(change.stderr.matches(told).count(), 1, "{change:#?}");
    more("small");
    let run = scene.dues(&["run-now"]).expect(0);
    assert_eq!(run.stderr.matches("new to the book: small").count(), 1, "{run:#?}");
    scene.behave();
    more("little");
    let change = scene.dues(&["change", &id, "--plan", "little"]).expect(0);
    assert!(!change.stderr.contains("waiting"), "{change:#?}");
}
