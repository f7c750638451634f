//! Charges: their record and what the API shows of them.
//!
//! Promises: every field of version 2019-05-29, with the flags as recordings have them, odd ones included.
//! Must never decide what becomes of a charge.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::cards::{self, CardView};
use super::currency::{self, Currency};
use super::customers;
use super::error::ApiError;
use super::events::{self, Subject};
use super::lists::{List, Page};
use super::params::Params;
use super::refunds::{self, RefundView};
use super::shelf::Record;
use super::time;
use super::world::World;

/// Seven days: how long a card charge may wait for the customer or for its capture.
pub const LIFETIME_SECONDS: i64 = 7 * 24 * 60 * 60;

/// The API's words for how a charge stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Pending,
    Successful,
    Failed,
    Expired,
    Reversed,
}

/// Why a charge failed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Failure {
    pub code: Cow<'static, str>,
    pub advice: Option<Box<str>>,
    pub advice_code: Option<Box<str>>,
}

/// One charge. Instants are seconds since 1970.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Charge {
    pub amount: i64,
    pub currency: Currency,
    pub customer: Option<u32>,
    pub card: u32,
    pub status: Status,
    pub failure: Option<Box<Failure>>,
    pub description: Option<Box<str>>,
    /// A JSON object as text; `None` when empty.
    pub metadata: Option<Box<str>>,
    pub return_uri: Option<Box<str>>,
    pub ip: Option<Box<str>>,
    /// False: only authorised, to be captured later.
    pub capture: bool,
    pub authorized: bool,
    pub captured_amount: i64,
    pub refunds: Vec<u32>,
    /// The customer must act at this payment page.
    pub three_ds: bool,
    pub transaction: Option<u32>,
    /// Id of the schedule that made it.
    pub schedule: Option<Box<str>>,
    pub expires_at: i64,
    pub authorized_at: Option<i64>,
    pub paid_at: Option<i64>,
    pub ended_at: Option<i64>,
    /// In flight at the provider: when it will be settled by itself, in milliseconds.
    pub settles_ms: Option<u64>,
    pub webhook_endpoints: Vec<Box<str>>,
    /// The newest event of this charge, while it keeps no copy of its own.
    pub event: Option<u32>,
}

impl Record for Charge {
    const PREFIX: &'static str = "chrg";
    const NAME: &'static str = "charge";
}

impl Charge {
    /// Waiting for its capture.
    pub fn capturable(&self) -> bool {
        self.status == Status::Pending && self.authorized && !self.capture
    }
}

/// What the API shows of a charge.
#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the API's own object has these flags")]
pub struct ChargeView<'a> {
    object: &'static str,
    id: String,
    location: String,
    amount: i64,
    acquirer_reference_number: Option<()>,
    net: i64,
    fee: i64,
    fee_vat: i64,
    interest: i64,
    interest_vat: i64,
    funding_amount: i64,
    refunded_amount: i64,
    transaction_fees: Fees,
    platform_fee: PlatformFee,
    currency: &'static str,
    funding_currency: &'static str,
    ip: Option<&'a str>,
    refunds: List<RefundView<'a>>,
    link: Option<()>,
    description: Option<&'a str>,
    metadata: Value,
    card: CardView<'a>,
    source: Option<()>,
    schedule: Option<&'a str>,
    linked_account: Option<()>,
    customer: Option<String>,
    dispute: Option<()>,
    transaction: Option<String>,
    failure_code: Option<&'a str>,
    failure_message: Option<String>,
    merchant_advice: Option<&'a str>,
    merchant_advice_code: Option<&'a str>,
    status: Status,
    authorize_uri: Option<String>,
    return_uri: Option<&'a str>,
    missing_3ds_fields: [(); 0],
    created_at: String,
    paid_at: Option<String>,
    authorized_at: Option<String>,
    expires_at: String,
    expired_at: Option<String>,
    reversed_at: Option<String>,
    zero_interest_installments: bool,
    branch: Option<()>,
    terminal: Option<()>,
    device: Option<()>,
    approval_code: Option<()>,
    authorized: bool,
    capturable: bool,
    capture: bool,
    disputable: bool,
    livemode: bool,
    refundable: bool,
    partially_refundable: bool,
    reversed: bool,
    reversible: bool,
    voided: bool,
    paid: bool,
    expired: bool,
    can_perform_void: bool,
    authorization_type: Option<&'static str>,
    authorized_amount: i64,
    captured_amount: i64,
    multi_capture: bool,
}

/// Recordings write these rates as text.
#[derive(Serialize)]
struct Fees {
    fee_flat: &'static str,
    fee_rate: &'static str,
    vat_rate: &'static str,
}

