//! One request, read: method, path, parameters, key.
//!
//! Promises: the same call whatever way it was written. Must never know what calls there are.

use bytes::Bytes;
use hyper::{HeaderMap, Method, Uri};

use crate::sandbox::objects::error::ApiError;
use crate::sandbox::objects::params::Params;
use crate::sandbox::state::idempotency;

/// What is asked.
#[derive(Clone)]
pub struct Call {
    pub method: Method,
    /// The path without its trailing slash.
    pub path: String,
    pub params: Params,
    pub authorization: Option<String>,
    pub idempotency_key: Option<String>,
    /// Switches in the header, as text.
    pub faults: Option<String>,
    /// What was asked, as one number.
    pub print: u64,
}

impl Call {
    /// Reads a request that arrived whole.
    pub fn read(method: Method, uri: &Uri, headers: &HeaderMap, body: &Bytes) -> Result<Self, ApiError> {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let idempotency_key = header("idempotency-key");
        let print = match idempotency_key {
            Some(_) => idempotency::print_of(method.as_str(), uri.path(), body),
            None => 0,
        };
        Ok(Self {
            params: Params::read(uri.query(), body)?,
            path: uri.path().trim_end_matches('/').to_owned(),
            authorization: header("authorization"),
            idempotency_key,
            faults: header("x-sandbox-fault"),
            print,
            method,
        })
    }

    /// The parts of the path.
    pub fn segments(&self) -> Vec<&str> {
        self.path.split('/').filter(|part| !part.is_empty()).collect()
    }
}
