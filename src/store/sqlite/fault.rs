//! What can go wrong while the book is read or written, and what each of SQLite's answers means to us.
//!
//! Promises: every answer of SQLite ends as one `StoreError` or one `Refusal`.
//! Must never know: what a transition means.

use std::path::Path;

use rusqlite::ErrorCode;

use super::super::{Refusal, StoreError};

/// Inside the room: why a step failed.
#[derive(Debug)]
pub(super) enum Fault {
    /// SQLite said so.
    Sql(rusqlite::Error),
    /// The book as a whole refuses.
    Store(StoreError),
    /// One transition is refused.
    Refused(Refusal),
}

pub(super) type Outcome<T> = Result<T, Fault>;

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Fault {
    /// A row moved since it was read, or is there already.
    pub(super) fn conflict(which: impl std::fmt::Display) -> Self {
        Self::Refused(Refusal::Conflict(which.to_string()))
    }

    /// A write that breaks a rule of ours.
    pub(super) fn broken(what: impl Into<String>) -> Self {
        Self::Refused(Refusal::Constraint(what.into()))
    }

    /// Whether the disk is full.
    pub(super) fn is_full(&self) -> bool {
        match self {
            Self::Sql(error) => is_full(error),
            Self::Store(error) => matches!(error, StoreError::Full { .. }),
            Self::Refused(_) => false,
        }
    }

    /// Whether the schema refused a write, which fails one transition and not the book.
    pub(super) fn is_refusal(&self) -> bool {
        match self {
            Self::Sql(error) => error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation),
            Self::Store(_) => false,
            Self::Refused(_) => true,
        }
    }

    /// Whether SQLite refused a row because its key, or a unique value of it, is there already.
    pub(super) fn is_duplicate(&self) -> bool {
        let Self::Sql(rusqlite::Error::SqliteFailure(code, _)) = self else { return false };
        matches!(
            code.extended_code,
            rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE
                | rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY
                | rusqlite::ffi::SQLITE_CONSTRAINT_ROWID
        )
    }

    /// As the refusal of one transition.
    pub(super) fn into_refusal(self) -> Refusal {
        match self {
            Self::Refused(refusal) => refusal,
            Self::Sql(error) => Refusal::Constraint(said(&error)),
            Self::Store(error) => Refusal::Constraint(error.to_string()),
        }
    }

    /// As the refusal of the whole book at `path`, where `waited_s` was the busy wait.
    pub(super) fn into_store(self, path: &Path, waited_s: u64) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Refused(refusal) => StoreError::Other { path: path.into(), what: refusal.to_string() },
            Self::Sql(error) => of_sql(&error, path, waited_s),
        }
    }
}

fn is_full(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DiskFull)
}

/// What SQLite said, in its own words.
fn said(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(_, Some(message)) => message.clone(),
        other => other.to_string(),
    }
}

fn of_sql(error: &rusqlite::Error, path: &Path, waited_s: u64) -> StoreError {
    let path = path.to_path_buf();
    let what = said(error);
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy { path, waited_s },
        Some(ErrorCode::DiskFull) => StoreError::Full { path },
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            StoreError::ReadOnly { path, why: what }
        }
        Some(ErrorCode::DatabaseCorrupt) => StoreError::Corrupt { path, what },
        Some(ErrorCode::NotADatabase) => StoreError::Foreign { path, found: "another kind of file".into() },
        // A write that the file system cut short is a full disk in another word: look at the disk itself.
        Some(ErrorCode::SystemIoFailure) if has_no_room(&path) => StoreError::Full { path },
        _ => StoreError::Other { path, what },
    }
}

/// Whether the file system of `path` has not even one block left for us.
fn has_no_room(path: &Path) -> bool {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    rustix::fs::statvfs(folder).is_ok_and(|disk| disk.f_bavail == 0)
}
