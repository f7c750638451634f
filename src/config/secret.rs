//! The secret key: from a file that nobody else can read, from the environment, or from systemd.
//!
//! Promises: no message ever holds any of it; the text is wiped when dropped. Must never know: what it opens.

use std::fmt;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::model::shell_word;

/// Longer than any key: a wrong file is not read to its end.
const LONGEST_KEY_BYTES: u64 = 512;

/// The same for several signing secrets.
const LONGEST_SECRETS_BYTES: u64 = 4_096;
/// A shorter signing secret can be guessed.
const SHORTEST_SIGNING_BYTES: usize = 16;

/// The name of the systemd credential.
const CREDENTIAL: &str = "omise_secret_key";

/// Bits of a mode that let anybody but the owner in.
const OTHERS: u32 = 0o077;

/// A secret. It cannot be printed, and is wiped when dropped.
#[derive(Clone)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Its text, for the one who opens the connection.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether it is a live key: `skey_` without `test_`.
    pub fn is_live_key(&self) -> bool {
        self.0.starts_with("skey_") && !self.0.starts_with("skey_test_")
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(hidden)")
    }
}

/// Why there is no key. Never holds any of it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SecretError {
    /// Others can read it.
    #[error(
        "{path}: found mode {mode:04o}, wanted a key that its owner alone can read; run `chmod 600 {}`",
        shell_word(&.path.to_string_lossy())
    )]
    Open {
        /// The file.
        path: PathBuf,
        /// Permission bits.
        mode: u32,
    },
    /// Not there, or not ours to read.
    #[error("{path}: the key cannot be read ({why})")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// The variable is not set.
    #[error("secret_key_env: found no environment variable {0}, wanted one that holds the secret key")]
    NoVariable(String),
    /// Something else than a signing secret.
    #[error(
        "{path}: found something else, wanted the webhook signing secret, base64, as Omise's dashboard shows it"
    )]
    NotBase64 {
        /// The file.
        path: PathBuf,
    },
    /// Nothing, or something too short to keep anybody out.
    #[error("{path}: found {found}, wanted {wanted}")]
    Short {
        /// The file.
        path: PathBuf,
        /// In words, never any of it.
        found: &'static str,
        /// In words.
        wanted: &'static str,
    },
    /// Something else than a secret key.
    #[error(
        "{place}: found {found}, wanted Omise's secret key, which begins with skey_ (skey_test_ for test keys)"
    )]
    Kind {
        /// File or variable.
        place: String,
        /// What it looks like.
        found: &'static str,
    },
}

/// Where systemd put the credential; `None`: nowhere.
pub(super) fn credential_path() -> Option<PathBuf> {
    let path = PathBuf::from(std::env::var_os("CREDENTIALS_DIRECTORY")?).join(CREDENTIAL);
    path.exists().then_some(path)
}

/// The key of a file that its owner alone can read.
pub(super) fn from_file(path: &Path) -> Result<SecretText, SecretError> {
    let text = private_text(path, LONGEST_KEY_BYTES)?;
    judge(&text, &path.display().to_string())
}

/// The key of a systemd credential. Its folder is private to the unit, so its mode says nothing.
pub(super) fn from_credential(path: &Path) -> Result<SecretText, SecretError> {
    let file = std::fs::File::open(path).map_err(|why| unreadable(path, &why))?;
    judge(&read_text(file, path, LONGEST_KEY_BYTES)?, &path.display().to_string())
}

/// The key of an environment variable.
pub(super) fn from_env(name: &str) -> Result<SecretText, SecretError> {
    let text = std::env::var(name).map_err(|_| SecretError::NoVariable(name.to_owned()))?;
    judge(&Zeroizing::new(text), &format!("environment variable {name}"))
}

/// Signing secrets in base64, one a line, of a file that its owner alone can read.
pub(super) fn base64_from_file(path: &Path) -> Result<Vec<SecretText>, SecretError> {
    let text = private_text(path, LONGEST_SECRETS_BYTES)?;
    let secret = |line: &str| match STANDARD.decode(line).map(Zeroizing::new) {
        Ok(bytes) if !bytes.is_empty() => Ok(SecretText(Zeroizing::new(line.to_owned()))),
        _ => Err(SecretError::NotBase64 { path: path.to_owned() }),
    };
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let secrets = lines.map(secret).collect::<Result<Vec<_>, _>>()?;
    // None at all is a mistake, and too many are no secrets.
    let plausible = !secrets.is_empty() && text.len() as u64 <= LONGEST_SECRETS_BYTES;
    if plausible { Ok(secrets) } else { Err(SecretError::NotBase64 { path: path.to_owned() }) }
}

/// A password: the first line of a file that its owner alone can read.
pub(super) fn line_from_file(path: &Path) -> Result<SecretText, SecretError> {
    let text = private_text(path, LONGEST_KEY_BYTES)?;
    let line = text.lines().next().filter(|line| !line.is_empty());
    let (found, wanted) = ("no password", "one in its first line");
    let line = line.ok_or_else(|| SecretError::Short { path: path.to_owned(), found, wanted })?;
    Ok(SecretText(Zeroizing::new(line.to_owned())))
}

