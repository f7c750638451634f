//! `dues cancel`, now or with the period.

use jiff::Timestamp;
use serde_json::json;

use super::{decide, must_live, refused, settle_what_was_stopped};
use crate::model::{EventKind, Snapshot, Transition};
use crate::rules::calendar::Calendar;
use crate::rules::{RuleError, life};

/// Ends now: no period that starts from now on is billed, and nothing that is open is tried again by itself.
pub fn cancel_now(snapshot: &Snapshot, at: Timestamp, reason: Option<&str>) -> Result<Transition, RuleError> {
    must_live(snapshot)?;
    decide(snapshot, at, |d| {
        settle_what_was_stopped(d, at)?;
        life::cancel(d, at, at, reason);
        Ok(())
    })
}

/// Ends with the period that has begun, or before the first one: at the start of the first period after now.
pub fn cancel_at_period_end(
    snapshot: &Snapshot,
    at: Timestamp,
    reason: Option<&str>,
) -> Result<Transition, RuleError> {
    must_live(snapshot)?;
    let subscription = &snapshot.subscription;
    if let Some(end) = subscription.cancel_at {
        return refused(format!(
            "subscription {} is already set to end at {}",
            subscription.id,
            subscription.zone.told(end)
        ));
    }
    let calendar = Calendar::of(subscription, &snapshot.plan.terms);
    let end = calendar.start(calendar.first_not_due(subscription.next_index, at))?;
    decide(snapshot, at, |d| {
        d.now.subscription.cancel_at = Some(end);
        let data = json!({ "cancel_at": end.to_string(), "reason": reason });
        d.event(at, EventKind::CancelScheduled, Some(&data));
        Ok(())
    })
}
