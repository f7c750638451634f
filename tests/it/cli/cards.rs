//! Cards that pay subscriptions: what ends soon, what the watch flags, what stands behind a flag.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Shop;

fn number(row: &Value, key: &str) -> u64 {
    row[key].as_u64().unwrap_or_else(|| panic!("no {key} in {row}"))
}

#[test]
fn the_watch_flags_once_and_flags_are_listed_by_the_money_behind_them() {
    let shop = Shop::demo();
    shop.dues(&["run-now", "--at", "2020-01-01", "--json"]).ok();
    let first = shop.dues(&["cards", "watch", "--json"]).ok().json();
    assert_eq!(number(&first, "listed") + number(&first, "gone"), number(&first, "customers"), "{first}");
    for key in ["customers", "flagged", "no_card", "ended", "gone"] {
        assert!(number(&first, key) > 0, "{key}: {first}");
    }
    let again = shop.dues(&["cards", "watch", "--json"]).ok().json();
    assert_eq!((number(&again, "flagged"), number(&again, "warned")), (0, 0), "{again}");
    assert_eq!(again["no_card"], first["no_card"]);

    let flags = shop.dues(&["list", "flags", "--json"]).ok().rows();
    assert_eq!(flags.len() as u64, number(&first, "flagged"));
    let mut currencies: Vec<&str> = flags.iter().map(|row| row["currency"].as_str().unwrap()).collect();
    for two in flags.windows(2).filter(|two| two[0]["currency"] == two[1]["currency"]) {
        assert!(number(&two[0], "at_risk") >= number(&two[1], "at_risk"), "{two:?}");
    }
    currencies.dedup();
    let distinct: BTreeSet<&str> = currencies.iter().copied().collect();
    assert_eq!(currencies.len(), distinct.len(), "each currency in one piece: {currencies:?}");
    assert!(number(&flags[0], "at_risk") > 0);
    let table = shop.dues(&["list", "flags"]).ok().stdout;
    assert!(table.lines().next().unwrap().contains("AT RISK"), "{table}");
    let access = std::fs::read_to_string(shop.path("demo-book/dues.db.access")).unwrap();
    assert!(access.contains("\"act\":\"cards watch\""), "{access}");
}

#[test]
fn a_card_that_ends_this_month_is_told_of_once_and_a_new_month_is_noticed() {
    let shop = Shop::demo();
    shop.dues(&["run-now", "--json"]).ok();
    let rows = shop.dues(&["cards", "expiring", "--within", "4000 weeks", "--json"]).ok().rows();
    let (customer, card) = (rows[0]["customer"].as_str().unwrap(), rows[0]["card"].as_str().unwrap());
    // A card's month ends in UTC-12.
    let there = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(-12)));
    let change = |year: i16| {
        let (month, year) = (there.month().to_string(), year.to_string());
        let to = ["--expiration-month", &month, "--expiration-year", &year];
        shop.dues(&[&["customers", "cards", "update", customer, card], &to[..]].concat()).ok();
    };
    change(there.year());
    let counts = shop.dues(&["cards", "watch", "--json"]).ok().json();
    assert_eq!((number(&counts, "changed"), number(&counts, "warned")), (1, 1), "{counts}");
    let counts = shop.dues(&["cards", "watch", "--json"]).ok().json();
    assert_eq!((number(&counts, "changed"), number(&counts, "warned")), (0, 0), "{counts}");
    let soon = shop.dues(&["cards", "expiring", "--json"]).ok().rows();
    assert!(!soon.is_empty() && soon.iter().all(|row| row["customer"] == customer), "{soon:?}");
    let told = shop.dues(&["list", "events", "--status", "card_expiring", "--json"]).ok().rows();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((&told[0]["customer"], &told[0]["data"]["card"]), (&customer.into(), &card.into()));
    change(there.year() + 3);
    let counts = shop.dues(&["cards", "watch", "--json"]).ok().json();
    assert_eq!((number(&counts, "changed"), number(&counts, "warned")), (1, 0), "{counts}");
    assert!(shop.dues(&["cards", "expiring", "--json"]).ok().rows().is_empty());
}

