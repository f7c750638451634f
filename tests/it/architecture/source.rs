//! Reads Rust source just far enough to tell what it imports: words, paths, modules and test-only code.
//!
//! Promises: comments and the contents of strings are never taken for code; what it cannot tell apart is reported
//! as a complaint, never passed over.

use std::collections::BTreeSet;

/// One token that matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// A name or keyword.
    Word(String),
    /// `::`.
    Path,
    /// The contents of a string literal.
    Text(String),
    /// Any other character.
    Mark(char),
}

/// Splits source into tokens with the line that each stands on.
pub fn tokens(source: &str) -> Vec<(Token, usize)> {
    let chars: Vec<char> = source.chars().collect();
    let mut found = Vec::new();
    let (mut at, mut line) = (0, 1);
    while let Some(&c) = chars.get(at) {
        let begun = line;
        let start = at;
        let token = match c {
            '/' if chars.get(at + 1) == Some(&'/') => {
                at = end_of_line(&chars, at);
                None
            }
            '/' if chars.get(at + 1) == Some(&'*') => {
                at = end_of_comment(&chars, at);
                None
            }
            '"' => Some(Token::Text(text(&chars, &mut at))),
            '\'' => {
                at = after_quote(&chars, at);
                None
            }
            c if c == '_' || c.is_alphanumeric() => Some(word_or_text(&chars, &mut at)),
            ':' if chars.get(at + 1) == Some(&':') => {
                at += 2;
                Some(Token::Path)
            }
            c if c.is_whitespace() => {
                at += 1;
                None
            }
            c => {
                at += 1;
                Some(Token::Mark(c))
            }
        };
        line += chars[start..at].iter().filter(|c| **c == '\n').count();
        found.extend(token.map(|token| (token, begun)));
    }
    found
}

fn end_of_line(chars: &[char], from: usize) -> usize {
    chars[from..].iter().position(|c| *c == '\n').map_or(chars.len(), |n| from + n)
}

fn end_of_comment(chars: &[char], from: usize) -> usize {
    let (mut at, mut depth) = (from + 2, 1);
    while depth > 0 && at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (at, depth) = (at + 2, depth + 1),
            ('*', Some('/')) => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
    }
    at
}

/// A string with escapes, `at` on its opening quote.
fn text(chars: &[char], at: &mut usize) -> String {
    let mut content = String::new();
    *at += 1;
    while let Some(&c) = chars.get(*at) {
        *at += 1;
        match c {
            '"' => break,
            '\\' => *at += 1,
            c => content.push(c),
        }
    }
    content
}

/// A raw string, `at` on the first `#` or quote after its `r`.
fn raw_text(chars: &[char], at: &mut usize) -> String {
    let hashes = chars[*at..].iter().take_while(|c| **c == '#').count();
    *at += hashes + 1;
    let begun = *at;
    while *at < chars.len() {
        let closes =
            chars[*at] == '"' && chars[*at + 1..].iter().take_while(|c| **c == '#').count() >= hashes;
        if closes {
            let content = chars[begun..*at].iter().collect();
            *at += 1 + hashes;
            return content;
        }
        *at += 1;
    }
    chars[begun..].iter().collect()
}

/// A name, a number, or a string with a prefix such as `r#"` or `b"`.
fn word_or_text(chars: &[char], at: &mut usize) -> Token {
    let begun = *at;
    while chars.get(*at).is_some_and(|c| *c == '_' || c.is_alphanumeric()) {
        *at += 1;
    }
    let word: String = chars[begun..*at].iter().collect();
    let hashes = chars[*at..].iter().take_while(|c| **c == '#').count();
    let quoted = chars.get(*at + hashes) == Some(&'"');
    match word.as_str() {
        "r" | "br" | "cr" if quoted => Token::Text(raw_text(chars, at)),
        "b" | "c" if quoted && hashes == 0 => Token::Text(text(chars, at)),
        "r" if hashes == 1 => {
            *at += 1;
            word_or_text(chars, at)
        }
        _ => Token::Word(word),
    }
}

/// After a character literal, or after the quote of a lifetime.
fn after_quote(chars: &[char], at: usize) -> usize {
    match (chars.get(at + 1), chars.get(at + 2)) {
        (Some('\\'), _) => {
            chars[at + 3..].iter().position(|c| *c == '\'').map_or(chars.len(), |n| at + n + 4)
        }
        (Some(_), Some('\'')) => at + 3,
        _ => at + 1,
    }
}

