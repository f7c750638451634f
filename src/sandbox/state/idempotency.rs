//! What the `Idempotency-Key` header does: nothing, or repeat the first answer for a day.
//!
//! One copy of the documentation describes the header and no other source knows it, so ignoring it is what
//! happens unless a test says otherwise: whatever is proven here holds without the key. Promises: a
//! remembered answer comes back byte for byte. The refusal of a key used for another body is our own
//! invention. Must never know charges.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::ids::mix;
use crate::sandbox::objects::error::ApiError;

/// How long the one description says keys are kept.
const KEPT_MS: u64 = 24 * 60 * 60 * 1000;

/// What the header does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Nothing.
    #[default]
    Ignored,
    /// The first answer is repeated for a day.
    Honoured,
    /// As honoured, but every key is already too old to be known.
    Forgotten,
}

/// Answers given, by key.
#[derive(Debug, Default)]
pub struct Memory {
    answers: HashMap<String, Kept>,
}

#[derive(Debug, Clone)]
struct Kept {
    at_ms: u64,
    request: u64,
    status: u16,
    body: Vec<u8>,
}

/// One number for what was asked.
pub fn print_of(method: &str, path: &str, body: &[u8]) -> u64 {
    let bytes = method.bytes().chain(path.bytes()).chain(body.iter().copied());
    bytes.fold(0, |sum, byte| mix(sum ^ u64::from(byte)))
}

impl Memory {
    /// The answer already given to this key, if any.
    pub fn recall(
        &self,
        mode: Mode,
        key: &str,
        request: u64,
        now_ms: u64,
    ) -> Result<Option<(u16, Vec<u8>)>, ApiError> {
        if mode != Mode::Honoured {
            return Ok(None);
        }
        match self.answers.get(key) {
            Some(kept) if kept.at_ms.saturating_add(KEPT_MS) <= now_ms => Ok(None),
            Some(kept) if kept.request != request => {
                Err(ApiError::unprocessable("bad_request", "idempotency key was used for another request"))
            }
            Some(kept) => Ok(Some((kept.status, kept.body.clone()))),
            None => Ok(None),
        }
    }

    /// Remembers an answer.
    pub fn keep(&mut self, mode: Mode, key: &str, request: u64, now_ms: u64, status: u16, body: &[u8]) {
        if mode == Mode::Honoured {
            let kept = Kept { at_ms: now_ms, request, status, body: body.to_vec() };
            self.answers.insert(key.to_owned(), kept);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_repeats_for_a_day_and_for_the_same_request_only() {
        let mut memory = Memory::default();
        memory.keep(Mode::Honoured, "k", 1, 0, 200, b"first");
        assert_eq!(memory.recall(Mode::Honoured, "k", 1, 5), Ok(Some((200, b"first".to_vec()))));
        assert_eq!(memory.recall(Mode::Honoured, "k", 2, 5).expect_err("other body").status, 422);
        assert_eq!(memory.recall(Mode::Honoured, "k", 1, KEPT_MS), Ok(None));
        assert_eq!(memory.recall(Mode::Ignored, "k", 1, 5), Ok(None));
        assert_eq!(memory.recall(Mode::Forgotten, "k", 1, 5), Ok(None));
    }
}
