//! The folder that a book is made in: judged before it is made, so that a check and a run say the same of it.
//!
//! Promises: a folder that cannot be is refused by the store, with what stands in its place. Must never know: who asks.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use super::StoreError;
use super::sqlite::keeps_no_files;

/// Makes the folder of the book at `book` where there is none yet.
///
/// # Errors
/// [`StoreError::NoFolder`], [`StoreError::ReadOnly`] or [`StoreError::Full`] with what stands in the way.
pub fn make(book: &Path) -> Result<(), StoreError> {
    let Some(folder) = book.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    let standing = standing(book)?;
    if standing == folder {
        return Ok(());
    }
    access(&standing, Access::WRITE_OK | Access::EXEC_OK)
        .map_err(|why| StoreError::unwritable(&standing, &why.into()))?;
    std::fs::create_dir_all(folder).map_err(|error| StoreError::unwritable(folder, &error))
}

/// The folder of the book, or the nearest one above it that exists: the others would be made in it.
///
/// # Errors
/// Where something else stands there, or nothing can be made in it by anybody.
pub(super) fn standing(book: &Path) -> Result<PathBuf, StoreError> {
    for folder in book.ancestors().skip(1) {
        let here = folder.as_os_str().is_empty();
        let folder = if here { std::path::absolute(".").unwrap_or_default() } else { folder.to_owned() };
        let found = match folder.metadata() {
            Ok(found) if found.is_dir() => keeps_no_files(&folder),
            Ok(_) => Some("a file".into()),
            Err(error) if error.kind() == ErrorKind::NotFound && folder.is_symlink() => {
                Some("a link that leads nowhere".into())
            }
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => continue,
            Err(error) => return Err(StoreError::unwritable(&folder, &error)),
        };
        return found.map_or_else(
            || Ok(folder.clone()),
            |found| Err(StoreError::NoFolder { path: folder.clone(), found }),
        );
    }
    Ok(PathBuf::from("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_made_where_they_can_be() {
        let home = tempfile::tempdir().unwrap();
        let book = home.path().join("deep/er/dues.db");
        assert_eq!(standing(&book), Ok(home.path().to_owned()));
        make(&book).unwrap();
        assert!(home.path().join("deep/er").is_dir());
        assert_eq!(make(&book), Ok(()));
        assert_eq!(make(Path::new("dues.db")), Ok(()));
    }

    #[test]
    fn what_stands_in_the_place_of_a_folder_is_named() {
        let home = tempfile::tempdir().unwrap();
        let path = |name: &str| home.path().join(name);
        std::fs::write(path("c.toml"), "").unwrap();
        std::os::unix::fs::symlink("nowhere", path("link")).unwrap();
        for (book, stands, what) in [
            (path("c.toml/dues.db"), path("c.toml"), "a file"),
            (path("c.toml/deep/er/dues.db"), path("c.toml"), "a file"),
            (path("link/dues.db"), path("link"), "a link that leads nowhere"),
            ("/proc/x/dues.db".into(), "/proc".into(), "a proc file system, which keeps no files of ours"),
            ("/proc/dues.db".into(), "/proc".into(), "a proc file system, which keeps no files of ours"),
        ] {
            let refused = StoreError::NoFolder { path: stands, found: what.into() };
            assert_eq!(make(&book), Err(refused), "{}", book.display());
        }
    }
}
