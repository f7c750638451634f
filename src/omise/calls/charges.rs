//! Charges: making them, and what can be done with one afterwards.

use bytes::Bytes;
use reqwest::Method;
use serde::Serialize;

use super::rows::Rows;
use super::search::SearchQuery;
use super::{ListQuery, no_body};
use crate::omise::client::{Part, json, path};
use crate::omise::objects::words;
use crate::omise::{Answer, Charge, Client, Error, Event, List, Metadata, Reply, Search, TransportError};

/// Calls about charges; from [`Client::charges`].
///
/// ```
/// use dues::omise::{ChargeStatus, ListQuery, NewCharge};
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
/// let answer = client.charges().create(&new).await?;
/// println!("{:?}: {} satang at {:?}", answer.request_id, answer.value.amount, answer.provider_date);
/// assert_eq!(answer.value.status, ChargeStatus::Successful);
///
/// // Authorized first, captured later.
/// let held = NewCharge { capture: Some(false), ..new };
/// let held = client.charges().create(&held).await?.value;
/// assert_eq!(held.status, ChargeStatus::Pending);
/// let captured = client.charges().capture(&held.id, None).await?.value;
/// assert_eq!(captured.status, ChargeStatus::Successful);
///
/// assert_eq!(client.charges().list(&ListQuery::default()).await?.value.total, 2);
/// # sandbox.stop().await;
/// # Ok(())
/// # }
/// ```
///
/// Source: paths and parameters from the machine-readable description; errors as recorded.
#[derive(Debug, Clone, Copy)]
pub struct Charges<'a>(pub(super) &'a Client);

words! {
    /// Who starts a charge, as the card networks want to know.
    TransactionIndicator {
        /// The customer is there.
        CustomerInitiated = "CIT",
        /// The merchant charges a saved card on its own.
        MerchantInitiated = "MIT",
    }
}

words! {
    /// Why a merchant charges a saved card. Which combinations an account accepts is nowhere documented; one
    /// without the feature may answer 400.
    RecurringReason {
        /// The next period of a subscription.
        Subscription = "subscription",
        /// A standing order.
        StandingOrder = "standing_order",
        /// One of a fixed number of parts.
        Installment = "installment",
        /// At no fixed time, such as a top-up.
        Unscheduled = "unscheduled",
        /// Part of an order that was sent.
        PartialShipment = "partial_shipment",
        /// Added after the service.
        DelayedCharge = "delayed_charge",
        /// The guest did not come.
        NoShow = "no_show",
        /// Another try after a decline.
        Resubmission = "resubmission",
    }
}

/// A charge to be made. `amount` and `currency` are needed, and a customer or a card.
#[derive(Debug, Clone, Default, Serialize)]
pub struct NewCharge<'a> {
    /// In the smallest unit of `currency`: 99000 is 990.00 THB, and 990 is 990 JPY.
    pub amount: i64,
    /// Three letters, in either case. One guide's sample leaves it out; the API refuses that.
    pub currency: &'a str,
    /// Charge this customer: the default card, unless `card` names one of theirs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<&'a str>,
    /// A card of the customer (`card_…`), or alone a token (`tokn_…`), which is spent by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card: Option<&'a str>,
    /// False: authorize only, capture later. `None`: true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capture: Option<bool>,
    /// Shown in the dashboard; words of it can be searched for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<&'a str>,
    /// Free data, at most 15,000 characters.
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
    /// Where the customer comes back to after 3-D Secure. Accounts that enforce it refuse a charge without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_uri: Option<&'a str>,
    /// Who starts this charge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction_indicator: Option<TransactionIndicator>,
    /// Why, when the merchant does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recurring_reason: Option<RecurringReason>,
    /// The charge with which the customer first agreed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_charge: Option<&'a str>,
    /// Sent as the `Idempotency-Key` header, not in the body. Harmless and not to be relied on.
    #[serde(skip)]
    pub idempotency_key: Option<&'a str>,
}

/// What can be changed of a charge afterwards.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ChargeUpdate<'a> {
    /// `None`: left as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<&'a str>,
    /// `None`: left as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

impl Client {
    /// Calls about charges.
    pub fn charges(&self) -> Charges<'_> {
        Charges(self)
    }
}

