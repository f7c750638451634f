//! Copies of the book: made under another name, looked through, then named; and of those that the service makes by
//! itself the oldest removed.
//!
//! Promises: a file with a backup's name is a whole and healthy book; nothing that lies at that name is replaced; only
//! files with names of the service's own are ever removed. It blocks, for as long as reading the book twice takes. Must
//! never know: when a copy is wished.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use tokio::sync::oneshot;

use crate::config::BackupSettings;
use crate::store::sqlite::{self, OpenOptions, SqliteStore};
use crate::store::{Store as _, StoreError};

/// The instant in a backup's name, in UTC, so that names sort as they were made.
const STAMP: &str = "%Y%m%dT%H%M%SZ";
const STAMP_LONG: usize = 16;
/// The end of a finished backup's name.
const DONE: &str = ".db";
/// And of one under way.
const HALF: &str = ".half";

/// What a backup came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupMade {
    /// The new file.
    pub file: PathBuf,
    /// Its length.
    pub bytes: u64,
    /// Older ones that were removed.
    pub removed: usize,
}

/// Makes backups of one book in one folder.
#[derive(Clone, Debug)]
pub struct Backups {
    book: PathBuf,
    folder: PathBuf,
    keep: usize,
}

fn other(path: &Path, error: &std::io::Error) -> StoreError {
    match error.kind() {
        ErrorKind::StorageFull => StoreError::Full { path: path.into() },
        _ => StoreError::Other { path: path.into(), what: error.to_string() },
    }
}

/// Copies the book to a file, while others write to the book: as `<file>.half` until that was looked through.
/// `progress`: pages done, total. Returns the copy's length in bytes.
///
/// # Errors
/// When something lies at either name, when the copy cannot be made, or when it is not a healthy book: then nothing is
/// left of it.
pub fn copy_book(book: &Path, file: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<u64, StoreError> {
    if fs::symlink_metadata(file).is_ok() {
        return Err(StoreError::Exists { what: "file", id: file.display().to_string() });
    }
    let mut half = file.as_os_str().to_owned();
    half.push(HALF);
    copy(book, Path::new(&half), file, progress).map_err(|error| match error {
        StoreError::Exists { .. } => StoreError::Other {
            path: half.clone().into(),
            what: "found a copy under way, or one that was broken off: remove it where no other backup runs"
                .into(),
        },
        other => other,
    })
}

/// Under another name until it is known to be good; the copy itself is durable when it is made.
fn copy(
    book: &Path,
    half: &Path,
    file: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<u64, StoreError> {
    let options = OpenOptions { create: false, read_only: true, ..OpenOptions::default() };
    // One that fails removes what it began, and only that.
    SqliteStore::open(book, options)?.backup(half, progress)?;
    let named = look_through(book, half).and_then(|bytes| {
        rename_to_free(half, file).map_err(|error| other(file, &error))?;
        sync(folder_of(file))?;
        Ok(bytes)
    });
    if named.is_err() {
        let _ = fs::remove_file(half);
    }
    named
}

/// The length of a healthy copy. One that is damaged is not kept, so it is the book that is told of.
fn look_through(book: &Path, half: &Path) -> Result<u64, StoreError> {
    sqlite::check_copy(half).map_err(|error| match error {
        StoreError::Corrupt { what, .. } => {
            let what = format!("found in its copy: {}", what.replace('\n', ", "));
            StoreError::Corrupt { path: book.to_owned(), what }
        }
        other => other,
    })?;
    Ok(fs::metadata(half).map_err(|error| other(half, &error))?.len())
}

/// Never in the place of something that came there meanwhile, where the file system can promise that.
fn rename_to_free(half: &Path, file: &Path) -> io::Result<()> {
    match renameat_with(CWD, half, CWD, file, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS) => fs::rename(half, file),
        renamed => Ok(renamed?),
    }
}

fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes names durable.
fn sync(folder: &Path) -> Result<(), StoreError> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|error| other(folder, &error))
}

impl Backups {
    /// Of the book at that path.
    pub fn new(book: &Path, wishes: &BackupSettings) -> Self {
        Self { book: book.to_owned(), folder: wishes.folder.clone(), keep: wishes.keep }
    }

    /// The same on a thread of its own. Who does not wait for it to the end leaves nothing behind that has a backup's
    /// name.
    pub async fn make_aside(self, now: Timestamp) -> Result<BackupMade, StoreError> {
        let path = self.book.clone();
        let broke = |what: String| StoreError::Other { path: path.clone(), what };
        let (answer, answered) = oneshot::channel();
        let copy = move || {
            // Whoever asked may have gone.
            let _ = answer.send(self.make(now));
        };
        let thread = std::thread::Builder::new().name("backup".into());
        thread.spawn(copy).map_err(|why| broke(format!("the backup got no thread ({why})")))?;
        answered.await.unwrap_or_else(|_| Err(broke("the backup's thread broke off".into())))
    }

