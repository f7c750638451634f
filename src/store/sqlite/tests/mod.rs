//! What only a book on SQLite has: files, a schema, copies.

mod care;
mod erase;
mod figures;
mod files;
mod forbidden;
mod full;
mod unreadable;
mod upgrade;

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{OpenOptions, SqliteStore};

pub(super) const CREATE: fn() -> OpenOptions = || OpenOptions { create: true, ..OpenOptions::default() };

/// A new book in a folder of its own, which lives as long as the first value.
pub(super) fn new_book() -> (TempDir, PathBuf, SqliteStore) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dues.db");
    let store = SqliteStore::open(&path, CREATE()).unwrap();
    (folder, path, store)
}

pub(super) fn raw(path: &Path) -> rusqlite::Connection {
    let conn = rusqlite::Connection::open(path).unwrap();
    conn.execute_batch("PRAGMA foreign_keys = ON").unwrap();
    conn
}
