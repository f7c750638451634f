//! What a dry run keeps from one subscription to the next, since it writes nothing: what was read of customers, and
//! what was taken from them.
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