/// One path that a file names, made absolute: the segments after the crate's root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// After `crate`; for another crate, its name comes first and `own` is false.
    pub segments: Vec<String>,
    /// Of this crate.
    pub own: bool,
    /// Where it stands.
    pub line: usize,
    /// In code that only tests compile.
    pub in_test: bool,
}

/// All that a file says about other modules.
#[derive(Debug, Default)]
pub struct Reading {
    /// Paths named, in `use` and in line.
    pub named: Vec<Named>,
    /// `#[cfg(test)] mod name;`, as module paths.
    pub test_modules: BTreeSet<Vec<String>>,
    /// Every word of the code with its line, and whether it is test-only.
    pub words: Vec<(String, usize, bool)>,
    /// Every string literal with its line.
    pub texts: Vec<(String, usize)>,
    /// Calls `kill_point("…")`, with the names.
    pub kill_points: Vec<(String, usize)>,
    /// What could not be judged.
    pub unclear: Vec<(String, usize)>,
}

/// Reads a file whose module path is `module` (empty for the crate's root).
pub fn read(source: &str, module: &[String]) -> Reading {
    let tokens = tokens(source);
    let mut reader = Reader { tokens: &tokens, at: 0, module: module.to_vec(), found: Reading::default() };
    reader.items(None, false);
    reader.found
}

struct Reader<'a> {
    tokens: &'a [(Token, usize)],
    at: usize,
    module: Vec<String>,
    found: Reading,
}

