//! Whether this user may write the book: asked of the system beforehand, nothing is opened for writing or made.
//!
//! Promises: finds what a run would stumble over: the book, its journal, the lock, the witness, and the folder that they
//! are made in.
//! Must never know: who asks, and why.

use std::io::{self, ErrorKind};
use std::path::Path;

use rustix::fs::{Access, access};
use rustix::io::Errno;

use super::sqlite::with_end;
use super::{StoreError, folder, witness};

/// What lies beside a book and is written in place by whoever charges: the lock, and what SQLite keeps. The rest is
/// made anew in the folder.
const ENDS: &[&str] = &[".lock", "-wal", "-shm"];
/// What is read before anything is charged; it is made anew as well.
const WITNESS: &str = ".witness";

/// Whether there is a book at `path`. Never mistakes a folder that may not be searched for one without a book.
///
/// # Errors
/// [`StoreError::ReadOnly`] where the system does not even let us look, [`StoreError::NoFolder`] where it lies below a
/// file.
pub fn is_there(path: &Path) -> Result<bool, StoreError> {
    path.try_exists().map_err(|error| {
        let below_a_file = error.kind() == ErrorKind::NotADirectory;
        let stands = below_a_file.then(|| folder::standing(path).err()).flatten();
        stands.unwrap_or_else(|| StoreError::unwritable(path, &error))
    })
}

/// Refuses a place where something else stands than a file: no book is there, and none can be made.
///
/// # Errors
/// [`StoreError::Foreign`].
pub fn refuse_no_file(path: &Path) -> Result<(), StoreError> {
    match path.metadata() {
        Ok(found) if !found.is_file() => {
            Err(StoreError::Foreign { path: path.into(), found: "a folder or device".into() })
        }
        _ => Ok(()),
    }
}

/// Refuses a file that is there and that this user could not write.
///
/// # Errors
/// [`StoreError::ReadOnly`].
pub fn refuse_unwritable_file(file: &Path) -> Result<(), StoreError> {
    judge(file, Access::READ_OK | Access::WRITE_OK, &|file, wanted| access(file, wanted))
}

/// Refuses a book that this user could not write, or could not make where there is none yet.
///
/// # Errors
/// [`StoreError::ReadOnly`] or [`StoreError::NoFolder`] with the first file or folder that stands in the way.
pub fn refuse_unwritable(path: &Path) -> Result<(), StoreError> {
    refuse_with(path, &|file, wanted| access(file, wanted))
}

/// Who says whether this user may do that with a file.
type Judge<'a> = &'a dyn Fn(&Path, Access) -> Result<(), Errno>;

/// The same by any judge of rights: whoever is root may do all things, which proves nothing.
fn refuse_with(path: &Path, ask: Judge<'_>) -> Result<(), StoreError> {
    judge(&folder::standing(path)?, Access::WRITE_OK | Access::EXEC_OK, ask)?;
    let rights = Access::READ_OK | Access::WRITE_OK;
    judge(path, rights, ask)?;
    ENDS.iter().try_for_each(|end| judge(&with_end(path, end), rights, ask))?;
    let witness = with_end(path, WITNESS);
    refused(&witness, Access::READ_OK, ask).map_or(Ok(()), |why| Err(witness::unreadable(&witness, &why)))
}

fn judge(file: &Path, wanted: Access, ask: Judge<'_>) -> Result<(), StoreError> {
    refused(file, wanted, ask).map_or(Ok(()), |why| Err(StoreError::unwritable(file, &why)))
}

/// What is not there is made in the folder, which is judged by itself.
fn refused(file: &Path, wanted: Access, ask: Judge<'_>) -> Option<io::Error> {
    ask(file, wanted).err().filter(|why| *why != Errno::NOENT).map(io::Error::from)
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
        let witness = folder.path().join("dues.db.witness");
        std::fs::write(&witness, "").unwrap();
        let said = refused(&book, &witness, Errno::ACCESS).unwrap();
        assert!(
            said.contains("dues.db.witness: the book's witness cannot be read (Permission denied"),
            "{said}"
        );
        assert!(said.contains("give the file to the owner of the book"), "{said}");
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
