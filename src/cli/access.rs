//! Who looked at or changed customer data by hand (`dues customers`, `cards`, `charges`, `provider`,
//! `list`, `reconcile`), when, and why: one JSON line each, in a file
//! beside the book.
//!
//! Promises: the line is on disk before the act, so that no act lacks one; the file is its owner's alone and only ever
//! grows. A command whose line cannot be written is refused as by the book beside it. Must never know: the data itself.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::context::Context;
use super::exit::{Exit, Failure};
use crate::store::{StoreError, folder, owner};

/// Where the system says which user has which number.
const USERS: &str = "/etc/passwd";

/// What `--help` says of the record.
pub(super) const TOLD: &str = "Every look at customer data and every change of it leaves a line in the access record \
                               first: <book>.access, one JSON object a line, with the instant, the login name and \
                               user id (and who stands behind sudo), the command, the customer or object it names, \
                               and the --reason given.";

/// What is done, and to whose data.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Act<'a> {
    /// The command's words.
    pub(super) what: &'a str,
    /// `None`: of no customer in particular.
    pub(super) customer: Option<&'a str>,
    /// The charge, event, schedule or kind of object that was named; `None`: none.
    pub(super) object: Option<&'a str>,
}

impl<'a> Act<'a> {
    /// On all of a kind.
    pub(super) const fn on_all(what: &'a str) -> Self {
        Self { what, customer: None, object: None }
    }

    /// On one customer.
    pub(super) const fn on_customer(what: &'a str, customer: &'a str) -> Self {
        Self { what, customer: Some(customer), object: None }
    }

    /// On another object of the provider's, which shows its customer.
    pub(super) const fn on_object(what: &'a str, object: &'a str) -> Self {
        Self { what, customer: None, object: Some(object) }
    }
}

/// One line of the record.
#[derive(Debug, Serialize)]
struct Line<'a> {
    at: String,
    /// The login name of `uid`; `None`: the system's list of users has none.
    actor: Option<String>,
    /// The user id that the command ran under.
    uid: u32,
    /// Who became that user by `sudo`; `None`: nobody.
    sudo_user: Option<String>,
    act: &'a str,
    /// `None`: of no customer in particular.
    customer: Option<&'a str>,
    /// As in `Act`.
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<&'a str>,
    reason: Option<&'a str>,
}

/// Notes an act before it happens.
pub(super) fn note(context: &Context, act: Act<'_>, reason: Option<&str>) -> Result<(), Failure> {
    let uid = rustix::process::getuid().as_raw();
    let users = std::fs::read_to_string(USERS).unwrap_or_default();
    let line = Line {
        at: context.now().to_string(),
        actor: login_name(&users, uid).map(str::to_owned),
        uid,
        sudo_user: std::env::var("SUDO_USER").ok(),
        act: act.what,
        customer: act.customer,
        object: act.object,
        reason,
    };
    let book = &context.settings().store.path;
    folder::make(book)?;
    let path = path_beside(book);
    append(book, &line).map_err(|error| {
        let why = StoreError::unwritable(&path, &error);
        Failure::new(Exit::Store, format!("{why}: nothing is done without its line in the access record"))
    })
}

/// The first name that has that number in a list of users.
fn login_name(users: &str, uid: u32) -> Option<&str> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then_some(name)
    })
}

/// `dues.db` has its record in `dues.db.access`.
pub(super) fn path_beside(book: &Path) -> PathBuf {
    let mut name = OsString::from(book);
    name.push(".access");
    name.into()
}

fn append(book: &Path, line: &Line<'_>) -> io::Result<()> {
    let mut file = owner::open_beside(book, &path_beside(book), OpenOptions::new().append(true))?;
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
    fn a_user_id_has_the_first_name_listed() {
        let users = "root:x:0:0::/root:/bin/sh\nbroken\ndues:x:990:990::/:/bin/false\nother:x:990:1::/:\n";
        assert_eq!(login_name(users, 0), Some("root"));
        assert_eq!(login_name(users, 990), Some("dues"));
        assert_eq!(login_name(users, 9), None);
        assert_eq!(login_name("", 0), None);
    }

    #[test]
    fn lines_are_added_one_by_one_to_a_file_of_the_owners_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let book = folder.path().join("dues.db");
        let path = path_beside(&book);
        for reason in [None, Some("a \"reason\"\nin two lines")] {
            let line = Line {
                at: "2026-11-22T00:00:00Z".into(),
                actor: None,
                uid: 1,
                sudo_user: None,
                act: "customers get",
                customer: Some("cust_test_1"),
                object: None,
                reason,
            };
            append(&book, &line).unwrap();
        }
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 2, "{text}");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0);
        assert!(path.ends_with("dues.db.access"));
    }
}
