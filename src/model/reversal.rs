//! Money that went back after a charge had succeeded, or may have to.

use jiff::Timestamp;

use super::{AttemptId, Money, words};

words! {
    /// How a charge was turned round.
    ReversalKind {
        /// Given back, in whole or in part.
        Refunded = "refunded",
        /// Disputed by the card's holder.
        Disputed = "disputed",
    }
}

/// What was last seen of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reversal {
    /// Of which attempt, which had succeeded.
    pub attempt: AttemptId,
    /// How.
    pub kind: ReversalKind,
    /// Given back so far, or what is disputed.
    pub amount: Money,
    /// Noted then, on the billing clock.
    pub at: Timestamp,
}
