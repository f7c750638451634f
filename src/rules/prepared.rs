//! What decisions hand back.

use jiff::Timestamp;
use thiserror::Error;

use crate::model::{ChargeRequest, ChargeSeen, FlagReason, SkipReason, Snapshot, Transition};

/// What a due subscription needs now.
#[derive(Clone, Debug)]
pub enum Prepared {
    /// Commit this intent, then send it once.
    Charge(Box<PreparedCharge>),
    /// Nothing is to be sent. `transition` may still open invoices, skip periods, raise or clear flags, and moves
    /// `wake_at`; it may be empty.
    Settle {
        /// To commit.
        transition: Transition,
        /// Why nothing is sent.
        skipped: SkipReason,
    },
    /// The snapshot of the customer says "bad" or is too old: read them now, then prepare again with `confirmed`.
    ConfirmCustomer(Option<FlagReason>),
}

/// A charge about to be made.
#[derive(Clone, Debug)]
pub struct PreparedCharge {
    /// Opens invoices as needed and inserts the intent.
    pub transition: Transition,
    /// The snapshot as it is once `transition` is in the book, row versions included.
    pub after: Snapshot,
    /// To be sent once.
    pub request: ChargeRequest,
}

/// One look through a window of the provider's charges.
#[derive(Clone, Debug)]
pub struct Scan {
    /// Every page was read to `total`, and the windows cover the attempt's from − 5 min to now, or to a day after its
    /// deadline.
    pub complete: bool,
    /// In provider time, when the scan began; `None`: no usable Date, so the scan does not count.
    pub provider_at: Option<Timestamp>,
    /// Our wall clock.
    pub wall_at: Timestamp,
}

/// What a look tells of one doubtful attempt.
#[derive(Clone, Debug)]
pub enum DoubtStep {
    /// The charge is known: conclude from it.
    Adopt(ChargeSeen),
    /// More than one charge carries this attempt: adopt this one, and raise an incident.
    Incident {
        /// The one to adopt: the oldest success, else the oldest.
        adopt: ChargeSeen,
        /// For people: all their ids.
        detail: String,
    },
    /// Proved never to have reached the provider.
    Absent,
    /// Still open: keep the look in the book.
    Wait,
    /// Past the last look, or a charge that may be ours carries no token: a person must decide.
    Manual(String),
}

/// A command or an answer that does not fit the state it meets.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RuleError {
    /// What was asked cannot be done now; the sentence says what to do instead.
    #[error("{0}")]
    Refused(String),
    /// A sum or a date outside what can be counted.
    #[error("{0}")]
    Overflow(String),
}
