//! Why a person did it, where that must be said.

/// What a `--reason` takes that is not left to the person.
pub(super) fn some_reason(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("found nothing but blanks, wanted the reason in words: it is kept in the diary".into());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_are_no_reason() {
        assert_eq!(some_reason("asked by mail"), Ok("asked by mail".into()));
        for text in ["", " ", "\t\n", "\u{a0}"] {
            assert!(some_reason(text).is_err(), "{text:?}");
        }
    }
}
