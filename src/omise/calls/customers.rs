//! Customers.

use super::ListQuery;
use crate::omise::client::{Part, path};
use crate::omise::{Answer, Client, Customer, Error, List};

/// Calls about customers; from [`Client::customers`].
#[derive(Debug, Clone, Copy)]
pub struct Customers<'a>(pub(super) &'a Client);

impl Client {
    /// Calls about customers.
    pub fn customers(&self) -> Customers<'_> {
        Customers(self)
    }
}

impl Customers<'_> {
    /// One customer with their cards. A deleted or unknown one is 404 `not_found`, whatever the guides say
    /// about `customer_not_found`.
    pub async fn retrieve(&self, id: &str) -> Result<Answer<Customer>, Error> {
        self.0.get(&path(&[Part::Word("customers"), Part::Id(id)])?).await
    }

    /// One page of customers, each with their cards. Deleted ones are left out.
    pub async fn list(&self, query: &ListQuery) -> Result<Answer<List<Customer>>, Error> {
        self.0.get_with("/customers", &query.pairs()).await
    }
}
