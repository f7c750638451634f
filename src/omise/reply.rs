//! One complete answer, and the plain function that reads it.
//!
//! Promises: reading never panics and never repeats body text in an error; a value comes only out of a 200
//! that holds the wanted object; an [`ApiError`] only out of a genuine error object.
//! Must never know the network: everything here works on bytes in memory, so that fuzzers can call it.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use serde::Deserialize;

use super::{ApiError, Error, Flaw, UnusableReply, one_line};

/// Longest request id, object name or error code kept from an answer; real ones have under 40 characters.
const NAME_MAX_BYTES: usize = 100;
/// Longest sentence or link of an error object that is kept.
const MESSAGE_MAX_BYTES: usize = 500;
/// A wait longer than this is no wait but a mistake; callers cap it far lower anyway.
const RETRY_AFTER_MAX: Duration = Duration::from_hours(24);

/// An object of the API, known by the word in its `object` field.
pub trait ApiObject {
    /// The word, such as `charge`.
    const OBJECT: &'static str;
    /// The word that this value really carries.
    fn object(&self) -> &str;
}

/// One complete answer: status, the headers that matter, the whole body.
///
/// Its `Debug` form shows the length of the body only, since bodies hold personal data.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The provider's clock when it answered, from the `Date` header, in whole seconds. `None` when the
    /// header is missing or is no date.
    pub provider_date: Option<Timestamp>,
    /// The `X-Request-Id` header. `None` when absent.
    pub request_id: Option<String>,
    /// The wait named by `Retry-After`, as seconds or as a date counted from [`Self::provider_date`].
    pub retry_after: Option<Duration>,
    /// The body, exactly as received.
    pub body: Bytes,
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("status", &self.status)
            .field("provider_date", &self.provider_date)
            .field("request_id", &self.request_id)
            .field("retry_after", &self.retry_after)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish()
    }
}

/// A value together with what its answer said beside it.
#[derive(Debug, Clone)]
pub struct Answer<T> {
    /// The object asked for.
    pub value: T,
    /// The provider's clock when it answered. `None` without a usable `Date` header.
    pub provider_date: Option<Timestamp>,
    /// The `X-Request-Id` header. `None` when absent.
    pub request_id: Option<String>,
    /// The body the value was read from, for whoever wants the API's own JSON. Shared, not copied.
    pub body: Bytes,
}

impl Reply {
    /// The head of an answer, with an empty body yet; headers that make no sense count as absent.
    pub(super) fn head(status: u16, headers: &HeaderMap) -> Self {
        let provider_date = provider_date(headers);
        let request_id = headers
            .get("x-request-id")
            .and_then(|value| value.to_str().ok())
            .map(|id| one_line(id, NAME_MAX_BYTES).into_owned());
        let retry_after = headers
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .and_then(|text| parse_retry_after(text, provider_date));
        Self { status, provider_date, request_id, retry_after, body: Bytes::new() }
    }

    /// Reads the object asked for, or says what came instead.
    ///
    /// Success is status 200 and an object of the wanted name, as everything Omise does right is; any other
    /// 2xx is unusable. The value may borrow from the reply.
    pub fn parse<'a, T: Deserialize<'a> + ApiObject>(&'a self) -> Result<T, Error> {
        if self.status != 200 {
            return Err(self.refusal());
        }
        // Looked at as text once: else the parser looks at every string of it anew. What is no text may still be read,
        // where the bytes that are none lie in fields that nobody asks for.
        let value: T = std::str::from_utf8(&self.body)
            .map_or_else(|_| serde_json::from_slice(&self.body), serde_json::from_str)
            .map_err(|error| self.unusable(unparsable_or_other(T::OBJECT, &self.body, &error)))?;
        if value.object() == T::OBJECT {
            Ok(value)
        } else {
            let found = one_line(value.object(), NAME_MAX_BYTES).into_owned();
            Err(self.unusable(Flaw::OtherObject { wanted: T::OBJECT, found }))
        }
    }

