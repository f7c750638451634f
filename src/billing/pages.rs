//! What a run serves, page by page: all that is due, by keyset, or the few that were named.

use std::sync::Arc;

use futures_util::Stream;
use futures_util::stream::try_unfold;
use jiff::Timestamp;

use super::run::{PAGE_ROWS, Run, locked};
use super::{Only, RunError, aside, cards};
use crate::model::{Snapshot, SubscriptionId};
use crate::rules;
use crate::store::{DueCursor, DuePage, Filter, Store, StoreError};

/// The first page is small, so that the first page of the provider's list may cover all of it.
const FIRST_PAGE_ROWS: usize = 64;
/// Subscriptions put off until the list of customers has ended, at most; then the run waits for its end.
const MOST_PUT_OFF: usize = 4_096;

/// Pages of due snapshots, by keyset; or the few that the order names.
struct DuePages<'a> {
    run: &'a Run<'a>,
    cursor: Option<DueCursor>,
    /// Those whose customers the list had not shown yet.
    put_off: Vec<SubscriptionId>,
    /// Those with a missed period whose customer has an older one that is due as well, with its start: they are served
    /// last, so that the customer's one charge of the day goes to the oldest that takes it.
    turns: Vec<(Timestamp, SubscriptionId)>,
    part: PagesOf,
}

/// Where the reading stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PagesOf {
    Named,
    Due,
    PutOff,
    Turns,
}

/// One page as it was read.
struct Read {
    page: DuePage,
    /// The list of customers is not past most of them.
    waits: bool,
}

/// The pages of one run, one after another; some may be empty.
pub(super) fn pages<'a>(run: &'a Run<'a>) -> impl Stream<Item = Result<Vec<Snapshot>, RunError>> + 'a {
    let part = if run.order.only.is_some() { PagesOf::Named } else { PagesOf::Due };
    let first = Some(DuePages { run, cursor: None, put_off: Vec::new(), turns: Vec::new(), part });
    try_unfold(first, |pages| async move {
        let Some(mut pages) = pages else { return Ok(None) };
        let page = pages.next().await?;
        Ok(page.map(|page| (page, Some(pages))))
    })
}

