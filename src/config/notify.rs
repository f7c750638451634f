//! `[notify]`: who writes to customers, whom they ask, and in which words.
//!
//! The merchant's own templates are judged where they are known, by the room that writes the letters.

use super::scalar;
use super::section::{Found, Section};
use crate::model::Language;
use crate::model::settings::Letters;

/// What letters are made with.
const LETTERS: &[&str] = &["merchant", "support", "cancel", "card_update_url", "language", "templates"];
/// The ways that messages go, each a table of its own, and when they go.
const WAYS: &[&str] =
    &["email", "webhook", "command", "quiet", "keep", "trial_ending", "remind", "digest_at"];

/// Longer texts would be cut in letters.
const LONGEST_CHARS: usize = 200;

/// The whole section, its keys known.
pub(super) fn section<'a>(found: &Found<'a>) -> Option<Section<'a>> {
    let known: Vec<&str> = LETTERS.iter().chain(WAYS).copied().collect();
    found.section(&known, "[notify] with `merchant` and `support`")
}

/// What letters are made with; `None`: the section speaks of none.
pub(super) fn letters(section: &Section<'_>) -> Option<Letters> {
    let speaks_of_letters = LETTERS.iter().chain(&["email"]).any(|key| section.get(key).is_some());
    if !speaks_of_letters {
        return None;
    }
    let get = |key: &str| section.get(key);
    let merchant = section.need("merchant", "who writes to customers, such as merchant = \"Example Shop\"");
    let support = section.need("support", "whom customers ask, such as support = \"help@shop.example\"");
    let cancel = get("cancel").and_then(|v| line(&v, "how customers cancel: a page or a few words"));
    let card_update_url =
        get("card_update_url").and_then(|v| v.parse("a web page's address", scalar::page_url));
    let language = get("language").and_then(|v| v.parse("a language", language)).unwrap_or(Language::En);
    let templates = get("templates").and_then(|v| v.path());
    Some(Letters {
        merchant: merchant.and_then(|v| line(&v, "a name"))?,
        support: support.and_then(|v| line(&v, "a mailbox, a page or a few words"))?,
        cancel,
        card_update_url,
        language,
        templates,
    })
}

/// One line of text that fits into a letter.
fn line(found: &Found<'_>, wanted: &str) -> Option<String> {
    let text = found.text(wanted)?;
    if text.contains(char::is_control) {
        found.wrong(format!("found {text:?}, wanted {wanted}, on one line"));
        return None;
    }
    let length = text.chars().count();
    if length > LONGEST_CHARS {
        found
            .wrong(format!("found {length} characters, wanted {wanted}, at most {LONGEST_CHARS} characters"));
        return None;
    }
    Some(text.trim().to_owned())
}

fn language(word: &str) -> Result<Language, String> {
    let known: Vec<&str> = Language::ALL.iter().map(|language| language.word()).collect();
    Language::from_word(word).ok_or_else(|| format!("found {word:?}, wanted one of {}", known.join(", ")))
}
