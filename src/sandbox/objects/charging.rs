//! Making charges.
//!
//! Promises: refusals come before anything is made; whatever is made stands in the ledger before the answer
//! is written. Must never know how the answer travels.

use super::charges::{Charge, LIFETIME_SECONDS, Status};
use super::currency::Currency;
use super::error::ApiError;
use super::events::{self, Subject};
use super::order::{self, Order, Paying};
use super::params::Params;
use super::transactions::{self, Direction};
use super::{tokens, verdict};
use crate::sandbox::state::faults::Fault;
use crate::sandbox::state::ledger::Entry;
use crate::sandbox::state::time;
use crate::sandbox::state::world::World;

/// `POST /charges`. Returns where the charge lies.
pub fn create(
    world: &mut World,
    params: &Params,
    faults: &[Fault],
    key: Option<&str>,
) -> Result<u32, ApiError> {
    let order = order::check(world, params)?;
    let asks = faults.contains(&Fault::ThreeDs) || world.settings.three_ds;
    if asks && order.return_uri.is_none() {
        return Err(ApiError::bad("bad_request", "return uri is missing: this card needs 3-D Secure"));
    }
    let card = match order.card {
        Paying::Card(card) => card,
        Paying::Token(token) => tokens::spend(world, token),
    };
    let place = process(world, &order, card, faults, key);
    if faults.contains(&Fault::Duplicate) {
        process(world, &order, card, faults, key);
    }
    Ok(place)
}

/// What a schedule has charged each time.
pub struct Standing {
    /// The schedule's id.
    pub schedule: String,
    pub customer: u32,
    /// `None`: the default card of the day.
    pub card: Option<u32>,
    pub amount: i64,
    pub currency: Currency,
    pub description: Option<Box<str>>,
}

/// A charge that a schedule makes. Refused when there is nobody or nothing to charge.
pub fn scheduled(world: &mut World, standing: Standing) -> Result<u32, ApiError> {
    let owner = world.customers.at(standing.customer);
    if owner.deleted {
        return Err(ApiError::not_found("customer", &world.customers.name(standing.customer)));
    }
    let named = standing.card.filter(|card| !world.cards.at(*card).deleted);
    let card = if standing.card.is_some() { named } else { owner.default_card };
    let card = card.ok_or_else(|| ApiError::bad("missing_card", "customer has no card"))?;
    let order = Order {
        amount: standing.amount,
        currency: standing.currency,
        customer: Some(standing.customer),
        card: Paying::Card(card),
        description: standing.description.map(String::from),
        metadata: None,
        return_uri: None,
        ip: None,
        capture: true,
        webhook_endpoints: Vec::new(),
        schedule: Some(standing.schedule.into()),
        expires_at: None,
    };
    Ok(process(world, &order, card, &[], None))
}

/// Makes the charge and writes it into the ledger.
fn process(world: &mut World, order: &Order, card: u32, faults: &[Fault], key: Option<&str>) -> u32 {
    let now_ms = world.now_ms();
    let now = i64::try_from(now_ms / 1000).unwrap_or(i64::MAX);
    let verdict = verdict::decide(world, order, card, faults);
    let good = verdict.status == Status::Successful;
    let status = if good && !order.capture { Status::Pending } else { verdict.status };
    let charge = Charge {
        amount: order.amount,
        currency: order.currency,
        customer: order.customer,
        card,
        status,
        failure: verdict.failure.map(Box::new),
        description: order.description.as_deref().map(Into::into),
        metadata: order.metadata.clone(),
        return_uri: order.return_uri.as_deref().map(Into::into),
        ip: order.ip.as_deref().map(Into::into),
        capture: order.capture,
        authorized: good,
        captured_amount: if status == Status::Successful { order.amount } else { 0 },
        refunds: Vec::new(),
        three_ds: verdict.three_ds,
        transaction: None,
        schedule: order.schedule.clone(),
        expires_at: order.expires_at.unwrap_or(now.saturating_add(LIFETIME_SECONDS)),
        authorized_at: good.then_some(now),
        paid_at: (status == Status::Successful).then_some(now),
        ended_at: (status == Status::Failed).then_some(now),
        settles_ms: verdict.settles_ms,
        webhook_endpoints: order.webhook_endpoints.clone(),
        event: None,
    };
    let listed_from = now_ms.saturating_add(world.list_delay(faults));
    let place = world.charges.put(now_ms, listed_from, charge);
    if status == Status::Successful {
        book(world, place);
    }
    let lag = world.search_lag(faults);
    if lag > 0 {
        world.unsearchable.push((now_ms.saturating_add(lag), place));
    }
    world.watch(place);
    record(world, order, place, key);
    events::tell(world, "charge.create", Subject::Charge(place));
    place
}

/// Books what a captured charge brings.
pub fn book(world: &mut World, place: u32) {
    let (amount, currency) = {
        let charge = world.charges.at(place);
        (charge.captured_amount, charge.currency)
    };
    let origin = world.charges.name(place);
    let booked = transactions::book(world, Direction::Credit, "charge.captured", amount, currency, origin);
    world.charges.change(place).transaction = Some(booked);
}

fn record(world: &mut World, order: &Order, place: u32, key: Option<&str>) {
    let charge = world.charges.at(place);
    let entry = Entry {
        id: world.charges.name(place),
        amount: order.amount,
        currency: order.currency.code().to_owned(),
        customer: order.customer.map(|customer| world.customers.name(customer)),
        card: world.cards.name(charge.card),
        status: word(charge.status).to_owned(),
        failure_code: charge.failure.as_ref().map(|failure| failure.code.to_string()),
        metadata: order
            .metadata
            .as_deref()
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default(),
        description: order.description.clone(),
        at: time::show(world.charges.id(place).seconds()),
        idempotency_key: key.map(str::to_owned),
        refunded: 0,
    };
    world.ledger.enter(&entry);
}

/// The word of a status, for the ledger.
pub fn word(status: Status) -> &'static str {
    match status {
        Status::Pending => "pending",
        Status::Successful => "successful",
        Status::Failed => "failed",
        Status::Expired => "expired",
        Status::Reversed => "reversed",
    }
}
