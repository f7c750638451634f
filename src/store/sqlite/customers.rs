//! Customers and their cards: rows in, rows out.
//!
//! Every card that was ever seen of a customer keeps its slot; `place` says which were among the last reading.

use std::sync::Arc;
use std::sync::LazyLock;

use rusqlite::{OptionalExtension as _, Row, Rows, params};

use super::super::rows::CustomerReading;
use super::book::Book;
use super::codes::Coded as _;
use super::columns::{Reader, days, seconds, signed};
use super::fault::{Fault, Outcome};
use super::hot::Hot;
use super::pack::{Fingerprint, Packed, UnpackedFingerprint};
use super::subscriptions::next;
use crate::model::{
    CardDecline, CardId, CardSnapshot, CustomerId, CustomerSnapshot, CustomerState, Expiration, Money,
    Version,
};

/// The columns that `customer_of` reads, by `CUSTOMER_FROM`.
pub(super) const CUSTOMER: &str =
    "u.row, u.id, u.state, d.id, u.read_at, u.caught_up_at, u.spent_on, u.spent, u.version";
pub(super) const CUSTOMER_FROM: &str =
    "customers u LEFT JOIN cards d ON d.row = (u.row << 16) | u.default_card";

/// The columns of `CUSTOMER` behind the id, beside a subscription's.
pub(super) const CUSTOMER_BESIDE: &str =
    "c.state, d.id, c.read_at, c.caught_up_at, c.spent_on, c.spent, c.version";
/// How many they are.
pub(super) const CUSTOMER_BESIDE_WIDTH: usize = 7;
/// The columns that `card_at` reads.
pub(super) const CARD: &str = "x.id, x.brand, x.last_digits, x.expires, x.fingerprint";

const INSERT_CARD: &str = "INSERT INTO cards (row, id, place, brand, last_digits, expires, fingerprint) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const REWRITE_CARD: &str = "UPDATE cards SET id = ?2, place = ?3, brand = ?4, last_digits = ?5, expires = ?6, \
    fingerprint = ?7 WHERE row = ?1";

const ALL_CARDS: &str = "SELECT row, id, place, brand, last_digits, expires, fingerprint FROM cards \
    WHERE row BETWEEN ?1 << 16 AND (?1 << 16) | 65535";
