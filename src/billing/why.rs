//! Everything the book knows of one subscription: how it got where it is.
//!
//! Must never know: how it is told.

use super::orders::OrderError;
use crate::model::{Event, Flag, Snapshot, SubscriptionId};
use crate::store::{
    AttemptRow, CustomerRow, Filter, InvoiceRow, SkippedPeriods, Store, StoreError, SubscriptionRow,
};

/// Rows read at a time.
const PAGE_ROWS: usize = 1_000;

/// Everything the book knows of one subscription.
#[derive(Clone, Debug)]
pub struct Story {
    /// As it stands.
    pub row: SubscriptionRow,
    /// What the next decision will look at.
    pub now: Snapshot,
    /// Whose it is, as last read.
    pub customer: CustomerRow,
    /// All of them, oldest first.
    pub invoices: Vec<InvoiceRow>,
    /// All of them, in the order of their intents.
    pub attempts: Vec<AttemptRow>,
    /// Standing and past ones, oldest first.
    pub flags: Vec<Flag>,
    /// Periods that were never billed, oldest first.
    pub skipped: Vec<SkippedPeriods>,
    /// Its diary.
    pub events: Vec<Event>,
}

/// Reads it all.
pub fn story(store: &mut dyn Store, id: &SubscriptionId) -> Result<Story, OrderError> {
    let f = Filter { subscription: Some(id.clone()), ended: true, ..Filter::default() };
    let row = store.list_subscriptions(&f, 0, 1)?.into_iter().next();
    let (Some(row), Some(now)) = (row, store.snapshot(id)?) else {
        return Err(OrderError::no_subscription(id));
    };
    let theirs = Filter { customer: Some(row.subscription.customer.clone()), ..Filter::default() };
    let Some(customer) = store.list_customers(&theirs, 0, 1)?.into_iter().next() else {
        return Err(OrderError::no_subscription(id));
    };
    Ok(Story {
        row,
        now,
        customer,
        invoices: all(store, |store, after| {
            store.list_invoices(&f, after, PAGE_ROWS).map(|page| rows(page, |row| row.row))
        })?,
        attempts: all(store, |store, after| {
            store.list_attempts(&f, after, PAGE_ROWS).map(|page| rows(page, |row| row.row))
        })?,
        flags: all(store, |store, after| store.list_flags(&f, after, PAGE_ROWS))?,
        events: all(store, |store, after| {
            store.list_events(&f, after, PAGE_ROWS).map(|page| rows(page, |event| event.seq))
        })?,
        skipped: store.skipped_periods(id)?,
    })
}

fn rows<R>(page: Vec<R>, place: impl Fn(&R) -> i64) -> Vec<(i64, R)> {
    page.into_iter().map(|row| (place(&row), row)).collect()
}

fn all<R>(
    store: &mut dyn Store,
    mut page: impl FnMut(&mut dyn Store, i64) -> Result<Vec<(i64, R)>, StoreError>,
) -> Result<Vec<R>, StoreError> {
    let (mut every, mut after) = (Vec::new(), 0);
    loop {
        let rows = page(store, after)?;
        let Some((last, _)) = rows.last() else { return Ok(every) };
        after = *last;
        let full = rows.len() == PAGE_ROWS;
        every.extend(rows.into_iter().map(|(_, row)| row));
        if !full {
            return Ok(every);
        }
    }
}
