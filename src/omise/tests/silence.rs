//! No complete answer: was the request never sent, or perhaps processed? The one mistake that costs money.

use std::time::Duration;

use super::server::{Act, Server, answer};
use super::{LONG, SHORT, client, config};
use crate::omise::{Client, ConfigError, Reply, TransportError};

async fn post(address: &str, timeout: Duration) -> Result<Reply, TransportError> {
    client(address, timeout).charges().create_raw(r#"{"amount":2000}"#, "key-1").await
}

fn is_never_sent(result: &Result<Reply, TransportError>) -> bool {
    matches!(result, Err(TransportError::NeverSent { .. }))
}

fn is_perhaps_processed(result: &Result<Reply, TransportError>) -> bool {
    matches!(result, Err(TransportError::PerhapsProcessed { .. }))
}

#[tokio::test]
async fn a_refused_connection_was_never_sent() {
    // Bound, so that nobody else is given it, and never listened at.
    let kept = tokio::net::TcpSocket::new_v4().unwrap();
    kept.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let result = post(&format!("http://{}", kept.local_addr().unwrap()), LONG).await;
    assert!(is_never_sent(&result), "{result:?}");
}

#[tokio::test]
async fn an_unknown_name_was_never_sent() {
    // A label longer than the 63 bytes that a query can hold: the resolver refuses it without asking anyone.
    let address = format!("https://{}.invalid", "a".repeat(64));
    let client = match Client::new(&config(&address, SHORT)) {
        Ok(client) => client,
        Err(error) => return assert_no_store(&error),
    };
    let result = client.charges().create_raw("{}", "key-1").await;
    assert!(is_never_sent(&result), "{result:?}");
}

#[tokio::test]
async fn a_connection_that_is_never_accepted_was_never_sent() {
    // A full backlog: the kernel drops further handshakes, so connecting itself hangs.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    let _listener = socket.listen(1).unwrap();
    let mut fillers = Vec::new();
    for _ in 0..8 {
        let connecting = tokio::net::TcpStream::connect(address);
        fillers.push(tokio::time::timeout(Duration::from_millis(20), connecting).await);
    }
    let result = post(&format!("http://{address}"), SHORT).await;
    assert!(is_never_sent(&result), "{result:?}");
}

#[tokio::test]
async fn a_failed_tls_handshake_was_never_sent() {
    for act in [Act::CloseUnread, Act::Flood(b"this is no TLS\r\n\r\n".to_vec()), Act::Silence] {
        let server = Server::start(vec![act]).await;
        let address = server.address.replace("http://", "https://");
        let client = match Client::new(&config(&address, SHORT)) {
            Ok(client) => client,
            Err(error) => return assert_no_store(&error),
        };
        let result = client.charges().create_raw("{}", "key-1").await;
        assert!(is_never_sent(&result), "{result:?}");
    }
}

/// A machine without a certificate store cannot build an https client; then it must say what to install.
fn assert_no_store(error: &ConfigError) {
    assert!(error.to_string().contains("ca-certificates"), "{error}");
}

#[tokio::test]
async fn whatever_fails_on_a_standing_connection_was_perhaps_processed() {
    let half = answer("200 OK", "", r#"{"object":"charge","id":"chrg_test_1"}"#);
    let half_body = half.as_bytes()[..half.len() - 10].to_vec();
    let half_head = b"HTTP/1.1 200 OK\r\nContent-Le".to_vec();
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{\"obj".to_vec();
    let acts = [
        ("closed before reading", Act::CloseUnread),
        ("closed after reading", Act::CloseAfterReading),
        ("reset after reading", Act::Reset),
        ("silent", Act::Silence),
        ("not HTTP", Act::Say(b"220 mail.example.test ESMTP\r\n".to_vec())),
        ("half a head", Act::Say(half_head)),
        ("half a body", Act::Say(half_body)),
        ("half a chunk", Act::Say(chunked)),
        ("one byte at a time", Act::Drip(half.into_bytes(), Duration::from_millis(50))),
        ("an endless head", Act::Flood(b"HTTP/1.1 200 OK\r\nX: y\r\n".to_vec())),
    ];
    for (name, act) in acts {
        let server = Server::start(vec![act]).await;
        let result = post(&server.address, SHORT).await;
        assert!(is_perhaps_processed(&result), "{name}: {result:?}");
        assert!(server.seen().len() <= 1, "{name}: the request was sent {} times", server.seen().len());
    }
}

#[tokio::test]
async fn a_broken_body_still_tells_status_and_provider_time() {
    let text = answer("200 OK", "", r#"{"object":"charge"}"#);
    let server = Server::saying(&text[..text.len() - 5]).await;
    let Err(TransportError::PerhapsProcessed { status, provider_date, .. }) =
        post(&server.address, LONG).await
    else {
        panic!("half a body was taken for an answer")
    };
    assert_eq!(status, Some(200));
    assert_eq!(provider_date, Some("2026-11-22T02:00:00Z".parse().unwrap()));
}

#[tokio::test]
async fn a_connection_closed_while_idle_is_replaced_and_nothing_is_sent_twice() {
    let once = Act::Say(answer("200 OK", "", "{}").into_bytes());
    let server = Server::start(vec![once]).await;
    let client = client(&server.address, LONG);
    for number in 1..=3 {
        let reply = client.charges().create_raw("{}", "key-1").await.unwrap();
        assert_eq!(reply.status, 200);
        assert_eq!(server.seen().len(), number);
        // The server closes after each answer; give the client the moment it needs to notice.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_second_answer_to_one_request_is_never_taken_for_the_next() {
    for gap in [0, 20] {
        let twice = format!("{}{}", answer("200 OK", "", "first"), answer("200 OK", "", "stale"));
        let acts = vec![
            Act::KeepSaying(twice.into_bytes()),
            Act::KeepSaying(answer("200 OK", "", "second").into_bytes()),
        ];
        let server = Server::start(acts).await;
        let client = client(&server.address, LONG);
        let reply = client.charges().create_raw("{}", "key-1").await.unwrap();
        assert_eq!(reply.body, "first");
        tokio::time::sleep(Duration::from_millis(gap)).await;
        match client.charges().create_raw("{}", "key-2").await {
            Ok(reply) => assert_eq!(reply.body, "second", "gap {gap} ms"),
            Err(error) => assert!(matches!(error, TransportError::PerhapsProcessed { .. }), "{error}"),
        }
    }
}

#[tokio::test]
async fn a_reused_connection_that_dies_under_a_request_is_not_tried_again() {
    let alive = Act::KeepSaying(answer("200 OK", "", "{}").into_bytes());
    let server = Server::start(vec![alive]).await;
    let client = client(&server.address, LONG);
    client.charges().create_raw("{}", "key-1").await.unwrap();
    let address = server.address.clone();
    drop(server); // The connection is closed; the next request meets a closed port or a dead connection.
    let result = client.charges().create_raw("{}", "key-2").await;
    assert!(result.is_err(), "{address} answered after its end: {result:?}");
}
