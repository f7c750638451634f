//! What a request carries, and what an answer's headers tell.

use std::time::Duration;

use super::server::{Act, Server, answer};
use super::{LONG, client, config};
use crate::omise::{Client, ClientConfig, ErrorKind, GetRetry, ListQuery};

const CUSTOMER: &str = r#"{"object":"customer","id":"cust_test_1"}"#;

#[tokio::test]
async fn every_request_carries_the_same_four_headers() {
    let server = Server::saying(&answer("200 OK", "", CUSTOMER)).await;
    let client = client(&server.address, LONG);
    client.charges().create_raw(r#"{"amount":2000}"#, "dues-1").await.unwrap();
    client.customers().retrieve("cust_test_1").await.unwrap();
    let seen = server.seen();
    for request in &seen {
        let request = request.to_ascii_lowercase();
        assert!(request.contains("omise-version: 2019-05-29\r\n"), "{request}");
        assert!(request.contains("authorization: basic "), "{request}");
        assert!(request.contains("user-agent: dues/"), "{request}");
        assert!(!request.contains("accept-encoding"), "{request}");
    }
    assert!(seen[0].starts_with("POST /charges HTTP/1.1\r\n"), "{}", seen[0]);
    assert!(seen[0].contains("idempotency-key: dues-1\r\n"), "{}", seen[0]);
    assert!(seen[0].contains("content-type: application/json\r\n"), "{}", seen[0]);
    assert!(seen[0].ends_with("\r\n\r\n{\"amount\":2000}"), "{}", seen[0]);
    assert!(seen[1].starts_with("GET /customers/cust_test_1 HTTP/1.1\r\n"), "{}", seen[1]);
}

#[tokio::test]
async fn the_key_is_the_user_name_with_an_empty_password() {
    let server = Server::saying(&answer("200 OK", "", CUSTOMER)).await;
    client(&server.address, LONG).customers().retrieve("cust_test_1").await.unwrap();
    // The base64 form of "skey_test_canarysecret:".
    assert!(server.seen()[0].contains("authorization: Basic c2tleV90ZXN0X2NhbmFyeXNlY3JldDo=\r\n"));
}

#[tokio::test]
async fn waits_are_read_as_seconds_and_as_dates() {
    for (header, wait) in [
        ("Retry-After: 3\r\n", Some(3)),
        ("Retry-After: Sun, 22 Nov 2026 02:00:10 GMT\r\n", Some(10)),
        ("Retry-After: Sun, 22 Nov 2026 01:00:00 GMT\r\n", Some(0)),
        ("Retry-After: 99999999999\r\n", Some(24 * 60 * 60)),
        ("Retry-After: soon\r\n", None),
        ("Retry-After: -1\r\n", None),
        ("", None),
    ] {
        let server = Server::saying(&answer("429 Slow down", header, "")).await;
        let reply = client(&server.address, LONG).charges().create_raw("{}", "k").await.unwrap();
        assert_eq!(reply.retry_after, wait.map(Duration::from_secs), "{header:?}");
    }
}

#[tokio::test]
async fn a_missing_or_odd_date_is_no_date() {
    for date in ["", "Date: yesterday\r\n", "Date: \u{ff}\r\n"] {
        let server = Server::saying(&format!("HTTP/1.1 200 OK\r\n{date}Content-Length: 2\r\n\r\n{{}}")).await;
        let reply = client(&server.address, LONG).charges().create_raw("{}", "k").await.unwrap();
        assert_eq!((reply.provider_date, reply.request_id), (None, None), "{date:?}");
    }
}

#[tokio::test]
async fn a_read_is_repeated_after_faults_as_often_as_allowed() {
    let fine = Act::Say(answer("200 OK", "", CUSTOMER).into_bytes());
    let slow_down = Act::Say(answer("429 Slow", "Retry-After: 3600\r\n", "").into_bytes());
    let fault = Act::Say(answer("503 Unavailable", "", "").into_bytes());
    let server = Server::start(vec![Act::Reset, slow_down, fault, fine]).await;
    let quick = GetRetry {
        tries_max: 4,
        first: Duration::from_millis(1),
        multiplier: 2,
        longest: Duration::from_millis(4),
        server_wait_max: Duration::from_millis(2), // An hour was asked for; it is cut to this.
    };
    let three = GetRetry { tries_max: 3, ..quick };
    let with = |get_retry| Client::new(&ClientConfig { get_retry, ..config(&server.address, LONG) }).unwrap();
    let error = with(three).customers().retrieve("cust_test_1").await.unwrap_err();
    assert_eq!((error.kind(), server.seen().len()), (ErrorKind::ProviderFault, 3));
    with(quick).customers().retrieve("cust_test_1").await.unwrap();
    assert_eq!(server.seen().len(), 4);
}

#[tokio::test]
async fn a_read_is_not_repeated_after_an_answer() {
    for (status, body) in [
        ("404 Not Found", r#"{"object":"error","code":"not_found","message":"no"}"#),
        ("401 Unauthorized", r#"{"object":"error","code":"authentication_failure","message":"no"}"#),
        ("200 OK", "<html>"),
        ("307 Elsewhere", ""),
    ] {
        let server = Server::saying(&answer(status, "", body)).await;
        let config = ClientConfig { get_retry: GetRetry::default(), ..config(&server.address, LONG) };
        Client::new(&config).unwrap().customers().retrieve("cust_test_1").await.unwrap_err();
        assert_eq!(server.seen().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn list_parameters_are_sent_in_the_recorded_form() {
    let server = Server::saying(&answer("200 OK", "", r#"{"object":"list","data":[],"total":0}"#)).await;
    let from = "2026-11-21T08:55:00.75Z".parse().unwrap();
    let to = "2026-11-21T09:10:00Z".parse().unwrap();
    let query = ListQuery { offset: 100, limit: Some(500), ..ListQuery::window(from, to) };
    client(&server.address, LONG).charges().list(&query).await.unwrap();
    let line = server.seen()[0].lines().next().unwrap().to_owned();
    assert_eq!(
        line,
        "GET /charges?order=chronological&from=2026-11-21T08%3A55%3A00Z&to=2026-11-21T09%3A10%3A00Z\
         &offset=100&limit=100 HTTP/1.1"
    );
}

#[tokio::test]
async fn an_id_that_would_address_something_else_is_refused_unsent() {
    let server = Server::saying(&answer("200 OK", "", CUSTOMER)).await;
    let client = client(&server.address, LONG);
    for id in ["", ".", "..", "a/b", "a?b", "a#b", "a b", "a%2Fb", "é", &"a".repeat(101)] {
        let error = client.customers().retrieve(id).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{id:?}");
    }
    assert!(server.seen().is_empty());
}
