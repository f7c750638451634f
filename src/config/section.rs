//! Reading one table key by key, noting every mistake and going on.
//!
//! Promises: an unknown key is noted once with the nearest known one; a wrong value is noted at its place with
//! what was found and what was wanted. Must never know: which keys there are.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::problem::{Place, Problem, Problems};
use super::scalar;

/// A table of the config.
pub(super) struct Section<'a> {
    name: String,
    place: Place,
    folder: &'a Path,
    table: &'a DeTable<'a>,
    problems: &'a Problems<'a>,
}

/// One value of a table.
pub(super) struct Found<'a> {
    /// Dotted, for people.
    pub(super) key: String,
    /// Of the value.
    pub(super) place: Place,
    /// What relative paths are relative to.
    pub(super) folder: &'a Path,
    value: &'a DeValue<'a>,
    problems: &'a Problems<'a>,
}

impl<'a> Found<'a> {
    pub(super) fn new(
        key: String,
        file: usize,
        folder: &'a Path,
        value: &'a Spanned<DeValue<'a>>,
        problems: &'a Problems<'a>,
    ) -> Self {
        Self { key, place: Place::new(file, value.span()), folder, value: value.get_ref(), problems }
    }

    /// Notes a mistake of this value.
    pub(super) fn wrong(&self, sentence: impl Display) {
        self.problems.note(self.place.clone(), format!("{}: {sentence}", self.key));
    }

    /// The same, with what to do about it.
    pub(super) fn wrong_help(&self, sentence: impl Display, help: String) {
        let sentence = format!("{}: {sentence}", self.key);
        self.problems.add(Problem { place: self.place.clone(), sentence, also: None, help: Some(help) });
    }

    fn mistyped<T>(&self, wanted: &str) -> Option<T> {
        let found = match self.value {
            DeValue::String(text) => format!("{text:?}"),
            DeValue::Array(_) => "a list".into(),
            DeValue::Table(_) => "a table".into(),
            scalar => format!("{} (not a string)", self.shown(scalar)),
        };
        self.wrong(format!("found {found}, wanted {wanted}"));
        None
    }

    fn shown(&self, scalar: &DeValue<'_>) -> String {
        match scalar {
            DeValue::Boolean(_) => format!("the word {}", self.problems.text(&self.place)),
            DeValue::Datetime(_) => format!("the date {}", self.problems.text(&self.place)),
            _ => format!("the number {}", self.problems.text(&self.place)),
        }
    }

    /// A string that `read` accepts; its error is the sentence.
    pub(super) fn parse<T, E: Display>(
        &self,
        wanted: &str,
        read: impl FnOnce(&'a str) -> Result<T, E>,
    ) -> Option<T> {
        let DeValue::String(text) = self.value else { return self.mistyped(wanted) };
        read(text).map_err(|why| self.wrong(why)).ok()
    }

    /// A string with something in it.
    pub(super) fn text(&self, wanted: &str) -> Option<&'a str> {
        self.parse(wanted, |text| {
            if text.trim().is_empty() {
                Err(format!("found an empty string, wanted {wanted}"))
            } else {
                Ok(text)
            }
        })
    }

    /// One of some fixed words.
    pub(super) fn word<W: Copy>(&self, all: &[W], word_of: fn(W) -> &'static str) -> Option<W> {
        let words: Vec<&str> = all.iter().map(|one| word_of(*one)).collect();
        let wanted = format!("one of {}", words.join(", "));
        let text = self.text(&wanted)?;
        let known = all.iter().find(|one| word_of(**one) == text).copied();
        if known.is_none() {
            let sentence = format!("found {text:?}, wanted {wanted}");
            match nearest(text, &words) {
                Some(near) => self.wrong_help(sentence, format!("did you mean \"{near}\"?")),
                None => self.wrong(sentence),
            }
        }
        known
    }

    /// Whether it is a string at all.
    pub(super) const fn is_text(&self) -> bool {
        matches!(self.value, DeValue::String(_))
    }

    /// A path, taken relative to the file that names it.
    pub(super) fn path(&self) -> Option<PathBuf> {
        self.text("a file's path").map(|text| self.folder.join(text))
    }

    /// Whether it is a list.
    pub(super) const fn is_list(&self) -> bool {
        matches!(self.value, DeValue::Array(_))
    }

    /// `true` or `false`.
    pub(super) fn flag(&self) -> Option<bool> {
        match self.value {
            DeValue::Boolean(flag) => Some(*flag),
            _ => self.mistyped("true or false"),
        }
    }

    /// A whole number in that range.
    pub(super) fn whole(&self, range: RangeInclusive<u64>) -> Option<u64> {
        let wanted = format!("a whole number from {} to {}", range.start(), range.end());
        let DeValue::Integer(digits) = self.value else { return self.off(&wanted) };
        match u64::from_str_radix(digits.as_str(), digits.radix()) {
            Ok(number) if range.contains(&number) => Some(number),
            _ => self.off(&wanted),
        }
    }

