//! Faults on demand, each judged by the ledger and by what the client saw.

use std::io::ErrorKind;

use serde_json::json;

use super::client::Desk;
use super::empty;

fn charge(customer: &str) -> String {
    format!("amount=50000&currency=thb&customer={customer}&return_uri=https://a.test/")
}

#[tokio::test]
async fn a_fault_before_makes_no_charge_and_one_after_makes_it() {
    let desk = Desk::open(empty()).await;
    let form = charge(&desk.customer("4242424242424242").await);
    let mut made = 0;
    for (switch, status, charges) in [
        ("status_before:503", Some(503), 0),
        ("status_after:500", Some(500), 1),
        ("page_after:502", Some(502), 1),
        ("too_many", Some(429), 0),
        ("too_many:7", Some(429), 0),
        ("redirect:307", Some(307), 0),
        ("html_before", Some(200), 0),
        ("html_after", Some(200), 1),
        ("close_before", None, 0),
        ("close_after", None, 1),
        ("reset_before", None, 0),
        ("reset_after", None, 1),
        ("reset_at:40", None, 1),
        ("cut_at:600", None, 1),
        ("truncate", None, 1),
        ("deep:4000", Some(200), 1),
        ("oversized:100000", Some(200), 1),
        ("delay_before:5,delay_after:5", Some(200), 1),
        ("duplicate", Some(200), 2),
    ] {
        let reply = desk.charge_under(switch, &form).await;
        assert_eq!(reply.as_ref().ok().map(|reply| reply.status), status, "{switch}: {reply:?}");
        made += charges;
        assert_eq!(desk.sandbox.ledger().len(), made, "{switch}");
    }
    assert_eq!(
        desk.charge_under("reset_after", &form).await.expect_err("reset").kind(),
        ErrorKind::ConnectionReset
    );
    let waits = desk.charge_under("too_many:7", &form).await.expect("answers");
    assert_eq!((waits.header("retry-after"), waits.text("/code")), (Some("7"), "too_many_requests".into()));
    assert_eq!(desk.charge_under("too_many", &form).await.expect("answers").header("retry-after"), None);
    assert_eq!(desk.charge_under("no_date", &form).await.expect("answers").header("date"), None);
    assert_eq!(desk.charge_under("banana", &form).await.expect("answers").status, 400);
    desk.close().await;
}

#[tokio::test]
async fn answers_lie_where_told_and_the_ledger_does_not() {
    let desk = Desk::open(empty()).await;
    let form = charge(&desk.customer("4242424242424242").await);
    for (switch, pointer, seen) in [
        ("wrong:amount", "/amount", json!(50001)),
        ("wrong:currency", "/currency", json!("USD")),
        ("wrong:livemode", "/livemode", json!(true)),
        ("wrong:object", "/object", json!("customer")),
        ("status_word:teleported", "/status", json!("teleported")),
        ("decline:expired_card", "/failure_code", json!("expired_card")),
        ("decline:payment_rejected,advice:9101", "/merchant_advice_code", json!("9101")),
        ("decline:payment_rejected,advice:do not retry", "/merchant_advice", json!("do not retry")),
        ("3ds", "/status", json!("pending")),
        ("in_flight", "/authorize_uri", json!(null)),
    ] {
        let reply = desk.charge_under(switch, &form).await.expect("answers");
        assert_eq!(reply.json.pointer(pointer), Some(&seen), "{switch}");
    }
    assert!(desk.sandbox.ledger().iter().all(|entry| entry.amount == 50000 && entry.currency == "THB"));
    desk.close().await;
}

