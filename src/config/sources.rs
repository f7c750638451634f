//! The config's files: the one asked for and, through `include` and `declines`, the others.
//!
//! Promises: each file is read once, in a stable order; a file that cannot be read is named together with the
//! one that asked for it. Must never know: any key but these two.

use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::problem::{ConfigErrors, Place, Problem, Problems};

/// A config is written by hand: a larger file is not one.
const LARGEST_FILE_BYTES: u64 = 1024 * 1024;

/// Files of one config at most; more means that something went wrong.
const MOST_FILES: usize = 100;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Sections of a config.
    Config,
    /// Rows for the table of declines.
    Declines,
}

struct File {
    path: PathBuf,
    shown: String,
    text: String,
    kind: Kind,
}

/// All files of one config.
pub(super) struct Sources {
    files: Vec<File>,
    /// Includes that could not be followed, with the place of the wish.
    broken: Vec<Problem>,
}

/// A file that another one asks for.
struct Wish {
    place: Place,
    wished: String,
    kind: Kind,
}

/// One parsed file.
pub(super) struct Parsed<'a> {
    /// Index into the sources.
    pub(super) file: usize,
    /// What it holds.
    pub(super) kind: Kind,
    /// Its folder: what its relative paths are relative to.
    pub(super) folder: PathBuf,
    /// Its top table.
    pub(super) table: DeTable<'a>,
}

impl Sources {
    /// Reads `path` and everything it includes, each before those that its includes include.
    pub(super) fn read(path: &Path) -> Result<Self, ConfigErrors> {
        let first = read_file(path, Kind::Config)
            .map_err(|why| ConfigErrors::sentence(format!("{}: {why}", path.display())))?;
        let mut all = Self { files: vec![first], broken: Vec::new() };
        let mut next = 0;
        while next < all.files.len() {
            for wish in all.wishes(next) {
                let Wish { place, wished, kind } = wish;
                if let Err(sentence) = all.include(next, &wished, kind) {
                    all.broken.push(Problem { place, sentence, also: None, help: None });
                }
            }
            next += 1;
        }
        Ok(all)
    }

    /// One text that stands in no file.
    pub(super) fn built_in(name: &str, text: &str) -> Self {
        let (path, shown, text) = (PathBuf::from(name), name.to_owned(), text.to_owned());
        Self { files: vec![File { path, shown, text, kind: Kind::Declines }], broken: Vec::new() }
    }

    /// The files that this one asks for.
    fn wishes(&self, file: usize) -> Vec<Wish> {
        if self.files[file].kind == Kind::Declines {
            return Vec::new();
        }
        let (table, _) = DeTable::parse_recoverable(&self.files[file].text);
        let value =
            |name: &str| table.get_ref().iter().find(|(key, _)| key.get_ref() == name).map(|(_, v)| v);
        let wish = |one: &toml::Spanned<DeValue<'_>>, kind| {
            let wished = one.get_ref().as_str()?.to_owned();
            Some(Wish { place: Place::new(file, one.span()), wished, kind })
        };
        let included = match value("include").map(toml::Spanned::get_ref) {
            Some(DeValue::Array(wished)) => wished.iter().filter_map(|one| wish(one, Kind::Config)).collect(),
            _ => Vec::new(),
        };
        let declines = value("declines").and_then(|one| wish(one, Kind::Declines));
        included.into_iter().chain(declines).collect()
    }

    fn include(&mut self, by: usize, wished: &str, kind: Kind) -> Result<(), String> {
        let key = if kind == Kind::Config { "include" } else { "declines" };
        if self.files.len() >= MOST_FILES {
            return Err(format!("{key}: found more than {MOST_FILES} files in one config"));
        }
        let path = folder_of(&self.files[by].path).join(wished);
        let same = |known: &File| match (known.path.canonicalize(), path.canonicalize()) {
            (Ok(known), Ok(new)) => known == new,
            _ => known.path == path,
        };
        if self.files.iter().any(same) {
            return Err(format!("{key}: found {wished:?} a second time, wanted each file once"));
        }
        let file =
            read_file(&path, kind).map_err(|why| format!("{key}: {why}; looked for {}", path.display()))?;
        self.files.push(file);
        Ok(())
    }

    /// Parses every file; `None` and the syntax mistakes noted if one of them is not TOML.
    pub(super) fn parse<'a>(&'a self, problems: &Problems<'_>) -> Option<Vec<Parsed<'a>>> {
        for broken in &self.broken {
            problems.add(broken.clone());
        }
        let mut all = Vec::with_capacity(self.files.len());
        let mut sound = true;
        for (file, source) in self.files.iter().enumerate() {
            let (table, errors) = DeTable::parse_recoverable(&source.text);
            for error in &errors {
                sound = false;
                let span = error.span().unwrap_or(0..0);
                let sentence = format!("not TOML: {}", error.message());
                let also = first_of_two(&source.text, &span, error.message())
                    .map(|first| (Place::new(file, first), "first here".to_owned()));
                let place = Place::new(file, visible(&source.text, span));
                problems.add(Problem { place, sentence, also, help: None });
            }
            all.push(Parsed {
                file,
                kind: source.kind,
                folder: folder_of(&source.path),
                table: table.into_inner(),
            });
        }
        sound.then_some(all)
    }

    pub(super) fn text(&self, file: usize) -> &str {
        &self.files[file].text
    }

    /// As people named it.
    pub(super) fn shown(&self, file: usize) -> &str {
        &self.files[file].shown
    }

    pub(super) fn paths(&self) -> Vec<PathBuf> {
        self.files.iter().map(|file| file.path.clone()).collect()
    }
}

