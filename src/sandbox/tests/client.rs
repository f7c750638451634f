//! The smallest HTTP client that can see everything the sandbox does to a connection.

use std::time::Duration;

use base64::Engine as _;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::sandbox::{Sandbox, SandboxOptions, start};

/// No test waits longer for an answer.
const PATIENCE: Duration = Duration::from_mins(1);

/// An answer as it came.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
    pub json: Value,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    pub fn text(&self, pointer: &str) -> String {
        self.json.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

/// A sandbox and the means to speak to it.
pub struct Desk {
    pub sandbox: Sandbox,
}

impl Desk {
    pub async fn open(options: SandboxOptions) -> Self {
        Self { sandbox: start(options).await.expect("starts") }
    }

    pub async fn close(self) {
        self.sandbox.stop().await;
    }

    /// Sends bytes as they are and reads until the other side is done or silent.
    pub async fn raw(&self, request: &str) -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(self.sandbox.addr()).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut all = Vec::new();
        let read = tokio::time::timeout(PATIENCE, async {
            let mut chunk = [0u8; 4096];
            loop {
                let count = stream.read(&mut chunk).await?;
                if count == 0 {
                    return Ok::<(), std::io::Error>(());
                }
                all.extend_from_slice(&chunk[..count]);
            }
        });
        read.await.map_err(|_| std::io::Error::from(std::io::ErrorKind::TimedOut))??;
        Ok(all)
    }

    pub fn request(key: &str, verb: &str, path: &str, headers: &str, body: &str) -> String {
        let user = base64::engine::general_purpose::STANDARD.encode(format!("{key}:"));
        format!(
            "{verb} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {user}\r\nConnection: close\r\n\
             Omise-Version: 2019-05-29\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    /// One exchange that must end with a whole answer.
    pub async fn ask(&self, key: &str, verb: &str, path: &str, headers: &str, body: &str) -> Reply {
        let bytes = self.raw(&Self::request(key, verb, path, headers, body)).await.expect("answers");
        parse(&bytes).expect("a whole answer")
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.ask(self.sandbox.secret_key(), "GET", path, "", "").await
    }

    pub async fn post(&self, path: &str, form: &str) -> Reply {
        let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
        self.ask(self.sandbox.secret_key(), "POST", path, kind, form).await
    }

    pub async fn patch(&self, path: &str, form: &str) -> Reply {
        self.ask(self.sandbox.secret_key(), "PATCH", path, "", form).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.ask(self.sandbox.secret_key(), "DELETE", path, "", "{}").await
    }

    /// A charge under switches; an error if the connection ended without a whole answer.
    pub async fn charge_under(&self, switches: &str, form: &str) -> Result<Reply, std::io::Error> {
        let headers = format!("X-Sandbox-Fault: {switches}\r\n");
        let request = Self::request(self.sandbox.secret_key(), "POST", "/charges", &headers, form);
        let bytes = self.raw(&request).await?;
        parse(&bytes).ok_or_else(|| std::io::Error::from(std::io::ErrorKind::UnexpectedEof))
    }

    pub async fn token(&self, number: &str) -> String {
        let form = format!(
            "card[name]=Somchai&card[number]={number}&card[expiration_month]=12&card[expiration_year]=2045\
             &card[security_code]=123"
        );
        let reply = self.ask(self.sandbox.public_key(), "POST", "/tokens", "", &form).await;
        assert_eq!(reply.status, 200, "{}", reply.json);
        reply.text("/id")
    }

    pub async fn customer(&self, number: &str) -> String {
        let token = self.token(number).await;
        self.post("/customers", &format!("email=a%40b.test&card={token}")).await.text("/id")
    }
}

/// `None` if the answer broke off.
pub fn parse(bytes: &[u8]) -> Option<Reply> {
    let cut = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8(bytes[..cut].to_vec()).ok()?;
    let body = bytes[cut + 4..].to_vec();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let reply = Reply { status, json: serde_json::from_slice(&body).unwrap_or_default(), head, body };
    let length: usize = reply.header("content-length")?.parse().ok()?;
    (length == reply.body.len()).then_some(reply)
}
