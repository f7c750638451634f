//! Ids and fingerprints of the provider's, packed into few bytes without loss.
//!
//! Promises: unpacking gives back exactly the text that was packed. What does not have the usual form stays text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
/// Letters and digits of an id after its prefix.
const TAIL: usize = 19;
/// Digits in the upper half of the packed number; `36^9 < 2^47`.
const UPPER: usize = 9;
/// Bits of the lower half; `36^10 < 2^52`.
const LOWER_BITS: u32 = 52;
/// Set in the upper half where the id says `test_`.
const TEST_BIT: u64 = 1 << 51;
/// Bytes of a packed id: 2 × 52 bits.
const BYTES: usize = 13;
/// Bytes of its text at most: a prefix of five, `test_`, the tail.
const LONGEST: usize = 5 + 5 + TAIL;

/// An id such as `cust_test_5xuy4w91xqz7d1w9u0t` on its way into the book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Packed<'a> {
    /// Of the usual form.
    Bytes([u8; BYTES]),
    /// Of any other.
    Text(&'a str),
}

impl<'a> Packed<'a> {
    /// Packs an id whose text begins with `prefix`, such as `cust_`.
    pub(super) fn id(prefix: &str, text: &'a str) -> Self {
        text.strip_prefix(prefix).and_then(bytes_of_tail).map_or(Self::Text(text), Self::Bytes)
    }
}

impl ToSql for Packed<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        })
    }
}

fn bytes_of_tail(rest: &str) -> Option<[u8; BYTES]> {
    let (mode, tail) = rest.strip_prefix("test_").map_or((0, rest), |tail| (TEST_BIT, tail));
    let tail: &[u8; TAIL] = tail.as_bytes().try_into().ok()?;
    let upper = number_of(&tail[..UPPER])? | mode;
    let lower = number_of(&tail[UPPER..])?;
    let all = (u128::from(upper) << LOWER_BITS) | u128::from(lower);
    let mut bytes = [0; BYTES];
    bytes.copy_from_slice(&all.to_be_bytes()[16 - BYTES..]);
    Some(bytes)
}

fn number_of(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0_u64, |number, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'z' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number * 36 + u64::from(value))
    })
}

/// The text of an id as it lies in the book.
pub(super) enum Unpacked<'a> {
    /// It was packed: the first so many of these bytes, all ASCII.
    Made([u8; LONGEST], usize),
    /// It lay there as text.
    Text(&'a str),
}

impl Unpacked<'_> {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Made(bytes, length) => std::str::from_utf8(&bytes[..*length]).unwrap_or_default(),
            Self::Text(text) => text,
        }
    }
}

/// The id that lies there; `None`: neither packed nor text.
pub(super) fn unpacked<'a>(prefix: &str, value: ValueRef<'a>) -> Option<Unpacked<'a>> {
    match value {
        ValueRef::Text(text) => std::str::from_utf8(text).ok().map(Unpacked::Text),
        ValueRef::Blob(bytes) => text_of_bytes(prefix, bytes),
        _ => None,
    }
}

fn text_of_bytes(prefix: &str, bytes: &[u8]) -> Option<Unpacked<'static>> {
    let bytes: &[u8; BYTES] = bytes.try_into().ok()?;
    let mut wide = [0; 16];
    wide[16 - BYTES..].copy_from_slice(bytes);
    let all = u128::from_be_bytes(wide);
    let upper = u64::try_from(all >> LOWER_BITS).ok()?;
    let lower = u64::try_from(all & ((1 << LOWER_BITS) - 1)).ok()?;
    let mode = if upper & TEST_BIT == 0 { "" } else { "test_" };
    let mut text = [0; LONGEST];
    let head = prefix.len() + mode.len();
    text.get_mut(..prefix.len())?.copy_from_slice(prefix.as_bytes());
    text.get_mut(prefix.len()..head)?.copy_from_slice(mode.as_bytes());
    write_digits(upper & (TEST_BIT - 1), text.get_mut(head..head + UPPER)?);
    write_digits(lower, text.get_mut(head + UPPER..head + TAIL)?);
    Some(Unpacked::Made(text, head + TAIL))
}

