//! `dues pause` and `dues resume`.

use jiff::Timestamp;

use super::{decide, must_live, refused, settle_what_was_stopped};
use crate::model::settings::CatchUp;
use crate::model::{Hold, PausedBy, Snapshot, SubscriptionStatus, Transition};
use crate::rules::{RuleError, course, life};

/// Pauses until then, or until somebody resumes: periods that start meanwhile are skipped, retries end. A period
/// that began before and has no invoice yet still gets one, which waits like the others.
pub fn pause(
    snapshot: &Snapshot,
    until: Option<Timestamp>,
    at: Timestamp,
    reason: Option<&str>,
) -> Result<Transition, RuleError> {
    must_live(snapshot)?;
    let (id, zone) = (&snapshot.subscription.id, &snapshot.subscription.zone);
    if let Some(pause) = snapshot.subscription.pause.filter(|pause| pause.by == PausedBy::Person) {
        return refused(format!(
            "subscription {id} is paused since {}; `dues resume {id}` ends that",
            zone.told(pause.since)
        ));
    }
    if let Some(until) = until.filter(|until| *until <= at) {
        return refused(format!(
            "--until: found {}, wanted an instant after now, which is {}",
            zone.told(until),
            zone.told(at)
        ));
    }
    decide(snapshot, at, |d| {
        settle_what_was_stopped(d, at)?;
        life::pause(d, until, PausedBy::Person, at, reason);
        Ok(())
    })
}

/// Goes on now: what was stopped is due at once, and so are the periods that were held because too many had been
/// missed, one a day. Tries that were used up stay so: `retry` is their command.
pub fn resume(snapshot: &Snapshot, catch_up: CatchUp, at: Timestamp) -> Result<Transition, RuleError> {
    must_live(snapshot)?;
    let id = &snapshot.subscription.id;
    let stopped =
        matches!(snapshot.subscription.status, SubscriptionStatus::Paused | SubscriptionStatus::Unpaid);
    let held = snapshot.invoices.iter().any(|open| open.invoice.hold == Some(Hold::CatchUp));
    if !stopped && !held {
        let status = snapshot.subscription.status;
        return refused(format!(
            "subscription {id} is {status} and holds nothing back; there is nothing to resume"
        ));
    }
    decide(snapshot, at, |d| {
        if stopped {
            course::advance(d, at, catch_up)?;
            // Its end may have come while nobody looked.
            must_live(&d.now)?;
            if matches!(d.now.subscription.status, SubscriptionStatus::Paused | SubscriptionStatus::Unpaid) {
                life::resume(d, at, at);
            }
        } else {
            d.event(at, crate::model::EventKind::SubscriptionResumed, None);
        }
        life::release(d, Hold::CatchUp, at);
        Ok(())
    })
}
