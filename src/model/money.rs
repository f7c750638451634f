//! Money as exact minor units of a currency that Omise charges. No floats, no negative amounts.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{counted, words};

words! {
    /// A currency that Omise can charge, with its number of decimals as Omise counts them.
    Currency {
        /// Australian dollar.
        Aud = "AUD",
        /// Canadian dollar.
        Cad = "CAD",
        /// Swiss franc.
        Chf = "CHF",
        /// Renminbi.
        Cny = "CNY",
        /// Danish krone.
        Dkk = "DKK",
        /// Euro.
        Eur = "EUR",
        /// Pound sterling.
        Gbp = "GBP",
        /// Hong Kong dollar.
        Hkd = "HKD",
        /// Indonesian rupiah: Omise counts it in hundredths.
        Idr = "IDR",
        /// Japanese yen: the only currency here without decimals.
        Jpy = "JPY",
        /// Malaysian ringgit.
        Myr = "MYR",
        /// Singapore dollar.
        Sgd = "SGD",
        /// Thai baht.
        Thb = "THB",
        /// US dollar.
        Usd = "USD",
    }
}

impl Currency {
    /// Decimals between the main unit and the smallest: 0 for JPY, 2 for all others.
    pub const fn decimals(self) -> u32 {
        match self {
            Self::Jpy => 0,
            _ => 2,
        }
    }

    /// The currency of an ISO 4217 code in either case, as the API may write it.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::from_word(&code.to_ascii_uppercase())
    }
}

impl FromStr for Currency {
    type Err = MoneyError;

    fn from_str(code: &str) -> Result<Self, MoneyError> {
        Self::from_code(code).ok_or_else(|| MoneyError::UnknownCurrency(code.into()))
    }
}

/// What is wrong with an amount.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MoneyError {
    /// Not `NUMBER CODE`.
    #[error("found {0:?}, wanted an amount and a currency, such as \"990.00 THB\" or \"1500 JPY\"")]
    Shape(String),
    /// A code that Omise does not charge.
    #[error(
        "found currency {0:?}, wanted one that Omise charges: AUD CAD CHF CNY DKK EUR GBP HKD IDR JPY MYR SGD THB USD"
    )]
    UnknownCurrency(String),
    /// More or fewer decimals than the currency has.
    #[error(
        "found {} in {text:?}, wanted {wanted} for {currency} (or none)", counted(*found as u64, "decimal")
    )]
    Decimals {
        /// The whole text.
        text: String,
        /// Decimals found.
        found: usize,
        /// Decimals that the currency has.
        wanted: u32,
        /// The currency.
        currency: Currency,
    },
    /// Below zero.
    #[error("found {0} minor units, wanted zero or more")]
    Negative(i64),
    /// Larger than this house can count exactly.
    #[error("the amount is too large to count exactly")]
    Overflow,
    /// Two currencies in one sum.
    #[error("cannot add {0} to {1}: different currencies")]
    Mixed(Currency, Currency),
}

/// An exact amount, zero or more, in minor units (satang, cents, yen) of its currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

impl Money {
    /// `minor` units of `currency`; refused below zero.
    pub const fn new(minor: i64, currency: Currency) -> Result<Self, MoneyError> {
        if minor < 0 { Err(MoneyError::Negative(minor)) } else { Ok(Self { minor, currency }) }
    }

