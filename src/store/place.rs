//! Where a book truly lies. Its lock, its witness and all else beside it are named after that place, so that a book
//! reached by two names has one of each.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// Links followed before a path is left as it is; Linux follows as many.
const MOST_LINKS: usize = 40;

/// The path of the book itself, links followed, whether it is there yet or not. A path without any stays as it was
/// written, so that people read their own words.
pub fn true_place(book: &Path) -> PathBuf {
    let mut place = book.to_owned();
    for _ in 0..MOST_LINKS {
        let Ok(target) = fs::read_link(&place) else { break };
        // A relative one is relative to the link's folder, an absolute one replaces it.
        place = place.parent().unwrap_or(Path::new("")).join(target);
    }
    let absolute = std::path::absolute(&place).unwrap_or_else(|_| place.clone());
    let found = without_links(&absolute);
    if found == absolute { place } else { found }
}

/// The folder as far as it is there, without links; what is not there yet has none.
fn without_links(path: &Path) -> PathBuf {
    let mut missing: Vec<&OsStr> = Vec::new();
    let mut there = path;
    loop {
        if let Ok(found) = there.canonicalize() {
            return missing.iter().rev().fold(found, |path, name| path.join(name));
        }
        match (there.parent(), there.file_name()) {
            (Some(parent), Some(name)) => {
                missing.push(name);
                there = parent;
            }
            _ => return path.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::store::{ChargingLock, StoreError};

    #[test]
    fn a_book_reached_by_links_has_one_place() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().canonicalize().unwrap();
        let real = home.join("real");
        fs::create_dir(&real).unwrap();
        symlink(&real, home.join("by-folder")).unwrap();
        symlink("real/dues.db", home.join("link.db")).unwrap();
        symlink(home.join("link.db"), home.join("second.db")).unwrap();
        let names = ["real/dues.db", "by-folder/dues.db", "link.db", "second.db", "real/../link.db"];
        let book = real.join("dues.db");
        for made in [false, true] {
            for name in names {
                assert_eq!(true_place(&home.join(name)), book, "{name}, made {made}");
            }
            fs::write(&book, "a book").unwrap();
        }
        let held = ChargingLock::take(&true_place(&home.join("link.db"))).unwrap();
        let refused = ChargingLock::take(&true_place(&home.join("by-folder/dues.db")));
        assert!(matches!(refused, Err(StoreError::InUse { .. })), "{refused:?} beside {held:?}");
    }

    #[test]
    fn what_is_not_there_yet_keeps_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().canonicalize().unwrap();
        symlink(&home, home.join("self")).unwrap();
        assert_eq!(true_place(&home.join("self/later/dues.db")), home.join("later/dues.db"));
        assert_eq!(true_place(Path::new("nowhere/dues.db")), Path::new("nowhere/dues.db"));
        symlink("round.db", home.join("round.db")).unwrap();
        assert!(true_place(&home.join("round.db")).ends_with("round.db"), "a link to itself ends");
    }
}
