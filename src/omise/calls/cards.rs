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
