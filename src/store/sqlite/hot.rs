//! Statements held ready while a group of transitions is written.
//!
//! The connection keeps its statements by their text: to find one and to put it back costs as much as a small write.
//! Promises: each text is looked for once a group; what was bound to a statement is bound anew at every use.
//! Must never know: what a statement does.

use std::cell::RefCell;

use rusqlite::{CachedStatement, Connection, Params};

use super::fault::Outcome;

/// The statements of one group.
pub(super) struct Hot<'c> {
    conn: &'c Connection,
    /// A dozen at most: looked through from the front.
    held: RefCell<Vec<(&'static str, CachedStatement<'c>)>>,
}

impl<'c> Hot<'c> {
    /// None held yet.
    pub(super) const fn new(conn: &'c Connection) -> Self {
        Self { conn, held: RefCell::new(Vec::new()) }
    }

    /// Writes with that statement; how many rows it changed.
    pub(super) fn execute(&self, text: &'static str, values: impl Params) -> Outcome<usize> {
        self.with(text, |statement| Ok(statement.execute(values)?))
    }

    /// Uses that statement; `work` must not come back here.
    pub(super) fn with<T>(
        &self,
        text: &'static str,
        work: impl FnOnce(&mut CachedStatement<'c>) -> Outcome<T>,
    ) -> Outcome<T> {
        let mut held = self.held.borrow_mut();
        // The same text lies at one place, but for one that was compiled into two: then it is held twice.
        let place = held.iter().position(|(known, _)| std::ptr::eq(*known, text));
        let place = if let Some(place) = place {
            place
        } else {
            held.push((text, self.conn.prepare_cached(text)?));
            held.len() - 1
        };
        work(&mut held[place].1)
    }

    /// The same for one new row: its number.
    pub(super) fn insert(&self, text: &'static str, values: impl Params) -> Outcome<i64> {
        self.execute(text, values)?;
        Ok(self.conn.last_insert_rowid())
    }
}
