//! Customers and their cards: rows in, rows out.
//!
//! Every card that was ever seen of a customer keeps its slot; `place` says which were among the last reading.

use std::sync::Arc;
use std::sync::LazyLock;

use rusqlite::{OptionalExtension as _, Row, params};

use super::super::rows::CustomerReading;
use super::book::Book;
use super::codes::Coded as _;
use super::columns::{Reader, days, seconds, signed};
use super::fault::{Fault, Outcome};
use super::pack::{Fingerprint, Packed};
use super::subscriptions::next;
use crate::model::{
    CardDecline, CardId, CardSnapshot, CustomerId, CustomerSnapshot, CustomerState, Expiration, Money,
};

/// The columns that `customer_of` reads, by `CUSTOMER_FROM`.
pub(super) const CUSTOMER: &str =
    "u.row, u.id, u.state, d.id, u.read_at, u.caught_up_at, u.spent_on, u.spent, u.version";
pub(super) const CUSTOMER_FROM: &str =
    "customers u LEFT JOIN cards d ON d.row = (u.row << 16) | u.default_card";

/// Declines that one snapshot loads, the newest and every one that says never: more than a network that counts by
/// amount alone allows in 30 days.
const MOST_DECLINES: i64 = 400;
/// Declines of the same number at other customers reach back so far from the newest of them.
const NUMBER_REACH_SECONDS: i64 = 31 * 86_400;
/// Slots of one customer: 16 bits of a card's row.
const SLOTS: i64 = 1 << 16;

impl Book {
    /// The row of that customer; `None`: not in the book.
    pub(super) fn find_customer(&self, id: &CustomerId) -> Outcome<Option<i64>> {
        let mut find = self.sql("SELECT row FROM customers WHERE id = ?1")?;
        Ok(find.query_row([Packed::id("cust_", id.as_str())], |row| row.get(0)).optional()?)
    }

    pub(super) fn customer_row_or_new(&self, id: &CustomerId) -> Outcome<i64> {
        if let Some(row) = self.find_customer(id)? {
            return Ok(row);
        }
        let mut insert = self.sql("INSERT INTO customers (id, state, version) VALUES (?1, ?2, 1)")?;
        Ok(insert.insert(params![Packed::id("cust_", id.as_str()), CustomerState::Unread.code()])?)
    }

    /// The customer of that row, with cards; `None`: no such row.
    pub(super) fn customer_at(&self, row: i64) -> Outcome<Option<CustomerSnapshot>> {
        static ONE: LazyLock<String> =
            LazyLock::new(|| format!("SELECT {CUSTOMER} FROM {CUSTOMER_FROM} WHERE u.row = ?1"));
        let mut find = self.sql(&ONE)?;
        let mut rows = find.query([row])?;
        rows.next()?.map(|row| self.customer_of(row)).transpose()
    }

    /// One row of `CUSTOMER`, and the customer's cards.
    pub(super) fn customer_of(&self, row: &Row<'_>) -> Outcome<CustomerSnapshot> {
        let r = Reader::new("customers", row)?;
        let spent = match r.get::<Option<String>>(7)? {
            None => Vec::new(),
            Some(text) => serde_json::from_str::<Vec<Money>>(&text).map_err(|e| r.nonsense(e, "amounts"))?,
        };
        Ok(CustomerSnapshot {
            id: r.customer_id(1)?,
            state: r.word(2)?,
            default_card: r.maybe_card_id(3)?,
            cards: self.cards_of(r.key)?,
            read_at: r.maybe_instant(4)?,
            caught_up_at: r.maybe_instant(5)?,
            spent_on: r.maybe_day(6)?,
            spent,
            version: r.version(8)?,
        })
    }

