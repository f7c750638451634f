//! Things with their number, as people say it.

/// `1 line`, `2 lines`: the number of things called `what`, whose plural takes an s.
#[must_use]
pub fn counted(n: u64, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_no_plural() {
        assert_eq!([0, 1, 2].map(|n| counted(n, "bad line")), ["0 bad lines", "1 bad line", "2 bad lines"]);
    }
}
