//! Attempts that the provider's list has shown, by where they lie in the book: a byte for each invoice, so that a month's
//! end of a million charges takes a megabyte.
//!
//! Promises: forgets none, and takes none for another. Must never know: what an attempt is.

use std::collections::{BTreeMap, HashSet};

/// Bits of an attempt's row that number it within its invoice.
const NUMBER_BITS: u32 = 16;
/// Attempts of one invoice that have a bit; the few that come after them are kept as they are.
const WITH_A_BIT: i64 = 8;
/// Bits kept together.
const BLOCK_BITS: i64 = 4_096;

/// A set of rows of attempts.
#[derive(Debug, Default)]
pub(super) struct Met {
    blocks: BTreeMap<i64, Box<[u64; 64]>>,
    others: HashSet<i64>,
}

/// Where the bit of a row is: its block, its word, and the word with that bit alone; `None`: it has none.
fn bit(row: i64) -> Option<(i64, usize, u64)> {
    let number = row & ((1 << NUMBER_BITS) - 1);
    let place = (number < WITH_A_BIT).then(|| (row >> NUMBER_BITS) * WITH_A_BIT + number)?;
    let within = usize::try_from(place.rem_euclid(BLOCK_BITS)).ok()?;
    Some((place.div_euclid(BLOCK_BITS), within / 64, 1 << (within % 64)))
}

impl Met {
    pub(super) fn insert(&mut self, row: i64) {
        match bit(row) {
            Some((block, word, mask)) => {
                self.blocks.entry(block).or_insert_with(|| Box::new([0; 64]))[word] |= mask;
            }
            None => drop(self.others.insert(row)),
        }
    }

    pub(super) fn contains(&self, row: i64) -> bool {
        match bit(row) {
            Some((block, word, mask)) => self.blocks.get(&block).is_some_and(|bits| bits[word] & mask != 0),
            None => self.others.contains(&row),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_set(
            put in prop::collection::hash_set((1_i64..2_000, 1_i64..12), 0..200),
            asked in prop::collection::vec((1_i64..2_000, 1_i64..12), 0..200),
        ) {
            let mut met = Met::default();
            for (invoice, number) in &put {
                met.insert(invoice << NUMBER_BITS | number);
            }
            for one in asked.iter().chain(&put) {
                prop_assert_eq!(met.contains(one.0 << NUMBER_BITS | one.1), put.contains(one), "{:?}", one);
            }
        }
    }

    #[test]
    fn a_million_invoices_take_about_a_megabyte() {
        let mut met = Met::default();
        for invoice in 5_000_000..6_000_000_i64 {
            met.insert(invoice << NUMBER_BITS | 1);
        }
        let bytes = met.blocks.len() * 512;
        assert!(bytes < 1_050_000 && met.others.is_empty(), "{bytes}");
    }
}