/// Signing secrets, one a line, of a file that its owner alone can read.
pub(super) fn lines_from_file(path: &Path) -> Result<Vec<SecretText>, SecretError> {
    let text = private_text(path, LONGEST_SECRETS_BYTES)?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let secrets: Vec<_> = lines.map(|line| SecretText(Zeroizing::new(line.to_owned()))).collect();
    let wanted = "one signing secret a line, each of 16 characters or more";
    let found = match &secrets[..] {
        [] => "no secret",
        all if all.iter().any(|secret| secret.expose().len() < SHORTEST_SIGNING_BYTES) => "a shorter one",
        _ => return Ok(secrets),
    };
    Err(SecretError::Short { path: path.to_owned(), found, wanted })
}

/// The text of a file, refused if anybody but its owner can reach it.
fn private_text(path: &Path, longest_bytes: u64) -> Result<Zeroizing<String>, SecretError> {
    let file = std::fs::File::open(path).map_err(|why| unreadable(path, &why))?;
    // Asked of the open file, so that it cannot be exchanged in between.
    let facts = file.metadata().map_err(|why| unreadable(path, &why))?;
    if !facts.is_file() {
        let why = "found a folder or a device, wanted a file".into();
        return Err(SecretError::Unreadable { path: path.to_owned(), why });
    }
    if facts.mode() & OTHERS != 0 {
        return Err(SecretError::Open { path: path.to_owned(), mode: facts.mode() & 0o7777 });
    }
    read_text(file, path, longest_bytes)
}

fn read_text(file: std::fs::File, path: &Path, longest_bytes: u64) -> Result<Zeroizing<String>, SecretError> {
    // Room for all of it at once: a string that grows leaves copies behind that nobody wipes.
    let mut text = Zeroizing::new(String::with_capacity(usize::try_from(longest_bytes).unwrap_or(0) + 1));
    file.take(longest_bytes + 1).read_to_string(&mut text).map_err(|why| unreadable(path, &why))?;
    Ok(text)
}

fn unreadable(path: &Path, why: &std::io::Error) -> SecretError {
    SecretError::Unreadable { path: path.to_owned(), why: why.to_string() }
}

fn judge(text: &str, place: &str) -> Result<SecretText, SecretError> {
    let key = text.trim();
    let plain = key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let found = match key {
        "" => "nothing",
        _ if key.starts_with("pkey_") => "a public key",
        _ if key.contains(char::is_whitespace) => "several words",
        _ if key.len() as u64 > LONGEST_KEY_BYTES || !plain => "something that is no key",
        _ if key.strip_prefix("skey_").is_some_and(|rest| rest.len() >= 5 && rest != "test_") => {
            return Ok(SecretText(Zeroizing::new(key.to_owned())));
        }
        _ => "something that is no secret key",
    };
    Err(SecretError::Kind { place: place.to_owned(), found })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn write(mode: u32, text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("omise.key");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        (folder, path)
    }

    #[test]
    fn a_key_that_others_can_read_is_refused_with_the_command_that_mends_it() {
        for mode in [0o644, 0o640, 0o604, 0o660, 0o610] {
            let (_folder, path) = write(mode, "skey_test_canary123");
            let said = from_file(&path).unwrap_err().to_string();
            assert!(said.contains(&format!("chmod 600 {}", path.display())), "{said}");
            assert!(said.contains(&format!("{mode:04o}")) && !said.contains("canary"), "{said}");
        }
        let said = SecretError::Open { path: "my keys/omise.key".into(), mode: 0o644 }.to_string();
        assert!(said.contains("`chmod 600 'my keys/omise.key'`"), "{said}");
    }

    #[test]
    fn a_private_key_is_read_and_never_shown() {
        let (_folder, path) = write(0o600, "skey_test_canary123\n");
        let key = from_file(&path).unwrap();
        assert_eq!(key.expose(), "skey_test_canary123");
        assert!(!key.is_live_key());
        assert!(!format!("{key:?}").contains("canary"));
    }

    #[test]
    fn other_things_than_secret_keys_are_named_without_being_shown() {
        for (text, found) in [
            ("pkey_test_canary", "a public key"),
            ("canary", "no secret key"),
            ("", "nothing"),
            ("skey_", "no secret key"),
            ("skey_test_", "no secret key"),
            ("skey_canary skey_canary", "several words"),
            ("skey_test_canary\u{e9}", "no key"),
        ] {
            let (_folder, path) = write(0o600, text);
            let said = from_file(&path).unwrap_err().to_string();
            assert!(said.contains(found) && !said.contains("canary"), "{said}");
        }
    }

    #[test]
    fn a_signing_secret_is_private_base64() {
        let (_folder, path) = write(0o600, "Y2FuYXJ5\n");
        let read = |path: &Path| {
            let secrets = base64_from_file(path).unwrap();
            secrets.iter().map(|secret| secret.expose().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(read(&path), ["Y2FuYXJ5"]);
        let (_folder, path) = write(0o600, "Y2FuYXJ5\n\n  b3RoZXI= \n");
        assert_eq!(read(&path), ["Y2FuYXJ5", "b3RoZXI="], "one a line");
        let (_folder, path) = write(0o644, "Y2FuYXJ5");
        assert!(matches!(base64_from_file(&path), Err(SecretError::Open { .. })));
        for text in ["", "not base64!", "Y2FuYXJ5\nnot base64!", &"QUFB\n".repeat(1_000)] {
            let (_folder, path) = write(0o600, text);
            assert!(matches!(base64_from_file(&path), Err(SecretError::NotBase64 { .. })), "{text}");
        }
    }

    #[test]
    fn a_missing_key_names_the_file_looked_for() {
        let said = from_file(Path::new("/nowhere/omise.key")).unwrap_err().to_string();
        assert!(said.starts_with("/nowhere/omise.key: the key cannot be read"), "{said}");
    }
}
