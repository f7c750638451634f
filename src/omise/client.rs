//! The client: who holds the connections and hands out the groups of calls.
//!
//! Promises: cloning is one reference count; a GET may be repeated (`retry.rs`), anything else is sent once.
//! Must never know one resource from another: each has its own file in `calls/`.

use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use reqwest::{Method, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::retry::Tries;
use super::transport::{Json, Transport};
use super::{Answer, ApiObject, ClientConfig, ConfigError, Error, PublicKey, Reply, TransportError};

/// A client of the Omise API for one account in one mode. Cheap to clone; share one per program.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    api: Transport,
    /// Where charges are posted: the one address that is asked for thousands of times, made once.
    charges: Url,
    vault: Option<Transport>,
    config: ClientConfig,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("livemode", &self.livemode()).finish_non_exhaustive()
    }
}

impl Client {
    /// Builds a client; sends nothing. Refuses addresses that a key must not be sent to, and a pair of keys
    /// of different modes.
    pub fn new(config: &ClientConfig) -> Result<Self, ConfigError> {
        let livemode = config.secret_key.livemode();
        if config.public_key.as_ref().is_some_and(|key| key.livemode() != livemode) {
            return Err(ConfigError::MixedModes);
        }
        let api = Transport::new("api_url", &config.api_url, config.secret_key.expose(), config)?;
        let vault = match &config.public_key {
            Some(key) => Some(Transport::new("vault_url", &config.vault_url, key.expose(), config)?),
            None => None,
        };
        let charges = api.url("/charges");
        Ok(Self(Arc::new(Inner { api, charges, vault, config: config.clone() })))
    }

    /// True when the secret key is a live one: charges move real money.
    pub fn livemode(&self) -> bool {
        self.0.config.secret_key.livemode()
    }

    /// The same client with a public key, so that it can make tokens. Its connections are new ones.
    pub fn with_public_key(&self, vault_url: &str, key: PublicKey) -> Result<Self, ConfigError> {
        let vault_url = vault_url.to_owned();
        Self::new(&ClientConfig { vault_url, public_key: Some(key), ..self.0.config.clone() })
    }

    /// Requests made to the API so far by this client and its clones, repeated reads counted each; those to the
    /// vault are not among them.
    pub fn requests(&self) -> u64 {
        self.0.api.sent()
    }

    /// Reads one object, with repetition after faults.
    pub(super) async fn get<T: DeserializeOwned + ApiObject>(&self, path: &str) -> Result<Answer<T>, Error> {
        self.read(&self.0.api, self.0.api.url(path)).await
    }

    /// As [`Self::get`], from the vault.
    pub(super) async fn get_from_vault<T: DeserializeOwned + ApiObject>(
        &self,
        path: &str,
    ) -> Result<Answer<T>, Error> {
        let vault = self.vault()?;
        self.read(vault, vault.url(path)).await
    }

    /// Reads one object from a path with query parameters.
    pub(super) async fn get_with<T: DeserializeOwned + ApiObject>(
        &self,
        path: &str,
        query: &[(impl AsRef<str>, impl AsRef<str>)],
    ) -> Result<Answer<T>, Error> {
        self.read(&self.0.api, self.with_query(path, query)).await
    }

    /// As [`Self::get_with`], unread: an answer of status 200, of whatever content.
    pub(super) async fn get_raw_with(
        &self,
        path: &str,
        query: &[(impl AsRef<str>, impl AsRef<str>)],
    ) -> Result<Reply, Error> {
        self.read_raw(&self.0.api, self.with_query(path, query)).await
    }

    fn with_query(&self, path: &str, query: &[(impl AsRef<str>, impl AsRef<str>)]) -> Url {
        let mut url = self.0.api.url(path);
        if !query.is_empty() {
            url.query_pairs_mut()
                .extend_pairs(query.iter().map(|(name, value)| (name.as_ref(), value.as_ref())));
        }
        url
    }

    async fn read<T: DeserializeOwned + ApiObject>(
        &self,
        from: &Transport,
        url: Url,
    ) -> Result<Answer<T>, Error> {
        let reply = self.read_raw(from, url).await?;
        reply.parse().map(|value| reply.answer(value))
    }

    async fn read_raw(&self, from: &Transport, url: Url) -> Result<Reply, Error> {
        let mut tries = Tries::new(self.0.config.get_retry);
        loop {
            let read = match from.send(Method::GET, url.clone(), None).await {
                Ok(reply) => reply.accepted(),
                Err(error) => Err(error.into()),
            };
            match read {
                Ok(reply) => return Ok(reply),
                Err(error) => tries.another_after(error).await?,
            }
        }
    }

    /// Sends one changing request, once, and reads the object that it answers with.
    pub(super) async fn change<T: DeserializeOwned + ApiObject>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Answer<T>, Error> {
        let reply = self.0.api.send(method, self.0.api.url(path), Some(json(body)?)).await?;
        Ok(reply.answer(reply.parse()?))
    }

    /// Sends a DELETE, once.
    pub(super) async fn delete<T: DeserializeOwned + ApiObject>(
        &self,
        path: &str,
    ) -> Result<Answer<T>, Error> {
        let reply = self.0.api.send(Method::DELETE, self.0.api.url(path), None).await?;
        Ok(reply.answer(reply.parse()?))
    }

    /// Posts a ready charge request, once, and hands back whatever came.
    pub(super) async fn post_charge(
        &self,
        body: Bytes,
        idempotency_key: Option<&str>,
    ) -> Result<Reply, TransportError> {
        let json = Json { body, idempotency_key };
        self.0.api.send(Method::POST, self.0.charges.clone(), Some(json)).await
    }

    /// The vault's connections; a client without a public key has none.
    pub(super) fn vault(&self) -> Result<&Transport, Error> {
        self.0.vault.as_ref().ok_or_else(|| Error::Usage {
            reason: "tokens need the public key (pkey_…), and this client was built without one".to_owned(),
        })
    }
}

/// A request body from a typed value.
pub(super) fn json<'a>(body: &impl Serialize) -> Result<Json<'a>, Error> {
    let body = serde_json::to_vec(body)
        .map_err(|error| Error::Usage { reason: format!("the parameters make no JSON: {error}") })?;
    Ok(Json { body: body.into(), idempotency_key: None })
}

/// A path such as `/customers/cust_test_1/cards`, built from fixed words and ids.
///
/// An id that is empty or holds anything but letters, digits, `_` and `-` is refused: an empty one would
/// address the whole collection, a `/` or `..` some other resource.
pub(super) fn path(parts: &[Part<'_>]) -> Result<String, Error> {
    let mut path = String::with_capacity(64);
    for part in parts {
        match part {
            Part::Word(word) => {
                let _ = write!(path, "/{word}"); // Writing to a String cannot fail.
            }
            Part::Id(id) => {
                check_id(id)?;
                let _ = write!(path, "/{id}");
            }
        }
    }
    Ok(path)
}

/// One segment of a path.
#[derive(Clone, Copy)]
pub(super) enum Part<'a> {
    /// A fixed word of ours.
    Word(&'static str),
    /// An id from outside.
    Id(&'a str),
}

fn check_id(id: &str) -> Result<(), Error> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if id.is_empty() || id.len() > 100 || !id.bytes().all(legal) {
        return Err(Error::Usage {
            reason: format!("{id:?} cannot be an id: ids are 1 to 100 letters, digits, _ and -"),
        });
    }
    Ok(())
}
