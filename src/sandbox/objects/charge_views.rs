//! What the API shows of a charge.
//!
//! Promises: every field of version 2019-05-29, with the flags as recordings have them, odd ones included.
//! Must never change a charge.

use serde::Serialize;
use serde_json::Value;

use super::cards::{self, CardView};
use super::charges::{Status, metadata_value};
use super::currency::{self, Currency};
use super::lists::{List, Page};
use super::refunds::{self, RefundView};
use super::{testcards, three_ds};
use crate::sandbox::state::time;
use crate::sandbox::state::world::World;

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
        failure_message: failure.map(|failure| testcards::failure_message(&failure.code)),
        merchant_advice: failure.and_then(|failure| failure.advice.as_deref()),
        merchant_advice_code: failure.and_then(|failure| failure.advice_code.as_deref()),
        status: charge.status,
        authorize_uri: charge.three_ds.then(|| three_ds::page(world, place)),
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
