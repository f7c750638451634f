//! The account, its money, and the ways of writing a request.

use serde_json::json;

use super::client::Desk;
use super::empty;

#[tokio::test]
async fn the_account_answers_for_itself() {
    let desk = Desk::open(empty()).await;
    let account = desk.get("/account").await;
    assert!(
        account.text("/id").starts_with("account_test_") && account.text("/team").starts_with("acct_test_")
    );
    assert_eq!(account.json["supported_currencies"][0], "THB");
    let capability = desk.get("/capability").await;
    assert_eq!(capability.json["limits"]["charge_amount"], json!({"min": 2000, "max": 15_000_000}));
    desk.post("/__sandbox/settings", r#"{"limits":{"minimum":5000,"maximum":9000}}"#).await;
    assert_eq!(
        desk.get("/capability").await.json["limits"]["charge_amount"],
        json!({"min": 5000, "max": 9000})
    );
    let customer = desk.customer("4242424242424242").await;
    for (amount, status) in [(4999, 400), (5000, 200), (9000, 200), (9001, 400)] {
        let form = format!("amount={amount}&currency=thb&customer={customer}");
        assert_eq!(desk.post("/charges", &form).await.status, status, "{amount}");
    }
    // 5000 and 9000 less 3.65 % and the tax on that.
    assert_eq!(desk.get("/balance").await.json["total"], 5000 - 183 - 13 + 9000 - 329 - 23);
    assert_eq!(desk.get("/transactions").await.json["total"], 2);
    let forex = desk.get("/forex/usd").await;
    assert_eq!(
        (forex.text("/base"), forex.text("/quote"), forex.json["rate"].clone()),
        ("USD".into(), "THB".into(), json!(35.0))
    );
    assert_eq!(desk.get("/disputes").await.json["total"], 0);
    assert_eq!(desk.get("/nowhere").await.text("/code"), "not_found");
    assert_eq!(
        desk.patch("/account", "webhook_uri=https://shop.example/hook").await.status,
        400,
        "loopback only"
    );
    desk.close().await;
}

#[tokio::test]
async fn every_way_of_writing_a_charge_makes_the_same_charge() {
    let desk = Desk::open(empty()).await;
    let customer = desk.customer("4242424242424242").await;
    let json_kind = "Content-Type: application/json\r\n";
    let form_kind = "Content-Type: application/x-www-form-urlencoded\r\n";
    let ways = [
        (
            json_kind,
            format!(r#"{{"amount":50000,"currency":"thb","customer":"{customer}","metadata":{{"a":"1"}}}}"#),
        ),
        (
            json_kind,
            format!(
                r#"{{"amount":"50000","currency":"THB","customer":"{customer}","metadata":{{"a":"1"}}}}"#
            ),
        ),
        (form_kind, format!("amount=50000&currency=thb&customer={customer}&metadata[a]=1")),
        ("", format!("amount=50000&currency=thb&customer={customer}&metadata%5Ba%5D=1")),
    ];
    for (kind, body) in ways {
        let charge = desk.ask(desk.sandbox.secret_key(), "POST", "/charges", kind, &body).await;
        let seen = (charge.json["amount"].clone(), charge.text("/currency"), charge.json["metadata"].clone());
        assert_eq!(seen, (json!(50000), "THB".into(), json!({"a": "1"})), "{body}");
    }
    let broken = desk.ask(desk.sandbox.secret_key(), "POST", "/charges", json_kind, "{\"amount\":").await;
    assert_eq!((broken.status, broken.text("/code")), (400, "bad_request".into()));
    let long = format!(r#"{{"metadata":{{"a":"{}"}}}}"#, "x".repeat(15_000));
    assert_eq!(desk.post("/customers", &long).await.text("/code"), "bad_request");
    let held = desk
        .ask(
            desk.sandbox.secret_key(),
            "POST",
            "/charges",
            json_kind,
            &format!(r#"{{"amount":50000,"currency":"thb","customer":"{customer}","capture":false}}"#),
        )
        .await;
    let path = format!("/charges/{}/capture", held.text("/id"));
    let captured = desk.ask(desk.sandbox.secret_key(), "POST", &path, json_kind, "").await;
    assert_eq!(captured.text("/status"), "successful", "an empty JSON body");
    desk.close().await;
}

#[tokio::test]
async fn a_cleared_field_is_null_and_metadata_is_replaced() {
    let desk = Desk::open(empty()).await;
    let made = desk.post("/customers", "email=a%40b.test&description=A&metadata[x]=1").await;
    let path = made.text("/location");
    let cleared = desk.patch(&path, r#"{"email":"","description":null,"metadata":{}}"#).await;
    let seen = ["email", "description", "metadata"].map(|name| cleared.json[name].clone());
    assert_eq!(seen, [json!(null), json!(null), json!({})]);
    let kept = desk.patch(&path, "description=B").await;
    assert_eq!((kept.text("/description"), kept.json["email"].clone()), ("B".into(), json!(null)));
    desk.close().await;
}

#[tokio::test]
async fn an_older_version_is_echoed() {
    let desk = Desk::open(empty()).await;
    let plain = "GET /capability HTTP/1.1\r\nHost: x\r\nConnection: close\r\nOmise-Version: 2017-11-02\r\n";
    let key = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        format!("{}:", desk.sandbox.public_key()),
    );
    let request = format!("{plain}Authorization: Basic {key}\r\n\r\n");
    let reply = super::client::parse(&desk.raw(&request).await.expect("answers")).expect("whole");
    assert_eq!((reply.status, reply.header("omise-version")), (200, Some("2017-11-02")));
    desk.close().await;
}
