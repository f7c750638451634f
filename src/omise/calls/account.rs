//! The account behind the key.

use crate::omise::{Account, Answer, Balance, Capability, Client, Error};

impl Client {
    /// What the account may do; its limits are the amounts that a charge must keep to.
    pub async fn capability(&self) -> Result<Answer<Capability>, Error> {
        self.get("/capability").await
    }

    /// The account that the key belongs to. The cheapest way to learn whether the key works.
    pub async fn account(&self) -> Result<Answer<Account>, Error> {
        self.get("/account").await
    }

    /// The money in the account.
    pub async fn balance(&self) -> Result<Answer<Balance>, Error> {
        self.get("/balance").await
    }
}
