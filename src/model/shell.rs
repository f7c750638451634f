//! Words of a command that somebody is told to type.

use std::borrow::Cow;

/// The text as one word for a shell: as it stands where no shell reads anything into it, else quoted.
#[must_use]
pub fn shell_word(text: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '/' | '-');
    if !text.is_empty() && text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    // Nothing but the quote itself ends what is quoted so.
    Cow::Owned(format!("'{}'", text.replace('\'', r"'\''")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_the_same_word() {
        for (text, word) in [
            ("config/demo.toml", "config/demo.toml"),
            ("/etc/a_b-c.1", "/etc/a_b-c.1"),
            ("my conf's/demo.toml", r"'my conf'\''s/demo.toml'"),
            ("$HOME/`x`", "'$HOME/`x`'"),
            ("บิล.toml", "'บิล.toml'"),
            ("", "''"),
        ] {
            assert_eq!(shell_word(text), word);
        }
    }
}
