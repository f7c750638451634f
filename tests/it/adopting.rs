//! A book that was put back and adopted: it is bound only once no run can charge for anything a second time, what waited
//! for a person waits on, and what is said next is what to do.

use jiff::{Span, Zoned};
use serde_json::{Value, json};

use crate::harness::{PLANS, Scene, Setting};

const DAILY: &str = r#"
[plans.daily]
name = "Daily"
price = "50.00 THB"
every = "day"

[dunning.standard]
retry = ["1 day"]
"#;

/// As many customers, each with a subscription `s0`, `s1`, … of that plan from that long ago on.
fn scene(customers: u32, toml: &'static str, plan: &str, ago: Span) -> Scene {
    let scene = Scene::new(Setting { customers, toml, ..Setting::default() });
    let starts = Zoned::now().date().checked_sub(ago).unwrap();
    let rows = scene.customers().into_iter().enumerate();
    let rows: Vec<_> = rows.map(|(n, customer)| format!("s{n},{customer},{plan},{starts}\n")).collect();
    scene.import(&format!("id,customer,plan,starts\n{}", rows.concat()));
    scene
}

/// Charges what is due, and puts the book back to before that.
fn charged_and_put_back(scene: &Scene) {
    scene.dues(&["backup", "old.db"]).expect(0);
    scene.dues(&["run-now"]).expect(0);
    scene.dues(&["restore", "old.db"]).expect(0);
}

fn adopt(scene: &Scene, code: i32) -> Value {
    scene.dues(&["adopt", "--json"]).expect(code).json()
}

/// Longer than nothing is charged after adopting: `settle`, `timeout` and five seconds.
const SETTLING_SECONDS: u32 = 15;

/// A run by the machine's clock, once what was under way before the adopting has been listed.
#[track_caller]
fn run_once_settled(scene: &Scene) {
    scene.provider_time_passes(SETTLING_SECONDS);
    scene.dues(&["run-now"]).expect(0);
}

/// No invoice has two charges.
#[track_caller]
fn each_once(scene: &Scene, charges: usize) {
    let ledger = scene.ledger();
    let mut invoices: Vec<_> =
        ledger.iter().map(|entry| entry.metadata["dues_invoice"].to_string()).collect();
    invoices.sort_unstable();
    invoices.dedup();
    assert_eq!((ledger.len(), invoices.len()), (charges, charges), "{}", scene.story());
}

#[test]
fn a_charge_more_periods_ahead_than_one_step_opens_is_taken_in() {
    let scene = scene(1, DAILY, "daily", Span::new().days(447));
    charged_and_put_back(&scene);
    each_once(&scene, 1);
    let adopted = adopt(&scene, 0);
    assert_eq!(
        (&adopted["taken_in"], &adopted["left"], &adopted["bound"]),
        (&json!(1), &json!([]), &json!(true)),
        "{adopted:#}"
    );
    run_once_settled(&scene);
    each_once(&scene, 1);
}

#[test]
fn periods_that_were_on_hold_are_held_again_and_charged_only_once_a_person_resumes() {
    const HOLDS: &str = r#"
[catch_up]
hold_after = 3

[plans.monthly]
name = "Monthly"
price = "990.00 THB"
every = "month"

[dunning.standard]
retry = ["2 days"]
"#;
    let scene = scene(1, HOLDS, "monthly", Span::new().months(6));
    charged_and_put_back(&scene);
    let adopted = scene.dues(&["adopt"]).expect(0).stdout;
    for line in
        ["  6 missed periods held", "\n  dues list events --status catch_up_held --config dues.toml\n"]
    {
        assert!(adopted.contains(line), "{line:?} is not in {adopted}");
    }
    let invoices = scene.list("invoices");
    let holds: Vec<_> = invoices.iter().map(|row| row["hold"].as_str()).collect();
    assert_eq!(holds, [Some("catch_up"); 6].into_iter().chain([None]).collect::<Vec<_>>());
    assert_eq!(
        scene.dues(&["list", "events", "--status", "catch_up_held", "--json"]).expect(0).rows().len(),
        1
    );
    run_once_settled(&scene);
    for days in 1..3 {
        let at = Zoned::now().checked_add(Span::new().days(days)).unwrap().timestamp().to_string();
        scene.run_at(&at).expect(0);
    }
    each_once(&scene, 1);
    scene.dues(&["resume", "s0"]).expect(0);
    scene.dues(&["run-now"]).expect(0);
    each_once(&scene, 2);
}

