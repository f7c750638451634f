//! The two keys of the pretend account and who may do what with them.
//!
//! Promises: only test keys exist here; a live-looking key is refused with a sentence that says so. Must
//! never know what a request asks.

use super::ids;
use crate::sandbox::objects::error::ApiError;

use base64::Engine as _;

/// Which key a request came with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Public,
    Secret,
}

/// The account's keys, and the header values that carry them.
pub struct Keys {
    pub public: String,
    pub secret: String,
    headers: [(String, Kind); 2],
}

impl Keys {
    /// The same keys for the same seed.
    pub fn from_seed(seed: u64) -> Self {
        let make = |prefix: &str, salt: u64| {
            let mut key = format!("{prefix}_test_");
            ids::base36(&mut key, ids::mix(seed ^ salt), 12);
            ids::base36(&mut key, ids::mix(ids::mix(seed ^ salt)), 7);
            key
        };
        let (public, secret) = (make("pkey", 0x70), make("skey", 0x73));
        let header = |key: &str| {
            format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{key}:")))
        };
        let headers = [(header(&secret), Kind::Secret), (header(&public), Kind::Public)];
        Self { public, secret, headers }
    }

    /// The kind of key in an `Authorization` header.
    pub fn kind(&self, header: Option<&str>) -> Result<Kind, ApiError> {
        let header = header.ok_or_else(|| ApiError::authentication("authentication failed"))?;
        if let Some((_, kind)) = self.headers.iter().find(|(known, _)| known == header) {
            return Ok(*kind);
        }
        match user_name(header) {
            Some(key) if key == self.secret => Ok(Kind::Secret),
            Some(key) if key == self.public => Ok(Kind::Public),
            Some(key) if looks_live(&key) => Err(ApiError::authentication(
                "this is the pretend Omise and it refuses live keys: never send one here",
            )),
            _ => Err(ApiError::authentication("authentication failed")),
        }
    }
}

/// True for a key that real money hangs on.
fn looks_live(key: &str) -> bool {
    ["skey_", "pkey_"].iter().any(|prefix| key.starts_with(prefix) && !key[5..].starts_with("test_"))
}

/// The user name of Basic credentials.
fn user_name(header: &str) -> Option<String> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let plain = base64::engine::general_purpose::STANDARD.decode(encoded.trim()).ok()?;
    let plain = String::from_utf8(plain).ok()?;
    Some(plain.split_once(':').map_or(plain.clone(), |(user, _)| user.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_follow_from_the_seed_and_are_told_apart() {
        let keys = Keys::from_seed(7);
        assert_eq!(keys.secret, Keys::from_seed(7).secret);
        assert_ne!(keys.secret, Keys::from_seed(8).secret);
        assert!(keys.secret.starts_with("skey_test_") && keys.public.starts_with("pkey_test_"));
        let encode = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
        let with = |text: String| keys.kind(Some(&format!("basic {}", encode(&text))));
        assert_eq!(with(format!("{}:", keys.secret)), Ok(Kind::Secret));
        assert_eq!(with(format!("{}:x", keys.public)), Ok(Kind::Public));
        let refused = with("skey_5h1vfb2w:".into()).expect_err("live");
        assert!(refused.message.contains("refuses live keys"));
        assert_eq!(keys.kind(None).expect_err("none").status, 401);
    }
}
