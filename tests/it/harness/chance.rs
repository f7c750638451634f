//! Repeatable chance: the same seed gives the same course.

/// A stream of numbers from a seed (splitmix64).
pub struct Chance(u64);

impl Chance {
    /// Follows from `seed` alone.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The seed in that environment variable, else one from the process id and the folder of the test, so that
    /// runs differ. Printed by who draws it.
    pub fn seed_from(variable: &str) -> u64 {
        std::env::var(variable)
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or_else(|| u64::from(std::process::id()).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16)
    }

    /// The next number.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 up to, not including, `end`.
    pub const fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}