    /// Nothing, in `currency`.
    pub const fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// Minor units, zero or more.
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// Its currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// Whether it is nothing at all.
    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// The sum; refused for two currencies and on overflow.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::Mixed(other.currency, self.currency));
        }
        let minor = self.minor.checked_add(other.minor).ok_or(MoneyError::Overflow)?;
        Self::new(minor, self.currency)
    }

    /// `quantity` times this; refused on overflow.
    pub fn checked_mul(self, quantity: Quantity) -> Result<Self, MoneyError> {
        let minor = self.minor.checked_mul(i64::from(quantity.get())).ok_or(MoneyError::Overflow)?;
        Self::new(minor, self.currency)
    }

    /// The number alone, in main units with the currency's decimals: `990.00`, `1500`.
    pub fn number(self) -> String {
        match self.currency.decimals() {
            0 => self.minor.to_string(),
            decimals => {
                let unit = 10_i64.pow(decimals);
                format!("{}.{:0width$}", self.minor / unit, self.minor % unit, width = decimals as usize)
            }
        }
    }

    /// Reads a bare number of main units, such as `990.00`, as an amount of `currency`.
    pub fn parse_number(number: &str, currency: Currency) -> Result<Self, MoneyError> {
        let shape = || MoneyError::Shape(format!("{number} {currency}"));
        let (whole, fraction) = match number.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return Err(shape()),
            None => (number, ""),
        };
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) {
            return Err(shape());
        }
        let wanted = currency.decimals();
        if !fraction.is_empty() && fraction.len() != wanted as usize {
            return Err(MoneyError::Decimals {
                text: format!("{number} {currency}"),
                found: fraction.len(),
                wanted,
                currency,
            });
        }
        let whole: i64 = whole.parse().map_err(|_| MoneyError::Overflow)?;
        let fraction: i64 = if fraction.is_empty() { 0 } else { fraction.parse().map_err(|_| shape())? };
        let minor = whole
            .checked_mul(10_i64.pow(wanted))
            .and_then(|m| m.checked_add(fraction))
            .ok_or(MoneyError::Overflow)?;
        Self::new(minor, currency)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{} {}", self.number(), self.currency))
    }
}

impl FromStr for Money {
    type Err = MoneyError;

    /// Reads `"990.00 THB"`: one number, one space, one code. Decimals are all there or absent.
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let (number, code) = text.split_once(' ').ok_or_else(|| MoneyError::Shape(text.into()))?;
        Self::parse_number(number, code.parse()?)
    }
}

/// Written as the config writes it: one string, `"990.00 THB"`, so that no factor of 100 can slip in.
impl Serialize for Money {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// How many units of a plan one subscription has: 1 to 1,000,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Quantity(u32);

impl Quantity {
    /// One.
    pub const ONE: Self = Self(1);
    /// The largest that is accepted; more is taken for a typing error.
    pub const MAX: u32 = 1_000_000;

    /// `units`, if it is 1 to 1,000,000.
    pub fn new(units: u32) -> Result<Self, String> {
        if (1..=Self::MAX).contains(&units) {
            Ok(Self(units))
        } else {
            Err(format!("found quantity {units}, wanted 1 to {}", Self::MAX))
        }
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for Quantity {
    type Error = String;
    fn try_from(units: u32) -> Result<Self, String> {
        Self::new(units)
    }
}

impl From<Quantity> for u32 {
    fn from(q: Quantity) -> Self {
        q.0
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Quantity {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        text.parse()
            .map_err(|_| format!("found quantity {text:?}, wanted a whole number from 1 to {}", Self::MAX))
            .and_then(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_and_write_exactly() {
        for (text, minor) in
            [("990.00 THB", 99_000), ("990 THB", 99_000), ("0.05 USD", 5), ("1500 JPY", 1500)]
        {
            assert_eq!(text.parse::<Money>().unwrap().minor(), minor, "{text}");
        }
        assert_eq!(Money::new(99_905, Currency::Thb).unwrap().to_string(), "999.05 THB");
        assert_eq!(Money::new(1500, Currency::Jpy).unwrap().to_string(), "1500 JPY");
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "990.0 THB",
            "990.000 THB",
            "1500.00 JPY",
            "-1 THB",
            "1,000 THB",
            "990",
            "THB",
            "1e3 THB",
            ". THB",
            "5. THB",
        ] {
            assert!(text.parse::<Money>().is_err(), "{text}");
        }
        assert!("1 XAU".parse::<Money>().unwrap_err().to_string().contains("XAU"));
        assert_eq!("92233720368547758.08 THB".parse::<Money>(), Err(MoneyError::Overflow));
    }
}
