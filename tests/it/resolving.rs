//! Attempts that only a person can end, ended; and money that no day of a customer allows.

use serde_json::Value;

use crate::harness::{AT, PLANS, Scene, Setting};

const NEXT_MONTH: &str = "2030-12-21T09:00:00+07:00";

/// A book that lost a change of quantity and the charge of its period, put back and compared: attempt `sub.1.1` waits
/// for a person.
fn lost_a_change() -> Scene {
    let scene = Scene::new(Setting { customers: 1, ..Setting::default() });
    scene.import(&format!("customer,plan,id,starts\n{},monthly,sub,2030-11-21\n", scene.customers()[0]));
    scene.run_at(AT).expect(0);
    scene.dues(&["backup", "old.db"]).expect(0);
    scene.dues(&["change", "sub", "--quantity", "2"]).expect(0);
    scene.run_at(NEXT_MONTH).expect(0);
    scene.dues(&["restore", "old.db"]).expect(0);
    scene.dues(&["adopt"]).expect(3);
    scene.provider_time_passes(12);
    scene
}

/// A charge of that sum at the provider.
fn charge_of(scene: &Scene, minor: i64) -> String {
    let rows = scene.dues(&["charges", "list", "--json"]).expect(0).rows();
    rows.iter().find(|row| row["amount"] == minor).unwrap()["id"].as_str().unwrap().to_owned()
}

