//! Which of a subscription's open invoices may be tried next: the oldest, strictly.
//!
//! A newer invoice waits while an older one is being retried, has an unfinished attempt, or waits for a card or
//! for the customer. It does not wait for one that only a person can move (missed periods on hold, a rejected
//! request, tries used up), nor for missed periods that are collected one a day, nor, where the older one's policy
//! collects newer periods, for a retry that has not come or for the customer.
//! Must never know: cards, budgets, brakes.

use jiff::{SignedDuration, Timestamp};

use super::life;
use crate::hooks::{Bug, planted};
use crate::model::{
    Attempt, AttemptStatus, Hold, Invoice, InvoiceStatus, NewerPeriods, OpenInvoice, SkipReason, Snapshot,
};

/// Between two automatic charges for missed periods of one customer.
pub(super) const CATCH_UP_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// What the queue of open invoices says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Queue {
    /// What may be tried now.
    pub head: Head,
    /// When the queue next wants to be looked at; not later than now for what may be tried now. `None`: only
    /// something from outside can move it.
    pub wake: Option<Timestamp>,
}

/// What may be tried now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head {
    /// The open invoice at this place.
    Try(usize),
    /// None, for this reason.
    Waits(SkipReason),
    /// None is open, or none but those on hold.
    Empty,
}

/// Walks the open invoices from the oldest on.
pub(super) fn look(s: &Snapshot, at: Timestamp) -> Queue {
    let mut wake = None;
    let mut head = Head::Empty;
    for (place, open) in s.invoices.iter().enumerate() {
        if open.invoice.status != InvoiceStatus::Open {
            continue;
        }
        match standing(s, open, at) {
            Standing::Passed => {
                if head == Head::Empty {
                    head = Head::Waits(SkipReason::Held);
                }
            }
            Standing::Spread(until) => {
                head = Head::Waits(SkipReason::CatchUpSpread);
                wake = Some(earlier(wake, until));
            }
            Standing::Beside(until) => {
                if head == Head::Empty {
                    head = Head::Waits(until.map_or(SkipReason::Held, |_| SkipReason::NotDue));
                }
                wake = until.map(|until| earlier(wake, until)).or(wake);
            }
            Standing::Blocks(reason) => return Queue { head: Head::Waits(reason), wake },
            Standing::Later(until) => {
                return Queue { head: Head::Waits(SkipReason::NotDue), wake: Some(earlier(wake, until)) };
            }
            Standing::Now(since) => {
                return Queue { head: Head::Try(place), wake: Some(earlier(wake, since)) };
            }
        }
    }
    Queue { head, wake }
}

/// Whether newer invoices wait for this open one.
pub(super) fn holds_up_the_rest(s: &Snapshot, open: &OpenInvoice, at: Timestamp) -> bool {
    !matches!(standing(s, open, at), Standing::Passed | Standing::Spread(_) | Standing::Beside(_))
}

/// When the missed period began that would be collected now as its customer's one of the day; `None`: none would.
pub fn missed_turn(s: &Snapshot, at: Timestamp) -> Option<Timestamp> {
    let Head::Try(place) = look(s, at).head else { return None };
    s.invoices.get(place).filter(|open| is_catch_up(open, at)).map(|open| open.invoice.period.start)
}

/// When this missed period's turn comes; `None`: it waits for none.
pub(super) fn catch_up_turn(s: &Snapshot, open: &OpenInvoice, at: Timestamp) -> Option<Timestamp> {
    spread_until(s, open, at).filter(|until| *until > at)
}

/// When an invoice is tried next, as far as its row tells (`planned`), its customer's turn at missed periods (the last was
/// taken at `caught_up_at`) and the next look at its subscription (`wake_at`). `None`: not by itself.
pub fn next_try_at(
    invoice: &Invoice,
    was_declined: bool,
    caught_up_at: Option<Timestamp>,
    wake_at: Option<Timestamp>,
    at: Timestamp,
) -> Option<Timestamp> {
    let planned = invoice.next_attempt_at?;
    let is_missed = invoice.period.end <= at && !was_declined;
    let turn = caught_up_at.filter(|_| is_missed).and_then(|last| last.checked_add(CATCH_UP_EVERY).ok());
    let looked_at = wake_at.filter(|_| planned <= at);
    [turn, looked_at].into_iter().flatten().filter(|later| *later > at).chain([planned]).max()
}

/// Where one open invoice stands in the queue.
enum Standing {
    Passed,
    Spread(Timestamp),
    /// In dunning, and newer ones are collected beside it; `None`: it waits for the customer.
    Beside(Option<Timestamp>),
    Blocks(SkipReason),
    Later(Timestamp),
    Now(Timestamp),
}

fn standing(s: &Snapshot, open: &OpenInvoice, at: Timestamp) -> Standing {
    let invoice = &open.invoice;
    if unfinished(open).is_some() && !planted(Bug::BesideUnfinished) {
        return Standing::Blocks(SkipReason::Unfinished);
    }
    match invoice.hold {
        // Another card was found, and is tried then.
        Some(Hold::Exhausted | Hold::Customer) if invoice.next_attempt_at.is_some() => {
            by_its_time(s, open, at)
        }
        Some(Hold::CatchUp | Hold::Exhausted | Hold::Rejected | Hold::Stopped) => Standing::Passed,
        Some(Hold::Customer) if newer_are_collected(open) => Standing::Beside(None),
        Some(Hold::Customer | Hold::Incident) => Standing::Blocks(SkipReason::Held),
        Some(Hold::NewCard) if life::is_stopped(&s.subscription) => Standing::Passed,
        // Without a time looked at in every run: only a read of the customer can tell whether there is another card.
        Some(Hold::NewCard) | None => by_its_time(s, open, at),
    }
}

/// Where an invoice stands that is tried at its time; without one it has come.
fn by_its_time(s: &Snapshot, open: &OpenInvoice, at: Timestamp) -> Standing {
    let due = open.invoice.next_attempt_at.unwrap_or(open.invoice.period.start);
    if due > at && newer_are_collected(open) && was_declined(open) {
        return Standing::Beside(Some(due));
    }
    if due > at {
        return Standing::Later(due);
    }
    catch_up_turn(s, open, at).map_or(Standing::Now(due), Standing::Spread)
}

/// Whether this invoice's policy collects newer periods while it is in dunning.
fn newer_are_collected(open: &OpenInvoice) -> bool {
    open.plan.terms.dunning.newer == NewerPeriods::Collect
}

fn was_declined(open: &OpenInvoice) -> bool {
    open.attempts.iter().any(|a| a.status == AttemptStatus::Declined)
}

/// The attempt of this invoice that has not ended.
pub(super) fn unfinished(open: &OpenInvoice) -> Option<&Attempt> {
    open.attempts.iter().find(|attempt| !attempt.status.is_final())
}

/// Whether trying this invoice now is an automatic charge for a missed period: its first, after its period ended.
pub(super) fn is_catch_up(open: &OpenInvoice, at: Timestamp) -> bool {
    open.invoice.period.end <= at && !was_declined(open)
}

/// When this invoice's turn in the daily collection of missed periods comes; `None`: it takes no turn.
fn spread_until(s: &Snapshot, open: &OpenInvoice, at: Timestamp) -> Option<Timestamp> {
    let last = s.customer.caught_up_at.filter(|last| *last <= at)?;
    if is_catch_up(open, at) { last.checked_add(CATCH_UP_EVERY).ok() } else { None }
}

fn earlier(a: Option<Timestamp>, b: Timestamp) -> Timestamp {
    a.map_or(b, |a| a.min(b))
}
