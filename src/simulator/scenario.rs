//! Why charges fail, how often, and what the bank says of it: two published mixes of declines as priors, which disagree
//! by a factor of two to five. Neither was measured at this provider.
//!
//! Promises: figures alone, each a share of 10,000. Must never know how a class behaves after the first decline.

use super::chance::{Chance, Draw, WHOLE};
use crate::sandbox::Ruling;

/// One of the two mixes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scenario {
    /// Low funds, expired cards and technical faults prevail.
    #[default]
    A,
    /// Blocks, refusals for good, and banks that want the customer prevail.
    B,
}

/// Of first tries, in both scenarios; published figures reach from 5 to 25 %.
pub const FIRST_TRIES_DECLINED: u64 = 1_000;

/// The hidden reason of a decline, which the bank's word only hints at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The balance is low until money comes in.
    Funds,
    /// The issuer blocks it for now.
    Block,
    /// The issuer, or the way to it, is down.
    Outage,
    /// A limit of the day or the month.
    Limit,
    /// The card was reissued; the issuer may take the old number.
    Reissued,
    /// Expired or closed, and nothing in its place.
    Gone,
    /// Stopped by the holder, stolen, or refused for ever.
    Never,
    /// The bank wants the customer.
    Customer,
}

use Class::{Block, Customer, Funds, Gone, Limit, Never, Outage, Reissued};

/// Shares of all declines.
const A: [(Class, u64); 8] = [
    (Funds, 4_000),
    (Block, 1_400),
    (Outage, 1_000),
    (Limit, 400),
    (Reissued, 1_400),
    (Gone, 800),
    (Never, 600),
    (Customer, 400),
];
const B: [(Class, u64); 8] = [
    (Funds, 3_000),
    (Block, 2_000),
    (Outage, 500),
    (Limit, 400),
    (Reissued, 800),
    (Gone, 800),
    (Never, 1_500),
    (Customer, 1_000),
];

const REFUSED_WITH: &str = "Do not retry this transaction with the same card";
const CUSTOMER_WANTED: &str = "Additional customer authentication required";

const fn word(code: &'static str) -> Ruling {
    Ruling::Declines { code, advice: None, advice_code: None }
}

const fn advised(code: &'static str, advice: &'static str, advice_code: Option<&'static str>) -> Ruling {
    Ruling::Declines { code, advice: Some(advice), advice_code }
}

impl Scenario {
    /// The reason of somebody's decline, the `which`th of his.
    pub fn class(self, chance: Chance, whose: usize, which: u64) -> Class {
        let mut left = chance.number(Draw::Class, whose, which) % WHOLE;
        let mix = match self {
            Self::A => A,
            Self::B => B,
        };
        for (class, share) in mix {
            if left < share {
                return class;
            }
            left -= share;
        }
        Funds
    }
}

impl Class {
    /// What the bank says of it, in the provider's words. The same word may stand for several reasons.
    pub fn ruling(self, chance: Chance, whose: usize, which: u64) -> Ruling {
        let words: &[(u64, Ruling)] = match self {
            Funds => &[(7_500, word("insufficient_fund")), (2_500, word("payment_rejected"))],
            Block => &[(10_000, word("payment_rejected"))],
            Outage => &[(7_000, word("failed_processing")), (3_000, word("timeout"))],
            Limit => &[(10_000, word("insufficient_fund"))],
            Reissued => &[
                (7_000, word("expired_card")),
                (1_500, word("invalid_account_number")),
                (1_500, word("payment_rejected")),
            ],
            Gone => &[
                (4_000, word("expired_card")),
                (4_000, word("invalid_account_number")),
                (2_000, word("stolen_or_lost_card")),
            ],
            Never => &[
                (5_000, word("stolen_or_lost_card")),
                (5_000, advised("payment_rejected", REFUSED_WITH, Some("03"))),
            ],
            Customer => &[
                (5_000, word("payment_cancelled")),
                (5_000, advised("payment_rejected", CUSTOMER_WANTED, None)),
            ],
        };
        let mut left = chance.number(Draw::Word, whose, which) % WHOLE;
        for (share, ruling) in words {
            if left < *share {
                return ruling.clone();
            }
            left -= share;
        }
        word("payment_rejected")
    }

    /// Hazards that the customer enters another card after each mail that asks for one, by day of the mail.
    pub const fn answers(self) -> &'static [(i64, u64)] {
        match self {
            // Who stopped the payment does not help it along.
            Never => &[],
            Customer => &[(0, 2_600), (2, 700), (5, 400), (10, 200), (18, 100), (25, 100)],
            _ => &[(0, 1_300), (2, 500), (5, 400), (10, 300), (18, 300), (25, 300)],
        }
    }
}

/// Whether the network forbids another try with the same card after this.
pub fn forbids(ruling: &Ruling) -> bool {
    match ruling {
        Ruling::Pays => false,
        Ruling::Declines { code, advice_code, .. } => {
            matches!(*code, "stolen_or_lost_card" | "invalid_account_number")
                || matches!(advice_code, Some("03" | "21"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_make_a_whole() {
        for mix in [A, B] {
            assert_eq!(mix.iter().map(|(_, share)| share).sum::<u64>(), WHOLE);
        }
    }

    #[test]
    fn what_must_never_be_retried_is_told_from_what_may() {
        assert!(forbids(&advised("payment_rejected", REFUSED_WITH, Some("03"))));
        assert!(forbids(&word("stolen_or_lost_card")) && !forbids(&word("insufficient_fund")));
        assert!(!forbids(&Ruling::Pays));
    }
}
