//! Every way a call can fail, told apart by what the caller may do next.
//!
//! Promises: "never sent" is said only when no byte of the request can have left; an [`ApiError`] is a
//! genuine Omise error object; all else that came back is an [`UnusableReply`]. No error holds a key, a
//! request body or a query. Must never know what a failure means for anybody's billing.

use std::time::Duration;

use jiff::Timestamp;

/// A failed call.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No complete answer came.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The API answered with its error object.
    #[error(transparent)]
    Api(Box<ApiError>),
    /// Something answered, but not in the API's words.
    #[error(transparent)]
    Unusable(Box<UnusableReply>),
    /// A list that did not give all the rows it says it has; see [`Rows`](super::Rows).
    #[error("the list is incomplete: {reason}; read it again")]
    Incomplete {
        /// What was seen.
        reason: String,
    },
    /// The call was refused before it was made: an id that cannot be one, or a missing public key.
    #[error("the call was not made: {reason}")]
    Usage {
        /// What is wrong with the call.
        reason: String,
    },
}

impl Error {
    /// What kind of failure this is, without its details.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Transport(TransportError::NeverSent { .. }) => ErrorKind::NeverSent,
            Self::Transport(TransportError::PerhapsProcessed { .. }) => ErrorKind::PerhapsProcessed,
            Self::Api(error) => error.kind(),
            Self::Unusable(reply) if reply.status >= 500 => ErrorKind::ProviderFault,
            Self::Unusable(_) => ErrorKind::Unusable,
            Self::Incomplete { .. } => ErrorKind::Incomplete,
            Self::Usage { .. } => ErrorKind::Usage,
        }
    }

    /// The API's error object, when there is one.
    pub fn api(&self) -> Option<&ApiError> {
        match self {
            Self::Api(error) => Some(error),
            _ => None,
        }
    }
}

/// The kinds of failure, for a `match` that does not care for details.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// 401: the key is unknown.
    Authentication,
    /// 403: the key is known but may not do this (expired, locked account, wrong kind of key).
    Permission,
    /// 404: no such object, or it was deleted.
    NotFound,
    /// 400, 422 and the rest of the 4xx: the API refuses the request as it is.
    InvalidRequest,
    /// 429: too many requests; see [`ApiError::retry_after`].
    RateLimited,
    /// 5xx, with or without an error object. The request may have been carried out all the same.
    ProviderFault,
    /// An answer that is none of the API's: see [`UnusableReply`].
    Unusable,
    /// No byte of the request can have left this machine.
    NeverSent,
    /// The request left, wholly or in part, and nobody knows what became of it.
    PerhapsProcessed,
    /// A list that did not give all its rows.
    Incomplete,
    /// Refused locally, nothing was sent.
    Usage,
}

/// The API's own error object, with the status and the headers that came with it. Its words are fit for one line of a
/// log or a terminal: control characters are blanks, and what is longer than any real one is cut.
///
/// Codes form an open set: compare [`code`](Self::code) with the words you know and treat the rest by
/// status. The guides print `customer_not_found`, `card_not_found` and `token_not_found`; recorded answers
/// have the plain `not_found` for all of them, and a spent token is 400 `used_token`, not 404.
///
/// A declined card is *not* an error: it is a 200 with a [`Charge`](super::Charge) whose status is `failed`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Omise refused the request: {status} {code}: {message}{}", request_note(request_id.as_deref()))]
pub struct ApiError {
    /// HTTP status, 400–599.
    pub status: u16,
    /// The API's word for the failure, such as `not_found` or `invalid_charge`.
    pub code: String,
    /// A sentence for people. Never branch on it.
    pub message: String,
    /// Link to the documentation of the code. `None` when absent.
    pub location: Option<String>,
    /// The `X-Request-Id` header: what Omise's support asks for. `None` when absent.
    pub request_id: Option<String>,
    /// The wait that a 429 (or 503) named by `Retry-After`. Official pages document none, so mostly `None`.
    pub retry_after: Option<Duration>,
    /// The provider's clock at the answer. `None` without a usable `Date` header.
    pub provider_date: Option<Timestamp>,
}

impl ApiError {
    /// What kind of failure the status stands for.
    pub fn kind(&self) -> ErrorKind {
        match self.status {
            401 => ErrorKind::Authentication,
            403 => ErrorKind::Permission,
            404 => ErrorKind::NotFound,
            429 => ErrorKind::RateLimited,
            500.. => ErrorKind::ProviderFault,
            _ => ErrorKind::InvalidRequest,
        }
    }
}

/// No complete answer came. The two cases are the one thing that must not be confused after a POST.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// Name resolution, connecting or the TLS handshake failed: no byte of the request left.
    #[error("the request was never sent: {reason}")]
    NeverSent {
        /// What failed, without address or query.
        reason: String,
    },
    /// The connection stood, then something failed. The request may have been carried out.
    #[error("the request was sent, wholly or in part, and no complete answer came: {reason}")]
    PerhapsProcessed {
        /// What failed, without address or query.
        reason: String,
        /// The status, when the head of the answer was read and only its body failed.
        status: Option<u16>,
        /// The provider's clock, when the head of the answer was read.
        provider_date: Option<Timestamp>,
    },
}

/// An answer that cannot be used: not the object asked for, and not an error object either.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the answer cannot be used: status {status}, {flaw}{}", request_note(request_id.as_deref()))]
pub struct UnusableReply {
    /// HTTP status.
    pub status: u16,
    /// What is wrong with it.
    pub flaw: Flaw,
    /// The `X-Request-Id` header. `None` when absent.
    pub request_id: Option<String>,
    /// The wait named by `Retry-After`. `None` when absent.
    pub retry_after: Option<Duration>,
    /// The provider's clock at the answer. `None` without a usable `Date` header.
    pub provider_date: Option<Timestamp>,
}

/// What is wrong with an [`UnusableReply`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// 200, but not the JSON of the wanted object.
    #[error("whose body is not a {wanted}: {reason}")]
    Unparsable {
        /// Name of the object wanted.
        wanted: &'static str,
        /// Where the JSON stopped making sense. Holds no value from the body.
        reason: String,
    },
    /// 200 with a well-formed object of another kind, an error object included.
    #[error("which holds a {found:?} object instead of a {wanted}")]
    OtherObject {
        /// Name of the object wanted.
        wanted: &'static str,
        /// Name of the object found, shortened.
        found: String,
    },
    /// 3xx. Redirects are never followed: the key would follow them.
    #[error("a redirect, which is never followed")]
    Redirect,
    /// 4xx or 5xx without an Omise error object: some machine in between spoke.
    #[error("without an Omise error object, so something between us and Omise may have answered")]
    NoErrorObject,
    /// Any other status; Omise's successes are all 200.
    #[error("which the API never uses")]
    Status,
}

fn request_note(id: Option<&str>) -> String {
    id.map(|id| format!(" (request {id})")).unwrap_or_default()
}
