//! What a customer can be charged with, borrowed from the answer: for whoever reads a hundred customers at a time.
//!
//! Promises: accepts whatever [`super::Customer`] accepts, and reads the same out of it.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use super::lenient::{integer, or_default};

/// The part of a [`super::Customer`] that says which cards they have.
///
/// Source: as for [`super::Customer`].
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct CustomerCards<'a> {
    /// Always `customer`.
    #[serde(borrow)]
    pub object: Cow<'a, str>,
    /// `cust_…`.
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    /// True only in the answer to a deletion.
    #[serde(default, deserialize_with = "or_default")]
    pub deleted: bool,
    /// The card charged when a charge names none. `None` without cards.
    #[serde(borrow, default)]
    pub default_card: Option<LinkedCard<'a>>,
    /// The first page (20) of the customer's cards.
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub cards: CardFaces<'a>,
}

/// The id of a card, given bare or inside the card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkedCard<'a>(pub Cow<'a, str>);

/// The embedded list of cards.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct CardFaces<'a> {
    /// Its rows.
    #[serde(borrow, default = "Vec::new")]
    pub data: Vec<CardFace<'a>>,
    /// Cards that the customer has, of which `data` shows the first ones; 0 where it is not told.
    #[serde(default, deserialize_with = "or_default")]
    pub total: u64,
}

/// The part of a [`super::Card`] that tells it from others and says how long it works.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct CardFace<'a> {
    /// Always `card`.
    #[serde(borrow)]
    pub object: Cow<'a, str>,
    /// `card_…`.
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    /// True when it was deleted since.
    #[serde(default, deserialize_with = "or_default")]
    pub deleted: bool,
    /// Network, such as `Visa` or `MasterCard`; may be empty.
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub brand: Text<'a>,
    /// The last digits of the number, usually four; may be empty.
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub last_digits: Text<'a>,
    /// 1 to 12.
    #[serde(deserialize_with = "integer")]
    pub expiration_month: i64,
    /// Four digits.
    #[serde(deserialize_with = "integer")]
    pub expiration_year: i64,
    /// The same number has the same fingerprint; may be empty.
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub fingerprint: Text<'a>,
}

/// A text, borrowed where JSON wrote it without escapes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

impl crate::omise::ApiObject for CustomerCards<'_> {
    const OBJECT: &'static str = "customer";
    fn object(&self) -> &str {
        &self.object
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for LinkedCard<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = LinkedCard<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the id of a card, or a card")
            }
            fn visit_borrowed_str<E: Error>(self, id: &'de str) -> Result<Self::Value, E> {
                Ok(LinkedCard(Cow::Borrowed(id)))
            }
            fn visit_str<E: Error>(self, id: &str) -> Result<Self::Value, E> {
                Ok(LinkedCard(Cow::Owned(id.to_owned())))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                CardFace::deserialize(MapAccessDeserializer::new(map)).map(|card| LinkedCard(card.id))
            }
        }
        from.deserialize_any(Either)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::omise::{Customer, List};

    const CARD: &str = r#"{"object":"card","id":"card_test_1","livemode":false,"brand":"Visa","last_digits":"4242",
        "expiration_month":12,"expiration_year":"2030","fingerprint":"a\/b=","financing":null}"#;

    /// Id, brand, month, year, fingerprint, whether deleted.
    type Face = (String, String, i64, i64, String, bool);
    /// Id, default card, cards, how many there are in all.
    type Row = (String, Option<String>, Vec<Face>, u64);

    /// What matters, read in the full form.
    fn in_full(json: &str) -> Vec<Row> {
        let list: List<Customer> = serde_json::from_str(json).unwrap();
        let card = |c: &crate::omise::Card| {
            let (month, year) = (c.expiration_month, c.expiration_year);
            (c.id.clone(), c.brand.clone(), month, year, c.fingerprint.clone(), c.deleted)
        };
        let row = |c: &Customer| {
            let default = c.default_card.as_ref().map(|card| card.id().to_owned());
            (c.id.clone(), default, c.cards.data.iter().map(card).collect(), c.cards.total)
        };
        list.data.iter().map(row).collect()
    }

    fn borrowed(json: &str) -> Vec<Row> {
        let list: List<CustomerCards<'_>> = serde_json::from_str(json).unwrap();
        let card = |c: &CardFace<'_>| {
            let (month, year) = (c.expiration_month, c.expiration_year);
            (c.id.to_string(), c.brand.0.to_string(), month, year, c.fingerprint.0.to_string(), c.deleted)
        };
        let row = |c: &CustomerCards<'_>| {
            let default = c.default_card.as_ref().map(|card| card.0.to_string());
            (c.id.to_string(), default, c.cards.data.iter().map(card).collect(), c.cards.total)
        };
        list.data.iter().map(row).collect()
    }

    #[test]
    fn both_forms_read_the_same() {
        let customers = [
            format!(
                r#"{{"object":"customer","id":"cust_1","default_card":"card_test_1","cards":{{"object":"list","data":[{CARD}]}}}}"#
            ),
            format!(
                r#"{{"object":"customer","id":"cust_2","default_card":{CARD},"cards":{{"object":"list","data":[{CARD},{CARD}],"total":2}}}}"#
            ),
            r#"{"object":"customer","id":"cust_3","default_card":null,"cards":null,"deleted":null}"#
                .to_owned(),
            r#"{"object":"customer","id":"cust_\u0034","description":"a \"word\""}"#.to_owned(),
            format!(
                r#"{{"object":"customer","id":"cust_5","cards":{{"object":"list","total":23,"limit":20,"data":[{CARD}]}}}}"#
            ),
        ];
        let json = format!(r#"{{"object":"list","data":[{}],"total":5}}"#, customers.join(","));
        let read = borrowed(&json);
        assert_eq!(read, in_full(&json));
        assert_eq!(read.iter().map(|row| row.3).collect::<Vec<_>>(), [0, 2, 0, 0, 23]);
        assert_eq!(read[1].1.as_deref(), Some("card_test_1"));
        assert_eq!(read[0].2[0].4, "a/b=");
    }

    #[test]
    fn what_is_no_customer_is_refused() {
        for wrong in [r#"{"object":"customer"}"#, r#"{"object":"customer","id":7}"#, r#"{"id":"cust_1"}"#] {
            assert!(serde_json::from_str::<CustomerCards<'_>>(wrong).is_err(), "{wrong}");
        }
    }
}
