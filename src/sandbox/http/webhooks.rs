//! Webhooks: events on their way to listeners, signed, and sometimes lost, doubled or out of order.
//!
//! Promises: the signature is the one that independent implementations agree on; listeners are on loopback
//! only. Must never know what an event means.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::server::Shared;
use crate::sandbox::objects::events::{self, Delivery, Subject};
use crate::sandbox::state::time;
use crate::sandbox::state::world::World;

/// How long a listener may take. The one description there is says ten seconds.
const PATIENCE: Duration = Duration::from_secs(10);
/// SHA-256 works on blocks of this many bytes.
const BLOCK_BYTES: usize = 64;

/// Who listens, and how well the news travels.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Webhooks {
    /// `http://127.0.0.1:PORT/PATH`; `None`: nobody but the addresses that charges name.
    pub url: Option<Listener>,
    /// Signing secrets, base64: none, one, or two while the secret is being changed.
    pub secrets: Vec<String>,
    pub travel: Travel,
    /// Waits before the second, third… attempt, in milliseconds.
    pub retry_ms: Vec<u64>,
}

/// What happens on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Travel {
    #[default]
    Fine,
    /// Never sent.
    Lost,
    /// Sent twice.
    Doubled,
    /// Every two events change places.
    OutOfOrder,
}

/// An address on loopback, spoken to in plain HTTP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Listener {
    authority: String,
    path: String,
}

impl TryFrom<String> for Listener {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong =
            || format!("`{text}` is not of the form http://127.0.0.1:PORT/PATH, and only loopback is told");
        let rest = text.strip_prefix("http://").ok_or_else(wrong)?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let address: std::net::SocketAddr =
            authority.replace("localhost", "127.0.0.1").parse().map_err(|_| wrong())?;
        if !address.ip().is_loopback() {
            return Err(wrong());
        }
        Ok(Self { authority: address.to_string(), path: format!("/{path}") })
    }
}

impl From<Listener> for String {
    fn from(listener: Listener) -> String {
        format!("http://{}{}", listener.authority, listener.path)
    }
}

/// An event that has to leave.
pub struct Parcel {
    event: u32,
    listener: Listener,
    body: String,
}

/// Puts an event into the out-tray of the world, as the travel conditions ask.
pub fn queue(world: &mut World, event: u32) {
    let mut listeners: Vec<Listener> = world.settings.webhooks.url.iter().cloned().collect();
    if let Subject::Charge(charge) = world.events.at(event).subject {
        let own = world.charges.at(charge).webhook_endpoints.iter();
        listeners.extend(own.filter_map(|uri| Listener::try_from(uri.to_string()).ok()));
    }
    if listeners.is_empty() {
        return;
    }
    let body = events::payload(world, event).to_string();
    for listener in listeners {
        let parcel = || Parcel { event, listener: listener.clone(), body: body.clone() };
        match world.settings.webhooks.travel {
            Travel::Fine => world.parcels.push(parcel()),
            Travel::Lost => {}
            Travel::Doubled => world.parcels.extend([parcel(), parcel()]),
            Travel::OutOfOrder => match world.held_parcel.take() {
                Some(earlier) => world.parcels.extend([parcel(), earlier]),
                None => world.held_parcel = Some(parcel()),
            },
        }
    }
}

/// Sends what lies in the out-tray, one after the other, beside everything else.
pub fn dispatch(shared: &Arc<Shared>, parcels: Vec<Parcel>) {
    let own = Arc::clone(shared);
    shared.spawn(async move {
        for parcel in parcels {
            deliver(&own, parcel).await;
        }
    });
}

