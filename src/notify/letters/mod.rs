//! The letters: a message's facts, put into words in English, Thai or Japanese.
//!
//! Promises: rendering is pure: the same message, language and settings give the same letter, so that a letter sent
//! twice is one letter. A subject is one line, whatever a plan is called; a value in HTML is never read as HTML; no
//! picture is fetched from anywhere. The customer is told why a payment failed in plain words, never in codes. Must
//! never know: how a letter travels, and whether it should.

mod built_in;
mod dates;
mod facts;
mod files;
mod money;
mod overrides;
mod placeholders;
mod sample;
mod template;
mod words;
mod wrap;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use thiserror::Error;

use crate::model::settings::Letters;
use crate::model::{Language, Message};
use files::{File, Part, Stem};
use template::{Template, Value, Values};

pub use overrides::{OverrideError, OverrideErrors};
pub use sample::{sample, sample_merchant};
pub use template::TemplateError;

/// A message in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// One line, never empty.
    pub subject: String,
    /// For readers of plain text: lines of at most 78 columns where the language allows, `\n` at the end of each.
    pub text: String,
    /// A whole page of HTML that says the same and fetches nothing.
    pub html: String,
}

/// Why a message cannot be put into words.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LetterError {
    /// A link that leads nowhere a customer should be sent.
    #[error("{what}: found {found:?}, wanted the address of a web page")]
    Link {
        /// The placeholder.
        what: &'static str,
        /// Its first characters.
        found: String,
    },
    /// An own template whose subject says nothing about this message.
    #[error("{file}: found an empty subject for this message, wanted one line of text")]
    NoSubject {
        /// `th/declined.subject`.
        file: String,
    },
}

/// Who writes, and with which templates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterSettings {
    /// The merchant's wishes; `wishes.language` is that of customers and merchants of whom no other is known.
    pub wishes: Letters,
    templates: BTreeMap<File, Template>,
    own: usize,
}

impl LetterSettings {
    /// The built-in templates, and in their place those of the folder that the wishes name. Reads that folder.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn load(wishes: Letters) -> Result<Self, OverrideErrors> {
        let mut own = match &wishes.templates {
            Some(folder) => overrides::read(folder)?,
            None => BTreeMap::new(),
        };
        let count = own.len();
        let mut templates = BTreeMap::new();
        let mut errors = Vec::new();
        for file in File::all() {
            let ready = own.remove(&file).map_or_else(|| built_in_template(file), Ok);
            match ready {
                Ok(template) => {
                    templates.insert(file, template);
                }
                Err(more) => errors.extend(more),
            }
        }
        if errors.is_empty() {
            Ok(Self { wishes, templates, own: count })
        } else {
            Err(OverrideErrors(errors))
        }
    }

    /// How many templates are the merchant's own.
    pub const fn own_templates(&self) -> usize {
        self.own
    }

    fn part(&self, language: Language, stem: Stem, part: Part, values: &Values) -> String {
        let file = File { language, stem, part };
        self.templates.get(&file).map(|template| template.render(values)).unwrap_or_default()
    }

    /// The letter's body within what surrounds every letter.
    fn page(&self, language: Language, letter: Stem, part: Part, mut values: Values) -> String {
        let details = self.part(language, Stem::Details, part, &values);
        values.insert("details", Value::rendered(details.trim_end().into()));
        let body = self.part(language, letter, part, &values);
        values.insert("body", Value::rendered(body.trim().into()));
        self.part(language, Stem::Layout, part, &values)
    }
}

/// A test reads them all, so that no release has one that cannot be read.
fn built_in_template(file: File) -> Result<Template, Vec<OverrideError>> {
    let name = file.to_string();
    let text = built_in::text(&name).unwrap_or_default();
    Template::parse(&name, text, file.part.form(), &placeholders::known(file))
        .map_err(|errors| errors.into_iter().map(OverrideError::from).collect())
}

/// Puts a message into words.
///
/// # Errors
/// A link that is none, or an own template that leaves the subject empty. Sending it again would not help.
pub fn render(
    message: &Message,
    language: Language,
    settings: &LetterSettings,
) -> Result<Letter, LetterError> {
    let mut values = facts::values(message, language, &settings.wishes)?;
    let letter = Stem::Letter(message.kind);
    let subject = facts::one_line(&settings.part(language, letter, Part::Subject, &values));
    if subject.is_empty() {
        let file = File { language, stem: letter, part: Part::Subject };
        return Err(LetterError::NoSubject { file: file.to_string() });
    }
    values.insert("subject", Value::text(subject.clone()));
    let text = settings.page(language, letter, Part::Text, values.clone());
    let html = settings.page(language, letter, Part::Html, values);
    Ok(Letter { subject, text: wrap::wrapped(&without_gaps(&text)), html: without_gaps(&html) })
}

/// At most one empty line in a row: what was left out leaves no hole.
fn without_gaps(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut was_empty = true;
    for line in text.lines().map(str::trim_end) {
        if !(line.is_empty() && was_empty) {
            out.push_str(line);
            out.push('\n');
        }
        was_empty = line.is_empty();
    }
    out
}
