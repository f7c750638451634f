//! An answer as HTTP: status, headers and body as recordings show them.
//!
//! Promises: the version header echoes the request's, and `Date` follows the sandbox's clock. Must never
//! know what is answered.

use hyper::header::{self, HeaderValue};
use hyper::{Response, StatusCode};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;

use super::answer::{Answer, Outgoing};
use super::handling;

const VERSION: &str = "2019-05-29";

/// Dresses an answer. `now` is in seconds since 1970; `None` leaves the `Date` out.
pub fn send(
    answer: Answer,
    now: Option<i64>,
    version: Option<HeaderValue>,
    number: u64,
) -> Response<Outgoing> {
    let body = Outgoing::new(answer.body, answer.drip_ms, answer.broken_at);
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store"));
    headers.insert("omise-version", version.unwrap_or(HeaderValue::from_static(VERSION)));
    if let Ok(value) = HeaderValue::from_str(&handling::request_id(number)) {
        headers.insert("x-request-id", value);
    }
    let date = now.and_then(|now| Timestamp::from_second(now).ok()).and_then(|at| http_date(&at));
    if let Some(date) = date {
        headers.insert(header::DATE, date);
    }
    if let Some(location) = answer.location.and_then(|text| HeaderValue::from_str(&text).ok()) {
        headers.insert(header::LOCATION, location);
    }
    if let Some(seconds) = answer.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn http_date(at: &Timestamp) -> Option<HeaderValue> {
    let text = DateTimePrinter::new().timestamp_to_rfc9110_string(at).ok()?;
    HeaderValue::from_str(&text).ok()
}
