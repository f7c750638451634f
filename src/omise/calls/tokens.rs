//! Tokens, for test keys alone.

use std::fmt;

use reqwest::Method;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::omise::client::{Part, json, path};
use crate::omise::{Answer, Client, Error, Token};

/// Calls about tokens; from [`Client::tokens`].
///
/// ```
/// use dues::omise::{NewToken};
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
/// let card = NewToken {
///     number: "4242424242424242".to_owned().into(),
///     name: "A Customer".to_owned(),
///     expiration_month: 12,
///     expiration_year: 2090,
///     security_code: Some("123".to_owned().into()),
/// };
/// let token = client.tokens().create(&card).await?.value;
/// assert!(!client.tokens().retrieve(&token.id).await?.value.used);
/// # sandbox.stop().await;
/// # Ok(())
/// # }
/// ```
///
/// Source: paths and parameters from the machine-readable description; errors as recorded.
#[derive(Debug, Clone, Copy)]
pub struct Tokens<'a>(&'a Client);

/// A card to be told to the vault, in test mode. It cannot be printed, and its number is wiped when dropped.
#[derive(Clone)]
pub struct NewToken {
    /// The whole number, one of Omise's published test numbers. The guides' `4000000000000002` is not one of
    /// them: to see a decline use for example `4111111111140011` (`insufficient_fund`).
    pub number: Zeroizing<String>,
    /// Name of the holder.
    pub name: String,
    /// 1 to 12.
    pub expiration_month: u8,
    /// Four digits.
    pub expiration_year: u16,
    /// Three or four digits. `None`: not sent.
    pub security_code: Option<Zeroizing<String>>,
}

impl fmt::Debug for NewToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewToken(a card)")
    }
}

impl Client {
    /// Calls about tokens, at the vault, with the public key.
    pub fn tokens(&self) -> Tokens<'_> {
        Tokens(self)
    }
}

impl Tokens<'_> {
    /// Makes a token of a test card. Refused with live keys: a real card number must go from the customer's
    /// browser to the vault and never through a program like this one.
    ///
    /// Errors: 400 `invalid_card`; 401 `authentication_failure` with the wrong kind of key (one page says 403
    /// `not_authorized`; no recording settles it).
    pub async fn create(&self, card: &NewToken) -> Result<Answer<Token>, Error> {
        if self.0.livemode() {
            let reason =
                "tokens are made here with test keys only; real cards belong in the customer's browser";
            return Err(Error::Usage { reason: reason.to_owned() });
        }
        let vault = self.0.vault()?;
        let body = json(&Body { card: card.into() })?;
        let reply = vault.send(Method::POST, vault.url("/tokens"), Some(body)).await?;
        Ok(reply.answer(reply.parse()?))
    }

    /// One token. Its card is gone once it was used.
    pub async fn retrieve(&self, id: &str) -> Result<Answer<Token>, Error> {
        let path = path(&[Part::Word("tokens"), Part::Id(id)])?;
        self.0.get_from_vault(&path).await
    }
}

#[derive(Serialize)]
struct Body<'a> {
    card: CardBody<'a>,
}

#[derive(Serialize)]
struct CardBody<'a> {
    number: &'a str,
    name: &'a str,
    expiration_month: u8,
    expiration_year: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    security_code: Option<&'a str>,
}

impl<'a> From<&'a NewToken> for CardBody<'a> {
    fn from(card: &'a NewToken) -> Self {
        Self {
            number: &card.number,
            name: &card.name,
            expiration_month: card.expiration_month,
            expiration_year: card.expiration_year,
            security_code: card.security_code.as_ref().map(|code| code.as_str()),
        }
    }
}
