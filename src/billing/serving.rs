//! The loop of a run that serves all that is due: pages come in, visits go out, so many at a time.
//!
//! Promises: visits under way are bounded by the calls that may be; one that was begun comes to its end, even when no more
//! is taken or a page cannot be read. Must never know: what a visit does.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use super::run::{PAGE_ROWS, Run};
use super::{Part, RunError, pages, serve};
use crate::model::StoppedBy;

/// Subscriptions served at a time for each call that may be under way: while one result is kept the next call is out.
const SERVED_PER_SLOT: usize = 2;

impl Run<'_> {
    /// Serves everything due, `in_flight` subscriptions at a time, page by page.
    pub(super) async fn serve_all(&self) -> Result<(), RunError> {
        let at = self.at;
        let total = match self.order.only {
            Some(_) => None,
            None => Some(self.billing.lane.run(move |store| store.count_due(at)).await??),
        };
        let mut pages = std::pin::pin!(pages::pages(self));
        let mut waiting = VecDeque::new();
        let mut under_way = FuturesUnordered::new();
        let most_under_way = self.billing.settings.in_flight * SERVED_PER_SLOT;
        let (mut more, mut failed) = (true, None);
        loop {
            // The next page is read while this one is served, so that nobody waits for it.
            let goes_on = self.halted().is_none();
            let wants_more = more && goes_on && waiting.len() < PAGE_ROWS / 2;
            let serves = goes_on && !waiting.is_empty() && under_way.len() < most_under_way;
            if under_way.is_empty() && !wants_more && !serves {
                break;
            }
            self.billing.meters.serving(self.slots_taken());
            tokio::select! {
                Some(()) = under_way.next() => self.billing.watch.advance(1),
                // Boxed: a visit is some 5 KB, which would be moved ten times on its way in.
                slot = self.slot(), if serves => under_way.extend(
                    waiting.pop_front().map(|snapshot| Box::pin(serve::serve(self, snapshot, slot))),
                ),
                page = pages.next(), if wants_more => match page {
                    Some(Err(error)) => {
                        failed = Some(error);
                        more = false;
                    }
                    Some(Ok(page)) => {
                        waiting.extend(page);
                        self.page_came(total);
                    }
                    None => more = false,
                },
            }
        }
        self.billing.meters.serving(0);
        self.billing.watch.end();
        failed.map_or(Ok(()), Err)
    }

    /// From the first page on the charges are told, whatever is still read of customers. Every page is a moment to
    /// notice the pause file.
    fn page_came(&self, total: Option<u64>) {
        if !self.charging.swap(true, Ordering::Relaxed) {
            self.billing.watch.end();
            self.billing.watch.begin(Part::Charges, total);
        }
        if (self.billing.paused)() {
            self.halt(StoppedBy::PauseFile);
        }
    }
}