    /// The answer itself if it says that all went well, else the error that it stands for.
    pub(super) fn accepted(self) -> Result<Self, Error> {
        if self.status == 200 { Ok(self) } else { Err(self.refusal()) }
    }

    /// The error that an answer other than 200 stands for.
    fn refusal(&self) -> Error {
        match self.status {
            400..=599 => self
                .error_object()
                .map_or_else(|| self.unusable(Flaw::NoErrorObject), |error| Error::Api(Box::new(error))),
            300..=399 => self.unusable(Flaw::Redirect),
            _ => self.unusable(Flaw::Status),
        }
    }

    /// The genuine error object in the body, if that is what it is: `object` is `error`, `code` is a
    /// non-empty string. Status and headers are added to it; its words are made fit for one line, and cut where they are
    /// longer than any real ones.
    pub fn error_object(&self) -> Option<ApiError> {
        let body: ErrorBody = serde_json::from_slice(&self.body).ok()?;
        if body.object != "error" || body.code.is_empty() {
            return None;
        }
        Some(ApiError {
            status: self.status,
            code: one_line(&body.code, NAME_MAX_BYTES).into_owned(),
            message: one_line(&body.message.unwrap_or_default(), MESSAGE_MAX_BYTES).into_owned(),
            location: body.location.map(|location| one_line(&location, MESSAGE_MAX_BYTES).into_owned()),
            request_id: self.request_id.clone(),
            retry_after: self.retry_after,
            provider_date: self.provider_date,
        })
    }

    /// Wraps a value that was read from this reply.
    pub fn answer<T>(&self, value: T) -> Answer<T> {
        Answer {
            value,
            provider_date: self.provider_date,
            request_id: self.request_id.clone(),
            body: self.body.clone(),
        }
    }

    fn unusable(&self, flaw: Flaw) -> Error {
        Error::Unusable(Box::new(UnusableReply {
            status: self.status,
            flaw,
            request_id: self.request_id.clone(),
            retry_after: self.retry_after,
            provider_date: self.provider_date,
        }))
    }
}

#[derive(Deserialize)]
struct ErrorBody {
    object: String,
    code: String,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    location: Option<String>,
}

#[derive(Deserialize)]
struct NameOnly {
    object: String,
}

/// A body of another kind often lacks the wanted fields as well: its own name says more than that does.
fn unparsable_or_other(wanted: &'static str, body: &[u8], error: &serde_json::Error) -> Flaw {
    match serde_json::from_slice::<NameOnly>(body) {
        Ok(NameOnly { object }) if object != wanted => {
            Flaw::OtherObject { wanted, found: one_line(&object, NAME_MAX_BYTES).into_owned() }
        }
        _ => Flaw::Unparsable { wanted, reason: place(error) },
    }
}

/// Where parsing failed. serde's own message may repeat text of the body, which can be personal data.
fn place(error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    let what = match error.classify() {
        Category::Io | Category::Eof => "the JSON ends too early",
        Category::Syntax => "this is not JSON",
        Category::Data => "a field is missing or of the wrong type",
    };
    format!("{what}, at line {} column {}", error.line(), error.column())
}

/// The `Date` header as an instant.
fn provider_date(headers: &HeaderMap) -> Option<Timestamp> {
    static PARSER: DateTimeParser = DateTimeParser::new();
    PARSER.parse_timestamp(headers.get(DATE)?.as_bytes()).ok()
}

fn parse_retry_after(text: &str, provider_date: Option<Timestamp>) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds).min(RETRY_AFTER_MAX));
    }
    let until = DateTimeParser::new().parse_timestamp(text).ok()?;
    let wait = Duration::try_from(until.duration_since(provider_date?)).unwrap_or(Duration::ZERO);
    Some(wait.min(RETRY_AFTER_MAX))
}
