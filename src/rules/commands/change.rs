//! `dues change`: another plan, quantity, card or zone, from the next period on.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::json;

use super::{decide, must_live, refused};
use crate::model::settings::CatchUp;
use crate::model::{
    BackupCard, BillingPeriod, CardId, EventKind, Money, PlanVersion, Quantity, Snapshot, Transition, Zone,
};
use crate::rules::calendar::{Calendar, anchor_after_change};
use crate::rules::draft::Draft;
use crate::rules::{RuleError, course};

/// What is asked for; `None` keeps what is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeOrder {
    /// Another plan version.
    pub plan: Option<Arc<PlanVersion>>,
    /// Another quantity.
    pub quantity: Option<Quantity>,
    /// Another card, or (`Some(None)`) the customer's default again.
    pub card: Option<Option<CardId>>,
    /// Whether the customer agrees that another saved card is tried after the usual one.
    pub backup_card: Option<bool>,
    /// Another zone.
    pub zone: Option<Zone>,
}

/// What was changed.
#[derive(Clone, Debug)]
pub struct Changed {
    /// To commit.
    pub transition: Transition,
    /// What the next invoice will be; `None`: the subscription ends before there is one.
    pub next: Option<NextInvoice>,
}

/// An invoice to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextInvoice {
    /// Of which period.
    pub period: BillingPeriod,
    /// Its first day, in the subscription's zone.
    pub starts: Date,
    /// Price × quantity.
    pub amount: Money,
}

/// Changes the terms of all periods that have no invoice yet. Those that have begun get theirs first, under the old
/// terms. Where the interval or the zone changes, periods are counted anew from the first day of the next one, which
/// starts exactly where the last one ends: midnight of the old zone, so that no hour is billed twice or never.
pub fn change(
    snapshot: &Snapshot,
    order: &ChangeOrder,
    catch_up: CatchUp,
    at: Timestamp,
    reason: Option<&str>,
) -> Result<Changed, RuleError> {
    must_live(snapshot)?;
    let id = &snapshot.subscription.id;
    if *order == ChangeOrder::default() {
        return refused(format!(
            "subscription {id}: found nothing to change, wanted a plan, quantity, card, backup card or zone"
        ));
    }
    let mut next = None;
    let transition = decide(snapshot, at, |d| {
        if !course::advance(d, at, catch_up)? {
            return refused(format!(
                "subscription {id} has more due periods than one step opens; run `dues run-now` first"
            ));
        }
        must_live(&d.now)?;
        apply(d, order)?;
        next = next_invoice(&d.now)?;
        d.event(at, EventKind::SubscriptionChanged, Some(&story(d, order, reason)));
        Ok(())
    })?;
    Ok(Changed { transition, next })
}

fn apply(d: &mut Draft, order: &ChangeOrder) -> Result<(), RuleError> {
    let old = d.now.plan.terms.every;
    let calendar = Calendar::of(&d.now.subscription, &d.now.plan.terms);
    let next = d.now.subscription.next_index;
    let (first_day, starts) = (calendar.start_date(next)?, calendar.start(next)?);
    if let Some(plan) = &order.plan {
        d.now.plan = plan.clone();
        d.now.subscription.plan = plan.id;
    }
    let subscription = &mut d.now.subscription;
    let zone_changes = order.zone.as_ref().is_some_and(|zone| *zone != subscription.zone);
    if let Some(zone) = &order.zone {
        subscription.zone = zone.clone();
    }
    subscription.quantity = order.quantity.unwrap_or(subscription.quantity);
    if let Some(card) = &order.card {
        subscription.card.clone_from(card);
    }
    match (order.backup_card, subscription.backup) {
        (Some(false), _) => subscription.backup = BackupCard::No,
        (Some(true), BackupCard::No) => subscription.backup = BackupCard::Agreed,
        (Some(true) | None, _) => {}
    }
    if d.now.plan.terms.every != old || zone_changes {
        (subscription.anchor, subscription.anchor_at) = match next {
            // Nothing was billed or skipped yet: there is no period to follow on.
            0 => (first_day, None),
            _ => anchor_after_change(first_day, starts, d.now.plan.terms.every, &subscription.zone),
        };
        subscription.anchor_index = next;
        follow_the_end(d, starts)?;
    }
    Ok(())
}

/// An end that is set to come before the next period goes where that period goes, which was to start at `starts`:
/// otherwise it would begin, and be billed, in the hours between.
fn follow_the_end(d: &mut Draft, starts: Timestamp) -> Result<(), RuleError> {
    let subscription = &d.now.subscription;
    if subscription.cancel_at == Some(starts) {
        let moved = Calendar::of(subscription, &d.now.plan.terms).start(subscription.next_index)?;
        d.now.subscription.cancel_at = Some(moved);
    }
    Ok(())
}

/// The invoice that the next period will bring under the terms as they are now; `None`: there is no such period.
pub fn next_invoice(s: &Snapshot) -> Result<Option<NextInvoice>, RuleError> {
    let subscription = &s.subscription;
    let calendar = Calendar::of(subscription, &s.plan.terms);
    let period = calendar.lasting_period(subscription.next_index)?;
    if subscription.cancel_at.is_some_and(|end| end <= period.start) || subscription.ended_at.is_some() {
        return Ok(None);
    }
    let amount = s.plan.terms.price.checked_mul(subscription.quantity).map_err(|e| {
        RuleError::Overflow(format!(
            "{} × {} cannot be charged: {e}",
            s.plan.terms.price, subscription.quantity
        ))
    })?;
    let starts = calendar.start_date(period.index)?;
    Ok(Some(NextInvoice { period, starts, amount }))
}

fn story(d: &Draft, order: &ChangeOrder, reason: Option<&str>) -> serde_json::Value {
    let subscription = &d.now.subscription;
    json!({
        "plan": order.plan.as_ref().map(|plan| plan.key.to_string()),
        "quantity": order.quantity,
        "card": order.card.as_ref().map(|card| card.as_ref().map_or("default", CardId::as_str)),
        "backup_card": order.backup_card,
        "zone": order.zone.as_ref().map(Zone::name),
        "from_period": subscription.next_index,
        "reason": reason,
    })
}
