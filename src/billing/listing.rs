//! Charging beside the list: customers are read by pages while those who were read already are being charged.
//!
//! Nobody is charged on old news, so who is due waits until the list has come past them. That is told on the book's
//! own thread, in the same turn as what is read of the book, so that nothing falls between a look and a word.
//! Promises: who waits is woken when most of them have come, or when the list ends; a few whom it has not shown by then
//! are left for the end.
//! Must never know: what a page holds, what is decided.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::model::CustomerId;

/// Of those waited for, this share may be missing: one in so many.
const FEW_OF: usize = 16;

/// How far the list has come, as those need to know who wait for it.
#[derive(Default)]
pub(super) struct Listing {
    state: Mutex<State>,
    woken: Notify,
}

#[derive(Default)]
struct State {
    /// More pages are to come.
    reads: bool,
    /// Customers of one page of due subscriptions, whom the list has not shown yet.
    awaited: HashSet<CustomerId>,
    /// So few of them may be missing.
    few: usize,
}

/// While it lives the list is being read.
pub(super) struct Reading(Arc<Listing>);

impl Drop for Reading {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.reads = false;
        state.awaited.clear();
        drop(state);
        self.0.woken.notify_one();
    }
}

impl Listing {
    /// Begins: from now on those who are due wait.
    pub(super) fn begin(self: &Arc<Self>) -> Reading {
        self.state().reads = true;
        Reading(Arc::clone(self))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether more pages are to come.
    pub(super) fn reads(&self) -> bool {
        self.state().reads
    }

    /// Notes, on the book's thread, whom the reader of the book waits for; `false`: for nobody, or the list has ended.
    pub(super) fn awaits(&self, customers: HashSet<CustomerId>) -> bool {
        let mut state = self.state();
        let waits = state.reads && !customers.is_empty();
        if waits {
            state.few = customers.len() / FEW_OF;
            state.awaited = customers;
        }
        waits
    }

    /// Notes, on the book's thread, that the book has what was read of these.
    pub(super) fn saw<'a>(&self, customers: impl Iterator<Item = &'a CustomerId>) {
        let mut state = self.state();
        if state.awaited.is_empty() {
            return;
        }
        for customer in customers {
            state.awaited.remove(customer);
        }
        if state.awaited.len() <= state.few {
            state.awaited.clear();
            drop(state);
            self.woken.notify_one();
        }
    }

    /// Returns once the list has shown most of those awaited, or has ended.
    pub(super) async fn came(&self) {
        loop {
            {
                let state = self.state();
                if !state.reads || state.awaited.is_empty() {
                    return;
                }
            }
            self.woken.notified().await;
        }
    }

    /// Returns once the list has ended.
    pub(super) async fn ended(&self) {
        while self.reads() {
            self.woken.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(range: std::ops::Range<u32>) -> HashSet<CustomerId> {
        range.map(|n| CustomerId::parse(&format!("cust_test_{n:019}")).unwrap()).collect()
    }

    fn is_ready(wait: impl Future<Output = ()>) -> bool {
        use futures_util::FutureExt as _;
        wait.now_or_never().is_some()
    }

    #[test]
    fn who_waits_is_woken_when_most_have_come() {
        let listing = Arc::<Listing>::default();
        assert!(!listing.awaits(ids(0..10)), "no list is being read");
        let reading = listing.begin();
        assert!(listing.awaits(ids(0..64)));
        assert!(!is_ready(listing.came()));
        listing.saw(ids(0..59).iter());
        assert!(!is_ready(listing.came()), "five of 64 are missing");
        listing.saw(ids(59..60).iter());
        assert!(is_ready(listing.came()), "four are few");
        assert!(listing.awaits(ids(60..64)));
        assert!(!is_ready(listing.ended()));
        drop(reading);
        assert!(is_ready(listing.came()));
        assert!(is_ready(listing.ended()));
    }

    #[tokio::test]
    async fn a_list_that_breaks_off_wakes_those_who_wait() {
        let listing = Arc::<Listing>::default();
        let reading = listing.begin();
        assert!(listing.awaits(ids(0..3)));
        let waiting = Arc::clone(&listing);
        let wait = tokio::spawn(async move { waiting.came().await });
        tokio::task::yield_now().await;
        drop(reading);
        wait.await.unwrap();
    }
}
