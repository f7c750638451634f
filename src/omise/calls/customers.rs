//! Customers.

use reqwest::Method;
use serde::Serialize;

use super::ListQuery;
use super::rows::Rows;
use super::search::SearchQuery;
use crate::omise::client::{Part, path};
use crate::omise::{Answer, Client, Customer, Error, List, Metadata, Reply, Schedule, Search};

/// Calls about customers; from [`Client::customers`].
///
/// ```
/// use dues::omise::{CustomerUpdate, ErrorKind, NewCustomer};
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
/// let new = NewCustomer { email: Some("a@example.test"), card: Some(&token), ..NewCustomer::default() };
/// let customer = client.customers().create(&new).await?.value;
/// assert_eq!(customer.default_card().map(|card| card.last_digits.as_str()), Some("4242"));
///
/// let update = CustomerUpdate { description: Some("Pro"), ..CustomerUpdate::default() };
/// let customer = client.customers().update(&customer.id, &update).await?.value;
/// assert_eq!(customer.description.as_deref(), Some("Pro"));
///
/// client.customers().destroy(&customer.id).await?;
/// let error = client.customers().retrieve(&customer.id).await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::NotFound);
/// # sandbox.stop().await;
/// # Ok(())
/// # }
/// ```
///
/// Source: paths and parameters from the machine-readable description; errors as recorded.
#[derive(Debug, Clone, Copy)]
pub struct Customers<'a>(pub(super) &'a Client);

/// A customer to be made. Everything is optional.
#[derive(Debug, Clone, Default, Serialize)]
pub struct NewCustomer<'a> {
    /// Their mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<&'a str>,
    /// A name or note.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<&'a str>,
    /// A token (`tokn_…`) whose card is saved and becomes the default. It is spent by this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card: Option<&'a str>,
    /// Free data, at most 15,000 characters.
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

/// What is to change of a customer; `None` leaves it as it is.
#[derive(Debug, Clone, Default, Serialize)]
pub struct CustomerUpdate<'a> {
    /// The new mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<&'a str>,
    /// The new name or note.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<&'a str>,
    /// A token whose card is *added*; the default stays unless there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card: Option<&'a str>,
    /// A card of theirs (`card_…`) that becomes the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_card: Option<&'a str>,
    /// The new metadata.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

impl Client {
    /// Calls about customers.
    pub fn customers(&self) -> Customers<'_> {
        Customers(self)
    }
}

impl<'a> Customers<'a> {
    /// Makes a customer. Sent once, never repeated.
    ///
    /// An unknown token is 404 `not_found` and a spent one 400 `used_token`; the guide's `token_not_found`
    /// and its 404 for spent tokens are not what the API was recorded to answer.
    pub async fn create(&self, customer: &NewCustomer<'_>) -> Result<Answer<Customer>, Error> {
        self.0.change(Method::POST, "/customers", customer).await
    }

    /// One customer with their cards. A deleted or unknown one is 404 `not_found`, whatever the guides say
    /// about `customer_not_found`.
    pub async fn retrieve(&self, id: &str) -> Result<Answer<Customer>, Error> {
        self.0.get(&one(id)?).await
    }

    /// Changes a customer, adds a card by token, or picks the default card.
    ///
    /// The guide lists a POST on the customer's cards for adding one, and one of its samples reads a card out
    /// of this answer: the API has no such POST, and this call answers with the whole customer.
    pub async fn update(&self, id: &str, update: &CustomerUpdate<'_>) -> Result<Answer<Customer>, Error> {
        self.0.change(Method::PATCH, &one(id)?, update).await
    }

    /// Deletes a customer and their cards. The answer is the customer with `deleted`, no cards and no
    /// default; charges made before stay readable.
    pub async fn destroy(&self, id: &str) -> Result<Answer<Customer>, Error> {
        self.0.delete(&one(id)?).await
    }

    /// One page of customers, each with their cards. Deleted ones are left out.
    pub async fn list(&self, query: &ListQuery) -> Result<Answer<List<Customer>>, Error> {
        self.0.get_with("/customers", &query.pairs()).await
    }

    /// The same page unread, for whoever wants other forms of it: [`Reply::parse`] reads a
    /// [`List`]`<`[`CustomerCards`](crate::omise::CustomerCards)`>` without copying.
    pub async fn list_raw(&self, query: &ListQuery) -> Result<Reply, Error> {
        self.0.get_raw_with("/customers", &query.pairs()).await
    }

    /// All customers of a window: one request per hundred shows the cards of all of them.
    pub fn rows(&self, query: &ListQuery) -> Rows<'a, Customer> {
        Rows::new(self.0, "/customers".to_owned(), query)
    }

    /// Searches customers by words of mail address, description and the like. The only filter is `created`.
    pub async fn search(&self, query: &SearchQuery<'_>) -> Result<Answer<Search<Customer>>, Error> {
        self.0.get_with("/customers/search", &query.pairs()).await
    }

    /// The Omise schedules that charge a customer.
    pub async fn schedules(&self, id: &str, query: &ListQuery) -> Result<Answer<List<Schedule>>, Error> {
        self.0.get_with(&schedules_of(id)?, &query.pairs()).await
    }

    /// All Omise schedules that charge a customer.
    pub fn schedule_rows(&self, id: &str) -> Result<Rows<'a, Schedule>, Error> {
        Ok(Rows::new(self.0, schedules_of(id)?, &ListQuery::default()))
    }
}

fn one(id: &str) -> Result<String, Error> {
    path(&[Part::Word("customers"), Part::Id(id)])
}

fn schedules_of(id: &str) -> Result<String, Error> {
    path(&[Part::Word("customers"), Part::Id(id), Part::Word("schedules")])
}
