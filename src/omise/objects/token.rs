//! A token: a card that was told to the vault and belongs to nobody yet.

use jiff::Timestamp;
use serde::Deserialize;

use super::Card;
use super::lenient::{instant, or_default};

/// A single-use stand-in for a card: attach it to a customer or charge it, once. Using it again is 400
/// `used_token`. How long an unused one lives is nowhere documented.
///
/// Source: an answer recorded by Omise's PHP client (March 2025); that it is spent by use, by its Elixir
/// client (2017).
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Token {
    /// Always `token`.
    pub object: String,
    /// `tokn_…`.
    pub id: String,
    /// True for live data.
    #[serde(default, deserialize_with = "or_default")]
    pub livemode: bool,
    /// Whole address at the vault.
    #[serde(default)]
    pub location: Option<String>,
    /// True once it was attached or charged.
    #[serde(default, deserialize_with = "or_default")]
    pub used: bool,
    /// The card. `None` once the token was used.
    #[serde(default)]
    pub card: Option<Card>,
    /// When it was made. `None` when the answer holds no readable date.
    #[serde(default, deserialize_with = "instant")]
    pub created_at: Option<Timestamp>,
}

super::api_object!(Token => "token", id);
