//! A complete, typed client of the Omise payment API.

mod calls;
mod client;
mod config;
mod error;
mod keys;
mod objects;
mod reply;
mod retry;
mod transport;

pub use calls::*;
pub use client::Client;
pub use config::{API_URL, API_VERSION, ClientConfig, ConfigError, TIMEOUT_DEFAULT, VAULT_URL};
pub use error::{ApiError, Error, ErrorKind, Flaw, TransportError, UnusableReply};
pub use keys::{KeyError, PublicKey, SecretKey};
pub use objects::*;
pub use reply::{Answer, ApiObject, Reply};
pub use retry::GetRetry;

#[cfg(test)]
mod tests;
