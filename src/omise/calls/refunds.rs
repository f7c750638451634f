//! Giving money back.

use reqwest::Method;
use serde::Serialize;

use super::ListQuery;
use super::charges::Charges;
use super::rows::Rows;
use crate::omise::client::{Part, path};
use crate::omise::{Answer, Client, Error, List, Metadata, Refund};

/// A refund to be made.
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

impl Charges<'_> {
    /// Gives back money of a charge. More than is left, or a charge that was never captured, is 400
    /// `failed_refund`. Sent once: after a silence read the charge's refunds before making another.
    pub async fn refund(&self, charge: &str, refund: &NewRefund) -> Result<Answer<Refund>, Error> {
        self.0.change(Method::POST, &refunds_of(charge)?, refund).await
    }

    /// The refunds of one charge.
    pub async fn refunds(&self, charge: &str, query: &ListQuery) -> Result<Answer<List<Refund>>, Error> {
        self.0.get_with(&refunds_of(charge)?, &query.pairs()).await
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
