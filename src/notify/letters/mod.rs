//! The letters: a message's facts, put into words in English, Thai or Japanese.
//!
//! Rendering is pure: the same message, language and settings give the same letter, so that a letter sent twice is
//! one letter. It must never know how a letter travels.

use crate::model::settings::Letters;
use crate::model::{Language, Message};

/// A message in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// One line, never empty.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// HTML.
    pub html: String,
}

/// Who writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterSettings {
    /// The merchant's wishes.
    pub wishes: Letters,
}

impl LetterSettings {
    /// From the wishes.
    pub fn load(wishes: Letters) -> Result<Self, String> {
        Ok(Self { wishes })
    }
}

/// Puts a message into words.
pub fn render(message: &Message, _: Language, desk: &LetterSettings) -> Result<Letter, String> {
    let subject = format!("{}: {}", desk.wishes.merchant, message.kind);
    Ok(Letter { text: subject.clone(), html: subject.clone(), subject })
}