async fn deliver(shared: &Arc<Shared>, parcel: Parcel) {
    let mut waits = shared.world().settings.webhooks.retry_ms.clone().into_iter();
    loop {
        let (stamp, signature) = {
            let world = shared.world();
            let stamp = world.now_seconds().to_string();
            let signature = sign(&world.settings.webhooks.secrets, &stamp, parcel.body.as_bytes());
            (stamp, signature)
        };
        let sent = tokio::time::timeout(PATIENCE, post(&parcel, &stamp, signature.as_deref())).await;
        let (status, error) = match sent {
            Ok(Ok(status)) => (status, None),
            Ok(Err(error)) => (0, Some(error.to_string().into())),
            Err(_) => (0, Some("no answer in time".into())),
        };
        note(shared, &parcel, status, error);
        if (200..300).contains(&status) {
            return;
        }
        let Some(wait) = waits.next() else { return };
        tokio::time::sleep(time::ms(wait)).await;
    }
}

fn note(shared: &Shared, parcel: &Parcel, status: u16, error: Option<Box<str>>) {
    let mut world = shared.world();
    let at_ms = world.now_ms();
    let uri = String::from(parcel.listener.clone()).into();
    world.events.change(parcel.event).deliveries.push(Delivery { uri, status, error, at_ms });
    // A delivery that the state file misses is merely not shown after a restart.
    drop(world.save());
}

/// One plain POST; the listener's status.
async fn post(parcel: &Parcel, stamp: &str, signature: Option<&str>) -> std::io::Result<u16> {
    let Listener { authority, path } = &parcel.listener;
    let signed = signature.map_or_else(String::new, |signature| {
        format!("Omise-Signature: {signature}\r\nOmise-Signature-Timestamp: {stamp}\r\n")
    });
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {authority}\r\nContent-Type: application/json\r\nConnection: close\r\n\
         {signed}Content-Length: {}\r\n\r\n{}",
        parcel.body.len(),
        parcel.body
    );
    let mut stream = TcpStream::connect(authority).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut head = [0u8; 12];
    stream.read_exact(&mut head).await?;
    let status = std::str::from_utf8(&head[9..]).ok().and_then(|digits| digits.parse().ok());
    status.ok_or_else(|| std::io::Error::new(std::io::ErrorKind::InvalidData, "not an HTTP answer"))
}

/// The signature header: one value for each secret. `None` without a secret.
pub fn sign(secrets: &[String], stamp: &str, body: &[u8]) -> Option<String> {
    let values: Vec<String> = secrets
        .iter()
        .filter_map(|secret| base64::engine::general_purpose::STANDARD.decode(secret).ok())
        .map(|key| hmac(&key, &[stamp.as_bytes(), b".", body].concat()))
        .collect();
    (!values.is_empty()).then(|| values.join(","))
}

/// HMAC-SHA256 in lower-case hex.
fn hmac(key: &[u8], message: &[u8]) -> String {
    let mut block = [0u8; BLOCK_BYTES];
    if key.len() > BLOCK_BYTES {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(message).finalize();
    let outer = Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize();
    outer.iter().fold(String::with_capacity(64), |mut text, byte| {
        for half in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(half), 16).unwrap_or('0'));
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmac_agrees_with_the_published_vectors() {
        let first = hmac(&[0x0b; 20], b"Hi There");
        assert_eq!(first, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
        let long = hmac(&[0xaa; 131], b"Test Using Larger Than Block-Size Key - Hash Key First");
        assert_eq!(long, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    }

    #[test]
    fn two_secrets_give_two_signatures_and_none_gives_none() {
        let secrets = ["c2VjcmV0".to_owned(), "b3RoZXI=".to_owned()];
        let both = sign(&secrets, "1", b"{}").expect("signed");
        assert_eq!(both.split(',').map(str::len).collect::<Vec<_>>(), [64, 64]);
        assert_eq!(sign(&secrets[..1], "1", b"{}").as_deref(), both.split(',').next());
        assert_eq!(sign(&[], "1", b"{}"), None);
    }

    #[test]
    fn only_loopback_listens() {
        assert!(Listener::try_from("http://127.0.0.1:9/hook".to_owned()).is_ok());
        for wrong in ["http://192.0.2.1:80/x", "https://127.0.0.1:1/", "http://shop.example/x"] {
            assert!(Listener::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
