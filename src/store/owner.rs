//! Whose the files beside a book are: one that root makes is given to the owner of the book, whose commands would be
//! refused by it otherwise.
//!
//! Promises: only what was made here is ever given away, never a file that was found, nor what a link leads to. Must
//! never know: what the files hold.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::Path;

/// Opens the file at `path` beside `book`. Where there is none it is made, for its owner's eyes alone; who that is
/// follows the book, if there is one yet.
///
/// # Errors
/// What the system said of opening or making it.
pub fn open_beside(book: &Path, path: &Path, options: &OpenOptions) -> io::Result<File> {
    match options.clone().create_new(true).mode(0o600).open(path) {
        Ok(made) => {
            give(&made, book);
            Ok(made)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            options.clone().create(true).mode(0o600).open(path)
        }
        Err(error) => Err(error),
    }
}

/// Gives a file that was made here to the owner of the book, if there is one yet. Whoever is not root cannot give
/// anything away, and has nothing of another's book open.
pub(super) fn give(made: &File, book: &Path) {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let Ok(of_book) = fs::metadata(book) else { return };
    if let Err(error) = fchown(made, Some(of_book.uid()), Some(of_book.gid())) {
        tracing::warn!(%error, book = %book.display(), "a file beside the book stays root's");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::{OpenOptions as OpenBook, SqliteStore, restore};
    use crate::store::{ChargingLock, Store as _, witness};

    #[test]
    fn what_root_makes_beside_a_book_is_its_owners() {
        let folder = tempfile::tempdir().unwrap();
        let book = folder.path().join("dues.db");
        fs::write(&book, "a book").unwrap();
        // Whoever is not root owns all of it from the start.
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(&book, Some(12_345), Some(12_346)).unwrap();
        }
        let owner = |name: &str| {
            let of = fs::metadata(folder.path().join(name)).unwrap();
            (of.uid(), of.gid())
        };
        drop(ChargingLock::take(&book).unwrap());
        assert_eq!(owner("dues.db.lock"), owner("dues.db"));
        let facts = SqliteStore::in_memory().unwrap().facts().unwrap();
        // What a run left half done belongs to whoever made it, and is not what the next one is written into.
        fs::write(folder.path().join("dues.db.witness-half"), "half").unwrap();
        witness::write(&book, &facts).unwrap();
        assert_eq!(owner("dues.db.witness"), owner("dues.db"));
    }

    #[test]
    fn a_book_that_root_puts_back_has_the_owner_of_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let (book, copy) = (folder.path().join("dues.db"), folder.path().join("copy.db"));
        let options = OpenBook { create: true, ..OpenBook::default() };
        SqliteStore::open(&book, options).unwrap().backup(&copy, &mut |_, _| ()).unwrap();
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(&book, Some(12_345), Some(12_346)).unwrap();
        }
        let before = fs::metadata(&book).unwrap();
        let restored = restore(&copy, &book).unwrap();
        assert!(restored.replaced.is_some());
        let after = fs::metadata(&book).unwrap();
        assert_eq!((after.uid(), after.gid()), (before.uid(), before.gid()));
    }

    #[test]
    fn what_was_found_is_opened_and_never_given_away() {
        let folder = tempfile::tempdir().unwrap();
        let (book, found) = (folder.path().join("dues.db"), folder.path().join("found"));
        fs::write(&book, "a book").unwrap();
        fs::write(&found, "text").unwrap();
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(&book, Some(12_345), Some(12_346)).unwrap();
        }
        let before = fs::metadata(&found).unwrap();
        for name in ["found", "link"] {
            let path = folder.path().join(name);
            if name == "link" {
                std::os::unix::fs::symlink(&found, &path).unwrap();
            }
            open_beside(&book, &path, OpenOptions::new().append(true)).unwrap();
            let after = fs::metadata(&path).unwrap();
            assert_eq!((after.uid(), after.len()), (before.uid(), 4), "{name}");
        }
    }
}
