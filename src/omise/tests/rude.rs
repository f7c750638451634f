//! Complete answers that are not what they should be.

use std::time::Duration;

use super::server::{Act, Server, answer};
use super::{LONG, client, config};
use crate::omise::{Charge, Client, ClientConfig, Error, ErrorKind, Flaw, Reply, TransportError};

async fn reply_to(text: &str) -> Reply {
    let server = Server::saying(text).await;
    client(&server.address, LONG).charges().create_raw("{}", "key-1").await.unwrap()
}

fn flaw(reply: &Reply) -> Flaw {
    match reply.parse::<Charge>() {
        Err(Error::Unusable(unusable)) => unusable.flaw,
        other => panic!("not unusable: {other:?}"),
    }
}

#[tokio::test]
async fn a_redirect_is_reported_and_never_followed() {
    let elsewhere = Server::saying(&answer("200 OK", "", "{}")).await;
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent"] {
        let reply = reply_to(&answer(status, &format!("Location: {}/\r\n", elsewhere.address), "{}")).await;
        assert_eq!(flaw(&reply), Flaw::Redirect, "{status}");
    }
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn a_success_must_be_the_object_asked_for() {
    let other = |found: &str| Flaw::OtherObject { wanted: "charge", found: found.to_owned() };
    let customer = answer("200 OK", "", r#"{"object":"customer","id":"cust_test_1"}"#);
    assert_eq!(flaw(&reply_to(&customer).await), other("customer"));
    let error = answer("200 OK", "", r#"{"object":"error","code":"not_found","message":"no"}"#);
    assert_eq!(flaw(&reply_to(&error).await), other("error"));
    for body in [
        "",
        "null",
        "[]",
        "{}",
        "<html><body>Welcome</body></html>",
        r#"{"object":"charge"}"#,
        r#"{"object":"charge","id":"chrg_test_1","amount":20.5,"currency":"THB","status":"successful"}"#,
        r#"{"object":"charge","id":7,"amount":2000,"currency":"THB","status":"successful"}"#,
        r#"{"object":"charge","id":"chrg_test_1","amount":99999999999999999999,"currency":"THB","status":"failed"}"#,
        "{\"object\":\"charge\",\"id\":\"\u{0}",
    ] {
        let found = flaw(&reply_to(&answer("200 OK", "", body)).await);
        assert!(matches!(found, Flaw::Unparsable { wanted: "charge", .. }), "{body:?}: {found:?}");
    }
    assert_eq!(flaw(&reply_to(&answer("201 Created", "", "{}")).await), Flaw::Status);
    assert_eq!(flaw(&reply_to("HTTP/1.1 204 No Content\r\n\r\n").await), Flaw::Status);
}

#[tokio::test]
async fn deep_nesting_is_an_error_and_not_a_crash() {
    let body = format!(r#"{{"object":"charge","metadata":{}"#, r#"{"a":"#.repeat(200_000));
    let found = flaw(&reply_to(&answer("200 OK", "", &body)).await);
    assert!(matches!(found, Flaw::Unparsable { .. }), "{found:?}");
}

#[tokio::test]
async fn an_error_without_an_error_object_is_not_omises() {
    for status in
        ["400 Bad Request", "403 Forbidden", "404 Not Found", "409 Conflict", "429 Slow", "502 Bad Gateway"]
    {
        for body in ["", "<h1>nginx</h1>", "{}", r#"{"object":"error"}"#, r#"{"object":"error","code":""}"#] {
            let reply = reply_to(&answer(status, "", body)).await;
            assert_eq!(flaw(&reply), Flaw::NoErrorObject, "{status} {body:?}");
        }
    }
}

#[tokio::test]
async fn a_body_above_the_bound_is_dropped_announced_or_not() {
    let chunk = format!("400\r\n{}\r\n", "x".repeat(0x400));
    let unannounced = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{}", chunk.repeat(5));
    for text in [answer("200 OK", "", &"x".repeat(5000)), unannounced] {
        let server = Server::saying(&text).await;
        let config = ClientConfig { body_max_bytes: 4096, ..config(&server.address, LONG) };
        let result = Client::new(&config).unwrap().charges().create_raw("{}", "key-1").await;
        let Err(TransportError::PerhapsProcessed { reason, status: Some(200), .. }) = result else {
            panic!("{result:?}")
        };
        assert!(reason.contains("4096 bytes"), "{reason}");
    }
}

#[tokio::test]
async fn a_body_that_comes_in_pieces_is_put_together() {
    let text =
        answer("200 OK", "", r#"{"object":"charge","id":"c","amount":1,"currency":"JPY","status":"failed"}"#);
    let server = Server::start(vec![Act::Drip(text.into_bytes(), Duration::from_micros(100))]).await;
    let reply = client(&server.address, LONG).charges().create_raw("{}", "key-1").await.unwrap();
    assert_eq!(reply.parse::<Charge>().unwrap().amount, 1);
}

#[tokio::test]
async fn compressed_answers_are_not_unpacked() {
    // Nothing was offered in Accept-Encoding, so a bomb stays the bytes it is.
    let reply = reply_to(&answer("200 OK", "Content-Encoding: gzip\r\n", "\u{1f}packed")).await;
    assert!(matches!(flaw(&reply), Flaw::Unparsable { .. }));
}

#[tokio::test]
async fn error_kinds_follow_the_status() {
    for (status, kind) in [
        ("400 Bad Request", ErrorKind::InvalidRequest),
        ("401 Unauthorized", ErrorKind::Authentication),
        ("403 Forbidden", ErrorKind::Permission),
        ("404 Not Found", ErrorKind::NotFound),
        ("418 Teapot", ErrorKind::InvalidRequest),
        ("422 Unprocessable", ErrorKind::InvalidRequest),
        ("429 Too Many", ErrorKind::RateLimited),
        ("500 Internal", ErrorKind::ProviderFault),
        ("503 Unavailable", ErrorKind::ProviderFault),
    ] {
        let body = r#"{"object":"error","location":"https://docs.example.test/#x","code":"a_new_word","message":"m"}"#;
        let error =
            reply_to(&answer(status, "Retry-After: 7\r\n", body)).await.parse::<Charge>().unwrap_err();
        assert_eq!(error.kind(), kind, "{status}");
        let api = error.api().unwrap();
        assert_eq!((api.code.as_str(), api.message.as_str()), ("a_new_word", "m"));
        assert_eq!(api.request_id.as_deref(), Some("req-1"));
        assert_eq!(api.retry_after, Some(Duration::from_secs(7)));
        assert!(error.to_string().contains("a_new_word"), "{error}");
    }
}
