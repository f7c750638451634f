//! Which call leads where, and which key it needs.
//!
//! Promises: every success is the JSON of one object, list or search. Must never know sockets or switches
//! beyond handing them on.

use hyper::Method;
use serde::Serialize;

use super::call::Call;
use crate::sandbox::objects::error::ApiError;
use crate::sandbox::objects::events::{self, Subject};
use crate::sandbox::objects::lists::{List, Page};
use crate::sandbox::objects::params::Params;
use crate::sandbox::objects::{
    account, cards, charge_views, charges, charging, customers, lifecycle, refunds, schedule_views,
    schedules, search, tokens, transactions,
};
use crate::sandbox::state::faults::Fault;
use crate::sandbox::state::keys::Kind;
use crate::sandbox::state::shelf::{Record, Shelf};
use crate::sandbox::state::world::{World, find};

/// A written object, or a refusal.
pub type Written = Result<Vec<u8>, ApiError>;

fn write<T: Serialize>(view: &T) -> Written {
    let mut body = Vec::with_capacity(2560);
    serde_json::to_writer(&mut body, view).map_err(|_| ApiError::of_status(500))?;
    Ok(body)
}

/// Answers one call of the API or the vault.
pub fn answer(world: &mut World, call: &Call, faults: &[Fault]) -> Written {
    let kind = world.keys.kind(call.authorization.as_deref())?;
    let segments = call.segments();
    let wanted = match segments.first() {
        Some(&"tokens") => Some(Kind::Public),
        Some(&"capability") => None,
        _ => Some(Kind::Secret),
    };
    if wanted.is_some_and(|wanted| wanted != kind) {
        return Err(ApiError::authentication("authentication failed: this call needs the other kind of key"));
    }
    let verb = Verb::of(&call.method)?;
    match segments.as_slice() {
        ["customers", rest @ ..] => customer_call(world, verb, rest, &call.params),
        ["charges", rest @ ..] => charge_call(world, verb, rest, call, faults),
        ["tokens", rest @ ..] => token_call(world, verb, rest, &call.params),
        ["schedules", rest @ ..] => schedule_call(world, verb, rest, &call.params),
        rest => other_call(world, verb, rest, &call.params),
    }
}

/// Reading, making, changing, destroying.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    Get,
    Post,
    Patch,
    Delete,
}

impl Verb {
    fn of(method: &Method) -> Result<Self, ApiError> {
        match method.as_str() {
            "GET" => Ok(Self::Get),
            "POST" => Ok(Self::Post),
            "PATCH" | "PUT" => Ok(Self::Patch),
            "DELETE" => Ok(Self::Delete),
            _ => Err(ApiError::no_such_path()),
        }
    }
}

/// A page of a whole shelf.
fn page_of<'a, T: Record, V: Serialize>(
    world: &'a World,
    shelf: &Shelf<T>,
    params: &Params,
    location: &str,
    show: impl Fn(&'a World, u32) -> V,
) -> Written {
    let page = Page::read(params, world.now_ms())?;
    let inside = shelf.window(page.from, page.to);
    write(&List::of(inside, &page, location.to_owned(), |place| show(world, place)))
}

fn customer_call(world: &mut World, verb: Verb, rest: &[&str], params: &Params) -> Written {
    match (verb, rest) {
        (Verb::Get, []) => page_of(world, &world.customers, params, "/customers", customers::view),
        (Verb::Post, []) => {
            let place = customers::create(world, params)?;
            write(&customers::view(world, place))
        }
        (Verb::Get, ["search"]) => search::answer(world, params, Some("customer")),
        (Verb::Get, [id]) => write(&customers::view(world, customers::find(world, id)?)),
        (Verb::Patch, [id]) => {
            let place = customers::find(world, id)?;
            customers::update(world, place, params)?;
            write(&customers::view(world, place))
        }
        (Verb::Delete, [id]) => {
            let place = customers::find(world, id)?;
            customers::destroy(world, place);
            events::tell(world, "customer.destroy", Subject::Customer(place));
            write(&customers::view(world, place))
        }
        (Verb::Get, [id, "cards"]) => {
            let page = Page::read(params, world.now_ms())?;
            write(&cards::list(world, customers::find(world, id)?, &page))
        }
        (Verb::Get, [id, "schedules"]) => {
            let page = Page::read(params, world.now_ms())?;
            write(&schedule_views::list_of(world, customers::find(world, id)?, &page))
        }
        (_, [id, "cards", card]) => card_call(world, verb, id, card, params),
        _ => Err(ApiError::no_such_path()),
    }
}

fn card_call(world: &mut World, verb: Verb, customer: &str, card: &str, params: &Params) -> Written {
    let owner = customers::find(world, customer)?;
    let place = cards::find_of(world, owner, card)?;
    match verb {
        Verb::Get => {}
        Verb::Patch => cards::update(world, place, params)?,
        Verb::Delete => cards::destroy(world, owner, place),
        Verb::Post => return Err(ApiError::no_such_path()),
    }
    write(&cards::view(world, place))
}

