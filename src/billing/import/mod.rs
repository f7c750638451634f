//! Many subscriptions at once, from a file: judged whole, then written in one transaction or not at all.
//!
//! Promises: nothing is written while one line is bad; lines go to the book one at a time, so a long file needs no
//! more memory than its own text. Must never know: how the book keeps them.

mod file;
mod quotes;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use thiserror::Error;

pub use file::{BadLine, ImportFile, ImportLine};

use super::kind::refuse_other_kind;
use crate::model::settings::CatchUp;
use crate::model::{PlanKey, PlanVersion, SubscriptionId, Zone, counted};
use crate::rules::commands::{NewSubscriptionOrder, subscribe};
use crate::rules::{RuleError, past};
use crate::store::{Filter, NewSubscription, Store, StoreError};

/// What the book's counter replaces where a line brings no id of its own.
const COUNTED: &str = "counted";

/// Why an import did not happen. Nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ImportError {
    /// These lines, in their order.
    #[error("{}; nothing was imported", counted(.0.len() as u64, "bad line"))]
    Bad(Vec<BadLine>),
    /// The file has a heading and nothing else.
    #[error("found no line below the heading, wanted at least one")]
    Empty,
    /// The book refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A file to import.
pub struct Import<'a> {
    /// CSV, UTF-8.
    text: &'a [u8],
    /// The newest version of each plan.
    plans: HashMap<PlanKey, Arc<PlanVersion>>,
    /// Of subscriptions that name none.
    zone: Zone,
    /// The billing instant.
    at: Timestamp,
    /// As in [`refuse_other_kind`].
    livemode: Option<bool>,
    /// Why other plans are not sold.
    not_sold: HashMap<PlanKey, String>,
}

/// What of an import lies in the past already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Late {
    /// Subscriptions with periods that have ended and were not billed elsewhere.
    pub subscriptions: u64,
    /// Those periods: the next run invoices them.
    pub periods: u64,
    /// Of these, periods that then wait for `dues resume`.
    pub held: u64,
}

/// How far an import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Judging lines; bytes read of all.
    Judging {
        /// So far.
        bytes: u64,
        /// In all.
        of: u64,
    },
    /// Writing rows.
    Writing {
        /// So far.
        rows: u64,
        /// In all.
        of: u64,
    },
}

impl<'a> Import<'a> {
    /// An import at that instant under these plans.
    pub fn new(text: &'a [u8], plans: Vec<PlanVersion>, zone: Zone, at: Timestamp) -> Self {
        let plans = plans.into_iter().map(|plan| (plan.key.clone(), Arc::new(plan))).collect();
        Self { text, plans, zone, at, livemode: None, not_sold: HashMap::new() }
    }

    /// The same for a book of that kind of keys: customers and cards of the other are refused. `None`: nobody knows yet.
    #[must_use]
    pub fn of_kind(self, livemode: Option<bool>) -> Self {
        Self { livemode, ..self }
    }

    /// The same beside plans that are known and not sold: a line that names one is bad for that reason.
    #[must_use]
    pub fn not_selling(self, not_sold: HashMap<PlanKey, String>) -> Self {
        Self { not_sold, ..self }
    }

    /// What of it lies in the past already. Lines that are bad are passed over: judging names them.
    pub fn late(&self, catch_up: CatchUp) -> Late {
        let mut late = Late::default();
        let Ok(mut file) = ImportFile::open(self.text) else { return late };
        while let Some(line) = file.next_line() {
            let Ok(line) = line else { continue };
            let (Some(plan), Ok(row)) = (self.plans.get(&line.plan), self.row(&line)) else { continue };
            let past = past(&row.subscription, &plan.terms, catch_up, self.at);
            late.subscriptions += u64::from(past.missed > 0);
            late.periods += u64::from(past.missed);
            late.held += if past.held { u64::from(past.missed) } else { 0 };
        }
        late
    }