impl DuePages<'_> {
    /// The next page; `None`: there is none.
    async fn next(&mut self) -> Result<Option<Vec<Snapshot>>, RunError> {
        let served = match self.part {
            PagesOf::Named => {
                self.part = PagesOf::PutOff;
                self.named_ones().await?
            }
            PagesOf::Due => self.due().await?,
            PagesOf::PutOff if !self.put_off.is_empty() => self.put_off_ones().await?,
            PagesOf::PutOff => {
                self.part = PagesOf::Turns;
                self.turns.sort_unstable();
                self.turns.reverse();
                return Ok(Some(Vec::new()));
            }
            PagesOf::Turns if self.turns.is_empty() => return Ok(None),
            PagesOf::Turns => return self.turn_ones().await.map(Some),
        };
        self.put_behind(served).await.map(Some)
    }

    /// Without those who come after an older missed period of their customer, as long as there is room for them.
    async fn put_behind(&mut self, mut served: Vec<Snapshot>) -> Result<Vec<Snapshot>, RunError> {
        let at = self.run.at;
        let turn = |s: &Snapshot| Some((rules::missed_turn(s, at)?, s.subscription.id.clone()));
        let mut turns: Vec<_> = served.iter().filter_map(turn).collect();
        if turns.is_empty() || self.turns.len() >= MOST_PUT_OFF {
            return Ok(served);
        }
        let read = move |store: &mut dyn Store| {
            let mut behind = Vec::new();
            for (start, id) in turns.drain(..) {
                if store.has_older_missed(&id, start, at)? {
                    behind.push((start, id));
                }
            }
            Ok::<_, StoreError>(behind)
        };
        let behind = self.run.billing.lane.run(read).await??;
        served.retain(|snapshot| behind.iter().all(|(_, id)| *id != snapshot.subscription.id));
        self.turns.extend(behind);
        Ok(served)
    }

    async fn due(&mut self) -> Result<Vec<Snapshot>, RunError> {
        let mut read = self.read().await?;
        if read.waits {
            if self.put_off.len() < MOST_PUT_OFF {
                self.run.listing.came().await;
            } else {
                self.run.listing.ended().await;
            }
            read = self.read().await?;
        }
        let page = read.page;
        if page.len() < self.most_rows() {
            self.part = PagesOf::PutOff;
        }
        self.cursor = page.last.or(self.cursor);
        for found in &page.unreadable {
            aside::unreadable(self.run, found).await;
        }
        let mut served: Vec<_> = page.rows.into_iter().map(|(_, snapshot)| snapshot).collect();
        if self.run.listing.reads() {
            let waits = |snapshot: &Snapshot| cards::is_old(self.run, &snapshot.customer);
            self.put_off.extend(served.extract_if(.., |s| waits(s)).map(|s| s.subscription.id));
        }
        // One that was served and left due stands at `at` itself now, behind its first place: not a second time.
        let left_due = locked(&self.run.left_due);
        served.retain(|snapshot| !left_due.contains(&snapshot.subscription.id));
        Ok(served)
    }

    const fn most_rows(&self) -> usize {
        if self.cursor.is_none() { FIRST_PAGE_ROWS } else { PAGE_ROWS }
    }

    /// Reads a page behind the cursor, and tells the list whom it must show first.
    async fn read(&self) -> Result<Read, RunError> {
        let (at, after, most) = (self.run.at, self.cursor, self.most_rows());
        let listing = Arc::clone(&self.run.listing);
        let fresh_after = cards::fresh_after(self.run);
        let lane = &self.run.billing.lane;
        let read = move |store: &mut dyn Store| {
            let page = store.due(at, after, most)?;
            let customers = page.rows.iter().map(|(_, snapshot)| &snapshot.customer);
            let old = customers.filter(|customer| customer.read_at.is_none_or(|read| read < fresh_after));
            let waits = listing.reads() && listing.awaits(old.map(|customer| customer.id.clone()).collect());
            Ok::<_, StoreError>(Read { page, waits })
        };
        Ok(lane.run(read).await??)
    }

    /// Those who were put off, now that the list has ended. What it has not shown is read singly.
    async fn put_off_ones(&mut self) -> Result<Vec<Snapshot>, RunError> {
        self.run.listing.ended().await;
        let ids = self.put_off.split_off(self.put_off.len().saturating_sub(PAGE_ROWS));
        self.again(ids).await
    }

    /// Those who come after an older missed period of their customer, the oldest first.
    async fn turn_ones(&mut self) -> Result<Vec<Snapshot>, RunError> {
        let next = self.turns.split_off(self.turns.len().saturating_sub(PAGE_ROWS));
        self.again(next.into_iter().rev().map(|(_, id)| id).collect()).await
    }

    /// Those that are due still, as the book has them now. One that cannot be read any more hides no other.
    async fn again(&self, ids: Vec<SubscriptionId>) -> Result<Vec<Snapshot>, RunError> {
        let at = self.run.at;
        let read = move |store: &mut dyn Store| {
            let (mut rows, mut unreadable) = (Vec::with_capacity(ids.len()), Vec::new());
            for id in ids {
                match store.snapshot(&id) {
                    Err(StoreError::Nonsense { .. }) => {
                        let one = Filter { subscription: Some(id), ..Filter::default() };
                        unreadable.extend(store.snapshots(&one, 0, 1)?.unreadable);
                    }
                    found => rows.extend(found?),
                }
            }
            Ok::<_, StoreError>((rows, unreadable))
        };
        let (mut found, unreadable) = self.run.billing.lane.run(read).await??;
        for found in &unreadable {
            aside::unreadable(self.run, found).await;
        }
        found.retain(|s| s.subscription.wake_at.is_some_and(|wake| wake <= at));
        Ok(found)
    }

    /// Those that the order names. One of them that cannot be read is told of even where it is not due.
    async fn named_ones(&self) -> Result<Vec<Snapshot>, RunError> {
        let Some(named) = self.run.order.only.as_ref().map(Only::filter) else { return Ok(Vec::new()) };
        let (mut due, mut after) = (Vec::new(), 0);
        loop {
            let filter = named.clone();
            let read = move |store: &mut dyn Store| store.snapshots(&filter, after, PAGE_ROWS);
            let page = self.run.billing.lane.run(read).await??;
            for found in &page.unreadable {
                aside::unreadable(self.run, found).await;
            }
            let full = page.len() == PAGE_ROWS;
            let is_due = |s: &Snapshot| s.subscription.wake_at.is_some_and(|wake| wake <= self.run.at);
            due.extend(page.rows.into_iter().filter(is_due));
            match page.last {
                Some(last) if full => after = last,
                _ => return Ok(due),
            }
        }
    }
}