fn charge_call(world: &mut World, verb: Verb, rest: &[&str], call: &Call, faults: &[Fault]) -> Written {
    let params = &call.params;
    match (verb, rest) {
        (Verb::Get, []) => return page_of(world, &world.charges, params, "/charges", charge_views::view),
        (Verb::Post, []) => {
            let place = charging::create(world, params, faults, call.idempotency_key.as_deref())?;
            return write(&charge_views::view(world, place));
        }
        (Verb::Get, ["search"]) => return search::answer(world, params, Some("charge")),
        (Verb::Get, ["schedules"]) => return schedule_call(world, verb, &[], params),
        (Verb::Get, ["schedules", "search"]) => {
            return search::answer(world, params, Some("charge_schedule"));
        }
        _ => {}
    }
    let [id, rest @ ..] = rest else { return Err(ApiError::no_such_path()) };
    let place = find(&world.charges, id)?;
    match (verb, rest) {
        (Verb::Get, []) => {}
        (Verb::Patch, []) => charges::update(world, place, params)?,
        (Verb::Post, ["capture"]) => lifecycle::capture(world, place, params)?,
        (Verb::Post, ["reverse"]) => lifecycle::reverse(world, place)?,
        (Verb::Post, ["expire"]) => lifecycle::expire(world, place)?,
        (Verb::Post, ["mark_as_paid"]) => lifecycle::mark(world, place, true)?,
        (Verb::Post, ["mark_as_failed"]) => lifecycle::mark(world, place, false)?,
        (Verb::Get, ["events"]) => {
            let page = Page::read(params, world.now_ms())?;
            return write(&events::list_of_charge(world, place, &page));
        }
        (_, ["refunds", rest @ ..]) => return refund_call(world, verb, place, rest, params),
        _ => return Err(ApiError::no_such_path()),
    }
    write(&charge_views::view(world, place))
}

fn refund_call(world: &mut World, verb: Verb, charge: u32, rest: &[&str], params: &Params) -> Written {
    match (verb, rest) {
        (Verb::Get, []) => {
            let page = Page::read(params, world.now_ms())?;
            write(&refunds::list_of(world, charge, &page))
        }
        (Verb::Post, []) => {
            let place = refunds::create(world, charge, params)?;
            write(&refunds::view(world, place))
        }
        (Verb::Get, [id]) => {
            let place = find(&world.refunds, id)?;
            if world.refunds.at(place).charge != charge {
                return Err(ApiError::not_found("refund", id));
            }
            write(&refunds::view(world, place))
        }
        _ => Err(ApiError::no_such_path()),
    }
}

fn token_call(world: &mut World, verb: Verb, rest: &[&str], params: &Params) -> Written {
    match (verb, rest) {
        (Verb::Post, []) => {
            let place = tokens::create(world, params)?;
            write(&tokens::view(world, place))
        }
        (Verb::Get, [id]) => write(&tokens::view(world, tokens::find(world, id)?)),
        _ => Err(ApiError::no_such_path()),
    }
}

fn schedule_call(world: &mut World, verb: Verb, rest: &[&str], params: &Params) -> Written {
    match (verb, rest) {
        (Verb::Get, []) => page_of(world, &world.schedules, params, "/schedules", schedule_views::view),
        (Verb::Post, []) => {
            let place = schedules::create(world, params)?;
            write(&schedule_views::view(world, place))
        }
        (Verb::Get, [id]) => write(&schedule_views::view(world, find(&world.schedules, id)?)),
        (Verb::Delete, [id]) => {
            let place = find(&world.schedules, id)?;
            schedules::destroy(world, place)?;
            write(&schedule_views::view(world, place))
        }
        (Verb::Get, [id, "occurrences"]) => {
            let page = Page::read(params, world.now_ms())?;
            write(&schedule_views::list_occurrences(world, find(&world.schedules, id)?, &page))
        }
        _ => Err(ApiError::no_such_path()),
    }
}

fn other_call(world: &mut World, verb: Verb, rest: &[&str], params: &Params) -> Written {
    if verb == Verb::Patch && *rest == ["account"] {
        account::update(world, params)?;
    } else if verb != Verb::Get {
        return Err(ApiError::no_such_path());
    }
    match rest {
        ["account"] => write(&account::account(world)),
        ["balance"] => write(&account::balance(world)),
        ["capability"] => write(&account::capability(world)),
        ["forex", code] => write(&account::forex(code)?),
        ["search"] => search::answer(world, params, None),
        ["refunds"] => page_of(world, &world.refunds, params, "/refunds", refunds::view),
        ["refunds", "search"] => search::answer(world, params, Some("refund")),
        ["events"] => page_of(world, &world.events, params, "/events", events::view),
        ["events", id] => write(&events::view(world, find(&world.events, id)?)),
        ["occurrences", id] => write(&schedule_views::view_occurrence(world, find(&world.occurrences, id)?)),
        [kind @ ("disputes" | "links" | "receipts" | "recipients" | "transfers"), rest @ ..] => {
            nothing_of(world, kind, rest, params)
        }
        ["transactions"] => page_of(world, &world.transactions, params, "/transactions", transactions::view),
        ["transactions", id] => write(&transactions::view(world, find(&world.transactions, id)?)),
        _ => Err(ApiError::no_such_path()),
    }
}

/// Objects that this account never has: their lists are empty.
fn nothing_of(world: &World, kind: &str, rest: &[&str], params: &Params) -> Written {
    match rest {
        [] | ["open" | "pending" | "closed"] => {
            let page = Page::read(params, world.now_ms())?;
            write(&List::of(&[], &page, format!("/{kind}"), |_| ()))
        }
        [id] => Err(ApiError::not_found(kind.trim_end_matches('s'), id)),
        _ => Err(ApiError::no_such_path()),
    }
}
