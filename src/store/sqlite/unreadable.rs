//! A subscription that cannot be read as it lies: what can still be told of it, so that it hides no other.
//!
//! Promises: only what is wrong with the row itself is set aside; a book that is locked, full or damaged refuses as ever.
//! Must never know: what is done about it.

use super::super::{StoreError, Unreadable};
use super::book::Book;
use super::columns::Reader;
use super::fault::{Fault, Outcome};
use crate::model::{FlagReason, SubscriptionId, Zone};

impl Book {
    /// What can still be told of the subscription in that row, whose reading failed so.
    ///
    /// # Errors
    /// That fault, where it is not about the row.
    pub(super) fn unreadable(&self, row: i64, fault: Fault) -> Outcome<Unreadable> {
        let error = of_one_row(row, fault)?;
        let mut find = self.sql(
            "SELECT s.row, s.id, c.id, s.wake_at IS NOT NULL FROM subscriptions s \
             JOIN customers c ON c.row = s.customer WHERE s.row = ?1",
        )?;
        let mut rows = find.query([row])?;
        let (mut whose, mut wakes) = (None, false);
        if let Some(found) = rows.next()? {
            let r = Reader::new("subscriptions", found)?;
            let id = r.get::<String>(1).ok().and_then(|text| SubscriptionId::parse(&text).ok());
            whose = id.zip(r.customer_id(2).ok());
            wakes = r.get(3)?;
        }
        Ok(Unreadable { row, error, whose, flags: self.standing_reasons(row)?, wakes })
    }

    /// The zone of that row; `None`: no calendar knows what is named there.
    pub(super) fn zone_if_readable(&self, row: i64) -> Outcome<Option<Zone>> {
        match self.zone_at(row) {
            Ok(zone) => Ok(Some(zone)),
            Err(fault) => of_one_row(row, fault).map(|_| None),
        }
    }

    fn standing_reasons(&self, row: i64) -> Outcome<Vec<FlagReason>> {
        let mut find = self.sql(
            "SELECT reason FROM flags INDEXED BY flags_standing WHERE subscription = ?1 AND until IS NULL ORDER BY row",
        )?;
        let mut rows = find.query([row])?;
        let mut reasons = Vec::new();
        while let Some(found) = rows.next()? {
            let word: String = found.get(0)?;
            reasons.extend(FlagReason::from_word(&word));
        }
        Ok(reasons)
    }
}

/// The fault as a word about that row: a value that no type of ours can hold, or one that points at nothing.
fn of_one_row(row: i64, fault: Fault) -> Outcome<StoreError> {
    use rusqlite::Error;
    match fault {
        Fault::Store(error @ StoreError::Nonsense { .. }) => Ok(error),
        Fault::Sql(
            error @ (Error::FromSqlConversionFailure(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::InvalidColumnType(..)
            | Error::Utf8Error(..)
            | Error::QueryReturnedNoRows),
        ) => Ok(nonsense(row, &error)),
        fault => Err(fault),
    }
}

fn nonsense(row: i64, error: &rusqlite::Error) -> StoreError {
    let found = match error {
        rusqlite::Error::QueryReturnedNoRows => "a plan or a zone that is not in the book".to_owned(),
        other => other.to_string(),
    };
    StoreError::Nonsense {
        table: "subscriptions",
        row: row.to_string(),
        found,
        wanted: "a row that can be read",
    }
}
