//! Customers, cards, charges and lists as the API documents them.

use serde_json::json;

use super::client::Desk;
use super::{empty, seeded};

#[tokio::test]
async fn a_customer_lives_from_token_to_destruction() {
    let desk = Desk::open(empty()).await;
    let token = desk.token("4242424242424242").await;
    let created = desk
        .post(
            "/customers",
            &format!("email=jane%40shop.test&description=Jane+Doe&card={token}&metadata[plan]=pro"),
        )
        .await;
    assert_eq!((created.status, created.text("/object")), (200, "customer".into()));
    assert_eq!(created.json["metadata"], json!({"plan": "pro"}));
    let id = created.text("/id");
    let first = created.text("/default_card");
    assert_eq!(created.text("/cards/data/0/location"), format!("/customers/{id}/cards/{first}"));

    let second = desk.token("5555555555554444").await;
    let updated = desk.patch(&format!("/customers/{id}"), &format!("card={second}")).await;
    assert_eq!(updated.json["cards"]["total"], 2);
    assert_eq!(updated.text("/default_card"), first, "a later card does not become the default");
    let newest = updated.text("/cards/data/1/id");
    let chosen = desk.patch(&format!("/customers/{id}"), &format!("{{\"default_card\":\"{newest}\"}}")).await;
    assert_eq!(chosen.text("/default_card"), newest);
    let edited =
        desk.patch(&format!("/customers/{id}/cards/{first}"), "expiration_year=2047&city=Bangkok").await;
    assert_eq!(
        (edited.json["expiration_year"].clone(), edited.text("/city")),
        (json!(2047), "Bangkok".into())
    );

    let gone = desk.delete(&format!("/customers/{id}/cards/{newest}")).await;
    assert_eq!(gone.json["deleted"], true);
    assert_eq!(desk.get(&format!("/customers/{id}")).await.text("/default_card"), first, "promoted");
    let ended = desk.delete(&format!("/customers/{id}")).await;
    assert_eq!(ended.json["deleted"], true);
    assert_eq!(
        (ended.json["cards"]["total"].clone(), ended.json["default_card"].clone()),
        (json!(0), json!(null))
    );
    assert_eq!(desk.get(&format!("/customers/{id}")).await.text("/code"), "not_found");
    assert_eq!(desk.get("/customers").await.json["total"], 0);
    desk.close().await;
}

