//! Words that came from outside, made fit for a line of text.
//!
//! Promises: what comes out has no line break, no control character and no mark that turns the direction of writing,
//! so that it can stand in a log, on a page and on a terminal; it is no longer than asked for. Must never know what
//! the words are about.

use std::borrow::Cow;

/// What would end a line, move a cursor, colour a terminal, or show the text after it in another order.
fn is_unfit(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The same text with a space for each unfit character, cut to that many bytes. Text that is fit is not copied.
///
/// ```
/// assert_eq!(dues::omise::one_line("two\nlines", 100), "two lines");
/// assert_eq!(dues::omise::one_line("too long", 3), "too");
/// ```
pub fn one_line(text: &str, most_bytes: usize) -> Cow<'_, str> {
    let text = &text[..text.floor_char_boundary(most_bytes)];
    if !text.contains(is_unfit) {
        return Cow::Borrowed(text);
    }
    let mut fit = String::with_capacity(text.len());
    fit.extend(text.chars().map(|c| if is_unfit(c) { ' ' } else { c }));
    Cow::Owned(fit)
}