    /// A number with at most three decimals, in thousandths. Read from its digits: no float is made of it.
    pub(super) fn milli(&self, range: RangeInclusive<u32>, wanted: &str) -> Option<u32> {
        let milli = match self.value {
            DeValue::Integer(digits) if digits.radix() == 10 => scalar::milli(digits.as_str()),
            DeValue::Float(digits) => scalar::milli(digits.as_str()),
            _ => None,
        };
        milli.filter(|milli| range.contains(milli)).or_else(|| self.off(wanted))
    }

    /// A wrong number, or something else where a number was wanted.
    fn off<T>(&self, wanted: &str) -> Option<T> {
        if matches!(self.value, DeValue::Integer(_) | DeValue::Float(_)) {
            self.wrong(format!("found {}, wanted {wanted}", self.problems.text(&self.place)));
            return None;
        }
        self.mistyped(wanted)
    }

    /// The values of a list.
    pub(super) fn list(&self, wanted: &str) -> Option<Vec<Found<'a>>> {
        let DeValue::Array(values) = self.value else { return self.mistyped(wanted) };
        let found = |(index, value): (usize, &'a Spanned<DeValue<'a>>)| {
            let key = format!("{}[{index}]", self.key);
            Self::new(key, self.place.file, self.folder, value, self.problems)
        };
        Some(values.iter().enumerate().map(found).collect())
    }

    /// The entries of a table whose keys are free.
    pub(super) fn entries(&self, wanted: &str) -> Option<Vec<(&'a str, Place, Found<'a>)>> {
        let DeValue::Table(table) = self.value else { return self.mistyped(wanted) };
        let entry = |(key, value): (&'a Spanned<DeString<'a>>, &'a Spanned<DeValue<'a>>)| {
            let name = key.get_ref().as_ref();
            let dotted = format!("{}.{name}", self.key);
            let found = Self::new(dotted, self.place.file, self.folder, value, self.problems);
            (name, Place::new(self.place.file, key.span()), found)
        };
        Some(table.iter().map(entry).collect())
    }

    /// A table with these keys and no others.
    pub(super) fn section(&self, known: &[&str], wanted: &str) -> Option<Section<'a>> {
        let DeValue::Table(table) = self.value else { return self.mistyped(wanted) };
        let section = Section {
            name: self.key.clone(),
            place: self.place.clone(),
            folder: self.folder,
            table,
            problems: self.problems,
        };
        section.refuse_unknown(known);
        Some(section)
    }
}

impl<'a> Section<'a> {
    /// The value of that key; `None`: absent.
    pub(super) fn get(&self, key: &str) -> Option<Found<'a>> {
        let (_, value) = self.table.iter().find(|(known, _)| known.get_ref() == key)?;
        let dotted = format!("{}.{key}", self.name);
        Some(Found::new(dotted, self.place.file, self.folder, value, self.problems))
    }

    /// The value of that key, or a mistake noted at the table.
    pub(super) fn need(&self, key: &str, wanted: &str) -> Option<Found<'a>> {
        let found = self.get(key);
        if found.is_none() {
            self.wrong(format!("found no `{key}`, wanted {wanted}"));
        }
        found
    }

    /// Notes a mistake of the table as a whole.
    pub(super) fn wrong(&self, sentence: impl Display) {
        self.problems.note(self.place.clone(), format!("{}: {sentence}", self.name));
    }

    fn refuse_unknown(&self, known: &[&str]) {
        for (key, _) in self.table {
            let found = key.get_ref().as_ref();
            if !known.contains(&found) {
                let place = Place::new(self.place.file, key.span());
                self.problems.add(unknown(&self.name, found, place, known));
            }
        }
    }
}

/// The mistake of a key that nobody reads.
pub(super) fn unknown(section: &str, found: &str, place: Place, known: &[&str]) -> Problem {
    let at = if section.is_empty() { "config" } else { section };
    let sentence = format!("{at}: found unknown key `{found}`, wanted one of {}", known.join(", "));
    let help = alike(found, known).map(|near| format!("the nearest known key is `{near}`"));
    Problem { place, sentence, also: None, help }
}

/// The known key that looks most like a wrong one, however little that is.
fn alike<'k>(found: &str, known: &[&'k str]) -> Option<&'k str> {
    nearest(found, known)
        .or_else(|| known.iter().find(|key| key.contains(found)).copied())
        .or_else(|| known.iter().copied().min_by_key(|key| strsim::damerau_levenshtein(found, key)))
}

/// The known word that a misspelt one most likely meant; `None`: none is near.
pub(super) fn nearest<'k>(found: &str, known: &[&'k str]) -> Option<&'k str> {
    known
        .iter()
        .map(|word| {
            (strsim::damerau_levenshtein(&found.to_ascii_lowercase(), &word.to_ascii_lowercase()), *word)
        })
        .filter(|(distance, word)| *distance * 2 <= word.len().max(found.len()))
        .min()
        .map(|(_, word)| word)
}