    /// The cards of the last reading, in its order.
    fn cards_of(&self, customer_row: i64) -> Outcome<Vec<CardSnapshot>> {
        let mut find = self.sql(
            "SELECT row, id, brand, last_digits, expires, fingerprint FROM cards \
             WHERE row BETWEEN ?1 << 16 AND (?1 << 16) | 65535 AND place IS NOT NULL ORDER BY place",
        )?;
        let mut rows = find.query([customer_row])?;
        let mut cards = Vec::new();
        while let Some(row) = rows.next()? {
            let r = Reader::new("cards", row)?;
            let months = r.integer(4)?;
            cards.push(CardSnapshot {
                id: r.maybe_card_id(1)?.ok_or_else(|| r.nonsense("nothing", "a card id"))?,
                brand: r.get(2)?,
                last_digits: r.get(3)?,
                expiration: Expiration::new(months.rem_euclid(12) + 1, months.div_euclid(12))
                    .map_err(|e| r.nonsense(e, "a month"))?,
                fingerprint: r.get::<Option<Fingerprint>>(5)?.map(|packed| packed.0),
            });
        }
        Ok(cards)
    }

    /// The slot of that card; `None`: never seen.
    fn slot(&self, customer_row: i64, card: &CardId) -> Outcome<Option<i64>> {
        let mut find =
            self.sql("SELECT slot FROM cards WHERE row BETWEEN ?1 << 16 AND (?1 << 16) | 65535 AND id = ?2")?;
        let packed = Packed::id("card_", card.as_str());
        Ok(find.query_row(params![customer_row, packed], |row| row.get(0)).optional()?)
    }

    /// The slot of that card, made if it was never seen.
    pub(super) fn slot_or_new(&self, customer_row: i64, card: &CardId) -> Outcome<i64> {
        if let Some(slot) = self.slot(customer_row, card)? {
            return Ok(slot);
        }
        let slot = self.next_slot(customer_row)?;
        let mut insert =
            self.sql("INSERT INTO cards (row, id, brand, last_digits) VALUES ((?1 << 16) | ?2, ?3, '', '')")?;
        insert.insert(params![customer_row, slot, Packed::id("card_", card.as_str())])?;
        Ok(slot)
    }

    fn next_slot(&self, customer_row: i64) -> Outcome<i64> {
        let mut find = self.sql(
            "SELECT coalesce(max(row) & 65535, -1) + 1 FROM cards WHERE row BETWEEN ?1 << 16 AND (?1 << 16) | 65535",
        )?;
        let slot: i64 = find.query_row([customer_row], |row| row.get(0))?;
        if slot < SLOTS {
            Ok(slot)
        } else {
            Err(Fault::broken(format!("customer row {customer_row} had {SLOTS} cards")))
        }
    }

    /// Makes the cards of the last reading these.
    fn write_cards(&self, customer_row: i64, cards: &[CardSnapshot]) -> Outcome<()> {
        if self.cards_of(customer_row)? == cards {
            return Ok(());
        }
        self.sql(
            "UPDATE cards SET place = NULL \
             WHERE row BETWEEN ?1 << 16 AND (?1 << 16) | 65535 AND place IS NOT NULL",
        )?
        .execute([customer_row])?;
        for (place, card) in cards.iter().enumerate() {
            let slot = self.slot_or_new(customer_row, &card.id)?;
            let expires = i64::from(card.expiration.year()) * 12 + i64::from(card.expiration.month()) - 1;
            self.sql(
                "UPDATE cards SET place = ?2, brand = ?3, last_digits = ?4, expires = ?5, fingerprint = ?6 WHERE row = ?1",
            )?
            .execute(params![
                (customer_row << 16) | slot,
                signed(place),
                card.brand,
                card.last_digits,
                expires,
                card.fingerprint.clone().map(Fingerprint),
            ])?;
        }
        Ok(())
    }

