//! Signed webhooks: one POST to the merchant's own address.
//!
//! The body is the message as JSON. The headers are
//! - `Idempotency-Key`: the message's key; a repeated delivery has the same one,
//! - `Dues-Timestamp`: when it was sent, in seconds since 1970,
//! - `Dues-Signature`: `v1=` and the hexadecimal HMAC-SHA256 of `<timestamp>.<body>`, one for each secret, comma between.
//!
//! Promises: no redirect is followed, no proxy taken from the environment, nothing repeated by the HTTP library; one
//! deadline covers all of it; only the answer's status counts, and not a byte of its body is read; an address that is
//! not public is never connected to unless that is allowed: names are looked up here, and what was looked at is what
//! is connected to. Must never know: what a message means.

use std::net::{IpAddr, SocketAddr};

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, HeaderValue, USER_AGENT};
use reqwest::{StatusCode, Url};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::addresses::is_public;
use crate::model::settings::WebhookWishes;
use crate::model::{Delivered, Message};

const AGENT: &str = concat!("dues/", env!("CARGO_PKG_VERSION"));

/// The way to the merchant's own address.
pub(super) struct Webhook {
    http: reqwest::Client,
    url: Url,
    secrets: Vec<Zeroizing<Vec<u8>>>,
    allow_private: bool,
}

/// Looks names up and leaves out what is not public.
struct Guard {
    allow_private: bool,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let all: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let good: Vec<SocketAddr> =
                all.iter().copied().filter(|addr| allow_private || is_public(addr.ip())).collect();
            if good.is_empty() {
                let found: Vec<String> = all.iter().map(|addr| addr.ip().to_string()).collect();
                return Err(forbidden(&format!("{} is {}", name.as_str(), found.join(", "))).into());
            }
            Ok(Box::new(good.into_iter()) as Addrs)
        })
    }
}

fn forbidden(found: &str) -> String {
    format!("{found}, wanted a public address; [notify.webhook] allow_private = true allows others")
}

impl Webhook {
    /// The way there, with the secrets that sign.
    ///
    /// # Errors
    /// A sentence: an address that is none, or TLS that cannot be set up.
    pub(super) fn new(wishes: &WebhookWishes, secrets: Vec<Zeroizing<Vec<u8>>>) -> Result<Self, String> {
        let wrong = |why: String| format!("[notify.webhook] url: {why}");
        if secrets.is_empty() {
            return Err("[notify.webhook] secret_file: found no secret, wanted one a line".into());
        }
        let url = Url::parse(&wishes.url).map_err(|why| wrong(why.to_string()))?;
        let builder = reqwest::Client::builder()
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .retry(reqwest::retry::never())
            .timeout(wishes.timeout.unsigned_abs())
            .pool_max_idle_per_host(0)
            .dns_resolver(std::sync::Arc::new(Guard { allow_private: wishes.allow_private }))
            .tls_version_min(reqwest::tls::Version::TLS_1_2);
        let builder = if url.scheme() == "http" {
            // Only to this host, as the config has it: no certificates are needed, and there may be none.
            builder.tls_certs_only([])
        } else {
            builder.https_only(true)
        };
        let http = builder.build().map_err(|error| wrong(chain(&error)))?;
        Ok(Self { http, url, secrets, allow_private: wishes.allow_private })
    }

    /// Sends that message once.
    pub(super) async fn send(&self, message: &Message, now: Timestamp) -> Delivered {
        if let Some(ip) = literal(&self.url).filter(|ip| !self.allow_private && !is_public(*ip)) {
            return Delivered::Failed(forbidden(&format!("found {ip}")));
        }
        let body = match serde_json::to_vec(message) {
            Ok(body) => body,
            Err(why) => return Delivered::Refused(format!("the message cannot be written as JSON ({why})")),
        };
        let timestamp = now.as_second();
        let request = self
            .http
            .post(self.url.clone())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header(USER_AGENT, HeaderValue::from_static(AGENT))
            .header("idempotency-key", &*message.key)
            .header("dues-timestamp", timestamp)
            .header("dues-signature", signatures(&self.secrets, timestamp, &body))
            .body(body);
        match request.send().await {
            Ok(answer) => judged(answer.status()),
            Err(error) if error.is_timeout() => Delivered::Failed("no answer came in time".into()),
            Err(error) => Delivered::Failed(chain(&error)),
        }
    }
}

/// 410 says that nobody listens there any more; everything else may be a mistake that is mended.
fn judged(status: StatusCode) -> Delivered {
    if status.is_success() {
        return Delivered::Sent;
    }
    let code = status.as_u16();
    match code {
        410 => Delivered::Refused("the receiver answered 410: nobody listens there any more".into()),
        300..=399 => Delivered::Failed(format!("the receiver answered {code}; redirects are not followed")),
        _ => Delivered::Failed(format!("the receiver answered {code}, wanted 200 to 299")),
    }
}

/// The address that the URL itself names; `None`: it names a host.
fn literal(url: &Url) -> Option<IpAddr> {
    url.host_str()?.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// One signature a secret, so that a secret can be changed while both sides still know the old one.
fn signatures(secrets: &[Zeroizing<Vec<u8>>], timestamp: i64, body: &[u8]) -> String {
    let sign = |secret: &Zeroizing<Vec<u8>>| {
        // HMAC takes keys of any length: this never fails.
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
        mac.update(timestamp.to_string().as_bytes());
        mac.update(b".");
        mac.update(body);
        Some(format!("v1={}", super::hex(&mac.finalize().into_bytes())))
    };
    secrets.iter().filter_map(sign).collect::<Vec<_>>().join(",")
}

/// The causes of an error from the second on: the first repeats the address.
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
    fn a_signature_is_what_any_other_program_computes() {
        let secret = |text: &str| Zeroizing::new(text.as_bytes().to_vec());
        // printf '1700000000.{"key":"a"}' | openssl dgst -sha256 -hmac whsec_1
        let wanted = "v1=14d2239c733855cb19d0e3096a724ce65c547c86db03ce132c7db32708cce947";
        assert_eq!(signatures(&[secret("whsec_1")], 1_700_000_000, b"{\"key\":\"a\"}"), wanted);
        let both = signatures(&[secret("whsec_1"), secret("whsec_2")], 1_700_000_000, b"{\"key\":\"a\"}");
        assert!(both.starts_with(wanted) && both.matches("v1=").count() == 2, "{both}");
    }

    #[test]
    fn an_address_in_the_url_is_seen_in_every_notation() {
        for url in
            ["http://127.0.0.1/x", "http://2130706433/", "http://0x7f.1/", "http://[::ffff:127.0.0.1]/"]
        {
            let ip = literal(&Url::parse(url).unwrap()).unwrap();
            assert!(!is_public(ip), "{url}: {ip}");
        }
        assert_eq!(literal(&Url::parse("https://hooks.example/").unwrap()), None);
    }

    #[test]
    fn only_success_is_success() {
        let code = |code| judged(StatusCode::from_u16(code).unwrap());
        assert_eq!((code(200), code(204)), (Delivered::Sent, Delivered::Sent));
        assert!(matches!(code(410), Delivered::Refused(_)));
        for status in [301, 304, 400, 401, 404, 429, 500, 503] {
            assert!(matches!(code(status), Delivered::Failed(_)), "{status}");
        }
    }
}
