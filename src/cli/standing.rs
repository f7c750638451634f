//! What stands after an order: said to people in a few lines, to programs as the subscription's own row.

use super::context::Context;
use super::exit::{Exit, Failure};
use super::output::Output;
use super::rows::SubscriptionLine;
use crate::billing::orders::OrderError;
use crate::model::{Snapshot, SubscriptionId};
use crate::rules::next_steps;
use crate::store::{Filter, Store, SubscriptionRow};

/// Shows the subscription of that snapshot; `done` is what the order did, for people.
pub(super) fn show(
    context: &Context,
    store: &mut dyn Store,
    now: &Snapshot,
    done: &str,
) -> Result<Exit, Failure> {
    let row = row(store, &now.subscription.id)?;
    let mut out = Output::stdout(context.global.json);
    if context.global.json {
        out.object(&SubscriptionLine::of(&row))?;
    } else {
        out.line(&format!("{}: {done}", now.subscription.id))?;
        for step in next_steps(now, &context.circumstances(store)?) {
            out.line(&format!("  {step}"))?;
        }
    }
    out.finish()?;
    Ok(Exit::Done)
}

/// The row of one subscription.
pub(super) fn row(store: &mut dyn Store, id: &SubscriptionId) -> Result<SubscriptionRow, Failure> {
    let filter = Filter { subscription: Some(id.clone()), ..Filter::default() };
    let row = store.list_subscriptions(&filter, 0, 1)?.into_iter().next();
    row.ok_or_else(|| OrderError::no_subscription(id).into())
}
