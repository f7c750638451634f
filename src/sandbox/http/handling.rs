//! From a call to its answer, inside the world: admission, switches, idempotency, routing.
//!
//! Promises: switches that arrive with the data are found before anything is processed. Must never know
//! sockets.

use hyper::Method;
use serde_json::Value;

use super::answer::Answer;
use super::call::Call;
use super::routes;
use crate::sandbox::objects::error::ApiError;
use crate::sandbox::objects::{customers, three_ds};
use crate::sandbox::state::faults::{self, Fault};
use crate::sandbox::state::world::World;
use crate::sandbox::state::{ids, seed, time};

/// The metadata key that carries switches.
const SWITCH: &str = "sandbox_fate";

/// Counts the request and gathers its switches, or refuses it.
pub fn admit(world: &mut World, call: &Call) -> Result<Vec<Fault>, Answer> {
    let limit = world.settings.rate_limit;
    let steady = if limit.is_some() { time::steady_ms() } else { 0 };
    if !world.traffic.admit(limit, steady) {
        return Err(Answer::too_many(limit.and_then(|limit| limit.retry_after)));
    }
    world.pass_time();
    let mut found = match &call.faults {
        Some(text) => {
            let read = faults::read(text).map_err(|message| ApiError::bad("bad_request", message));
            read.map_err(|error| Answer::refusal(&error))?
        }
        None => Vec::new(),
    };
    let customer = call.params.get("customer").and_then(Value::as_str);
    let chance = ids::mix(world.seed ^ world.traffic.requests);
    found.extend(world.faults.apply(call.method.as_str(), &call.path, customer, chance));
    if call.method == Method::POST && call.path == "/charges" {
        found.extend(carried(world, call, customer));
    }
    Ok(found)
}

/// Switches in the charge's metadata and in its customer's.
fn carried(world: &World, call: &Call, customer: Option<&str>) -> Vec<Fault> {
    let mut found = Vec::new();
    if let Some(text) =
        call.params.get("metadata").and_then(|metadata| metadata.get(SWITCH)).and_then(Value::as_str)
    {
        found.extend(faults::read(text).unwrap_or_default());
    }
    let Some(place) = customer.and_then(|id| world.customers.find(id)) else { return found };
    let customer = world.customers.at(place);
    if customer.metadata.as_deref().is_some_and(|text| text.contains(SWITCH)) {
        let metadata = customers::metadata(customer);
        let text = metadata.get(SWITCH).and_then(Value::as_str).unwrap_or_default();
        found.extend(faults::read(text).unwrap_or_default());
    } else if let (None, Some(switch)) = (&customer.metadata, customer.fate.and_then(seed::Fate::switch)) {
        found.extend(faults::read(switch).unwrap_or_default());
    }
    found
}

/// Processes the call, or repeats what was answered before.
pub fn process(world: &mut World, call: &Call, faults: &[Fault]) -> Answer {
    if let ["payments", payment, "authorize"] = call.segments().as_slice() {
        return payment_page(world, call, payment);
    }
    let (mode, now) = (world.settings.idempotency, world.now_ms());
    let key = call.idempotency_key.as_deref().filter(|_| call.method != Method::GET);
    if let Some(key) = key {
        match world.memory.recall(mode, key, call.print, now) {
            Ok(Some((status, body))) => return Answer { status, ..Answer::object(body) },
            Ok(None) => {}
            Err(error) => return Answer::refusal(&error),
        }
    }
    let answer = match routes::answer(world, call, faults) {
        Ok(body) => Answer::object(body),
        Err(error) => Answer::refusal(&error),
    };
    if let Some(key) = key {
        world.memory.keep(mode, key, call.print, now, answer.status, &answer.body);
    }
    answer
}

/// The page where a customer approves or refuses: no key, a browser comes here.
fn payment_page(world: &mut World, call: &Call, payment: &str) -> Answer {
    let place = match three_ds::charge_of(world, payment) {
        Ok(place) => place,
        Err(error) => return Answer::refusal(&error),
    };
    if call.method == Method::POST {
        three_ds::answer(world, place, call.params.text("answer").as_deref() == Some("approve"));
        if let Some(uri) = world.charges.at(place).return_uri.as_deref() {
            return Answer::redirect(302, uri.to_owned());
        }
    }
    Answer::page(200, three_ds::html(world, place))
}

/// A request id in the recorded form.
pub fn request_id(number: u64) -> String {
    let other = ids::mix(number);
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        number >> 32,
        (number >> 16) & 0xffff,
        number & 0xfff,
        other >> 52,
        other & 0xffff_ffff_ffff
    )
}
