//! Currencies of the pretend account, its limits and its fees.
//!
//! Promises: whole numbers of the smallest unit only, and the fee formula that reproduces every recorded
//! charge. Must never know a charge.

use serde::{Deserialize, Serialize};

use super::error::ApiError;

/// Code, and the value of one smallest unit in satang as a fraction. The rates are made up and fixed, so
/// that a run can be repeated.
const TABLE: [(&str, i64, i64); 13] = [
    ("THB", 1, 1),
    ("AUD", 23, 1),
    ("CAD", 25, 1),
    ("CHF", 40, 1),
    ("CNY", 5, 1),
    ("DKK", 5, 1),
    ("EUR", 38, 1),
    ("GBP", 45, 1),
    ("HKD", 9, 2),
    ("JPY", 23, 1),
    ("MYR", 8, 1),
    ("SGD", 27, 1),
    ("USD", 35, 1),
];

/// One of the account's currencies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Currency(u8);

impl Currency {
    /// The account's own currency.
    pub const ACCOUNT: Currency = Currency(0);

    /// Reads a code in either case.
    pub fn read(code: &str) -> Option<Self> {
        let spot = TABLE.iter().position(|(name, ..)| name.eq_ignore_ascii_case(code))?;
        u8::try_from(spot).ok().map(Self)
    }

    /// The code in capitals.
    pub fn code(self) -> &'static str {
        TABLE[usize::from(self.0)].0
    }

    /// `amount` of this currency in the account's currency, rounded down.
    pub fn in_account_currency(self, amount: i64) -> i64 {
        let (_, times, over) = TABLE[usize::from(self.0)];
        amount.saturating_mul(times) / over
    }

    /// Every code the account takes, its own first.
    pub fn codes() -> impl Iterator<Item = &'static str> {
        TABLE.iter().map(|(code, ..)| *code)
    }

    /// How much one main unit of this currency is in main units of another, in thousandths.
    pub fn rate_in_thousandths(self, other: Currency) -> i64 {
        let value = |currency: Currency| {
            let (code, times, over) = TABLE[usize::from(currency.0)];
            let units = if code == "JPY" { 1 } else { 100 };
            (times * units, over)
        };
        let ((mine, my_over), (theirs, their_over)) = (value(self), value(other));
        mine * their_over * 1000 / (theirs * my_over)
    }
}

/// The smallest and largest charge, in the account's smallest unit, as `/capability` shows them.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Limits {
    pub minimum: i64,
    pub maximum: i64,
}

impl Default for Limits {
    fn default() -> Self {
        // What the documentation gives for accounts in Thailand.
        Self { minimum: 2_000, maximum: 15_000_000 }
    }
}

impl Limits {
    /// Refuses an amount outside the limits, with the recorded code.
    pub fn check(self, amount: i64, currency: Currency) -> Result<(), ApiError> {
        let value = currency.in_account_currency(amount);
        let unit = Currency::ACCOUNT.code().to_lowercase();
        if value < self.minimum {
            let message = format!("amount must be at least {} {unit} subunits", self.minimum);
            return Err(ApiError::bad("invalid_charge", message));
        }
        if value > self.maximum {
            let message = format!("amount must be less than {} {unit} subunits", self.maximum);
            return Err(ApiError::bad("invalid_charge", message));
        }
        Ok(())
    }
}

/// What the pretend Omise keeps of a charge: (fee, tax on the fee), in the smallest unit.
pub fn fees(amount: i64) -> (i64, i64) {
    let fee = (amount.saturating_mul(365) + 5_000) / 10_000;
    (fee, (fee.saturating_mul(7) + 50) / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fees_reproduce_the_recorded_charges() {
        let recorded = [
            (100_000, 3650, 256, 96094),
            (31000, 1132, 79, 29789),
            (80245, 2929, 205, 77111),
            (12345, 451, 32, 11862),
        ];
        for (amount, fee, vat, net) in recorded {
            assert_eq!(fees(amount), (fee, vat));
            assert_eq!(amount - fee - vat, net);
        }
    }

    #[test]
    fn limits_apply_to_the_converted_amount() {
        let limits = Limits::default();
        let yen = Currency::read("jpy").expect("known");
        assert!(limits.check(86, yen).is_err());
        assert!(limits.check(87, yen).is_ok());
        let refused = limits.check(1999, Currency::ACCOUNT).expect_err("too little");
        assert_eq!(refused.code, "invalid_charge");
        assert!(refused.message.contains("2000 thb subunits"));
        assert!(Currency::read("XXX").is_none());
    }
}
