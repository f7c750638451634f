//! Reads a template: finds its tags, checks each, and nests the sections.
//!
//! Promises: goes on after a mistake, so that all of them are told at once; each with line and column.

use super::{Arm, Condition, Node, Placeholder, TemplateError};

/// Sections within sections; more is a mistake, and rendering goes as deep.
pub(super) const DEEPEST: usize = 16;

const TAGS: &str = "`{% if … %}`, `{% elif … %}`, `{% else %}` or `{% endif %}`";

/// The checked nodes of a template.
pub(super) fn nodes(
    file: &str,
    source: &str,
    known: &[Placeholder],
) -> Result<Vec<Node>, Vec<TemplateError>> {
    let mut parser = Parser { file, source, known, root: Vec::new(), open: Vec::new(), errors: Vec::new() };
    parser.read();
    if parser.errors.is_empty() { Ok(parser.root) } else { Err(parser.errors) }
}

struct Parser<'a> {
    file: &'a str,
    source: &'a str,
    known: &'a [Placeholder],
    root: Vec<Node>,
    open: Vec<Open>,
    errors: Vec<TemplateError>,
}

/// A section whose end was not met yet.
struct Open {
    at: usize,
    arms: Vec<Arm>,
}

/// The kinds of tags, by their first two characters.
const KINDS: [(&str, &str); 3] = [("{{", "}}"), ("{%", "%}"), ("{#", "#}")];

impl Parser<'_> {
    fn read(&mut self) {
        let mut at = 0;
        while let Some((start, opens, closes)) = next_tag(self.source, at) {
            let inner = start + opens.len();
            let Some(length) = self.source[inner..].find(closes) else {
                self.wrong(start, format!("`{opens}` without its end"), format!("`{closes}`"));
                return;
            };
            let end = inner + length + closes.len();
            let whole = if opens == "{{" { start..end } else { whole_line(self.source, start, end) };
            self.text(&self.source[at..whole.start]);
            let words = &self.source[inner..inner + length];
            match opens {
                "{{" => self.value(start, words),
                "{%" => self.tag(start, words),
                _ => {}
            }
            at = whole.end;
        }
        self.text(&self.source[at..]);
        while let Some(open) = self.open.pop() {
            let tag = self.source[open.at..].lines().next().unwrap_or_default().trim_end();
            self.wrong(open.at, format!("`{tag}` without its end"), "`{% endif %}`".into());
        }
    }

    fn text(&mut self, text: &str) {
        if !text.is_empty() {
            self.push(Node::Text(text.into()));
        }
    }

    fn push(&mut self, node: Node) {
        let arm = self.open.last_mut().and_then(|open| open.arms.last_mut());
        arm.map_or(&mut self.root, |arm| &mut arm.nodes).push(node);
    }

    fn value(&mut self, at: usize, words: &str) {
        if let Some(placeholder) = self.placeholder(at, words.trim()) {
            self.push(Node::Value(placeholder.name));
        }
    }

    fn tag(&mut self, at: usize, inner: &str) {
        let words: Vec<&str> = inner.split_whitespace().collect();
        match words.split_first() {
            Some((&"if", condition)) => self.begin(at, condition),
            Some((&"elif", condition)) => {
                let condition = self.condition(at, condition);
                self.next_arm(at, condition, "{% elif … %}");
            }
            Some((&"else", [])) => self.next_arm(at, Some(Condition::Always), "{% else %}"),
            Some((&"endif", [])) => match self.open.pop() {
                Some(open) => self.push(Node::If(open.arms)),
                None => self.wrong(at, "`{% endif %}` without its `{% if … %}`".into(), TAGS.into()),
            },
            _ => self.wrong(at, format!("`{{% {} %}}`", words.join(" ")), TAGS.into()),
        }
    }

    fn begin(&mut self, at: usize, condition: &[&str]) {
        if self.open.len() == DEEPEST {
            self.wrong(at, format!("a section within {DEEPEST} others"), "fewer of them".into());
        }
        // A wrong condition still opens a section, so that its end is not taken for another mistake.
        let condition = self.condition(at, condition).unwrap_or(Condition::Always);
        self.open.push(Open { at, arms: vec![Arm { condition, nodes: Vec::new() }] });
    }

    fn next_arm(&mut self, at: usize, condition: Option<Condition>, tag: &str) {
        let Some(open) = self.open.last_mut() else {
            return self.wrong(at, format!("`{tag}` without its `{{% if … %}}`"), TAGS.into());
        };
        let after_else =
            open.arms.len() > 1 && open.arms.last().is_some_and(|arm| arm.condition == Condition::Always);
        if after_else {
            return self.wrong(at, format!("`{tag}` after `{{% else %}}`"), "`{% endif %}`".into());
        }
        if let Some(condition) = condition {
            open.arms.push(Arm { condition, nodes: Vec::new() });
        }
    }

    fn condition(&mut self, at: usize, words: &[&str]) -> Option<Condition> {
        match words {
            [name] => self.placeholder(at, name).map(|known| Condition::Has(known.name)),
            ["not", name] => self.placeholder(at, name).map(|known| Condition::HasNot(known.name)),
            [name, "==", quoted] => {
                let known = self.placeholder(at, name)?;
                let word = quoted.trim_matches('"');
                let found =
                    known.words.iter().find(|other| **other == word && quoted.len() == word.len() + 2);
                if found.is_none() {
                    self.wrong(at, format!("`{name} == {quoted}`"), compared(known));
                }
                found.map(|word| Condition::Is(known.name, word))
            }
            _ => {
                let wanted = "a placeholder, `not` and a placeholder, or a placeholder == \"word\"".into();
                self.wrong(at, format!("the condition `{}`", words.join(" ")), wanted);
                None
            }
        }
    }

    fn placeholder(&mut self, at: usize, name: &str) -> Option<Placeholder> {
        let found = self.known.iter().find(|known| known.name == name).copied();
        if found.is_none() {
            let names: Vec<&str> = self.known.iter().map(|known| known.name).collect();
            let wanted = format!("one of the placeholders {}", names.join(", "));
            self.wrong(at, format!("the unknown placeholder `{name}`"), wanted);
        }
        found
    }

    fn wrong(&mut self, at: usize, found: String, wanted: String) {
        let before = &self.source[..at];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        self.errors.push(TemplateError {
            file: self.file.into(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            found,
            wanted,
        });
    }
}

fn compared(known: Placeholder) -> String {
    if known.words.is_empty() {
        return format!("`{}` alone: it is compared with nothing", known.name);
    }
    let words: Vec<String> = known.words.iter().map(|word| format!("\"{word}\"")).collect();
    format!("one of {}", words.join(", "))
}

/// The next place where a tag opens, and the two marks of its kind.
fn next_tag(source: &str, from: usize) -> Option<(usize, &'static str, &'static str)> {
    KINDS
        .iter()
        .filter_map(|(opens, closes)| Some((source[from..].find(opens)? + from, *opens, *closes)))
        .min_by_key(|(start, ..)| *start)
}

/// A tag that has a line to itself takes the line with it.
fn whole_line(source: &str, start: usize, end: usize) -> std::ops::Range<usize> {
    let line_start = source[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let line_end = source[end..].find('\n').map_or(source.len(), |newline| end + newline + 1);
    let blank = |text: &str| text.chars().all(char::is_whitespace);
    if blank(&source[line_start..start]) && blank(&source[end..line_end]) {
        line_start..line_end
    } else {
        start..end
    }
}
