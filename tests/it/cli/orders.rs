//! The life of a subscription by commands.

use super::Shop;

#[test]
fn a_subscription_lives_and_ends_by_commands() {
    let shop = Shop::new();
    let id = shop.subscribe("cust_test_1");
    let id = id.as_str();
    let row = |shop: &Shop| shop.dues(&["list", "subscriptions", "--json"]).ok().rows().remove(0);
    assert_eq!(row(&shop)["status"], "active");

    shop.dues(&["pause", id, "--until", "2199-01-01", "--reason", "holidays"]).ok();
    assert_eq!(row(&shop)["paused_until"], "2199-01-01T00:00:00+07:00");
    shop.dues(&["pause", id]).fails(2, &["is paused since", &format!("`dues resume {id}`")]);
    shop.dues(&["pause", id, "--until", "1999-01-01"]).fails(2, &[]);
    assert_eq!(shop.dues(&["resume", id, "--reason", "back", "--json"]).ok().json()["status"], "active");
    shop.dues(&["resume", id]).fails(2, &["there is nothing to resume"]);

    let changed =
        shop.dues(&["change", id, "--plan", "team-yearly", "--quantity", "3", "--card", "card_test_7"]).ok();
    assert!(changed.stdout.contains("next invoice 29,700.00 THB for the period from"), "{}", changed.stdout);
    let now = row(&shop);
    assert_eq!(
        (&now["plan"], now["quantity"].as_u64(), &now["card"]),
        (&"team-yearly".into(), Some(3), &"card_test_7".into())
    );
    shop.dues(&["change", id, "--card", "default"]).ok();
    assert!(row(&shop)["card"].is_null());
    shop.dues(&["change", id]).fails(2, &["found nothing to change"]);

    // The period that had begun got its invoice under the old terms before the change.
    let invoices = shop.dues(&["list", "invoices", "--json"]).ok().rows();
    assert_eq!((invoices.len(), invoices[0]["amount"].as_u64()), (1, Some(99_000)));
    let invoice = invoices[0]["id"].as_str().unwrap();
    shop.dues(&["retry", id, "--reason", "please"]).ok();
    shop.dues(&["invoice", "mark-paid", invoice, "--reason", "by transfer"]).ok();
    shop.dues(&["invoice", "void", invoice, "--reason", "again"]).fails(2, &["is paid already"]);
    shop.dues(&["retry", id]).fails(2, &["no open invoice"]);

    shop.dues(&["cancel", id, "--at-period-end"]).ok();
    assert!(row(&shop)["cancel_at"].is_string());
    shop.dues(&["cancel", id, "--reason", "moved"]).ok();
    assert_eq!(row(&shop)["status"], "canceled");
    shop.dues(&["cancel", id]).fails(2, &["has ended"]);

    let why = shop.dues(&["why", id, "--json"]).ok().json();
    let kinds: Vec<_> =
        why["events"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect();
    for kind in [
        "subscription_created",
        "subscription_paused",
        "subscription_resumed",
        "subscription_changed",
        "retry_requested",
        "invoice_paid",
        "cancel_scheduled",
        "subscription_canceled",
    ] {
        assert!(kinds.contains(&kind), "no {kind} in {kinds:?}");
    }
    let told = |kind: &str| {
        let event = why["events"].as_array().unwrap().iter().find(|event| event["kind"] == kind).unwrap();
        event["data"]["reason"].clone()
    };
    assert_eq!(
        (told("subscription_paused"), told("subscription_resumed")),
        ("holidays".into(), "back".into())
    );
    assert!(!why["next"].as_array().unwrap().is_empty());
    let story = shop.dues(&["why", id]).ok().stdout;
    assert!(
        story.contains("Invoices and attempts") && story.contains("Next") && story.contains("ended"),
        "{story}"
    );
}

#[test]
fn a_changed_plan_is_a_new_version_that_existing_subscriptions_get_when_asked() {
    let shop = Shop::new();
    let id = shop.subscribe("cust_test_1");
    shop.config("990.00 THB", "1090.00 THB");
    let diff = shop.dues(&["plans", "diff", "--json"]).ok().rows();
    assert_eq!((&diff[0]["plan"], &diff[0]["change"]), (&"pro-monthly".into(), &"changed".into()));
    assert_eq!(diff[0]["differences"][0]["term"], "price");
    assert!(shop.dues(&["plans", "diff"]).ok().stdout.contains("pro-monthly: changed"));
    let applied = shop.dues(&["plans", "apply", "--json"]).ok().json();
    assert_eq!((&applied["added"][0]["version"], &applied["moved"]), (&2.into(), &0.into()));
    let version =
        |shop: &Shop| shop.dues(&["list", "subscriptions", "--json"]).ok().rows()[0]["plan_version"].clone();
    assert_eq!(version(&shop), 1);
    let plans = shop.dues(&["plans", "--json"]).ok().rows();
    assert_eq!((&plans[0]["version"], &plans[0]["on_older_versions"]), (&2.into(), &1.into()));
    let moved = shop.dues(&["plans", "apply", "--existing", "--json"]).ok().json();
    assert_eq!((moved["added"].as_array().map(Vec::len), &moved["moved"]), (Some(0), &1.into()));
    assert_eq!(version(&shop), 2);
    let again = shop.dues(&["plans", "apply", "--existing"]).ok().stdout;
    assert!(
        again.contains("has all plans of the config already") && again.contains("0 subscriptions moved"),
        "{again}"
    );
    let why = shop.dues(&["why", &id]).ok().stdout;
    assert!(why.contains("pro-monthly version 2: 1,090.00 THB every month"), "{why}");
}

#[test]
fn a_backup_is_put_back_and_then_charges_only_once_it_was_adopted() {
    let shop = Shop::new();
    let id = shop.subscribe("cust_test_1");
    shop.dues(&["run-now", "--json"]).ok();
    shop.dues(&["backup", "copy.db"]).ok();
    shop.subscribe("cust_test_2");
    let restored = shop.dues(&["restore", "copy.db"]).ok().stdout;
    assert!(restored.contains("`dues adopt`"), "{restored}");
    let rows = shop.dues(&["list", "subscriptions", "--json"]).ok().rows();
    assert_eq!((rows.len(), &rows[0]["id"]), (1, &id.into()));
    let check = shop.dues(&["check"]);
    assert_eq!(check.code, 4, "{}", check.stdout);
    assert!(check.stdout.contains("run `dues adopt`"), "{}", check.stdout);
    shop.dues(&["run-now"]).fails(4, &["`dues adopt`"]);
    assert!(shop.path("book/dues.db.replaced").exists());
}

#[test]
fn check_says_that_all_is_well_and_changes_nothing() {
    let shop = Shop::new();
    let first = shop.dues(&["check", "--json"]).ok().json();
    assert_eq!(first["ok"], true, "{first}");
    assert!(!shop.path("book").exists(), "check made a book");
    shop.subscribe("cust_test_1");
    shop.config("990.00 THB", "1090.00 THB");
    let before = std::fs::read(shop.path("book/dues.db")).unwrap();
    let check = shop.dues(&["check"]).ok().stdout;
    assert!(check.contains("1 changed") && check.contains("Ready."), "{check}");
    assert_eq!(std::fs::read(shop.path("book/dues.db")).unwrap(), before);
    shop.write("PAUSED", "");
    let noted = shop.dues(&["check", "--json"]).ok().json();
    let brakes = noted["checks"].as_array().unwrap().iter().find(|one| one["check"] == "brakes").unwrap();
    assert_eq!(brakes["status"], "note");
}
