//! What becomes of a request to charge.
//!
//! Promises: refusals come before anything is made; whatever is made stands in the ledger before the
//! answer is written. Must never know how the answer travels.

use std::borrow::Cow;

use super::charges::{Charge, Failure, LIFETIME_SECONDS, Status};
use super::currency::Currency;
use super::error::ApiError;
use super::events::{self, Subject};
use super::faults::Fault;
use super::ledger::Entry;
use super::params::Params;
use super::testcards::Temper;
use super::transactions::{self, Direction};
use super::world::World;
use super::{cards, customers, time, tokens};

/// A request that passed every check.
struct Order {
    amount: i64,
    currency: Currency,
    customer: Option<u32>,
    card: Paying,
    description: Option<String>,
    metadata: Option<Box<str>>,
    return_uri: Option<String>,
    ip: Option<String>,
    capture: bool,
    webhook_endpoints: Vec<Box<str>>,
    /// Id of the schedule that asks.
    schedule: Option<Box<str>>,
    /// Seconds since 1970, when the client names it.
    expires_at: Option<i64>,
}

/// What pays: a saved card, or a token not yet spent.
enum Paying {
    Card(u32),
    Token(u32),
}

/// `POST /charges`. Returns where the charge lies.
pub fn create(
    world: &mut World,
    params: &Params,
    faults: &[Fault],
    key: Option<&str>,
) -> Result<u32, ApiError> {
    let order = check(world, params)?;
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

fn check(world: &World, params: &Params) -> Result<Order, ApiError> {
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
    if currency != Currency::ACCOUNT
        && !matches!(brand, super::testcards::Brand::Visa | super::testcards::Brand::MasterCard)
    {
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

fn payer(world: &World, customer: Option<u32>, card: Option<String>) -> Result<Paying, ApiError> {
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
fn expiry(world: &World, params: &Params) -> Result<Option<i64>, ApiError> {
    let Some(text) = params.text("expires_at") else { return Ok(None) };
    let at = time::read(&text).map(jiff::Timestamp::as_second).filter(|at| *at > world.now_seconds());
    at.map(Some).ok_or_else(|| ApiError::bad("bad_request", "expires_at is invalid or in the past"))
}

/// At most two addresses that hear of this charge besides the account's own.
fn endpoints(params: &Params) -> Result<Vec<Box<str>>, ApiError> {
    let Some(list) = params.get("webhook_endpoints").and_then(serde_json::Value::as_array) else {
        return Ok(Vec::new());
    };
    if list.len() > 2 {
        return Err(ApiError::bad("bad_request", "webhook_endpoints takes at most two addresses"));
    }
    Ok(list.iter().filter_map(|uri| uri.as_str().map(Into::into)).collect())
}

/// How the bank and the switches decide.
struct Verdict {
    status: Status,
    failure: Option<Failure>,
    three_ds: bool,
    settles_ms: Option<u64>,
}

fn decide(world: &World, order: &Order, card: u32, faults: &[Fault]) -> Verdict {
    let now = world.now_ms();
    let fail = |code: Cow<'static, str>| {
        let (advice, advice_code) = advice_in(faults);
        let failure = Some(Failure { code, advice, advice_code });
        Verdict { status: Status::Failed, failure, three_ds: false, settles_ms: None }
    };
    let pending =
        |three_ds, settles_ms| Verdict { status: Status::Pending, failure: None, three_ds, settles_ms };
    for fault in faults {
        match fault {
            Fault::Decline(code) => return fail(Cow::Owned(code.clone())),
            Fault::InFlight(after) => {
                return pending(false, Some(after.map_or(u64::MAX, |after| now.saturating_add(after))));
            }
            _ => {}
        }
    }
    let saved = world.cards.at(card);
    if saved.expired(now) {
        return fail(Cow::Borrowed("expired_card"));
    }
    let asks = faults.contains(&Fault::ThreeDs) || world.settings.three_ds;
    match &saved.temper {
        Temper::EnrolmentFails if asks => fail(Cow::Borrowed("failed_processing")),
        Temper::Declines(code) if !asks => fail(code.clone()),
        Temper::Advises => {
            let mut verdict = fail(Cow::Borrowed("payment_rejected"));
            if let Some(failure) = &mut verdict.failure {
                failure.advice = Some("Do not retry this transaction with the same card".into());
                failure.advice_code = Some(order.amount.to_string().into());
            }
            verdict
        }
        _ if asks => pending(true, None),
        _ => Verdict { status: Status::Successful, failure: None, three_ds: false, settles_ms: None },
    }
}

/// Advice that switches carry: digits are a code, anything else is the text.
fn advice_in(faults: &[Fault]) -> (Option<Box<str>>, Option<Box<str>>) {
    let (mut advice, mut code) = (None, None);
    for fault in faults {
        if let Fault::Advice(said) = fault {
            let digits = said.bytes().all(|byte| byte.is_ascii_digit());
            *(if digits { &mut code } else { &mut advice }) = Some(said.as_str().into());
        }
    }
    (advice, code)
}

/// Makes the charge and writes it into the ledger.
fn process(world: &mut World, order: &Order, card: u32, faults: &[Fault], key: Option<&str>) -> u32 {
    let now_ms = world.now_ms();
    let now = i64::try_from(now_ms / 1000).unwrap_or(i64::MAX);
    let verdict = decide(world, order, card, faults);
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
