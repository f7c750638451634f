//! Refunds of a charge.
//!
//! Promises: never more than was captured comes back. Must never know schedules or events.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::charges::{self, Charge, Status};
use super::currency::Currency;
use super::customers;
use super::error::ApiError;
use super::events::{self, Subject};
use super::lists::{List, Page};
use super::params::Params;
use super::transactions::{self, Direction};
use crate::sandbox::state::shelf::Record;
use crate::sandbox::state::time;
use crate::sandbox::state::world::World;

/// Money that went back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Refund {
    pub charge: u32,
    pub amount: i64,
    pub metadata: Option<Box<str>>,
    pub transaction: u32,
}

impl Record for Refund {
    const PREFIX: &'static str = "rfnd";
    const NAME: &'static str = "refund";
}

/// What the API shows of a refund.
#[derive(Serialize)]
pub struct RefundView<'a> {
    object: &'static str,
    id: String,
    location: String,
    livemode: bool,
    charge: String,
    amount: i64,
    currency: &'static str,
    funding_amount: i64,
    funding_currency: &'static str,
    voided: bool,
    status: &'static str,
    transaction: String,
    capture: Option<&'a str>,
    terminal: Option<&'a str>,
    metadata: Value,
    acquirer_reference_number: Option<&'a str>,
    approval_code: Option<&'a str>,
    created_at: String,
}

/// The refund at this place, as the API shows it.
pub fn view(world: &World, place: u32) -> RefundView<'_> {
    let refund = world.refunds.at(place);
    let charge = world.charges.at(refund.charge);
    let (id, charge_id) = (world.refunds.name(place), world.charges.name(refund.charge));
    RefundView {
        object: "refund",
        location: format!("/charges/{charge_id}/refunds/{id}"),
        livemode: false,
        charge: charge_id,
        amount: refund.amount,
        currency: charge.currency.code(),
        funding_amount: charge.currency.in_account_currency(refund.amount),
        funding_currency: Currency::ACCOUNT.code(),
        voided: false,
        status: "closed",
        transaction: world.transactions.name(refund.transaction),
        capture: None,
        terminal: None,
        metadata: charges::metadata_value(refund.metadata.as_deref()),
        acquirer_reference_number: None,
        approval_code: None,
        created_at: time::show(world.refunds.id(place).seconds()),
        id,
    }
}

/// What has gone back of this charge so far.
pub fn total(world: &World, charge: &Charge) -> i64 {
    charge.refunds.iter().map(|place| world.refunds.at(*place).amount).sum()
}

/// `GET /charges/{id}/refunds`, and the list embedded in a charge.
pub fn list_of<'a>(world: &'a World, charge: u32, page: &Page) -> List<RefundView<'a>> {
    let location = format!("/charges/{}/refunds", world.charges.name(charge));
    let inside: Vec<u32> = world
        .charges
        .at(charge)
        .refunds
        .iter()
        .copied()
        .filter(|place| (page.from..=page.to).contains(&world.refunds.id(*place).seconds()))
        .collect();
    List::of(&inside, page, location, |place| view(world, place))
}

/// `POST /charges/{id}/refunds`.
pub fn create(world: &mut World, place: u32, params: &Params) -> Result<u32, ApiError> {
    let bad = |message: &str| ApiError::bad("failed_refund", message);
    let metadata = customers::read_metadata(params)?;
    let amount = params.whole("amount").ok().flatten().filter(|amount| *amount > 0);
    let amount = amount.ok_or_else(|| ApiError::bad("invalid_amount", "amount is invalid"))?;
    let charge = world.charges.at(place);
    if charge.status != Status::Successful {
        return Err(bad("charge can't be refunded"));
    }
    if amount > charge.captured_amount - total(world, charge) {
        return Err(bad("amount is larger than the remaining amount of the charge"));
    }
    let currency = charge.currency;
    let now = world.now_ms();
    let origin = world.refunds.next_name(now);
    let transaction =
        transactions::book(world, Direction::Debit, "refund.transferred", amount, currency, origin);
    events::before_change(world, place);
    let refund = world.refunds.add(now, Refund { charge: place, amount, metadata, transaction });
    world.charges.change(place).refunds.push(refund);
    let charge = world.charges.name(place);
    world.ledger.refund(&charge, amount);
    events::tell(world, "refund.create", Subject::Refund(refund));
    Ok(refund)
}
