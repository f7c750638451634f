//! Charges of one card number, one at a time: what one of them left in the book is there when the next is decided.
//!
//! Budgets count declines. Two subscriptions on one card, served side by side or from snapshots of the same page, would
//! each see the budget as it was before the other. So whoever is decided holds the card's turn until the answer is kept,
//! and whoever comes after a decline of this run decides from a fresh snapshot.
//! Promises: the turn is given back however the holder ends; cards that nobody waits for are not remembered.
//! Must never know: what a budget is.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use tokio::sync::OwnedMutexGuard;

use super::run::locked;
use crate::model::Snapshot;

type Lock = Arc<tokio::sync::Mutex<()>>;

/// The turns of one run.
#[derive(Default)]
pub(super) struct Turns {
    busy: Mutex<HashMap<String, Lock>>,
    /// Card numbers and customers that were declined in this run.
    declined: Mutex<HashSet<String>>,
}

/// A turn, held until it is dropped.
pub(super) struct Turn<'t> {
    turns: &'t Turns,
    key: String,
    guard: Option<OwnedMutexGuard<()>>,
}

impl Turns {
    /// Waits for the turn of the card that would pay for this subscription; `waits` is called before there is a wait,
    /// so that what others need meanwhile can be given back: the holder of the turn may be waiting for it.
    pub(super) async fn take(&self, snapshot: &Snapshot, waits: impl FnOnce()) -> Turn<'_> {
        let key = number(snapshot).unwrap_or_else(|| snapshot.customer.id.as_str()).to_owned();
        let lock = Arc::clone(locked(&self.busy).entry(key.clone()).or_default());
        let guard = if let Ok(guard) = Arc::clone(&lock).try_lock_owned() {
            guard
        } else {
            waits();
            lock.lock_owned().await
        };
        Turn { turns: self, key, guard: Some(guard) }
    }

    /// A card of that customer was declined.
    pub(super) fn declined(&self, snapshot: &Snapshot) {
        let mut declined = locked(&self.declined);
        declined.insert(snapshot.customer.id.as_str().to_owned());
        declined.extend(number(snapshot).map(ToOwned::to_owned));
    }

    /// Whether this snapshot may be older than a decline of its card or customer.
    pub(super) fn may_be_stale(&self, snapshot: &Snapshot) -> bool {
        let declined = locked(&self.declined);
        !declined.is_empty()
            && (declined.contains(snapshot.customer.id.as_str())
                || number(snapshot).is_some_and(|number| declined.contains(number)))
    }
}

/// What tells the number of the card that would pay from others; `None`: it was never read, or the provider tells none.
fn number(snapshot: &Snapshot) -> Option<&str> {
    let card = snapshot.subscription.card.as_ref().or(snapshot.customer.default_card.as_ref())?;
    snapshot.customer.card(card)?.fingerprint.as_deref()
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.guard = None;
        let mut busy = locked(&self.turns.busy);
        if busy.get(&self.key).is_some_and(|lock| Arc::strong_count(lock) == 1) {
            busy.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::store::conformance::samples::{fill, snapshot};
    use crate::store::sqlite::SqliteStore;

    /// All samples have one card number.
    fn of_another_number(store: &mut SqliteStore) -> Snapshot {
        let mut other = snapshot(store, 1);
        other.customer.cards[0].fingerprint = None;
        other
    }

    #[tokio::test]
    async fn one_card_is_served_once_at_a_time_and_others_beside_it() {
        let mut store = SqliteStore::in_memory().unwrap();
        fill(&mut store, 2);
        let (one, other) = (snapshot(&mut store, 0), of_another_number(&mut store));
        let turns = Turns::default();
        let held = turns.take(&one, || ()).await;
        let beside = turns.take(&other, || ()).await;
        let gave_back = std::cell::Cell::new(false);
        let waiting = turns.take(&one, || gave_back.set(true));
        tokio::pin!(waiting);
        assert!(waiting.as_mut().now_or_never().is_none(), "the turn is held");
        assert!(gave_back.get(), "told before it waits");
        drop(held);
        drop(waiting.await);
        drop(beside);
        assert!(locked(&turns.busy).is_empty(), "nobody is remembered");
    }

    #[test]
    fn a_decline_makes_older_snapshots_of_its_customer_and_number_stale() {
        let mut store = SqliteStore::in_memory().unwrap();
        fill(&mut store, 2);
        let (one, other) = (snapshot(&mut store, 0), of_another_number(&mut store));
        let same_number = snapshot(&mut store, 1);
        let turns = Turns::default();
        assert!(!turns.may_be_stale(&one));
        turns.declined(&one);
        assert!(turns.may_be_stale(&one) && turns.may_be_stale(&same_number) && !turns.may_be_stale(&other));
    }
}
