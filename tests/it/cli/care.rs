//! Care for customers: one is erased, and every look at them is on record.

use serde_json::Value;

use super::Shop;

/// The customer of the first row of that list.
fn customer_of(shop: &Shop, list: &[&str]) -> String {
    let rows = shop.dues(&[&["list"], list, &["--json"]].concat()).ok().rows();
    rows[0]["customer"].as_str().unwrap().to_owned()
}

fn rows_of(shop: &Shop, kind: &str, customer: &str) -> Vec<Value> {
    shop.dues(&["list", kind, "--ended", "--customer", customer, "--json"]).ok().rows()
}

#[test]
fn an_erased_customer_leaves_the_money_facts_and_nothing_else() {
    let shop = Shop::demo();
    shop.dues(&["run-now"]).ok();
    let id = customer_of(&shop, &["flags", "--status", "dead_card"]);
    let erase = ["customers", "erase", &id, "--reason", "asked by mail", "--yes", "--json"];
    assert!(rows_of(&shop, "flags", &id)[0]["detail"].as_str().unwrap().contains("valid through"));
    let money = [rows_of(&shop, "attempts", &id), rows_of(&shop, "invoices", &id)];
    assert!(!money[0].is_empty(), "a card is dead once it was tried");

    let erased = shop.dues(&erase).ok().json();
    assert_eq!(
        (&erased["subscriptions_ended"], &erased["provider"], &erased["book"]),
        (&1.into(), &"deleted".into(), &"blanked".into())
    );
    assert_eq!(rows_of(&shop, "attempts", &id), money[0]);
    let amounts = |rows: &[Value]| rows.iter().map(|row| row["amount"].clone()).collect::<Vec<_>>();
    assert_eq!(amounts(&rows_of(&shop, "invoices", &id)), amounts(&money[1]));
    assert_eq!(rows_of(&shop, "subscriptions", &id)[0]["status"], "canceled");
    let customer = rows_of(&shop, "customers", &id).remove(0);
    assert_eq!((&customer["state"], customer["cards"].as_array().map(Vec::len)), (&"gone".into(), Some(0)));
    assert_eq!(rows_of(&shop, "flags", &id)[0]["detail"], "");
    let events = Value::from(rows_of(&shop, "events", &id)).to_string();
    assert!(!events.contains("valid through"), "{events}");
    shop.dues(&["customers", "get", &id]).fails(1, &["404 not_found"]);

    let again = shop.dues(&erase).ok().json();
    assert_eq!((&again["subscriptions_ended"], &again["provider"]), (&0.into(), &"absent".into()));
    shop.dues(&["check"]).ok();
}

#[test]
fn nobody_is_erased_by_mistake_or_while_money_may_move() {
    let shop = Shop::demo();
    shop.dues(&["run-now"]).ok();
    let doubtful = customer_of(&shop, &["attempts", "--status", "in_doubt"]);
    let refused = ["customers", "erase", &doubtful, "--reason", "asked", "--yes"];
    shop.dues(&refused).fails(2, &["is unfinished", "`dues resolve`"]);
    assert_ne!(rows_of(&shop, "subscriptions", &doubtful)[0]["status"], "canceled");
    assert_eq!(shop.dues(&["customers", "get", &doubtful, "--json"]).ok().json()["deleted"], false);

    let paid = customer_of(&shop, &["attempts", "--status", "succeeded"]);
    shop.dues(&["customers", "erase", &paid, "--reason", "asked"]).fails(2, &["--yes"]);
    shop.dues(&["customers", "erase", &paid, "--yes"]).fails(2, &["--reason"]);
    shop.dues(&["customers", "erase", &paid, "--yes", "--reason", " "]).fails(2, &["--reason"]);
    assert_eq!(shop.dues(&["customers", "get", &paid, "--json"]).ok().json()["deleted"], false);
    // As after a crash right behind the provider's answer.
    shop.dues(&["customers", "delete", &paid]).ok();
    let rest = shop.dues(&["customers", "erase", &paid, "--reason", "asked", "--yes", "--json"]).ok().json();
    assert_eq!((&rest["provider"], &rest["book"]), (&"absent".into(), &"blanked".into()));
    let nobody = ["customers", "erase", "cust_test_nobody", "--reason", "asked", "--yes"];
    shop.dues(&nobody).fails(2, &["neither in this book nor at the provider"]);
}

#[test]
fn whatever_shows_customers_is_on_record() {
    let shop = Shop::new();
    shop.dues(&["plans", "apply"]).ok();
    shop.dues(&["list", "customers", "--reason", "a call"]).ok();
    shop.dues(&["list", "invoices", "--customer", "cust_test_1"]).fails(2, &["--customer: found"]);
    shop.dues(&["charges", "get", "chrg_test_1", "--reason", "disputed"]).fails(1, &[]);
    shop.dues(&["charges", "list"]).ok();
    shop.dues(&["provider", "search", "customer"]).ok();
    // The diary tells whose card was flagged, and which it was.
    shop.dues(&["list", "events", "--reason", "an audit"]).ok();
    let seen = std::fs::read_to_string(shop.path("book/dues.db.access")).unwrap();
    // Of nobody in particular: no line.
    shop.dues(&["list", "invoices"]).ok();
    shop.dues(&["provider", "balance"]).ok();
    assert_eq!(std::fs::read_to_string(shop.path("book/dues.db.access")).unwrap(), seen);

    let lines: Vec<Value> = seen.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<_> = lines.iter().map(|line| [&line["act"], &line["customer"], &line["reason"]]).collect();
    let (none, word) = (Value::Null, |word: &str| Value::from(word));
    assert_eq!(told[0], [&word("list customers"), &none, &word("a call")]);
    assert_eq!(told[1], [&word("list invoices"), &word("cust_test_1"), &none]);
    assert_eq!(told[2], [&word("charges get"), &none, &word("disputed")]);
    assert_eq!(lines[2]["object"], "chrg_test_1");
    assert_eq!([told[3][0], told[4][0]], [&word("charges list"), &word("provider search")]);
    assert_eq!(told[5], [&word("list events"), &none, &word("an audit")]);
    assert_eq!(lines.len(), 6);
    assert!(lines.iter().all(|line| line["uid"].is_u64() && line.get("actor").is_some()), "{seen}");
}
