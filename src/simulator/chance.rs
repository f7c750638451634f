//! Chance that follows from a seed: the same question is answered the same way, whoever asks it and however often.
//!
//! Promises: no state, so that two policies meet the same customers, balances and paydays. Must never know what is
//! drawn for.

/// Thousandths of a percent would be finer than any figure we have; shares are given in so many of 10,000.
pub const WHOLE: u64 = 10_000;

/// What is drawn, so that two draws of one customer on one day differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Draw {
    Payday,
    FirstTry,
    Class,
    Word,
    Balance,
    Block,
    Outage,
    Midnight,
    Updater,
    Answer,
    Hour,
}

/// A source of draws.
#[derive(Clone, Copy, Debug)]
pub struct Chance(pub u64);

impl Chance {
    /// A number that depends on nothing but the seed, what is drawn, whose it is, and which of his.
    pub fn number(self, what: Draw, whose: usize, which: u64) -> u64 {
        let mut mixed = mix(self.0 ^ mix(what as u64 + 1));
        mixed = mix(mixed ^ whose as u64);
        mix(mixed ^ which)
    }

    /// Whether something happens that happens in `share` of [`WHOLE`] cases.
    pub fn happens(self, what: Draw, whose: usize, which: u64, share: u64) -> bool {
        self.number(what, whose, which) % WHOLE < share
    }
}

/// Spreads a number over all 64 bits.
const fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_kept_and_draws_differ() {
        let chance = Chance(7);
        let hits = (0..100_000).filter(|n| chance.happens(Draw::Class, 3, *n, 2_500)).count();
        assert!((24_000..26_000).contains(&hits), "{hits}");
        assert_ne!(chance.number(Draw::Class, 1, 1), chance.number(Draw::Word, 1, 1));
        assert_eq!(chance.number(Draw::Class, 1, 1), Chance(7).number(Draw::Class, 1, 1));
    }
}
