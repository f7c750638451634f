//! One request out, one whole answer back, and the truth about what happened when it does not come.
//!
//! Promises: each call sends at most one request, with the version header, Basic auth marked sensitive and
//! our User-Agent; no redirect is followed, no proxy taken from the environment, nothing of which a byte was
//! written repeated by the HTTP library (see `http_client`); one deadline covers connecting, sending and reading;
//! a body above the bound is dropped while it arrives. Must never know paths, objects, or what a request means.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use reqwest::{Method, Request, Response, Url};
use zeroize::Zeroizing;

use super::config::{
    API_VERSION, CONNECT_TIMEOUT_MAX, ClientConfig, ConfigError, IDLE_MAX, base_url, is_loopback,
};
use super::{Reply, TransportError};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const OMISE_VERSION: HeaderName = HeaderName::from_static("omise-version");
/// A body whose length is not announced starts with a buffer of this size.
const BODY_FIRST_BYTES: usize = 16 * 1024;

/// Connections to one host with one key.
pub(super) struct Transport {
    http: reqwest::Client,
    base: Url,
    /// Headers of every request, made once.
    headers: HeaderMap,
    body_max_bytes: usize,
    /// Requests handed to the HTTP library so far.
    sent: AtomicU64,
}

/// A request body. JSON is sent as given, byte for byte.
pub(super) struct Json<'a> {
    pub(super) body: Bytes,
    pub(super) idempotency_key: Option<&'a str>,
}

impl Transport {
    /// Builds the connections for one base address; `name` is the setting it came from.
    pub(super) fn new(
        name: &'static str,
        url: &str,
        key: &str,
        config: &ClientConfig,
    ) -> Result<Self, ConfigError> {
        for (name, zero) in
            [("timeout", config.timeout.is_zero()), ("body_max_bytes", config.body_max_bytes == 0)]
        {
            if zero {
                return Err(ConfigError::Zero { name });
            }
        }
        let base = base_url(name, url)?;
        Ok(Self {
            http: http_client(&base, config)?,
            headers: standing_headers(key, &config.user_agent)?,
            base,
            body_max_bytes: config.body_max_bytes,
            sent: AtomicU64::new(0),
        })
    }

    /// Requests so far, repeated ones counted each.
    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// The address of a path (which starts with a slash) under the base address.
    pub(super) fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        url
    }

    /// Sends one request and reads its whole answer, whatever the status.
    pub(super) async fn send(
        &self,
        method: Method,
        url: Url,
        json: Option<Json<'_>>,
    ) -> Result<Reply, TransportError> {
        let request = self.request(method, url, json)?;
        self.sent.fetch_add(1, Ordering::Relaxed);
        let response = self.http.execute(request).await.map_err(|error| before_the_head(&error))?;
        let mut reply = Reply::head(response.status().as_u16(), response.headers());
        reply.body = self.read_body(response, &reply).await?;
        Ok(reply)
    }

    fn request(&self, method: Method, url: Url, json: Option<Json<'_>>) -> Result<Request, TransportError> {
        let mut request = Request::new(method, url);
        *request.headers_mut() = self.headers.clone();
        if let Some(Json { body, idempotency_key }) = json {
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            if let Some(key) = idempotency_key {
                let value = HeaderValue::from_str(key).map_err(|_| TransportError::NeverSent {
                    reason: "the idempotency key cannot be a header".to_owned(),
                })?;
                request.headers_mut().insert(IDEMPOTENCY_KEY, value);
            }
            *request.body_mut() = Some(body.into());
        }
        Ok(request)
    }

    async fn read_body(&self, mut response: Response, head: &Reply) -> Result<Bytes, TransportError> {
        let lost = |reason: String| TransportError::PerhapsProcessed {
            reason,
            status: Some(head.status),
            provider_date: head.provider_date,
        };
        let announced = response.content_length().and_then(|length| usize::try_from(length).ok());
        if announced.is_some_and(|length| length > self.body_max_bytes) {
            return Err(lost(self.too_long()));
        }
        let mut buffer = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| lost(in_the_body(&error)))? {
            if buffer.is_empty() && announced == Some(chunk.len()) {
                return Ok(chunk); // The usual case: the whole body in one piece, not copied.
            }
            if buffer.len() + chunk.len() > self.body_max_bytes {
                return Err(lost(self.too_long()));
            }
            if buffer.is_empty() {
                buffer.reserve(announced.unwrap_or(BODY_FIRST_BYTES));
            }
            buffer.extend_from_slice(&chunk);
        }
        Ok(buffer.freeze())
    }

    fn too_long(&self) -> String {
        format!("its body is longer than the {} bytes allowed", self.body_max_bytes)
    }
}

