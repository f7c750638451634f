//! When a process that stays looks next for what an unfinished attempt became.
//!
//! Promises: only what a look can move is looked at, and a look made at an instant is never followed by one due at that
//! instant or before it: nobody who wakes for looks wakes for ever.
//! Must never know: how anything is looked up.

use jiff::Timestamp;

use super::{doubt, pending};
use crate::model::{Attempt, AttemptStatus};

/// When a look for it is due, or was, on the wall clock. `None`: no look would move it, since it has ended, waits for a
/// person, or is on its way.
pub fn next_look(attempt: &Attempt) -> Option<Timestamp> {
    match attempt.status {
        AttemptStatus::InDoubt => doubt::next_look(attempt.intent.as_ref()?),
        AttemptStatus::Pending => pending::next_poll(attempt),
        // What a dead process left on its way is in doubt from the next start on.
        AttemptStatus::Intended
        | AttemptStatus::Manual
        | AttemptStatus::Succeeded
        | AttemptStatus::Declined
        | AttemptStatus::Rejected
        | AttemptStatus::NotSent
        | AttemptStatus::Absent => None,
    }
}
