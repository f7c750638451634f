//! One request at a time over plain loopback HTTP, to set the sandbox's switches and to make customers.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

const PATIENCE: Duration = Duration::from_mins(2);

/// Sends one request and reads its JSON answer. `key` goes into Basic auth; empty: none.
#[track_caller]
pub fn ask(to: SocketAddr, method: &str, path: &str, key: &str, body: &Value) -> Value {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let auth =
        if key.is_empty() { String::new() } else { format!("Authorization: Basic {}\r\n", basic(key)) };
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         {auth}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(to).expect("the sandbox listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    let (head, content) = answer.split_once("\r\n\r\n").expect("an HTTP answer");
    assert!(head.starts_with("HTTP/1.1 200"), "{method} {path} {body}\n{answer}");
    serde_json::from_str(content).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

/// Base64 of `key:`, as Basic auth wants it.
fn basic(key: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(format!("{key}:"))
}
