//! Opening the book: what is looked at before anything is believed.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::super::{StoreError, witness};
use super::book::Book;
use super::cache::Cache;
use super::columns::seconds;
use super::disk;
use super::fault::{Fault, Outcome};
use super::reserve::Reserve;
use super::schema::{self, Found, MIGRATIONS, Migration};
use crate::model::Installation;

/// How to open a book.
#[derive(Clone, Copy, Debug)]
pub struct OpenOptions {
    /// Make it if there is none.
    pub create: bool,
    /// Change nothing, not even its schema.
    pub read_only: bool,
    /// How long to wait for others who write.
    pub busy_wait: Duration,
    /// Told to a new book as the moment of its making; nothing is decided by it.
    pub now: Timestamp,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            create: false,
            read_only: false,
            busy_wait: Duration::from_secs(10),
            now: Timestamp::UNIX_EPOCH,
        }
    }
}

/// The oldest SQLite that does not damage a book with two writers: 3.51.3.
const OLDEST_SQLITE: i32 = 3_051_003;
/// Statements kept ready on one connection; the house has about 70.
const CACHED_STATEMENTS: usize = 128;
/// The journal is cut to this size after a checkpoint.
const JOURNAL_BYTES: i64 = 64 << 20;

/// Opens the book at `path` at the program's own schema.
pub(super) fn open(path: &Path, options: &OpenOptions) -> Result<Book, StoreError> {
    disk::refuse_shared(path)?;
    let mut book = open_with(path, options, MIGRATIONS)
        .map_err(|fault| fault.into_store(path, options.busy_wait.as_secs()))?;
    if !options.read_only {
        book.reserve = Reserve::beside(path);
    }
    Ok(book)
}

/// The same without a reserve, for a copy that is only passed through.
pub(super) fn open_alone(path: &Path, options: &OpenOptions) -> Outcome<Book> {
    open_with(path, options, MIGRATIONS)
}

/// The same with other schema steps, which lets a test upgrade a book.
pub(super) fn open_with(path: &Path, options: &OpenOptions, migrations: &[Migration]) -> Outcome<Book> {
    refuse_old_sqlite(path, rusqlite::version_number(), rusqlite::version())?;
    prepare_file(path, options)?;
    let conn = connect(path, options)?;
    settle(&conn, options)?;
    bring_up(&conn, path, options, migrations)?;
    finish(conn, path, options)
}

/// A book that lives as long as this process; for tests and simulations.
pub(super) fn in_memory() -> Outcome<Book> {
    let options = OpenOptions::default();
    let path = Path::new(":memory:");
    let conn = Connection::open_in_memory_with_flags(
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    settle(&conn, &options)?;
    schema::migrate(&conn, None, MIGRATIONS, &|conn| name_book(conn, options.now))?;
    finish(conn, path, &options)
}

fn refuse_old_sqlite(path: &Path, number: i32, name: &str) -> Result<(), StoreError> {
    if number >= OLDEST_SQLITE {
        return Ok(());
    }
    let what =
        format!("found SQLite {name}, wanted 3.51.3 or newer: older ones can damage a book with two writers");
    Err(StoreError::Other { path: path.into(), what })
}

/// Makes the file, for its owner alone, if there is none and one is wanted. None is made in the place of a book that
/// was lost.
fn prepare_file(path: &Path, options: &OpenOptions) -> Result<(), StoreError> {
    let foreign = |found: &str| StoreError::Foreign { path: path.into(), found: found.into() };
    let found = path.metadata();
    let blank = match &found {
        Ok(found) => found.is_file() && found.len() == 0,
        Err(e) => e.kind() == std::io::ErrorKind::NotFound,
    };
    if blank && let Some(what) = witness::of_lost_book(path) {
        return Err(StoreError::Other { path: path.into(), what });
    }
    match found {
        Ok(found) if !found.is_file() => Err(foreign("a folder or device")),
        Ok(found) if found.len() == 0 && !options.create => Err(foreign("an empty file")),
        Ok(_) => Ok(()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && options.create && !options.read_only => {
            create_private(path).map(|_| ())
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Err(foreign("no file")),
        Err(e) => Err(StoreError::ReadOnly { path: path.into(), why: e.to_string() }),
    }
}

/// A new file that only its owner can read.
pub(super) fn create_private(path: &Path) -> Result<File, StoreError> {
    let made = std::fs::OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path);
    made.map_err(|e| match e.kind() {
        std::io::ErrorKind::AlreadyExists => {
            StoreError::Exists { what: "file", id: path.display().to_string() }
        }
        std::io::ErrorKind::StorageFull => StoreError::Full { path: path.into() },
        std::io::ErrorKind::NotFound => {
            StoreError::Other { path: path.into(), what: "found no such folder; make it first".into() }
        }
        _ => StoreError::ReadOnly { path: path.into(), why: e.to_string() },
    })
}

/// Makes what happened to a file's name durable.
pub(in crate::store) fn sync_folder(path: &Path) -> Result<(), StoreError> {
    let folder = super::folder_of(path);
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|e| StoreError::Other { path: folder.into(), what: e.to_string() })
}

fn connect(path: &Path, options: &OpenOptions) -> Outcome<Connection> {
    let shared = OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if !options.read_only {
        return Ok(Connection::open_with_flags(path, shared | OpenFlags::SQLITE_OPEN_READ_WRITE)?);
    }
    let conn = Connection::open_with_flags(path, shared | OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    // In a folder that cannot be written the journal's index cannot be made. If there is no journal to be read
    // either, the file alone is the whole book.
    let readable = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()));
    let has_journal = super::with_end(path, "-wal").metadata().is_ok_and(|wal| wal.len() > 0);
    match readable {
        Err(e) if e.sqlite_error_code() == Some(rusqlite::ErrorCode::CannotOpen) && !has_journal => {
            let uri = format!("file:{}?immutable=1", escaped(path));
            let flags = shared | OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
            Ok(Connection::open_with_flags(uri, flags)?)
        }
        _ => Ok(conn),
    }
}

