//! Before a charge: what a due subscription needs now.
//!
//! Promises: at most one charge, of the oldest invoice that may be tried, and its intent in the same transition as
//! everything else that was decided; the same snapshot and circumstances give the same answer; a second look at
//! the book after the first changes nothing.
//! Must never know: how a charge is sent or what it may answer.

mod brakes;
mod charge;
mod description;

use std::sync::Arc;

use jiff::Timestamp;

use super::cards::{Payer, Verdict};
use super::draft::Draft;
use super::queue::Head;
use super::{
    Circumstances, Prepared, RuleError, backup, budget, card_watch, cards, conclude, course, flags, life,
    queue, wake,
};
use crate::model::{
    ChargeOrder, FlagReason, Hold, InvoiceStatus, OpenInvoice, SkipReason, Snapshot, SubscriptionStatus,
    Transition,
};

pub(super) use brakes::{give_back, never_passes};

/// When the brake on the customer's day lets this invoice pass; `None`: now.
pub(super) fn brake_until(s: &Snapshot, open: &OpenInvoice, c: &Circumstances) -> Option<Timestamp> {
    brakes::rests_until(&s.customer, open.invoice.amount, c)
}

/// Puts a charge into the provider's words.
pub type Compose<'a> = dyn Fn(&ChargeOrder) -> Arc<str> + 'a;

/// Decides what one due subscription needs at `c.at`. `confirmed`: its customer was read in this very run.
///
/// Fails only where an amount or a date cannot be counted.
pub fn prepare(
    snapshot: &Snapshot,
    c: &Circumstances,
    compose: &Compose<'_>,
    confirmed: bool,
) -> Result<Prepared, RuleError> {
    let mut d = Draft::new(snapshot);
    let complete = course::advance(&mut d, c.at, c.catch_up)?;
    follow_status(&mut d, c.at);
    if !confirmed && card_watch::wants_a_read(&d.now, c.at) {
        return Ok(Prepared::ConfirmCustomer(None));
    }
    card_watch::lift(&mut d, &c.cards, c.at);
    match queue::look(&d.now, c.at).head {
        Head::Try(place) => try_invoice(d, c, place, compose, confirmed),
        // More periods are due than one decision opens: looked at again at once.
        Head::Waits(_) | Head::Empty if !complete => Ok(settle(d, c, SkipReason::NotDue)),
        Head::Waits(SkipReason::Held) if !life::collects(&d.now.subscription) => {
            let reason = idle_reason(&d.now);
            Ok(settle(d, c, reason))
        }
        Head::Waits(reason) => Ok(settle(d, c, reason)),
        Head::Empty => {
            flags::clear_settled(&mut d, &c.cards, c.at);
            let reason = idle_reason(&d.now);
            Ok(settle(d, c, reason))
        }
    }
}

/// The same where the customer's cards cannot be read in any run, for that reason: nothing is charged, what is due is
/// invoiced, and a flag says why it waits. What to commit, and why nothing is sent.
///
/// Fails only where an amount or a date cannot be counted.
pub fn prepare_without_cards(
    snapshot: &Snapshot,
    c: &Circumstances,
    why: &str,
) -> Result<(Transition, SkipReason), RuleError> {
    let mut d = Draft::new(snapshot);
    course::advance(&mut d, c.at, c.catch_up)?;
    follow_status(&mut d, c.at);
    match queue::look(&d.now, c.at).head {
        Head::Try(_) => Ok(flagged(d, c, FlagReason::Unchargeable, why)),
        Head::Waits(reason) => Ok(settled(d, c, reason)),
        Head::Empty => {
            let reason = idle_reason(&d.now);
            Ok(settled(d, c, reason))
        }
    }
}

/// Releases or stops what its status says: one look loads only so many invoices, so that some were out of view when the
/// status changed.
pub(super) fn follow_status(d: &mut Draft, at: Timestamp) {
    if life::collects(&d.now.subscription) {
        // Nothing is stopped while it is collected: what still is was out of view when the rest was released.
        life::release(d, Hold::Stopped, at);
        follow_released_neighbours(d, at);
    } else {
        life::stop_unseen(d);
    }
}

