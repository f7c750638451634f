//! How much is measured: about five minutes in full, about one quickly.

use std::time::Duration;

/// The sizes of all measurements.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// Turns of each kind.
    pub turns: usize,
    /// Charges in a turn.
    pub charges: usize,
    /// For so long the provider's delay is felt.
    pub waiting: Duration,
    /// The provider's limit: so many requests …
    pub limit: usize,
    /// … in any stretch so long. The full measure has the real one, a thousand a minute.
    pub window: Duration,
    /// `requests_per_second` for a config that knows that limit: just below it.
    pub within: &'static str,
    /// Charges within the limit when the config knows it.
    pub limited: usize,
    /// Charges against the limit when the config does not.
    pub surprised: usize,
    /// Due in the large run; the small one has [`Scale::FEW`].
    pub many: usize,
    /// Rows that its book has at least before idle runs are measured: further months are charged until then.
    pub rows: u64,
    /// Starts and idle ticks measured of each kind.
    pub looks: usize,
}

impl Scale {
    /// Due in the small run.
    pub const FEW: usize = 10_000;
    /// Subscriptions in the small book.
    pub const SMALL: usize = 1_000;
    /// Subscriptions in the book of about a thousand rows.
    pub const TINY: usize = 120;
    /// Subscriptions whose year is weighed: enough that what a book without any takes is nothing beside them.
    pub const WEIGHED: usize = 20_000;

    /// What the aims are about.
    pub const FULL: Self = Self {
        turns: 5,
        charges: 60_000,
        waiting: Duration::from_mins(1),
        limit: 1_000,
        window: Duration::from_mins(1),
        within: "16.6",
        limited: 1_200,
        surprised: 1_300,
        many: 1_000_000,
        rows: 10_000_000,
        looks: 15,
    };

    /// The same shapes, smaller: a first look.
    pub const QUICK: Self = Self {
        turns: 3,
        charges: 15_000,
        waiting: Duration::from_secs(30),
        limit: 500,
        window: Duration::from_secs(30),
        within: "16.5",
        limited: 450,
        surprised: 600,
        many: 50_000,
        rows: 500_000,
        looks: 7,
    };
}
