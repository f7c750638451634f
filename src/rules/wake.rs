//! When a subscription next wants to be looked at: one function, used by every decision.
//!
//! Promises: never later than its next period, its next try, its pause's or its own end; not later than now while
//! something is due that only a look can move.
//! Must never know: who asks.

use jiff::Timestamp;

use super::calendar::Calendar;
use super::{card_watch, queue};
use crate::model::{Snapshot, SubscriptionStatus};

/// The next instant at which this subscription, as it stands at `at`, has to be looked at; `None`: never by itself.
pub(super) fn next(s: &Snapshot, at: Timestamp) -> Option<Timestamp> {
    let subscription = &s.subscription;
    let ended = subscription.status == SubscriptionStatus::Canceled;
    let ends = subscription.cancel_at.filter(|_| !ended);
    let resumes = subscription.pause.and_then(|pause| pause.until);
    let queue = queue::look(s, at).wake;
    let card = card_watch::next_look(s, at);
    [next_period(s, at), queue, card, ends, resumes].into_iter().flatten().min()
}

/// The next period that has neither an invoice nor a skip. One that is due already had no room in this decision:
/// it is taken up at once.
fn next_period(s: &Snapshot, at: Timestamp) -> Option<Timestamp> {
    let subscription = &s.subscription;
    let start = Calendar::of(subscription, &s.plan.terms).start(subscription.next_index).ok()?;
    match subscription.ended_at {
        Some(ended) if subscription.status == SubscriptionStatus::Canceled && start >= ended => None,
        _ => Some(start.max(at)),
    }
}
