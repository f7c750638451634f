//! A template: text with placeholders and sections that are shown or left out. It calculates nothing.
//!
//! ```text
//! {{ amount }}                  a value; in HTML it is escaped
//! {% if card %} … {% endif %}   shown when there is one; also `if not card`, `if kind == "declined"`
//! {% elif … %} {% else %}       what is shown instead
//! {# … #}                       a remark, never shown
//! ```
//!
//! Written here rather than taken from a library of templates because of what it promises: every branch is checked
//! when a template is read, with the place of what is wrong, so that a template which was accepted cannot fail when a
//! letter is due, however rare its branch. Nothing in it loops, calls or reads a file. Must never know: which
//! placeholders there are, and languages.

mod parse;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use thiserror::Error;

/// What a template may say between braces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placeholder {
    /// As it is written.
    pub name: &'static str,
    /// What it may be compared with; empty: it is free text, and only asked whether there is one.
    pub words: &'static [&'static str],
}

/// How values are written into the text around them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As they are.
    Plain,
    /// With every character that means something in HTML written as an entity.
    Html,
}

/// What is wrong with a template, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Error)]
#[error("{file}:{line}:{column}: found {found}, wanted {wanted}")]
pub struct TemplateError {
    /// As people named it.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// In words.
    pub found: String,
    /// In words.
    pub wanted: String,
}

/// The value of a placeholder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Value {
    text: String,
    is_markup: bool,
    is_nothing: bool,
}

impl Value {
    /// A text of people or machines; there is one if it is not empty.
    pub fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { is_nothing: text.is_empty(), text, is_markup: false }
    }

    /// Part of a letter that was already rendered in the form it is put into.
    pub fn rendered(text: String) -> Self {
        Self { is_markup: true, ..Self::text(text) }
    }

    /// A count, shown even at 0, of which a section asks whether it is more than that.
    pub const fn count(text: String, is_zero: bool) -> Self {
        Self { text, is_markup: false, is_nothing: is_zero }
    }
}

/// Values by the names of their placeholders. One that is absent is shown as nothing.
pub type Values = BTreeMap<&'static str, Value>;

/// A template that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    nodes: Vec<Node>,
    form: Form,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    Text(String),
    Value(&'static str),
    /// The first arm whose condition holds.
    If(Vec<Arm>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Arm {
    condition: Condition,
    nodes: Vec<Node>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Condition {
    Has(&'static str),
    HasNot(&'static str),
    Is(&'static str, &'static str),
    /// Of `{% else %}`.
    Always,
}

impl Condition {
    fn holds(self, values: &Values) -> bool {
        let has = |name| values.get(name).is_some_and(|value| !value.is_nothing);
        match self {
            Self::Has(name) => has(name),
            Self::HasNot(name) => !has(name),
            Self::Is(name, word) => values.get(name).is_some_and(|value| value.text == word),
            Self::Always => true,
        }
    }
}

impl Template {
    /// Checks a whole template that may use these placeholders; `file` is only named.
    ///
    /// # Errors
    /// Every unknown placeholder, tag and word, and every section without its end.
    pub fn parse(
        file: &str,
        source: &str,
        form: Form,
        known: &[Placeholder],
    ) -> Result<Self, Vec<TemplateError>> {
        Ok(Self { nodes: parse::nodes(file, source, known)?, form })
    }

    /// The text with these values in it. Cannot fail.
    pub fn render(&self, values: &Values) -> String {
        let mut text = String::new();
        self.write(&self.nodes, values, &mut text);
        text
    }

    /// No deeper than [`parse::DEEPEST`].
    fn write(&self, nodes: &[Node], values: &Values, out: &mut String) {
        for node in nodes {
            match node {
                Node::Text(text) => out.push_str(text),
                Node::Value(name) => {
                    if let Some(value) = values.get(name) {
                        self.write_value(value, out);
                    }
                }
                Node::If(arms) => {
                    if let Some(arm) = arms.iter().find(|arm| arm.condition.holds(values)) {
                        self.write(&arm.nodes, values, out);
                    }
                }
            }
        }
    }

    fn write_value(&self, value: &Value, out: &mut String) {
        if self.form == Form::Plain || value.is_markup {
            out.push_str(&value.text);
            return;
        }
        for c in value.text.chars() {
            match c {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '"' => out.push_str("&quot;"),
                '\'' => out.push_str("&#39;"),
                // Of no meaning in a quoted attribute, but a way out of one without quotes.
                '`' => out.push_str("&#96;"),
                c => out.push(c),
            }
        }
    }
}