fn told(row: &Value, name: &str) -> String {
    row[name].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_charge_of_another_sum_ends_its_own_attempt_and_is_the_last() {
    let scene = lost_a_change();
    let own = charge_of(&scene, 198_000);
    let way = format!("dues resolve sub.1.1 --charge {own}");
    let paid = scene.dues(&["invoice", "mark-paid", "sub.1", "--reason", "x"]).expect(2);
    assert!(paid.stderr.contains(&way) && !paid.stderr.contains("wait until"), "{}", paid.stderr);
    let absent = scene.dues(&["resolve", "sub.1.1", "--absent", "--reason", "x"]).expect(2);
    assert!(absent.stderr.contains(&way), "{}", absent.stderr);
    let ended = scene.dues(&["resolve", "sub.1.1", "--charge", &own, "--reason", "seen"]).expect(0);
    assert!(ended.stdout.contains("1980.00 THB, where 990.00 THB"), "{}", ended.stdout);
    let invoice = scene.list("invoices").remove(1);
    assert_eq!((told(&invoice, "status"), told(&invoice, "charge")), ("paid".into(), own));
    let incident = scene.list("events").into_iter().rfind(|event| event["kind"] == "incident").unwrap();
    let detail = incident["data"].to_string();
    assert!(detail.contains("found 1980.00 THB") && detail.contains("wanted 990.00 THB"), "{detail}");
    scene.run_at("2030-12-22T09:00:00+07:00").expect(0);
    scene.run_at("2031-01-21T09:00:00+07:00").expect(0);
    let sums: Vec<_> = scene.ledger().iter().map(|entry| entry.amount).collect();
    assert_eq!(sums, [99_000, 198_000, 99_000], "{}", scene.story());
    assert!(scene.dues(&["check"]).expect(0).stdout.contains("whole"));
}

#[test]
fn a_charge_that_paid_another_invoice_pays_no_second_one() {
    let scene = lost_a_change();
    let first = charge_of(&scene, 99_000);
    let refused = scene.dues(&["resolve", "sub.1.1", "--charge", &first, "--reason", "x"]).expect(2);
    assert!(refused.stderr.contains("was made for attempt sub.0.1"), "{}", refused.stderr);
    assert_eq!(told(&scene.list("attempts")[1], "status"), "manual");
}

#[test]
fn a_charge_made_by_hand_is_taken_once() {
    let scene = Scene::new(Setting { customers: 1, ..Setting::default() });
    let customer = scene.customers().remove(0);
    scene.import(&format!(
        "customer,plan,id,starts\n{customer},monthly,one,2030-11-21\n{customer},monthly,two,2030-11-21\n"
    ));
    // Both requests are lost, and somebody takes the money by hand: alike, and without marks.
    scene.charges_meet("reset_before", None, None);
    scene.run_at(AT).expect(0);
    scene.behave();
    let made =
        scene.dues(&["charges", "create", "990.00 THB", "--customer", &customer, "--json"]).expect(0).json();
    let charge = told(&made, "id");
    scene.run_at(AT).expect(3);
    let manual = |scene: &Scene| -> Vec<String> {
        let rows = scene.list("attempts");
        rows.iter().filter(|row| row["status"] == "manual").map(|row| told(row, "id")).collect()
    };
    assert_eq!(manual(&scene), ["one.0.1", "two.0.1"], "{}", scene.story());
    scene.dues(&["resolve", "one.0.1", "--charge", &charge, "--reason", "by hand"]).expect(0);
    let again = scene.dues(&["resolve", "two.0.1", "--charge", &charge, "--reason", "by hand"]).expect(2);
    assert!(again.stderr.contains("is the charge of attempt one.0.1"), "{}", again.stderr);
    assert_eq!(manual(&scene), ["two.0.1"]);
}

#[test]
fn a_price_that_no_day_of_a_customer_allows_is_told_before_and_after() {
    let caps = "[brakes]\namount_per_customer_per_day = { THB = \"500.00\" }\n";
    let toml: &'static str = Box::leak(format!("{PLANS}\n{caps}").into_boxed_str());
    let scene = Scene::new(Setting { customers: 1, toml, ..Setting::default() });
    let checked = scene.dues(&["check"]).expect(0).stdout;
    let note = "plans.monthly.price: found 990.00 THB, wanted at most 500.00 THB";
    assert!(checked.contains(note) && !checked.contains("plans.weekly"), "{checked}");
    // By the machine's clock throughout, as `check` goes by it.
    let run_now = || scene.dues(&["run-now", "--json"]).expect(0).json();
    scene.import(&format!("customer,plan,id\n{},monthly,sub\n", scene.customers()[0]));
    assert!(scene.dues(&["check"]).expect(0).stdout.contains("1 open invoices are above"));
    let report = run_now();
    assert_eq!(report["flagged"]["unchargeable"], 1, "{report}");
    let again = run_now();
    assert_eq!((&again["skipped"]["unchargeable"], scene.list("flags").len()), (&1.into(), 1), "{again}");
    let why = scene.dues(&["why", "sub"]).expect(0).stdout;
    assert!(why.contains("amount_per_customer_per_day") && why.contains("500.00 THB"), "{why}");
    assert!(scene.ledger().is_empty());
}

#[test]
fn an_attempt_whose_charge_the_provider_has_is_not_absent() {
    let scene = Scene::new(Setting { customers: 1, ..Setting::default() });
    scene.import(&format!("customer,plan,id,starts\n{},monthly,sub,2030-11-21\n", scene.customers()[0]));
    scene.charges_meet("3ds", None, Some(1));
    scene.run_at(AT).expect(0);
    let charge = told(&scene.list("attempts")[0], "charge");
    // As one becomes whose charge shows a status that nobody knows for too long.
    let book = rusqlite::Connection::open(scene.path("dues.db")).unwrap();
    assert_eq!(book.execute("UPDATE attempts SET status = 8", []).unwrap(), 1);
    let absent = scene.dues(&["resolve", "sub.0.1", "--absent", "--reason", "x"]).expect(2);
    assert!(absent.stderr.contains(&format!("wanted --charge {charge}")), "{}", absent.stderr);
    scene.ask("POST", &format!("/__sandbox/charges/{charge}/approve"), "", &Value::Null);
    scene.dues(&["resolve", "sub.0.1", "--charge", &charge, "--reason", "seen"]).expect(0);
    scene.run_at(AT).expect(0);
    assert_eq!(scene.ledger().len(), 1, "{}", scene.story());
}

#[test]
fn a_card_flag_and_the_flag_unchargeable_stand_side_by_side_and_are_raised_once() {
    let caps = "[brakes]\namount_per_customer_per_day = { THB = \"500.00\" }\n";
    let toml: &'static str = Box::leak(format!("{PLANS}\n{caps}").into_boxed_str());
    let scene = Scene::new(Setting { customers: 0, toml, ..Setting::default() });
    let customer = scene.cardless_customer();
    scene.import(&format!("customer,plan,id,starts\n{customer},monthly,sub,2030-11-21\n"));
    for round in 0..3 {
        let first = u64::from(round == 0);
        let report = scene.run_at(AT).expect(0).json();
        assert_eq!(report["flagged"]["unchargeable"].as_u64().unwrap_or(0), first, "round {round}: {report}");
        let watched = scene.dues(&["cards", "watch", "--json"]).expect(0).json();
        assert_eq!((&watched["flagged"], &watched["cleared"]), (&first.into(), &0.into()), "round {round}");
    }
    assert_eq!(scene.list("flags").len(), 2, "{}", scene.story());
}

/// Our clock and the provider's both move on by so many hours; the words are said then.
fn later(scene: &Scene, hours: u32, words: &[&str]) -> crate::harness::Ended {
    std::fs::File::create(scene.path("clock")).unwrap().set_len(u64::from(hours) * 3_600).unwrap();
    scene.start(words, &[("DUES_CLOCK", "clock")]).wait()
}

/// After the week that a payment is given.
const NOT_CONFIRMED: &str = "2030-11-29T09:00:00+07:00";

#[test]
fn a_payment_that_is_never_ended_is_told_once_and_ended_by_a_person_with_its_own_charge() {
    let scene = Scene::new(Setting { customers: 1, ..Setting::default() });
    let customer = scene.customers().remove(0);
    scene.import(&format!("customer,plan,id,starts\n{customer},monthly,sub,2030-11-21\n"));
    scene.charges_meet("3ds", None, Some(1));
    scene.run_at(AT).expect(0);
    let charge = scene.ledger()[0].id.clone();
    for (method, faults) in [("POST", "status_before:400"), ("GET", "status_word:pending")] {
        let rule = serde_json::json!({"path": "/charges/", "method": method, "faults": faults});
        scene.ask("POST", "/__sandbox/faults", "", &rule);
    }
    let first = scene.run_at(NOT_CONFIRMED).expect(3).json();
    let incident = first["incidents"][0].as_str().unwrap();
    assert!(incident.contains(&charge) && incident.contains("the provider does not end it"), "{first:#}");
    let again = scene.run_at(NOT_CONFIRMED).expect(0).json();
    assert_eq!(
        (&again["incidents"], &again["manual_left"]),
        (&serde_json::json!([]), &0.into()),
        "{again:#}"
    );
    let hours = 9 * 24;
    scene.provider_time_passes(hours * 3_600);
    let run = |expected: i32, at: &str| {
        later(&scene, hours, &["run-now", "--json", "--at", at]).expect(expected).json()
    };
    let given = run(3, NOT_CONFIRMED);
    assert_eq!((&given["resolved"]["manual"], &given["manual_left"]), (&1.into(), &1.into()), "{given:#}");
    // Nobody asks for it any more, and nothing is charged beside it.
    let blocked = run(0, NEXT_MONTH);
    assert_eq!(
        (&blocked["invoiced"], &blocked["skipped"]["unfinished"]),
        (&1.into(), &1.into()),
        "{blocked:#}"
    );
    assert_eq!((&blocked["doubt_left"], scene.ledger().len()), (&1.into(), 1), "{blocked:#}");
    let shown = later(&scene, hours, &["run-now", "--at", NEXT_MONTH]).expect(0).stdout;
    assert!(shown.contains("for a person  1 attempt") && !shown.contains("in doubt"), "{shown}");
    let way = format!("dues resolve sub.0.1 --charge {charge}");
    let why = later(&scene, hours, &["why", "sub"]).expect(0).stdout;
    assert!(why.contains(&way) && why.contains("the provider does not end it"), "{why}");
    let compared = later(&scene, hours, &["reconcile", "--json", "--from", "2020-01-01"]);
    assert!(compared.stdout.contains("a person must look at it"), "{compared:#?}");
    // It may be paid still: neither called absent, nor another's, nor ended before it has.
    let by_hand = ["charges", "create", "990.00 THB", "--customer", &customer, "--json"];
    let other = told(&later(&scene, hours, &by_hand).expect(0).json(), "id");
    for (end, wanted) in [
        (vec!["--absent"], way.trim_start_matches("dues resolve sub.0.1 ")),
        (vec!["--charge", &other], way.trim_start_matches("dues resolve sub.0.1 ")),
        (vec!["--charge", &charge], "still pending"),
    ] {
        let words = [vec!["resolve", "sub.0.1", "--reason", "x"], end].concat();
        let refused = later(&scene, hours, &words).expect(2);
        assert!(refused.stderr.contains(wanted), "{refused:#?}");
    }
    // It has ended at the provider long ago, unpaid, once that tells the truth.
    scene.behave();
    later(&scene, hours, &["resolve", "sub.0.1", "--charge", &charge, "--reason", "seen"]).expect(0);
    let attempt = scene.list("attempts").remove(0);
    assert_eq!(
        (told(&attempt, "status"), told(&attempt, "failure_code")),
        ("declined".into(), "expired".into())
    );
}

#[test]
fn charges_that_cannot_be_read_do_not_hold_others_back() {
    let scene = Scene::new(Setting { customers: 8, ..Setting::default() });
    let customers = scene.customers();
    let rows: Vec<String> = customers.iter().map(|id| format!("{id},monthly,2030-11-21")).collect();
    scene.import(&format!("customer,plan,starts\n{}\n", rows.join("\n")));
    scene.charges_meet("3ds", None, None);
    scene.run_at(AT).expect(0);
    scene.behave();
    let rule = serde_json::json!({"path": "/charges/", "method": "GET", "faults": "status_before:400"});
    scene.ask("POST", "/__sandbox/faults", "", &rule);
    scene.import(&format!("customer,plan,starts\n{},weekly,2030-11-21\n", customers[0]));
    let report = scene.run_at(AT).expect(0).json();
    assert_eq!(report["attempts"]["succeeded"], 1, "{report:#}");
    let shown = scene.ask("GET", "/__sandbox/faults", "", &Value::Null);
    assert_eq!(shown["rules"][0]["matched"], 2, "the others are left to the next look: {shown:#}");
    assert!(scene.list("attempts").iter().filter(|row| row["status"] == "pending").count() == 8);
    // Whoever was not asked for is asked for first, so that nobody waits for what can never be read.
    for asked in [4, 6, 8] {
        scene.run_at(AT).expect(0);
        let shown = scene.ask("GET", "/__sandbox/faults", "", &Value::Null);
        assert_eq!(shown["rules"][0]["matched"], asked, "{shown:#}");
    }
    let looked = rusqlite::Connection::open(scene.path("dues.db")).unwrap();
    let failed: i64 = looked
        .query_row("SELECT count(*) FROM intents WHERE doubt_since IS NOT NULL", [], |row| row.get(0))
        .unwrap();
    assert_eq!(failed, 8, "each was asked for once");
}
