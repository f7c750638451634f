//! Readings of customers: most show what the book has already, and then only the instant is written.

use rusqlite::{CachedStatement, OptionalExtension as _};

use super::super::{CustomerReading, Observed};
use super::book::Book;
use super::codes::Coded as _;
use super::columns::{Reader, seconds, signed};
use super::customers::{CARD, CUSTOMER, CUSTOMER_FROM, looks_like};
use super::fault::Outcome;
use super::hot::Hot;
use super::pack::Packed;
use crate::model::{CustomerId, CustomerSnapshot, CustomerState};

/// How a reading compares with what the book has of its customer.
enum Compared {
    /// Not in the book, or erased.
    Unknown,
    /// The same, at this row.
    Same(i64),
    /// Not the same, or never present before.
    Other { row: i64, was_present: bool },
}

impl Book {
    /// As `Store::observe_customers`, inside a transaction.
    pub(super) fn observe_customers(&self, readings: &[CustomerReading]) -> Outcome<Observed> {
        let sql = format!(
            "SELECT u.row, u.erased_at IS NOT NULL, u.state, u.default_card, x.row & 65535, x.place, {CARD} \
             FROM customers u LEFT JOIN cards x \
             ON x.row BETWEEN u.row << 16 AND (u.row << 16) | 65535 AND x.place IS NOT NULL WHERE u.id = ?1"
        );
        let mut compare = self.sql(&sql)?;
        let mut touch =
            self.sql("UPDATE customers SET read_at = ?2, version = version + 1 WHERE row = ?1")?;
        let hot = Hot::new(&self.conn);
        let mut observed = Observed::default();
        for reading in readings {
            match compare_with(&mut compare, reading)? {
                Compared::Unknown => continue,
                Compared::Same(row) => {
                    touch.execute([row, seconds(reading.read_at)])?;
                }
                Compared::Other { row, was_present } => {
                    let before = if was_present { self.customer(&reading.id)? } else { None };
                    self.write_reading(&hot, row, reading)?;
                    observed.changed.extend(before);
                }
            }
            observed.known += 1;
        }
        Ok(observed)
    }

    pub(super) fn customer(&self, id: &CustomerId) -> Outcome<Option<CustomerSnapshot>> {
        let mut find = self.sql(&format!("SELECT {CUSTOMER} FROM {CUSTOMER_FROM} WHERE u.row = ?1"))?;
        let Some(row) = self.find_customer(id)? else { return Ok(None) };
        find.query_row([row], |row| Ok(self.customer_of(row))).optional()?.transpose()
    }
}

/// Compares a reading with the rows of its customer, one for each card.
fn compare_with(compare: &mut CachedStatement<'_>, reading: &CustomerReading) -> Outcome<Compared> {
    let mut rows = compare.query([Packed::id("cust_", reading.id.as_str())])?;
    let Some(first) = rows.next()? else { return Ok(Compared::Unknown) };
    let r = Reader::new("customers", first)?;
    let row = r.key;
    if r.get::<bool>(1)? {
        return Ok(Compared::Unknown);
    }
    let was_present = r.integer(2)? == CustomerState::Present.code();
    let default = r.get::<Option<i64>>(3)?;
    let mut same = was_present && reading.state == CustomerState::Present;
    let (mut cards, mut default_seen) = (0, None);
    let mut next = Some(first);
    while let Some(row) = next.filter(|_| same) {
        let r = Reader::new("customers", row)?;
        if let Some(place) = r.get::<Option<i64>>(5)? {
            let card = reading.cards.iter().enumerate().find(|(at, _)| signed(*at) == place);
            same = match card {
                Some((_, card)) => r.maybe_card_id(6)?.as_ref() == Some(&card.id) && looks_like(&r, 7, card)?,
                None => false,
            };
            if r.get::<Option<i64>>(4)? == default {
                default_seen = card.map(|(_, card)| &card.id);
            }
            cards += 1;
        }
        next = rows.next()?;
    }
    same &= cards == reading.cards.len() && default_seen == reading.default_card.as_ref();
    same &= default.is_some() == reading.default_card.is_some();
    Ok(if same { Compared::Same(row) } else { Compared::Other { row, was_present } })
}
