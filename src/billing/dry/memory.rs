//! What a dry run keeps from one subscription to the next, since it writes nothing: what was read of customers, what
//! was taken from them, and what would be left at its end.
//!
//! Promises: so many customers are kept and no more. Must never know: what a charge is.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::billing::cards;
use crate::billing::run::Run;
use crate::gateway::{CustomerFacts, CustomerRead};
use crate::model::{CustomerId, CustomerSnapshot, CustomerState, Money, Snapshot};

/// Customers whose cards are kept, at most, some ten megabytes; the rest are read one by one when their turn comes.
const MOST_READ: usize = 20_000;
/// Customers of whom it is kept what was taken from them, at most, some twenty megabytes: as many as a run charges by
/// default. Of those beyond, a second subscription is decided as though nothing had been taken in this run; the log
/// says so. Only a brake per customer and day, and missed periods, take anything.
const MOST_TAKEN: usize = 100_000;

/// What a dry run remembers.
#[derive(Default)]
pub(in crate::billing) struct Memory {
    read: HashMap<CustomerId, CustomerRead>,
    taken: HashMap<CustomerId, Taken>,
    /// It was said that there are more than can be kept.
    overflowed: bool,
    /// The earliest look at what was served that lies after the run's instant.
    next_wake: Option<Timestamp>,
    /// By how many subscriptions more, or fewer, would be due without a flag than the book says.
    due: i64,
}

/// What a charge leaves on the row of its customer.
struct Taken {
    caught_up_at: Option<Timestamp>,
    spent_on: Option<Date>,
    spent: Vec<Money>,
}

impl Memory {
    /// Keeps what the provider's list shows.
    pub(in crate::billing) fn listed(&mut self, page: Vec<CustomerFacts>) {
        for facts in page {
            self.saw(facts.id.clone(), CustomerRead::Present(facts));
        }
    }

    /// Keeps what was read of a customer.
    pub(in crate::billing) fn saw(&mut self, id: CustomerId, read: CustomerRead) {
        if self.read.len() < MOST_READ {
            self.read.insert(id, read);
        }
    }

    /// What was read of that customer in this run; `None`: nothing that is kept.
    pub(in crate::billing) fn seen(&self, id: &CustomerId) -> Option<CustomerRead> {
        self.read.get(id).cloned()
    }

    /// Keeps what was taken from a customer, as their row would have it.
    pub(super) fn took(&mut self, customer: &CustomerSnapshot) {
        let taken = Taken {
            caught_up_at: customer.caught_up_at,
            spent_on: customer.spent_on,
            spent: customer.spent.clone(),
        };
        if self.taken.len() < MOST_TAKEN || self.taken.contains_key(&customer.id) {
            self.taken.insert(customer.id.clone(), taken);
        } else if !self.overflowed {
            self.overflowed = true;
            tracing::warn!(
                kept = MOST_TAKEN,
                "more customers pay than a dry run keeps in mind: their further subscriptions may be shown wrongly"
            );
        }
    }

    /// The subscription stood so before it was served, and stands so now.
    pub(in crate::billing) fn served(&mut self, waited: bool, now: &Snapshot, at: Timestamp) {
        self.due += i64::from(waits(now, at)) - i64::from(waited);
        let later = now.subscription.wake_at.filter(|wake| *wake > at);
        self.next_wake = [self.next_wake, later].into_iter().flatten().min();
    }

    /// A flag would now explain why a subscription is due.
    pub(in crate::billing) fn explained(&mut self) {
        self.due -= 1;
    }

    /// When something would next be due, where the book itself says `book`.
    pub(in crate::billing) fn next_due(&self, book: Option<Timestamp>) -> Option<Timestamp> {
        [self.next_wake, book].into_iter().flatten().min()
    }

    /// How many would be due without a flag, where the book itself says `book`.
    pub(in crate::billing) fn still_due(&self, book: u64) -> u64 {
        book.saturating_add_signed(self.due)
    }
}

/// Whether it is due, and no standing flag says why it stays so.
pub(in crate::billing) fn waits(snapshot: &Snapshot, at: Timestamp) -> bool {
    snapshot.flags.is_empty() && snapshot.subscription.wake_at.is_some_and(|wake| wake <= at)
}

/// Brings the customer of a snapshot from the book up to what this dry run knows of them.
pub(in crate::billing) fn recall(run: &Run<'_>, snapshot: &mut Snapshot) {
    let old = cards::is_old(run, &snapshot.customer);
    let memory = run.dry();
    if old && let Some(read) = memory.seen(&snapshot.customer.id) {
        show(snapshot, read, run.at);
    }
    if let Some(taken) = memory.taken.get(&snapshot.customer.id) {
        snapshot.customer.caught_up_at = taken.caught_up_at;
        snapshot.customer.spent_on = taken.spent_on;
        snapshot.customer.spent.clone_from(&taken.spent);
    }
}

/// Puts what was read of its customer into a snapshot.
pub(in crate::billing) fn show(snapshot: &mut Snapshot, read: CustomerRead, at: Timestamp) {
    let customer = &mut snapshot.customer;
    customer.read_at = Some(at);
    match read {
        CustomerRead::Present(facts) => {
            customer.state = CustomerState::Present;
            customer.default_card = facts.default_card;
            customer.cards = facts.cards;
        }
        CustomerRead::Gone => {
            customer.state = CustomerState::Gone;
            customer.default_card = None;
            customer.cards.clear();
        }
    }
}
