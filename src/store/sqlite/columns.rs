//! How single values lie in a row: instants as seconds, dates as days, ids as text or packed.
//!
//! Promises: what no type of ours can hold is reported with its table and row, never guessed.

use std::fmt::Display;

use jiff::civil::{Date, date};
use jiff::{Timestamp, ToSpan as _};
use rusqlite::Row;
use rusqlite::types::ValueRef;

use super::super::StoreError;
use super::codes::Coded;
use super::fault::{Fault, Outcome};
use super::pack::unpacked;
use crate::model::{CardId, ChargeId, Currency, CustomerId, Money, Quantity, Version};

const EPOCH_DAY: Date = date(1970, 1, 1);

/// One row being read, with what names it in a complaint.
pub(super) struct Reader<'a, 'b> {
    pub(super) row: &'a Row<'b>,
    pub(super) table: &'static str,
    pub(super) key: i64,
}

impl<'a, 'b> Reader<'a, 'b> {
    /// Reads a row whose key is in its first column.
    pub(super) fn new(table: &'static str, row: &'a Row<'b>) -> Outcome<Self> {
        Ok(Self { key: row.get(0)?, table, row })
    }

    /// The complaint about a value.
    pub(super) fn nonsense(&self, found: impl Display, wanted: &'static str) -> Fault {
        let (table, row) = (self.table, self.key.to_string());
        StoreError::Nonsense { table, row, found: found.to_string(), wanted }.into()
    }

    pub(super) fn get<T: rusqlite::types::FromSql>(&self, column: usize) -> Outcome<T> {
        Ok(self.row.get(column)?)
    }

    pub(super) fn integer(&self, column: usize) -> Outcome<i64> {
        self.get(column)
    }

    pub(super) fn count(&self, column: usize) -> Outcome<u32> {
        let found = self.integer(column)?;
        u32::try_from(found).map_err(|_| self.nonsense(found, "a count"))
    }

    pub(super) fn version(&self, column: usize) -> Outcome<Version> {
        self.count(column).map(Version)
    }

    pub(super) fn quantity(&self, column: usize) -> Outcome<Quantity> {
        Quantity::new(self.count(column)?).map_err(|e| self.nonsense(e, "a quantity"))
    }

    pub(super) fn second(&self, seconds: i64) -> Outcome<Timestamp> {
        Timestamp::from_second(seconds).map_err(|_| self.nonsense(seconds, "seconds since 1970"))
    }

    pub(super) fn instant(&self, column: usize) -> Outcome<Timestamp> {
        self.second(self.integer(column)?)
    }

    pub(super) fn maybe_instant(&self, column: usize) -> Outcome<Option<Timestamp>> {
        self.get::<Option<i64>>(column)?.map(|seconds| self.second(seconds)).transpose()
    }

    pub(super) fn maybe_milli(&self, column: usize) -> Outcome<Option<Timestamp>> {
        let milli = |ms| Timestamp::from_millisecond(ms).map_err(|_| self.nonsense(ms, "milliseconds"));
        self.get::<Option<i64>>(column)?.map(milli).transpose()
    }

    pub(super) fn milli(&self, column: usize) -> Outcome<Timestamp> {
        self.maybe_milli(column)?.ok_or_else(|| self.nonsense("nothing", "milliseconds since 1970"))
    }

    pub(super) fn maybe_day(&self, column: usize) -> Outcome<Option<Date>> {
        self.get::<Option<i64>>(column)?.map(|days| self.day_of(days)).transpose()
    }

    fn day_of(&self, days: i64) -> Outcome<Date> {
        let span = 0.days().try_days(days).ok();
        span.and_then(|span| EPOCH_DAY.checked_add(span).ok())
            .ok_or_else(|| self.nonsense(days, "days since 1970"))
    }

    /// What [`anchor`] wrote.
    pub(super) fn maybe_anchor(&self, column: usize) -> Outcome<Option<(Date, Option<Timestamp>)>> {
        let Some(number) = self.get::<Option<i64>>(column)? else { return Ok(None) };
        if number < ANCHOR_DAYS {
            return Ok(Some((self.day_of(number)?, None)));
        }
        let at = Timestamp::from_second(number / ANCHOR_DAYS)
            .map_err(|_| self.nonsense(number, "an anchor with its instant"))?;
        Ok(Some((self.day_of(number % ANCHOR_DAYS)?, Some(at))))
    }

