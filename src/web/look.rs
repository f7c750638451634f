//! What the book shows to machines that watch: counts and ages, read through the lane.

use jiff::Timestamp;

use crate::billing::{Billing, RunError};
use crate::model::{AttemptStatus, FlagReason};

/// Unfinished attempts read at a time.
const PAGE_ROWS: usize = 500;
/// And at most in one look; what lies beyond is not counted.
const MOST_PAGES: usize = 200;

/// The book at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Look {
    /// Subscriptions that are due and can be acted on: no standing flag explains why they wait.
    pub(super) due: u64,
    /// How long the oldest of them has waited, in seconds.
    pub(super) oldest_due_s: i64,
    /// Attempts of which nobody knows what became.
    pub(super) in_doubt: i64,
    /// Since when, in seconds, of the oldest.
    pub(super) oldest_doubt_s: i64,
    /// Attempts that wait for the customer or the bank.
    pub(super) pending: i64,
    /// Attempts that wait for a person.
    pub(super) manual: i64,
    /// Open invoices that wait for another try.
    pub(super) retries: u64,
    /// Standing flags.
    pub(super) flags: Vec<(FlagReason, u64)>,
}

/// Looks; the error is a sentence.
pub(super) async fn look(billing: &Billing) -> Result<Look, String> {
    let now = billing.clock.now();
    let read = billing.lane.run(move |store| {
        let due = store.due_now(now)?;
        let mut look = Look {
            due: due.count,
            oldest_due_s: age(due.since, now),
            retries: store.count_retries()?,
            flags: store.count_flags()?,
            ..Look::default()
        };
        let mut after = None;
        for _ in 0..MOST_PAGES {
            let page = store.unfinished(after.as_ref(), PAGE_ROWS)?;
            for attempt in &page {
                let since = attempt.intent.as_ref().and_then(|intent| intent.doubt_since);
                match attempt.status {
                    AttemptStatus::InDoubt => {
                        look.in_doubt += 1;
                        look.oldest_doubt_s = look.oldest_doubt_s.max(age(since, now));
                    }
                    AttemptStatus::Pending => look.pending += 1,
                    AttemptStatus::Manual => look.manual += 1,
                    _ => {}
                }
            }
            match page.last() {
                Some(last) if page.len() == PAGE_ROWS => after = Some(last.id.clone()),
                _ => break,
            }
        }
        Ok::<_, RunError>(look)
    });
    match read.await {
        Ok(Ok(look)) => Ok(look),
        Ok(Err(error)) => Err(error.to_string()),
        Err(closed) => Err(closed.to_string()),
    }
}

fn age(since: Option<Timestamp>, now: Timestamp) -> i64 {
    since.map_or(0, |since| now.duration_since(since).as_secs().max(0))
}
