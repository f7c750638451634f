//! The operator's own templates: files of the same names as the built-in ones, in the folder that the config names.
//!
//! Promises: every mistake of every file at once, each with its place; a file that nobody would read is a mistake too.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::files::File;
use super::placeholders::known;
use super::template::{Template, TemplateError};
use crate::model::Language;

/// A template larger than that is something else.
const LARGEST_BYTES: u64 = 256 * 1024;

/// What is wrong with a folder of templates.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OverrideError {
    /// What one of them says.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A file or folder as such.
    #[error("{path}: found {found}, wanted {wanted}", path = path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// In words.
        found: String,
        /// In words.
        wanted: String,
    },
}

/// Every mistake of a folder of templates, in the order of its files.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("[notify] templates: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct OverrideErrors(pub Vec<OverrideError>);

/// The checked templates of that folder.
pub(super) fn read(folder: &Path) -> Result<BTreeMap<File, Template>, OverrideErrors> {
    let mut reading = Reading { found: BTreeMap::new(), errors: Vec::new() };
    let languages: Vec<&str> = Language::ALL.iter().map(|language| language.word()).collect();
    let wanted = format!("folders of the names {}", languages.join(", "));
    for path in reading.entries(folder, "a folder with templates") {
        let language = name_of(&path).and_then(Language::from_word);
        match language.filter(|_| path.is_dir()) {
            Some(language) => reading.language(language, &path),
            None if is_remark(&path) => {}
            None => reading.wrong(&path, "something else".into(), wanted.clone()),
        }
    }
    if reading.errors.is_empty() { Ok(reading.found) } else { Err(OverrideErrors(reading.errors)) }
}

struct Reading {
    found: BTreeMap<File, Template>,
    errors: Vec<OverrideError>,
}

impl Reading {
    fn language(&mut self, language: Language, folder: &Path) {
        for path in self.entries(folder, "a folder with templates") {
            let file = File::of(language).find(|file| name_of(&path) == Some(&file.name()));
            match file {
                Some(file) => self.template(file, &path),
                None if is_remark(&path) => {}
                None => {
                    let names: Vec<String> = File::of(language).map(File::name).collect();
                    self.wrong(
                        &path,
                        "a file that no letter uses".into(),
                        format!("one of {}", names.join(", ")),
                    );
                }
            }
        }
    }

    fn template(&mut self, file: File, path: &Path) {
        let Some(text) = self.text(path) else { return };
        match Template::parse(&path.display().to_string(), &text, file.part.form(), &known(file)) {
            Ok(template) => {
                self.found.insert(file, template);
            }
            Err(errors) => self.errors.extend(errors.into_iter().map(OverrideError::from)),
        }
    }

    fn text(&mut self, path: &Path) -> Option<String> {
        let size = std::fs::metadata(path).map_or(0, |facts| facts.len());
        if size > LARGEST_BYTES {
            self.wrong(path, format!("{size} bytes"), format!("a template of at most {LARGEST_BYTES}"));
            return None;
        }
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(why) => {
                self.wrong(path, why.to_string(), "a template that can be read".into());
                return None;
            }
        };
        let line_of = |at: usize| bytes[..at].split(|byte| *byte == b'\n').count();
        match std::str::from_utf8(&bytes) {
            Ok(text) => Some(text.replace("\r\n", "\n")),
            Err(why) => {
                let found = format!("a byte that is not UTF-8 in line {}", line_of(why.valid_up_to()));
                self.wrong(path, found, "a text in UTF-8".into());
                None
            }
        }
    }

    /// What is in a folder, by name.
    fn entries(&mut self, folder: &Path, wanted: &str) -> Vec<PathBuf> {
        let listed = std::fs::read_dir(folder)
            .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>());
        match listed {
            Ok(mut paths) => {
                paths.sort();
                paths
            }
            Err(why) => {
                self.wrong(folder, why.to_string(), wanted.into());
                Vec::new()
            }
        }
    }

    fn wrong(&mut self, path: &Path, found: String, wanted: String) {
        self.errors.push(OverrideError::File { path: path.into(), found, wanted });
    }
}

fn name_of(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

/// Hidden files and notes to oneself are no templates.
fn is_remark(path: &Path) -> bool {
    name_of(path).is_some_and(|name| name.starts_with('.') || name.starts_with("README"))
}
