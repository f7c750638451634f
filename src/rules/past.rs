//! What of a new subscription lies in the past already, told while it can still be taken back: a first day mistyped by a
//! century opens a thousand invoices at the next run.
//!
//! Promises: counts as the course will open and hold them. Must never know: how it is told.

use jiff::Timestamp;

use super::calendar::{Calendar, after};
use crate::model::settings::CatchUp;
use crate::model::{PlanTerms, Subscription};

/// Periods of a subscription that nobody has invoiced yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// Those that have ended: the next run invoices them as missed ones.
    pub missed: u32,
    /// They are more than is collected without asking: they wait for `dues resume`.
    pub held: bool,
}

/// Counts them as of `at`; years of days cost no more than a few steps.
pub fn past(subscription: &Subscription, terms: &PlanTerms, catch_up: CatchUp, at: Timestamp) -> Past {
    let first = subscription.next_index;
    let calendar = Calendar::of(subscription, terms);
    // The last that has begun is still under way.
    let ended = calendar.first_reaching(first, after(at)).saturating_sub(1).max(first);
    let missed = ended - first - calendar.empty_among(first, ended);
    Past { missed, held: missed > catch_up.hold_after }
}
