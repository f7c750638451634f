//! Published test cards at the moment of charging, tokens, and expiry.

use serde_json::json;

use super::client::Desk;
use super::empty;

#[tokio::test]
async fn published_cards_attach_and_fail_when_charged() {
    let desk = Desk::open(empty()).await;
    for (number, code) in [
        ("4111111111140011", "insufficient_fund"),
        ("5555551111100012", "stolen_or_lost_card"),
        ("3530111111170013", "failed_processing"),
        ("6250947000000048", "payment_rejected"),
        ("4111111111190016", "failed_fraud_check"),
        ("5555551111150017", "invalid_account_number"),
        ("3530111111110001", "invalid_security_code"),
        ("377138160000009", "failed_processing"),
    ] {
        let customer = desk.customer(number).await;
        let charge = desk.post("/charges", &format!("amount=50000&currency=thb&customer={customer}")).await;
        let seen = (charge.status, charge.text("/status"), charge.text("/failure_code"));
        assert_eq!(seen, (200, "failed".into(), code.into()), "{number}");
        let flags = ["authorized", "paid", "expired", "transaction"].map(|name| charge.json[name].clone());
        assert_eq!(flags, [json!(false), json!(false), json!(true), json!(null)], "as recorded");
        assert!(!charge.text("/failure_message").is_empty());
    }
    desk.close().await;
}

#[tokio::test]
async fn the_advising_card_gives_the_amount_as_its_code() {
    let desk = Desk::open(empty()).await;
    let customer = desk.customer("4111111111170018").await;
    let charge = desk.post("/charges", &format!("amount=9101&currency=thb&customer={customer}")).await;
    assert_eq!(
        (charge.text("/status"), charge.text("/merchant_advice_code")),
        ("failed".into(), "9101".into())
    );
    assert!(charge.text("/merchant_advice").contains("Do not retry"));
    desk.close().await;
}

