//! What a policy brought back, counted from the book.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use crate::model::{AttemptStatus, InvoiceId, InvoiceStatus, SubscriptionStatus};
use crate::store::{Filter, Store, StoreError};

/// Rows read at a time.
const PAGE_ROWS: usize = 1_000;

/// What one policy came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Periods invoiced.
    pub invoices: u64,
    /// Of these, declined at least once.
    pub declined: u64,
    /// Of these, paid in the end.
    pub recovered: u64,
    /// Of the declined, still to be tried.
    pub waiting: u64,
    /// Of the declined, given up.
    pub lost: u64,
    /// Tries after a first decline.
    pub retries: u64,
    /// Tries that a network forbids or charges for, as the banks saw them.
    pub over_budget: u64,
    /// From the first decline to the payment, over all recovered.
    pub time_to_recovery: SignedDuration,
    /// Recovered later than this many hours lie beyond the median.
    pub median_hours: u64,
    /// Paid in all, in the smallest unit.
    pub collected: i64,
    /// Subscriptions that are still billed at the end.
    pub alive: u64,
    /// All of them.
    pub subscriptions: u64,
}

#[derive(Default)]
struct Tale {
    first_decline: Option<Timestamp>,
    paid: Option<Timestamp>,
    retries: u64,
}

/// Every page of a list.
pub fn pages<T>(
    mut read: impl FnMut(i64, usize) -> Result<Vec<T>, StoreError>,
    row: impl Fn(&T) -> i64,
) -> Result<Vec<T>, StoreError> {
    let mut all = Vec::new();
    let mut after = 0;
    loop {
        let page = read(after, PAGE_ROWS)?;
        let full = page.len() == PAGE_ROWS;
        after = page.last().map_or(after, &row);
        all.extend(page);
        if !full {
            return Ok(all);
        }
    }
}

/// Counts a book at rest.
pub fn tally(store: &mut dyn Store) -> Result<Recovery, StoreError> {
    let filter = Filter::default();
    let mut told: HashMap<InvoiceId, Tale> = HashMap::new();
    // In the order of their intents.
    for row in pages(|after, limit| store.list_attempts(&filter, after, limit), |row| row.row)? {
        let attempt = row.attempt;
        let tale = told.entry(attempt.id.invoice).or_default();
        let answered = matches!(attempt.status, AttemptStatus::Declined | AttemptStatus::Succeeded);
        tale.retries += u64::from(answered && tale.first_decline.is_some());
        match attempt.status {
            AttemptStatus::Declined => {
                tale.first_decline = tale.first_decline.or(attempt.resolved_at);
            }
            AttemptStatus::Succeeded => tale.paid = attempt.resolved_at,
            _ => {}
        }
    }
    let mut sum = Recovery::default();
    let mut waits = Vec::new();
    for row in pages(|after, limit| store.list_invoices(&filter, after, limit), |row| row.row)? {
        let invoice = row.invoice;
        sum.invoices += 1;
        let paid = invoice.status == InvoiceStatus::Paid;
        sum.collected += if paid { invoice.amount.minor() } else { 0 };
        let Some(tale) = told.get(&invoice.id) else { continue };
        let Some(first) = tale.first_decline else { continue };
        sum.declined += 1;
        sum.retries += tale.retries;
        if let Some(at) = tale.paid {
            sum.recovered += 1;
            sum.time_to_recovery += at.duration_since(first);
            waits.push(at.duration_since(first));
        } else if invoice.next_attempt_at.is_some() {
            sum.waiting += 1;
        }
    }
    sum.lost = sum.declined - sum.recovered - sum.waiting;
    waits.sort_unstable();
    sum.median_hours =
        waits.get(waits.len() / 2).map_or(0, |wait| u64::try_from(wait.as_hours()).unwrap_or(0));
    for row in pages(|after, limit| store.list_subscriptions(&filter, after, limit), |row| row.row)? {
        let status = row.subscription.status;
        sum.subscriptions += 1;
        sum.alive += u64::from(matches!(status, SubscriptionStatus::Active | SubscriptionStatus::PastDue));
    }
    Ok(sum)
}