const TAKE_AWAY: &str = "UPDATE cards SET place = NULL WHERE row = ?1";
const OBSERVE: &str =
    "UPDATE customers SET state = ?2, default_card = ?3, read_at = ?4, version = version + 1 WHERE row = ?1";

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
        let mut insert = self.sql("INSERT INTO customers (id, state, version) VALUES (?1, ?2, ?3)")?;
        let id = Packed::id("cust_", id.as_str());
        Ok(insert.insert(params![id, CustomerState::Unread.code(), Version::FIRST.0])?)
    }

    /// One row of `CUSTOMER`, and the customer's cards.
    pub(super) fn customer_of(&self, row: &Row<'_>) -> Outcome<CustomerSnapshot> {
        let r = Reader::new("customers", row)?;
        customer_with(&r, r.customer_id(1)?, 2, self.cards_of(r.key)?)
    }

    /// The cards of the last reading, in its order.
    fn cards_of(&self, customer_row: i64) -> Outcome<Vec<CardSnapshot>> {
        static CARDS: LazyLock<String> = LazyLock::new(|| {
            format!(
                "SELECT x.row, {CARD} FROM cards x \
                 WHERE x.row BETWEEN ?1 << 16 AND (?1 << 16) | 65535 AND x.place IS NOT NULL ORDER BY x.place"
            )
        });
        let mut find = self.sql(&CARDS)?;
        let mut rows = find.query([customer_row])?;
        let mut cards = Vec::new();
        while let Some(row) = rows.next()? {
            cards.push(card_at(&Reader::new("cards", row)?, 1)?);
        }
        Ok(cards)
    }

    /// The slot of that card; `None`: never seen.
    fn slot(&self, customer_row: i64, card: &CardId) -> Outcome<Option<i64>> {
        let known = self.cache.borrow().slot(customer_row, card);
        if known.is_some() {
            return Ok(known);
        }
        let mut find =
            self.sql("SELECT slot FROM cards WHERE row BETWEEN ?1 << 16 AND (?1 << 16) | 65535 AND id = ?2")?;
        let packed = Packed::id("card_", card.as_str());
        let slot = find.query_row(params![customer_row, packed], |row| row.get(0)).optional()?;
        if let Some(slot) = slot {
            self.cache.borrow_mut().keep_slot(customer_row, card.clone(), slot);
        }
        Ok(slot)
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
        free_slot(customer_row, slot)
    }

    /// Makes the cards of the last reading these, writing only what differs. Returns their slots, in order.
    fn write_cards(hot: &Hot<'_>, customer_row: i64, cards: &[CardSnapshot]) -> Outcome<Vec<i64>> {
        let Standing { mut found, gone, mut next_slot } = Self::compare_cards(hot, customer_row, cards)?;
        for row in gone {
            hot.execute(TAKE_AWAY, [row])?;
        }
        let mut slots = Vec::with_capacity(cards.len());
        for (place, card) in cards.iter().enumerate() {
            slots.push(match found[place].take() {
                Some(Found { slot, same: true }) => slot,
                Some(Found { slot, same: false }) => {
                    Self::write_card(hot, REWRITE_CARD, customer_row, slot, place, card)?;
                    slot
                }
                None => {
                    let slot = free_slot(customer_row, next_slot)?;
                    next_slot += 1;
                    Self::write_card(hot, INSERT_CARD, customer_row, slot, place, card)?;
                    slot
                }
            });
        }
        Ok(slots)
    }

    /// What the book has of these cards, and which others it takes for the customer's.
    fn compare_cards(hot: &Hot<'_>, customer_row: i64, cards: &[CardSnapshot]) -> Outcome<Standing> {
        hot.with(ALL_CARDS, |find| compared(find.query([customer_row])?, cards))
    }

    fn write_card(
        hot: &Hot<'_>,
        sql: &'static str,
        customer_row: i64,
        slot: i64,
        place: usize,
        card: &CardSnapshot,
    ) -> Outcome<()> {
        hot.execute(
            sql,
            params![
                (customer_row << 16) | slot,
                Packed::id("card_", card.id.as_str()),
                signed(place),
                card.brand,
                card.last_digits,
                months(card.expiration),
                card.fingerprint.as_deref().map(Fingerprint),
            ],
        )?;
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
        Self::write_cards(&Hot::new(&self.conn), row, &c.cards).map(|_| ())
    }

    /// Writes what was read of the customer at that row, whatever the row's version.
    pub(super) fn write_reading(&self, hot: &Hot<'_>, row: i64, reading: &CustomerReading) -> Outcome<()> {
        let slots = Self::write_cards(hot, row, &reading.cards)?;
        let default = match &reading.default_card {
            None => None,
            Some(id) => match reading.cards.iter().position(|card| card.id == *id) {
                Some(place) => Some(slots[place]),
                None => Some(self.slot_or_new(row, id)?),
            },
        };
        hot.execute(OBSERVE, params![row, reading.state.code(), default, seconds(reading.read_at)])?;
        Ok(())
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
            decline.fingerprint.as_deref().map(Fingerprint),
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
                fingerprint: fingerprint(&r, 2)?.map(Arc::from),
                at: r.instant(3)?,
                amount: r.money(4, 5)?,
                never: r.get(6)?,
            });
        }
        declines.reverse();
        Ok(declines)
    }
}

/// What the book has of the cards that were read.
struct Standing {
    /// For each of them; `None`: never seen.
    found: Vec<Option<Found>>,
    /// Rows of cards of the reading before that are not in this one.
    gone: Vec<i64>,
    /// Behind all slots in use.
    next_slot: i64,
}

