//! Copies of the book: made while others write, and put back.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::super::{StoreError, owner};
use super::fault::{Fault, Outcome};
use super::open::{self, OpenOptions};
use super::schema::{self, Found};
use crate::hooks::kill_point;
use crate::model::Installation;

/// Pages copied between two words about progress: 4 MiB, some milliseconds.
const PAGES_PER_STEP: i32 = 1_024;
/// Waits for a locked book, a millisecond each, before giving up.
const MOST_WAITS: u32 = 10_000;
/// A book, its journal and that one's index.
const PARTS: [&str; 3] = ["", "-wal", "-shm"];
/// Replaced books kept beside one.
const MOST_REPLACED: u32 = 1_000;

fn other(path: &Path, what: impl std::fmt::Display) -> StoreError {
    StoreError::Other { path: path.into(), what: what.to_string() }
}

/// Copies the book's file to a new one, readable by its owner alone, and durable once this returns.
/// `progress`: pages done, total.
pub(super) fn copy_file(from: &Path, to: &Path, progress: &mut dyn FnMut(u64, u64)) -> Outcome<()> {
    let source = Connection::open_with_flags(
        from,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    source.busy_timeout(Duration::from_secs(10))?;
    copy(&source, to, progress)
}

/// Copies an open book to a new file. One read transaction holds the whole copy to one moment, so that writers
/// beside it do not make it start over.
pub(super) fn copy(source: &Connection, to: &Path, progress: &mut dyn FnMut(u64, u64)) -> Outcome<()> {
    let file = open::create_private(to)?;
    let alone = source.is_autocommit();
    if alone {
        source.execute_batch("BEGIN DEFERRED; SELECT count(*) FROM sqlite_schema")?;
    }
    let copied = copy_into(source, to, progress);
    if alone {
        source.execute_batch("COMMIT")?;
    }
    if copied.is_err() {
        let _ = fs::remove_file(to);
        return copied;
    }
    file.sync_all().map_err(|e| other(to, e))?;
    open::sync_folder(to)?;
    copied
}

fn copy_into(source: &Connection, to: &Path, progress: &mut dyn FnMut(u64, u64)) -> Outcome<()> {
    let mut target =
        Connection::open_with_flags(to, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    {
        let backup = Backup::new(source, &mut target)?;
        let mut waits = 0;
        loop {
            let step = backup.step(PAGES_PER_STEP)?;
            let pages = backup.progress();
            let (total, left) =
                (u64::from(pages.pagecount.unsigned_abs()), u64::from(pages.remaining.unsigned_abs()));
            progress(total.saturating_sub(left), total);
            match step {
                StepResult::Done => break,
                StepResult::More => {}
                _ if waits >= MOST_WAITS => {
                    return Err(StoreError::Busy { path: to.into(), waited_s: 10 }.into());
                }
                _ => {
                    waits += 1;
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
        }
    }
    // A copy is one file, not three: it leaves the write-ahead mode, which opening it as a book brings back.
    target.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
    target.close().map_err(|(_, error)| Fault::Sql(error))
}

/// Puts a backup in the place of the book at `to`, which nobody may have open: the caller holds the charging lock.
///
/// The backup is checked first. What was at `to` is kept as `<book>.replaced`, or, since nothing that was kept is ever
/// overwritten, `<book>.replaced.2` and so on. The new book is bound to no host, so that nothing is charged from it
/// before `dues adopt` compared it with the provider's own list.
pub fn restore(from: &Path, to: &Path) -> Result<Restored, StoreError> {
    restore_from(from, to).map_err(|fault| fault.into_store(to, 10))
}

/// What was put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// Whose book it is.
    pub installation: Installation,
    /// Where the book lies that was there before; `None`: there was none.
    pub replaced: Option<PathBuf>,
}

fn restore_from(from: &Path, to: &Path) -> Outcome<Restored> {
    super::disk::refuse_shared(to)?;
    check(from)?;
    let half = super::beside(to, "restoring");
    match fs::remove_file(&half) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(other(&half, e).into()),
        _ => {}
    }
    copy_file(from, &half, &mut |_, _| ())?;
    // Whoever runs the service must not be shut out of the book by who put it back.
    owner::give(&File::open(&half).map_err(|e| other(&half, e))?, to);
    let made = unbind(&half)
        .and_then(|installation| put_in_place(&half, to).map(|replaced| Restored { installation, replaced }));
    if made.is_err() {
        let _ = fs::remove_file(&half);
    }
    made
}

/// Refuses a file that is not a healthy book of a schema that this program knows.
pub fn check_copy(path: &Path) -> Result<(), StoreError> {
    check(path).map_err(|fault| fault.into_store(path, 0))
}

/// A healthy book of a schema that this program knows, or refused.
fn check(from: &Path) -> Outcome<()> {
    if !from.is_file() {
        return Err(StoreError::Foreign { path: from.into(), found: "no file".into() }.into());
    }
    let conn =
        Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .map_err(|e| Fault::from(e).into_store(from, 0))?;
    let looked = schema::look(&conn).map_err(|fault| fault.into_store(from, 0))?;
    let known = schema::newest(schema::MIGRATIONS);
    match looked {
        Found::Book(found) if found > known => {
            return Err(StoreError::Newer { path: from.into(), found, known }.into());
        }
        Found::Book(_) => {}
        Found::Blank => {
            return Err(StoreError::Foreign { path: from.into(), found: "an empty file".into() }.into());
        }
        Found::Foreign(found) => return Err(StoreError::Foreign { path: from.into(), found }.into()),
    }
    let health: String = conn.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if health == "ok" { Ok(()) } else { Err(StoreError::Corrupt { path: from.into(), what: health }.into()) }
}

fn unbind(copy: &Path) -> Outcome<Installation> {
    let options = OpenOptions { create: false, read_only: false, ..OpenOptions::default() };
    let book = open::open_alone(copy, &options)?;
    book.conn.execute("UPDATE book SET machine = NULL, path = NULL", [])?;
    let installation = book.installation;
    book.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    book.conn.close().map_err(|(_, error)| Fault::Sql(error))?;
    Ok(installation)
}

/// Where the old book lies now; `None`: there was none.
fn put_in_place(half: &Path, to: &Path) -> Outcome<Option<PathBuf>> {
    File::open(half).and_then(|file| file.sync_all()).map_err(|e| other(half, e))?;
    let aside = if to.exists() { Some(free_name(to)?) } else { None };
    if let Some(aside) = &aside {
        // The old book goes aside with what its journal still holds, under names that belong together.
        for part in PARTS {
            let (old, kept) = (joined(to, part), joined(aside, part));
            if old.exists() {
                kill_point("restore.before_rename");
                fs::rename(&old, &kept).map_err(|e| other(&old, e))?;
                kill_point("restore.aside");
            }
        }
    }
    for part in ["-wal", "-shm"] {
        // A journal without its book would be taken for the new one's.
        let _ = fs::remove_file(joined(to, part));
        let _ = fs::remove_file(joined(half, part));
    }
    kill_point("restore.before_rename");
    fs::rename(half, to).map_err(|e| other(to, e))?;
    kill_point("restore.in_place");
    open::sync_folder(to)?;
    Ok(aside)
}

/// A name for the book that goes aside at which nothing lies yet: what was kept may be the only good one.
fn free_name(book: &Path) -> Outcome<PathBuf> {
    let names = (1..=MOST_REPLACED)
        .map(|n| super::beside(book, &if n == 1 { "replaced".to_owned() } else { format!("replaced.{n}") }));
    let is_free = |name: &PathBuf| PARTS.iter().all(|part| fs::symlink_metadata(joined(name, part)).is_err());
    let full = || {
        let what = format!(
            "found {MOST_REPLACED} books that were replaced, wanted a free name; move some of them away"
        );
        Fault::from(other(book, what))
    };
    names.into_iter().find(is_free).ok_or_else(full)
}

fn joined(path: &Path, end: &str) -> PathBuf {
    let mut text: OsString = path.as_os_str().to_owned();
    text.push(end);
    text.into()
}