impl<'a> Charges<'a> {
    /// Makes a charge. Sent once, never repeated.
    ///
    /// A decline is an `Ok` with status `failed`. After [`TransportError::PerhapsProcessed`], a 5xx or an
    /// unusable answer the charge may exist: look for it in the list before making another.
    ///
    /// Errors: an amount below the account's minimum and a currency it does not take are 400 `invalid_charge`
    /// (the message names the minimum), no amount is 400 `invalid_amount`, an unknown customer, card or token
    /// is 404 `not_found`, and so is naming neither customer nor card. Source: recordings.
    pub async fn create(&self, charge: &NewCharge<'_>) -> Result<Answer<Charge>, Error> {
        let body = json(charge)?.body;
        let reply = self.0.post_charge(body, charge.idempotency_key).await?;
        Ok(reply.answer(reply.parse()?))
    }

    /// Posts a ready charge request, byte for byte, exactly once, and hands back the answer unread.
    ///
    /// For callers who stored the body before sending it. [`TransportError::NeverSent`] proves that nothing
    /// left; after [`TransportError::PerhapsProcessed`] the charge must be looked up, never posted again.
    /// Read the answer by [`Reply::parse`]`::<Charge>()`. Dropping the future before it is done counts as
    /// perhaps processed, too.
    ///
    /// The `Idempotency-Key` header is sent but must not be relied on: official pages and clients do not
    /// mention it, and nobody documents what it covers.
    pub async fn create_raw(
        &self,
        body: impl Into<Bytes>,
        idempotency_key: &str,
    ) -> Result<Reply, TransportError> {
        self.0.post_charge(body.into(), Some(idempotency_key)).await
    }

    /// One charge.
    ///
    /// Errors: 404 `not_found`. Charges of deleted customers stay readable. Source: recordings.
    pub async fn retrieve(&self, id: &str) -> Result<Answer<Charge>, Error> {
        self.0.get(&one(id)?).await
    }

    /// Changes description or metadata; nothing else of a charge can be changed.
    pub async fn update(&self, id: &str, update: &ChargeUpdate<'_>) -> Result<Answer<Charge>, Error> {
        self.0.change(Method::PATCH, &one(id)?, update).await
    }

    /// One page of charges. Rows are whole charges, metadata included; failed ones are among them. There is
    /// no way to ask for one customer's charges alone.
    pub async fn list(&self, query: &ListQuery) -> Result<Answer<List<Charge>>, Error> {
        self.0.get_with("/charges", &query.pairs()).await
    }

    /// All charges of a window, oldest first unless the query says otherwise.
    pub fn rows(&self, query: &ListQuery) -> Rows<'a, Charge> {
        Rows::new(self.0, "/charges".to_owned(), query)
    }

    /// Searches charges. Amounts in filters are in main units (`990`, not `99000`).
    pub async fn search(&self, query: &SearchQuery<'_>) -> Result<Answer<Search<Charge>>, Error> {
        self.0.get_with("/charges/search", &query.pairs()).await
    }

    /// Takes the money of a charge that was only authorized; all of it, or `amount` subunits.
    ///
    /// Errors: 400 `failed_capture` when it cannot be captured (any more). Source: the official list of codes.
    pub async fn capture(&self, id: &str, amount: Option<i64>) -> Result<Answer<Charge>, Error> {
        #[derive(Serialize)]
        struct Capture {
            #[serde(skip_serializing_if = "Option::is_none")]
            capture_amount: Option<i64>,
        }
        self.0.change(Method::POST, &of(id, "capture")?, &Capture { capture_amount: amount }).await
    }

    /// Gives back an authorization that was not captured. A captured charge is 400 `failed_reverse`.
    pub async fn reverse(&self, id: &str) -> Result<Answer<Charge>, Error> {
        self.0.change(Method::POST, &of(id, "reverse")?, &no_body()).await
    }

    /// Ends a pending charge before its time. A success that comes late may still win: read it again.
    pub async fn expire(&self, id: &str) -> Result<Answer<Charge>, Error> {
        self.0.change(Method::POST, &of(id, "expire")?, &no_body()).await
    }

    /// What happened to a charge. Rows may lack `data`.
    pub async fn events(&self, id: &str, query: &ListQuery) -> Result<Answer<List<Event>>, Error> {
        self.0.get_with(&of(id, "events")?, &query.pairs()).await
    }

    /// All that happened to a charge.
    pub fn event_rows(&self, id: &str) -> Result<Rows<'a, Event>, Error> {
        Ok(Rows::new(self.0, of(id, "events")?, &ListQuery::default()))
    }
}

fn one(id: &str) -> Result<String, Error> {
    path(&[Part::Word("charges"), Part::Id(id)])
}

fn of(id: &str, what: &'static str) -> Result<String, Error> {
    path(&[Part::Word("charges"), Part::Id(id), Part::Word(what)])
}
