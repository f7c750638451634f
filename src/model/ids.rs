//! Names of things: ids of ours that are derived or counted, and ids of the provider's, well-formed.

use std::fmt::{self, Write as _};
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// A malformed id: what it was to name, what was found, what was wanted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{what}: found {found:?}, wanted {wanted}")]
pub struct IdError {
    /// What the id was to name.
    pub what: &'static str,
    /// The text found.
    pub found: String,
    /// The form wanted.
    pub wanted: &'static str,
}

const LONGEST_ID_BYTES: usize = 64;

fn word_like(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= LONGEST_ID_BYTES
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

macro_rules! text_id {
    ($(#[$meta:meta])* $name:ident, $what:literal, $wanted:literal, $ok:expr) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The id, if the text has its form.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                let ok: fn(&str) -> bool = $ok;
                if ok(text) {
                    Ok(Self(text.into()))
                } else {
                    Err(IdError { what: $what, found: text.chars().take(80).collect(), wanted: $wanted })
                }
            }

            /// Its text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.as_ref().into()
            }
        }
    };
}

text_id!(
    /// A subscription: counted by the book, or brought by an import. Never holds a dot.
    SubscriptionId,
    "subscription id",
    "1 to 64 letters, digits, '_' or '-'",
    word_like
);
text_id!(
    /// A plan's name in the config, such as `pro-monthly`.
    PlanKey,
    "plan",
    "1 to 64 letters, digits, '_' or '-'",
    word_like
);
text_id!(
    /// A customer saved at Omise: `cust_…`.
    CustomerId,
    "customer id",
    "an Omise customer, such as cust_test_5xuy4w91xqz7d1w9u0t",
    |t| t.starts_with("cust_") && t.len() > 5 && word_like(t)
);
impl CustomerId {
    /// Whether it is of a test account: `cust_test_…`.
    pub fn is_test(&self) -> bool {
        self.0.starts_with("cust_test_")
    }

    /// Eight hexadecimal digits that tell customers apart in a log without naming them.
    pub fn hashed(&self) -> String {
        let digest = Sha256::digest(self.as_str().as_bytes());
        let first = digest.iter().take(4).fold(0, |sum: u32, byte| sum << 8 | u32::from(*byte));
        format!("{first:08x}")
    }
}

text_id!(
    /// A customer's card at Omise: `card_…`.
    CardId,
    "card id",
    "an Omise card, such as card_test_5xuy4w91xqz7d1w9u0t",
    |t| t.starts_with("card_") && t.len() > 5 && word_like(t)
);
impl CardId {
    /// Whether it is of a test account: `card_test_…`.
    pub fn is_test(&self) -> bool {
        self.0.starts_with("card_test_")
    }
}

text_id!(
    /// A charge at Omise: `chrg_…`.
    ChargeId,
    "charge id",
    "an Omise charge, such as chrg_test_5xuy4w91xqz7d1w9u0t",
    |t| t.starts_with("chrg_") && t.len() > 5 && word_like(t)
);
text_id!(
    /// One billing run: `run-` and its number in the book.
    RunId,
    "run id",
    "run- and a number",
    |t| t.strip_prefix("run-").is_some_and(|n| n.parse::<u64>().is_ok())
);

/// Written as it is, or filled up where a column asks for a width.
fn padded(f: &mut fmt::Formatter<'_>, text: fmt::Arguments<'_>) -> fmt::Result {
    if f.width().is_none() && f.precision().is_none() { f.write_fmt(text) } else { f.pad(&text.to_string()) }
}

/// One invoice: the subscription and the index of the period it bills. Written `SUB.INDEX`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InvoiceId {
    /// Whose.
    pub subscription: SubscriptionId,
    /// The period's index, from 0.
    pub index: u32,
}

impl InvoiceId {
    /// The invoice of that period.
    pub const fn new(subscription: SubscriptionId, index: u32) -> Self {
        Self { subscription, index }
    }
}

impl fmt::Display for InvoiceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        padded(f, format_args!("{}.{}", self.subscription, self.index))
    }
}

impl fmt::Debug for InvoiceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for InvoiceId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let wrong = || IdError {
            what: "invoice id",
            found: text.chars().take(80).collect(),
            wanted: "SUBSCRIPTION.PERIOD, such as sub_7k2m9qx4.0",
        };
        let (subscription, index) = text.rsplit_once('.').ok_or_else(wrong)?;
        Ok(Self {
            subscription: SubscriptionId::parse(subscription).map_err(|_| wrong())?,
            index: index.parse().map_err(|_| wrong())?,
        })
    }
}

