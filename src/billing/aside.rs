//! A subscription that cannot be billed as it lies in the book: it is flagged with the reason, and the others go on.
//!
//! Promises: the flag is raised once and stays until the subscription can be decided again; whatever goes wrong with it
//! stops nobody else. Must never know: what is wrong with the subscription.

use super::run::Run;
use crate::model::{CustomerId, FlagReason, Snapshot, SubscriptionId};
use crate::rules;
use crate::store::Unreadable;

/// Unreadable subscriptions that a report names, at most, among its other incidents; the log names all.
const MOST_TOLD: usize = 100;

/// One whose snapshot could be read, but not decided or written.
pub(super) async fn undecided(run: &Run<'_>, snapshot: &Snapshot, why: &str) {
    let flagged = snapshot.flags.iter().any(|flag| flag.reason == FlagReason::Unchargeable);
    if !flagged {
        flag(run, &snapshot.subscription.id, &snapshot.subscription.customer, why).await;
    }
}

/// One that cannot be read: told among the incidents, and flagged. Where not even its ids can be read, no flag can name
/// it; and on one that never wakes no run would ever clear it.
pub(super) async fn unreadable(run: &Run<'_>, found: &Unreadable) {
    let error = &found.error;
    tracing::error!(%error, "a subscription cannot be read; the others go on");
    tell(run, format!("a subscription cannot be read: {error}"));
    if let (Some((subscription, customer)), false, true) = (&found.whose, found.is_flagged(), found.wakes) {
        flag(run, subscription, customer, &error.to_string()).await;
    }
}

/// Among the incidents of the run, of which the report names so many at most.
fn tell(run: &Run<'_>, incident: String) {
    let incidents = &mut run.tally().0.incidents;
    if incidents.len() < MOST_TOLD {
        incidents.push(incident);
    }
}

async fn flag(run: &Run<'_>, subscription: &SubscriptionId, customer: &CustomerId, why: &str) {
    let transition = rules::unchargeable(subscription, customer, why, run.at);
    if run.order.dry_run {
        run.tally().wrote(&transition);
        run.dry().explained();
        return;
    }
    match run.billing.lane.commit(transition).await {
        Ok(transition) => run.tally().wrote(&transition),
        // It is among the incidents, and the next run flags it.
        Err(error) => tracing::warn!(%subscription, %error, "the flag could not be raised"),
    }
}
