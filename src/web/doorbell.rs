//! `POST /webhooks/omise`: takes a body of bounded size and rings the doorbell with it. Who rings is answered at once;
//! what they bring is looked after elsewhere.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::header::HeaderMap;
use hyper::{Request, StatusCode};

use super::server::Windows;
use super::standing::Phase;
use crate::billing::webhooks::Heard;

/// The path that the provider is told.
pub(super) const PATH: &str = "/webhooks/omise";
/// A body is no longer: an event shows one object, a customer with twenty cards being the longest.
const LONGEST_BODY: usize = 256 * 1024;

/// The answer: a status and a word for people who look at deliveries in the provider's dashboard. While the service
/// stops nobody looks news up any more, so whoever rings comes again later.
pub(super) async fn ring(request: Request<Incoming>, windows: &Windows) -> (StatusCode, &'static str) {
    let Some(doorbell) = &windows.doorbell else {
        return (StatusCode::NOT_FOUND, "no webhook secret is configured\n");
    };
    if windows.standing.borrow().phase == Phase::Stopping {
        return (StatusCode::SERVICE_UNAVAILABLE, "come again later\n");
    }
    let (head, body) = request.into_parts();
    let Some(body) = whole(body).await else {
        return (StatusCode::PAYLOAD_TOO_LARGE, "too long, or broken off\n");
    };
    let now = windows.billing.borrow().clock.now();
    let text = |name| text(&head.headers, name);
    match doorbell.ring(text("omise-signature"), text("omise-signature-timestamp"), &body, now) {
        Heard::Taken | Heard::Again | Heard::Ignored => (StatusCode::OK, "heard\n"),
        Heard::Unsigned => (StatusCode::UNAUTHORIZED, "no signature that is known here\n"),
        Heard::Garbage => (StatusCode::BAD_REQUEST, "no event\n"),
        Heard::Full => (StatusCode::SERVICE_UNAVAILABLE, "come again later\n"),
    }
}

/// All of the body; `None`: it is too long, or did not come to its end.
async fn whole(body: Incoming) -> Option<Bytes> {
    Limited::new(body, LONGEST_BODY).collect().await.ok().map(http_body_util::Collected::to_bytes)
}

/// A header's text; empty: there is none, or several that contradict each other.
fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    let mut all = headers.get_all(name).iter();
    match (all.next(), all.next()) {
        (Some(one), None) => one.to_str().unwrap_or(""),
        _ => "",
    }
}
