//! A subscription's course through time up to now: pauses that end, ends that come, periods that begin.
//!
//! Promises: what happened while nobody looked is taken in its own order, so that a late look decides like one in
//! time; every period that began is invoiced once or skipped once, never both; one without any time in it is only ever
//! skipped, so that what the book would refuse is not asked of it.
//! Must never know: cards, charges, attempts.

use jiff::Timestamp;
use serde_json::json;

use super::calendar::{Calendar, after};
use super::draft::Draft;
use super::{RuleError, life};
use crate::model::settings::CatchUp;
use crate::model::{
    BillingPeriod, EventKind, Hold, Invoice, InvoiceId, InvoiceStatus, OpenInvoice, SkipReason, Subscription,
    SubscriptionStatus, Version,
};

/// Invoices that one decision opens at most: a transition stays small, and the rest follows at once.
pub(super) const MOST_PERIODS_PER_DECISION: u32 = 400;
/// A pause that ends and an end that comes are two; one more look finds nothing left.
const MOST_TURNS: usize = 3;

/// Now, when what is opened counts as opened, and how many missed periods are collected without asking.
#[derive(Clone, Copy)]
struct Now {
    at: Timestamp,
    opened_at: Timestamp,
    hold_after: u32,
}

/// A point at which a subscription's state changes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Resume,
    Cancel,
}

/// Brings the working copy up to `at`. At most [`MOST_PERIODS_PER_DECISION`] invoices are opened; whether that
/// was enough is answered.
pub(super) fn advance(d: &mut Draft, at: Timestamp, catch_up: CatchUp) -> Result<bool, RuleError> {
    let now = Now { at, opened_at: at, hold_after: catch_up.hold_after };
    let mut room = MOST_PERIODS_PER_DECISION;
    for _ in 0..MOST_TURNS {
        let turn = next_turn(&d.now.subscription, at);
        if !settle_periods(d, now, turn.map(|(turn, _)| turn), &mut room)? {
            return Ok(false);
        }
        match turn {
            None => return Ok(true),
            Some((when, Turn::Resume)) => life::resume(d, when, at),
            Some((when, Turn::Cancel)) => life::cancel(d, when, at, None),
        }
    }
    Ok(true)
}

/// The next point up to now at which the state changes by itself.
fn next_turn(subscription: &Subscription, at: Timestamp) -> Option<(Timestamp, Turn)> {
    let ended = subscription.status == SubscriptionStatus::Canceled;
    let cancel = subscription.cancel_at.filter(|_| !ended).map(|at| (at, Turn::Cancel));
    let resume = subscription.pause.and_then(|pause| pause.until).map(|until| (until, Turn::Resume));
    // At one and the same instant the end wins: nothing is resumed that ends.
    [cancel, resume].into_iter().flatten().filter(|(turn, _)| *turn <= at).min_by_key(|(turn, _)| *turn)
}

/// Invoices or skips every period that began before `turn`, or up to now; whether the room was enough.
fn settle_periods(
    d: &mut Draft,
    now: Now,
    turn: Option<Timestamp>,
    room: &mut u32,
) -> Result<bool, RuleError> {
    let (first, billed_to, reached) = ranges(d, now.at, turn);
    let opened_to = billed_to.min(first.saturating_add(*room));
    *room -= opened_to - first;
    open_periods(d, now, first..opened_to, billed_to)?;
    d.now.subscription.next_index = opened_to;
    if opened_to < billed_to {
        return Ok(false);
    }
    if billed_to < reached {
        let reason = skip_reason(d.now.subscription.status);
        d.skip(billed_to, reached, reason);
        let data = json!({ "from": billed_to, "to": reached, "reason": reason });
        d.event(now.at, EventKind::PeriodsSkipped, Some(&data));
        d.now.subscription.next_index = reached;
    }
    Ok(true)
}

/// The first period to settle, the first not to be billed, and the first that has not begun.
fn ranges(d: &Draft, at: Timestamp, turn: Option<Timestamp>) -> (u32, u32, u32) {
    let subscription = &d.now.subscription;
    let calendar = Calendar::of(subscription, &d.now.plan.terms);
    let first = subscription.next_index;
    let reached = match turn {
        Some(turn) => calendar.first_reaching(first, turn),
        None => calendar.first_not_due(first, at),
    };
    let billed_to = match subscription.status {
        SubscriptionStatus::Unpaid => first,
        SubscriptionStatus::Canceled => {
            subscription.ended_at.map_or(first, |ended| calendar.first_reaching(first, ended))
        }
        SubscriptionStatus::Paused => {
            subscription.pause.map_or(first, |pause| calendar.first_reaching(first, pause.since))
        }
        SubscriptionStatus::Trialing | SubscriptionStatus::Active | SubscriptionStatus::PastDue => reached,
    };
    (first, billed_to.min(reached), reached)
}

const fn skip_reason(status: SubscriptionStatus) -> SkipReason {
    match status {
        SubscriptionStatus::Unpaid => SkipReason::Unpaid,
        SubscriptionStatus::Canceled => SkipReason::Canceled,
        _ => SkipReason::Paused,
    }
}

