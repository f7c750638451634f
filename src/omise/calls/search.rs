//! Search over any scope.

use serde::de::DeserializeOwned;

use super::paging::{Order, PAGE_MAX};
use crate::omise::{Answer, Client, Error, Search, SearchScope};

/// What is searched for, and which page of it.
///
/// Filters are names and values such as `("amount", "100..200")` (main units), `("created",
/// "2026-01-01..2026-02-01")`, `("captured", "true")`. No scope has a filter for a customer's id or for
/// metadata.
///
/// ```
/// use dues::omise::{Charge, NewCharge, SearchQuery, SearchScope};
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
/// let new = NewCharge {
///     amount: 99_000,
///     currency: "THB",
///     customer: Some(customer_id),
///     description: Some("order 7"),
///     ..NewCharge::default()
/// };
/// client.charges().create(&new).await?;
///
/// // Amounts in filters are in main units: 990 THB.
/// let filters = [("amount", "900..1000"), ("status", "successful")];
/// let query = SearchQuery { text: "order", filters: &filters, ..SearchQuery::default() };
/// let found = client.search::<Charge>(&SearchScope::Charge, &query).await?.value;
/// assert_eq!(found.total, 1);
/// assert_eq!(found.data[0].amount, 99_000);
/// # sandbox.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct SearchQuery<'a> {
    /// Words to find. Empty: everything that passes the filters.
    pub text: &'a str,
    /// Filters, all of which must hold. An unknown one is 422 `invalid_filter`.
    pub filters: &'a [(&'a str, &'a str)],
    /// Which page, from 1. `None`: the first.
    pub page: Option<u64>,
    /// Rows to a page, at most 100. `None`: 30.
    pub per_page: Option<u32>,
    /// Oldest or newest first.
    pub order: Order,
}

impl SearchQuery<'_> {
    /// The query parameters. The order is always sent: the sources disagree about the default.
    pub(super) fn pairs(&self) -> Vec<(String, String)> {
        let mut pairs = vec![("order".to_owned(), self.order.as_str().to_owned())];
        if !self.text.is_empty() {
            pairs.push(("query".to_owned(), self.text.to_owned()));
        }
        for (name, value) in self.filters {
            pairs.push((format!("filters[{name}]"), (*value).to_owned()));
        }
        if let Some(page) = self.page {
            pairs.push(("page".to_owned(), page.to_string()));
        }
        if let Some(per_page) = self.per_page {
            pairs.push(("per_page".to_owned(), per_page.clamp(1, PAGE_MAX).to_string()));
        }
        pairs
    }
}

impl Client {
    /// Searches one scope. Take `serde_json::Value` for rows of a kind that this client has no type for.
    ///
    /// A hint, never a proof: the index lags behind, and 503 `search_unavailable` is one of its answers.
    ///
    /// Errors: 422 `invalid_scope`, `invalid_filter`, `invalid_page` or `invalid_per_page`; 503
    /// `search_unavailable`. Source: the official list of codes.
    pub async fn search<T: DeserializeOwned>(
        &self,
        scope: &SearchScope,
        query: &SearchQuery<'_>,
    ) -> Result<Answer<Search<T>>, Error> {
        let mut pairs = query.pairs();
        pairs.push(("scope".to_owned(), scope.as_str().to_owned()));
        self.get_with("/search", &pairs).await
    }
}
