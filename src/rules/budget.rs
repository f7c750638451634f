//! How often a card may be tried after it was declined.
//!
//! The card networks charge for, and then forbid, too many tries of one card: 10 declines in 24 hours, and 15 to
//! 20 in 30 days, of which the strictest is taken here. Our own ceiling is lower: one retry after a decline, per
//! invoice and card, in 24 hours. Declines dated later than now count too: the book may have been run ahead.
//! Must never know: the dunning policy.

use jiff::{SignedDuration, Timestamp};

use super::cards::Payer;
use crate::model::{AttemptStatus, CardDecline, OpenInvoice};

const DAY: SignedDuration = SignedDuration::from_hours(24);
const MONTH: SignedDuration = SignedDuration::from_hours(24 * 30);
/// Declines of one card in 24 hours after which it rests.
const MOST_DECLINES_A_DAY: usize = 10;
/// Declines of one card in 30 days after which it rests: the older Visa rule; today's allows 20.
const MOST_DECLINES_A_MONTH: usize = 15;

/// When this card may be tried for this invoice; `None`: now.
pub(super) fn rests_until(
    declines: &[CardDecline],
    open: &OpenInvoice,
    payer: &Payer,
    now: Timestamp,
) -> Option<Timestamp> {
    let of_card = || declines.iter().filter(|d| payer.was_declined_by(d)).map(|d| d.at);
    let day = frees_at(of_card(), now, DAY, MOST_DECLINES_A_DAY);
    let month = frees_at(of_card(), now, MONTH, MOST_DECLINES_A_MONTH);
    let own = frees_at(retries(open, payer), now, DAY, 1);
    [day, month, own].into_iter().flatten().max()
}

/// When fewer than `most` of these lie within the window before now; `None`: that is so now.
fn frees_at(
    instants: impl Iterator<Item = Timestamp>,
    now: Timestamp,
    window: SignedDuration,
    most: usize,
) -> Option<Timestamp> {
    let mut counted: Vec<_> = instants.filter(|at| now.duration_since(*at) < window).collect();
    if counted.len() < most {
        return None;
    }
    counted.sort_unstable();
    let last_that_must_age = counted.len().checked_sub(most).and_then(|place| counted.get(place))?;
    last_that_must_age.checked_add(window).ok()
}

/// When this invoice was tried again with this card after it had been declined with it. An answer that showed no
/// card is taken for this one.
fn retries<'a>(open: &'a OpenInvoice, payer: &'a Payer) -> impl Iterator<Item = Timestamp> {
    open.attempts
        .iter()
        .filter(|a| a.status == AttemptStatus::Declined)
        .filter(|a| a.card.as_ref().is_none_or(|card| *card == payer.card))
        .skip(1)
        .map(|a| a.intended_at)
}