impl Reader<'_> {
    fn word(&self, ahead: usize) -> Option<&str> {
        match self.tokens.get(self.at + ahead) {
            Some((Token::Word(word), _)) => Some(word),
            _ => None,
        }
    }

    fn is(&self, ahead: usize, token: &Token) -> bool {
        self.tokens.get(self.at + ahead).is_some_and(|(found, _)| found == token)
    }

    fn mark(&self, ahead: usize, mark: char) -> bool {
        self.is(ahead, &Token::Mark(mark))
    }

    fn line(&self) -> usize {
        self.tokens.get(self.at).map_or(0, |(_, line)| *line)
    }

    /// `#[cfg(test)]` begins here.
    fn at_cfg_test(&self) -> bool {
        self.mark(0, '#')
            && self.mark(1, '[')
            && self.word(2) == Some("cfg")
            && self.mark(3, '(')
            && self.word(4) == Some("test")
            && self.mark(5, ')')
    }

    /// Reads until `until` (the brace that closes this block) or the end of the file.
    fn items(&mut self, until: Option<usize>, in_test: bool) {
        while self.at < until.unwrap_or(self.tokens.len()) {
            if self.at_cfg_test() {
                let end = self.end_of_item();
                self.at += 7;
                self.note_test_module();
                self.items(Some(end), true);
            } else {
                self.step(in_test);
            }
        }
    }

    fn note_test_module(&mut self) {
        for ahead in 0..6 {
            if self.word(ahead) == Some("mod") && self.mark(ahead + 2, ';') {
                let name = self.word(ahead + 1).unwrap_or_default().to_owned();
                let mut path = self.module.clone();
                path.push(name);
                self.found.test_modules.insert(path);
                return;
            }
        }
    }

    /// Where the item after the attribute ends: past its `;`, or past its block.
    fn end_of_item(&self) -> usize {
        let mut depth = 0usize;
        for (place, (token, _)) in self.tokens.iter().enumerate().skip(self.at + 7) {
            match token {
                Token::Mark('{') => depth += 1,
                Token::Mark('}') if depth <= 1 => return place + 1,
                Token::Mark('}') => depth -= 1,
                Token::Mark(';') if depth == 0 => return place + 1,
                _ => {}
            }
        }
        self.tokens.len()
    }

    fn step(&mut self, in_test: bool) {
        let line = self.line();
        let after_path = self.at > 0 && self.tokens[self.at - 1].0 == Token::Path;
        let Some(word) = self.word(0).map(str::to_owned) else {
            if let Some((Token::Text(text), line)) = self.tokens.get(self.at) {
                self.found.texts.push((text.clone(), *line));
            }
            self.at += 1;
            return;
        };
        self.found.words.push((word.clone(), line, in_test));
        match word.as_str() {
            "use" => {
                self.at += 1;
                self.use_tree(&[], in_test);
            }
            "mod" if self.mark(2, '{') => self.inline_module(in_test),
            "extern" if self.word(1) == Some("crate") => {
                self.found.unclear.push(("`extern crate` hides an import".into(), line));
                self.at += 2;
            }
            "path" if self.at > 1 && self.mark(1, '=') && self.tokens[self.at - 1].0 == Token::Mark('[') => {
                self.found.unclear.push(("`#[path]` hides where a module lies".into(), line));
                self.at += 1;
            }
            "kill_point" if self.mark(1, '(') && !self.defines_function() => {
                match self.tokens.get(self.at + 2) {
                    Some((Token::Text(name), line)) => self.found.kill_points.push((name.clone(), *line)),
                    _ => self.found.unclear.push(("a kill point without a literal name".into(), line)),
                }
                self.at += 2;
            }
            _ if !after_path && self.is(1, &Token::Path) => self.inline_path(in_test),
            _ => self.at += 1,
        }
    }

    fn defines_function(&self) -> bool {
        self.at > 0 && self.tokens[self.at - 1].0 == Token::Word("fn".into())
    }

    fn inline_module(&mut self, in_test: bool) {
        let name = self.word(1).unwrap_or_default().to_owned();
        let end = {
            let here = self.at;
            let mut depth = 0usize;
            let mut end = self.tokens.len();
            for (place, (token, _)) in self.tokens.iter().enumerate().skip(here) {
                match token {
                    Token::Mark('{') => depth += 1,
                    Token::Mark('}') if depth <= 1 => {
                        end = place + 1;
                        break;
                    }
                    Token::Mark('}') => depth -= 1,
                    _ => {}
                }
            }
            end
        };
        self.at += 3;
        self.module.push(name);
        self.items(Some(end), in_test);
        self.module.pop();
    }

    /// A path in the midst of code: its leading names.
    fn inline_path(&mut self, in_test: bool) {
        let line = self.line();
        let mut segments = vec![self.word(0).unwrap_or_default().to_owned()];
        self.at += 1;
        while self.is(0, &Token::Path) {
            let Some(word) = self.word(1).map(str::to_owned) else { break };
            self.found.words.push((word.clone(), self.line(), in_test));
            segments.push(word);
            self.at += 2;
        }
        self.name(&segments, line, in_test);
    }

    /// A tree after `use`, or a branch of one.
    fn use_tree(&mut self, before: &[String], in_test: bool) {
        let line = self.line();
        let mut segments = before.to_vec();
        if self.is(0, &Token::Path) {
            self.at += 1;
        }
        loop {
            if let Some(word) = self.word(0).map(str::to_owned) {
                self.found.words.push((word.clone(), line, in_test));
                if word != "self" || segments.is_empty() {
                    segments.push(word);
                }
                self.at += 1;
                if self.word(0) == Some("as") {
                    self.at += 2;
                }
            } else if self.mark(0, '*') {
                segments.push("*".into());
                self.at += 1;
            } else if self.mark(0, '{') {
                self.at += 1;
                while self.at < self.tokens.len() && !self.mark(0, '}') {
                    if self.mark(0, ',') {
                        self.at += 1;
                    } else {
                        self.use_tree(&segments, in_test);
                    }
                }
                self.at += 1;
                return;
            } else {
                break;
            }
            if !self.is(0, &Token::Path) {
                break;
            }
            self.at += 1;
        }
        self.name(&segments, line, in_test);
    }

    /// Makes a path absolute and keeps it.
    fn name(&mut self, segments: &[String], line: usize, in_test: bool) {
        let Some(first) = segments.first() else { return };
        let mut base = match first.as_str() {
            "crate" => Vec::new(),
            "self" | "super" => self.module.clone(),
            _ => {
                self.found.named.push(Named { segments: segments.to_vec(), own: false, line, in_test });
                return;
            }
        };
        let mut rest = segments;
        while let Some((head, tail)) = rest.split_first() {
            match head.as_str() {
                "crate" | "self" => {}
                "super" if base.is_empty() => {
                    self.found.unclear.push(("`super` climbs out of the crate".into(), line));
                    return;
                }
                "super" => drop(base.pop()),
                _ => break,
            }
            rest = tail;
        }
        base.extend(rest.iter().cloned());
        self.found.named.push(Named { segments: base, own: true, line, in_test });
    }
}
