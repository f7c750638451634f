//! Names of things: `<prefix>_test_<19 base-36 characters>`, rising with time.
//!
//! An id carries the instant of its making, its place on its shelf and a check part, so that finding the
//! record needs no index at all. Promises: two ids of one kind differ, later ones sort later, and a seed
//! gives the same ids every time. Must never know what the things are.

use serde::{Deserialize, Serialize};

const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
/// Milliseconds since 1970 fit eight base-36 digits until the year 2059.
const TIME_DIGITS: usize = 8;
/// Two thousand million records of a kind are more than memory holds.
const PLACE_DIGITS: usize = 6;
const CHECK_DIGITS: usize = 5;
const LENGTH: usize = TIME_DIGITS + PLACE_DIGITS + CHECK_DIGITS;

/// When a record was made, in milliseconds since 1970, and its place on its shelf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Id {
    pub ms: u64,
    pub place: u32,
}

impl Id {
    /// Whole seconds since 1970: what `created_at` shows.
    pub fn seconds(self) -> i64 {
        i64::try_from(self.ms / 1000).unwrap_or(i64::MAX)
    }
}

/// Spreads a number over all 64 bits, always the same way.
pub fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Appends `value` in base 36, exactly `width` digits, the lowest ones if it does not fit.
pub fn base36(out: &mut String, mut value: u64, width: usize) {
    let mut digits = [b'0'; 20];
    for slot in digits.iter_mut().take(width).rev() {
        *slot = DIGITS[usize::try_from(value % 36).unwrap_or(0)];
        value /= 36;
    }
    out.extend(digits[..width].iter().map(|digit| char::from(*digit)));
}

/// The id as clients see it.
pub fn spell(prefix: &str, seed: u64, id: Id) -> String {
    let mut text = String::with_capacity(prefix.len() + 6 + LENGTH);
    text.push_str(prefix);
    text.push_str("_test_");
    base36(&mut text, id.ms, TIME_DIGITS);
    base36(&mut text, u64::from(id.place), PLACE_DIGITS);
    let kind = prefix.bytes().fold(seed, |sum, byte| mix(sum ^ u64::from(byte)));
    base36(&mut text, mix(kind ^ mix(id.ms) ^ u64::from(id.place)), CHECK_DIGITS);
    text
}

/// The place an id of this kind claims. The caller compares the whole id with the record found there.
pub fn place(prefix: &str, text: &str) -> Option<u32> {
    let tail = text.strip_prefix(prefix)?.strip_prefix("_test_")?;
    if tail.len() != LENGTH || !tail.is_ascii() {
        return None;
    }
    u32::from_str_radix(&tail[TIME_DIGITS..TIME_DIGITS + PLACE_DIGITS], 36).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_the_recorded_form_and_leads_back_to_its_place() {
        let id = Id { ms: 1_794_000_000_123, place: 41 };
        let text = spell("chrg", 7, id);
        let tail = text.strip_prefix("chrg_test_").expect("prefix");
        assert_eq!(tail.len(), 19);
        assert!(tail.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()));
        assert_eq!(place("chrg", &text), Some(41));
        assert_eq!(place("cust", &text), None);
    }

    #[test]
    fn ids_rise_with_time_and_differ_by_seed() {
        let early = spell("chrg", 7, Id { ms: 1_794_000_000_123, place: 9 });
        let late = spell("chrg", 7, Id { ms: 1_794_000_000_124, place: 3 });
        assert!(early < late);
        assert_ne!(early, spell("chrg", 8, Id { ms: 1_794_000_000_123, place: 9 }));
    }
}