    /// Judges every line; returns how many there are.
    ///
    /// # Errors
    /// All bad lines.
    pub fn judge(&self, store: &mut dyn Store, progress: &mut dyn FnMut(Stage)) -> Result<u64, ImportError> {
        let mut file = ImportFile::open(self.text).map_err(|bad| ImportError::Bad(vec![bad]))?;
        let (mut good, mut bad) = (0, Vec::new());
        let of = self.text.len() as u64;
        while let Some(line) = file.next_line() {
            match line.and_then(|line| self.row(&line).map(|row| (line.line, row))) {
                Ok((line, row)) => match Self::taken(store, line, row.id.as_ref())? {
                    None => good += 1,
                    Some(taken) => bad.push(taken),
                },
                Err(wrong) => bad.push(wrong),
            }
            progress(Stage::Judging { bytes: file.bytes(), of });
        }
        match (bad.is_empty(), good) {
            (false, _) => Err(ImportError::Bad(bad)),
            (true, 0) => Err(ImportError::Empty),
            (true, good) => Ok(good),
        }
    }

    /// Judges every line, then writes them all in one transaction; returns how many.
    pub fn carry_out(
        &self,
        store: &mut dyn Store,
        progress: &mut dyn FnMut(Stage),
    ) -> Result<u64, ImportError> {
        let of = self.judge(store, progress)?;
        let mut file = ImportFile::open(self.text).map_err(|bad| ImportError::Bad(vec![bad]))?;
        // The same bytes are read by the same pure code, so that no line can turn bad between the two readings.
        let mut rows = std::iter::from_fn(|| file.next_line()?.and_then(|line| self.row(&line)).ok());
        Ok(store.import(&mut rows, &mut |rows| progress(Stage::Writing { rows, of }))?)
    }

    fn row(&self, line: &ImportLine) -> Result<NewSubscription, BadLine> {
        let bad = |reason: String| BadLine { line: line.line, reason };
        let plan = self.plans.get(&line.plan).ok_or_else(|| bad(self.unknown_plan(&line.plan)))?;
        refuse_other_kind(self.livemode, Some(&line.customer), line.card.as_ref()).map_err(&bad)?;
        let counted = SubscriptionId::parse(COUNTED).map_err(|why| bad(why.to_string()))?;
        let order = NewSubscriptionOrder {
            id: line.id.clone().unwrap_or(counted),
            customer: line.customer.clone(),
            plan,
            quantity: line.quantity,
            zone: line.zone.clone().unwrap_or_else(|| self.zone.clone()),
            starts: line.starts,
            paid_through: line.paid_through,
            card: line.card.clone(),
            backup_card: line.backup_card,
            metadata: line.metadata.clone(),
        };
        let (subscription, _) = subscribe(order, self.at).map_err(|why: RuleError| bad(why.to_string()))?;
        let billed_elsewhere = subscription.next_index;
        Ok(NewSubscription { id: line.id.clone(), subscription, billed_elsewhere })
    }

    fn unknown_plan(&self, found: &PlanKey) -> String {
        if let Some(why) = self.not_sold.get(found) {
            return why.clone();
        }
        let mut known: Vec<&str> = self.plans.keys().map(PlanKey::as_str).collect();
        known.sort_unstable();
        format!("plan: found {:?}, wanted one of {}", found.as_str(), known.join(", "))
    }

    fn taken(
        store: &mut dyn Store,
        line: u64,
        id: Option<&SubscriptionId>,
    ) -> Result<Option<BadLine>, StoreError> {
        let Some(id) = id else { return Ok(None) };
        let filter = Filter { subscription: Some(id.clone()), ..Filter::default() };
        let there = !store.page_of_subscriptions(&filter, 0, 1)?.is_empty();
        let reason = format!("id: found {:?}, which is in the book already, wanted a new one", id.as_str());
        Ok(there.then_some(BadLine { line, reason }))
    }
}
