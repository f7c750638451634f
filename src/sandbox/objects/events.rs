//! Events: what happened, with the object as it was then.
//!
//! Most charges never change again, so the newest event of a charge keeps no copy: the copy is taken at the
//! moment the charge is about to change. Promises: an event always shows the object as it was. Must never
//! know who listens.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::lists::{List, Page};
use super::{cards, charge_views, customers, refunds, schedule_views};
use crate::sandbox::http::webhooks;
use crate::sandbox::state::ids::{self, Id};
use crate::sandbox::state::shelf::Record;
use crate::sandbox::state::time;
use crate::sandbox::state::world::World;

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Subject {
    Charge(u32),
    Customer(u32),
    Card(u32),
    Refund(u32),
    Schedule(u32),
}

/// Something happened.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Event {
    pub key: Box<str>,
    pub subject: Subject,
    /// The object as it was, as JSON; `None` while it still is so.
    pub frozen: Option<Box<str>>,
    pub deliveries: Vec<Delivery>,
}

/// One attempt to tell a listener.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Delivery {
    pub uri: Box<str>,
    /// What the listener answered; 0 when it did not.
    pub status: u16,
    pub error: Option<Box<str>>,
    /// Milliseconds since 1970.
    pub at_ms: u64,
}

impl Record for Event {
    const PREFIX: &'static str = "evnt";
    const NAME: &'static str = "event";
}

/// The subject as it is now.
fn picture(world: &World, subject: Subject) -> Value {
    let drawn = match subject {
        Subject::Charge(place) => serde_json::to_value(charge_views::view(world, place)),
        Subject::Customer(place) => serde_json::to_value(customers::view(world, place)),
        Subject::Card(place) => serde_json::to_value(cards::view(world, place)),
        Subject::Refund(place) => serde_json::to_value(refunds::view(world, place)),
        Subject::Schedule(place) => Ok(schedule_views::view(world, place)),
    };
    drawn.unwrap_or_default()
}

/// Writes down that something happened, and tells whoever listens.
pub fn tell(world: &mut World, key: &'static str, subject: Subject) {
    let frozen = match subject {
        Subject::Charge(_) => None,
        _ => Some(picture(world, subject).to_string().into()),
    };
    let now = world.now_ms();
    let place = world.events.add(now, Event { key: key.into(), subject, frozen, deliveries: Vec::new() });
    if let Subject::Charge(charge) = subject {
        world.charges.change(charge).event = Some(place);
    }
    webhooks::queue(world, place);
}

/// Takes the copy that an event of this charge still owes. Called before any change of the charge.
pub fn before_change(world: &mut World, charge: u32) {
    let Some(place) = world.charges.at(charge).event else { return };
    let picture = picture(world, Subject::Charge(charge)).to_string();
    world.events.change(place).frozen = Some(picture.into());
    world.charges.change(charge).event = None;
}

/// The event without its deliveries: what listeners receive.
pub fn payload(world: &World, place: u32) -> Value {
    let event = world.events.at(place);
    let id = world.events.name(place);
    let data = match &event.frozen {
        Some(text) => serde_json::from_str(text).unwrap_or_default(),
        None => picture(world, event.subject),
    };
    json!({
        "object": "event",
        "id": id,
        "livemode": false,
        "location": format!("/events/{id}"),
        "webhook_deliveries": [],
        "data": data,
        "key": event.key,
        "created_at": time::show(world.events.id(place).seconds()),
    })
}

/// The event at this place, as the API shows it.
pub fn view(world: &World, place: u32) -> Value {
    let mut shown = payload(world, place);
    let text = shown.to_string();
    let event = world.events.at(place);
    let row = |delivery: &Delivery| {
        let at = i64::try_from(delivery.at_ms / 1000).unwrap_or(0);
        json!({
            "object": "webhook_delivery",
            "id": ids::spell("whdl", world.seed, Id { ms: delivery.at_ms, place }),
            "uri": delivery.uri,
            "status": delivery.status,
            "key": event.key,
            "error": delivery.error,
            "payload": text,
            // Deliveries alone write their instants this way.
            "created_at": time::show(at).replace('T', " ").replace('Z', " UTC"),
        })
    };
    shown["webhook_deliveries"] = event.deliveries.iter().map(row).collect();
    shown
}

/// `GET /charges/{id}/events`.
pub fn list_of_charge(world: &World, charge: u32, page: &Page) -> List<Value> {
    let location = format!("/charges/{}/events", world.charges.name(charge));
    // A charge makes at most a handful of events, all after itself.
    let from = page.from.max(world.charges.id(charge).seconds());
    let window = world.events.window(from, page.to);
    let own = |place: &u32| match world.events.at(*place).subject {
        Subject::Charge(other) => other == charge,
        Subject::Refund(refund) => world.refunds.at(refund).charge == charge,
        _ => false,
    };
    let inside: Vec<u32> = window.iter().copied().filter(own).collect();
    List::of(&inside, page, location, |place| view(world, place))
}
