//! The API's error envelope: which status and code each refusal has.
//!
//! Promises: `object` is `error` and the status agrees with the code, since some official clients look at
//! the one and some at the other. Must never know HTTP plumbing.

use serde_json::json;

/// A refusal: no object was made or found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    pub status: u16,
    pub code: &'static str,
    pub message: String,
}

impl ApiError {
    fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// 400 with one of the documented codes.
    pub fn bad(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    /// 401: no key, an unknown key, or a key of the wrong kind.
    pub fn authentication(message: impl Into<String>) -> Self {
        Self::new(401, "authentication_failure", message)
    }

    /// 404 for an object: recordings always show the plain code `not_found`.
    pub fn not_found(what: &str, id: &str) -> Self {
        Self::new(404, "not_found", format!("{what} {id} was not found"))
    }

    /// 404 for a path nothing answers at.
    pub fn no_such_path() -> Self {
        Self::new(404, "not_found", "the requested path was not found")
    }

    /// 422, as search answers for its parameters and a refused deletion.
    pub fn unprocessable(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(422, code, message)
    }

    /// The genuine error object for a status that a switch asks for.
    pub fn of_status(status: u16) -> Self {
        let (code, message) = match status {
            400 => ("bad_request", "the request was refused"),
            401 => ("authentication_failure", "authentication failed"),
            403 => ("not_authorized", "the key is not allowed to do this"),
            404 => ("not_found", "the object was not found"),
            422 => ("invalid_filter", "the request could not be processed"),
            429 => ("too_many_requests", "too many requests, slow down"),
            503 => ("search_unavailable", "the service is unavailable"),
            _ => ("internal_error", "request could not be completed due to an internal error"),
        };
        Self::new(status, code, message)
    }

    /// The body clients parse.
    pub fn body(&self) -> Vec<u8> {
        let anchor = self.code.replace('_', "-");
        json!({
            "object": "error",
            "location": format!("https://www.omise.co/api-errors#{anchor}"),
            "code": self.code,
            "message": self.message,
        })
        .to_string()
        .into_bytes()
    }
}
