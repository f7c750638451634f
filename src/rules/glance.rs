//! Whether a customer, seen at a glance, wants a closer look by the card watch.
//!
//! Promises: where it says no, judging each of their subscriptions by its whole snapshot would change nothing, count
//! nothing and tell nobody anything. It may say yes where a closer look finds nothing.
//! Must never know: how a glance is made, or what a closer look does.

use jiff::{SignedDuration, Timestamp};

use super::calendar;
use crate::model::settings::Cards;
use crate::model::{CustomerGlance, CustomerState, Expiration, SubscriptionGlance};

/// What one watch asks of every glance.
#[derive(Clone, Copy, Debug)]
pub struct Glancer {
    since: Timestamp,
    /// The last month whose cards have ended, or end so soon that somebody may have to be told; `None`: it cannot be
    /// said, so that nobody is passed over.
    ending: Option<Expiration>,
    renewals_ahead: u32,
}

impl Glancer {
    /// For a watch that began at `since` and now is at `at`.
    pub fn new(wishes: &Cards, since: Timestamp, at: Timestamp) -> Self {
        let longest = wishes.warn_before.iter().copied().max().unwrap_or_default().max(SignedDuration::ZERO);
        Self {
            since,
            ending: at.checked_add(longest).ok().and_then(Expiration::last_past),
            renewals_ahead: wishes.renewals_ahead,
        }
    }

    /// Whether more than this glance is needed to judge the customer.
    pub fn wants_more(&self, customer: &CustomerGlance) -> bool {
        let seen = customer.state == CustomerState::Present
            && customer.read_at.is_some_and(|read| read >= self.since);
        let passed_over = seen
            && !customer.never
            && !customer.more
            && self.lasts(customer.default_ends)
            && customer.subscriptions.iter().all(|subscription| self.is_quiet(subscription));
        !passed_over
    }

    /// A card that works, and so long that nobody is to be told of its end.
    fn lasts(&self, ends: Option<Expiration>) -> bool {
        self.ending.is_some_and(|ending| ends > Some(ending))
    }

    fn is_quiet(&self, s: &SubscriptionGlance) -> bool {
        !s.owes && !s.flagged && self.lasts(s.card_ends) && self.sees_renewals(s)
    }

    /// Whether the renewals that the wishes ask about surely come before the card ends: on a day of its month or of an
    /// earlier one, which has begun everywhere on earth before that month is over in UTC−12.
    fn sees_renewals(&self, s: &SubscriptionGlance) -> bool {
        let Some(more) = self.renewals_ahead.checked_sub(1) else { return true };
        let last = s.next_index.checked_add(more).and_then(|last| last.checked_sub(s.anchor_index));
        let starts = last.and_then(|steps| calendar::add(s.anchor, s.plan.terms.every, steps));
        starts
            .zip(s.card_ends)
            .is_some_and(|(starts, ends)| (starts.year(), starts.month()) <= (ends.year(), ends.month()))
    }
}
