//! A complete, typed client of the Omise payment API.
//!
//! It knows customers, cards, charges, refunds, schedules, events, searches and tokens, and nothing of
//! billing. Promises: what it says of a failed request is true (never sent, perhaps processed, refused,
//! unusable); a request that changes anything is sent once; no key can be printed. Must never know who
//! uses it: this room imports nothing of ours and could be published as a crate.
//!
//! # The five calls people need
//!
//! ```
//! use dues::omise::{
//!     ChargeStatus, Client, ClientConfig, CustomerUpdate, ListQuery, NewCharge, NewCustomer, SecretKey,
//! };
//! # use dues::omise::{NewToken, PublicKey};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let sandbox = dues::sandbox::start(dues::sandbox::SandboxOptions::default()).await?;
//! # let secret = sandbox.secret_key();
//! let key = SecretKey::parse(secret)?;
//! # let config = ClientConfig {
//! #     api_url: sandbox.api_url(),
//! #     vault_url: sandbox.vault_url(),
//! #     public_key: Some(PublicKey::parse(sandbox.public_key())?),
//! #     ..ClientConfig::new(key)
//! # };
//! # /*
//! let config = ClientConfig::new(key);
//! # */
//! let client = Client::new(&config)?;
//! # let card = NewToken {
//! #     number: "4242424242424242".to_owned().into(),
//! #     name: "A Customer".to_owned(),
//! #     expiration_month: 12,
//! #     expiration_year: 2090,
//! #     security_code: Some("123".to_owned().into()),
//! # };
//! # let token = client.tokens().create(&card).await?.value.id;
//! # let token_2 = client.tokens().create(&card).await?.value.id;
//!
//! // 1. Save a customer with the card that their browser made a token of.
//! let new = NewCustomer { email: Some("a@example.test"), card: Some(&token), ..NewCustomer::default() };
//! let customer = client.customers().create(&new).await?.value;
//!
//! // 2. Charge whatever card is their default: 990.00 THB, in satang.
//! let new = NewCharge {
//!     amount: 99_000,
//!     currency: "THB",
//!     customer: Some(&customer.id),
//!     ..NewCharge::default()
//! };
//! let charge = client.charges().create(&new).await?.value;
//! assert_eq!(charge.status, ChargeStatus::Successful); // a decline is `Failed`, not an `Err`
//!
//! // 3. Add another card.
//! let update = CustomerUpdate { card: Some(&token_2), ..CustomerUpdate::default() };
//! let customer = client.customers().update(&customer.id, &update).await?.value;
//! assert_eq!(customer.cards.data.len(), 2);
//!
//! // 4. Look at every charge of a window, page by page behind the scenes.
//! let mut charges = client.charges().rows(&ListQuery::default());
//! while let Some(charge) = charges.next().await? {
//!     println!("{} {} {} {}", charge.id, charge.amount, charge.currency, charge.status);
//! }
//!
//! // 5. Let a customer go, with their cards.
//! assert!(client.customers().destroy(&customer.id).await?.value.deleted);
//! # sandbox.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! # After a failed charge
//!
//! | [`Error::kind`] | what it means for a POST |
//! |---|---|
//! | [`NeverSent`](ErrorKind::NeverSent), [`Usage`](ErrorKind::Usage) | nothing happened; it may be sent again |
//! | [`RateLimited`](ErrorKind::RateLimited) | as far as documented nothing happened; wait as told |
//! | [`Authentication`](ErrorKind::Authentication), [`Permission`](ErrorKind::Permission) | the key is wrong; nothing happened |
//! | [`NotFound`](ErrorKind::NotFound), [`InvalidRequest`](ErrorKind::InvalidRequest) | refused as it is; nothing happened, `backend_error` excepted |
//! | [`PerhapsProcessed`](ErrorKind::PerhapsProcessed), [`ProviderFault`](ErrorKind::ProviderFault), [`Unusable`](ErrorKind::Unusable) | nobody knows: look the charge up before making another |
//!
//! # Where the facts come from
//!
//! Shapes follow answers recorded by Omise's own PHP client (March 2025, version 2019-05-29) and Elixir client
//! (2017); paths and parameters the API's machine-readable description. Where the guides say otherwise the
//! recordings win, and the item says so. What no source states is called undocumented.

mod calls;
mod client;
mod config;
mod error;
mod keys;
mod objects;
mod plain;
mod reply;
mod retry;
mod transport;

pub use calls::*;
pub use client::Client;
pub use config::{API_URL, API_VERSION, ClientConfig, ConfigError, TIMEOUT_DEFAULT, VAULT_URL};
pub use error::{ApiError, Error, ErrorKind, Flaw, TransportError, UnusableReply};
pub use keys::{KeyError, PublicKey, SecretKey};
pub use objects::*;
pub use plain::one_line;
pub use reply::{Answer, ApiObject, Reply};
pub use retry::GetRetry;

#[cfg(test)]
mod tests;