#[tokio::test]
async fn a_charge_has_the_recorded_fields_and_fees() {
    let desk = Desk::open(empty()).await;
    let customer = desk.customer("4242424242424242").await;
    let charge = desk
        .post(
            "/charges",
            &format!("amount=100000&currency=thb&customer={customer}&metadata[order]=7&description=Order-7"),
        )
        .await;
    assert_eq!(charge.status, 200, "{}", charge.json);
    let found = |name: &str| charge.json[name].clone();
    assert_eq!((found("fee"), found("fee_vat"), found("net")), (json!(3650), json!(256), json!(96094)));
    assert_eq!(
        (found("currency"), found("status"), found("paid")),
        (json!("THB"), json!("successful"), json!(true))
    );
    assert_eq!((found("customer"), found("metadata")), (json!(customer), json!({"order": "7"})));
    assert_eq!(found("authorize_uri"), json!(null));
    assert_eq!(charge.text("/card/object"), "card");
    let id = charge.text("/id");
    assert!(id.starts_with("chrg_test_") && id.len() == 29);
    assert_eq!(charge.text("/location"), format!("/charges/{id}"));
    assert_eq!(charge.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(charge.header("omise-version"), Some("2019-05-29"));
    assert!(
        charge.header("x-request-id").is_some_and(|id| id.len() == 36) && charge.header("date").is_some()
    );
    assert_eq!(desk.get(&format!("/charges/{id}")).await.json, charge.json);

    let ledger = desk.sandbox.ledger();
    assert_eq!(ledger.len(), 1);
    assert_eq!(
        (ledger[0].id.as_str(), ledger[0].amount, ledger[0].status.as_str()),
        (id.as_str(), 100_000, "successful")
    );
    desk.close().await;
}

#[tokio::test]
async fn lists_window_page_and_turn() {
    let desk = Desk::open(seeded(250)).await;
    let all = desk.get("/customers?limit=100&offset=200").await;
    assert_eq!(
        (all.json["total"].clone(), all.json["data"].as_array().map(Vec::len)),
        (json!(248), Some(48))
    );
    // Seeded customers were made one a second from 2020 on; both edges belong to the window.
    let window = desk
        .get("/customers?from=2020-01-01T00:00:10Z&to=2020-01-01T00:00:19Z&order=reverse_chronological")
        .await;
    assert!(window.json["total"].as_u64().is_some_and(|total| (8..=10).contains(&total)));
    assert_eq!(window.text("/data/0/created_at"), "2020-01-01T00:00:19Z");
    assert_eq!(
        (window.text("/from"), window.text("/order")),
        ("2020-01-01T00:00:10Z".into(), "reverse_chronological".into())
    );
    // One official client sends paging as a JSON body on GET, nulls included.
    let body = "{\"limit\":1,\"offset\":3,\"order\":null,\"from\":null,\"to\":null}";
    let probe = desk
        .ask(desk.sandbox.secret_key(), "GET", "/customers", "Content-Type: application/json\r\n", body)
        .await;
    assert_eq!((probe.json["limit"].clone(), probe.json["offset"].clone()), (json!(1), json!(3)));
    assert_eq!(probe.json["data"][0]["cards"]["object"], "list");
    desk.close().await;
}

#[tokio::test]
async fn seeded_customers_meet_their_fates() {
    let desk = Desk::open(seeded(200)).await;
    let again = Desk::open(seeded(200)).await;
    assert_eq!(desk.sandbox.customers(), again.sandbox.customers(), "ids follow from the seed");
    again.close().await;
    for seeded in desk.sandbox.customers() {
        let word = serde_json::to_value(seeded.fate).expect("a word");
        let word = word.as_str().unwrap_or_default();
        let form = format!("amount=99000&currency=THB&customer={}&return_uri=https://a.test/", seeded.id);
        let seen = match desk.charge_under("", &form).await {
            Err(_) => "close_after".to_owned(),
            Ok(reply) if reply.status == 404 => "deleted".to_owned(),
            Ok(reply) if reply.text("/code") == "missing_card" => "no_card".to_owned(),
            Ok(reply) if reply.text("/status") == "successful" => "paying".to_owned(),
            Ok(reply) if reply.text("/status") == "pending" && !reply.text("/authorize_uri").is_empty() => {
                "3ds".to_owned()
            }
            Ok(reply) => reply.text("/failure_code"),
        };
        assert_eq!(seen, word);
    }
    let summary = desk.sandbox.ledger_summary();
    assert_eq!(summary["charges"], 193, "all but the five without a card and the two destroyed");
    desk.close().await;
}

#[tokio::test]
async fn a_pending_charge_is_captured_reversed_refunded_or_expires() {
    let desk = Desk::open(empty()).await;
    let customer = desk.customer("4242424242424242").await;
    let form = format!("amount=50000&currency=THB&customer={customer}&capture=false");
    let held = desk.post("/charges", &form).await;
    assert_eq!((held.text("/status"), held.json["capturable"].clone()), ("pending".into(), json!(true)));
    let path = format!("/charges/{}", held.text("/id"));
    let part = desk.post(&format!("{path}/capture"), "capture_amount=30000").await;
    assert_eq!(
        (part.text("/status"), part.json["captured_amount"].clone()),
        ("successful".into(), json!(30000))
    );
    assert_eq!(desk.post(&format!("{path}/reverse"), "").await.text("/code"), "failed_reverse");
    let refund = desk.post(&format!("{path}/refunds"), "amount=10000&metadata[why]=kind").await;
    assert_eq!((refund.text("/object"), refund.text("/status")), ("refund".into(), "closed".into()));
    assert_eq!(desk.post(&format!("{path}/refunds"), "amount=20001").await.text("/code"), "failed_refund");
    assert_eq!(desk.get(&path).await.json["refunded_amount"], 10000);

    let second = desk.post("/charges", &form).await.text("/id");
    assert_eq!(desk.post(&format!("/charges/{second}/reverse"), "").await.text("/status"), "reversed");
    let third =
        desk.post("/charges", &format!("{form}&return_uri=https://a.test&metadata[sandbox_fate]=3ds")).await;
    desk.post("/__sandbox/clock", "advance=604801").await;
    assert_eq!(desk.get(&format!("/charges/{}", third.text("/id"))).await.text("/status"), "expired");
    let words: Vec<String> = desk.sandbox.ledger().into_iter().map(|entry| entry.status).collect();
    assert_eq!(words, ["successful", "reversed", "expired"]);
    desk.close().await;
}

#[tokio::test]
async fn a_killed_sandbox_comes_back_as_it_was() {
    let folder = tempfile::tempdir().expect("folder");
    let mut options = seeded(20);
    options.state = Some(folder.path().join("state.jsonl"));
    let desk = Desk::open(options.clone()).await;
    let customer = desk.customer("4242424242424242").await;
    let charge = desk.post("/charges", &format!("amount=50000&currency=THB&customer={customer}")).await;
    let card = charge.text("/card/id");
    desk.delete(&format!("/customers/{customer}/cards/{card}")).await;
    let form = format!(
        "every=1&period=day&start_date=2040-01-01&end_date=2040-02-01&charge[customer]={customer}&charge[amount]=9900"
    );
    desk.post("/schedules", &form).await;
    desk.post(&format!("/charges/{}/refunds", charge.text("/id")), "amount=700").await;
    let seen_too = [desk.get("/schedules").await.json, desk.get("/transactions").await.json["data"].clone()];
    let events = desk.get("/events?limit=100").await.json["data"].clone();
    let seen = desk.get(&format!("/charges/{}", charge.text("/id"))).await.json["refunds"]["total"].clone();
    assert_eq!(seen, 1);
    let ledger = desk.sandbox.ledger();
    assert!(crate::sandbox::start(options.clone()).await.is_err(), "one process at a time");
    desk.close().await;

    // What a kill in the middle of a write leaves behind.
    let path = folder.path().join("state.jsonl");
    let mut text = std::fs::read(&path).expect("file");
    text.extend_from_slice(b"{\"charges\":[{\"id\":{\"ms\":17");
    std::fs::write(&path, text).expect("file");
    let back = Desk::open(options.clone()).await;
    let kept = back.get(&format!("/charges/{}", charge.text("/id"))).await;
    assert_eq!(
        (kept.json["refunded_amount"].clone(), kept.json["card"]["deleted"].clone()),
        (700.into(), true.into())
    );
    let kept = [back.get("/schedules").await.json, back.get("/transactions").await.json["data"].clone()];
    assert_eq!(kept[0]["data"], seen_too[0]["data"]);
    assert_eq!(kept[1], seen_too[1]);
    assert_eq!(back.get("/events?limit=100").await.json["data"], events);
    assert_eq!(back.get("/balance").await.json["total"], 50_000 - 1825 - 128 - 700);
    assert_eq!(back.sandbox.ledger(), ledger);
    assert_eq!(back.get(&format!("/customers/{customer}")).await.json["default_card"], json!(null));
    let next = back.customer("4242424242424242").await;
    assert_ne!(next, customer);
    back.close().await;
    options.seed = 99;
    assert!(crate::sandbox::start(options).await.is_err(), "another seed is another world");
}
