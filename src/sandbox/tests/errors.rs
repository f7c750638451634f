//! Refusals, with the recorded statuses and codes.

use super::client::Desk;
use super::{empty, seeded};
use crate::sandbox::{SandboxError, SandboxOptions, start};

#[tokio::test]
async fn every_recorded_refusal_has_its_status_and_code() {
    let desk = Desk::open(empty()).await;
    let customer = desk.customer("4242424242424242").await;
    let bare = desk.post("/customers", "email=x%40y.test").await.text("/id");
    let spent = desk.token("4242424242424242").await;
    desk.post("/charges", &format!("amount=2000&currency=thb&card={spent}")).await;
    let cases = [
        (String::new(), 400, "invalid_amount"),
        ("amount=12.5&currency=thb".into(), 400, "invalid_amount"),
        ("amount=100000".into(), 400, "invalid_charge"),
        ("amount=100000&currency=thb".into(), 404, "not_found"),
        (format!("amount=1999&currency=thb&customer={customer}"), 400, "invalid_charge"),
        (format!("amount=100000&currency=zzz&customer={customer}"), 400, "invalid_charge"),
        ("amount=100000&currency=thb&customer=cust_test_no1t4tnemucod0e51mo".into(), 404, "not_found"),
        ("amount=100000&currency=thb&card=tokn_test_no1t4tnemucod0e51mo".into(), 404, "not_found"),
        (format!("amount=100000&currency=thb&card={spent}"), 400, "used_token"),
        (format!("amount=100000&currency=thb&customer={bare}"), 400, "missing_card"),
    ];
    for (form, status, code) in cases {
        let reply = desk.post("/charges", &form).await;
        assert_eq!((reply.status, reply.text("/code").as_str()), (status, code), "{form}");
        assert_eq!(reply.text("/object"), "error");
        assert!(reply.text("/location").ends_with(&format!("#{}", code.replace('_', "-"))));
    }
    let below = desk.post("/charges", &format!("amount=1&currency=thb&customer={customer}")).await;
    assert!(below.text("/message").contains("2000 thb subunits"));
    assert_eq!(desk.sandbox.ledger().len(), 1, "a refusal makes no charge");
    let search = desk.get("/search?scope=nothing").await;
    assert_eq!((search.status, search.text("/code")), (422, "invalid_scope".into()));
    desk.close().await;
}

#[tokio::test]
async fn the_kind_of_key_decides() {
    let desk = Desk::open(empty()).await;
    let (public, secret) = (desk.sandbox.public_key().to_owned(), desk.sandbox.secret_key().to_owned());
    for (key, verb, path, status) in [
        (&public, "GET", "/customers", 401),
        (&secret, "POST", "/tokens", 401),
        (&public, "GET", "/capability", 200),
        (&secret, "GET", "/capability", 200),
        (&"skey_test_other".to_owned(), "GET", "/account", 401),
    ] {
        assert_eq!(desk.ask(key, verb, path, "", "").await.status, status, "{verb} {path}");
    }
    let live = desk.ask("skey_4xxxxxxxxxx", "GET", "/account", "", "").await;
    assert!(live.status == 401 && live.text("/message").contains("refuses live keys"));
    let none =
        desk.raw("GET /account HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.expect("answers");
    assert!(none.starts_with(b"HTTP/1.1 401"));
    desk.close().await;
}

#[tokio::test]
async fn only_loopback_is_listened_on() {
    let open = SandboxOptions { listen: ([0, 0, 0, 0], 0).into(), ..SandboxOptions::default() };
    assert!(matches!(start(open).await, Err(SandboxError::NotLoopback(_))));
}

#[tokio::test]
async fn search_finds_by_word_and_filter_and_accepts_a_slash() {
    let desk = Desk::open(seeded(3)).await;
    let customer = desk.customer("4242424242424242").await;
    for (amount, text) in [(100_000, "Order-123"), (200_000, "Order-124"), (300_000, "Else")] {
        desk.post(
            "/charges",
            &format!("amount={amount}&currency=thb&customer={customer}&description={text}"),
        )
        .await;
    }
    let found =
        desk.get("/search/?scope=charge&query=order&filters[amount]=1000..1500&order=chronological").await;
    assert_eq!((found.text("/object"), found.json["total"].clone()), ("search".into(), 1.into()));
    assert_eq!(found.text("/data/0/description"), "Order-123");
    assert_eq!(found.text("/filters/amount"), "1000..1500");
    let beyond = desk.get("/charges/search?query=order&page=9").await;
    assert_eq!((beyond.status, beyond.json["data"].as_array().map(Vec::len)), (200, Some(0)));
    assert_eq!(desk.get("/search?scope=charge&filters[moon]=1").await.text("/code"), "invalid_filter");
    // Also where another filter has let nothing through, and where there is nothing yet.
    for refused in [
        "/search?scope=charge&filters[amount]=1&filters[moon]=1",
        "/search?scope=refund&filters[moon]=1",
        "/search?scope=charge&filters[captured]=perhaps",
    ] {
        let answer = desk.get(refused).await;
        assert_eq!((answer.status, answer.text("/code")), (422, "invalid_filter".into()), "{refused}");
    }
    assert_eq!(desk.get("/search?scope=charge&filters[source_type]=promptpay").await.json["total"], 0);
    assert_eq!(desk.get("/customers/search?query=a").await.json["total"], 1);
    desk.close().await;
}