/// Of a key or a heading that stands twice, the place where it stood first: a heading anywhere before, a key
/// below the same heading. `None`: found nowhere so, as in a table on one line.
fn first_of_two(text: &str, second: &Range<usize>, message: &str) -> Option<Range<usize>> {
    let name = text.get(second.clone()).filter(|_| message == "duplicate key")?;
    let line_start = text[..second.start].rfind('\n').map_or(0, |at| at + 1);
    let (before, line) = (&text[..line_start], text[line_start..].lines().next()?.trim());
    let mut lines = before.split_inclusive('\n').scan(0, |at, line| {
        let start = *at;
        *at += line.len();
        Some((start, line.trim_end()))
    });
    if line.starts_with('[') {
        let (start, first) = lines.find(|(_, other)| *other == line)?;
        return Some(start..start + first.len());
    }
    let is_heading = |line: &str| line.starts_with('[');
    let section: Vec<_> = lines.collect();
    let begin = section.iter().rposition(|(_, line)| is_heading(line)).map_or(0, |at| at + 1);
    let is_it = |line: &str| line.split('=').next().is_some_and(|key| key.trim() == name);
    let (start, first) = section[begin..].iter().find(|(_, line)| is_it(line))?;
    let indent = first.len() - first.trim_start().len();
    Some(start + indent..start + indent + name.len())
}

/// An empty span marks nothing: it is widened by the character at it, or before it at the end of a line.
fn visible(text: &str, span: Range<usize>) -> Range<usize> {
    if !span.is_empty() {
        return span;
    }
    let at = span.start.min(text.len());
    match (text[at..].chars().next(), text[..at].chars().next_back()) {
        (Some(next), _) if next != '\n' => at..at + next.len_utf8(),
        (_, Some(last)) if last != '\n' => at - last.len_utf8()..at,
        _ => at..at,
    }
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        // Joined to a relative path it leaves it as it is.
        _ => PathBuf::new(),
    }
}

fn read_file(path: &Path, kind: Kind) -> Result<File, String> {
    let facts = std::fs::metadata(path).map_err(|why| format!("the config cannot be read ({why})"))?;
    if !facts.is_file() {
        return Err("found a folder or a device, wanted a config file".into());
    }
    if facts.len() > LARGEST_FILE_BYTES {
        return Err(format!("found {} bytes, wanted a config of at most {LARGEST_FILE_BYTES}", facts.len()));
    }
    let bytes = std::fs::read(path).map_err(|why| format!("the config cannot be read ({why})"))?;
    let text = String::from_utf8(bytes).map_err(|wrong| {
        let at = wrong.utf8_error().valid_up_to();
        let line = wrong.as_bytes()[..at].split(|byte| *byte == b'\n').count();
        format!("line {line}: found a byte that is not UTF-8, wanted a text file in UTF-8")
    })?;
    Ok(File { path: path.to_owned(), shown: path.display().to_string(), text, kind })
}
