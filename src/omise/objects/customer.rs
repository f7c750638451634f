//! A customer with the cards saved for them.

use jiff::Timestamp;
use serde::Deserialize;

use super::lenient::{Expandable, instant, or_default};
use super::{Card, List, Metadata};

/// A customer. Lists of customers embed each one's cards, so that one request shows the cards of a hundred.
///
/// The first card attached becomes the default; later ones do not. When the default is deleted the newest
/// remaining card is promoted, without anybody having chosen it.
///
/// Source: answers recorded by Omise's PHP client in March 2025, and the machine-readable description.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Customer {
    /// Always `customer`.
    pub object: String,
    /// `cust_…`.
    pub id: String,
    /// True for live data.
    #[serde(default, deserialize_with = "or_default")]
    pub livemode: bool,
    /// Path of this customer.
    #[serde(default)]
    pub location: Option<String>,
    /// True only in the answer to a deletion; afterwards the customer is 404 `not_found`.
    #[serde(default, deserialize_with = "or_default")]
    pub deleted: bool,
    /// `None` when never given.
    #[serde(default)]
    pub email: Option<String>,
    /// `None` when never given.
    #[serde(default)]
    pub description: Option<String>,
    /// Free data, at most 15,000 characters.
    #[serde(default, deserialize_with = "or_default")]
    pub metadata: Metadata,
    /// The card charged when a charge names none. `None` without cards; a whole card when expanded.
    #[serde(default)]
    pub default_card: Option<Expandable<Card>>,
    /// The first page (20) of the customer's cards.
    #[serde(default, deserialize_with = "or_default")]
    pub cards: List<Card>,
    /// When it was created. `None` when the answer holds no readable date.
    #[serde(default, deserialize_with = "instant")]
    pub created_at: Option<Timestamp>,
}

impl Customer {
    /// The default card as an object, if it is expanded or on the embedded first page of cards.
    pub fn default_card(&self) -> Option<&Card> {
        match self.default_card.as_ref()? {
            Expandable::Object(card) => Some(card),
            Expandable::Id(id) => self.cards.data.iter().find(|card| card.id == *id),
        }
    }
}

super::api_object!(Customer => "customer", id);
