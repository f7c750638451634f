//! Events as the API keeps them, and webhooks as a listener receives them.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::client::Desk;
use super::empty;

/// Receives so many posts and answers each with 200: (head, body).
async fn receive(listener: &TcpListener, count: usize) -> Vec<(String, Value)> {
    let mut received = Vec::new();
    for _ in 0..count {
        let arrived = tokio::time::timeout(Duration::from_mins(1), listener.accept()).await;
        let (mut stream, _) = arrived.expect("in time").expect("a connection");
        let mut bytes = Vec::new();
        let body = loop {
            let mut chunk = [0u8; 4096];
            let count = stream.read(&mut chunk).await.expect("reads");
            bytes.extend_from_slice(&chunk[..count]);
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n")
                && let Ok(body) = serde_json::from_str(body)
            {
                break (head.to_owned(), body);
            }
            assert!(count > 0, "broke off");
        };
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.expect("answers");
        received.push(body);
    }
    received
}

fn header(head: &str, name: &str) -> Option<String> {
    let line = head.lines().find(|line| line.to_lowercase().starts_with(&format!("{name}:")))?;
    line.split_once(':').map(|(_, value)| value.trim().to_owned())
}

#[tokio::test]
async fn an_event_shows_the_object_as_it_was() {
    let desk = Desk::open(empty()).await;
    let customer = desk.customer("4242424242424242").await;
    let charge = desk.post("/charges", &format!("amount=50000&currency=thb&customer={customer}")).await;
    let path = format!("/charges/{}", charge.text("/id"));
    desk.post(&format!("{path}/refunds"), "amount=20000").await;
    let own = desk.get(&format!("{path}/events")).await;
    assert_eq!(own.json["total"], 2);
    assert_eq!(own.text("/data/0/key"), "charge.create");
    assert_eq!(own.json["data"][0]["data"]["refunded_amount"], 0, "as it was");
    assert_eq!(own.text("/data/1/key"), "refund.create");
    let all = desk.get("/events?order=reverse_chronological").await;
    let keys: Vec<&str> =
        all.json["data"].as_array().into_iter().flatten().filter_map(|e| e["key"].as_str()).collect();
    assert_eq!(keys, ["refund.create", "charge.create", "customer.create"]);
    let one = desk.get(&all.text("/data/2/location")).await;
    assert_eq!((one.text("/object"), one.text("/data/id")), ("event".into(), customer));
    desk.close().await;
}

#[tokio::test]
async fn webhooks_are_signed_with_every_secret_and_noted() {
    let desk = Desk::open(empty()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let url = format!("http://{}/hook", listener.local_addr().expect("address"));
    let settings = json!({"webhooks": {"url": url, "secrets": ["c2VjcmV0", "b3RoZXI="]}});
    assert_eq!(desk.post("/__sandbox/settings", &settings.to_string()).await.status, 200);
    desk.post("/customers", "email=a%40b.test").await;
    let received = receive(&listener, 1).await;
    let (head, body) = &received[0];
    assert!(head.starts_with("POST /hook HTTP/1.1"));
    assert_eq!(header(head, "content-type").as_deref(), Some("application/json"));
    assert_eq!((body["object"].as_str(), body["key"].as_str()), (Some("event"), Some("customer.create")));
    let stamp = header(head, "omise-signature-timestamp").expect("stamped");
    let secrets = ["c2VjcmV0".to_owned(), "b3RoZXI=".to_owned()];
    let wanted = crate::sandbox::http::webhooks::sign(&secrets, &stamp, body.to_string().as_bytes());
    assert_eq!(header(head, "omise-signature"), wanted);
    let path = format!("/events/{}", body["id"].as_str().unwrap_or_default());
    for _ in 0..10_000 {
        if desk.get(&path).await.json["webhook_deliveries"][0]["status"] == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let noted = desk.get(&path).await;
    assert_eq!(noted.text("/webhook_deliveries/0/object"), "webhook_delivery");
    assert!(noted.text("/webhook_deliveries/0/created_at").ends_with(" UTC"));
    desk.close().await;
}

#[tokio::test]
async fn webhooks_get_lost_doubled_and_overtaken() {
    let desk = Desk::open(empty()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let url = format!("http://{}/", listener.local_addr().expect("address"));
    let travel = async |how: &str| {
        let settings = json!({"webhooks": {"url": url, "travel": how}});
        assert_eq!(desk.post("/__sandbox/settings", &settings.to_string()).await.status, 200);
    };
    travel("lost").await;
    let lost = desk.post("/customers", "").await.text("/id");
    travel("doubled").await;
    let doubled = desk.post("/customers", "").await.text("/id");
    let received = receive(&listener, 2).await;
    assert!(
        received.iter().all(|(head, _)| header(head, "omise-signature").is_none()),
        "no secret, no signature"
    );
    let ids: Vec<&Value> = received.iter().map(|(_, body)| &body["data"]["id"]).collect();
    assert_eq!(ids, [&json!(doubled), &json!(doubled)]);
    assert_ne!(lost, doubled);
    travel("out_of_order").await;
    let first = desk.post("/customers", "").await.text("/id");
    let second = desk.post("/customers", "").await.text("/id");
    let received = receive(&listener, 2).await;
    let ids: Vec<&Value> = received.iter().map(|(_, body)| &body["data"]["id"]).collect();
    assert_eq!(ids, [&json!(second), &json!(first)]);
    desk.close().await;
}

#[tokio::test]
async fn a_charge_may_name_its_own_listeners() {
    let desk = Desk::open(empty()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let url = format!("http://{}/own", listener.local_addr().expect("address"));
    let customer = desk.customer("4242424242424242").await;
    let body =
        json!({"amount": "50000", "currency": "thb", "customer": customer, "webhook_endpoints": [url]});
    assert_eq!(desk.post("/charges", &body.to_string()).await.status, 200);
    assert_eq!(receive(&listener, 1).await[0].1["key"], "charge.create");
    desk.close().await;
}
