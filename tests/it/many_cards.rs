//! Customers with more cards than their own answer embeds: every card is seen before anything is decided by it.

use serde_json::{Value, json};

use crate::harness::{AT, Scene, Setting};

/// The provider embeds 20 of them.
const CARDS: usize = 23;
const GOOD: &str = "4242424242424242";
/// Of a run of few customers: the account, what it may charge, the newest charges, the first page of customers.
const CALLS_OF_A_RUN: u64 = 4;
/// The same of the watch, which asks for no charges.
const CALLS_OF_A_WATCH: u64 = 3;
/// The customer, and the one page of their cards.
const CALLS_TO_READ: u64 = 2;

fn api(scene: &Scene, method: &str, path: &str, body: &Value) -> Value {
    scene.ask(method, path, scene.sandbox().secret_key(), body)
}

/// A customer with so many cards, and the id of the last of them.
fn with_cards(scene: &Scene, cards: usize) -> (String, String) {
    let (customer, _) = scene.new_customer(GOOD);
    for _ in 1..cards {
        let token = scene.new_token(GOOD);
        api(scene, "PATCH", &format!("/customers/{customer}"), &json!({ "card": token }));
    }
    let path = format!("/customers/{customer}/cards?limit=1&order=reverse_chronological");
    let newest = api(scene, "GET", &path, &Value::Null);
    assert_eq!(newest["total"], cards, "{newest:#}");
    (customer, newest["data"][0]["id"].as_str().unwrap().to_owned())
}

fn make_default(scene: &Scene, customer: &str, card: &str) {
    api(scene, "PATCH", &format!("/customers/{customer}"), &json!({ "default_card": card }));
}

fn give_year(scene: &Scene, customer: &str, card: &str, year: u16) {
    let path = format!("/customers/{customer}/cards/{card}");
    api(scene, "PATCH", &path, &json!({"expiration_month": 1, "expiration_year": year}));
}

/// Two whose 23rd card matters: it pays one of them by name, and is the default of the other, who has it expired.
fn crowded(scene: &Scene) -> [(String, String); 2] {
    let (named, defaulted) = (with_cards(scene, CARDS), with_cards(scene, CARDS));
    make_default(scene, &defaulted.0, &defaulted.1);
    give_year(scene, &defaulted.0, &defaulted.1, 2020);
    let rows = format!(
        "customer,plan,starts,card\n{},monthly,2030-11-21,{}\n{},monthly,2030-11-21,\n",
        named.0, named.1, defaulted.0
    );
    scene.import(&rows);
    [named, defaulted]
}

fn import_seeded(scene: &Scene) {
    let rows: Vec<String> = scene.customers().iter().map(|id| format!("{id},monthly,2030-11-21")).collect();
    scene.import(&format!("customer,plan,starts\n{}\n", rows.join("\n")));
}

fn calls(report: &Value) -> u64 {
    report["api_calls"].as_u64().unwrap()
}

#[test]
fn the_last_of_many_cards_is_charged_or_flagged_for_what_it_is() {
    let scene = Scene::new(Setting { customers: 4, ..Setting::default() });
    import_seeded(&scene);
    let [named, defaulted] = crowded(&scene);

    let dry = scene.dues(&["run-now", "--dry-run", "--at", AT, "--json"]).expect(0).json();
    assert_eq!(dry["flagged"], json!({"expired_card": 1}), "{dry:#}");
    assert!(scene.ledger().is_empty());

    let report = scene.run_at(AT).expect(0).json();
    assert_eq!(report["attempts"]["succeeded"], 5, "{report:#}");
    assert_eq!(report["flagged"], json!({"expired_card": 1}), "{report:#}");
    assert_eq!(calls(&report), CALLS_OF_A_RUN + 5 + 2 * CALLS_TO_READ, "{report:#}");
    let of = |customer: &str| {
        let mine = |entry: &dues::sandbox::LedgerEntry| entry.customer.as_deref() == Some(customer);
        scene.ledger().into_iter().filter(mine).map(|entry| entry.card).collect::<Vec<_>>()
    };
    assert_eq!(of(&named.0), [named.1.as_str()], "{}", scene.story());
    assert!(of(&defaulted.0).is_empty(), "{}", scene.story());
    let flags = scene.list("flags");
    assert_eq!(flags.len(), 1, "{flags:#?}");
    assert!(flags[0]["detail"].as_str().unwrap().starts_with(&defaulted.1), "{flags:#?}");

    give_year(&scene, &defaulted.0, &defaulted.1, 2060);
    let report = scene.run_at(AT).expect(0).json();
    assert_eq!(report["attempts"]["succeeded"], 1, "{report:#}");
    assert_eq!(of(&defaulted.0), [defaulted.1.as_str()], "{}", scene.story());
    assert!(scene.list("flags").is_empty());
}

#[test]
fn who_has_few_cards_costs_no_call_more() {
    let scene = Scene::new(Setting { customers: 4, ..Setting::default() });
    let (twenty, _) = with_cards(&scene, 20);
    import_seeded(&scene);
    scene.import(&format!("customer,plan,starts\n{twenty},monthly,2030-11-21\n"));
    let report = scene.run_at(AT).expect(0).json();
    assert_eq!(report["attempts"]["succeeded"], 5, "{report:#}");
    assert_eq!(calls(&report), CALLS_OF_A_RUN + 5, "{report:#}");
}

