//! 3-D Secure: the page where a customer approves or refuses a pending charge.
//!
//! Promises: a charge is settled once; after that the page changes nothing. Must never know routes.

use super::charges::Status;
use super::error::ApiError;
use super::lifecycle;
use super::testcards::Temper;
use crate::sandbox::state::world::World;

/// Where the customer goes to authorise this charge.
pub fn page(world: &World, place: u32) -> String {
    let id = world.charges.name(place);
    let payment = id.replacen("chrg_", "paym_", 1);
    format!("{}/payments/{payment}/authorize", world.base_url)
}

/// The charge a payment page belongs to.
pub fn charge_of(world: &World, payment: &str) -> Result<u32, ApiError> {
    world
        .charges
        .find(&payment.replacen("paym_", "chrg_", 1))
        .filter(|place| world.charges.at(*place).three_ds)
        .ok_or_else(|| ApiError::not_found("payment", payment))
}

/// The customer passed, or refused. True if that settled the charge.
pub fn answer(world: &mut World, place: u32, approved: bool) -> bool {
    if world.charges.at(place).status != Status::Pending || world.charges.at(place).authorized {
        return false;
    }
    let temper = world.cards.at(world.charges.at(place).card).temper.clone();
    match temper {
        _ if !approved => lifecycle::fail(world, place, "payment_cancelled".into()),
        Temper::ValidationFails => lifecycle::fail(world, place, "failed_processing".into()),
        Temper::Declines(code) => lifecycle::fail(world, place, code),
        _ => lifecycle::succeed(world, place),
    }
    true
}

/// The page itself: two buttons, or the news that it is settled.
pub fn html(world: &World, place: u32) -> String {
    let charge = world.charges.at(place);
    let (amount, currency) = (charge.amount, charge.currency.code());
    let id = world.charges.name(place);
    let action = page(world, place);
    let settled = charge.status != Status::Pending || charge.authorized;
    let middle = if settled {
        "<p>This payment is settled.</p>".to_owned()
    } else {
        format!(
            "<form method=\"post\" action=\"{action}\"><button name=\"answer\" value=\"approve\">Approve</button> \
             <button name=\"answer\" value=\"deny\">Refuse</button></form>"
        )
    };
    format!(
        "<!doctype html><meta charset=\"utf-8\"><title>Pretend 3-D Secure</title>\
         <h1>Pretend 3-D Secure</h1><p>{id}: {amount} {currency}, in the smallest unit</p>{middle}"
    )
}
