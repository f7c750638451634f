//! The two kinds of key, which cannot be mixed up and cannot be printed.
//!
//! Promises: a key has its right prefix; its text is wiped from memory when the last copy is dropped;
//! neither type has `Display`, `Serialize` or a `Debug` that shows more than the kind and the mode.
//! Must never know where keys come from: files, environments and credentials are the caller's business.

use std::fmt;

use zeroize::Zeroizing;

/// A key longer than this is a pasted file, not a key. Known keys have about 30 characters.
const KEY_MAX_CHARS: usize = 200;

/// Why a text is not the key that was wanted. Never contains the text itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Nothing but white space.
    #[error("the {wanted} key is empty")]
    Empty {
        /// `secret` or `public`.
        wanted: &'static str,
    },
    /// A public key where a secret one belongs.
    #[error(
        "this is a public key (pkey_…), but the secret key (skey_…) is needed: public keys can only make tokens"
    )]
    PublicForSecret,
    /// A secret key where a public one belongs.
    #[error(
        "this is a secret key (skey_…), but the public key (pkey_…) is needed: a secret key must not be used to make tokens"
    )]
    SecretForPublic,
    /// Neither prefix.
    #[error("this is not an Omise {wanted} key: those start with {prefix}_test_ (test) or {prefix}_ (live)")]
    Prefix {
        /// `secret` or `public`.
        wanted: &'static str,
        /// `skey` or `pkey`.
        prefix: &'static str,
    },
    /// Characters that no key has, such as a line break in the middle, or far too many of them.
    #[error("this is not an Omise {wanted} key: after the prefix come letters, digits and underscores only")]
    Characters {
        /// `secret` or `public`.
        wanted: &'static str,
    },
}

/// A secret key: `skey_test_…` for test data, `skey_…` for live data.
///
/// ```
/// use dues::omise::SecretKey;
///
/// let key = SecretKey::parse("skey_test_5xuy4w91xqz7d1w9u0t")?;
/// assert!(!key.livemode());
/// assert_eq!(format!("{key:?}"), "SecretKey(test)");
/// assert!(SecretKey::parse("pkey_test_5xuy4w91xqz7d1w9u0t").is_err());
/// # Ok::<(), dues::omise::KeyError>(())
/// ```
#[derive(Clone)]
pub struct SecretKey(Zeroizing<String>);

/// A public key: `pkey_test_…` or `pkey_…`. It can make tokens and read the capability, nothing else.
///
/// Merchants publish it on their pages, but the type guards it like the other one: what is never printed
/// cannot be confused with what must never be printed.
#[derive(Clone)]
pub struct PublicKey(Zeroizing<String>);

impl SecretKey {
    /// Reads a key; white space around it, as left by an editor, is dropped.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        match check(text, "secret", "skey") {
            Err(KeyError::Prefix { .. }) if text.trim().starts_with("pkey_") => {
                Err(KeyError::PublicForSecret)
            }
            Err(error) => Err(error),
            Ok(key) => Ok(Self(key)),
        }
    }

    /// True for a live key: it moves real money. Omise keeps live and test data wholly apart.
    pub fn livemode(&self) -> bool {
        !self.0.starts_with("skey_test_")
    }

    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl PublicKey {
    /// Reads a key; white space around it is dropped.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        match check(text, "public", "pkey") {
            Err(KeyError::Prefix { .. }) if text.trim().starts_with("skey_") => {
                Err(KeyError::SecretForPublic)
            }
            Err(error) => Err(error),
            Ok(key) => Ok(Self(key)),
        }
    }

    /// True for a live key.
    pub fn livemode(&self) -> bool {
        !self.0.starts_with("pkey_test_")
    }

    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({})", mode(self.livemode()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", mode(self.livemode()))
    }
}

const fn mode(live: bool) -> &'static str {
    if live { "live" } else { "test" }
}

fn check(text: &str, wanted: &'static str, prefix: &'static str) -> Result<Zeroizing<String>, KeyError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(KeyError::Empty { wanted });
    }
    let Some(rest) = text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_')) else {
        return Err(KeyError::Prefix { wanted, prefix });
    };
    let own = rest.strip_prefix("test_").unwrap_or(rest);
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if own.is_empty() || text.len() > KEY_MAX_CHARS || !own.chars().all(legal) {
        return Err(KeyError::Characters { wanted });
    }
    Ok(Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_refuses_the_other_and_says_so() {
        assert_eq!(SecretKey::parse("pkey_test_abc").unwrap_err(), KeyError::PublicForSecret);
        assert_eq!(PublicKey::parse("skey_abc").unwrap_err(), KeyError::SecretForPublic);
        assert_eq!(SecretKey::parse(" \n").unwrap_err(), KeyError::Empty { wanted: "secret" });
        for wrong in ["skey", "skey_", "skey_test_", "skey_a b", "skey_a\nb", "SKEY_abc", "sk_test_abc"] {
            assert!(SecretKey::parse(wrong).is_err(), "{wrong:?} was taken");
        }
        assert!(SecretKey::parse(&format!("skey_{}", "a".repeat(KEY_MAX_CHARS))).is_err());
    }

    #[test]
    fn the_mode_comes_from_the_key() {
        assert!(!SecretKey::parse("skey_test_abc\n").unwrap().livemode());
        assert!(SecretKey::parse("skey_abc").unwrap().livemode());
        assert!(!PublicKey::parse("pkey_test_abc").unwrap().livemode());
        assert!(PublicKey::parse("pkey_5abc").unwrap().livemode());
    }

    #[test]
    fn no_message_and_no_debug_form_shows_the_text() {
        let canary = "skey_test_canary0canary";
        assert!(!format!("{:?}", SecretKey::parse(canary).unwrap()).contains("canary"));
        for wrong in ["skey_canary\u{e9}", "xkey_canary", "pkey_canary"] {
            let error = SecretKey::parse(wrong).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
        }
    }
}