    /// Copies the book while others write to it, and removes the oldest copies beyond those that are kept.
    ///
    /// # Errors
    /// When the copy cannot be made, or is not a healthy book; older copies are then left alone.
    pub fn make(&self, now: Timestamp) -> Result<BackupMade, StoreError> {
        fs::create_dir_all(&self.folder).map_err(|error| other(&self.folder, &error))?;
        self.remove_all(&self.named(HALF)?)?;
        let stamp = now.to_zoned(TimeZone::UTC).strftime(STAMP).to_string();
        let name = format!("{}{stamp}", self.beginning());
        let (half, file) =
            (self.folder.join(format!("{name}{HALF}")), self.folder.join(format!("{name}{DONE}")));
        let bytes = copy(&self.book, &half, &file, &mut |_, _| ())?;
        let mut all = self.named(DONE)?;
        all.truncate(all.len().saturating_sub(self.keep.max(1)));
        self.remove_all(&all)?;
        Ok(BackupMade { file, bytes, removed: all.len() })
    }

    /// What the names of this book's copies begin with: `dues-` for `dues.db`.
    fn beginning(&self) -> String {
        let stem = self.book.file_stem().unwrap_or_default();
        format!("{}-", stem.to_string_lossy())
    }

    /// Files of the folder whose names are those of copies of this book with that end, the oldest first.
    fn named(&self, end: &str) -> Result<Vec<PathBuf>, StoreError> {
        let beginning = self.beginning();
        let is_ours = |name: &str| {
            let stamp = name.strip_prefix(&beginning).and_then(|rest| rest.strip_suffix(end));
            stamp.is_some_and(|stamp| {
                stamp.len() == STAMP_LONG && jiff::civil::DateTime::strptime(STAMP, stamp).is_ok()
            })
        };
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(|error| other(&self.folder, &error))? {
            let entry = entry.map_err(|error| other(&self.folder, &error))?;
            if entry.file_name().to_str().is_some_and(is_ours) {
                found.push(entry.path());
            }
        }
        found.sort();
        Ok(found)
    }

    fn remove_all(&self, files: &[PathBuf]) -> Result<(), StoreError> {
        for file in files {
            fs::remove_file(file).map_err(|error| other(file, &error))?;
        }
        if files.is_empty() { Ok(()) } else { sync(&self.folder) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_320_000 + second).unwrap()
    }

    /// A book in a folder, and its copies in another.
    fn scene(keep: usize) -> (tempfile::TempDir, Backups) {
        let folder = tempfile::tempdir().unwrap();
        let book = folder.path().join("dues.db");
        SqliteStore::open(&book, OpenOptions { create: true, ..OpenOptions::default() }).unwrap();
        let backups = Backups::new(&book, &BackupSettings { folder: folder.path().join("copies"), keep });
        (folder, backups)
    }

    fn names(backups: &Backups) -> Vec<String> {
        let entries = fs::read_dir(&backups.folder).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn the_newest_copies_are_kept_and_strangers_are_left_alone() {
        let (_folder, backups) = scene(2);
        fs::create_dir(&backups.folder).unwrap();
        let strangers =
            ["dues-2026.db", "dues-20261121T020000Z.db.bak", "other-20200101T000000Z.db", "notes.txt"];
        for name in strangers {
            fs::write(backups.folder.join(name), "mine").unwrap();
        }
        // What a copy that was broken off leaves behind goes with the next.
        fs::write(backups.folder.join("dues-20200101T000000Z.half"), "").unwrap();
        let made: Vec<_> = (0..4).map(|n| backups.make(at(n * 60)).unwrap()).collect();
        assert_eq!(made.iter().map(|made| made.removed).collect::<Vec<_>>(), [0, 0, 1, 1]);
        let mut wanted: Vec<String> = strangers.map(str::to_owned).into();
        wanted
            .extend(made[2..].iter().map(|made| made.file.file_name().unwrap().to_str().unwrap().to_owned()));
        wanted.sort();
        assert_eq!(names(&backups), wanted);
        assert!(made[3].bytes > 0);
        let mut copy = SqliteStore::open(&made[3].file, OpenOptions::default()).unwrap();
        assert_eq!(copy.verify(&mut |_, _| ()).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_copy_that_cannot_be_made_removes_nothing() {
        let (folder, backups) = scene(1);
        let first = backups.make(at(0)).unwrap();
        let broken = Backups { book: folder.path().join("no.db"), ..backups.clone() };
        assert!(broken.make(at(60)).is_err());
        // A damaged book makes no backup: the copy is looked through before it is named.
        let path = folder.path().join("dues.db");
        let mut bytes = fs::read(&path).unwrap();
        let end = bytes.len();
        bytes[4096 * 2..end].fill(0x5a);
        fs::write(&path, bytes).unwrap();
        for end in ["-wal", "-shm"] {
            let _ = fs::remove_file(format!("{}{end}", path.display()));
        }
        assert!(backups.make(at(120)).is_err());
        // Of what it made nothing is left, under either name.
        assert_eq!(names(&backups), [first.file.file_name().unwrap().to_str().unwrap()]);
    }
}