/// The library's own connections and none of its habits.
///
/// One of them cannot be switched off from here: `reqwest` turns its own retries off (`retry::never`), but the pool of
/// `hyper-util` beneath it keeps `retry_canceled_requests`, which `reqwest` does not hand through; only giving up kept
/// connections would, at the price of a TLS handshake a charge. Where a kept connection turns out to be closed as a
/// request is handed to it, the pool takes another connection. That repeats nothing: the pool has the request to hand
/// only if `hyper` gave it back, and `hyper` gives it back only while it still waits in the queue of its connection, before
/// it was taken out to be encoded. From that moment on an error comes without the request, and is ours to classify. So
/// at most one connection ever carries bytes of it. All of that falls under the one deadline, which drops the request
/// wherever it waits.
fn http_client(base: &Url, config: &ClientConfig) -> Result<reqwest::Client, ConfigError> {
    let mut builder = reqwest::Client::builder()
        .http1_only()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .retry(reqwest::retry::never())
        .timeout(config.timeout)
        .connect_timeout(CONNECT_TIMEOUT_MAX.min(config.timeout / 2))
        .pool_max_idle_per_host(config.idle_connections)
        .pool_idle_timeout(IDLE_MAX)
        .tls_version_min(reqwest::tls::Version::TLS_1_2);
    builder = if base.scheme() == "http" && base.host_str().is_some_and(is_loopback) {
        // Plain http needs no certificates, yet the builder fails on a machine without a certificate store
        // unless it is told to use none of it.
        builder.tls_certs_only([])
    } else {
        builder.https_only(true)
    };
    builder.build().map_err(|error| ConfigError::Tls { reason: chain(&error) })
}

fn standing_headers(key: &str, user_agent: &str) -> Result<HeaderMap, ConfigError> {
    let mut headers = HeaderMap::with_capacity(8);
    headers.insert(AUTHORIZATION, basic_auth(key)?);
    headers.insert(OMISE_VERSION, HeaderValue::from_static(API_VERSION));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    let agent = HeaderValue::from_str(user_agent).map_err(|_| ConfigError::Header { name: "user_agent" })?;
    headers.insert(USER_AGENT, agent);
    Ok(headers)
}

/// The key as user name with an empty password. The header's bytes are wiped when the last request that
/// shares them is gone; copies inside socket buffers are beyond us.
fn basic_auth(key: &str) -> Result<HeaderValue, ConfigError> {
    let pair = Zeroizing::new(format!("{key}:"));
    // Room for the whole text at once: growing it would leave an unwiped copy behind.
    let mut text = Zeroizing::new(String::with_capacity("Basic ".len() + pair.len().div_ceil(3) * 4));
    text.push_str("Basic ");
    STANDARD.encode_string(pair.as_bytes(), &mut text);
    let wiped = Zeroizing::new(std::mem::take(&mut *text).into_bytes());
    let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(wiped))
        .map_err(|_| ConfigError::Header { name: "secret_key" })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Sorts a failure that came before the head of the answer. Only an error of the connector itself (name,
/// TCP, TLS) proves that nothing left; the connector has its own, shorter time limit for that reason.
fn before_the_head(error: &reqwest::Error) -> TransportError {
    let reason = chain(error);
    if error.is_connect() || error.is_builder() {
        TransportError::NeverSent { reason }
    } else {
        TransportError::PerhapsProcessed { reason, status: None, provider_date: None }
    }
}

fn in_the_body(error: &reqwest::Error) -> String {
    format!("its body did not arrive whole: {}", chain(error))
}

/// The causes of an error from the second on: the first repeats the address, queries included.
fn chain(error: &reqwest::Error) -> String {
    let mut causes = Vec::new();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        let text = cause.to_string();
        if causes.last() != Some(&text) {
            causes.push(text);
        }
        next = cause.source();
    }
    if causes.is_empty() { "the HTTP library gave no reason".to_owned() } else { causes.join(": ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_travels_in_a_header_that_is_marked_sensitive() {
        let headers = standing_headers("skey_test_canary", "Agent/1").unwrap();
        assert!(headers[AUTHORIZATION].is_sensitive());
        assert!(!format!("{headers:?}").contains("c2tleV90ZXN0X2NhbmFyeTo="));
        assert_eq!(headers[AUTHORIZATION], "Basic c2tleV90ZXN0X2NhbmFyeTo=");
        assert!(standing_headers("skey_test_canary", "Agent\n1").is_err());
    }
}
