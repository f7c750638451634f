//! Upgrades: each step whole, after a copy, or not at all.

use rusqlite::Connection;

use super::super::open::open_with;
use super::super::schema::{MIGRATIONS, Migration, copy_before};
use super::*;
use crate::store::conformance::samples::*;
use crate::store::{Store as _, StoreError};

/// The schema of this program, and a step that none has yet.
const NOW: i64 = MIGRATIONS[MIGRATIONS.len() - 1].version;
const NEXT: i64 = NOW + 1;

const ONE_MORE: Migration = Migration {
    version: NEXT,
    sql: "ALTER TABLE customers ADD COLUMN email TEXT; UPDATE customers SET email = 'none'",
};

fn steps(more: Migration) -> Vec<Migration> {
    MIGRATIONS.iter().copied().chain([more]).collect()
}

fn version(path: &Path) -> i64 {
    raw(path).query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
}

#[test]
fn a_book_is_upgraded_after_a_copy() {
    let (_folder, path, mut store) = new_book();
    fill(&mut store, 3);
    let installation = store.facts().unwrap().installation;
    drop(store);
    let book = open_with(&path, &OpenOptions::default(), &steps(ONE_MORE)).unwrap();
    assert_eq!(book.installation, installation);
    let upgraded: i64 = book
        .conn
        .query_row("SELECT count(*) FROM customers WHERE email = 'none'", [], |row| row.get(0))
        .unwrap();
    assert_eq!((upgraded, version(&path)), (3, NEXT));
    let copy = copy_before(&path, NEXT);
    assert_eq!(version(&copy), NOW);
    let mut before = SqliteStore::open(&copy, OpenOptions::default()).unwrap();
    assert_eq!(before.count_due(at(0)).unwrap(), 3);
    // Once upgraded, it is opened without another copy; by an older program not at all.
    std::fs::remove_file(&copy).unwrap();
    drop(open_with(&path, &OpenOptions::default(), &steps(ONE_MORE)).unwrap());
    assert!(!copy.exists());
    let older = SqliteStore::open(&path, OpenOptions::default()).err();
    assert_eq!(older, Some(StoreError::Newer { path, found: NEXT, known: NOW }));
}

#[test]
fn a_new_book_goes_all_steps_without_a_copy() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dues.db");
    drop(open_with(&path, &CREATE(), &steps(ONE_MORE)).unwrap());
    assert_eq!(version(&path), NEXT);
    assert!(!copy_before(&path, NEXT).exists());
}

#[test]
fn a_step_that_fails_leaves_the_book_as_it_was() {
    let (_folder, path, mut store) = new_book();
    fill(&mut store, 3);
    drop(store);
    for sql in [
        "ALTER TABLE customers ADD COLUMN email TEXT; SELECT no_such_function()",
        "ALTER TABLE customers ADD COLUMN email TEXT; DELETE FROM zones",
    ] {
        assert!(
            open_with(&path, &OpenOptions::default(), &steps(Migration { version: NEXT, sql })).is_err(),
            "{sql}"
        );
        assert_eq!(version(&path), NOW);
        let columns: i64 = raw(&path)
            .query_row(
                "SELECT count(*) FROM pragma_table_info('customers') WHERE name = 'email'",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(columns, 0, "{sql}");
    }
    let mut store = SqliteStore::open(&path, OpenOptions::default()).unwrap();
    assert_eq!(store.count_due(at(0)).unwrap(), 3);
}

#[test]
fn reading_upgrades_nothing() {
    let (_folder, path, store) = new_book();
    drop(store);
    let reader = OpenOptions { read_only: true, ..OpenOptions::default() };
    assert!(open_with(&path, &reader, &steps(ONE_MORE)).is_err());
    assert_eq!(version(&path), NOW);
}

#[test]
fn the_steps_are_numbered_without_a_gap() {
    let numbers: Vec<_> = MIGRATIONS.iter().map(|step| step.version).collect();
    assert_eq!(numbers, (1..=i64::try_from(MIGRATIONS.len()).unwrap()).collect::<Vec<_>>());
    let conn = Connection::open_in_memory().unwrap();
    for step in MIGRATIONS {
        conn.execute_batch(step.sql).unwrap();
    }
}
