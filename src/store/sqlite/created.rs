//! What the diary says of an imported subscription's making: the same as of one that was subscribed, in a fifth of the
//! bytes, since each of a million has such a line.
//!
//! Promises: it lies in the book as JSON, `[plan version's row, quantity]`; whoever reads the diary finds the plan's name,
//! its version and the quantity. Must never know: what an import is.

use serde_json::json;

use super::super::StoreError;
use super::book::Book;
use super::fault::{Fault, Outcome};
use crate::model::{Event, EventKind, Subscription};

/// How it lies in the book.
pub(super) fn packed(made: &Subscription) -> String {
    json!([made.plan.0, made.quantity]).to_string()
}

impl Book {
    /// The line as it is told. One that lies otherwise, or whose plan cannot be read, is told as it lies.
    pub(super) fn unpacked_event(&self, mut event: Event) -> Outcome<Event> {
        let packed = event.data.as_deref().filter(|_| event.kind == EventKind::SubscriptionCreated);
        let Some((row, quantity)) = packed.and_then(|text| serde_json::from_str::<(i64, u32)>(text).ok())
        else {
            return Ok(event);
        };
        let plan = match self.find_plan(row) {
            Err(Fault::Store(StoreError::Nonsense { .. })) => None,
            found => found?,
        };
        if let Some(plan) = plan {
            let told = json!({ "plan": plan.key, "version": plan.version, "quantity": quantity });
            event.data = Some(told.to_string().into());
        }
        Ok(event)
    }
}
