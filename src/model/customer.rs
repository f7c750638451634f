//! What was last read of a customer at the provider: their cards, and which one is the default.

use std::fmt;

use jiff::civil::date;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{CardId, CustomerId, Money, Version, words};

words! {
    /// What is known of a customer.
    CustomerState {
        /// Never read yet.
        Unread = "unread",
        /// The provider has them.
        Present = "present",
        /// The provider had or has no such customer: deleted, or never there.
        Gone = "gone",
    }
}

/// What was last read of a customer, and what was last taken from them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerSnapshot {
    /// At Omise.
    pub id: CustomerId,
    /// What is known.
    pub state: CustomerState,
    /// Charged when an attempt names no card; `None`: the customer has none.
    pub default_card: Option<CardId>,
    /// All saved cards, as they were read. The default is among them, unless the provider says so itself, or an older
    /// version of this program took its first page of cards for all of them.
    pub cards: Vec<CardSnapshot>,
    /// On the billing clock; `None`: never.
    pub read_at: Option<Timestamp>,
    /// The last automatic catch-up charge, on the billing clock; `None`: never.
    pub caught_up_at: Option<Timestamp>,
    /// The day of the sums in `spent`, in the book's zone; kept only under a brake per customer and day.
    pub spent_on: Option<jiff::civil::Date>,
    /// Sent that day, one sum a currency; empty without such a brake.
    pub spent: Vec<Money>,
    /// Of the row.
    pub version: Version,
}

impl CustomerSnapshot {
    /// A customer of whom only the id is known.
    pub const fn unread(id: CustomerId) -> Self {
        Self {
            id,
            state: CustomerState::Unread,
            default_card: None,
            cards: Vec::new(),
            read_at: None,
            caught_up_at: None,
            spent_on: None,
            spent: Vec::new(),
            version: Version::FIRST,
        }
    }

    /// The card of that id among those read.
    pub fn card(&self, id: &CardId) -> Option<&CardSnapshot> {
        self.cards.iter().find(|card| card.id == *id)
    }
}

/// What was last read of one card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardSnapshot {
    /// At Omise.
    pub id: CardId,
    /// `Visa`, `MasterCard`, `JCB`…; empty when the provider gives none.
    pub brand: String,
    /// The last four digits; empty when the provider gives none.
    pub last_digits: String,
    /// Through the end of which month it works.
    pub expiration: Expiration,
    /// The same for the same card number; `None` when the provider gives none.
    pub fingerprint: Option<String>,
}

/// A customer was told that a card ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardWarning {
    /// Which card.
    pub card: CardId,
    /// The month that it then had: one with another month is told of anew.
    pub month: Expiration,
    /// How long before its end; zero: because it misses a renewal.
    pub ahead: SignedDuration,
}

/// Not a month of a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("found expiration {month}/{year}, wanted a month from 1 to 12 and a year from 1970 to 9998")]
pub struct ExpirationError {
    /// Found.
    pub month: i64,
    /// Found.
    pub year: i64,
}

/// The month through whose last instant a card is valid, on the latest clock on earth (UTC−12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Expiration {
    year: i16,
    month: i8,
}

impl Expiration {
    /// That month, if it is one.
    pub fn new(month: i64, year: i64) -> Result<Self, ExpirationError> {
        let wrong = ExpirationError { month, year };
        if !(1..=12).contains(&month) || !(1970..=9998).contains(&year) {
            return Err(wrong);
        }
        Ok(Self {
            year: i16::try_from(year).map_err(|_| wrong)?,
            month: i8::try_from(month).map_err(|_| wrong)?,
        })
    }

    /// 1 to 12.
    pub const fn month(self) -> i8 {
        self.month
    }

    /// Four digits.
    pub const fn year(self) -> i16 {
        self.year
    }

    /// The month after it; the last month of all is followed by itself.
    #[must_use]
    pub fn next(self) -> Self {
        let (month, year) = if self.month == 12 { (1, self.year + 1) } else { (self.month + 1, self.year) };
        Self::new(month.into(), year.into()).unwrap_or(self)
    }

    /// The last month whose cards have all ended at `at`: a card has expired if its month is not later.
    pub fn last_past(at: Timestamp) -> Option<Self> {
        let there = TimeZone::fixed(Offset::constant(-12)).to_datetime(at).date();
        let before = there.first_of_month().yesterday().ok()?;
        Self::new(before.month().into(), before.year().into()).ok()
    }

    /// The first instant at which the card no longer works: the next month's first, in UTC−12.
    pub fn ends_at(self) -> Timestamp {
        date(self.year, self.month, 1)
            .checked_add(1.month())
            .and_then(|next| next.at(0, 0, 0, 0).to_zoned(TimeZone::fixed(Offset::constant(-12))))
            .map_or(Timestamp::MAX, |z| z.timestamp())
    }

    /// Whether the card has expired at `now`.
    pub fn is_past(self, now: Timestamp) -> bool {
        now >= self.ends_at()
    }
}

impl fmt::Display for Expiration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:02}/{}", self.month, self.year))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_works_through_its_month_everywhere_on_earth() {
        let expiration = Expiration::new(12, 2026).unwrap();
        assert!(!expiration.is_past("2027-01-01T11:59:59Z".parse().unwrap()));
        assert!(expiration.is_past("2027-01-01T12:00:00Z".parse().unwrap()));
        for at in
            ["2026-12-31T00:00:00Z", "2027-01-01T11:59:59Z", "2027-01-01T12:00:00Z", "2027-02-01T12:00:00Z"]
        {
            let at = at.parse().unwrap();
            let past = |month: Expiration| Some(month) <= Expiration::last_past(at);
            for month in [11, 12].map(|month| Expiration::new(month, 2026).unwrap()) {
                assert_eq!(past(month), month.is_past(at), "{month} at {at}");
            }
        }
        assert!(Expiration::new(13, 2026).is_err());
        assert!(Expiration::new(1, 26).is_err());
    }
}
