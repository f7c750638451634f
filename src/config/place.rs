//! The place of one key in files that were read and found sound, for a wish that only its granting shows to be wrong.
//!
//! Promises: the mistake is shown as those of reading are. Must never know: why it is one.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{ConfigErrors, Place, Problems};
use super::sources::{Kind, Parsed, Sources};

/// That sentence as a mistake of the value of the dotted `key`. Where the key is absent its section is marked, where
/// that is absent too the beginning of the first file. Files that cannot be read any more leave the bare sentence.
pub fn mistake_at(path: &Path, key: &str, sentence: &str) -> ConfigErrors {
    marked(path, &[(key, sentence)])
}

/// The same for sentences that each begin with their dotted key.
pub(super) fn mistakes_at(path: &Path, sentences: &[String]) -> ConfigErrors {
    let keyed = |sentence: &'_ str| sentence.split_once(": ").map_or(0, |(key, _)| key.len());
    let all: Vec<_> = sentences.iter().map(|all| (&all[..keyed(all)], all.as_str())).collect();
    marked(path, &all)
}

fn marked(path: &Path, mistakes: &[(&str, &str)]) -> ConfigErrors {
    let Ok(sources) = Sources::read(path) else {
        let bare: Vec<&str> = mistakes.iter().map(|(_, sentence)| *sentence).collect();
        return ConfigErrors::sentence(bare.join("\n"));
    };
    let unread = Problems::new(&sources);
    let files = sources.parse(&unread).unwrap_or_default();
    let problems = Problems::new(&sources);
    for (key, sentence) in mistakes {
        problems.note(place(&files, key).unwrap_or_else(|| Place::new(0, 0..0)), (*sentence).to_owned());
    }
    problems.into_errors()
}

fn place(files: &[Parsed<'_>], key: &str) -> Option<Place> {
    let (section, rest) = key.split_once('.').map_or((key, None), |(section, rest)| (section, Some(rest)));
    let found = |parsed: &Parsed<'_>| {
        let (name, value) = entry(&parsed.table, section)?;
        let deeper = rest.and_then(|rest| within(parsed.file, value, rest));
        Some((deeper.is_some(), deeper.unwrap_or(Place::new(parsed.file, name))))
    };
    // Plans may be spread over several files: the one that has the key itself, before one that has its section.
    let all: Vec<_> = files.iter().filter(|parsed| parsed.kind == Kind::Config).filter_map(found).collect();
    let (_, place) = all.iter().find(|(whole, _)| *whole).or(all.first())?;
    Some(place.clone())
}

/// The value of a dotted key within a table.
fn within(file: usize, value: &Spanned<DeValue<'_>>, key: &str) -> Option<Place> {
    let DeValue::Table(table) = value.get_ref() else { return None };
    let (first, rest) = key.split_once('.').map_or((key, None), |(first, rest)| (first, Some(rest)));
    let (_, value) = entry(table, first)?;
    match rest {
        None => Some(Place::new(file, value.span())),
        Some(rest) => within(file, value, rest),
    }
}

/// Where that key stands, and its value.
fn entry<'t, 'a>(
    table: &'t DeTable<'a>,
    name: &str,
) -> Option<(std::ops::Range<usize>, &'t Spanned<DeValue<'a>>)> {
    let (key, value) = table.iter().find(|(key, _)| key.get_ref() == name)?;
    Some((key.span(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_marked_or_its_section_or_the_beginning() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dues.toml");
        let plans = "[plans.a]\nprice = \"1.00 THB\"\n";
        std::fs::write(folder.path().join("plans.toml"), plans).unwrap();
        let text = "include = [\"plans.toml\"]\n\n[web]\nlisten = \"127.0.0.1:1\"\n[plans.b]\nprice = 1\n";
        std::fs::write(&path, text).unwrap();
        for (key, place) in [
            ("web.listen", "dues.toml:4:10"),
            ("web.hosts", "dues.toml:3:2"),
            ("store.path", "dues.toml:1:1"),
            ("plans.a.price", "plans.toml:2:9"),
            ("plans.b.price", "dues.toml:6:9"),
        ] {
            let said = mistake_at(&path, key, "wrong").to_string();
            assert!(said.contains(place) && said.contains("error: wrong"), "{key}: {said}");
        }
        let gone = mistake_at(&folder.path().join("none.toml"), "web", "wrong").to_string();
        assert_eq!(gone, "error: wrong");
    }
}
