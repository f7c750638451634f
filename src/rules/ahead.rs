//! What the next look at a subscription would do, counted before it is done: for who wants to know it beforehand.
//!
//! Promises: decided by the same course and queue as `prepare`; nothing is written. Cards and budgets, which may still
//! stop a charge, are not judged here. Must never know: how counts are shown.

use super::draft::Draft;
use super::{Circumstances, RuleError, course, life, prepare, queue};
use crate::model::{Hold, InvoiceStatus, OpenInvoice, Snapshot};
use queue::Head;

/// Decisions that bring one subscription up to date: four centuries of days.
const MOST_DECISIONS: u32 = 400;

/// What the next look at one subscription would do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ahead {
    /// Periods that it would invoice.
    pub invoiced: u32,
    /// Of these, periods that have ended already.
    pub missed: u32,
    /// Open invoices of missed periods that then wait for `dues resume`, as far as one look loads them.
    pub held: u32,
    /// Charges that it would try at once for what is not missed.
    pub current: u32,
    /// Open invoices that it could not charge, each alone above what its customer may be charged in a day.
    pub above_cap: u32,
    /// Charges for missed periods, one a day for all subscriptions of a customer.
    pub catch_up: u32,
}

/// Counts it.
///
/// # Errors
/// Where an amount or a date cannot be counted.
pub fn ahead(snapshot: &Snapshot, c: &Circumstances) -> Result<Ahead, RuleError> {
    let mut d = Draft::new(snapshot);
    let known = d.now.invoices.len();
    for _ in 0..MOST_DECISIONS {
        if course::advance(&mut d, c.at, c.catch_up)? {
            break;
        }
    }
    let mut ahead = Ahead::default();
    for (place, open) in d.now.invoices.iter().enumerate() {
        let missed = open.invoice.period.end <= c.at;
        ahead.invoiced += u32::from(place >= known);
        ahead.missed += u32::from(place >= known && missed);
        ahead.held += u32::from(open.invoice.hold == Some(Hold::CatchUp));
    }
    if life::collects(&d.now.subscription) {
        count_charges(&d.now, c, &mut ahead);
    }
    Ok(ahead)
}

fn count_charges(s: &Snapshot, c: &Circumstances, ahead: &mut Ahead) {
    let waiting = |open: &&OpenInvoice| {
        let invoice = &open.invoice;
        let due = invoice.next_attempt_at.is_none_or(|at| at <= c.at);
        let is_tried = invoice.hold.is_none() || invoice.next_attempt_at.is_some();
        invoice.status == InvoiceStatus::Open && is_tried && due
    };
    let forbidden = |open: &&OpenInvoice| prepare::never_passes(open.invoice.amount, c).is_some();
    let of = |from: usize| s.invoices.iter().skip(from).filter(waiting).filter(|open| !forbidden(open));
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    ahead.above_cap = count(s.invoices.iter().filter(waiting).filter(forbidden).count());
    ahead.catch_up = count(of(0).filter(|open| queue::is_catch_up(open, c.at)).count());
    if let Head::Try(place) = queue::look(s, c.at).head {
        ahead.current = count(of(place).filter(|open| !queue::is_catch_up(open, c.at)).count());
    }
}