    pub(super) fn day(&self, column: usize) -> Outcome<Date> {
        self.maybe_day(column)?.ok_or_else(|| self.nonsense("nothing", "days since 1970"))
    }

    pub(super) fn word<T: Coded>(&self, column: usize) -> Outcome<T> {
        self.maybe_word(column)?.ok_or_else(|| self.nonsense("nothing", "a known word"))
    }

    pub(super) fn maybe_word<T: Coded>(&self, column: usize) -> Outcome<Option<T>> {
        let of = |code| T::of(code).ok_or_else(|| self.nonsense(code, "the number of a known word"));
        self.get::<Option<i64>>(column)?.map(of).transpose()
    }

    pub(super) fn money(&self, minor: usize, currency: usize) -> Outcome<Money> {
        let currency: Currency = self.word(currency)?;
        Money::new(self.integer(minor)?, currency).map_err(|e| self.nonsense(e, "an amount"))
    }

    pub(super) fn customer_id(&self, column: usize) -> Outcome<CustomerId> {
        let text = unpacked("cust_", self.raw(column)?).and_then(|id| CustomerId::parse(id.as_str()).ok());
        text.ok_or_else(|| self.nonsense(self.shown(column), "a customer id"))
    }

    pub(super) fn maybe_card_id(&self, column: usize) -> Outcome<Option<CardId>> {
        if matches!(self.raw(column)?, ValueRef::Null) {
            return Ok(None);
        }
        let text = unpacked("card_", self.raw(column)?).and_then(|id| CardId::parse(id.as_str()).ok());
        text.map(Some).ok_or_else(|| self.nonsense(self.shown(column), "a card id"))
    }

    pub(super) fn maybe_charge_id(&self, column: usize) -> Outcome<Option<ChargeId>> {
        if matches!(self.raw(column)?, ValueRef::Null) {
            return Ok(None);
        }
        let text = unpacked("chrg_", self.raw(column)?).and_then(|id| ChargeId::parse(id.as_str()).ok());
        text.map(Some).ok_or_else(|| self.nonsense(self.shown(column), "a charge id"))
    }

    pub(super) fn raw(&self, column: usize) -> Outcome<ValueRef<'a>> {
        Ok(self.row.get_ref(column)?)
    }

    fn shown(&self, column: usize) -> String {
        self.row.get_ref(column).map_or_else(|e| e.to_string(), |value| format!("{value:?}"))
    }
}

/// Whole seconds since 1970.
pub(super) fn seconds(at: Timestamp) -> i64 {
    at.as_second()
}

/// Whole milliseconds since 1970.
pub(super) fn millis(at: Option<Timestamp>) -> Option<i64> {
    at.map(Timestamp::as_millisecond)
}

/// Whole seconds from one instant to a later one.
pub(super) fn seconds_between(from: Timestamp, to: Timestamp) -> i64 {
    to.as_second() - from.as_second()
}

/// Days since 1970.
pub(super) fn days(day: Date) -> i64 {
    EPOCH_DAY.until(day).map_or(0, |span| i64::from(span.get_days()))
}

/// More days than the calendar has after 1970.
const ANCHOR_DAYS: i64 = 1 << 24;

/// A day from which periods are counted, and the instant at which the first of them starts where that is not the day's
/// own first one. The usual case is the day alone, as [`days`] writes it; else the instant's seconds stand in the bits
/// above it, so that the few rows that have one need no column in all the others.
pub(super) fn anchor(day: Date, at: Option<Timestamp>) -> i64 {
    match at.map(seconds).filter(|at| *at > 0) {
        None => days(day),
        // Whoever changes a zone does it after 1970, and so does the period that follows.
        Some(at) => at * ANCHOR_DAYS + days(day).max(0),
    }
}

/// A count for SQLite, which has no unsigned numbers; a page or a limit beyond its range is as good as none.
pub(super) fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_count_from_1970() {
        for (day, count) in [(date(1970, 1, 1), 0), (date(1969, 12, 31), -1), (date(2026, 11, 22), 20_779)] {
            assert_eq!(days(day), count);
        }
    }
}