#[test]
fn a_book_that_holds_the_first_page_of_cards_alone_charges_nobody_on_it() {
    let scene = Scene::new(Setting { customers: 0, ..Setting::default() });
    let (customer, card) = with_cards(&scene, CARDS);
    make_default(&scene, &customer, &card);
    scene.import(&format!("customer,plan,starts\n{customer},monthly,2030-11-21\n"));
    scene.run_at(AT).expect(0);
    assert_eq!(scene.ledger().len(), 1);
    // As an older version left it: read a moment ago, but only the first page.
    let book = rusqlite::Connection::open(scene.path("dues.db")).unwrap();
    assert_eq!(book.execute("UPDATE cards SET place = NULL WHERE place >= 20", []).unwrap(), 3);
    drop(book);
    give_year(&scene, &customer, &card, 2020);
    scene.import(&format!("customer,plan,starts\n{customer},weekly,2030-11-21\n"));
    let report = scene.run_at(AT).expect(0).json();
    assert_eq!(report["flagged"], json!({"expired_card": 1}), "{report:#}");
    assert_eq!(scene.ledger().len(), 1, "{}", scene.story());
}

#[test]
fn the_watch_reads_them_singly_once_and_tells_what_it_finds() {
    let scene = Scene::new(Setting { customers: 2, ..Setting::default() });
    import_seeded(&scene);
    let [named, _] = crowded(&scene);
    let book = rusqlite::Connection::open(scene.path("dues.db")).unwrap();
    let watch = || {
        // Whatever was read in the very second in which it begins is taken for read by this watch.
        book.execute("UPDATE customers SET read_at = read_at - 60", []).unwrap();
        scene.dues(&["cards", "watch", "--json"]).expect(0).json()
    };
    let count = |report: &Value, key: &str| report[key].as_u64().unwrap();
    let requests = || scene.ask("GET", "/__sandbox/traffic", "", &Value::Null)["requests"].as_u64().unwrap();
    let first = watch();
    assert_eq!((count(&first, "customers"), count(&first, "ended")), (4, 1), "{first:#}");
    assert_eq!((count(&first, "flagged"), count(&first, "unread")), (1, 0), "{first:#}");
    assert_eq!(scene.list("flags")[0]["reason"], "expired_card");
    // Nothing is new: the account, what it may charge, the list, and those two.
    let before = requests();
    let again = watch();
    assert_eq!(requests() - before, CALLS_OF_A_WATCH + 2 * CALLS_TO_READ, "{again:#}");
    assert_eq!((count(&again, "flagged"), count(&again, "changed")), (0, 0), "{again:#}");
    // Another default, and then another month of it: each is told once, to those whom it pays.
    scene.import(&format!("customer,plan\n{},monthly\n", named.0));
    make_default(&scene, &named.0, &named.1);
    assert_eq!(count(&watch(), "changed"), 1);
    give_year(&scene, &named.0, &named.1, 2061);
    assert_eq!(count(&watch(), "changed"), 1);
    assert_eq!(count(&watch(), "changed"), 0);
}

#[test]
fn who_has_more_cards_than_are_taken_in_is_invoiced_and_flagged_until_there_are_fewer() {
    let scene = Scene::new(Setting { customers: 1, ..Setting::default() });
    import_seeded(&scene);
    let (customer, card) = with_cards(&scene, 501);
    scene.import(&format!("id,customer,plan,starts\ncrowd,{customer},monthly,2030-11-21\n"));
    let dry = scene.dues(&["run-now", "--dry-run", "--at", AT, "--json"]).expect(0).json();
    let ended = scene.run_at(AT).expect(0);
    let report = ended.json();
    assert!(ended.stderr.contains("more than 500 cards"), "{}", ended.stderr);
    assert_eq!((&report["attempts"]["succeeded"], &dry["planned"]), (&json!(1), &json!(1)), "{report:#}");
    for report in [&dry, &report] {
        let told = (&report["invoiced"], &report["skipped"], &report["flagged"]);
        assert_eq!(told, (&json!(2), &json!({}), &json!({"unchargeable": 1})), "{report:#}");
    }
    assert_eq!(calls(&report), CALLS_OF_A_RUN + 1 + 1, "one charge, one read: {report:#}");
    let again = scene.run_at(AT).expect(0).json();
    assert_eq!(
        (&again["skipped"], &again["flagged"]),
        (&json!({"unchargeable": 1}), &json!({})),
        "{again:#}"
    );
    let flags = scene.list("flags");
    assert_eq!(flags.len(), 1, "{flags:#?}");
    let way = format!("{customer} has more than 500 cards; delete some with `dues customers cards delete");
    assert!(flags[0]["detail"].as_str().unwrap().starts_with(&way), "{flags:#?}");
    let why = scene.dues(&["why", "crowd"]).expect(0).stdout;
    assert!(why.contains("more than 500 cards"), "{why}");
    api(&scene, "DELETE", &format!("/customers/{customer}/cards/{card}"), &Value::Null);
    let report = scene.run_at(AT).expect(0).json();
    assert_eq!(report["attempts"]["succeeded"], 1, "{report:#}");
    assert!(scene.list("flags").is_empty(), "{}", scene.story());
}