/// A path as the body of a URI.
fn escaped(path: &Path) -> String {
    path.display().to_string().replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}

/// What every connection is set to.
fn settle(conn: &Connection, options: &OpenOptions) -> Outcome<()> {
    conn.busy_timeout(options.busy_wait)?;
    conn.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    // Plans that do not depend on bound values: else a statement is compiled anew at every use.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.execute_batch("PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY")?;
    Ok(())
}

fn bring_up(conn: &Connection, path: &Path, options: &OpenOptions, migrations: &[Migration]) -> Outcome<()> {
    let known = schema::newest(migrations);
    match schema::look(conn)? {
        Found::Foreign(found) => return Err(StoreError::Foreign { path: path.into(), found }.into()),
        Found::Book(found) if found > known => {
            return Err(StoreError::Newer { path: path.into(), found, known }.into());
        }
        Found::Book(found) if found < known && options.read_only => {
            let what = format!(
                "found book schema {found}, wanted {known}; run a command that writes, such as `dues plans apply`, to upgrade it"
            );
            return Err(StoreError::Other { path: path.into(), what }.into());
        }
        Found::Blank if options.read_only || !options.create => {
            return Err(StoreError::Foreign { path: path.into(), found: "an empty database".into() }.into());
        }
        Found::Book(_) | Found::Blank => {}
    }
    if options.read_only {
        return Ok(());
    }
    if conn.is_readonly("main")? {
        let why = "the file may only be read".into();
        return Err(StoreError::ReadOnly { path: path.into(), why }.into());
    }
    let mode: String = conn.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        let what = format!("found journal mode {mode:?}, wanted \"wal\"");
        return Err(StoreError::Other { path: path.into(), what }.into());
    }
    conn.query_row(&format!("PRAGMA journal_size_limit = {JOURNAL_BYTES}"), [], |_| Ok(()))?;
    schema::migrate(conn, Some(path), migrations, &|conn| name_book(conn, options.now))?;
    Ok(sync_folder(path)?)
}

/// Gives a new book its name: the one random value of the house, and the moment of its making.
fn name_book(conn: &Connection, now: Timestamp) -> Outcome<()> {
    let mut installation = [0; 16];
    getrandom::fill(&mut installation).map_err(|e| Fault::broken(format!("no random bits: {e}")))?;
    let insert = "INSERT INTO book (one, installation, created_at) VALUES (1, ?1, ?2)";
    conn.execute(insert, rusqlite::params![installation, seconds(now)])?;
    Ok(())
}

fn finish(conn: Connection, path: &Path, options: &OpenOptions) -> Outcome<Book> {
    let name: [u8; 16] = conn.query_row("SELECT installation FROM book", [], |row| row.get(0))?;
    Ok(Book {
        conn,
        path: path.into(),
        cache: RefCell::new(Cache::default()),
        installation: Installation(name),
        busy_wait: options.busy_wait,
        reserve: Reserve::none(),
        last_commit: Cell::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_sqlite_is_refused() {
        let path = Path::new("book.db");
        assert!(refuse_old_sqlite(path, 3_051_002, "3.51.2").unwrap_err().to_string().contains("3.51.2"));
        assert_eq!(refuse_old_sqlite(path, 3_051_003, "3.51.3"), Ok(()));
        assert_eq!(refuse_old_sqlite(path, rusqlite::version_number(), ""), Ok(()));
    }
}
