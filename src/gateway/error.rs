//! Why the provider could not be read.

use std::sync::Arc;

use thiserror::Error;

/// Why a read failed. Reads change nothing, so none of these is a doubt.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum GatewayError {
    /// The provider refused our keys.
    #[error(
        "the provider refused the key ({code}: {message}); check the key where it is kept: the file of [omise] \
         secret_key_file, the variable of secret_key_env, or the systemd credential omise_secret_key"
    )]
    Keys {
        /// The provider's code.
        code: Arc<str>,
        /// For people.
        message: Arc<str>,
    },
    /// No usable answer, after retries.
    #[error("the provider could not be read: {0}")]
    Unreachable(Arc<str>),
    /// It refused the request itself.
    #[error("the provider refused a read ({code}: {message})")]
    Refused {
        /// The provider's code.
        code: Arc<str>,
        /// For people.
        message: Arc<str>,
    },
    /// It has more of something than is taken in.
    #[error("not read to the end: {0}")]
    TooMany(Arc<str>),
    /// It asked for patience for longer than we wait.
    #[error("the provider asks for patience (429); try later")]
    RateLimited,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_key_is_looked_for_wherever_it_may_be_kept() {
        let said =
            GatewayError::Keys { code: "authentication_failure".into(), message: "no".into() }.to_string();
        for place in ["secret_key_file", "secret_key_env", "systemd credential omise_secret_key"] {
            assert!(said.contains(place), "{said}");
        }
    }
}