fn write_digits(mut number: u64, digits: &mut [u8]) {
    for digit in digits.iter_mut().rev() {
        *digit = usize::try_from(number % 36).ok().and_then(|at| DIGITS.get(at)).copied().unwrap_or(b'0');
        number /= 36;
    }
}

/// A card's fingerprint on its way into the book: base64 of 32 bytes, or any other text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint<'a>(pub(super) &'a str);

impl ToSql for Fingerprint<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        // The engine refuses what is not the one way to write those bytes.
        let exact = BASE64.decode(self.0).ok().filter(|bytes| bytes.len() == 32);
        Ok(exact.map_or_else(|| self.0.into(), Into::into))
    }
}

/// The same on its way back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UnpackedFingerprint(pub(super) String);

impl FromSql for UnpackedFingerprint {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value {
            ValueRef::Blob(bytes) => Ok(Self(BASE64.encode(bytes))),
            ValueRef::Text(_) => value.as_str().map(|text| Self(text.into())),
            _ => Err(FromSqlError::InvalidType),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn there_and_back(text: &str) -> (bool, String) {
        let packed = Packed::id("cust_", text);
        let back = match &packed {
            Packed::Bytes(bytes) => unpacked("cust_", ValueRef::Blob(bytes)),
            Packed::Text(text) => unpacked("cust_", ValueRef::Text(text.as_bytes())),
        };
        (matches!(packed, Packed::Bytes(_)), back.unwrap().as_str().to_owned())
    }

    #[test]
    fn usual_ids_pack_and_others_stay() {
        for (text, packs) in [
            ("cust_test_5xuy4w91xqz7d1w9u0t", true),
            ("cust_5xuy4w91xqz7d1w9u0t", true),
            ("cust_test_0000000000000000000", true),
            ("cust_zzzzzzzzzzzzzzzzzzz", true),
            ("cust_test_5XUY4w91xqz7d1w9u0t", false),
            ("cust_test_5", false),
            ("cust_test_5xuy4w91xqz7d1w9u0t0", false),
        ] {
            assert_eq!(there_and_back(text), (packs, text.to_owned()));
        }
    }

    proptest! {
        #[test]
        fn a_fingerprint_comes_back_as_it_was(text in "[A-Za-z0-9+/]{40,43}=?=?", bytes in any::<[u8; 32]>()) {
            for text in [text, BASE64.encode(bytes)] {
                let packed = Fingerprint(&text);
                let sql = packed.to_sql().unwrap();
                let value = match &sql {
                    ToSqlOutput::Borrowed(value) => *value,
                    ToSqlOutput::Owned(value) => value.into(),
                    _ => unreachable!("neither bytes nor text"),
                };
                prop_assert_eq!(UnpackedFingerprint::column_result(value).unwrap().0, text);
            }
        }

        #[test]
        fn nothing_is_lost(text in "cust_(test_)?[0-9a-zA-Z_-]{1,24}", usual in "cust_(test_)?[0-9a-z]{19}") {
            prop_assert_eq!(there_and_back(&text).1, text);
            prop_assert_eq!(there_and_back(&usual), (true, usual));
        }

        #[test]
        fn order_is_kept_and_no_two_ids_meet(a in "[0-9a-z]{19}", b in "[0-9a-z]{19}") {
            let (x, y) = (format!("cust_{a}"), format!("cust_{b}"));
            let (Packed::Bytes(p), Packed::Bytes(q)) = (Packed::id("cust_", &x), Packed::id("cust_", &y)) else {
                panic!("both have the usual form");
            };
            prop_assert_eq!(a.cmp(&b), p.cmp(&q));
        }
    }
}
