//! Who looked at or changed customer data through these commands, when, and why: one JSON line each, in a file
//! beside the book.
//!
//! Promises: the line is on disk before the act, so that no act lacks one; the file is its owner's alone and only ever
//! grows. A command whose line cannot be written is refused. Must never know: the data itself.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::context::Context;
use super::exit::Failure;

/// One line of the record.
#[derive(Debug, Serialize)]
struct Line<'a> {
    at: String,
    /// The user id that the command ran under.
    uid: u32,
    /// Who became that user by `sudo`; `None`: nobody.
    sudo_user: Option<String>,
    act: &'a str,
    /// `None`: of all customers.
    customer: Option<&'a str>,
    reason: Option<&'a str>,
}

/// Notes an act before it happens.
pub(super) fn note(
    context: &Context,
    act: &str,
    customer: Option<&str>,
    reason: Option<&str>,
) -> Result<(), Failure> {
    let line = Line {
        at: context.now().to_string(),
        uid: rustix::process::getuid().as_raw(),
        sudo_user: std::env::var("SUDO_USER").ok(),
        act,
        customer,
        reason,
    };
    let path = path_beside(&context.settings().store.path);
    append(&path, &line).map_err(|error| {
        Failure::unexpected(format!(
            "{}: the access record could not be written ({error}), so nothing was done",
            path.display()
        ))
    })
}

/// `dues.db` has its record in `dues.db.access`.
fn path_beside(book: &Path) -> PathBuf {
    let mut name = OsString::from(book);
    name.push(".access");
    name.into()
}

fn append(path: &Path, line: &Line<'_>) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    // One write of one line: lines of commands that run at the same time do not mix.
    let mut text = serde_json::to_string(line)?;
    text.push('\n');
    file.write_all(text.as_bytes())?;
    file.sync_data()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_added_one_by_one_to_a_file_of_the_owners_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = path_beside(&folder.path().join("new/dues.db"));
        for reason in [None, Some("a \"reason\"\nin two lines")] {
            let line = Line {
                at: "2026-11-22T00:00:00Z".into(),
                uid: 1,
                sudo_user: None,
                act: "customers get",
                customer: Some("cust_test_1"),
                reason,
            };
            append(&path, &line).unwrap();
        }
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 2, "{text}");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0);
        assert!(path.ends_with("dues.db.access"));
    }
}
