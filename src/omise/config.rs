//! What a client is built from, and the checks that refuse a dangerous setting before any request.
//!
//! Promises: a base address is https, or it is loopback; it carries no user name, query or fragment.
//! Must never know where the settings came from.

use std::net::IpAddr;
use std::time::Duration;

use reqwest::Url;

use super::{GetRetry, PublicKey, SecretKey};

/// The address of the API proper: all calls with the secret key.
pub const API_URL: &str = "https://api.omise.co";
/// The address of the vault: tokens only, with the public key.
pub const VAULT_URL: &str = "https://vault.omise.co";
/// The API version every request pins by its `Omise-Version` header, whatever the account's default is.
pub const API_VERSION: &str = "2019-05-29";

/// One total deadline per request, from the first attempt to connect to the last byte of the answer. Omise's
/// own clients wait 60 s; a charge is worth waiting a little longer for than asking about afterwards.
pub const TIMEOUT_DEFAULT: Duration = Duration::from_secs(90);
/// The share of the deadline that connecting may use, so that running out of it is still "never sent".
pub const CONNECT_TIMEOUT_MAX: Duration = Duration::from_secs(10);
/// The largest answer read, in bytes. A page of 100 customers with their cards is about 400 kB.
pub const BODY_MAX_BYTES_DEFAULT: usize = 8 * 1024 * 1024;
/// Idle connections kept for reuse. More than anyone's sensible number of requests in flight.
pub const IDLE_CONNECTIONS_DEFAULT: usize = 128;

/// An idle connection older than this is not used again. Front servers close theirs after about a minute,
/// and a POST sent in that very moment would be in doubt for nothing.
pub(super) const IDLE_MAX: Duration = Duration::from_secs(20);

/// Settings of a [`Client`](super::Client). Start from [`ClientConfig::new`] and change what differs.
#[derive(Debug, Clone)]
pub struct ClientConfig {
    /// Base address of the API, [`API_URL`] unless a sandbox answers. https, or http to loopback.
    pub api_url: String,
    /// Base address of the vault, [`VAULT_URL`] unless a sandbox answers. Same rule.
    pub vault_url: String,
    /// The key of every call but token creation.
    pub secret_key: SecretKey,
    /// Needed for [`Client::tokens`](super::Client::tokens) alone. `None`: those calls refuse locally.
    pub public_key: Option<PublicKey>,
    /// One total deadline per request, connecting and reading included.
    pub timeout: Duration,
    /// The `User-Agent` header, in the form `Product/1.2.3`.
    pub user_agent: String,
    /// The largest answer body read, in bytes; a longer one is an error, not an allocation.
    pub body_max_bytes: usize,
    /// Idle connections kept open for reuse.
    pub idle_connections: usize,
    /// How GET requests are repeated after a fault. Nothing else is ever repeated.
    pub get_retry: GetRetry,
}

impl ClientConfig {
    /// The usual settings for this key: the real hosts, a deadline of 90 s.
    pub fn new(secret_key: SecretKey) -> Self {
        Self {
            api_url: API_URL.to_owned(),
            vault_url: VAULT_URL.to_owned(),
            secret_key,
            public_key: None,
            timeout: TIMEOUT_DEFAULT,
            user_agent: concat!("Dues/", env!("CARGO_PKG_VERSION"), " OmiseAPI/2019-05-29").to_owned(),
            body_max_bytes: BODY_MAX_BYTES_DEFAULT,
            idle_connections: IDLE_CONNECTIONS_DEFAULT,
            get_retry: GetRetry::default(),
        }
    }
}

/// Why a client could not be built. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Not a URL at all, or one without a host.
    #[error("{name} is not a usable address: {reason}; wanted for example {API_URL}")]
    Url {
        /// Which setting.
        name: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// Plain http, or another scheme, to a host that is not this machine.
    #[error(
        "{name} would send the secret key in the clear: {scheme}://{host} is not https, and plain http is for loopback only (127.0.0.0/8, ::1, localhost)"
    )]
    NotHttps {
        /// Which setting.
        name: &'static str,
        /// The scheme found.
        scheme: String,
        /// The host found.
        host: String,
    },
    /// A public key of the other mode than the secret one.
    #[error("the public key and the secret key are of different modes: one is test, the other live")]
    MixedModes,
    /// A value that cannot be a header.
    #[error("{name} cannot be sent as a header: it may hold visible ASCII characters only")]
    Header {
        /// Which setting.
        name: &'static str,
    },
    /// A deadline or bound of zero.
    #[error("{name} must be more than zero")]
    Zero {
        /// Which setting.
        name: &'static str,
    },
    /// TLS could not be set up; usually the system has no certificate store.
    #[error("TLS could not be set up: {reason}; is the package ca-certificates installed?")]
    Tls {
        /// What the TLS library said.
        reason: String,
    },
}

/// Reads a base address and refuses one to which a key must not be sent.
pub(super) fn base_url(name: &'static str, text: &str) -> Result<Url, ConfigError> {
    let wrong = |reason: &str| ConfigError::Url { name, reason: reason.to_owned() };
    // The text itself is not repeated in the message: somebody may have put a key into it.
    let mut url = Url::parse(text.trim()).map_err(|error| wrong(&error.to_string()))?;
    let Some(host) = url.host_str().map(str::to_owned) else { return Err(wrong("it names no host")) };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("it holds a user name or password; the key has its own setting"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("it holds a query or a fragment"));
    }
    let loopback = is_loopback(&host);
    if !(url.scheme() == "https" || (url.scheme() == "http" && loopback)) {
        return Err(ConfigError::NotHttps { name, scheme: url.scheme().to_owned(), host });
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

/// True for 127.0.0.0/8, `::1` and the name `localhost`: bytes that do not leave the machine.
pub(super) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_loopback_only() {
        for fine in [
            "https://api.omise.co",
            "http://127.0.0.1:8080",
            "http://127.9.9.9/",
            "http://[::1]:80",
            "http://localhost:1",
            "https://example.test/base/",
        ] {
            assert!(base_url("api_url", fine).is_ok(), "{fine} was refused");
        }
        for wrong in [
            "http://api.omise.co",
            "http://127.0.0.1.example.test",
            "http://localhost.example.test",
            "http://10.0.0.1",
            "http://[::2]",
            "ftp://127.0.0.1",
            "https://skey_test_canary@api.omise.co",
            "https://api.omise.co/?a=b",
            "https://api.omise.co/#a",
            "api.omise.co",
            "",
            "data:text/plain,x",
        ] {
            let error = base_url("api_url", wrong).unwrap_err();
            assert!(error.to_string().contains("api_url"), "{error}");
            assert!(!error.to_string().contains("canary"), "{error}");
        }
    }

    #[test]
    fn a_trailing_slash_makes_no_double_slash() {
        assert_eq!(base_url("api_url", "http://127.0.0.1:1/base/").unwrap().path(), "/base");
    }
}
