//! What the book says, to people and to programs.

use std::collections::BTreeSet;
use std::process::Stdio;

use super::Shop;

#[test]
fn rows_carry_the_keys_that_scripts_read() {
    let shop = Shop::demo();
    let report = shop.dues(&["run-now", "--json"]).ok().json();
    assert!(report["attempts"]["succeeded"].as_u64() > Some(100), "{report}");
    for (kind, keys) in [
        (
            "subscriptions",
            "id customer plan status quantity zone anchor period_start period_end next_due_at flags",
        ),
        (
            "invoices",
            "id subscription number period_start period_end amount currency status attempts next_attempt_at charge",
        ),
        (
            "attempts",
            "id invoice number status amount currency customer card idempotency_key charge failure_code decline \
             intended_at resolved_at",
        ),
        ("flags", "customer subscription reason since until detail"),
        ("events", "seq at kind subscription invoice customer data"),
        ("customers", "id state default_card cards subscriptions read_at"),
    ] {
        let rows = shop.dues(&["list", kind, "--json"]).ok().rows();
        assert!(!rows.is_empty(), "{kind}");
        for row in &rows {
            let there: BTreeSet<&str> = row.as_object().unwrap().keys().map(String::as_str).collect();
            let missing: Vec<&str> = keys.split_whitespace().filter(|key| !there.contains(key)).collect();
            assert!(missing.is_empty(), "{kind}: no {missing:?} in {row}");
        }
        let few = shop.dues(&["list", kind, "--json", "--limit", "2"]).ok().rows();
        assert_eq!(few, rows[..2], "{kind}");
        let table = shop.dues(&["list", kind, "--limit", "2"]).ok().stdout;
        assert_eq!(table.lines().count(), 4, "a heading, two rows and a word about more: {table}");
        assert!(!table.contains('\u{1b}'), "no colours but on a terminal: {table:?}");
    }
    let collected: u64 = shop
        .dues(&["list", "attempts", "--status", "succeeded", "--json"])
        .ok()
        .rows()
        .iter()
        .filter(|row| row["currency"] == "THB")
        .map(|row| row["amount"].as_u64().unwrap())
        .sum();
    assert_eq!(report["collected"]["THB"].as_u64(), Some(collected));
}

#[test]
fn lists_are_narrowed_and_longer_than_a_page() {
    let shop = Shop::new();
    let lines: Vec<_> = (0..2_500).map(|n| format!("cust_test_{},pro-monthly,s{n}", n % 5)).collect();
    shop.write("in.csv", &format!("customer,plan,id\n{}", lines.join("\n")));
    shop.dues(&["import", "in.csv"]).ok();
    let rows = shop.dues(&["list", "subscriptions", "--json"]).ok().rows();
    let ids: Vec<_> = rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, (0..2_500).map(|n| format!("s{n}")).collect::<Vec<_>>());
    let of_one = shop.dues(&["list", "subscriptions", "--json", "--customer", "cust_test_3"]).ok().rows();
    assert_eq!(of_one.len(), 500);
    assert!(of_one.iter().all(|row| row["customer"] == "cust_test_3"));
    let people = shop.dues(&["list", "subscriptions"]).ok().stdout;
    assert_eq!(people.lines().count(), 102);
    shop.dues(&["cancel", "s7"]).ok();
    let ended = shop.dues(&["list", "subscriptions", "--json", "--status", "canceled"]).ok().rows();
    assert_eq!((ended.len(), &ended[0]["id"]), (1, &"s7".into()));
}

#[test]
fn an_id_that_the_book_does_not_know_is_no_empty_list() {
    let shop = Shop::new();
    shop.write("in.csv", "customer,plan,id\ncust_test_one,pro-monthly,sub-one\n");
    shop.dues(&["import", "in.csv"]).ok();
    let kinds = ["subscriptions", "invoices", "attempts", "flags", "events", "customers"];
    for kind in kinds {
        for json in [&["list", kind][..], &["list", kind, "--json"]] {
            let with = |more: &[&'static str]| shop.dues(&[json, more].concat());
            let nope = with(&["--subscription", "nope"]);
            let wanted = "--subscription: found \"nope\", wanted a subscription in this book; `dues list subscriptions`";
            assert!(nope.stdout.is_empty(), "{}", nope.stdout);
            nope.fails(2, &[wanted]);
            with(&["--subscription", "sub-onne"]).fails(2, &["did you mean \"sub-one\"?"]);
            with(&["--customer", "cust_test_onne"])
                .fails(2, &["--customer: found \"cust_test_onne\"", "did you mean \"cust_test_one\"?"]);
            with(&["--subscription", "sub-one"]).ok();
            with(&["--customer", "cust_test_one"]).ok();
        }
    }
}

#[test]
fn an_empty_list_says_so_to_people_alone() {
    let shop = Shop::new();
    shop.subscribe("cust_test_1");
    for kind in [&["list", "attempts"][..], &["list", "flags"], &["cards", "expiring"], &["notify", "list"]] {
        let said = |more: &[&'static str]| shop.dues(&[kind, more].concat()).ok().stdout;
        assert_eq!([said(&[]), said(&["--quiet"]), said(&["--json"])], ["none\n", "", ""], "{kind:?}");
    }
    assert!(!shop.dues(&["list", "subscriptions"]).ok().stdout.contains("none"));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let shop = Shop::new();
    let lines: Vec<_> = (0..3_000).map(|n| format!("cust_test_{n},pro-monthly")).collect();
    shop.write("in.csv", &format!("customer,plan\n{}", lines.join("\n")));
    shop.dues(&["import", "in.csv"]).ok();
    let mut child = shop
        .command(&["list", "subscriptions", "--json", "--config", "dues.toml"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}
