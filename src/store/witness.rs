//! The witness: a small file beside the book that remembers how far it had come.
//!
//! Promises: an older copy of the book that was put in its place is noticed before anything is charged from it, with
//! its witness or without; and a book that was lost is not silently followed by a new one, which would charge
//! everybody again.
//! A copy of the whole folder cannot be noticed here; the host binding and the provider's own list are for that.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use super::sqlite::{beside, sync_folder};
use super::{BookFacts, StoreError, owner};
use crate::model::Installation;

/// What the witness remembers.
struct Testimony {
    installation: Installation,
    epoch: i64,
    commits: i64,
}

/// Whether the book at `path` is at least as far as its witness says; the error is a sentence for people.
/// A book that nobody charged from has none yet; any other without one may be an older copy.
pub fn check(path: &Path, facts: &BookFacts) -> Result<(), String> {
    let file = beside(path, "witness");
    let text = match fs::read_to_string(&file) {
        Ok(text) => text,
        Err(e) if e.kind() == ErrorKind::NotFound && facts.epoch.0 == 0 => return Ok(()),
        Err(e) if e.kind() == ErrorKind::NotFound => {
            return Err(format!(
                "{}: found no witness of the book, wanted {}: without it nobody can tell whether this is an older copy; run \
                 `dues adopt` once you know that this is the book to charge from",
                path.display(),
                file.display()
            ));
        }
        Err(e) => return Err(unreadable(&file, &e).to_string()),
    };
    let Some(said) = parse(&text) else {
        return Err(format!("{}: found something else than a book's witness", file.display()));
    };
    let (book, ends) =
        (path.display(), "run `dues adopt` once you know that this is the book to charge from");
    if said.installation != facts.installation {
        return Err(format!(
            "{book}: found book {}, wanted book {}, which was last charged from here; {ends}",
            facts.installation, said.installation
        ));
    }
    if facts.epoch.0 < said.epoch || facts.commits < said.commits {
        return Err(format!(
            "{book}: found an older copy of the book (epoch {}, {} commits), wanted epoch {} and {} commits or later: \
             charges made since are missing from it; {ends}",
            facts.epoch.0, facts.commits, said.epoch, said.commits
        ));
    }
    Ok(())
}

/// What the system said when the witness was to be read, with what to do about it.
pub(super) fn unreadable(witness: &Path, error: &io::Error) -> StoreError {
    let what = match error.kind() {
        ErrorKind::PermissionDenied => {
            let user = rustix::process::geteuid().as_raw();
            format!(
                "the book's witness cannot be read ({error}, as user {user}); give the file to the owner of the book"
            )
        }
        _ => format!("the book's witness cannot be read ({error})"),
    };
    StoreError::Other { path: witness.to_owned(), what }
}

/// What is said when the book at `path` is gone and its witness is still there, which only a book that was lost leaves
/// behind; `None`: there is none.
pub fn of_lost_book(path: &Path) -> Option<String> {
    let file = beside(path, "witness");
    // A link that leads nowhere, or a folder that may not be read, speaks for a book too.
    fs::symlink_metadata(&file).is_ok().then(|| {
        format!(
            "found no book, but the witness {} of one: a new book would charge again what that one has charged; restore a \
             backup of it, or move the witness away if this is to be a new book",
            file.display()
        )
    })
}

/// Lets a book that nobody charged from have a witness before its first epoch, so that a process that dies in it leaves
/// none without; one that is there already stays.
pub fn begin(path: &Path, facts: &BookFacts) -> Result<(), StoreError> {
    if facts.epoch.0 > 0 || beside(path, "witness").exists() {
        return Ok(());
    }
    write(path, facts)
}

/// Remembers how far the book at `path` is, durably, in place of what was remembered.
pub fn write(path: &Path, facts: &BookFacts) -> Result<(), StoreError> {
    let (file, half) = (beside(path, "witness"), beside(path, "witness-half"));
    let text = format!("book {}\nepoch {}\ncommits {}\n", facts.installation, facts.epoch.0, facts.commits);
    let written = remove_leftover(&half)
        .and_then(|()| owner::open_beside(path, &half, OpenOptions::new().write(true).truncate(true)))
        .and_then(|mut out| out.write_all(text.as_bytes()).and_then(|()| out.sync_all()))
        .and_then(|()| fs::rename(&half, &file));
    written.map_err(|e| StoreError::unwritable(&file, &e))?;
    sync_folder(path)
}

/// One that was broken off may be another user's.
fn remove_leftover(half: &Path) -> io::Result<()> {
    match fs::remove_file(half) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn parse(text: &str) -> Option<Testimony> {
    let mut lines = text.lines();
    let mut word = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned);
    Some(Testimony {
        installation: word("book")?.parse().ok()?,
        epoch: word("epoch")?.parse().ok()?,
        commits: word("commits")?.parse().ok()?,
    })
}