/// Charges the customer at the provider as the book's first charge was, but for that mark; the id.
fn charge_marked(scene: &Scene, attempt: &str) -> String {
    let key = scene.sandbox().secret_key();
    let first = scene.ledger().remove(0);
    let mut marks = first.metadata.clone();
    marks["dues_attempt"] = json!(attempt);
    let body = json!({"amount": first.amount, "currency": first.currency, "customer": first.customer, "metadata": marks,
        "return_uri": "https://shop.example/return"});
    scene.ask("POST", "/charges", key, &body)["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_charge_that_cannot_be_taken_in_keeps_the_book_unbound_while_a_run_might_charge_for_it_again() {
    let scene = scene(1, PLANS, "monthly", Span::new().days(1));
    scene.charges_meet("decline:insufficient_fund", None, Some(1));
    scene.dues(&["run-now"]).expect(0);
    let first = scene.list("attempts").remove(0)["id"].as_str().unwrap().to_owned();
    let key = scene.sandbox().secret_key().to_owned();
    for (attempt, says) in [
        ("nonsense", "names no attempt that can be read"),
        ("s0.9999.1", "begins more than 400 periods from now"),
        ("s0.0.70000", "had 65535 attempts"),
    ] {
        let charge = charge_marked(&scene, attempt);
        for _ in 0..2 {
            let adopted = adopt(&scene, 4);
            let waits = adopted["waits"][0].as_str().unwrap();
            assert!(waits.contains(&charge) && waits.contains(says), "{attempt}: {adopted:#}");
            assert_eq!((&adopted["bound"], &adopted["left"]), (&json!(false), &json!([])), "{attempt}");
            scene.dues(&["run-now"]).expect(4);
        }
        // Its mark taken off at the provider, it is none of the book's.
        scene.ask("PATCH", &format!("/charges/{charge}"), &key, &json!({"metadata": {}}));
        assert_eq!(adopt(&scene, 0)["bound"], true, "{attempt}");
        run_once_settled(&scene);
    }
    // A second charge of the declined attempt, which waits for its customer: it may still pay the open invoice.
    scene.charges_meet("3ds", None, Some(1));
    let second = charge_marked(&scene, &first);
    let adopted = adopt(&scene, 4);
    assert!(adopted["waits"][0].as_str().unwrap().contains("may still move money"), "{adopted:#}");
    // Of one that takes no charge any more a person is told, and the book is bound.
    scene.dues(&["invoice", "void", "s0.0", "--reason", "x"]).expect(0);
    let adopted = adopt(&scene, 3);
    assert!(adopted["left"][0].as_str().unwrap().contains(&second), "{adopted:#}");
    let mut marks = scene.ledger().remove(0).metadata;
    marks["dues_attempt"] = json!("nonsense");
    scene.ask("PATCH", &format!("/charges/{second}"), &key, &json!({"metadata": marks}));
    assert_eq!(adopt(&scene, 3)["bound"], true, "its invoice is closed");
    // A person was told, so that no run is refused for it.
    run_once_settled(&scene);
}

#[test]
fn one_subscription_that_cannot_be_read_keeps_no_other_from_being_compared() {
    let scene = scene(3, PLANS, "monthly", Span::new().days(1));
    let wrong = |rows: &str| {
        let book = rusqlite::Connection::open(scene.path("dues.db")).unwrap();
        let starts = format!("UPDATE subscriptions SET starts = 99999999 WHERE {rows}");
        assert_eq!(book.execute(&starts, []).unwrap(), 1);
    };
    scene.dues(&["run-now", "--only", "s0"]).expect(0);
    charged_and_put_back(&scene);
    let book = rusqlite::Connection::open(scene.path("dues.db")).unwrap();
    let starts: i64 =
        book.query_row("SELECT starts FROM subscriptions WHERE id = 's0'", [], |row| row.get(0)).unwrap();
    drop(book);
    // The book has all that it can have of this one.
    wrong("id = 's0'");
    // Of this one it lacks a charge.
    wrong("id = 's1'");
    let adopted = adopt(&scene, 4);
    assert_eq!((&adopted["taken_in"], &adopted["charges"]), (&json!(1), &json!(3)), "{adopted:#}");
    let waits = adopted["waits"].as_array().unwrap();
    let told = waits[0].as_str().unwrap();
    assert!(waits.len() == 1 && told.contains("s1.0.1") && told.contains("99999999"), "{adopted:#}");
    scene.dues(&["run-now"]).expect(4);
    let book = rusqlite::Connection::open(scene.path("dues.db")).unwrap();
    assert_eq!(book.execute("UPDATE subscriptions SET starts = ?1 WHERE id = 's1'", [starts]).unwrap(), 1);
    drop(book);
    let adopted = adopt(&scene, 0);
    assert_eq!((&adopted["taken_in"], &adopted["bound"]), (&json!(1), &json!(true)), "{adopted:#}");
    scene.provider_time_passes(SETTLING_SECONDS);
    // It has an incident: the one that cannot be read still.
    scene.dues(&["run-now"]);
    each_once(&scene, 3);
}

#[test]
fn what_to_do_next_names_the_config_and_no_run_while_something_is_a_person_s() {
    let scene = scene(1, PLANS, "monthly", Span::new().days(1));
    charged_and_put_back(&scene);
    let next = |said: &str| said.split_once("\nNext").unwrap().1.to_owned();
    let said = next(&scene.dues(&["adopt"]).expect(0).stdout);
    let wanted = ":\n  dues check --config dues.toml\n  dues run-now --dry-run --config dues.toml  # from ";
    assert!(said.starts_with(wanted), "{said}");
    let first = scene.list("attempts").remove(0)["id"].as_str().unwrap().to_owned();
    let second = charge_marked(&scene, &first);
    let ended = scene.dues(&["adopt"]).expect(3).stdout;
    assert!(ended.contains(&second), "{ended}");
    let said = next(&ended);
    assert!(said.contains("dues check --config dues.toml") && !said.contains("run-now"), "{said}");
    charge_marked(&scene, "s0.9999.1");
    let said = next(&scene.dues(&["adopt"]).expect(4).stdout);
    assert!(said.ends_with("  dues adopt --config dues.toml\n"), "{said}");
}
