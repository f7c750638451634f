//! The intent of one charge: everything that must be durable before the request leaves.
//!
//! Promises: the key and the body that are sent are those that are stored; the amount is the invoice's.
//! Must never know: the provider's words for it, which `compose` brings.

use super::{Compose, brakes, description};
use crate::hooks::{Bug, planted};
use crate::model::{Attempt, AttemptId, AttemptStatus, ChargeOrder, ChargeRequest, IdempotencyKey, Intent};
use crate::rules::cards::Payer;
use crate::rules::draft::Draft;
use crate::rules::{Circumstances, Prepared, PreparedCharge, RuleError, queue, wake};

/// Charges that invoice with that card.
pub(super) fn charge(
    mut d: Draft,
    c: &Circumstances,
    place: usize,
    payer: &Payer,
    compose: &Compose<'_>,
) -> Result<Prepared, RuleError> {
    let order = order(&d, c, place, payer)?;
    let body = compose(&order);
    let attempt = intended(&order, body.clone(), c);
    let request = ChargeRequest {
        attempt: order.attempt.clone(),
        installation: order.installation,
        key: sent_key(&attempt, c),
        body,
        amount: order.amount,
        customer: order.customer.clone(),
        card: order.card.clone(),
    };
    if queue::is_catch_up(&d.now.invoices[place], c.at) {
        d.now.customer.caught_up_at = Some(c.budget_now);
    }
    brakes::spend(&mut d.now.customer, order.amount, c);
    let open = &mut d.now.invoices[place];
    (open.invoice.hold, open.invoice.next_attempt_at) = (None, None);
    open.attempts.push(attempt);
    d.guard_subscription();
    d.now.subscription.wake_at = wake::next(&d.now, c.at);
    let (transition, after) = d.finish(c.epoch);
    Ok(Prepared::Charge(Box::new(PreparedCharge { transition, after, request })))
}

fn order(d: &Draft, c: &Circumstances, place: usize, payer: &Payer) -> Result<ChargeOrder, RuleError> {
    let open = &d.now.invoices[place];
    let last = open.attempts.last().map_or(0, |attempt| attempt.id.number);
    let number = last.checked_add(1).ok_or_else(|| {
        RuleError::Overflow(format!("invoice {}: more attempts than can be counted", open.invoice.id))
    })?;
    Ok(ChargeOrder {
        attempt: AttemptId::new(open.invoice.id.clone(), number),
        installation: c.installation,
        amount: open.invoice.amount,
        customer: d.now.subscription.customer.clone(),
        card: payer.named.clone(),
        description: description::of(open, &d.now.subscription.zone),
    })
}

fn sent_key(attempt: &Attempt, c: &Circumstances) -> IdempotencyKey {
    if planted(Bug::KeyMadeAnew) && attempt.id.number > 1 {
        let other = AttemptId::new(attempt.id.invoice.clone(), attempt.id.number.wrapping_add(1_000));
        return IdempotencyKey::derive(c.installation, &other);
    }
    attempt.key
}

fn intended(order: &ChargeOrder, body: std::sync::Arc<str>, c: &Circumstances) -> Attempt {
    Attempt {
        id: order.attempt.clone(),
        status: AttemptStatus::Intended,
        amount: order.amount,
        customer: order.customer.clone(),
        card: order.card.clone(),
        key: IdempotencyKey::derive(c.installation, &order.attempt),
        intended_at: c.budget_now,
        resolved_at: None,
        charge: None,
        failure_code: None,
        decline: None,
        intent: Some(Intent {
            body,
            named_card: order.card.clone(),
            epoch: c.epoch.unwrap_or(crate::model::Epoch(0)),
            wall_at: c.wire.wall_at,
            provider_seen: c.wire.provider_seen,
            deadline: c.wire.deadline(),
            doubt_since: None,
            first_empty_scan: None,
            looked_at: None,
            authorize_uri: None,
            reminded: 0,
            reason: None,
        }),
    }
}
