//! A subscription that cannot be billed as it lies in the book: it is flagged with the reason, and the others go on.
//!
//! Promises: the flag is raised once and stays until the subscription can be decided again; whatever goes wrong with it
//! stops nobody else. Must never know: what is wrong with the subscription.

use super::run::Run;
use crate::model::{CustomerId, FlagReason, Snapshot, SubscriptionId};
use crate::rules;
use crate::store::Unreadable;

/// One whose snapshot could be read, but not decided or written.
pub(super) async fn undecided(run: &Run<'_>, snapshot: &Snapshot, why: &str) {
    let flagged = snapshot.flags.iter().any(|flag| flag.reason == FlagReason::Unchargeable);
    if !flagged {
        flag(run, &snapshot.subscription.id, &snapshot.subscription.customer, why).await;
    }
}

/// One that cannot be read. Where not even its ids can be, no flag can name it.
pub(super) async fn unreadable(run: &Run<'_>, found: &Unreadable) {
    if let (Some((subscription, customer)), false) = (&found.whose, found.flagged) {
        flag(run, subscription, customer, &found.error.to_string()).await;
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
