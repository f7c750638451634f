//! Opening: every file that is not a book of ours, or cannot be used, is refused with its own sentence.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use super::super::{SqliteStore, beside};
use super::*;
use crate::store::conformance::samples::*;
use crate::store::{Store as _, StoreError, witness};

fn refused(path: &Path, options: OpenOptions) -> StoreError {
    match SqliteStore::open(path, options) {
        Ok(_) => panic!("{} was opened", path.display()),
        Err(error) => error,
    }
}

fn found(error: StoreError) -> String {
    match error {
        StoreError::Foreign { found, .. } => found,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_book_is_made_only_where_one_is_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dues.db");
    assert_eq!(found(refused(&path, OpenOptions::default())), "no file");
    fs::write(&path, "").unwrap();
    assert_eq!(found(refused(&path, OpenOptions::default())), "an empty file");
    drop(SqliteStore::open(&path, CREATE()).unwrap());
    SqliteStore::open(&path, OpenOptions::default()).unwrap();
    assert_eq!(found(refused(folder.path(), CREATE())), "a folder or device");
    let nowhere = folder.path().join("no/such/folder/dues.db");
    assert!(refused(&nowhere, CREATE()).to_string().contains("no such folder"));
}

#[test]
fn files_of_others_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text.db");
    fs::write(&text, "customer,plan\n".repeat(100)).unwrap();
    assert_eq!(found(refused(&text, CREATE())), "another kind of file");
    let other = folder.path().join("other.db");
    raw(&other).execute_batch("CREATE TABLE t (x)").unwrap();
    let before = fs::read(&other).unwrap();
    assert!(found(refused(&other, CREATE())).contains("another program"));
    assert_eq!(fs::read(&other).unwrap(), before);
}

#[test]
fn a_newer_book_is_refused() {
    let (_folder, path, store) = new_book();
    drop(store);
    raw(&path).execute_batch("PRAGMA user_version = 99").unwrap();
    assert_eq!(
        refused(&path, CREATE()),
        StoreError::Newer {
            path,
            found: 99,
            known: super::super::schema::newest(super::super::schema::MIGRATIONS)
        }
    );
}

#[test]
fn a_damaged_book_is_refused_or_told() {
    let (_folder, path, mut store) = new_book();
    fill(&mut store, 200);
    drop(store);
    let mut bytes = fs::read(&path).unwrap();
    let end = bytes.len();
    bytes[8_192..end].fill(0xa5);
    fs::write(&path, &bytes).unwrap();
    let error = match SqliteStore::open(&path, CREATE()) {
        Err(error) => error,
        Ok(mut store) => store.list_subscriptions(&crate::store::Filter::default(), 0, 10).unwrap_err(),
    };
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
}

#[test]
fn files_are_for_their_owner_alone() {
    let (_folder, path, mut store) = new_book();
    begin(&mut store);
    for file in [
        path.clone(),
        super::super::with_end(&path, "-wal"),
        beside(&path, "reserve"),
        beside(&path, "witness"),
    ] {
        let mode = fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", file.display());
    }
}

#[test]
fn others_who_write_are_waited_for_and_no_longer() {
    let (_folder, path, store) = new_book();
    drop(store);
    let other = raw(&path);
    let hasty = OpenOptions { busy_wait: Duration::from_millis(20), ..OpenOptions::default() };
    let mut store = SqliteStore::open(&path, hasty).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(matches!(store.bind_mode(false), Err(StoreError::Busy { .. })));
    assert!(matches!(store.commit(&[crate::model::Transition::default()]), Err(StoreError::Busy { .. })));
    assert!(store.facts().is_ok(), "reading waits for nobody");
    assert!(SqliteStore::open(&path, hasty).is_ok(), "nor does opening");
    other.execute_batch("ROLLBACK").unwrap();
    store.bind_mode(false).unwrap();
}

#[test]
fn a_book_that_may_only_be_read_is_read() {
    let (folder, path, mut store) = new_book();
    fill(&mut store, 2);
    let reader = OpenOptions { read_only: true, ..OpenOptions::default() };
    let mut beside_a_writer = SqliteStore::open(&path, reader).unwrap();
    assert_eq!(beside_a_writer.count_due(at(0)).unwrap(), 2);
    assert!(matches!(beside_a_writer.bind_mode(true), Err(StoreError::ReadOnly { .. })));
    drop((store, beside_a_writer));
    let files = || fs::read_dir(folder.path()).unwrap().count();
    let before = files();
    let mut alone = SqliteStore::open(&path, reader).unwrap();
    assert_eq!(alone.count_due(at(0)).unwrap(), 2);
    drop(alone);
    assert_eq!(files(), before, "reading leaves no file behind");
    assert_eq!(
        found(refused(&folder.path().join("none.db"), OpenOptions { create: true, ..reader })),
        "no file"
    );
}

