//! What happens to a subscription as a whole when it pauses, resumes or ends.
//!
//! Promises: while it is paused, unpaid or ended no retry is scheduled; when it goes on, what was stopped is due
//! at once. An attempt under way is not touched: its answer is waited for.
//! Must never know: why, or who asked.

use jiff::Timestamp;
use serde_json::json;

use super::draft::Draft;
use super::{calendar, cards, flags};
use crate::hooks::{Bug, planted};
use crate::model::{
    AttemptStatus, EventKind, Hold, InvoiceStatus, OpenInvoice, Pause, PausedBy, Snapshot, Subscription,
    SubscriptionStatus,
};

/// Whether open invoices of such a subscription are collected by themselves.
pub(super) const fn collects(subscription: &Subscription) -> bool {
    match subscription.status {
        SubscriptionStatus::Trialing | SubscriptionStatus::Active | SubscriptionStatus::PastDue => true,
        SubscriptionStatus::Paused | SubscriptionStatus::Unpaid | SubscriptionStatus::Canceled => false,
    }
}

/// Whether a person's word keeps it from being collected.
pub(super) fn is_stopped(subscription: &Subscription) -> bool {
    subscription.status == SubscriptionStatus::Canceled
        || subscription.pause.is_some_and(|pause| pause.by == PausedBy::Person)
}

/// Whether its dunning policy keeps it from being collected, until nothing is owed.
pub(super) fn is_stopped_by_policy(subscription: &Subscription) -> bool {
    subscription.status == SubscriptionStatus::Unpaid
        || subscription.pause.is_some_and(|pause| pause.by == PausedBy::Dunning)
}

/// It goes on from `when`; `at` is now.
pub(super) fn resume(d: &mut Draft, when: Timestamp, at: Timestamp) {
    d.now.subscription.pause = None;
    release(d, Hold::Stopped, when);
    d.now.subscription.status = going_on(&d.now, when);
    d.event(at, EventKind::SubscriptionResumed, None);
}

/// It pauses from now on.
pub(super) fn pause(
    d: &mut Draft,
    until: Option<Timestamp>,
    by: PausedBy,
    at: Timestamp,
    reason: Option<&str>,
) {
    d.now.subscription.status = SubscriptionStatus::Paused;
    d.now.subscription.pause = Some(Pause { since: at, until, by });
    stop(d);
    flags::clear_all(d, at);
    let until = until.map(|until| until.to_string());
    let data = json!({ "by": by, "until": until, "reason": reason });
    d.event(at, EventKind::SubscriptionPaused, Some(&data));
}

/// It ended at `when`; `at` is now.
pub(super) fn cancel(d: &mut Draft, when: Timestamp, at: Timestamp, reason: Option<&str>) {
    d.now.subscription.status = SubscriptionStatus::Canceled;
    d.now.subscription.ended_at = Some(when);
    d.now.subscription.pause = None;
    if !planted(Bug::RetriedAfterCancel) {
        stop(d);
    }
    flags::clear_all(d, at);
    let data = reason.map(|reason| json!({ "reason": reason }));
    d.event(at, EventKind::SubscriptionCanceled, data.as_ref());
}

/// It is served on, and no longer billed.
pub(super) fn leave_unpaid(d: &mut Draft, at: Timestamp) {
    d.now.subscription.status = SubscriptionStatus::Unpaid;
    stop(d);
    flags::clear_all(d, at);
    d.event(at, EventKind::SubscriptionUnpaid, None);
}

/// Ends pending retries of all open invoices; what waits for another card, and has no try ahead, goes on waiting.
fn stop(d: &mut Draft) {
    let has_a_try =
        |open: &&mut OpenInvoice| open.invoice.hold.is_none() || open.invoice.next_attempt_at.is_some();
    for open in open_ones(d).filter(has_a_try) {
        if matches!(open.invoice.hold, None | Some(Hold::NewCard)) {
            open.invoice.hold = Some(Hold::Stopped);
        }
        open.invoice.next_attempt_at = None;
    }
}

/// Stops what was not in view when the subscription was: one look loads only so many invoices. What a person asked
/// to be tried since then is left alone.
pub(super) fn stop_unseen(d: &mut Draft) {
    let subscription = &d.now.subscription;
    let since = subscription.ended_at.or_else(|| subscription.pause.map(|pause| pause.since));
    let unseen = |open: &OpenInvoice| {
        let stopped_at = since.unwrap_or(open.invoice.period.start);
        open.invoice.next_attempt_at.is_some_and(|next| next <= stopped_at) && open.attempts.is_empty()
    };
    for open in open_ones(d).filter(|open| open.invoice.hold.is_none()) {
        if unseen(open) {
            open.invoice.hold = Some(Hold::Stopped);
            open.invoice.next_attempt_at = None;
        }
    }
}

/// Makes invoices on that hold due at `when`, but for those with an attempt under way; for another card where one was
/// refused for good. How many.
pub(super) fn release(d: &mut Draft, hold: Hold, when: Timestamp) -> usize {
    let mut released = 0;
    for open in open_ones(d).filter(|open| open.invoice.hold == Some(hold)) {
        let under_way = open.attempts.iter().any(|attempt| !attempt.status.is_final());
        open.invoice.hold = cards::hold_until_tried(open, None).filter(|_| !under_way);
        open.invoice.next_attempt_at = (!under_way).then_some(when);
        released += 1;
    }
    released
}

fn open_ones<'d>(d: &'d mut Draft<'_>) -> impl Iterator<Item = &'d mut OpenInvoice> {
    d.now.invoices.iter_mut().filter(|open| open.invoice.status == InvoiceStatus::Open)
}

/// The status of a subscription that is collected, by what it owes.
pub(super) fn going_on(s: &Snapshot, at: Timestamp) -> SubscriptionStatus {
    let terms = &s.plan.terms;
    if s.invoices.iter().any(is_owed) {
        SubscriptionStatus::PastDue
    } else if s.subscription.next_index == 0
        && terms.trial.is_some()
        && calendar::period_of(&s.subscription, terms, 0).is_ok_and(|first| first.start > at)
    {
        SubscriptionStatus::Trialing
    } else {
        SubscriptionStatus::Active
    }
}

/// Whether an invoice was asked for and not paid.
pub(super) fn is_owed(open: &OpenInvoice) -> bool {
    let hold = matches!(open.invoice.hold, Some(Hold::NewCard | Hold::Customer | Hold::Exhausted));
    let declined = open.attempts.iter().any(|a| a.status == AttemptStatus::Declined);
    open.invoice.status == InvoiceStatus::Open && (hold || declined)
}

/// The same but for what waits for the subscription itself to go on, and is released with it.
pub(super) fn is_owed_now(open: &OpenInvoice) -> bool {
    is_owed(open) && open.invoice.hold != Some(Hold::Stopped)
}
