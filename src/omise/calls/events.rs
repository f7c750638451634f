//! Events.

use super::ListQuery;
use super::rows::Rows;
use crate::omise::client::{Part, path};
use crate::omise::{Answer, Client, Error, Event, List};

/// Calls about events; from [`Client::events`].
///
/// ```
/// use dues::omise::{ListQuery, Order};
/// # use dues::omise::{Client, ClientConfig, PublicKey, SecretKey};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sandbox = dues::sandbox::start(dues::sandbox::SandboxOptions::default()).await?;
/// # let client = Client::new(&ClientConfig {
/// #     api_url: sandbox.api_url(),
/// #     vault_url: sandbox.vault_url(),
/// #     public_key: Some(PublicKey::parse(sandbox.public_key())?),
/// #     ..ClientConfig::new(SecretKey::parse(sandbox.secret_key())?)
/// # })?;
/// let newest = ListQuery { order: Order::ReverseChronological, ..ListQuery::default() };
/// for event in client.events().list(&newest).await?.value.data {
///     println!("{} {}", event.id, event.key);
/// }
/// # sandbox.stop().await;
/// # Ok(())
/// # }
/// ```
///
/// Source: paths and parameters from the machine-readable description; errors as recorded.
#[derive(Debug, Clone, Copy)]
pub struct Events<'a>(&'a Client);

impl Client {
    /// Calls about events: what webhooks tell, to be asked for when they do not. How long Omise keeps
    /// events is nowhere documented.
    pub fn events(&self) -> Events<'_> {
        Events(self)
    }
}

impl<'a> Events<'a> {
    /// One event. That it can be read with our own key is the proof that it is genuine.
    pub async fn retrieve(&self, id: &str) -> Result<Answer<Event>, Error> {
        self.0.get(&path(&[Part::Word("events"), Part::Id(id)])?).await
    }

    /// One page of events.
    pub async fn list(&self, query: &ListQuery) -> Result<Answer<List<Event>>, Error> {
        self.0.get_with("/events", &query.pairs()).await
    }

    /// All events of a window.
    pub fn rows(&self, query: &ListQuery) -> Rows<'a, Event> {
        Rows::new(self.0, "/events".to_owned(), query)
    }
}
