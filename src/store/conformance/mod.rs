//! What every book must do, whatever it is kept on: tests against `dyn Store`, run for each kind of book.

mod cards;
mod charging;
mod erasing;
mod glances;
mod messages;
mod people;
mod reading;
pub(crate) mod samples;
mod webhooks;

use super::Store;
use super::sqlite::{OpenOptions, SqliteStore};

/// Runs one test for a book in memory and for one in a file.
fn on_every_book(test: fn(&mut dyn Store)) {
    test(&mut SqliteStore::in_memory().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let options = OpenOptions { create: true, ..OpenOptions::default() };
    let mut store = SqliteStore::open(&folder.path().join("dues.db"), options).unwrap();
    test(&mut store);
    // Whatever a test did, the book it leaves behind is whole.
    assert_eq!(store.verify(&mut |_, _| ()).unwrap(), Vec::<String>::new());
}

/// Names tests that run on every book.
macro_rules! conform {
    ($($name:ident),+ $(,)?) => {$(
        #[test]
        fn $name() {
            crate::store::conformance::on_every_book(super::$name);
        }
    )+};
}
use conform;
