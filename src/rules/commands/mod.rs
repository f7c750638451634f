//! What people ask for: each command as a decision on a fresh snapshot.
//!
//! Promises: what does not fit the state it meets is refused with a sentence that says what to do instead, and
//! nothing is half done. No command touches an attempt under way; its answer is waited for.
//! Must never know: how a command is written on a command line.

mod cancel;
mod change;
mod invoice;
mod pause;
mod resolve;
mod retry;
mod subscribe;

pub use cancel::{cancel_at_period_end, cancel_now};
pub use change::{ChangeOrder, Changed, NextInvoice, change, next_invoice};
pub use invoice::{mark_paid, void, write_off};
pub use pause::{pause, resume};
pub(super) use resolve::way_out;
pub use resolve::{resolve_absent, resolve_charge};
pub use retry::retry;
pub use subscribe::{NewSubscriptionOrder, subscribe};

use jiff::Timestamp;

use super::draft::Draft;
use super::{RuleError, course, wake};
use crate::model::settings::CatchUp;
use crate::model::{AttemptStatus, InvoiceId, OpenInvoice, Snapshot, SubscriptionStatus, Transition};

/// Works on a copy, and lets the subscription's next look follow.
fn decide(
    snapshot: &Snapshot,
    at: Timestamp,
    work: impl FnOnce(&mut Draft) -> Result<(), RuleError>,
) -> Result<Transition, RuleError> {
    let mut d = Draft::new(snapshot);
    d.guard_subscription();
    work(&mut d)?;
    d.now.subscription.wake_at = wake::next(&d.now, at);
    Ok(d.transition(None))
}

/// Periods that began while it was stopped are skipped before it is stopped in another way: afterwards nobody could tell
/// them from those that began before. What began earlier and has no invoice yet gets one, which waits like the others.
fn settle_what_was_stopped(d: &mut Draft, at: Timestamp) -> Result<(), RuleError> {
    if !matches!(d.now.subscription.status, SubscriptionStatus::Paused | SubscriptionStatus::Unpaid) {
        return Ok(());
    }
    course::advance(d, at, CatchUp { hold_after: u32::MAX })?;
    // Its end may have come while nobody looked.
    must_live(&d.now)
}

fn refused<T>(sentence: String) -> Result<T, RuleError> {
    Err(RuleError::Refused(sentence))
}

fn must_live(s: &Snapshot) -> Result<(), RuleError> {
    if s.subscription.status == SubscriptionStatus::Canceled {
        return refused(format!(
            "subscription {} has ended; make a new one with `dues subscribe`",
            s.subscription.id
        ));
    }
    Ok(())
}

/// The place of that invoice in the snapshot, if no attempt of it is unfinished.
fn settled_place(s: &Snapshot, id: &InvoiceId) -> Result<usize, RuleError> {
    let Some(place) = s.invoices.iter().position(|open| open.invoice.id == *id) else {
        return refused(format!(
            "invoice {id} is not in what was read of subscription {}",
            s.subscription.id
        ));
    };
    must_be_settled(&s.invoices[place])?;
    Ok(place)
}

fn must_be_settled(open: &OpenInvoice) -> Result<(), RuleError> {
    match super::queue::unfinished(open) {
        None => Ok(()),
        Some(attempt) => {
            let way = match attempt.status {
                AttemptStatus::Manual => format!("no look settles it any more; {}", way_out(attempt)),
                _ => "wait until it is settled (`dues run-now` looks it up); should it become manual, `dues resolve` \
                      ends it"
                    .to_owned(),
            };
            refused(format!(
                "attempt {} of invoice {} is {}: {way}",
                attempt.id, open.invoice.id, attempt.status
            ))
        }
    }
}
