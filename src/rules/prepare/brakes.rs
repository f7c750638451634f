//! The brake on one customer's day, and the turn in the collection of missed periods: both kept on the customer's
//! row, so that two subscriptions of one customer cannot both pass.
//!
//! The day is that of the book's zone; with live keys it is never earlier than today, so that a run dated back
//! cannot spend a day twice.
//! Must never know: which card pays.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::model::settings::Brakes;
use crate::model::{Attempt, CustomerSnapshot, Money};
use crate::rules::Circumstances;

fn today(c: &Circumstances) -> Date {
    c.book_zone.date(c.budget_now)
}

/// What was sent today in the currency of `amount`.
fn spent_today(customer: &CustomerSnapshot, amount: Money, c: &Circumstances) -> Money {
    let same_day = customer.spent_on == Some(today(c));
    let sum = customer.spent.iter().find(|sum| sum.currency() == amount.currency());
    sum.filter(|_| same_day).copied().unwrap_or_else(|| Money::zero(amount.currency()))
}

/// Why no day lets this amount pass, whatever else is sent on it; `None`: some day does.
pub(in crate::rules) fn never_passes(amount: Money, c: &Circumstances) -> Option<String> {
    Brakes::day_refuses(&c.customer_day, amount)
}

/// The first instant of the next day when this amount would exceed today's; `None`: it may be charged.
pub(super) fn rests_until(
    customer: &CustomerSnapshot,
    amount: Money,
    c: &Circumstances,
) -> Option<Timestamp> {
    let most = c.customer_day.get(&amount.currency())?;
    let sum = spent_today(customer, amount, c).checked_add(amount);
    if sum.is_ok_and(|sum| sum.minor() <= most.minor()) {
        return None;
    }
    let tomorrow = today(c).tomorrow().unwrap_or(Date::MAX);
    Some(c.book_zone.start_of(tomorrow).unwrap_or(Timestamp::MAX))
}

/// Notes that `amount` is about to be sent; nothing is kept without such a brake.
pub(super) fn spend(customer: &mut CustomerSnapshot, amount: Money, c: &Circumstances) {
    if c.customer_day.is_empty() {
        return;
    }
    let sum = spent_today(customer, amount, c).checked_add(amount).unwrap_or(amount);
    if customer.spent_on != Some(today(c)) {
        customer.spent.clear();
        customer.spent_on = Some(today(c));
    }
    customer.spent.retain(|other| other.currency() != amount.currency());
    customer.spent.push(sum);
}

/// The day that an attempt was booked on, by the clock that `spend` went by then; `None`: nobody knows any more.
fn booked_on(attempt: &Attempt, c: &Circumstances) -> Option<Date> {
    let wall_at = attempt.intent.as_ref()?.wall_at;
    let at = if c.live { attempt.intended_at.max(wall_at) } else { attempt.intended_at };
    Some(c.book_zone.date(at))
}

/// Takes back what an attempt that never became a charge had noted, as it stood while it was unfinished. What it noted on
/// another day than the one whose sums are kept is gone with that day. A turn in the daily collection was only taken
/// when none had been taken for a day, so giving it back leaves none. `took_turn`: it was a charge for a missed period; of
/// another one of the same run the instant is the same, and the turn not its own.
pub(in crate::rules) fn give_back(
    customer: &mut CustomerSnapshot,
    attempt: &Attempt,
    took_turn: bool,
    c: &Circumstances,
) {
    if took_turn && customer.caught_up_at == Some(attempt.intended_at) {
        customer.caught_up_at = None;
    }
    if customer.spent_on.is_some() && customer.spent_on == booked_on(attempt, c) {
        for sum in customer.spent.iter_mut().filter(|sum| sum.currency() == attempt.amount.currency()) {
            let left = sum.minor().saturating_sub(attempt.amount.minor()).max(0);
            *sum = Money::new(left, sum.currency()).unwrap_or(*sum);
        }
    }
}
