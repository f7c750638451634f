//! What may happen to a charge after it was made: capture, reversal, expiry, settlement.
//!
//! Promises: every change goes into the ledger too, and no ended charge changes again. Must never know
//! how the request came.

use std::borrow::Cow;

use super::charges::{Failure, Status};
use super::charging;
use super::error::ApiError;
use super::events::{self, Subject};
use super::params::Params;
use crate::sandbox::state::world::World;

/// A pending charge is paid, or authorised if it is not to be captured yet.
pub fn succeed(world: &mut World, place: u32) {
    events::before_change(world, place);
    let now = world.now_seconds();
    let charge = world.charges.change(place);
    charge.authorized = true;
    charge.authorized_at = Some(now);
    charge.settles_ms = None;
    if charge.capture {
        capture_all(world, place, None);
    }
    events::tell(world, "charge.complete", Subject::Charge(place));
}

fn capture_all(world: &mut World, place: u32, amount: Option<i64>) {
    let now = world.now_seconds();
    let charge = world.charges.change(place);
    charge.status = Status::Successful;
    charge.captured_amount = amount.unwrap_or(charge.amount);
    charge.paid_at = Some(now);
    charging::book(world, place);
    tell_ledger(world, place);
}

/// A pending charge fails after all.
pub fn fail(world: &mut World, place: u32, code: Cow<'static, str>) {
    events::before_change(world, place);
    let now = world.now_seconds();
    let charge = world.charges.change(place);
    charge.status = Status::Failed;
    charge.failure = Some(Box::new(Failure { code, advice: None, advice_code: None }));
    charge.ended_at = Some(now);
    charge.settles_ms = None;
    tell_ledger(world, place);
    events::tell(world, "charge.complete", Subject::Charge(place));
}

fn end(world: &mut World, place: u32, status: Status, at: i64) {
    events::before_change(world, place);
    let charge = world.charges.change(place);
    charge.status = status;
    charge.ended_at = Some(at);
    charge.settles_ms = None;
    tell_ledger(world, place);
    let key = if status == Status::Expired { "charge.expire" } else { "charge.reverse" };
    events::tell(world, key, Subject::Charge(place));
}

fn tell_ledger(world: &mut World, place: u32) {
    let charge = world.charges.at(place);
    let (status, code) = (charging::word(charge.status), charge.failure.as_ref().map(|why| why.code.clone()));
    let id = world.charges.name(place);
    world.ledger.settle(&id, status, code.as_deref());
}

/// `POST /charges/{id}/capture`.
pub fn capture(world: &mut World, place: u32, params: &Params) -> Result<(), ApiError> {
    let bad = |message: &str| ApiError::bad("failed_capture", message);
    let charge = world.charges.at(place);
    if !charge.capturable() {
        return Err(bad("charge can't be captured"));
    }
    let wanted = params.whole("capture_amount").map_err(|()| bad("capture amount is invalid"))?;
    if wanted.is_some_and(|amount| amount <= 0 || amount > charge.amount) {
        return Err(bad("capture amount is larger than the authorized amount"));
    }
    events::before_change(world, place);
    capture_all(world, place, wanted);
    events::tell(world, "charge.capture", Subject::Charge(place));
    Ok(())
}

/// `POST /charges/{id}/reverse`.
pub fn reverse(world: &mut World, place: u32) -> Result<(), ApiError> {
    if !world.charges.at(place).capturable() {
        return Err(ApiError::bad("failed_reverse", "charge can't be reversed"));
    }
    let now = world.now_seconds();
    end(world, place, Status::Reversed, now);
    Ok(())
}

/// `POST /charges/{id}/expire`.
pub fn expire(world: &mut World, place: u32) -> Result<(), ApiError> {
    if world.charges.at(place).status != Status::Pending {
        return Err(ApiError::bad("failed_expire", "charge can't be expired"));
    }
    let now = world.now_seconds();
    end(world, place, Status::Expired, now);
    Ok(())
}

/// Lets time act on this charge: what was in flight lands, what waited too long expires or is reversed.
pub fn ripen(world: &mut World, place: u32) {
    let charge = world.charges.at(place);
    if charge.status != Status::Pending {
        return;
    }
    if charge.settles_ms.is_some_and(|due| due <= world.now_ms()) {
        succeed(world, place);
    } else if charge.expires_at <= world.now_seconds() {
        let (status, at) = if charge.authorized {
            (Status::Reversed, charge.expires_at)
        } else {
            (Status::Expired, charge.expires_at)
        };
        end(world, place, status, at);
    }
}

/// `POST /charges/{id}/mark_as_paid` and `mark_as_failed`, which only test mode has.
pub fn mark(world: &mut World, place: u32, paid: bool) -> Result<(), ApiError> {
    let charge = world.charges.at(place);
    if charge.status != Status::Pending || charge.authorized {
        return Err(ApiError::bad("invalid_charge", "charge is not pending"));
    }
    if paid {
        succeed(world, place);
    } else {
        fail(world, place, "failed_processing".into());
    }
    Ok(())
}
