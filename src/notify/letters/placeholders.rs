//! Every placeholder that a letter's template may use, in the order in which people are told of them.

use super::files::{File, Part, Stem};
use super::template::Placeholder;
use crate::model::{DeclineKind, Language, MessageKind};

const fn free(name: &'static str) -> Placeholder {
    Placeholder { name, words: &[] }
}

/// The words of a fixed list, for templates that say something of their own for one of them.
macro_rules! words_of {
    ($list:ty) => {{
        let mut words = [""; <$list>::ALL.len()];
        let mut index = 0;
        while index < words.len() {
            words[index] = <$list>::ALL[index].word();
            index += 1;
        }
        words
    }};
}

const KINDS: [&str; MessageKind::ALL.len()] = words_of!(MessageKind);
const LANGUAGES: [&str; Language::ALL.len()] = words_of!(Language);
const DECLINES: [&str; DeclineKind::ALL.len()] = words_of!(DeclineKind);

/// Of the message and of the merchant: known in every file.
const EVERYWHERE: &[Placeholder] = &[
    free("merchant"),
    free("support"),
    free("support_link"),
    free("cancel"),
    free("cancel_link"),
    free("card_update_url"),
    Placeholder { name: "kind", words: &KINDS },
    Placeholder { name: "language", words: &LANGUAGES },
    free("for_merchant"),
    free("customer"),
    free("subscription"),
    free("plan"),
    free("invoice"),
    free("attempt"),
    free("charge"),
    free("amount"),
    free("period"),
    free("date"),
    free("card"),
    free("card_brand"),
    free("card_digits"),
    free("card_valid_through"),
    free("next_try"),
    Placeholder { name: "decline", words: &DECLINES },
    free("why"),
    free("advice"),
    free("action_url"),
    free("last_day"),
    free("next_day"),
    free("ends_later"),
    free("reason"),
    free("recovered"),
    free("day"),
    free("paid_count"),
    free("collected"),
    free("declined_count"),
    free("recovered_count"),
    free("recovered_sums"),
    free("flagged_count"),
    free("in_doubt_count"),
    free("manual_count"),
    free("at_risk_count"),
    free("at_risk_sums"),
];

/// What the template in that file may use.
pub(super) fn known(file: File) -> Vec<Placeholder> {
    let more: &[Placeholder] = match (file.stem, file.part) {
        (Stem::Layout, _) => const { &[free("subject"), free("body")] },
        (Stem::Letter(_), Part::Text | Part::Html) => const { &[free("details")] },
        _ => &[],
    };
    EVERYWHERE.iter().chain(more).copied().collect()
}

/// The names known in every file.
#[cfg(test)]
pub(super) fn everywhere() -> impl Iterator<Item = Placeholder> {
    EVERYWHERE.iter().copied()
}