struct Found {
    slot: i64,
    /// Whether place and look are those read now.
    same: bool,
}

fn compared(mut rows: Rows<'_>, cards: &[CardSnapshot]) -> Outcome<Standing> {
    let mut standing =
        Standing { found: cards.iter().map(|_| None).collect(), gone: Vec::new(), next_slot: 0 };
    while let Some(row) = rows.next()? {
        let r = Reader::new("cards", row)?;
        let slot = r.key & (SLOTS - 1);
        standing.next_slot = slot + 1;
        let id = r.maybe_card_id(1)?;
        let place = r.get::<Option<i64>>(2)?;
        match cards.iter().position(|card| id.as_ref() == Some(&card.id)) {
            Some(at) => {
                let same = place == Some(signed(at)) && looks_like(&r, 3, &cards[at])?;
                standing.found[at] = Some(Found { slot, same });
            }
            None if place.is_some() => standing.gone.push(r.key),
            None => {}
        }
    }
    Ok(standing)
}

fn free_slot(customer_row: i64, slot: i64) -> Outcome<i64> {
    if slot < SLOTS {
        Ok(slot)
    } else {
        Err(Fault::broken(format!("customer row {customer_row} had {SLOTS} cards")))
    }
}

/// The month of an expiration, counted from year 0.
fn months(expiration: Expiration) -> i64 {
    i64::from(expiration.year()) * 12 + i64::from(expiration.month()) - 1
}

/// Whether the columns of `CARD` from `at` on, but for the id, show that card as it looks now.
pub(super) fn looks_like(r: &Reader<'_, '_>, at: usize, card: &CardSnapshot) -> Outcome<bool> {
    let text = |column: usize| Ok::<_, Fault>(r.raw(column)?.as_str().map_err(rusqlite::Error::from)?);
    Ok(text(at)? == card.brand
        && text(at + 1)? == card.last_digits
        && r.get::<Option<i64>>(at + 2)? == Some(months(card.expiration))
        && fingerprint(r, at + 3)? == card.fingerprint)
}

fn fingerprint(r: &Reader<'_, '_>, column: usize) -> Outcome<Option<String>> {
    Ok(r.get::<Option<UnpackedFingerprint>>(column)?.map(|unpacked| unpacked.0))
}

/// The columns of `CARD` from `at` on.
pub(super) fn card_at(r: &Reader<'_, '_>, at: usize) -> Outcome<CardSnapshot> {
    let months = r.integer(at + 3)?;
    Ok(CardSnapshot {
        id: r.maybe_card_id(at)?.ok_or_else(|| r.nonsense("nothing", "a card id"))?,
        brand: r.get(at + 1)?,
        last_digits: r.get(at + 2)?,
        expiration: Expiration::new(months.rem_euclid(12) + 1, months.div_euclid(12))
            .map_err(|e| r.nonsense(e, "a month"))?,
        fingerprint: fingerprint(r, at + 4)?,
    })
}

/// The columns of `CUSTOMER` behind the id, which are at `at` and after it.
pub(super) fn customer_with(
    r: &Reader<'_, '_>,
    id: CustomerId,
    at: usize,
    cards: Vec<CardSnapshot>,
) -> Outcome<CustomerSnapshot> {
    let spent = match r.get::<Option<String>>(at + 5)? {
        None => Vec::new(),
        Some(text) => serde_json::from_str::<Vec<Money>>(&text).map_err(|e| r.nonsense(e, "amounts"))?,
    };
    Ok(CustomerSnapshot {
        id,
        state: r.word(at)?,
        default_card: r.maybe_card_id(at + 1)?,
        cards,
        read_at: r.maybe_instant(at + 2)?,
        caught_up_at: r.maybe_instant(at + 3)?,
        spent_on: r.maybe_day(at + 4)?,
        spent,
        version: r.version(at + 6)?,
    })
}
