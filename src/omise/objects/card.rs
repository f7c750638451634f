//! A saved card.

use jiff::Timestamp;
use serde::Deserialize;

use super::lenient::{instant, integer, or_default};

/// A card of a customer, or the card inside a charge or token. It never holds a whole card number.
///
/// The card works through the last day of its expiry month.
///
/// Source: answers recorded by Omise's PHP client in March 2025, and the machine-readable description.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Card {
    /// Always `card`.
    pub object: String,
    /// `card_…`.
    pub id: String,
    /// True for live data.
    #[serde(default, deserialize_with = "or_default")]
    pub livemode: bool,
    /// `/customers/…/cards/…`. `None` inside a token, before the card belongs to anyone.
    #[serde(default)]
    pub location: Option<String>,
    /// True in the answer to a deletion, and in charges made with a card that was deleted since.
    #[serde(default, deserialize_with = "or_default")]
    pub deleted: bool,
    /// Network, such as `Visa` or `MasterCard`. An open set.
    #[serde(default, deserialize_with = "or_default")]
    pub brand: String,
    /// The last digits of the number, usually four.
    #[serde(default, deserialize_with = "or_default")]
    pub last_digits: String,
    /// The first digits. `None` unless the account may see them.
    #[serde(default)]
    pub first_digits: Option<String>,
    /// Name of the holder. `None` when never given.
    #[serde(default)]
    pub name: Option<String>,
    /// 1 to 12.
    #[serde(deserialize_with = "integer")]
    pub expiration_month: i64,
    /// Four digits.
    #[serde(deserialize_with = "integer")]
    pub expiration_year: i64,
    /// The same number has the same fingerprint, on whatever customer. May be empty.
    #[serde(default, deserialize_with = "or_default")]
    pub fingerprint: String,
    /// `credit`, `debit`, `prepaid`, or empty when unknown.
    #[serde(default, deserialize_with = "or_default")]
    pub financing: String,
    /// Issuing bank; may be empty.
    #[serde(default, deserialize_with = "or_default")]
    pub bank: String,
    /// Two lower-case letters, or empty.
    #[serde(default, deserialize_with = "or_default")]
    pub country: String,
    /// City of the billing address. `None` when never given.
    #[serde(default)]
    pub city: Option<String>,
    /// Postal code of the billing address. `None` when never given.
    #[serde(default)]
    pub postal_code: Option<String>,
    /// True when the security code was verified as the card was saved.
    #[serde(default, deserialize_with = "or_default")]
    pub security_code_check: bool,
    /// Wallet that the token came from, such as `applepay`. `None` for a plain card.
    #[serde(default)]
    pub tokenization_method: Option<String>,
    /// When it was saved. `None` when the answer holds no readable date.
    #[serde(default, deserialize_with = "instant")]
    pub created_at: Option<Timestamp>,
}

super::api_object!(Card => "card", id);