#[tokio::test]
async fn silence_lasts_and_a_late_charge_is_made_after_the_client_left() {
    let desk = Desk::open(empty()).await;
    let form = charge(&desk.customer("4242424242424242").await);
    let headers = "X-Sandbox-Fault: silence_after\r\n";
    let request = Desk::request(desk.sandbox.secret_key(), "POST", "/charges", headers, &form);
    let wait = std::time::Duration::from_secs(1);
    assert!(tokio::time::timeout(wait, desk.raw(&request)).await.is_err());
    assert_eq!(desk.sandbox.ledger().len(), 1);
    assert!(desk.charge_under("late:1000", &form).await.is_err());
    assert_eq!(desk.sandbox.ledger().len(), 1, "not yet");
    for _ in 0..6_000 {
        if desk.sandbox.ledger().len() == 2 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(desk.sandbox.ledger().len(), 2);
    desk.close().await;
}

#[tokio::test]
async fn a_dripping_answer_comes_byte_by_byte_and_whole() {
    let desk = Desk::open(empty()).await;
    let watch = crate::clock::Stopwatch::start();
    let headers = "X-Sandbox-Fault: drip:1\r\n";
    let request = Desk::request(desk.sandbox.secret_key(), "GET", "/balance", headers, "");
    let bytes = desk.raw(&request).await.expect("answers");
    let reply = super::client::parse(&bytes).expect("whole");
    assert_eq!(reply.text("/object"), "balance");
    let least = u64::try_from(reply.body.len()).expect("small");
    assert!(watch.elapsed_ms() >= least, "a millisecond for each byte");
    desk.close().await;
}

#[tokio::test]
async fn lists_and_search_lag_as_told() {
    let desk = Desk::open(empty()).await;
    desk.post("/__sandbox/clock", "set=2026-03-01T00:00:00Z&hold=true").await;
    let form = charge(&desk.customer("4242424242424242").await);
    let id =
        desk.charge_under("list_delay:60000,search_lag:120000", &form).await.expect("answers").text("/id");
    assert_eq!(desk.get("/charges").await.json["total"], 0);
    assert_eq!(desk.get(&format!("/charges/{id}")).await.status, 200);
    desk.post("/__sandbox/clock", "advance=60").await;
    assert_eq!(desk.get("/charges").await.json["total"], 1);
    assert_eq!(desk.get("/charges/search").await.json["total"], 0);
    desk.post("/__sandbox/clock", "advance=60").await;
    assert_eq!(desk.get("/charges/search").await.json["total"], 1);
    desk.close().await;
}

#[tokio::test]
async fn rules_and_metadata_carry_switches() {
    let desk = Desk::open(empty()).await;
    let token = desk.token("4242424242424242").await;
    let form = format!("card={token}&metadata[sandbox_fate]=decline%3Ainsufficient_fund");
    let unlucky = desk.post("/customers", &form).await.text("/id");
    assert_eq!(desk.post("/charges", &charge(&unlucky)).await.text("/failure_code"), "insufficient_fund");
    let customer = desk.customer("4242424242424242").await;
    let own = format!("{}&metadata[sandbox_fate]=status_after%3A503", charge(&customer));
    assert_eq!(desk.post("/charges", &own).await.status, 503);

    let rule = r#"{"rules":[{"path":"/charges","method":"POST","every":2,"faults":"close_after"}]}"#;
    assert_eq!(desk.post("/__sandbox/faults", rule).await.status, 200);
    assert!(desk.charge_under("", &charge(&customer)).await.is_ok());
    assert!(desk.charge_under("", &charge(&customer)).await.is_err());
    let shown = desk.get("/__sandbox/faults").await;
    assert_eq!(
        (shown.json["rules"][0]["matched"].clone(), shown.json["rules"][0]["applied"].clone()),
        (json!(2), json!(1))
    );
    desk.delete("/__sandbox/faults").await;
    assert!(desk.charge_under("", &charge(&customer)).await.is_ok());
    assert_eq!(desk.post("/__sandbox/faults", r#"{"faults":"banana"}"#).await.status, 400);
    assert_eq!(desk.post("/__sandbox/settings", r#"{"unknown":1}"#).await.status, 400);
    desk.close().await;
}

#[tokio::test]
async fn idempotency_is_ignored_unless_told() {
    let desk = Desk::open(empty()).await;
    let form = charge(&desk.customer("4242424242424242").await);
    let twice = async |desk: &Desk| {
        let headers = "Idempotency-Key: k1\r\n";
        let first = desk.ask(desk.sandbox.secret_key(), "POST", "/charges", headers, &form).await.text("/id");
        let second =
            desk.ask(desk.sandbox.secret_key(), "POST", "/charges", headers, &form).await.text("/id");
        first == second
    };
    assert!(!twice(&desk).await);
    desk.post("/__sandbox/settings", r#"{"idempotency":"honoured"}"#).await;
    assert!(twice(&desk).await);
    desk.post("/__sandbox/settings", r#"{"idempotency":"forgotten"}"#).await;
    assert!(!twice(&desk).await);
    assert!(desk.sandbox.ledger().iter().all(|entry| entry.idempotency_key.as_deref() == Some("k1")));
    assert_eq!(desk.sandbox.ledger().len(), 5);
    desk.close().await;
}

#[tokio::test]
async fn a_customer_approves_or_refuses_on_the_page() {
    let desk = Desk::open(empty()).await;
    let form = charge(&desk.customer("4242424242424242").await);
    assert_eq!(
        desk.charge_under("3ds", "amount=50000&currency=thb&card=x").await.expect("answers").status,
        404
    );
    for (answer, status) in [("approve", "successful"), ("deny", "failed")] {
        let pending = desk.charge_under("3ds", &form).await.expect("answers");
        let path = pending.text("/authorize_uri").replace(&desk.sandbox.api_url(), "");
        assert!(String::from_utf8_lossy(&desk.get(&path).await.body).contains("Approve"));
        let sent = desk.post(&path, &format!("answer={answer}")).await;
        assert_eq!((sent.status, sent.header("location")), (302, Some("https://a.test/")));
        let now = desk.get(&format!("/charges/{}", pending.text("/id"))).await;
        assert_eq!(now.text("/status"), status);
        assert_eq!(now.text("/authorize_uri"), pending.text("/authorize_uri"), "kept, as recorded");
    }
    desk.post("/__sandbox/settings", r#"{"three_ds":true}"#).await;
    let without = form.replace("&return_uri=https://a.test/", "");
    assert_eq!(desk.post("/charges", &without).await.status, 400);
    desk.close().await;
}
