//! The account behind the key.

use crate::omise::{Account, Answer, Balance, Capability, Client, Error};

impl Client {
    /// What the account may do; its limits are the amounts that a charge must keep to.
    ///
    /// ```
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
    /// let capability = client.capability().await?.value;
    /// println!("from {:?} subunits", capability.limits.charge_amount.min);
    /// assert!(capability.charges_cards_in("THB"));
    ///
    /// let account = client.account().await?.value;
    /// assert!(account.supported_currencies.iter().any(|currency| currency == "THB"));
    /// assert_eq!(client.balance().await?.value.currency, "THB");
    /// # sandbox.stop().await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn capability(&self) -> Result<Answer<Capability>, Error> {
        self.get("/capability").await
    }

    /// The account that the key belongs to. The cheapest way to learn whether the key works.
    ///
    /// Errors: 401 `authentication_failure` for an unknown key, 403 `key_expired_error` or
    /// `locked_account_error`. Source: the official list of codes.
    pub async fn account(&self) -> Result<Answer<Account>, Error> {
        self.get("/account").await
    }

    /// The money in the account.
    pub async fn balance(&self) -> Result<Answer<Balance>, Error> {
        self.get("/balance").await
    }
}