/// One attempt: its invoice and its number, from 1. Written `SUB.INDEX.NUMBER`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttemptId {
    /// Of which invoice.
    pub invoice: InvoiceId,
    /// 1, 2, 3…
    pub number: u32,
}

impl AttemptId {
    /// The `number`th attempt of that invoice.
    pub const fn new(invoice: InvoiceId, number: u32) -> Self {
        Self { invoice, number }
    }
}

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        padded(f, format_args!("{}.{}", self.invoice, self.number))
    }
}

impl fmt::Debug for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for AttemptId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let wrong = || IdError {
            what: "attempt id",
            found: text.chars().take(80).collect(),
            wanted: "SUBSCRIPTION.PERIOD.NUMBER, such as sub_7k2m9qx4.0.1",
        };
        let (invoice, number) = text.rsplit_once('.').ok_or_else(wrong)?;
        let number = number.parse().map_err(|_| wrong())?;
        if number == 0 {
            return Err(wrong());
        }
        Ok(Self { invoice: invoice.parse().map_err(|_| wrong())?, number })
    }
}

macro_rules! text_serde {
    ($($name:ident),+) => {$(
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}
text_serde!(InvoiceId, AttemptId, Installation, IdempotencyKey);

fn bytes_of_hex(text: &str) -> Option<[u8; 16]> {
    if text.len() != 32 || !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    u128::from_str_radix(text, 16).ok().map(u128::to_be_bytes)
}

/// The book's own name: 128 bits, drawn once when the book is made; the house's one random value.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Installation(pub [u8; 16]);

impl fmt::Display for Installation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for Installation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Installation {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        bytes_of_hex(text).map(Self).ok_or_else(|| IdError {
            what: "installation",
            found: text.chars().take(80).collect(),
            wanted: "32 hexadecimal digits",
        })
    }
}

/// What is sent as `Idempotency-Key`: derived from installation, invoice and attempt number,
/// stored with the intent, and never made again for another body. Written `dues-` and 32 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(pub [u8; 16]);

impl IdempotencyKey {
    /// The key of this attempt in this book: the first 128 bits of a SHA-256 over both.
    pub fn derive(installation: Installation, attempt: &AttemptId) -> Self {
        let mut hash = Written(Sha256::new());
        hash.0.update(b"dues attempt key 1\n");
        hash.0.update(installation.0);
        // It takes any text.
        let _ = write!(hash, "{attempt}");
        let digest = hash.0.finalize();
        let mut key = [0; 16];
        key.copy_from_slice(&digest[..16]);
        Self(key)
    }
}

/// A digest of what is written to it.
struct Written(Sha256);

impl fmt::Write for Written {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.update(text);
        Ok(())
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "dues-{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for IdempotencyKey {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        text.strip_prefix("dues-").and_then(bytes_of_hex).map(Self).ok_or_else(|| IdError {
            what: "idempotency key",
            found: text.chars().take(80).collect(),
            wanted: "dues- and 32 hexadecimal digits",
        })
    }
}

/// A plan's version in the book: its row there, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PlanVersionId(pub i64);

/// Counts the processes that have held the charging lock of this book, from 1; tested by every money transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Epoch(pub i64);

/// Counts the writes of one row, from 2; a write names the version it expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Version(pub u32);

impl Version {
    /// A row's first version. Not 1: the book keeps a 1 in no byte at all, so that the second write would make the row
    /// longer than the page has room for.
    pub const FIRST: Self = Self(2);

    /// The version after the next write.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_what_they_write() {
        let id: AttemptId = "sub_7k2m9qx4.12.3".parse().unwrap();
        assert_eq!((id.invoice.index, id.number), (12, 3));
        assert_eq!(id.to_string(), "sub_7k2m9qx4.12.3");
        assert!("sub.0.0".parse::<AttemptId>().is_err());
        assert!(CustomerId::parse("card_test_1").is_err());
        assert!(SubscriptionId::parse("a.b").is_err());
    }

    #[test]
    fn a_key_belongs_to_one_book_and_one_attempt() {
        let (here, there) = (Installation([1; 16]), Installation([2; 16]));
        let first: AttemptId = "s.0.1".parse().unwrap();
        let second: AttemptId = "s.0.2".parse().unwrap();
        let key = IdempotencyKey::derive(here, &first);
        assert_eq!(key, IdempotencyKey::derive(here, &first));
        assert_ne!(key, IdempotencyKey::derive(here, &second));
        assert_ne!(key, IdempotencyKey::derive(there, &first));
        assert_eq!(key.to_string().parse::<IdempotencyKey>().unwrap(), key);
    }
}
