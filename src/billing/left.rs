//! What a run leaves behind: what is due still, when something is next due, and doubt.
//!
//! Must never know: what the run did.

use jiff::Timestamp;

use super::dry::Memory;
use super::run::PAGE_ROWS;
use crate::model::{AttemptStatus, RunReport};
use crate::store::{Store, StoreError};

/// What a run leaves behind.
pub(super) struct Left {
    /// The earliest look that lies after the run's instant; `None`: nothing waits.
    next_wake: Option<Timestamp>,
    /// Subscriptions due at the run's instant that no standing flag explains.
    due: u64,
    /// Attempts in doubt, of any age.
    doubt: Doubt,
}

/// What has not ended, and nobody knows how it will.
#[derive(Clone, Copy, Default)]
struct Doubt {
    /// A look may tell.
    looked_up: u64,
    /// Only a person can.
    manual: u64,
}

impl Left {
    /// As the book says. `partial`: the run did not serve all that was due, so that what is due still is counted; after
    /// any other run a subscription stays due only because every run is to look at it again.
    pub(super) fn behind(store: &mut dyn Store, at: Timestamp, partial: bool) -> Result<Self, StoreError> {
        let next_wake = store.next_wake(at)?;
        let due = if partial { store.due_now(at)?.count } else { 0 };
        Ok(Self { next_wake, due, doubt: doubt(store)? })
    }

    /// The same after a dry run, which changed nothing in the book.
    pub(super) fn after_dry(self, memory: &Memory, partial: bool) -> Self {
        let due = if partial { memory.still_due(self.due) } else { 0 };
        Self { next_wake: memory.next_due(self.next_wake), due, doubt: self.doubt }
    }

    /// Tells it in the report of a run at `at`.
    pub(super) fn told(&self, at: Timestamp, report: &mut RunReport) {
        report.due_left = self.due;
        report.next_due_at = if self.due > 0 { Some(at) } else { self.next_wake };
        report.doubt_left = self.doubt.looked_up + self.doubt.manual;
        report.manual_left = self.doubt.manual;
    }
}

fn doubt(store: &mut dyn Store) -> Result<Doubt, StoreError> {
    let mut left = Doubt::default();
    let mut after = None;
    loop {
        let page = store.unfinished(after.as_ref(), PAGE_ROWS)?;
        for attempt in &page {
            left.looked_up += u64::from(attempt.status == AttemptStatus::InDoubt);
            left.manual += u64::from(attempt.status == AttemptStatus::Manual);
        }
        match page.last() {
            Some(last) if page.len() == PAGE_ROWS => after = Some(last.id.clone()),
            _ => return Ok(left),
        }
    }
}