    /// Writes the customer, expecting `c.version` in the book.
    pub(super) fn update_customer(&self, c: &CustomerSnapshot) -> Outcome<()> {
        let conflict = || Fault::conflict(format_args!("customer {}", c.id));
        let row = self.find_customer(&c.id)?.ok_or_else(conflict)?;
        let default = c.default_card.as_ref().map(|card| self.slot_or_new(row, card)).transpose()?;
        let spent = if c.spent.is_empty() { None } else { serde_json::to_string(&c.spent).ok() };
        let changed = self
            .sql(
                "UPDATE customers SET state = ?3, default_card = ?4, read_at = ?5, caught_up_at = ?6, spent_on = ?7, \
                 spent = ?8, version = ?9 WHERE row = ?1 AND version = ?2",
            )?
            .execute(params![
                row,
                c.version.0,
                c.state.code(),
                default,
                c.read_at.map(seconds),
                c.caught_up_at.map(seconds),
                c.spent_on.map(days),
                spent,
                next(c.version),
            ])?;
        if changed == 0 {
            return Err(conflict());
        }
        self.write_cards(row, &c.cards)
    }

    /// Writes what was read, whatever the row's version; `false`: the customer is not in the book, or erased.
    pub(super) fn observe_customer(&self, reading: &CustomerReading) -> Outcome<bool> {
        let Some(row) = self.find_customer(&reading.id)? else { return Ok(false) };
        if self.is_erased(row)? {
            return Ok(false);
        }
        let default = reading.default_card.as_ref().map(|card| self.slot_or_new(row, card)).transpose()?;
        self.sql(
            "UPDATE customers SET state = ?2, default_card = ?3, read_at = ?4, version = version + 1 WHERE row = ?1",
        )?
        .execute(params![row, reading.state.code(), default, seconds(reading.read_at)])?;
        self.write_cards(row, &reading.cards)?;
        Ok(true)
    }

    /// Notes a decline towards the budgets of its card.
    pub(super) fn record_decline(&self, customer: &CustomerId, decline: &CardDecline) -> Outcome<()> {
        let row = self
            .find_customer(customer)?
            .ok_or_else(|| Fault::broken(format!("no customer {customer} to note a decline of")))?;
        let mut insert = self.sql(
            "INSERT INTO declines (customer, card, fingerprint, at, amount, currency, never) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        insert.insert(params![
            row,
            self.slot_or_new(row, &decline.card)?,
            decline.fingerprint.as_deref().map(|text| Fingerprint(text.into())),
            seconds(decline.at),
            decline.amount.minor(),
            decline.amount.currency().code(),
            decline.never,
        ])?;
        Ok(())
    }

    /// The newest declines of a customer's cards, and of the same numbers at other customers, oldest first.
    pub(super) fn declines_of(&self, customer_row: i64) -> Outcome<Vec<CardDecline>> {
        let mut find = self.sql(
            "SELECT d.row, k.id, d.fingerprint, d.at, d.amount, d.currency, d.never \
             FROM declines d JOIN cards k ON k.row = (d.customer << 16) | d.card \
             WHERE (d.customer = ?1 AND (d.never = 1 OR d.row IN (SELECT row FROM declines WHERE customer = ?1 \
             ORDER BY at DESC, row DESC LIMIT ?2))) \
             OR (d.fingerprint IN (SELECT fingerprint FROM cards WHERE row BETWEEN ?1 << 16 AND (?1 << 16) | 65535 \
             AND place IS NOT NULL) AND (d.never = 1 OR d.at > \
             (SELECT max(at) FROM declines m WHERE m.fingerprint = d.fingerprint) - ?3)) \
             ORDER BY d.at DESC, d.row DESC",
        )?;
        let mut rows = find.query([customer_row, MOST_DECLINES, NUMBER_REACH_SECONDS])?;
        let mut declines = Vec::new();
        while let Some(row) = rows.next()? {
            let r = Reader::new("declines", row)?;
            declines.push(CardDecline {
                card: r.maybe_card_id(1)?.ok_or_else(|| r.nonsense("nothing", "a card id"))?,
                fingerprint: r.get::<Option<Fingerprint>>(2)?.map(|packed| Arc::from(packed.0)),
                at: r.instant(3)?,
                amount: r.money(4, 5)?,
                never: r.get(6)?,
            });
        }
        declines.reverse();
        Ok(declines)
    }
}
