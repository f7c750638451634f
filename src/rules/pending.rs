//! A charge that waits for its customer: when it is asked for, when they are reminded, when it is given up.
//!
//! Polls follow the wall clock, since they concern the wire; reminders and the end follow the billing clock, since
//! they concern the customer. Promises: a reminder is written once; what is given up is ended at the provider first,
//! so that nothing is charged beside a payment that may still be confirmed.
//! Must never know: how a charge is read or ended.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::conclude::with_case;
use super::{Circumstances, RuleError};
use crate::model::settings::ThreeDs;
use crate::model::{Attempt, AttemptId, AttemptStatus, EventKind, Snapshot, Transition};

/// Most customers confirm within ten minutes: the first wait, doubled by each poll.
const SHORTEST_WAIT: SignedDuration = SignedDuration::from_mins(1);
/// Nobody waits longer than that to learn what became of a payment.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(6);

/// What a charge needs that was just seen pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PendingStep {
    /// Nothing but to be asked for again later.
    Wait,
    /// Its customer is reminded: for the nth time.
    Remind(u32),
    /// It is ended.
    GiveUp,
}

/// What that pending attempt needs at `at`, on the billing clock. One that is in flight, without a page for the
/// customer, only waits.
pub fn judge(attempt: &Attempt, wishes: &ThreeDs, at: Timestamp) -> PendingStep {
    let intent = attempt.intent.as_ref().filter(|_| attempt.status == AttemptStatus::Pending);
    let Some(intent) = intent.filter(|intent| intent.authorize_uri.is_some()) else {
        return PendingStep::Wait;
    };
    let age = at.duration_since(attempt.intended_at);
    if age >= wishes.give_up {
        return PendingStep::GiveUp;
    }
    // Reminders whose time passed while nobody looked are one.
    let due = wishes.remind.iter().filter(|after| age >= **after).count();
    let due = u32::try_from(due).unwrap_or(u32::MAX);
    if due > intent.reminded { PendingStep::Remind(due) } else { PendingStep::Wait }
}

/// When a process that stays should next ask for it, on the wall clock: after as long as it had waited at the last
/// poll, within bounds. `None`: it is not pending.
pub fn next_poll(attempt: &Attempt) -> Option<Timestamp> {
    let intent = attempt.intent.as_ref().filter(|_| attempt.status == AttemptStatus::Pending)?;
    let last = intent.looked_at.unwrap_or(intent.wall_at);
    let waited = last.duration_since(intent.wall_at).clamp(SHORTEST_WAIT, LONGEST_WAIT);
    last.checked_add(waited).ok()
}

/// Notes a poll that found it pending still, and the reminder that is due. Empty if it has ended meanwhile.
pub fn polled(
    snapshot: &Snapshot,
    attempt: &AttemptId,
    wishes: &ThreeDs,
    c: &Circumstances,
) -> Result<Transition, RuleError> {
    with_case(snapshot, attempt, c, |case| {
        if case.attempt().status != AttemptStatus::Pending {
            return Ok(false);
        }
        let step = judge(case.attempt(), wishes, c.at);
        let charge = case.attempt().charge.clone();
        let Some(intent) = &mut case.attempt_mut().intent else { return Ok(false) };
        intent.looked_at = Some(c.wire.wall_at);
        if let PendingStep::Remind(reminder) = step {
            intent.reminded = reminder;
            let data = json!({
                "attempt": attempt,
                "charge": charge,
                "authorize_uri": intent.authorize_uri.as_deref(),
                "reminder": reminder,
            });
            case.event(EventKind::ActionReminded, &data);
        }
        Ok(true)
    })
}
