//! The charging lock: one process charges from a book at a time.
//!
//! Promises: held for this value's life, and no longer than its process lives, however it ends.
//! The lock guards charging alone; reading and writing beside it is free.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use super::sqlite::beside;
use super::{StoreError, owner};

/// Behind the process id of a holder that takes requests.
const STAYS: &str = "daemon";

/// The right to charge from one book.
#[derive(Debug)]
pub struct ChargingLock {
    /// Locked as long as it is open.
    file: File,
    path: PathBuf,
}

impl ChargingLock {
    /// Whether the book at `book` has a lock, held or not: where it has none, nobody holds it.
    pub fn is_there(book: &Path) -> bool {
        beside(book, "lock").exists()
    }

    /// Takes the lock of the book at `book`, or says who has it. Never waits.
    pub fn take(book: &Path) -> Result<Self, StoreError> {
        let path = beside(book, "lock");
        let unwritable = |e: std::io::Error| StoreError::unwritable(&path, &e);
        // Not truncated: until it is ours, what stands in it is the holder's.
        let wished = OpenOptions::new().read(true).write(true).truncate(false).clone();
        let mut file = owner::open_beside(book, &path, &wished).map_err(unwritable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let (holder, stays) = holder(&mut file);
                return Err(StoreError::InUse { holder, stays, path: path.clone() });
            }
            Err(TryLockError::Error(e)) => return Err(unwritable(e)),
        }
        file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(unwritable)?;
        Ok(Self { file, path })
    }

    /// Tells those who find the lock taken that its holder stays and takes requests.
    pub fn stay(&mut self) -> Result<(), StoreError> {
        let written = self.file.rewind().and_then(|()| writeln!(self.file, "{} {STAYS}", std::process::id()));
        written.map_err(|e| StoreError::unwritable(&self.path, &e))
    }

    /// The lock file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for ChargingLock {
    fn drop(&mut self) {
        // The file stays: removing it would let two processes lock two files of one name. An empty one says that
        // nobody holds it; that it could not be emptied is no matter, since the lock itself decides.
        let _ = self.file.set_len(0);
        let _ = self.file.unlock();
    }
}

/// Who holds it, and whether it stays.
fn holder(file: &mut File) -> (String, bool) {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.read_to_string(&mut text));
    let (pid, role) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    let known = read.is_ok() && !pid.is_empty() && pid.bytes().all(|b| b.is_ascii_digit());
    (if known { pid.into() } else { "unknown".into() }, role == STAYS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_charges_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let book = folder.path().join("dues.db");
        let mut lock = ChargingLock::take(&book).unwrap();
        let refused = ChargingLock::take(&book).unwrap_err();
        let holder = std::process::id().to_string();
        assert_eq!(
            refused,
            StoreError::InUse { path: lock.path().into(), holder: holder.clone(), stays: false }
        );
        lock.stay().unwrap();
        let refused = ChargingLock::take(&book).unwrap_err();
        assert_eq!(refused, StoreError::InUse { path: lock.path().into(), holder, stays: true });
        drop(lock);
        ChargingLock::take(&book).unwrap();
    }
}
