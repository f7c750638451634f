//! A request to charge, checked: everything that is refused is refused here, before anything is made.
//!
//! Promises: the recorded codes, in the recorded order of their checks. Must never decide what the bank says.

use super::currency::Currency;
use super::error::ApiError;
use super::params::Params;
use super::testcards::Brand;
use super::{cards, customers, tokens};
use crate::sandbox::state::time;
use crate::sandbox::state::world::World;

/// A request that passed every check.
pub struct Order {
    pub amount: i64,
    pub currency: Currency,
    pub customer: Option<u32>,
    pub card: Paying,
    pub description: Option<String>,
    pub metadata: Option<Box<str>>,
    pub return_uri: Option<String>,
    pub ip: Option<String>,
    pub capture: bool,
    pub webhook_endpoints: Vec<Box<str>>,
    /// Id of the schedule that asks.
    pub schedule: Option<Box<str>>,
    /// Seconds since 1970, when the client names it.
    pub expires_at: Option<i64>,
}

/// What pays: a saved card, or a token not yet spent.
pub enum Paying {
    Card(u32),
    Token(u32),
}

pub fn check(world: &World, params: &Params) -> Result<Order, ApiError> {
    let invalid_amount = || ApiError::bad("invalid_amount", "amount is invalid");
    let amount = params.whole("amount").map_err(|()| invalid_amount())?.ok_or_else(invalid_amount)?;
    let code =
        params.text("currency").ok_or_else(|| ApiError::bad("invalid_charge", "currency can't be blank"))?;
    let currency = Currency::read(&code)
        .ok_or_else(|| ApiError::bad("invalid_charge", "currency is currently not supported"))?;
    world.settings.limits.check(amount, currency)?;
    let customer = params.text("customer").map(|id| customers::find(world, &id)).transpose()?;
    let card = payer(world, customer, params.text("card"))?;
    let brand = match card {
        Paying::Card(card) => world.cards.at(card).brand,
        Paying::Token(token) => world.cards.at(world.tokens.at(token).card).brand,
    };
    if currency != Currency::ACCOUNT && !matches!(brand, Brand::Visa | Brand::MasterCard) {
        return Err(ApiError::bad("brand_not_supported", "the card's brand does not take this currency"));
    }
    Ok(Order {
        amount,
        currency,
        customer,
        card,
        description: params.text("description"),
        metadata: customers::read_metadata(params)?,
        return_uri: params.text("return_uri"),
        ip: params.text("ip"),
        capture: params.flag("capture").unwrap_or(true),
        webhook_endpoints: endpoints(params)?,
        schedule: None,
        expires_at: expiry(world, params)?,
    })
}

pub fn payer(world: &World, customer: Option<u32>, card: Option<String>) -> Result<Paying, ApiError> {
    match (customer, card) {
        (None, None) => Err(ApiError::not_found("customer or card", "")),
        (Some(customer), None) => {
            let default = world.customers.at(customer).default_card;
            default.map(Paying::Card).ok_or_else(|| ApiError::bad("missing_card", "customer has no card"))
        }
        (Some(customer), Some(id)) => cards::find_of(world, customer, &id).map(Paying::Card),
        (None, Some(id)) => tokens::unused(world, &id).map(Paying::Token),
    }
}

/// When the client wants a pending charge to expire.
pub fn expiry(world: &World, params: &Params) -> Result<Option<i64>, ApiError> {
    let Some(text) = params.text("expires_at") else { return Ok(None) };
    let at = time::read(&text).map(jiff::Timestamp::as_second).filter(|at| *at > world.now_seconds());
    at.map(Some).ok_or_else(|| ApiError::bad("bad_request", "expires_at is invalid or in the past"))
}

/// At most two addresses that hear of this charge besides the account's own.
pub fn endpoints(params: &Params) -> Result<Vec<Box<str>>, ApiError> {
    let Some(list) = params.get("webhook_endpoints").and_then(serde_json::Value::as_array) else {
        return Ok(Vec::new());
    };
    if list.len() > 2 {
        return Err(ApiError::bad("bad_request", "webhook_endpoints takes at most two addresses"));
    }
    Ok(list.iter().filter_map(|uri| uri.as_str().map(Into::into)).collect())
}
