//! What people and scripts are told holds: nothing is said that another line gainsays, and nothing is left out.

use dues::store::Store as _;

use super::Shop;
use super::bad_input::open;

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

#[test]
fn where_nobody_can_look_for_the_pause_file_nothing_is_charged() {
    let shop = Shop::new();
    shop.subscribe("cust_test_1");
    let config = std::fs::read_to_string(shop.path("dues.toml")).unwrap();
    // Below what is no folder nobody can look.
    shop.write("dues.toml", &format!("{config}\n[brakes]\npause_file = \"dues.toml/PAUSED\"\n"));
    let stopped = shop.dues(&["run-now"]);
    assert_eq!(stopped.code, 3, "{}", stopped.stderr);
    assert!(stopped.stdout.contains("or nobody could look for it"), "{}", stopped.stdout);
    assert!(stopped.stderr.contains("nobody can look for the pause file"), "{}", stopped.stderr);
    let check = shop.dues(&["check"]);
    assert_eq!(check.code, 3, "{}", check.stdout);
    assert!(check.stdout.contains("nobody can look for the pause file"), "{}", check.stdout);
}

#[test]
fn missed_periods_that_are_held_are_counted_and_can_be_found() {
    let shop = Shop::new();
    let subscribe =
        ["subscribe", "--customer", "cust_test_1", "--plan", "pro-monthly", "--starts", "2026-01-31"];
    let id = shop.dues(&subscribe).ok().stdout.trim().to_owned();
    // 28 Feb to 31 May have ended too; the period from 30 June has not.
    let run = ["run-now", "--at", "2026-07-01"];
    let dry = shop.dues(&[&run[..], &["--dry-run", "--json"]].concat()).ok().json();
    assert_eq!((&dry["held_periods"], &dry["invoiced"]), (&5.into(), &6.into()), "{dry}");
    let told = shop.dues(&run).ok().stdout;
    assert!(told.contains("held          5 missed periods, see [catch_up] hold_after"), "{told}");
    let shown = "dues list events --status catch_up_held";
    assert!(told.contains(shown) && told.contains("`dues resume SUB`"), "{told}");
    let words: Vec<&str> = shown.split(' ').skip(1).collect();
    let events = shop.dues(&[&words[..], &["--json"]].concat()).ok().rows();
    assert_eq!((events.len(), &events[0]["subscription"]), (1, &id.clone().into()));
    let again = shop.dues(&[&run[..], &["--json"]].concat()).ok().json();
    assert_eq!((&again["held_periods"], &again["invoiced"]), (&0.into(), &0.into()), "{again}");
    let resumed = shop.dues(&["resume", &id]).ok().stdout;
    assert!(!resumed.contains("too many periods were missed"), "{resumed}");
}

#[test]
fn what_the_account_cannot_charge_is_not_about_to_be_charged() {
    let shop = Shop::new();
    let subscribe =
        ["subscribe", "--customer", "cust_test_1", "--plan", "pro-monthly", "--quantity", "400000"];
    let id = shop.dues(&subscribe).ok().stdout.trim().to_owned();
    let report = shop.dues(&["run-now", "--json"]).ok().json();
    assert_eq!(report["flagged"]["unchargeable"], 1, "{report}");
    let why = shop.dues(&["why", &id]).ok().stdout;
    assert!(why.contains("is due, but unchargeable: found 396000000.00 THB, wanted at most"), "{why}");
    assert!(!why.contains("the next run charges"), "{why}");
}

#[test]
fn a_change_tells_programs_what_the_next_invoice_will_be() {
    let shop = Shop::new();
    let id = shop.subscribe("cust_test_1");
    let changed = shop.dues(&["change", &id, "--quantity", "3", "--json"]).ok().json();
    assert_eq!((&changed["id"], changed["quantity"].as_u64()), (&id.clone().into(), Some(3)));
    let next = &changed["next_invoice"];
    assert_eq!(
        (&next["number"], &next["amount"], &next["currency"]),
        (&1.into(), &297_000.into(), &"THB".into())
    );
    assert!(next["period_start"].as_str() < next["period_end"].as_str(), "{changed}");
    shop.dues(&["cancel", &id, "--at-period-end"]).ok();
    let last = shop.dues(&["change", &id, "--quantity", "2", "--json"]).ok().json();
    assert!(
        last.as_object().unwrap().contains_key("next_invoice") && last["next_invoice"].is_null(),
        "{last}"
    );
}

#[test]
fn an_id_that_is_not_in_the_book_is_named_before_anything_is_begun() {
    let shop = Shop::new();
    let id = shop.subscribe("cust_test_nobody1");
    let (start, last) = id.split_at(id.len() - 1);
    let typo = format!("{start}{}", if last == "x" { "y" } else { "x" });
    for (wrong, said) in [
        (
            typo.as_str(),
            format!("--only: found {typo:?}, wanted a subscription in this book; did you mean {id:?}?"),
        ),
        ("nosuch", "--only: found \"nosuch\", wanted a subscription in this book; `dues list".into()),
        ("cust_test_nobody2", "in this book; did you mean \"cust_test_nobody1\"?".into()),
    ] {
        shop.dues(&["run-now", "--only", wrong]).fails(2, &[&said]);
        shop.dues(&["run-now", "--dry-run", "--only", wrong]).fails(2, &[&said]);
    }
    let facts = open(&shop).facts().unwrap();
    assert_eq!((facts.runs, facts.epoch.0), (0, 0), "nothing was begun");
    shop.dues(&["run-now", "--only", &id]).ok();
    assert_eq!(open(&shop).facts().unwrap().runs, 1);
}