#[test]
fn every_connection_is_set_for_money() {
    let (_folder, _path, store) = new_book();
    let number = |pragma: &str| store.0.conn.query_row(pragma, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(number("PRAGMA synchronous"), 2, "FULL");
    assert_eq!(number("PRAGMA foreign_keys"), 1);
    assert_eq!(number("PRAGMA trusted_schema"), 0);
    assert_eq!(number("PRAGMA busy_timeout"), 10_000);
    assert_eq!(number("PRAGMA application_id"), 0x6475_6573);
    let mode: String = store.0.conn.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
    assert!(store.0.conn.execute_batch("PRAGMA writable_schema = ON; DELETE FROM sqlite_schema").is_err());
}

#[test]
fn two_books_have_two_names() {
    let (_a, _, mut one) = new_book();
    let (_b, _, mut two) = new_book();
    assert_ne!(one.facts().unwrap().installation, two.facts().unwrap().installation);
    let id = |store: &mut SqliteStore| store.next_subscription_id(&customer(1), at(0)).unwrap();
    assert_ne!(id(&mut one), id(&mut two));
}

#[test]
fn an_older_copy_put_back_is_noticed() {
    let (folder, path, mut store) = new_book();
    fill(&mut store, 1);
    assert_eq!(witness::check(&path, &store.facts().unwrap()), Ok(()), "no witness yet");
    witness::begin(&path, &store.facts().unwrap()).unwrap();
    assert!(beside(&path, "witness").exists(), "before the first epoch");
    begin(&mut store);
    let copy = folder.path().join("copy.db");
    store.backup(&copy, &mut |_, _| ()).unwrap();
    begin(&mut store);
    assert_eq!(witness::check(&path, &store.facts().unwrap()), Ok(()));
    drop(store);
    fs::copy(&copy, &path).unwrap();
    let mut older = SqliteStore::open(&path, OpenOptions::default()).unwrap();
    let sentence = witness::check(&path, &older.facts().unwrap()).unwrap_err();
    assert!(sentence.contains("older copy"), "{sentence}");
    let facts = older.facts().unwrap();
    witness::write(&path, &facts).unwrap();
    assert_eq!(witness::check(&path, &facts), Ok(()));
    drop(older);
    let (_other_folder, other, mut stranger) = new_book();
    begin(&mut stranger);
    drop(stranger);
    fs::copy(&other, &path).unwrap();
    let mut stranger = SqliteStore::open(&path, OpenOptions::default()).unwrap();
    assert!(witness::check(&path, &stranger.facts().unwrap()).unwrap_err().contains("wanted book"));
    fs::write(beside(&path, "witness"), "gibberish").unwrap();
    assert!(witness::check(&path, &stranger.facts().unwrap()).is_err());
}

#[test]
fn a_book_that_has_charged_has_a_witness() {
    let (_folder, path, mut store) = new_book();
    begin(&mut store);
    fs::remove_file(beside(&path, "witness")).unwrap();
    let facts = store.facts().unwrap();
    let sentence = witness::check(&path, &facts).unwrap_err();
    assert!(sentence.contains("no witness") && sentence.contains("`dues adopt`"), "{sentence}");
    witness::begin(&path, &facts).unwrap();
    assert!(
        witness::check(&path, &facts).is_err(),
        "only a book that nobody charged from gets one by itself"
    );
    begin(&mut store);
    assert_eq!(
        witness::check(&path, &store.facts().unwrap()),
        Ok(()),
        "taking the book, as adopting does, writes it"
    );
}

#[test]
fn no_book_is_made_beside_a_witness() {
    let (_folder, path, mut store) = new_book();
    begin(&mut store);
    drop(store);
    fs::remove_file(&path).unwrap();
    let reader = OpenOptions { read_only: true, ..OpenOptions::default() };
    for options in [CREATE(), OpenOptions::default(), reader] {
        let Some(StoreError::Other { what, .. }) = SqliteStore::open(&path, options).err() else {
            panic!("{options:?} opened a book")
        };
        assert!(what.contains("witness") && what.contains("restore"), "{what}");
        assert!(!path.exists());
    }
    fs::write(&path, "").unwrap();
    assert!(SqliteStore::open(&path, CREATE()).is_err(), "an empty file is no book either");
    fs::remove_file(&path).unwrap();
    fs::remove_file(beside(&path, "witness")).unwrap();
    SqliteStore::open(&path, CREATE()).unwrap();
}
