//! How a bank's "no" is read, as data: rows from what the provider says to what it means for the next step.
//!
//! Promises: one row at most for the same words; rows laid over a table replace those of the same words and add to
//! the others. Must never know: where rows are written, and what follows from a reading.

use std::sync::Arc;

use super::{DeclineKind, Network, Wait};

/// What a decline must say for a row to apply. At least one of the three texts is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeclineWords {
    /// Of cards of this network, or of one that nobody told us; `None`: of any.
    pub network: Option<Network>,
    /// The provider's `failure_code`, exactly; `None`: any.
    pub code: Option<Arc<str>>,
    /// The `merchant_advice_code`, exactly; `None`: any.
    pub advice_code: Option<Arc<str>>,
    /// In the text of `merchant_advice`; lower case, plain spaces. `None`: any.
    pub advice: Option<Arc<str>>,
}

impl DeclineWords {
    /// Advice as it is compared, since it is written in more ways than one: lower case, plain spaces.
    pub fn plain(advice: &str) -> String {
        advice.to_lowercase().replace(['_', '-'], " ").replace('’', "'")
    }
}

/// One row: what the words mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclineRow {
    /// To what it applies.
    pub words: DeclineWords,
    /// For the next step; `None`: what the other words mean stays, and only the rest of the row is added.
    pub kind: Option<DeclineKind>,
    /// Retries of one invoice after this, whatever the policy would allow; `None`: the policy alone decides.
    pub most_retries: Option<u32>,
    /// Whether a bank answered at all, so that it counts towards the card's budget.
    pub counts: bool,
    /// No retry sooner after the decline; `None`: the policy alone decides.
    pub not_before: Option<Wait>,
}

/// All rows, each for other words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeclineTable {
    rows: Vec<DeclineRow>,
}

impl DeclineTable {
    /// This table with `rows` laid over it: those of words that it has are replaced, the others added.
    #[must_use]
    pub fn with(mut self, rows: Vec<DeclineRow>) -> Self {
        for row in rows {
            match self.rows.iter_mut().find(|known| known.words == row.words) {
                Some(known) => *known = row,
                None => self.rows.push(row),
            }
        }
        self
    }

    /// Its rows, in no order that matters.
    pub fn rows(&self) -> &[DeclineRow] {
        &self.rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(code: &str, network: Option<Network>, kind: DeclineKind) -> DeclineRow {
        let words = DeclineWords { network, code: Some(code.into()), ..DeclineWords::default() };
        DeclineRow { words, kind: Some(kind), most_retries: None, counts: true, not_before: None }
    }

    #[test]
    fn rows_of_the_same_words_replace_and_others_add() {
        let table = DeclineTable::default()
            .with(vec![row("a", None, DeclineKind::Funds), row("b", None, DeclineKind::Funds)])
            .with(vec![
                row("a", None, DeclineKind::Limit),
                row("a", Some(Network::Visa), DeclineKind::Never),
            ]);
        let kinds: Vec<_> = table.rows().iter().filter_map(|row| row.kind).collect();
        assert_eq!(kinds, [DeclineKind::Limit, DeclineKind::Funds, DeclineKind::Never]);
    }
}
