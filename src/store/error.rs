//! What the book refuses, and why.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why one transition of a batch was refused; the others are not affected.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// A row moved since it was read: decide again from a fresh snapshot.
    #[error("{0} changed meanwhile")]
    Conflict(String),
    /// Another process charges now: stop.
    #[error("another process holds the charging lock of this book (epoch {found}, ours {ours})")]
    Fenced {
        /// In the book.
        found: i64,
        /// Of the transition.
        ours: i64,
    },
    /// The schema refused it: a fault of ours, never retried.
    #[error("the book refused a write that breaks its rules: {0}")]
    Constraint(String),
}

/// Why the book as a whole refused; nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StoreError {
    /// Another process is charging.
    #[error(
        "{path}: found the charging lock held by process {holder}, wanted it free; wait for it to end, or stop it"
    )]
    InUse {
        /// The lock file.
        path: PathBuf,
        /// Its process id, or `unknown`.
        holder: String,
        /// The holder is a daemon: it stays, and takes requests.
        stays: bool,
    },
    /// Others wrote for longer than the wait.
    #[error("{path}: another program kept the book locked for {waited_s} s; try again")]
    Busy {
        /// The book.
        path: PathBuf,
        /// How long we waited.
        waited_s: u64,
    },
    /// None where one is only read.
    #[error(
        "{path}: found no book, wanted one: `dues run-now`, `daemon`, `subscribe`, `import` and `plans apply` make it; is \
         this the right --config, with the right [store] path?"
    )]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// Not a file of ours.
    #[error("{path}: found {found}, wanted a dues book")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is.
        found: String,
    },
    /// Made by a newer program.
    #[error(
        "{path}: found book schema {found}, wanted at most {known}; install the newer dues, or restore an older backup"
    )]
    Newer {
        /// The book.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest this program knows.
        known: i64,
    },
    /// Bound to the other kind of keys.
    #[error(
        "found {found} keys, wanted {wanted} keys: this book was made with {wanted} keys and never mixes them; use another [store] path"
    )]
    WrongMode {
        /// `live` or `test`.
        found: &'static str,
        /// `live` or `test`.
        wanted: &'static str,
    },
    /// No room left.
    #[error("{path}: the disk is full; free some space, nothing was written")]
    Full {
        /// The book.
        path: PathBuf,
    },
    /// May not write.
    #[error("{path}: cannot be written ({why}); give the dues user write access to the file and its folder")]
    ReadOnly {
        /// The book.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// No folder to make it in.
    #[error("{path}: found {found}, wanted a folder for the book; is this the right [store] path?")]
    NoFolder {
        /// What stands in the place of the folder, or of one above it.
        path: PathBuf,
        /// What it is.
        found: String,
    },
    /// Damaged.
    #[error(
        "{path}: the book is damaged ({what}); stop, keep the file, and restore a backup with `dues restore`"
    )]
    Corrupt {
        /// The book.
        path: PathBuf,
        /// What SQLite said.
        what: String,
    },
    /// On a file system that several hosts share.
    #[error("{path}: found a {kind} file system, wanted a local disk: locks do not hold over a network")]
    NetworkFileSystem {
        /// The book.
        path: PathBuf,
        /// Which kind.
        kind: String,
    },
    /// An id that exists already.
    #[error("{what} {id} exists already")]
    Exists {
        /// What kind of thing.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// A customer whose billing has not come to its end.
    #[error("customer {customer}: found {found}, wanted all of it at its end; nothing was blanked")]
    Unsettled {
        /// Which.
        customer: String,
        /// What stands in the way.
        found: &'static str,
    },
    /// An older copy: the provider has a charge of this book that the book does not.
    #[error(
        "found an older copy of the book, wanted one that has every charge of its own: the provider has {found}; nothing was \
         charged; run `dues adopt` once you know that this is the book to charge from"
    )]
    Behind {
        /// The first such charge, and what the book has instead.
        found: String,
    },
    /// A value in the book that no type of ours can hold.
    #[error("{table} {row}: found {found:?}, wanted {wanted}; run `dues check`")]
    Nonsense {
        /// Which table.
        table: &'static str,
        /// Which row.
        row: String,
        /// What was found.
        found: String,
        /// What was wanted.
        wanted: &'static str,
    },
    /// Anything else the system said.
    #[error("{path}: {what}")]
    Other {
        /// The file.
        path: PathBuf,
        /// What was said.
        what: String,
    },
}

impl StoreError {
    /// What the system said when the book, a file beside it or its folder was to be written or made at `path`.
    pub fn unwritable(path: &Path, error: &io::Error) -> Self {
        let path = path.to_owned();
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full { path },
            ErrorKind::PermissionDenied => {
                let user = rustix::process::geteuid().as_raw();
                Self::ReadOnly { path, why: format!("{error}, as user {user}") }
            }
            _ => Self::ReadOnly { path, why: error.to_string() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_not_a_lack_of_rights() {
        let of =
            |kind: ErrorKind| StoreError::unwritable(Path::new("dues.db.lock"), &kind.into()).to_string();
        for kind in [ErrorKind::StorageFull, ErrorKind::QuotaExceeded] {
            assert_eq!(of(kind), "dues.db.lock: the disk is full; free some space, nothing was written");
        }
        let denied = of(ErrorKind::PermissionDenied);
        assert!(
            denied.starts_with("dues.db.lock: cannot be written (permission denied, as user "),
            "{denied}"
        );
    }
}
