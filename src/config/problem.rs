//! Mistakes in a config, collected while it is read and shown the way compilers show them.
//!
//! Promises: each is shown with file, line and column and the text itself marked; they come in the order of
//! the files. Must never know: what the keys mean.

use std::cell::RefCell;
use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::sources::Sources;

/// A stretch of one file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// Index into the sources.
    pub(super) file: usize,
    /// First byte.
    pub(super) start: usize,
    /// First byte after it.
    pub(super) end: usize,
}

impl Place {
    pub(super) const fn new(file: usize, span: Range<usize>) -> Self {
        Self { file, start: span.start, end: span.end }
    }

    const fn span(&self) -> Range<usize> {
        self.start..self.end
    }
}

/// One mistake.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    /// Marked.
    pub(super) place: Place,
    /// The key, what was found, what was wanted.
    pub(super) sentence: String,
    /// Another place that matters, with a word on it.
    pub(super) also: Option<(Place, String)>,
    /// What to do; `None`: the sentence says it.
    pub(super) help: Option<String>,
}

/// Collects mistakes while the reading goes on.
pub(super) struct Problems<'a> {
    sources: &'a Sources,
    found: RefCell<Vec<Problem>>,
}

impl<'a> Problems<'a> {
    pub(super) const fn new(sources: &'a Sources) -> Self {
        Self { sources, found: RefCell::new(Vec::new()) }
    }

    /// Notes a mistake that needs no more words.
    pub(super) fn note(&self, place: Place, sentence: String) {
        self.add(Problem { place, sentence, also: None, help: None });
    }

    /// Notes a mistake.
    pub(super) fn add(&self, problem: Problem) {
        self.found.borrow_mut().push(problem);
    }

    /// The text at a place.
    pub(super) fn text(&self, place: &Place) -> &'a str {
        self.sources.text(place.file).get(place.span()).unwrap_or_default()
    }

    /// All of them, in the order of files and places.
    pub(super) fn into_errors(self) -> ConfigErrors {
        let mut found = self.found.into_inner();
        found.sort_by(|a, b| a.place.cmp(&b.place));
        let render = |renderer: &Renderer| {
            found.iter().map(|problem| problem.render(self.sources, renderer)).collect()
        };
        let short = found.iter().map(|problem| problem.in_short(self.sources)).collect();
        ConfigErrors { plain: render(&Renderer::plain()), coloured: render(&Renderer::styled()), short }
    }
}

impl Problem {
    /// The sentence and its place, in one line.
    fn in_short(&self, sources: &Sources) -> String {
        let file = self.place.file;
        let before = sources.text(file).get(..self.place.start).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        let (row, column) = (before.matches('\n').count() + 1, line.chars().count() + 1);
        without_keys(&format!("{} ({}:{row}:{column})", self.sentence, sources.shown(file)))
    }

    fn render(&self, sources: &Sources, renderer: &Renderer) -> String {
        let snippet = |place: &Place| {
            Snippet::source(sources.text(place.file)).path(sources.shown(place.file)).fold(true)
        };
        let mut first = snippet(&self.place).annotation(AnnotationKind::Primary.span(self.place.span()));
        let mut group = Group::with_title(Level::ERROR.primary_title(&self.sentence));
        let mut second = None;
        if let Some((place, word)) = &self.also {
            let context = AnnotationKind::Context.span(place.span()).label(word);
            if place.file == self.place.file {
                first = first.annotation(context);
            } else {
                second = Some(snippet(place).annotation(context));
            }
        }
        group = group.element(first);
        if let Some(second) = second {
            group = group.element(second);
        }
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help));
        }
        without_keys(&renderer.render(&[group]))
    }
}

/// A key that was written into the config itself is not shown on to terminals and logs: as many stars instead.
fn without_keys(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("skey_") {
        let (before, key) = rest.split_at(at + "skey_".len());
        let length = key.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(key.len());
        masked.push_str(before);
        masked.extend(std::iter::repeat_n('*', length));
        rest = &key[length..];
    }
    masked.push_str(rest);
    masked
}

/// Every mistake of a config, ready to be shown.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct ConfigErrors {
    plain: Vec<String>,
    coloured: Vec<String>,
    short: Vec<String>,
}

impl ConfigErrors {
    /// A mistake without a place in any file.
    pub(super) fn sentence(sentence: impl Into<String>) -> Self {
        let short = sentence.into();
        let plain = format!("error: {short}");
        Self { coloured: vec![plain.clone()], plain: vec![plain], short: vec![short] }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.plain.is_empty()
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.plain.len()
    }

    /// Each as one line, for logs and tables: the sentence, and behind it file, line and column.
    pub fn in_short(&self) -> String {
        self.short.join("; ")
    }

    /// All of them with colours, for a terminal.
    pub fn coloured(&self) -> String {
        self.coloured.join("\n\n")
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.plain.join("\n\n"))
    }
}

impl fmt::Debug for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ConfigErrors {}
