//! The control desk under `/__sandbox/`: what tests and demonstrations ask and set, without a key.
//!
//! Promises: nothing here looks like the API, and a wrong word is refused with a sentence. Must never be
//! reached by a client of the API by accident.

use hyper::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::answer::Answer;
use super::call::Call;
use crate::sandbox::beside;
use crate::sandbox::objects::error::ApiError;
use crate::sandbox::objects::three_ds;
use crate::sandbox::state::rules::Rule;
use crate::sandbox::state::seed::{self, Fates};
use crate::sandbox::state::time;
use crate::sandbox::state::world::{Settings, World, find};

/// The first part of every path here.
pub const ROOT: &str = "__sandbox";

type Reply = Result<Value, ApiError>;

/// Answers a call whose path begins with [`ROOT`].
pub fn answer(world: &mut World, call: &Call) -> Answer {
    let segments = call.segments();
    let reply = match (call.method == Method::GET, segments.get(1..).unwrap_or_default()) {
        (true, ["ledger"]) => return Answer::object(ledger(world, call).into_bytes()),
        (true, ["home"]) => Ok(beside::told(world.home.as_deref())),
        (true, ["customers"]) => Ok(json!(seed::list(world))),
        (true, ["traffic"]) => {
            Ok(json!({"requests": world.traffic.requests, "refused": world.traffic.refused}))
        }
        (_, ["faults"]) => faults(world, call),
        (_, ["settings"]) => settings(world, call),
        (_, ["clock"]) => clock(world, call),
        (false, ["seed"]) => plant(world, call),
        (false, ["charges", id, verdict @ ("approve" | "deny")]) => settle(world, id, *verdict == "approve"),
        _ => Err(ApiError::no_such_path()),
    };
    match reply {
        Ok(value) => Answer::object(value.to_string().into_bytes()),
        Err(error) => Answer::refusal(&error),
    }
}

/// Every entry; with `summary=1` counts and sums; with `customer=ID` that customer's alone.
fn ledger(world: &World, call: &Call) -> String {
    if call.params.flag("summary") == Some(true) {
        return world.ledger.summary().to_string();
    }
    let Some(customer) = call.params.text("customer") else { return world.ledger.text() };
    let mut own = world.ledger.entries();
    own.retain(|entry| entry.customer.as_ref() == Some(&customer));
    json!(own).to_string()
}

fn read<T: DeserializeOwned>(value: Value) -> Result<T, ApiError> {
    serde_json::from_value(value).map_err(|error| ApiError::bad("bad_request", error.to_string()))
}

/// `POST` adds one rule or, as `{"rules": […]}`, several; `DELETE` forgets all; `GET` shows them.
fn faults(world: &mut World, call: &Call) -> Reply {
    if call.method == Method::DELETE {
        world.faults.clear();
    } else if call.method != Method::GET {
        let rules: Vec<Rule> = match call.params.get("rules") {
            Some(rules) => read(rules.clone())?,
            None => vec![read(Value::Object(call.params.0.clone()))?],
        };
        for rule in rules {
            world.faults.add(rule).map_err(|message| ApiError::bad("bad_request", message))?;
        }
    }
    Ok(json!({"rules": world.faults.show()}))
}

/// `POST` changes the named settings and leaves the others.
fn settings(world: &mut World, call: &Call) -> Reply {
    if call.method != Method::GET {
        let mut now = json!(world.settings);
        for (name, value) in &call.params.0 {
            now[name] = value.clone();
        }
        world.settings = read::<Settings>(now)?;
    }
    Ok(json!(world.settings))
}

/// `{"set": INSTANT}` with `"hold": true` to stand still, `{"advance": SECONDS}`, or `{"real": true}`.
fn clock(world: &mut World, call: &Call) -> Reply {
    let bad = |what: &str| ApiError::bad("bad_request", format!("{what} cannot be read"));
    if let Some(text) = call.params.text("set") {
        let instant = time::read(&text).ok_or_else(|| bad("set"))?;
        world.time.set(instant, call.params.flag("hold") == Some(true));
    }
    if let Some(seconds) = call.params.whole("advance").map_err(|()| bad("advance"))? {
        world.time.advance(seconds);
    }
    if call.params.flag("real") == Some(true) {
        world.time.follow_real_time();
    }
    world.pass_time();
    Ok(json!({"now": time::show(world.now_seconds())}))
}

/// `{"customers": N, "fates": "mixed"|"paying"}`, into a world without customers.
fn plant(world: &mut World, call: &Call) -> Reply {
    if world.customers.len() > 0 {
        return Err(ApiError::bad("bad_request", "there are customers already"));
    }
    let count = call.params.whole("customers").ok().flatten().and_then(|count| u32::try_from(count).ok());
    let count = count.ok_or_else(|| ApiError::bad("bad_request", "customers cannot be read"))?;
    let fates = call.params.get("fates").cloned().map(read).transpose()?.unwrap_or(Fates::Mixed);
    seed::plant(world, count, fates);
    Ok(json!({"customers": count}))
}

/// The customer passed the 3-D Secure page, or refused.
fn settle(world: &mut World, id: &str, approved: bool) -> Reply {
    let place = find(&world.charges, id)?;
    let settled = three_ds::answer(world, place, approved);
    Ok(json!({"charge": id, "settled": settled}))
}
