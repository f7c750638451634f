//! What others wrote and a sentence of ours quotes, cut to what people read: the wrong file must not flood a terminal.
//!
//! Promises: a sentence without such a quote is as it was; a cut quote says that it is one. Must never know: who is quoted.

use std::borrow::Cow;
use std::ops::Range;

/// Characters of a quote that are shown; an escape counts as one.
const MOST_QUOTED: usize = 80;
/// What stands before a quote in every sentence that says what was found, with no more than words in between.
const BEFORE: &str = "found ";
/// Stands for what was cut off.
const CUT: char = '…';

/// The sentences with every quote behind a "found" cut.
pub(super) fn cut(text: &str) -> Cow<'_, str> {
    let (mut short, mut told, mut from) = (String::new(), 0, 0);
    while let Some(quote) = next_quote(text, from) {
        from = quote.end;
        if let Some(kept) = first_of(&text[quote.clone()]) {
            short.push_str(&text[told..quote.start]);
            short.push_str(kept);
            short.push(CUT);
            told = quote.end;
        }
    }
    if told == 0 {
        return Cow::Borrowed(text);
    }
    short.push_str(&text[told..]);
    Cow::Owned(short)
}

/// The same of a text that is quoted whole; `None`: it is short enough.
pub(super) fn cut_whole(quote: &str) -> Option<String> {
    first_of(quote).map(|kept| format!("{kept}{CUT}"))
}

/// What stands between the next quotation marks behind a "found"; `None`: there are none.
fn next_quote(text: &str, from: usize) -> Option<Range<usize>> {
    let mut at = from;
    loop {
        at += text[at..].find(BEFORE)? + BEFORE.len();
        let words = text[at..].bytes().take_while(|byte| byte.is_ascii_alphabetic() || *byte == b' ').count();
        if text[at + words..].starts_with('"') {
            let start = at + words + 1;
            let (length, _) = characters(&text[start..]).find(|(_, character)| *character == "\"")?;
            return Some(start..start + length);
        }
    }
}

/// As much of a quote as is shown; `None`: all of it.
fn first_of(quote: &str) -> Option<&str> {
    let (length, _) = characters(quote).nth(MOST_QUOTED)?;
    Some(&quote[..length])
}

/// The characters of a quote, each with where it begins.
fn characters(quote: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = quote.get(at..).filter(|rest| !rest.is_empty())?;
        let (begins, length) = (at, length_of_first(rest));
        at += length;
        Some((begins, &rest[..length]))
    })
}

/// Bytes of the first character, or of the escape that stands for one.
fn length_of_first(text: &str) -> usize {
    let mut chars = text.chars();
    let first = chars.next().map_or(0, char::len_utf8);
    if !text.starts_with('\\') {
        return first;
    }
    let code = text.starts_with("\\u{").then(|| text.find('}')).flatten();
    code.map_or(first + chars.next().map_or(0, char::len_utf8), |end| end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_quotes_are_cut_between_characters() {
        for one in ["a", "é", "\0", "\u{1b}", "\"", "\\", "\n"] {
            let quote = |n: usize| format!("{:?}", one.repeat(n));
            let sentence =
                |quote: &str| format!("plan: found unknown column {quote}, wanted \"x\"; found \"y\"");
            let short = sentence(&quote(MOST_QUOTED));
            assert!(matches!(cut(&short), Cow::Borrowed(same) if same == short), "{one:?}");
            let begun = quote(MOST_QUOTED);
            let begun = format!("{}{CUT}\"", begun.strip_suffix('"').unwrap());
            assert_eq!(cut(&sentence(&quote(100_000))), sentence(&begun), "{one:?}");
        }
    }

    #[test]
    fn every_quote_is_cut_and_other_words_are_not() {
        let (long, kept) = ("b".repeat(200), "b".repeat(MOST_QUOTED));
        let text = format!("{long} found {long}: found \"{long}\", and found \"{long}\" and \"{long}\"");
        let wanted = format!("{long} found {long}: found \"{kept}…\", and found \"{kept}…\" and \"{long}\"");
        assert_eq!(cut(&text), wanted);
        let open = format!("found \"{long}");
        assert_eq!(cut(&open), open);
        assert_eq!((cut_whole("short"), cut_whole(&long)), (None, Some(format!("{kept}…"))));
    }
}