/// Missed periods are held all together, and a person who resumes means all of them; but one look loads only the
/// oldest. So one that was missed and is no longer held lets those follow that were held with it.
fn follow_released_neighbours(d: &mut Draft, at: Timestamp) {
    let held = |open: &OpenInvoice| open.invoice.hold == Some(Hold::CatchUp);
    let missed = |open: &OpenInvoice| open.invoice.period.end <= open.invoice.opened_at;
    let released: Vec<(u32, Timestamp)> = d
        .now
        .invoices
        .iter()
        .filter(|open| open.invoice.status == InvoiceStatus::Open && !held(open) && missed(open))
        .map(|open| (open.invoice.id.index, open.invoice.opened_at))
        .collect();
    for open in d.now.invoices.iter_mut().filter(|open| held(open)) {
        let (index, opened) = (open.invoice.id.index, open.invoice.opened_at);
        if released.iter().any(|(older, together)| *older < index && *together == opened) {
            make_due(open, at);
        }
    }
}

fn make_due(open: &mut OpenInvoice, at: Timestamp) {
    open.invoice.hold = None;
    open.invoice.next_attempt_at = Some(at);
}

/// Looks at the card, the budgets and the brakes, and charges if nothing speaks against it.
fn try_invoice(
    mut d: Draft,
    c: &Circumstances,
    place: usize,
    compose: &Compose<'_>,
    confirmed: bool,
) -> Result<Prepared, RuleError> {
    let amount = d.now.invoices[place].invoice.amount;
    if let Some(why) = c.limits.refuses(amount).or_else(|| never_passes(amount, c)) {
        return Ok(flag(d, c, FlagReason::Unchargeable, &why));
    }
    flags::clear_unchargeable(&mut d, c.at);
    let payer = match payer(&d, c, place, confirmed) {
        Payable::Yes(payer) => payer,
        Payable::Ask(reason) => return Ok(Prepared::ConfirmCustomer(reason)),
        Payable::No(reason, detail) => {
            let invoice = &mut d.now.invoices[place].invoice;
            // The card that was to be tried then is no more.
            invoice.next_attempt_at = invoice.next_attempt_at.filter(|_| invoice.hold.is_none());
            return Ok(flag(d, c, reason, &detail));
        }
        Payable::Unread => return Ok(settle(d, c, SkipReason::Unread)),
        Payable::NoBackup => return Ok(without_backup(d, c, place)),
    };
    if payer.expired {
        flags::clear_but(&mut d, FlagReason::ExpiredCard, c.at);
    } else {
        flags::clear_all(&mut d, c.at);
    }
    let open = &d.now.invoices[place];
    if let Some(until) = budget::rests_until(&d.now, open, &payer.card, c) {
        return Ok(postpone(d, c, place, &payer, (until, SkipReason::Budget)));
    }
    if let Some(until) = brakes::rests_until(&d.now.customer, open.invoice.amount, c) {
        return Ok(postpone(d, c, place, &payer, (until, SkipReason::CustomerDay)));
    }
    if queue::is_catch_up(open, c.at)
        && let Some(until) = queue::next_turn(&d.now.customer, c.budget_now)
    {
        return Ok(postpone(d, c, place, &payer, (until, SkipReason::CatchUpSpread)));
    }
    charge::charge(d, c, place, &payer, compose)
}

/// Whether the invoice can be paid.
enum Payable {
    Yes(Payer),
    Ask(Option<FlagReason>),
    No(FlagReason, String),
    Unread,
    NoBackup,
}

