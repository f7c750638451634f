//! How the provider is reached: address, key and bounds, made into a door in one place.
//!
//! Must never know: where the key was kept, or whether the provider is a pretended one.

use std::time::Duration;

use thiserror::Error;

use super::OmiseGateway;
use crate::omise::{Client, ClientConfig, ConfigError, KeyError, SecretKey};

/// What a door is made from.
#[derive(Clone, Copy)]
pub struct Access<'a> {
    /// The secret key's text. Never printed.
    pub secret_key: &'a str,
    /// Base address of the API: https, or http to loopback.
    pub api_url: &'a str,
    /// Base address of the vault; `None`: the provider's own.
    pub vault_url: Option<&'a str>,
    /// One call's total time-out; `None`: the client's own.
    pub timeout: Option<Duration>,
    /// Idle connections kept for reuse; `None`: the client's own number.
    pub connections: Option<usize>,
    /// Where a customer comes back after 3-D Secure; `None`: not sent.
    pub return_uri: Option<&'a str>,
}

/// Why no door could be made.
#[derive(Debug, Error)]
pub enum AccessError {
    /// The key is none, or of the wrong kind.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// An address or a bound is refused.
    #[error(transparent)]
    Client(#[from] ConfigError),
}

impl OmiseGateway {
    /// A door to the provider; nothing is sent yet.
    pub fn open(access: &Access<'_>) -> Result<Self, AccessError> {
        let mut config = ClientConfig::new(SecretKey::parse(access.secret_key)?);
        access.api_url.clone_into(&mut config.api_url);
        if let Some(vault) = access.vault_url {
            vault.clone_into(&mut config.vault_url);
        }
        config.timeout = access.timeout.unwrap_or(config.timeout);
        config.idle_connections = access.connections.unwrap_or(config.idle_connections);
        Ok(Self::new(Client::new(&config)?, access.return_uri.map(str::to_owned)))
    }
}