fn open_periods(
    d: &mut Draft,
    now: Now,
    range: std::ops::Range<u32>,
    billed_to: u32,
) -> Result<(), RuleError> {
    let missed_to = first_not_missed(d, now.at, range.start).min(billed_to);
    let calendar = Calendar::of(&d.now.subscription, &d.now.plan.terms);
    let ended = missed_to.saturating_sub(range.start);
    let missed = ended.saturating_sub(calendar.empty_among(range.start, missed_to));
    let held_already = d.now.invoices.iter().any(|open| open.invoice.hold == Some(Hold::CatchUp));
    let before = u32::try_from(just_missed(d, now).count()).unwrap_or(u32::MAX);
    let all = missed.saturating_add(before);
    let holds = missed > 0 && (all > now.hold_after || held_already);
    if holds {
        for open in just_missed(d, now) {
            (open.invoice.hold, open.invoice.next_attempt_at) = (Some(Hold::CatchUp), None);
        }
    }
    if holds && !held_already && !range.is_empty() {
        let data = json!({ "periods": all, "hold_after": now.hold_after });
        d.event(now.at, EventKind::CatchUpHeld, Some(&data));
    }
    for index in range {
        let Some(period) = lasting(d, index, now.at)? else { continue };
        let hold = (holds && index < missed_to).then_some(Hold::CatchUp);
        open_invoice(d, period, hold, now)?;
    }
    Ok(())
}

/// Missed periods that began before a pause and are invoiced now that it has ended: of one absence with those that began
/// after it, they wait together with them or not at all.
fn just_missed<'d>(d: &'d mut Draft<'_>, now: Now) -> impl Iterator<Item = &'d mut OpenInvoice> {
    d.now.invoices.iter_mut().filter(move |open| {
        let invoice = &open.invoice;
        invoice.opened_at == now.opened_at
            && invoice.period.end <= now.at
            && invoice.hold.is_none()
            && open.attempts.is_empty()
    })
}

/// Invoices periods up to and with `index`, whatever the clock says: the provider has proof that it was due, and that they
/// had been opened at `opened_at`. At most [`MOST_PERIODS_PER_DECISION`]; whether that was enough is answered. Missed ones
/// before it are held as ever; it never is.
///
/// Refused if it lies further ahead than any course of time explains: a calendar that is not the book's billed it.
pub(super) fn open_through(
    d: &mut Draft,
    index: u32,
    opened_at: Timestamp,
    at: Timestamp,
    catch_up: CatchUp,
) -> Result<bool, RuleError> {
    let next = index
        .checked_add(1)
        .ok_or_else(|| RuleError::Overflow(format!("period {index} has none after it")))?;
    let first = d.now.subscription.next_index;
    let begun = Calendar::of(&d.now.subscription, &d.now.plan.terms).first_reaching(first, after(at));
    if next.saturating_sub(begun) > MOST_PERIODS_PER_DECISION {
        return Err(RuleError::Refused(format!(
            "period {index} of subscription {} begins more than {MOST_PERIODS_PER_DECISION} periods from now in this \
             book, which lacks a change of its plan, it seems: make that again with `dues change`",
            d.now.subscription.id
        )));
    }
    let now = Now { at, opened_at, hold_after: catch_up.hold_after };
    let opened_to = next.min(first.saturating_add(MOST_PERIODS_PER_DECISION));
    open_periods(d, now, first..opened_to.min(index), index)?;
    let reached = opened_to == next;
    if reached && let Some(period) = lasting(d, index, at)? {
        open_invoice(d, period, None, now)?;
    }
    d.now.subscription.next_index = opened_to;
    Ok(reached)
}

/// That period; `None` where no time lies in it, which is noted: nothing ever falls due in it.
fn lasting(d: &mut Draft, index: u32, at: Timestamp) -> Result<Option<BillingPeriod>, RuleError> {
    let period = Calendar::of(&d.now.subscription, &d.now.plan.terms).period(index)?;
    if !period.is_empty() {
        return Ok(Some(period));
    }
    let (to, reason) = (index.saturating_add(1), SkipReason::NotDue);
    d.skip(index, to, reason);
    let detail = format!("{} left this day out of its calendar", d.now.subscription.zone);
    let data = json!({ "from": index, "to": to, "reason": reason, "detail": detail });
    d.event(at, EventKind::PeriodsSkipped, Some(&data));
    Ok(None)
}

/// The first period, from `first` on, that has not ended yet.
fn first_not_missed(d: &Draft, at: Timestamp, first: u32) -> u32 {
    let calendar = Calendar::of(&d.now.subscription, &d.now.plan.terms);
    // A period has ended when the next one has begun.
    calendar.first_reaching(first, after(at)).saturating_sub(1).max(first)
}

fn open_invoice(d: &mut Draft, period: BillingPeriod, hold: Option<Hold>, now: Now) -> Result<(), RuleError> {
    let subscription = &d.now.subscription;
    let id = InvoiceId::new(subscription.id.clone(), period.index);
    let terms = &d.now.plan.terms;
    let amount = terms.price.checked_mul(subscription.quantity).map_err(|e| {
        RuleError::Overflow(format!("invoice {id}: {} × {}: {e}", terms.price, subscription.quantity))
    })?;
    let hold = hold.or_else(|| (!life::collects(subscription)).then_some(Hold::Stopped));
    let invoice = Invoice {
        id: id.clone(),
        period,
        plan: d.now.plan.id,
        quantity: subscription.quantity,
        amount,
        status: InvoiceStatus::Open,
        next_attempt_at: hold.is_none().then_some(period.start),
        hold,
        opened_at: now.opened_at,
        closed_at: None,
        version: Version::FIRST,
    };
    let plan = d.now.plan.clone();
    d.now.invoices.push(OpenInvoice { invoice, plan, attempts: Vec::new() });
    if d.now.subscription.status == SubscriptionStatus::Trialing {
        d.now.subscription.status = SubscriptionStatus::Active;
        if d.now.plan.terms.trial.is_some() {
            d.invoice_event(now.at, EventKind::TrialEnded, &id, None);
        }
    }
    d.invoice_event(now.at, EventKind::InvoiceOpened, &id, None);
    Ok(())
}
