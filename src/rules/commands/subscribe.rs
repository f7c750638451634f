//! `dues subscribe` and each line of `dues import`: a new subscription.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::json;

use super::refused;
use crate::model::{
    BackupCard, CardId, Change, CustomerId, EventKind, NewEvent, PlanVersion, Quantity, SkipReason,
    Subscription, SubscriptionId, SubscriptionStatus, Transition, Version, Zone,
};
use crate::rules::RuleError;
use crate::rules::calendar::{self, Calendar};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct NewSubscriptionOrder<'a> {
    /// Its id, given or counted by the book.
    pub id: SubscriptionId,
    /// Whose.
    pub customer: CustomerId,
    /// To which plan version.
    pub plan: &'a PlanVersion,
    /// How many units.
    pub quantity: Quantity,
    /// Whose calendar its periods follow.
    pub zone: Zone,
    /// The first day of service; `None`: the day after `paid_through`, else today in the zone.
    pub starts: Option<Date>,
    /// The last day billed elsewhere; `None`: nothing was.
    pub paid_through: Option<Date>,
    /// Charged instead of the default card; `None`: the default.
    pub card: Option<CardId>,
    /// The customer agreed that another saved card is tried after it.
    pub backup_card: bool,
    /// The merchant's own, a JSON object as text; `None`: nothing.
    pub metadata: Option<Arc<str>>,
}

/// The new subscription, and the transition that puts it into the book. Its `next_index` counts the periods that
/// were billed elsewhere: those that start not later than `paid_through`.
pub fn subscribe(
    order: NewSubscriptionOrder<'_>,
    at: Timestamp,
) -> Result<(Subscription, Transition), RuleError> {
    let (plan, version) = (order.plan.key.to_string(), order.plan.version);
    let subscription = new_subscription(order, at)?;
    let mut changes = vec![Change::InsertSubscription(subscription.clone())];
    if subscription.next_index > 0 {
        changes.push(Change::SkipPeriods {
            subscription: subscription.id.clone(),
            from: 0,
            to: subscription.next_index,
            reason: SkipReason::BilledElsewhere,
        });
    }
    let data = json!({ "plan": plan, "version": version, "quantity": subscription.quantity });
    let event = NewEvent {
        at,
        kind: EventKind::SubscriptionCreated,
        subscription: Some(subscription.id.clone()),
        invoice: None,
        data: Some(data.to_string().into()),
    };
    Ok((subscription, Transition { epoch: None, changes, events: vec![event] }))
}

fn new_subscription(order: NewSubscriptionOrder<'_>, at: Timestamp) -> Result<Subscription, RuleError> {
    let terms = &order.plan.terms;
    let starts = first_day(&order, at)?;
    let anchor = match terms.trial {
        None => starts,
        Some(trial) => calendar::add(starts, trial, 1).ok_or_else(|| {
            RuleError::Overflow(format!("a trial of {trial} from {starts} ends beyond the calendar"))
        })?,
    };
    let every = Calendar { anchor, anchor_at: None, anchor_index: 0, every: terms.every, zone: &order.zone };
    let next_index = order.paid_through.map_or(0, |day| every.first_index_after(day));
    let first_billed = every.start(next_index)?;
    let in_trial = terms.trial.is_some() && next_index == 0 && first_billed > at;
    terms.price.checked_mul(order.quantity).map_err(|e| {
        RuleError::Overflow(format!("{} × {} cannot be charged: {e}", terms.price, order.quantity))
    })?;
    Ok(Subscription {
        id: order.id,
        customer: order.customer,
        plan: order.plan.id,
        status: if in_trial { SubscriptionStatus::Trialing } else { SubscriptionStatus::Active },
        quantity: order.quantity,
        starts,
        anchor,
        anchor_at: None,
        anchor_index: 0,
        next_index,
        card: order.card,
        backup: if order.backup_card { BackupCard::Agreed } else { BackupCard::No },
        cancel_at: None,
        pause: None,
        ended_at: None,
        wake_at: Some(first_billed),
        created_at: at,
        metadata: order.metadata,
        version: Version::FIRST,
        zone: order.zone,
    })
}

fn first_day(order: &NewSubscriptionOrder<'_>, at: Timestamp) -> Result<Date, RuleError> {
    match (order.starts, order.paid_through) {
        (Some(starts), _) => Ok(starts),
        (None, Some(paid)) => match paid.tomorrow() {
            Ok(next) => Ok(next),
            Err(_) => refused(format!("paid_through: found {paid}, wanted a day that has one after it")),
        },
        (None, None) => Ok(order.zone.date(at)),
    }
}
