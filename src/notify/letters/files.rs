//! The files of the letters: `LANGUAGE/NAME.PART`, such as `th/declined.html`, inside this program and in a folder of
//! the operator's.

use std::fmt;

use super::template::Form;
use crate::model::{Language, MessageKind};

/// One file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct File {
    pub(super) language: Language,
    pub(super) stem: Stem,
    pub(super) part: Part,
}

/// What it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stem {
    /// What surrounds every letter: greeting, signature, whom to ask, how to cancel.
    Layout,
    /// The list of what a letter is about: amount, period, card, numbers.
    Details,
    /// The letter itself.
    Letter(MessageKind),
}

/// Which part of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Subject,
    Text,
    Html,
}

impl Part {
    const ALL: [Self; 3] = [Self::Subject, Self::Text, Self::Html];

    const fn ending(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Text => "txt",
            Self::Html => "html",
        }
    }

    pub(super) const fn form(self) -> Form {
        match self {
            Self::Subject | Self::Text => Form::Plain,
            Self::Html => Form::Html,
        }
    }
}

impl Stem {
    const fn word(self) -> &'static str {
        match self {
            Self::Layout => "layout",
            Self::Details => "details",
            Self::Letter(kind) => kind.word(),
        }
    }
}

impl File {
    /// Every file there is.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        Language::ALL.iter().flat_map(|language| Self::of(*language))
    }

    /// Every file of that language.
    pub(super) fn of(language: Language) -> impl Iterator<Item = Self> {
        let shared = [Stem::Layout, Stem::Details].into_iter();
        let stems = shared.chain(MessageKind::ALL.iter().map(|kind| Stem::Letter(*kind)));
        stems.flat_map(move |stem| {
            let parts = Part::ALL.into_iter();
            parts
                .filter(move |part| *part != Part::Subject || matches!(stem, Stem::Letter(_)))
                .map(move |part| Self { language, stem, part })
        })
    }

    /// `declined.html`.
    pub(super) fn name(self) -> String {
        format!("{}.{}", self.stem.word(), self.part.ending())
    }
}

impl fmt::Display for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.language, self.name())
    }
}