#[tokio::test]
async fn cards_of_the_3ds_step_fail_there() {
    let desk = Desk::open(empty()).await;
    desk.post("/__sandbox/settings", r#"{"three_ds":true}"#).await;
    let form = "amount=50000&currency=thb&return_uri=https://a.test/&customer=";
    let enrol = desk.customer("4111111111150002").await;
    assert_eq!(desk.post("/charges", &format!("{form}{enrol}")).await.text("/status"), "failed");
    let validate = desk.customer("4111111111140003").await;
    let pending = desk.post("/charges", &format!("{form}{validate}")).await;
    assert_eq!(pending.text("/status"), "pending");
    let id = pending.text("/id");
    let settled = desk.post(&format!("/__sandbox/charges/{id}/approve"), "").await;
    assert_eq!(settled.json["settled"], true);
    assert_eq!(desk.get(&format!("/charges/{id}")).await.text("/failure_code"), "failed_processing");
    let again = desk.post(&format!("/__sandbox/charges/{id}/approve"), "").await;
    assert_eq!(again.json["settled"], false, "settled once");
    desk.close().await;
}

#[tokio::test]
async fn time_expires_a_card_and_an_update_revives_it() {
    let desk = Desk::open(empty()).await;
    let customer = desk.customer("4242424242424242").await;
    let form = format!("amount=50000&currency=thb&customer={customer}");
    desk.post("/__sandbox/clock", "set=2046-01-01T11:59:00Z&hold=true").await;
    assert_eq!(
        desk.post("/charges", &form).await.text("/status"),
        "successful",
        "the last minute of its month"
    );
    desk.post("/__sandbox/clock", "advance=60").await;
    let expired = desk.post("/charges", &form).await;
    assert_eq!(
        (expired.text("/status"), expired.text("/failure_code")),
        ("failed".into(), "expired_card".into())
    );
    let card = expired.text("/card/id");
    let path = format!("/customers/{customer}/cards/{card}");
    assert_eq!(desk.patch(&path, "expiration_month=13").await.text("/code"), "invalid_card");
    assert_eq!(desk.patch(&path, "expiration_year=2050").await.status, 200);
    assert_eq!(desk.post("/charges", &form).await.text("/status"), "successful");
    desk.close().await;
}

#[tokio::test]
async fn a_token_is_spent_once_by_attaching_or_by_charging() {
    let desk = Desk::open(empty()).await;
    for (first, second) in [("/customers", "/charges"), ("/charges", "/customers")] {
        let token = desk.token("4242424242424242").await;
        let form = format!("amount=50000&currency=thb&card={token}");
        assert_eq!(desk.post(first, &form).await.status, 200);
        assert_eq!(desk.post(second, &form).await.text("/code"), "used_token");
        let path = format!("/tokens/{token}");
        let spent = desk.ask(desk.sandbox.public_key(), "GET", &path, "", "").await;
        assert_eq!((spent.json["used"].clone(), spent.json["card"].clone()), (json!(true), json!(null)));
        assert!(spent.text("/location").starts_with(&desk.sandbox.vault_url()));
    }
    let past =
        "card[name]=A&card[number]=4242424242424242&card[expiration_month]=1&card[expiration_year]=2020";
    let refused = desk.ask(desk.sandbox.public_key(), "POST", "/tokens", "", past).await;
    assert_eq!((refused.status, refused.text("/code")), (400, "invalid_card".into()));
    let refused = desk.ask(desk.sandbox.public_key(), "POST", "/tokens", "", "").await;
    assert_eq!(refused.status, 400);
    desk.close().await;
}

#[tokio::test]
async fn a_charge_by_token_has_a_card_of_nobody() {
    let desk = Desk::open(empty()).await;
    let token = desk.token("4242424242424242").await;
    let charge = desk.post("/charges", &format!("amount=50000&currency=thb&card={token}")).await;
    assert_eq!(
        (charge.json["customer"].clone(), charge.json["card"]["location"].clone()),
        (json!(null), json!(null))
    );
    let customer = desk.customer("4242424242424242").await;
    let strange = desk.token("5555555555554444").await;
    let mixed =
        desk.post("/charges", &format!("amount=50000&currency=thb&customer={customer}&card={strange}")).await;
    assert_eq!(mixed.text("/code"), "not_found", "with a customer only that customer's cards");
    let yen = desk.customer("3530111333300000").await;
    let brand = desk.post("/charges", &format!("amount=5000&currency=jpy&customer={yen}")).await;
    assert_eq!(brand.text("/code"), "brand_not_supported");
    desk.close().await;
}

#[tokio::test]
async fn deleting_the_default_promotes_the_newest_that_is_left() {
    let desk = Desk::open(empty()).await;
    let customer = desk.customer("4242424242424242").await;
    let path = format!("/customers/{customer}");
    let mut cards = vec![desk.get(&path).await.text("/default_card")];
    for number in ["5555555555554444", "3530111333300000"] {
        let token = desk.token(number).await;
        let updated = desk.patch(&path, &format!("card={token}")).await;
        let total = updated.json["cards"]["total"].as_u64().unwrap_or_default();
        cards.push(updated.text(&format!("/cards/data/{}/id", total - 1)));
    }
    desk.delete(&format!("{path}/cards/{}", cards[0])).await;
    assert_eq!(desk.get(&path).await.text("/default_card"), cards[2]);
    desk.delete(&format!("{path}/cards/{}", cards[2])).await;
    assert_eq!(desk.get(&path).await.text("/default_card"), cards[1]);
    desk.delete(&format!("{path}/cards/{}", cards[1])).await;
    assert_eq!(desk.get(&path).await.json["default_card"], json!(null));
    assert_eq!(desk.get(&format!("{path}/cards/{}", cards[1])).await.status, 404);
    desk.close().await;
}

#[tokio::test]
async fn a_customer_embeds_twenty_cards_and_their_own_list_has_pages_for_all() {
    let desk = Desk::open(empty()).await;
    let customer = desk.customer("4242424242424242").await;
    let path = format!("/customers/{customer}");
    for _ in 0..22 {
        let token = desk.token("4242424242424242").await;
        desk.patch(&path, &format!("card={token}")).await;
    }
    let page = async |asked: &str| {
        let answer = desk.get(&format!("{path}/cards{asked}")).await.json;
        let ids: Vec<_> =
            answer["data"].as_array().expect("rows").iter().map(|card| card["id"].clone()).collect();
        assert_eq!(answer["total"], 23, "{asked}");
        (ids, answer["limit"].clone())
    };
    let (all, limit) = page("?limit=101").await;
    assert_eq!((all.len(), limit), (23, json!(100)), "cut down");
    assert_eq!(page("").await, (all[..20].to_vec(), json!(20)));
    assert_eq!(page("?offset=20").await.0, all[20..]);
    let newest = page("?limit=2&order=reverse_chronological").await.0;
    assert_eq!(newest, [all[22].clone(), all[21].clone()]);
    let embedded = desk.get(&path).await.json["cards"].clone();
    assert_eq!((&embedded["total"], &embedded["limit"]), (&json!(23), &json!(20)));
    assert_eq!(embedded["data"].as_array().map(Vec::len), Some(20));
    assert_eq!(embedded["data"][19]["id"], all[19]);
    desk.close().await;
}
