//! What a person orders for one subscription, carried out: read, decided by the rules, committed; and decided
//! again from what then stands if somebody else wrote meanwhile.
//!
//! Promises: an order is carried out whole or not at all. Must never know: how it was given.

use thiserror::Error;

use crate::hooks::kill_point;
use crate::model::{Attempt, AttemptId, ChargeSeen, InvoiceId, Snapshot, SubscriptionId, Transition};
use crate::rules::RuleError;
use crate::store::{AttemptRow, Filter, Refusal, Store, StoreError};

/// Somebody else wrote between our read and our write so often in a row: a daemon at work writes one row a few
/// times a second at most, so more is not bad luck.
const MOST_CONFLICTS: u32 = 10;
/// Attempts of a customer read at a time.
const PAGE_ROWS: usize = 1_000;

/// Why an order was not carried out. Nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OrderError {
    /// No such thing.
    #[error("{what} {id}: not in this book; `dues list {list}` shows those that are")]
    NotFound {
        /// What it was to name.
        what: &'static str,
        /// The id.
        id: String,
        /// Where they are shown.
        list: &'static str,
    },
    /// It does not fit what stands.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// The book refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The book refused this one write.
    #[error("{0}")]
    Refused(Refusal),
    /// Others wrote again and again.
    #[error("{id}: changed by others {MOST_CONFLICTS} times while it was being changed; try again")]
    Contended {
        /// The subscription.
        id: SubscriptionId,
    },
}

impl OrderError {
    /// There is no such subscription.
    pub fn no_subscription(id: &SubscriptionId) -> Self {
        Self::NotFound { what: "subscription", id: id.to_string(), list: "subscriptions" }
    }

    /// There is no such invoice.
    pub fn no_invoice(id: &InvoiceId) -> Self {
        Self::NotFound { what: "invoice", id: id.to_string(), list: "invoices" }
    }

    /// There is no such attempt.
    pub fn no_attempt(id: &AttemptId) -> Self {
        Self::NotFound { what: "attempt", id: id.to_string(), list: "attempts" }
    }
}

/// Carries out a decision about a subscription; returns the subscription as it then stands.
pub fn on_subscription(
    store: &mut dyn Store,
    id: &SubscriptionId,
    decide: &mut dyn FnMut(&Snapshot) -> Result<Transition, RuleError>,
) -> Result<Snapshot, OrderError> {
    let read = |store: &mut dyn Store| store.snapshot(id)?.ok_or_else(|| OrderError::no_subscription(id));
    carry_out(store, &read, decide)
}

/// Carries out a decision about an invoice, open or closed; returns its subscription as it then stands.
pub fn on_invoice(
    store: &mut dyn Store,
    id: &InvoiceId,
    decide: &mut dyn FnMut(&Snapshot) -> Result<Transition, RuleError>,
) -> Result<Snapshot, OrderError> {
    let read =
        |store: &mut dyn Store| store.snapshot_of_invoice(id)?.ok_or_else(|| OrderError::no_invoice(id));
    carry_out(store, &read, decide)
}

/// Another attempt than this one that the book has with that charge, among the attempts of its customer and of the
/// charge's; `None`: none has.
pub fn booked_for(
    store: &mut dyn Store,
    attempt: &Attempt,
    seen: &ChargeSeen,
) -> Result<Option<AttemptId>, StoreError> {
    let theirs = seen.customer.iter().filter(|customer| **customer != attempt.customer);
    for customer in std::iter::once(&attempt.customer).chain(theirs) {
        let filter = Filter { customer: Some(customer.clone()), ..Filter::default() };
        let mut after = 0;
        loop {
            let page = store.list_attempts(&filter, after, PAGE_ROWS)?;
            let has = |known: &&AttemptRow| {
                known.attempt.charge.as_ref() == Some(&seen.charge) && known.attempt.id != attempt.id
            };
            if let Some(known) = page.iter().find(has) {
                return Ok(Some(known.attempt.id.clone()));
            }
            match page.last() {
                Some(last) if page.len() == PAGE_ROWS => after = last.row,
                _ => break,
            }
        }
    }
    Ok(None)
}

fn carry_out(
    store: &mut dyn Store,
    read: &dyn Fn(&mut dyn Store) -> Result<Snapshot, OrderError>,
    decide: &mut dyn FnMut(&Snapshot) -> Result<Transition, RuleError>,
) -> Result<Snapshot, OrderError> {
    let mut snapshot = read(store)?;
    for _ in 0..MOST_CONFLICTS {
        let transition = decide(&snapshot)?;
        if transition.is_empty() {
            return Ok(snapshot);
        }
        kill_point("order.before_commit");
        let answer = store.commit(std::slice::from_ref(&transition))?.pop();
        kill_point("order.after_commit");
        snapshot = read(store)?;
        match answer {
            Some(Err(Refusal::Conflict(_))) => {}
            Some(Err(refusal)) => return Err(OrderError::Refused(refusal)),
            Some(Ok(())) | None => return Ok(snapshot),
        }
    }
    Err(OrderError::Contended { id: snapshot.subscription.id })
}
