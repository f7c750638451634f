//! Where charges are decided elsewhere: a bank that whoever starts the sandbox brings along.
//!
//! Promises: asked once for each charge that reaches the card, after every refusal and every switch; what it rules is
//! what the charge becomes. Must never know how a charge travels, or what is billed.

/// What a bank is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question<'a> {
    /// Whose card it is; empty for a card that was charged by token.
    pub customer: &'a str,
    /// The card's id.
    pub card: &'a str,
    /// In the smallest unit of the currency.
    pub amount: i64,
    /// Milliseconds since 1970, by the sandbox's clock.
    pub at_ms: u64,
}

/// What a bank says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// Money moves.
    Pays,
    /// No, for this reason.
    Declines {
        /// The failure code, in the API's words.
        code: &'static str,
        /// What the network advises; `None`: nothing.
        advice: Option<&'static str>,
        /// The network's code for that; `None`: none.
        advice_code: Option<&'static str>,
    },
}

/// Decides charges in place of the test cards' published conduct.
pub trait Bank: Send + Sync {
    /// Rules on one charge.
    fn rule(&self, question: &Question<'_>) -> Ruling;
}
