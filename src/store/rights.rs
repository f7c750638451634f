//! Whether this user may write the book: asked of the system beforehand, nothing is opened for writing or made.
//!
//! Promises: finds what a run would stumble over: the book, its journal, the lock, and the folder that they are made in.
//! Must never know: who asks, and why.

use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use rustix::io::Errno;

use super::StoreError;
use super::sqlite::with_end;

/// What lies beside a book and is written in place by whoever charges: the lock, and what SQLite keeps. The rest is
/// made anew in the folder.
const ENDS: &[&str] = &[".lock", "-wal", "-shm"];

/// Whether there is a book at `path`. Never mistakes a folder that may not be searched for one without a book.
///
/// # Errors
/// [`StoreError::ReadOnly`] where the system does not even let us look.
pub fn is_there(path: &Path) -> Result<bool, StoreError> {
    path.try_exists().map_err(|error| cannot(path, error.kind(), &error))
}

/// Refuses a book that this user could not write, or could not make where there is none yet.
///
/// # Errors
/// [`StoreError::ReadOnly`] with the first file or folder that stands in the way.
pub fn refuse_unwritable(path: &Path) -> Result<(), StoreError> {
    refuse_with(path, &|file, wanted| access(file, wanted))
}

/// The same by any judge of rights: whoever is root may do all things, which proves nothing.
fn refuse_with(path: &Path, ask: &dyn Fn(&Path, Access) -> Result<(), Errno>) -> Result<(), StoreError> {
    let judge = |file: &Path, wanted: Access| match ask(file, wanted) {
        // What is not there is made in the folder, which is judged by itself.
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(why) => {
            let error = io::Error::from(why);
            Err(cannot(file, error.kind(), &error))
        }
    };
    judge(&standing_folder(path)?, Access::WRITE_OK | Access::EXEC_OK)?;
    let rights = Access::READ_OK | Access::WRITE_OK;
    judge(path, rights)?;
    ENDS.iter().try_for_each(|end| judge(&with_end(path, end), rights))
}

/// The folder of the book, or the nearest one above it that exists: the others would be made in it.
fn standing_folder(path: &Path) -> Result<PathBuf, StoreError> {
    for folder in path.ancestors().skip(1) {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        if is_there(folder)? {
            return Ok(folder.to_owned());
        }
    }
    Ok(PathBuf::from("."))
}

fn cannot(path: &Path, kind: io::ErrorKind, error: &io::Error) -> StoreError {
    let why = match kind {
        io::ErrorKind::PermissionDenied => {
            format!("{error}, as user {}", rustix::process::geteuid().as_raw())
        }
        _ => error.to_string(),
    };
    StoreError::ReadOnly { path: path.into(), why }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(path: &Path, denied: &Path, errno: Errno) -> Option<String> {
        let ask =
            |file: &Path, _: Access| if file == denied { Err(errno) } else { access(file, Access::EXISTS) };
        refuse_with(path, &ask).err().map(|error| error.to_string())
    }

    #[test]
    fn whatever_stands_in_the_way_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let book = folder.path().join("dues.db");
        for name in ["dues.db", "dues.db-wal", "dues.db-shm", "dues.db.lock"] {
            let file = folder.path().join(name);
            std::fs::write(&file, "").unwrap();
            let said = refused(&book, &file, Errno::ACCESS).unwrap();
            assert!(said.contains(&format!("{name}: cannot be written (Permission denied")), "{said}");
            assert!(said.contains("give the dues user write access"), "{said}");
        }
        let said = refused(&book, folder.path(), Errno::ROFS).unwrap();
        assert!(said.contains("Read-only file system"), "{said}");
        assert_eq!(refused(&book, Path::new("elsewhere"), Errno::ACCESS), None);
        assert_eq!(refuse_unwritable(&book), Ok(()));
    }

    #[test]
    fn where_there_is_no_folder_yet_the_one_above_it_counts() {
        let folder = tempfile::tempdir().unwrap();
        let book = folder.path().join("new/deep/dues.db");
        assert_eq!(is_there(&book), Ok(false));
        let said = refused(&book, folder.path(), Errno::ACCESS).unwrap();
        assert!(said.contains(&folder.path().display().to_string()), "{said}");
        assert_eq!(refuse_unwritable(&book), Ok(()));
    }
}