#[test]
fn a_refund_made_elsewhere_is_noted_once() {
    let shop = Shop::demo();
    shop.dues(&["run-now", "--json"]).ok();
    let paid =
        shop.dues(&["list", "attempts", "--status", "succeeded", "--json", "--limit", "1"]).ok().rows();
    let charge = paid[0]["charge"].as_str().unwrap();
    shop.dues(&["charges", "refund", charge, "20.00 THB"]).ok();
    let ahead = jiff::Timestamp::now().checked_add(jiff::SignedDuration::from_hours(1)).unwrap().to_string();
    // The demo leaves doubt behind, which the next run looks up: that is no difference.
    let words = ["reconcile", "--to", &ahead, "--json"];
    let first = shop.dues(&words).ok().json();
    assert_eq!((number(&first, "refunded"), number(&first, "noted")), (1, 1), "{first}");
    let again = shop.dues(&words).ok().json();
    assert_eq!((number(&again, "refunded"), number(&again, "noted")), (1, 0), "{again}");
    let told = shop.dues(&["list", "events", "--status", "charge_refunded", "--json"]).ok().rows();
    assert_eq!((told.len(), &told[0]["data"]["charge"]), (1, &charge.into()));
    assert_eq!(number(&told[0]["data"], "amount"), 2_000);
    let access = std::fs::read_to_string(shop.path("demo-book/dues.db.access")).unwrap();
    assert_eq!(access.matches("\"act\":\"reconcile\"").count(), 2, "{access}");
}

#[test]
fn consent_to_a_backup_card_is_given_and_taken_back_by_command() {
    let shop = Shop::new();
    let words =
        ["subscribe", "--customer", "cust_test_1", "--plan", "pro-monthly", "--backup-card", "yes", "--json"];
    let made = shop.dues(&words).ok().json();
    assert_eq!(made["backup_card"], true);
    let id = made["id"].as_str().unwrap();
    let changed = shop.dues(&["change", id, "--backup-card", "no", "--json"]).ok().json();
    assert_eq!(changed["backup_card"], false);
    shop.dues(&["change", id, "--backup-card", "perhaps"]).fails(2, &["perhaps"]);
    shop.write(
        "in.csv",
        "customer,plan,id,backup_card\ncust_test_2,pro-monthly,a,yes\ncust_test_3,pro-monthly,b,\n",
    );
    shop.dues(&["import", "in.csv"]).ok();
    let agreed = |id: &str| {
        let rows = shop.dues(&["list", "subscriptions", "--subscription", id, "--json"]).ok().rows();
        rows[0]["backup_card"].clone()
    };
    assert_eq!((agreed("a"), agreed("b")), (true.into(), false.into()));
    shop.write("bad.csv", "customer,plan,backup_card\ncust_test_2,pro-monthly,ja\n");
    shop.dues(&["import", "bad.csv"]).fails(2, &["line 2", "wanted yes or no"]);
}

#[test]
fn cards_that_end_are_shown_with_what_they_pay() {
    let shop = Shop::demo();
    shop.dues(&["run-now", "--json"]).ok();
    let rows = shop.dues(&["cards", "expiring", "--within", "4000 weeks", "--json"]).ok().rows();
    assert!(!rows.is_empty());
    let ends: Vec<&str> = rows.iter().map(|row| row["ends_at"].as_str().unwrap()).collect();
    assert!(ends.is_sorted(), "the first to end first: {ends:?}");
    for row in &rows {
        for key in
            ["customer", "subscription", "card", "brand", "last_digits", "expires", "next_due_at", "currency"]
        {
            assert!(row[key].is_string(), "{key}: {row}");
        }
        assert!(number(row, "amount") > 0);
        let late = row["next_due_at"].as_str() >= row["ends_at"].as_str();
        assert_eq!(row["misses_next"], late, "{row}");
    }
    let few =
        shop.dues(&["cards", "expiring", "--within", "4000 weeks", "--json", "--limit", "3"]).ok().rows();
    assert_eq!(few, rows[..3]);
    let table = shop.dues(&["cards", "expiring", "--within", "4000 weeks", "--limit", "2"]).ok().stdout;
    assert_eq!(table.lines().count(), 4, "a heading, two rows and a word about more: {table}");
    let soon = shop.dues(&["cards", "expiring", "--within", "1d", "--json"]).ok().rows();
    assert!(soon.len() < rows.len());
    shop.dues(&["cards", "expiring", "--within", "soon"]).fails(2, &["--within", "60d"]);
    shop.dues(&["cards", "expiring", "--within", "0d"]).fails(2, &["--within"]);
}
