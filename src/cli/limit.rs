//! How many rows, or charges, at most.

/// What `--limit` takes; goes with `allow_negative_numbers`, so that a sign is not taken for another option.
pub(super) fn at_least_one(text: &str) -> Result<u64, String> {
    let wrong = || format!("found {text}, wanted 1 or more");
    text.parse().ok().filter(|limit| *limit > 0).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_of_nothing_is_none() {
        assert_eq!(at_least_one("1"), Ok(1));
        for text in ["-1", "0", "", "many", "1.5"] {
            assert_eq!(at_least_one(text), Err(format!("found {text}, wanted 1 or more")));
        }
    }
}
