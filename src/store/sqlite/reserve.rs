//! Room kept back on the disk, so that results can still be written when it is full.
//!
//! Promises: while the room is given away no intent is accepted, until it could be taken back.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::super::owner;

/// Bytes kept back: the results of some thousand charges under way, many times over.
const RESERVE_BYTES: usize = 1 << 20;
/// Written at once.
const CHUNK_BYTES: usize = 1 << 16;

pub(super) struct Reserve {
    /// `None`: a book without a file, or one opened for reading.
    path: Option<PathBuf>,
    held: bool,
    /// Stands in for the disk's room in tests: pages that the book may grow by once the reserve is freed.
    #[cfg(test)]
    pub(super) pages: u32,
}

impl Reserve {
    /// No reserve at all.
    pub(super) const fn none() -> Self {
        Self {
            path: None,
            held: false,
            #[cfg(test)]
            pages: 0,
        }
    }

    /// The reserve beside that book, taken if there is room for it.
    pub(super) fn beside(book: &Path) -> Self {
        let path = super::beside(book, "reserve");
        let held =
            fs::metadata(&path).is_ok_and(|file| file.len() == RESERVE_BYTES as u64) || take(&path).is_ok();
        Self {
            path: Some(path),
            held,
            #[cfg(test)]
            pages: 0,
        }
    }

    /// Takes the room back after it was given away; `false`: there is none to take.
    pub(super) fn restore(&mut self) -> bool {
        if let (Some(path), false) = (&self.path, self.held) {
            self.held = take(path).is_ok();
            return self.held;
        }
        true
    }

    /// Gives the room to the book; `false`: there was none to give.
    pub(super) fn free(&mut self, book: &Connection) -> bool {
        let Some(path) = &self.path else { return false };
        #[cfg(not(test))]
        let _ = book;
        let freed = self.held && fs::remove_file(path).is_ok();
        self.held = false;
        #[cfg(test)]
        if freed && self.pages > 0 {
            let now: u32 = book.query_row("PRAGMA max_page_count", [], |row| row.get(0)).unwrap();
            book.query_row(&format!("PRAGMA max_page_count = {}", now + self.pages), [], |_| Ok(())).unwrap();
        }
        freed
    }
}

/// Writes the room full, since a hole in a file keeps nothing back.
fn take(path: &Path) -> io::Result<()> {
    let taken = fill(path);
    if taken.is_err() {
        // What was written of it must not keep the disk full. That it may be gone already is no matter.
        let _ = fs::remove_file(path);
    }
    taken
}

fn fill(path: &Path) -> io::Result<()> {
    // The book's name is that of the reserve without its end.
    let book = path.with_extension("");
    let mut file: File = owner::open_beside(&book, path, OpenOptions::new().write(true).truncate(true))?;
    let chunk = vec![0x64; CHUNK_BYTES];
    for _ in 0..RESERVE_BYTES / CHUNK_BYTES {
        file.write_all(&chunk)?;
    }
    file.sync_all()
}