/// Nobody is flagged, or passed over for a flag again, or charged on an old snapshot or on a part of one, or on a card that
/// came for one that was refused and was then waited for, before a read in this run.
fn payer(d: &Draft, c: &Circumstances, place: usize, confirmed: bool) -> Payable {
    let verdict = cards::judge(&d.now, Some(&d.now.invoices[place]), c.at, c.cards.try_expired);
    if confirmed {
        return match verdict {
            Verdict::Good(payer) => Payable::Yes(payer),
            Verdict::Bad(reason, detail) => Payable::No(reason, detail),
            Verdict::Unread => Payable::Unread,
            Verdict::NoBackup => Payable::NoBackup,
        };
    }
    let standing = d.now.flags.iter().map(|flag| flag.reason).find(|r| *r != FlagReason::Unchargeable);
    match verdict {
        Verdict::Good(_) if standing.is_some() => Payable::Ask(standing),
        Verdict::Good(payer)
            if !cards::is_stale(&d.now, &c.cards, c.at)
                && !cards::is_part(&d.now)
                && !waited_longer(&d.now, &d.now.invoices[place]) =>
        {
            Payable::Yes(payer)
        }
        Verdict::Bad(reason, _) => Payable::Ask(Some(reason)),
        Verdict::Good(_) | Verdict::Unread | Verdict::NoBackup => Payable::Ask(None),
    }
}

/// Whether the invoice waits for a try of another card, which was read before that try's time came: it may be gone, and
/// whoever charges the default then charges the one that was refused.
fn waited_longer(s: &Snapshot, open: &OpenInvoice) -> bool {
    let read = s.customer.read_at;
    open.invoice.hold.is_some() && open.invoice.next_attempt_at.is_some_and(|next| read < Some(next))
}

/// The backup card is gone: the usual card's last answer stands.
fn without_backup(mut d: Draft, c: &Circumstances, place: usize) -> Prepared {
    let open = &d.now.invoices[place];
    let index = open.invoice.id.index;
    let hard = cards::was_refused_for_good(open, cards::usual(&d.now));
    backup::is_over(&mut d, index);
    if hard {
        let invoice = &mut d.now.invoices[place].invoice;
        (invoice.hold, invoice.next_attempt_at) = (Some(Hold::NewCard), None);
    } else {
        conclude::give_up(&mut d, place, c);
    }
    settle(d, c, SkipReason::NotDue)
}

fn flag(d: Draft, c: &Circumstances, reason: FlagReason, detail: &str) -> Prepared {
    let (transition, skipped) = flagged(d, c, reason, detail);
    Prepared::Settle { transition, skipped }
}

fn flagged(mut d: Draft, c: &Circumstances, reason: FlagReason, detail: &str) -> (Transition, SkipReason) {
    flags::raise(&mut d, reason, detail, c.at);
    if d.now.subscription.status == SubscriptionStatus::Active {
        d.now.subscription.status = SubscriptionStatus::PastDue;
    }
    settled(d, c, reason.into())
}

/// Not before then: what waits for another card goes on waiting for one, which may be gone by that time.
fn postpone(
    mut d: Draft,
    c: &Circumstances,
    place: usize,
    payer: &Payer,
    (until, reason): (Timestamp, SkipReason),
) -> Prepared {
    let hold = cards::hold_until_tried(&d.now.invoices[place], Some(&payer.card));
    let invoice = &mut d.now.invoices[place].invoice;
    invoice.next_attempt_at = Some(until);
    if matches!(invoice.hold, None | Some(Hold::NewCard)) {
        invoice.hold = hold;
    }
    settle(d, c, reason)
}

fn settle(d: Draft, c: &Circumstances, skipped: SkipReason) -> Prepared {
    let (transition, skipped) = settled(d, c, skipped);
    Prepared::Settle { transition, skipped }
}

fn settled(mut d: Draft, c: &Circumstances, skipped: SkipReason) -> (Transition, SkipReason) {
    d.now.subscription.wake_at = wake::next(&d.now, c.at);
    (d.transition(c.epoch), skipped)
}

const fn idle_reason(s: &Snapshot) -> SkipReason {
    match s.subscription.status {
        SubscriptionStatus::Trialing => SkipReason::Trialing,
        SubscriptionStatus::Paused => SkipReason::Paused,
        SubscriptionStatus::Unpaid => SkipReason::Unpaid,
        SubscriptionStatus::Canceled => SkipReason::Canceled,
        SubscriptionStatus::Active | SubscriptionStatus::PastDue => SkipReason::NotDue,
    }
}