#[derive(Serialize)]
struct PlatformFee {
    fixed: Option<()>,
    amount: Option<()>,
    percentage: Option<()>,
}

/// Metadata kept as text, back as an object.
pub fn metadata_value(text: Option<&str>) -> Value {
    let empty = || Value::Object(serde_json::Map::new());
    text.map_or_else(empty, |text| serde_json::from_str(text).unwrap_or_else(|_| empty()))
}

/// The charge at this place, as the API shows it.
pub fn view(world: &World, place: u32) -> ChargeView<'_> {
    let charge = world.charges.at(place);
    let id = world.charges.name(place);
    let (fee, fee_vat) = currency::fees(charge.amount);
    let funding = charge.currency.in_account_currency(charge.amount);
    let refunded = refunds::total(world, charge);
    let paid = charge.status == Status::Successful;
    let reversed = charge.status == Status::Reversed;
    let failed = matches!(charge.status, Status::Failed | Status::Expired);
    let failure = charge.failure.as_deref();
    let seconds = |at: Option<i64>| at.map(time::show);
    ChargeView {
        object: "charge",
        location: format!("/charges/{id}"),
        amount: charge.amount,
        acquirer_reference_number: None,
        net: charge.amount - fee - fee_vat,
        fee,
        fee_vat,
        interest: 0,
        interest_vat: 0,
        funding_amount: funding,
        refunded_amount: refunded,
        transaction_fees: Fees { fee_flat: "0.0", fee_rate: "3.65", vat_rate: "7.0" },
        platform_fee: PlatformFee { fixed: None, amount: None, percentage: None },
        currency: charge.currency.code(),
        funding_currency: Currency::ACCOUNT.code(),
        ip: charge.ip.as_deref(),
        refunds: refunds::list_of(world, place, &Page::first(world.now_ms())),
        link: None,
        description: charge.description.as_deref(),
        metadata: metadata_value(charge.metadata.as_deref()),
        card: cards::view(world, charge.card),
        source: None,
        schedule: charge.schedule.as_deref(),
        linked_account: None,
        customer: charge.customer.map(|customer| world.customers.name(customer)),
        dispute: None,
        transaction: charge.transaction.map(|transaction| world.transactions.name(transaction)),
        failure_code: failure.map(|failure| failure.code.as_ref()),
        failure_message: failure.map(|failure| super::testcards::failure_message(&failure.code)),
        merchant_advice: failure.and_then(|failure| failure.advice.as_deref()),
        merchant_advice_code: failure.and_then(|failure| failure.advice_code.as_deref()),
        status: charge.status,
        authorize_uri: charge.three_ds.then(|| super::three_ds::page(world, place)),
        return_uri: charge.return_uri.as_deref(),
        missing_3ds_fields: [],
        created_at: time::show(world.charges.id(place).seconds()),
        paid_at: seconds(charge.paid_at),
        authorized_at: seconds(charge.authorized_at),
        expires_at: time::show(charge.expires_at),
        // Recordings show it on charges that will never expire; the flag beside it tells the truth.
        expired_at: Some(time::show(match charge.status {
            Status::Expired => charge.ended_at.unwrap_or(charge.expires_at),
            _ => charge.expires_at,
        })),
        reversed_at: seconds(charge.ended_at.filter(|_| reversed)),
        zero_interest_installments: false,
        branch: None,
        terminal: None,
        device: None,
        approval_code: None,
        authorized: charge.authorized,
        capturable: charge.capturable(),
        capture: charge.capture,
        disputable: paid,
        livemode: false,
        refundable: paid && refunded < charge.captured_amount,
        partially_refundable: paid && refunded < charge.captured_amount,
        reversed,
        reversible: charge.capturable(),
        voided: false,
        paid,
        // So recorded: failed charges say expired as well.
        expired: failed,
        can_perform_void: false,
        authorization_type: (!charge.capture).then_some("pre_auth"),
        authorized_amount: if charge.authorized { charge.amount } else { 0 },
        captured_amount: charge.captured_amount,
        multi_capture: false,
        id,
    }
}

/// `PATCH /charges/{id}`: description and metadata only.
pub fn update(world: &mut World, place: u32, params: &Params) -> Result<(), ApiError> {
    let metadata = customers::read_metadata(params)?;
    events::before_change(world, place);
    let charge = world.charges.change(place);
    params.update("description", &mut charge.description);
    if metadata.is_some() {
        charge.metadata = metadata;
    }
    events::tell(world, "charge.update", Subject::Charge(place));
    Ok(())
}
