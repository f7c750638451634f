//! What a run would do if it began now, counted from the book alone: nothing is written, nobody is asked.
//!
//! Promises: a page of the book at a time; of customers only marks are kept. Must never know: how it is shown.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde::Serialize;

use super::run::PAGE_ROWS;
use crate::model::{CustomerId, SubscriptionId};
use crate::rules::{Ahead, Circumstances, ahead};
use crate::store::{Store, StoreError, Unreadable};

/// What a run would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Forecast {
    /// Subscriptions that it would look at.
    pub looked_at: u64,
    /// Periods that it would invoice.
    pub invoiced: u64,
    /// Of these, periods that have ended already.
    pub missed: u64,
    /// Missed periods that then wait for `dues resume`.
    pub held_periods: u64,
    /// Customers of theirs.
    pub held_customers: u64,
    /// Charges that it would try at once, if cards, budgets and brakes allow.
    pub charges_now: u64,
    /// Charges for missed periods that follow, one a day for each customer.
    pub charges_later: u64,
    /// Days until the last of them.
    pub spread_days: u32,
    /// Open invoices that cannot be charged, each alone above what its customer may be charged in a day.
    pub above_cap: u64,
    /// Subscriptions of which nothing can be told; a run names each.
    pub unclear: u64,
}

/// Charges for missed periods and holds, by a mark of the customer: a million of them take some ten megabytes.
#[derive(Default)]
struct Customers {
    catch_up: HashMap<u64, u32>,
    held: HashSet<u64>,
}

/// Counts it. `progress` is told the subscriptions looked at so far.
///
/// # Errors
/// When the book cannot be read.
pub fn forecast(
    store: &mut dyn Store,
    c: &Circumstances,
    progress: &mut dyn FnMut(u64),
) -> Result<Forecast, StoreError> {
    let mut forecast = Forecast::default();
    let mut customers = Customers::default();
    let mut after = None;
    loop {
        let page = store.due(c.at, after, PAGE_ROWS)?;
        for Unreadable { error, .. } in &page.unreadable {
            forecast.looked_at += 1;
            forecast.unclear += 1;
            tracing::warn!(%error, "what comes next for a subscription cannot be told");
        }
        for (_, snapshot) in &page.rows {
            forecast.looked_at += 1;
            let (id, customer) = (&snapshot.subscription.id, &snapshot.subscription.customer);
            match ahead(snapshot, c) {
                Ok(ahead) => forecast.count(&ahead, mark(customer), &mut customers),
                Err(error) => forecast.pass_over(id, &error),
            }
        }
        progress(forecast.looked_at);
        if page.len() < PAGE_ROWS {
            break;
        }
        after = page.last;
    }
    forecast.spread(&customers);
    Ok(forecast)
}

fn mark(customer: &CustomerId) -> u64 {
    let mut hasher = DefaultHasher::new();
    customer.as_str().hash(&mut hasher);
    hasher.finish()
}

impl Forecast {
    fn count(&mut self, ahead: &Ahead, customer: u64, customers: &mut Customers) {
        self.invoiced += u64::from(ahead.invoiced);
        self.missed += u64::from(ahead.missed);
        self.held_periods += u64::from(ahead.held);
        self.charges_now += u64::from(ahead.current);
        self.above_cap += u64::from(ahead.above_cap);
        if ahead.held > 0 {
            customers.held.insert(customer);
        }
        if ahead.catch_up > 0 {
            *customers.catch_up.entry(customer).or_default() += ahead.catch_up;
        }
    }

    fn pass_over(&mut self, id: &SubscriptionId, error: &crate::rules::RuleError) {
        tracing::warn!(subscription = %id, %error, "what comes next for this subscription cannot be told");
        self.unclear += 1;
    }

    /// The first missed period of a customer is collected at once, each further one a day later.
    fn spread(&mut self, customers: &Customers) {
        self.held_customers = customers.held.len() as u64;
        for charges in customers.catch_up.values() {
            self.charges_now += 1;
            self.charges_later += u64::from(charges - 1);
            self.spread_days = self.spread_days.max(charges - 1);
        }
    }
}
