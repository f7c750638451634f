//! What a run serves, page by page: all that is due, by keyset, or the few that were named.

use super::run::{PAGE_ROWS, Run, locked};
use super::{Only, RunError};
use crate::model::Snapshot;
use crate::store::{DueCursor, Filter, StoreError};

/// Pages of due snapshots, by keyset; or the few that the order names.
pub(super) struct DuePages<'a> {
    run: &'a Run<'a>,
    cursor: Option<DueCursor>,
    named: bool,
    done: bool,
}

impl<'a> DuePages<'a> {
    /// Before the first page.
    pub(super) const fn new(run: &'a Run<'a>) -> Self {
        Self { run, cursor: None, named: run.order.only.is_some(), done: false }
    }

    /// The next page; empty: there is none.
    pub(super) async fn next(&mut self) -> Result<Vec<Snapshot>, RunError> {
        if self.done {
            return Ok(Vec::new());
        }
        if self.named {
            self.done = true;
            return self.named_ones().await;
        }
        let (at, after) = (self.run.at, self.cursor);
        let page = self.run.billing.lane.run(move |store| store.due(at, after, PAGE_ROWS)).await??;
        self.done = page.len() < PAGE_ROWS;
        self.cursor = page.last().map(|(cursor, _)| *cursor).or(self.cursor);
        // One that was served and left due stands at `at` itself now, behind its first place: not a second time.
        let left_due = locked(&self.run.left_due);
        let fresh = page.into_iter().map(|(_, snapshot)| snapshot);
        Ok(fresh.filter(|snapshot| !left_due.contains(&snapshot.subscription.id)).collect())
    }

    async fn named_ones(&self) -> Result<Vec<Snapshot>, RunError> {
        let (at, only) = (self.run.at, self.run.order.only.clone());
        let found = self
            .run
            .billing
            .lane
            .run(move |store| match only {
                Some(Only::Subscription(id)) => Ok(store.snapshot(&id)?.into_iter().collect()),
                Some(Only::Customer(customer)) => {
                    let filter = Filter { customer: Some(customer), ..Filter::default() };
                    let mut found: Vec<Snapshot> = Vec::new();
                    let mut after = 0;
                    loop {
                        let page = store.list_subscriptions(&filter, after, PAGE_ROWS)?;
                        for row in &page {
                            found.extend(store.snapshot(&row.subscription.id)?);
                        }
                        match page.last() {
                            Some(last) if page.len() == PAGE_ROWS => after = last.row,
                            _ => return Ok(found),
                        }
                    }
                }
                None => Ok::<_, StoreError>(Vec::new()),
            })
            .await??;
        if found.is_empty() {
            return Err(RunError::Usage(
                "--only: found an id that is not in this book; `dues list subscriptions` shows those that are".into(),
            ));
        }
        Ok(found.into_iter().filter(|s| s.subscription.wake_at.is_some_and(|wake| wake <= at)).collect())
    }
}
