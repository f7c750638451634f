//! The schema's versions: numbered SQL files, each applied in one transaction, after a backup of what was there.
//!
//! Promises: a book is of one whole version at every moment; an upgrade that fails leaves it as it was.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::super::StoreError;
use super::fault::{Fault, Outcome};

/// One step from a version to the next.
#[derive(Clone, Copy)]
pub(super) struct Migration {
    /// What `user_version` becomes.
    pub(super) version: i64,
    pub(super) sql: &'static str,
}

/// All steps, in order.
pub(super) const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, sql: include_str!("migrations/001_book.sql") },
    Migration { version: 2, sql: include_str!("migrations/002_service.sql") },
    Migration { version: 3, sql: include_str!("migrations/003_messages.sql") },
    Migration { version: 4, sql: include_str!("migrations/004_cards.sql") },
    Migration { version: 5, sql: include_str!("migrations/005_intents.sql") },
    Migration { version: 6, sql: include_str!("migrations/006_declines.sql") },
    Migration { version: 7, sql: include_str!("migrations/007_webhooks.sql") },
    Migration { version: 8, sql: include_str!("migrations/008_attempts.sql") },
    Migration { version: 9, sql: include_str!("migrations/009_provider_time.sql") },
];

/// Marks a file as ours: `dues` in ASCII.
pub(super) const APPLICATION_ID: i64 = 0x6475_6573;

/// What lies in a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing yet.
    Blank,
    /// A book of that schema.
    Book(i64),
    /// Something else.
    Foreign(String),
}

pub(super) fn look(conn: &Connection) -> Outcome<Found> {
    let number = |pragma: &str| conn.query_row(pragma, [], |row| row.get::<_, i64>(0));
    let (application, version) = (number("PRAGMA application_id")?, number("PRAGMA user_version")?);
    if application == APPLICATION_ID && version > 0 {
        return Ok(Found::Book(version));
    }
    let tables = number("SELECT count(*) FROM sqlite_schema")?;
    if tables == 0 && application == 0 && version == 0 {
        return Ok(Found::Blank);
    }
    Ok(Found::Foreign(format!("the SQLite database of another program (application_id {application})")))
}

/// The newest version among these steps.
pub(super) fn newest(migrations: &[Migration]) -> i64 {
    migrations.last().map_or(0, |last| last.version)
}

/// Brings the book to the newest version. Before an existing book is touched it is copied to
/// `<book>.before-v<N>`; `path` is `None` for a book without a file. `fill` writes what a new book says of itself.
pub(super) fn migrate(
    conn: &Connection,
    path: Option<&Path>,
    migrations: &[Migration],
    fill: &dyn Fn(&Connection) -> Outcome<()>,
) -> Outcome<()> {
    if look(conn)? == Found::Book(newest(migrations)) {
        // Nothing to do: no lock is taken, so that reading beside a busy writer waits for nobody.
        return Ok(());
    }
    // Rebuilding a table drops it for a moment, which foreign keys would take amiss; they are checked at the end
    // of each step instead. The switch has no effect inside a transaction.
    conn.execute_batch("PRAGMA foreign_keys = OFF")?;
    let answer = steps(conn, path, migrations, fill);
    conn.execute_batch("PRAGMA foreign_keys = ON")?;
    answer
}

fn steps(
    conn: &Connection,
    path: Option<&Path>,
    migrations: &[Migration],
    fill: &dyn Fn(&Connection) -> Outcome<()>,
) -> Outcome<()> {
    // What this very call makes needs no copy.
    let mut kept = look(conn)? == Found::Blank;
    for migration in migrations {
        conn.execute_batch("BEGIN IMMEDIATE")?;
        let done = step(conn, path, *migration, newest(migrations), &mut kept, fill);
        let ended = done.and_then(|()| Ok(conn.execute_batch("COMMIT")?));
        if ended.is_err() && !conn.is_autocommit() {
            conn.execute_batch("ROLLBACK")?;
        }
        ended?;
    }
    Ok(())
}

/// Inside a transaction: another process may have gone this step in the meantime.
fn step(
    conn: &Connection,
    path: Option<&Path>,
    migration: Migration,
    newest: i64,
    kept: &mut bool,
    fill: &dyn Fn(&Connection) -> Outcome<()>,
) -> Outcome<()> {
    let found = match look(conn)? {
        Found::Blank => 0,
        Found::Book(version) => version,
        Found::Foreign(found) => {
            return Err(
                StoreError::Foreign { path: path.unwrap_or(Path::new(":memory:")).into(), found }.into()
            );
        }
    };
    if found >= migration.version {
        return Ok(());
    }
    if let (Some(path), true, false) = (path, found > 0, *kept) {
        keep_copy(path, newest)?;
        *kept = true;
    }
    conn.execute_batch(migration.sql)?;
    conn.execute_batch(&format!(
        "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {}",
        migration.version
    ))?;
    if found == 0 && migration.version == 1 {
        fill(conn)?;
    }
    let dangling: i64 =
        conn.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0))?;
    if dangling > 0 {
        return Err(Fault::broken(format!(
            "schema {} would leave {dangling} dangling rows",
            migration.version
        )));
    }
    Ok(())
}

/// Where the copy before an upgrade to that version lies.
pub(super) fn copy_before(book: &Path, version: i64) -> PathBuf {
    super::beside(book, &format!("before-v{version}"))
}

/// Copies the book as it stands through a second connection, which reads what was committed before our transaction.
fn keep_copy(book: &Path, version: i64) -> Outcome<()> {
    let (copy, half) = (copy_before(book, version), super::beside(book, "before-half"));
    let _ = fs::remove_file(&half);
    super::backup::copy_file(book, &half, &mut |_, _| ())?;
    fs::rename(&half, &copy).map_err(|e| StoreError::Other { path: copy, what: e.to_string() })?;
    Ok(())
}