#[test]
fn what_was_typed_is_what_is_quoted() {
    let shop = Shop::new();
    let id = shop.subscribe("cust_test_1");
    shop.dues(&["pause", &id, "--until", "2020-01-01"])
        .fails(2, &["--until: found \"2020-01-01\", wanted an instant after now, which is 20", "+07:00"]);
    shop.dues(&["reconcile", "--from", "2020-01-02", "--to", "2020-01-01"])
        .fails(2, &["--from: found \"2020-01-02\", wanted an instant before --to, which is \"2020-01-01\""]);
    shop.dues(&["reconcile", "--from", "2199-01-01"])
        .fails(2, &["--from: found \"2199-01-01\", wanted an instant before --to, which is now"]);
    for command in [&["run-now"][..], &["list", "invoices"], &["cards", "expiring"], &["notify", "list"]] {
        for limit in ["-1", "0"] {
            let said = format!("found {limit}, wanted 1 or more");
            shop.dues(&[command, &["--limit", limit]].concat()).fails(2, &["--limit", &said]);
        }
    }
}

#[test]
fn a_pause_or_an_end_before_any_run_says_what_the_run_then_does() {
    let shop = Shop::new();
    let paused = shop.subscribe("cust_test_1");
    let told = shop.dues(&["pause", &paused]).ok().stdout;
    let waits = format!("is invoiced by the next run, and waits for `dues resume {paused}`: 990.00 THB");
    assert!(told.contains(&waits), "{told}");
    assert!(told.contains("period 1 from") && told.contains("is skipped unless it goes on before"), "{told}");
    let ended = shop.subscribe("cust_test_2");
    let told = shop.dues(&["cancel", &ended]).ok().stdout;
    let waits = format!("the subscription ended: `dues retry {ended}` tries it once: 990.00 THB");
    assert!(told.contains(&waits) && !told.contains("nothing of it is billed"), "{told}");
    let report = shop.dues(&["run-now", "--json"]).ok().json();
    assert_eq!((&report["invoiced"], &report["attempts"]["succeeded"]), (&2.into(), &0.into()), "{report}");
    for id in [paused, ended] {
        let invoices = shop.dues(&["why", &id, "--json"]).ok().json()["invoices"].clone();
        assert_eq!(
            (&invoices[0]["number"], &invoices[0]["status"]),
            (&0.into(), &"open".into()),
            "{invoices}"
        );
    }
}

#[test]
fn a_second_try_names_the_same_day_as_the_first_and_so_does_the_diary() {
    let shop = Shop::new();
    let ids = [shop.subscribe("cust_test_1"), shop.subscribe("cust_test_2")];
    let first = shop.dues(&["cancel", &ids[0], "--at-period-end"]).ok().stdout;
    let day = first.split("ends ").nth(1).unwrap()[..10].to_owned();
    shop.dues(&["cancel", &ids[0], "--at-period-end"]).fails(2, &[&format!("{day}T00:00:00+07:00")]);
    shop.dues(&["pause", &ids[1], "--until", "2100-01-01"]).ok();
    shop.dues(&["pause", &ids[1]]).fails(2, &["is paused since", "+07:00; `dues resume"]);
    for (id, event, wanted) in [
        (&ids[0], "cancel_scheduled", format!("{day}T00:00:00+07:00")),
        (&ids[1], "subscription_paused", "2100-01-01T00:00:00+07:00".into()),
        (&ids[0], "subscription_created", r#""plan":"pro-monthly""#.into()),
    ] {
        let listed = shop.dues(&["list", "events", "--status", event]).ok().stdout;
        for told in [shop.dues(&["why", id]).ok().stdout, listed] {
            let line = told.lines().find(|line| line.contains(event) && line.contains(&wanted));
            assert!(line.is_some(), "no {wanted} with {event} in:\n{told}");
        }
    }
}

#[test]
fn a_day_that_a_zone_left_out_is_passed_over_and_told() {
    let shop = Shop::new();
    shop.config("every = \"month\"", "every = \"day\"");
    let order = ["subscribe", "--customer", "cust_test_1", "--plan", "pro-monthly", "--zone", "Pacific/Apia"];
    let id = shop.dues(&[&order[..], &["--starts", "2011-12-29"]].concat()).ok().stdout.trim().to_owned();
    let at = |at| ["run-now", "--json", "--at", at];
    // The 29th, and no 30th.
    for (now, invoiced) in
        [("2011-12-29T12:00:00-10:00", 1), ("2011-12-31T12:00:00+14:00", 1), ("2012-01-01T12:00:00+14:00", 1)]
    {
        let report = shop.dues(&at(now)).ok().json();
        assert_eq!(
            (&report["invoiced"], &report["incidents"]),
            (&invoiced.into(), &serde_json::json!([])),
            "{report}"
        );
    }
    let why = shop.dues(&["why", &id]).ok().stdout;
    assert!(why.contains("period 1: no time in it, Pacific/Apia left that day out of its calendar"), "{why}");
    let numbers: Vec<_> = shop
        .dues(&["list", "invoices", "--json"])
        .ok()
        .rows()
        .iter()
        .map(|row| row["number"].clone())
        .collect();
    assert_eq!(numbers, [0, 2, 3]);
    assert!(shop.dues(&["check"]).ok().stdout.contains("Ready."));
}
