//! An answer before it is sent, and what the switches do to it.
//!
//! Promises: an answer that no switch touches goes out as it was written. Must never know the world.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use serde_json::{Value, json};

use crate::sandbox::objects::error::ApiError;
use crate::sandbox::state::faults::{Echo, Fault, When};

/// Status, content and the few headers that differ.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub content_type: &'static str,
    pub body: Vec<u8>,
    pub location: Option<String>,
    pub retry_after: Option<u64>,
    /// Milliseconds between the bytes of the body; `None`: all at once.
    pub drip_ms: Option<u64>,
    /// The body breaks off here although its whole length was announced.
    pub broken_at: Option<usize>,
    pub no_date: bool,
}

/// What recordings show.
pub const JSON: &str = "application/json; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";

impl Answer {
    /// An object of the API: always 200.
    pub fn object(body: Vec<u8>) -> Self {
        Self::new(200, JSON, body)
    }

    /// A refusal.
    pub fn refusal(error: &ApiError) -> Self {
        Self::new(error.status, JSON, error.body())
    }

    /// A page for a browser.
    pub fn page(status: u16, text: String) -> Self {
        Self::new(status, HTML, text.into_bytes())
    }

    /// A redirect of a browser or of a client that should not follow.
    pub fn redirect(status: u16, location: String) -> Self {
        Self { location: Some(location), ..Self::new(status, HTML, Vec::new()) }
    }

    /// Too many requests; seconds for `Retry-After`.
    pub fn too_many(retry_after: Option<u64>) -> Self {
        Self { retry_after, ..Self::refusal(&ApiError::of_status(429)) }
    }

    fn new(status: u16, content_type: &'static str, body: Vec<u8>) -> Self {
        Self {
            status,
            content_type,
            body,
            location: None,
            retry_after: None,
            drip_ms: None,
            broken_at: None,
            no_date: false,
        }
    }

    fn of_status(status: u16, genuine: bool) -> Self {
        if genuine {
            return Self::refusal(&ApiError::of_status(status));
        }
        Self::page(status, format!("<html><body><h1>{status}</h1><p>a proxy on the way</p></body></html>"))
    }

    /// What a switch answers instead of processing; `None` if it lets the request through.
    pub fn instead(fault: &Fault) -> Option<Self> {
        Some(match fault {
            Fault::Status(When::Before, status, genuine) => Self::of_status(*status, *genuine),
            Fault::TooMany(wait) => Self::too_many(*wait),
            Fault::Redirect(status) => Self::redirect(*status, "http://127.0.0.1:9/elsewhere".to_owned()),
            Fault::Html(When::Before) => Self::page(200, "<html><body>welcome</body></html>".to_owned()),
            _ => return None,
        })
    }

    /// The answer as a switch leaves it.
    pub fn suffer(mut self, fault: &Fault) -> Self {
        match fault {
            Fault::Status(When::After, status, genuine) => {
                return Self { no_date: self.no_date, ..Self::of_status(*status, *genuine) };
            }
            Fault::Html(When::After) => {
                let page = Self::page(200, "<html><body>welcome</body></html>".to_owned());
                return Self { no_date: self.no_date, ..page };
            }
            Fault::Truncate => self.broken_at = Some(self.body.len() / 2),
            Fault::Oversized(bytes) => {
                self.edit(|object| object["padding"] = Value::String("x".repeat(*bytes)));
            }
            Fault::Deep(levels) => {
                self.body = ["[".repeat(*levels), "]".repeat(*levels)].concat().into_bytes();
            }
            Fault::Drip(ms) => self.drip_ms = Some(*ms),
            Fault::Wrong(echo) => self.edit(|object| falsify(object, *echo)),
            Fault::StatusWord(word) => self.edit(|object| object["status"] = Value::String(word.clone())),
            Fault::NoDate => self.no_date = true,
            _ => {}
        }
        self
    }

    /// Changes the object in the body. Errors and lists stay as they are.
    fn edit(&mut self, change: impl FnOnce(&mut Value)) {
        if let Ok(mut object @ Value::Object(_)) = serde_json::from_slice(&self.body) {
            change(&mut object);
            self.body = object.to_string().into_bytes();
        }
    }
}

fn falsify(object: &mut Value, echo: Echo) {
    match echo {
        Echo::Amount => object["amount"] = json!(object["amount"].as_i64().unwrap_or(0) + 1),
        Echo::Currency => object["currency"] = json!("USD"),
        Echo::Customer => object["customer"] = json!("cust_test_00000000000000000zz"),
        Echo::Card => object["card"]["id"] = json!("card_test_00000000000000000zz"),
        Echo::Metadata => object["metadata"] = json!({"dues_attempt": "of somebody else"}),
        Echo::Livemode => object["livemode"] = json!(true),
        Echo::Object => object["object"] = json!("customer"),
    }
}

/// The body on its way out: whole, by drips, or broken off.
pub struct Outgoing {
    data: Bytes,
    drip: Option<(Duration, Pin<Box<tokio::time::Sleep>>)>,
    /// Bytes that will really be sent, if fewer than announced.
    breaks_after: Option<usize>,
}

/// The body broke off, as a switch asked.
#[derive(Debug)]
pub struct BrokenOff;

impl std::fmt::Display for BrokenOff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the body was broken off by a switch")
    }
}

impl std::error::Error for BrokenOff {}

impl From<Infallible> for BrokenOff {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl Outgoing {
    pub fn new(body: Vec<u8>, drip_ms: Option<u64>, broken_at: Option<usize>) -> Self {
        let drip = drip_ms.map(Duration::from_millis).map(|gap| (gap, Box::pin(tokio::time::sleep(gap))));
        Self { data: Bytes::from(body), drip, breaks_after: broken_at }
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        if self.data.is_empty() {
            return Poll::Ready(None);
        }
        if self.breaks_after == Some(0) {
            return Poll::Ready(Some(Err(BrokenOff)));
        }
        let mut most = self.data.len();
        if let Some((gap, sleep)) = &mut self.drip {
            if sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            *sleep = Box::pin(tokio::time::sleep(*gap));
            most = 1;
        }
        if let Some(left) = &mut self.breaks_after {
            most = most.min(*left);
            *left -= most;
        }
        let chunk = self.data.split_to(most);
        Poll::Ready(Some(Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.data.len() as u64)
    }
}
