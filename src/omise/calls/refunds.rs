//! Giving money back.

use reqwest::Method;
use serde::Serialize;

use super::ListQuery;
use super::charges::Charges;
use super::rows::Rows;
use crate::omise::client::{Part, path};
use crate::omise::{Answer, Client, Error, List, Metadata, Refund};

/// A refund to be made.
///
/// ```
/// use dues::omise::{ListQuery, NewCharge, NewRefund};
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
/// let new = NewCharge { amount: 99_000, currency: "THB", customer: Some(customer_id), ..Default::default() };
/// let charge = client.charges().create(&new).await?.value;
///
/// let half = NewRefund { amount: 49_500, ..NewRefund::default() };
/// let refund = client.charges().refund(&charge.id, &half).await?.value;
/// assert_eq!(refund.amount, 49_500);
/// assert_eq!(client.charges().refunds(&charge.id, &ListQuery::default()).await?.value.total, 1);
///
/// // More than is left.
/// let error = client.charges().refund(&charge.id, &NewRefund { amount: 49_501, ..half }).await.unwrap_err();
/// assert_eq!(error.api().map(|error| error.code.as_str()), Some("failed_refund"));
/// # sandbox.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, Serialize)]
pub struct NewRefund {
    /// In the smallest unit of the charge's currency, up to what is left of it.
    pub amount: i64,
    /// True: void the charge instead, while it still can be. `None`: the API decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub void: Option<bool>,
    /// Free data.
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

impl<'a> Charges<'a> {
    /// Gives back money of a charge. More than is left, or a charge that was never captured, is 400
    /// `failed_refund`. Sent once: after a silence read the charge's refunds before making another.
    pub async fn refund(&self, charge: &str, refund: &NewRefund) -> Result<Answer<Refund>, Error> {
        self.0.change(Method::POST, &refunds_of(charge)?, refund).await
    }

    /// The refunds of one charge.
    pub async fn refunds(&self, charge: &str, query: &ListQuery) -> Result<Answer<List<Refund>>, Error> {
        self.0.get_with(&refunds_of(charge)?, &query.pairs()).await
    }

    /// All refunds of one charge.
    pub fn refund_rows(&self, charge: &str) -> Result<Rows<'a, Refund>, Error> {
        Ok(Rows::new(self.0, refunds_of(charge)?, &ListQuery::default()))
    }

    /// One refund of a charge.
    pub async fn retrieve_refund(&self, charge: &str, refund: &str) -> Result<Answer<Refund>, Error> {
        let parts = [Part::Word("charges"), Part::Id(charge), Part::Word("refunds"), Part::Id(refund)];
        self.0.get(&path(&parts)?).await
    }
}

impl Client {
    /// The refunds of all charges in a window.
    pub fn refunds(&self, query: &ListQuery) -> Rows<'_, Refund> {
        Rows::new(self, "/refunds".to_owned(), query)
    }
}

fn refunds_of(charge: &str) -> Result<String, Error> {
    path(&[Part::Word("charges"), Part::Id(charge), Part::Word("refunds")])
}
