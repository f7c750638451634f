//! JSON laid out anew: on one line for programs, indented for people.
//!
//! Promises: texts, numbers and their order stay as they were written; only white space between tokens changes. Must
//! never know: what the JSON means.

/// Valid JSON without white space between its tokens.
pub(super) fn compact(json: &str) -> String {
    laid_out(json, None)
}

/// Valid JSON, one member or element a line.
pub(super) fn indented(json: &str) -> String {
    laid_out(json, Some("  "))
}

/// Lays out valid JSON anew; its texts, numbers and their order stay as they were written.
fn laid_out(json: &str, indent: Option<&str>) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth = 0_usize;
    let mut text = Text::default();
    let mut opened = false;
    for c in json.chars() {
        let inside = text.is_inside();
        text.pass(c);
        if !inside && c.is_ascii_whitespace() {
            continue;
        }
        let closes = !inside && matches!(c, '}' | ']');
        depth -= usize::from(closes && depth > 0);
        if opened != closes && (opened || closes) {
            new_line(&mut out, indent, depth);
        }
        opened = !inside && matches!(c, '{' | '[');
        depth += usize::from(opened);
        out.push(c);
        match c {
            ',' if !inside => new_line(&mut out, indent, depth),
            ':' if !inside && indent.is_some() => out.push(' '),
            _ => {}
        }
    }
    out
}

fn new_line(out: &mut String, indent: Option<&str>, depth: usize) {
    if let Some(indent) = indent {
        out.push('\n');
        (0..depth).for_each(|_| out.push_str(indent));
    }
}

/// Where in a JSON text a character stands.
#[derive(Default)]
struct Text {
    inside: bool,
    escaped: bool,
}

impl Text {
    /// True between quotes, before the character that comes next.
    const fn is_inside(&self) -> bool {
        self.inside
    }

    fn pass(&mut self, c: char) {
        let escapes = self.inside && !self.escaped && c == '\\';
        if c == '"' && !self.escaped {
            self.inside = !self.inside;
        }
        self.escaped = escapes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_keep_their_own_order_and_numbers() {
        let json =
            "{ \"z\": 1.50,\n \"a\": [ ],\"t\":\"a, \\\"b\\\": {c}\\\\\", \"o\" : { \"x\" : [1, {}] } }";
        let one_line = r#"{"z":1.50,"a":[],"t":"a, \"b\": {c}\\","o":{"x":[1,{}]}}"#;
        assert_eq!(compact(json), one_line);
        let lines = "{\n  \"z\": 1.50,\n  \"a\": [],\n  \"t\": \"a, \\\"b\\\": {c}\\\\\",\n  \"o\": {\n    \
                     \"x\": [\n      1,\n      {}\n    ]\n  }\n}";
        assert_eq!(indented(json), lines);
        assert_eq!(compact(&indented(json)), one_line);
    }
}
