//! Tests of the client against hand-made servers on loopback: what a sandbox is too polite to do.

mod answers;
mod objects;
mod paging;
mod requests;
mod rude;
mod secrets;
mod server;
mod silence;

use std::time::Duration;

use super::{Client, ClientConfig, GetRetry, PublicKey, SecretKey};

/// Short enough that a silent server costs a test little, long enough for a busy machine to answer.
const SHORT: Duration = Duration::from_secs(2);
const LONG: Duration = Duration::from_mins(1);

/// A client of this address that waits this long and repeats nothing.
fn client(address: &str, timeout: Duration) -> Client {
    Client::new(&config(address, timeout)).unwrap()
}

fn config(address: &str, timeout: Duration) -> ClientConfig {
    ClientConfig {
        api_url: address.to_owned(),
        vault_url: address.to_owned(),
        public_key: Some(PublicKey::parse("pkey_test_canarypublic").unwrap()),
        timeout,
        get_retry: GetRetry::NEVER,
        ..ClientConfig::new(SecretKey::parse("skey_test_canarysecret").unwrap())
    }
}
