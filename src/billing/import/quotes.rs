//! Whether the quotes of a CSV text are where they belong, followed byte by byte beside the reader.
//!
//! The reader takes every text: a quote that is never closed makes one field of all the rest, customers and all, and
//! text behind a closing quote is joined to the field. Here both are found, and a quote that blanks keep from opening
//! its field. A quote in the middle of an unquoted field is text to every reader, and stays it.
//!
//! Promises: ends fields and records exactly where the reader does; keeps nothing but where it is. Must never know:
//! what a field means.

use super::BadLine;

/// What stands before the next byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// A record, or an empty line.
    Record,
    /// A field.
    Field,
    /// The rest of a field that began with blanks.
    Blanks,
    /// The rest of a field without quotes.
    Plain,
    /// The rest of a field in quotes.
    Quoted,
    /// What follows a quote in such a field: a second one, which is text, or the end of the field.
    Quote,
    /// Blanks behind the end of such a field.
    Closed,
}

/// Where in a text it is, and how the quotes of the current record were.
#[derive(Debug)]
pub(super) struct Quotes<'a> {
    text: &'a [u8],
    /// Bytes of it that were followed.
    followed: usize,
    state: State,
    /// Of the next byte, from 1.
    line: u64,
    /// In which the record began.
    record: u64,
    /// In which the last quoted field was opened.
    opened: u64,
    /// The first fault of the record.
    fault: Option<BadLine>,
}

impl<'a> Quotes<'a> {
    /// At the beginning of a text.
    pub(super) const fn of(text: &'a [u8]) -> Self {
        Self { text, followed: 0, state: State::Record, line: 1, record: 1, opened: 1, fault: None }
    }

    /// The line in which the last record began. The reader's own count lags behind line ends of two bytes and empty
    /// lines.
    pub(super) const fn record(&self) -> u64 {
        self.record
    }

    /// Follows one record, up to that byte, to which the reader came; says what is wrong with its quotes.
    pub(super) fn follow_to(&mut self, byte: u64) -> Result<(), BadLine> {
        let end = usize::try_from(byte).map_or(self.text.len(), |byte| byte.min(self.text.len()));
        for byte in self.text.get(self.followed..end).unwrap_or_default() {
            self.state = self.after(*byte);
            self.line += u64::from(*byte == b'\n');
        }
        self.followed = end;
        if end == self.text.len() && self.state == State::Quoted {
            // Said once, though the reader may be asked again; and said before all else, since it takes in the rest.
            self.state = State::Record;
            let reason = "found a quote that is never closed, so that every line below belongs to its field, wanted a \
                          closing \" at the end of the field (\"\" is a quote inside it)";
            self.fault = Some(BadLine { line: self.opened, reason: reason.into() });
        }
        self.fault.take().map_or(Ok(()), Err)
    }

    fn after(&mut self, byte: u8) -> State {
        match (self.state, byte) {
            (State::Quoted, b'"') => State::Quote,
            (State::Quoted, _) | (State::Quote, b'"') => State::Quoted,
            (State::Record, b'\r' | b'\n') => State::Record,
            (State::Record, _) => {
                self.record = self.line;
                self.begin(byte)
            }
            (_, b',') => State::Field,
            (_, b'\r' | b'\n') => State::Record,
            (State::Field, _) => self.begin(byte),
            (State::Blanks, b'"') => self.indented(),
            (State::Blanks, b' ' | b'\t') => State::Blanks,
            (State::Quote | State::Closed, b' ' | b'\t') => State::Closed,
            (State::Quote | State::Closed, _) => self.behind(),
            (State::Blanks | State::Plain, _) => State::Plain,
        }
    }

    /// The first byte of a field.
    const fn begin(&mut self, byte: u8) -> State {
        match byte {
            b'"' => {
                self.opened = self.line;
                State::Quoted
            }
            b',' => State::Field,
            b' ' | b'\t' => State::Blanks,
            _ => State::Plain,
        }
    }

    fn indented(&mut self) -> State {
        let reason = "found blanks before the opening quote of a field, which keep it from opening one, wanted the quote first";
        self.wrong(self.line, reason.into());
        State::Plain
    }

    fn behind(&mut self) -> State {
        let place = if self.line == self.opened { String::new() } else { format!(" in line {}", self.line) };
        let reason = format!(
            "found text behind the closing quote of a field{place}, wanted a comma or the end of the line there (\"\" is a \
             quote inside a field)"
        );
        self.wrong(self.opened, reason);
        State::Plain
    }

    fn wrong(&mut self, line: u64, reason: String) {
        self.fault.get_or_insert(BadLine { line, reason });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Option<String> {
        Quotes::of(text.as_bytes()).follow_to(u64::MAX).err().map(|bad| bad.to_string())
    }

    #[test]
    fn quotes_where_they_belong() {
        for text in [
            "",
            "a,b\n1,2\n",
            "\"a\",\"b\"\r\n\"1\",\"2\"",
            "\"\"\n",
            "\"\",\"\"",
            "\"a \"\"b\"\", c\"\n",
            "\"\"\"\"\n",
            "\"two\r\nlines\",b\n",
            "\"a\" ,\"b\"\t\n",
            "5\" pipe,a\"b,ends\"\n",
            " a \"b\",c\n",
            "\u{e9}\"x\n",
        ] {
            assert_eq!(faults(text), None, "{text:?}");
        }
    }

    #[test]
    fn each_fault_is_named_with_the_line_of_its_quote() {
        for (text, line, what) in [
            ("a\n\"b", 2, "never closed"),
            ("a\r\n\r\n\"b\"\"\r\nc\r\n", 3, "never closed"),
            ("a\n1,\"b\nc,\"\"d\n", 2, "never closed"),
            ("a\n1,\"\"\"\n", 2, "never closed"),
            ("\"Bob\" Smith\n", 1, "behind the closing quote of a field,"),
            ("\"Bob\"Smith\n", 1, "behind the closing quote"),
            ("\"Bob\" \"Smith\"\n", 1, "behind the closing quote"),
            ("a\n\"Bob\nb,\"Al\"\n", 2, "behind the closing quote of a field in line 3,"),
            ("a\n1, \"b, c\"\n", 2, "blanks before the opening quote"),
            ("a\n1,\t\"b\n", 2, "blanks before the opening quote"),
        ] {
            let said = faults(text).unwrap_or_default();
            assert!(
                said.starts_with(&format!("line {line}: found ")) && said.contains(what),
                "{text:?}: {said}"
            );
        }
    }
}
