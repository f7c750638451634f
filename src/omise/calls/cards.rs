//! The saved cards of a customer.

use reqwest::Method;
use serde::Serialize;

use super::ListQuery;
use super::customers::Customers;
use super::rows::Rows;
use crate::omise::client::{Part, path};
use crate::omise::{Answer, Card, Client, Error, List};

/// Calls about one customer's cards; from [`Customers::cards`]. Cards are added by
/// [`Customers::update`] with a token: the POST on this collection that the guide lists does not exist.
///
/// ```
/// use dues::omise::{CardUpdate, ListQuery};
/// # use dues::omise::{Client, ClientConfig, NewToken, PublicKey, SecretKey};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sandbox = dues::sandbox::start(dues::sandbox::SandboxOptions::default()).await?;
/// # let client = Client::new(&ClientConfig {
/// #     api_url: sandbox.api_url(),
/// #     vault_url: sandbox.vault_url(),
/// #     public_key: Some(PublicKey::parse(sandbox.public_key())?),
/// #     ..ClientConfig::new(SecretKey::parse(sandbox.secret_key())?)
/// # })?;
/// # let card = NewToken {
/// #     number: "4242424242424242".to_owned().into(),
/// #     name: "A Customer".to_owned(),
/// #     expiration_month: 12,
/// #     expiration_year: 2090,
/// #     security_code: Some("123".to_owned().into()),
/// # };
/// # let token = client.tokens().create(&card).await?.value.id;
/// # let new = dues::omise::NewCustomer { card: Some(&token), ..Default::default() };
/// # let customer = client.customers().create(&new).await?.value;
/// # let customer_id = customer.id.as_str();
/// let customers = client.customers();
/// let cards = customers.cards(customer_id);
/// let card = cards.list(&ListQuery::default()).await?.value.data.remove(0);
///
/// let update = CardUpdate { expiration_year: Some(2091), ..CardUpdate::default() };
/// assert_eq!(cards.update(&card.id, &update).await?.value.expiration_year, 2091);
///
/// assert!(cards.destroy(&card.id).await?.value.deleted);
/// assert_eq!(customers.retrieve(customer_id).await?.value.default_card, None);
/// # sandbox.stop().await;
/// # Ok(())
/// # }
/// ```
///
/// Source: paths and parameters from the machine-readable description; errors as recorded.
#[derive(Debug, Clone, Copy)]
pub struct Cards<'a> {
    client: &'a Client,
    customer: &'a str,
}

/// What is to change of a card; `None` leaves it as it is. The number itself cannot be changed.
#[derive(Debug, Clone, Default, Serialize)]
pub struct CardUpdate<'a> {
    /// Name of the holder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'a str>,
    /// 1 to 12.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiration_month: Option<u8>,
    /// Four digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiration_year: Option<u16>,
    /// Postal code of the billing address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<&'a str>,
    /// City of the billing address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<&'a str>,
}

impl<'a> Customers<'a> {
    /// Calls about this customer's cards.
    pub fn cards(&self, customer: &'a str) -> Cards<'a> {
        Cards { client: self.0, customer }
    }
}

impl<'a> Cards<'a> {
    /// One page of the customer's cards.
    pub async fn list(&self, query: &ListQuery) -> Result<Answer<List<Card>>, Error> {
        self.client.get_with(&self.all()?, &query.pairs()).await
    }

    /// All of the customer's cards.
    pub fn rows(&self, query: &ListQuery) -> Result<Rows<'a, Card>, Error> {
        Ok(Rows::new(self.client, self.all()?, query))
    }

    /// One card. One of somebody else's is 404 `not_found`, not the guide's `card_not_found`.
    pub async fn retrieve(&self, card: &str) -> Result<Answer<Card>, Error> {
        self.client.get(&self.one(card)?).await
    }

    /// Changes what is printed on a card; a new expiry date revives an expired one.
    ///
    /// Errors: 400 `invalid_card` for a month or year that cannot be, 404 `not_found`. Source: the official list
    /// of codes, recordings.
    pub async fn update(&self, card: &str, update: &CardUpdate<'_>) -> Result<Answer<Card>, Error> {
        self.client.change(Method::PATCH, &self.one(card)?, update).await
    }

    /// Deletes a card. If it was the default, the newest remaining one becomes the default.
    pub async fn destroy(&self, card: &str) -> Result<Answer<Card>, Error> {
        self.client.delete(&self.one(card)?).await
    }

    fn all(&self) -> Result<String, Error> {
        path(&[Part::Word("customers"), Part::Id(self.customer), Part::Word("cards")])
    }

    fn one(&self, card: &str) -> Result<String, Error> {
        path(&[Part::Word("customers"), Part::Id(self.customer), Part::Word("cards"), Part::Id(card)])
    }
}
