//! The open book: one connection, its cache, and transactions on it.
//!
//! Promises: whatever fails inside a transaction leaves the file as it was, and nothing of it in the cache.

use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::time::Duration;

use rusqlite::{CachedStatement, Connection};

use super::super::StoreError;
use super::cache::Cache;
use super::fault::{Fault, Outcome};
use super::reserve::Reserve;
use crate::clock::Stopwatch;
use crate::hooks::{Bug, planted};
use crate::model::{Installation, Version};

pub(super) struct Book {
    pub(super) conn: Connection,
    /// Of the file; `:memory:` for a book that has none.
    pub(super) path: PathBuf,
    pub(super) cache: RefCell<Cache>,
    pub(super) installation: Installation,
    pub(super) busy_wait: Duration,
    pub(super) reserve: Reserve,
    /// How long the last COMMIT of a write took.
    pub(super) last_commit: Cell<Duration>,
}

impl Book {
    pub(super) fn sql(&self, text: &str) -> Outcome<CachedStatement<'_>> {
        Ok(self.conn.prepare_cached(text)?)
    }

    fn say(&self, text: &str) -> Outcome<()> {
        self.sql(text)?.raw_execute()?;
        Ok(())
    }

    /// Reads several things as they stood at one moment.
    pub(super) fn reading<T>(&self, read: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
        if !self.conn.is_autocommit() {
            return read();
        }
        self.say("BEGIN DEFERRED")?;
        let answer = read();
        // Nothing was written: ending it either way is the same.
        self.say("COMMIT")?;
        answer
    }

    /// Writes in one durable transaction, or not at all. The write lock is taken at once, so that what is read
    /// inside is what is written upon.
    pub(super) fn writing<T>(&self, write: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
        self.say(if planted(Bug::DeferredTransactions) { "BEGIN DEFERRED" } else { "BEGIN IMMEDIATE" })?;
        let answer = write().and_then(|answer| self.commit_now().map(|()| answer));
        if answer.is_err() {
            self.cache.borrow_mut().forget();
            if !self.conn.is_autocommit() {
                self.say("ROLLBACK")?;
            }
        }
        answer
    }

    fn commit_now(&self) -> Outcome<()> {
        let watch = Stopwatch::start();
        let committed = self.say("COMMIT");
        self.last_commit.set(watch.elapsed());
        committed
    }

    /// Inside a transaction: does `step` whole or not at all, and lets the transaction go on.
    pub(super) fn apart<T>(&self, step: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
        self.say("SAVEPOINT one")?;
        let answer = step();
        if answer.is_err() {
            self.cache.borrow_mut().forget();
            // A full disk or a failing one ends the whole transaction by itself.
            if self.conn.is_autocommit() {
                return answer;
            }
            self.say("ROLLBACK TO one")?;
        }
        self.say("RELEASE one")?;
        answer
    }

    /// The version that a write of that row expects to find: the one its writer saw.
    pub(super) fn expected(&self, table: &str, row: i64, seen: Version) -> Outcome<u32> {
        if planted(Bug::ResultWithoutVersion) {
            let found = format!("SELECT version FROM {table} WHERE row = ?1");
            return Ok(self.sql(&found)?.query_row([row], |row| row.get(0))?);
        }
        Ok(seen.0)
    }

    /// As the answer of a public method.
    pub(super) fn out(&self, fault: Fault) -> StoreError {
        fault.into_store(&self.path, self.busy_wait.as_secs())
    }
}
