//! Lines of plain text, short enough to be read and quoted: broken at spaces, in Japanese also between characters.
//!
//! Promises: nothing but spaces at a line's end is lost; an address is never broken.

/// The columns of a broken line.
const COLUMNS: usize = 72;
/// A line that is not longer than that is left whole, so that no last word stands alone: mail may be as wide.
const WIDEST: usize = 78;
/// A Japanese line is broken after a comma or full stop that lies beyond this column, rather than farther on.
const COMFORTABLE: usize = 48;

/// Never at the beginning of a line.
const NO_START: &str = "、。，．！？）：」』ーぁぃぅぇぉっゃゅょァィゥェォッャュョ・〜";
/// Never at the end of a line.
const NO_END: &str = "（「『";

/// The same text in lines of about 72 columns and at most 78, where it has places to break at.
pub(super) fn wrapped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 32);
    for line in text.lines() {
        let mut rest = line.trim_end();
        while let Some(at) = break_of(rest) {
            let (head, tail) = rest.split_at(at);
            out.push_str(head.trim_end());
            out.push('\n');
            rest = tail.trim_start();
        }
        out.push_str(rest);
        out.push('\n');
    }
    out
}

/// Where a line that is too long is broken; `None`: it is short enough, or has no place for it.
fn break_of(line: &str) -> Option<usize> {
    if width(line) <= WIDEST {
        return None;
    }
    let (mut column, mut last, mut pause) = (0, None, None);
    let mut chars = line.char_indices().peekable();
    while let Some((_, c)) = chars.next() {
        column += columns(c);
        // A space may stand beyond the last column: nobody sees it there.
        if column > COLUMNS && c != ' ' && last.is_some() {
            return pause.or(last);
        }
        let Some((next_at, next)) = chars.peek().copied() else { break };
        // The Thai sign of repetition belongs to the word before it.
        if (c == ' ' && next != 'ๆ') || may_part(c, next) {
            last = Some(next_at);
        }
        if last == Some(next_at) && "、。".contains(c) && column >= COMFORTABLE {
            pause = last;
        }
    }
    None
}

/// Whether a line may end between these two characters of a script without spaces.
fn may_part(left: char, right: char) -> bool {
    columns(left) == 2 && columns(right) == 2 && !NO_START.contains(right) && !NO_END.contains(left)
}

fn width(line: &str) -> usize {
    line.chars().map(columns).sum()
}

/// How many columns a character takes: marks above and below a Thai letter none, Japanese characters two.
const fn columns(c: char) -> usize {
    match c as u32 {
        0x0E31 | 0x0E34..=0x0E3A | 0x0E47..=0x0E4E => 0,
        0x2E80..=0xA4CF
        | 0xAC00..=0xD7A3
        | 0xF900..=0xFAFF
        | 0xFE30..=0xFE6F
        | 0xFF00..=0xFF60
        | 0xFFE0..=0xFFE6 => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_broken_and_nothing_is_lost() {
        for text in [
            "word ".repeat(60),
            "ธนาคารแจ้งว่ายอดเงิน ".repeat(20),
            "カード会社より、その時点でのご利用可能額が不足していたとの連絡がありました。".repeat(5),
            "Visaカード（末尾4242）への1,480円のお支払い".repeat(6),
        ] {
            let out = wrapped(&text);
            assert!(out.lines().count() > 3, "{out}");
            for line in out.lines() {
                assert!(width(line) <= WIDEST, "{} columns: {line}", width(line));
                assert!(!line.starts_with(|c| NO_START.contains(c)), "{line}");
                assert!(!line.ends_with(|c| c == ' ' || NO_END.contains(c)), "{line}");
            }
            let bare = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            assert_eq!(bare(&out), bare(&text));
        }
    }

    #[test]
    fn short_lines_and_addresses_stay_as_they_are() {
        let address = format!("https://shop.example/{}", "a".repeat(100));
        assert_eq!(wrapped(&format!("one\n\n{address}\n")), format!("one\n\n{address}\n"));
        assert_eq!(wrapped(&format!("see {address}")), format!("see\n{address}\n"));
        let widest = format!("{} {}", "x".repeat(40), "y".repeat(37));
        assert_eq!(wrapped(&widest), format!("{widest}\n"));
        assert_eq!(wrapped(&format!("{widest}y")), format!("{}\n{}y\n", "x".repeat(40), "y".repeat(37)));
        let sign = format!("{} ใด ๆ เพิ่มเติม", "x".repeat(68));
        assert_eq!(wrapped(&sign), format!("{}\nใด ๆ เพิ่มเติม\n", "x".repeat(68)));
    }

    proptest::proptest! {
        #[test]
        fn nothing_but_spaces_is_lost(text in "[a-z ]{0,200}|[あ-ん、。「」a ]{0,200}|[ก-์ ๆ]{0,200}|\\PC{0,300}") {
            let bare = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            let out = wrapped(&text);
            proptest::prop_assert_eq!(bare(&out), bare(&text));
            proptest::prop_assert_eq!(&wrapped(&out), &out);
        }
    }
}
