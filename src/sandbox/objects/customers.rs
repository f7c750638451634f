//! Customers: their record, what the API shows, create, update and destroy.
//!
//! Promises: the first card becomes the default, later ones do not; destroying leaves no card behind.
//! Must never know charges.

use serde::{Deserialize, Serialize};
use serde_json::value::Value;

use super::cards::{self, CardView};
use super::error::ApiError;
use super::events::{self, Subject};
use super::lists::{List, Page};
use super::params::Params;
use super::tokens;
use crate::sandbox::state::seed::Fate;
use crate::sandbox::state::shelf::Record;
use crate::sandbox::state::time;
use crate::sandbox::state::world::World;

/// The longest metadata, in characters once written as JSON.
const METADATA_LIMIT: usize = 15_000;

/// A customer with saved cards.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Customer {
    pub email: Option<Box<str>>,
    pub description: Option<Box<str>>,
    /// A JSON object as text; `None` when empty.
    pub metadata: Option<Box<str>>,
    /// For seeded customers: what was arranged for them.
    pub fate: Option<Fate>,
    /// Places of the cards, oldest first.
    pub cards: Vec<u32>,
    pub default_card: Option<u32>,
    pub deleted: bool,
}

impl Record for Customer {
    const PREFIX: &'static str = "cust";
    const NAME: &'static str = "customer";

    fn listed(&self) -> bool {
        !self.deleted
    }
}

/// What the API shows of a customer.
#[derive(Serialize)]
pub struct CustomerView<'a> {
    object: &'static str,
    id: String,
    livemode: bool,
    location: String,
    deleted: bool,
    metadata: Value,
    cards: List<CardView<'a>>,
    default_card: Option<String>,
    linked_accounts: List<()>,
    description: Option<&'a str>,
    email: Option<&'a str>,
    created_at: String,
}

/// The customer at this place, as the API shows it.
pub fn view(world: &World, place: u32) -> CustomerView<'_> {
    let customer = world.customers.at(place);
    let id = world.customers.name(place);
    let page = Page::first(world.now_ms());
    CustomerView {
        object: "customer",
        livemode: false,
        location: format!("/customers/{id}"),
        deleted: customer.deleted,
        metadata: metadata(customer),
        cards: cards::list(world, place, &page),
        default_card: customer.default_card.map(|card| world.cards.name(card)),
        linked_accounts: List::of(&[], &page, format!("/customers/{id}/linked_accounts"), |_| ()),
        description: customer.description.as_deref(),
        email: customer.email.as_deref(),
        created_at: time::show(world.customers.id(place).seconds()),
        id,
    }
}

/// The metadata as the API shows it; a seeded customer's carries its switch.
pub fn metadata(customer: &Customer) -> Value {
    match (&customer.metadata, customer.fate.and_then(Fate::switch)) {
        (Some(text), _) => serde_json::from_str(text).unwrap_or_default(),
        (None, Some(switch)) => serde_json::json!({ "sandbox_fate": switch }),
        (None, None) => Value::Object(serde_json::Map::new()),
    }
}

/// The customer of this id, if it was not destroyed.
pub fn find(world: &World, id: &str) -> Result<u32, ApiError> {
    world
        .customers
        .find(id)
        .filter(|place| !world.customers.at(*place).deleted)
        .ok_or_else(|| ApiError::not_found("customer", id))
}

/// Metadata as the client sent it, written as text. `None` when nothing was sent.
pub fn read_metadata(params: &Params) -> Result<Option<Box<str>>, ApiError> {
    let Some(value) = params.get("metadata") else { return Ok(None) };
    if !value.is_object() {
        return Err(ApiError::bad("bad_request", "metadata must be an object"));
    }
    let text = value.to_string();
    if text.chars().count() > METADATA_LIMIT {
        return Err(ApiError::bad(
            "bad_request",
            format!("metadata is longer than {METADATA_LIMIT} characters"),
        ));
    }
    Ok(Some(text.into()))
}

/// `POST /customers`.
pub fn create(world: &mut World, params: &Params) -> Result<u32, ApiError> {
    let metadata = read_metadata(params)?;
    let token = params.text("card").map(|id| tokens::unused(world, &id)).transpose()?;
    let now = world.now_ms();
    let place = world.customers.add(
        now,
        Customer {
            email: params.text("email").map(Into::into),
            description: params.text("description").map(Into::into),
            metadata,
            fate: None,
            cards: Vec::new(),
            default_card: None,
            deleted: false,
        },
    );
    if let Some(token) = token {
        attach(world, place, token);
    }
    events::tell(world, "customer.create", Subject::Customer(place));
    Ok(place)
}

/// `PATCH /customers/{id}`: a card token adds a card, `default_card` chooses among them.
pub fn update(world: &mut World, place: u32, params: &Params) -> Result<(), ApiError> {
    let metadata = read_metadata(params)?;
    let token = params.text("card").map(|id| tokens::unused(world, &id)).transpose()?;
    let chosen = params.text("default_card").map(|id| cards::find_of(world, place, &id)).transpose()?;
    let customer = world.customers.change(place);
    params.update("email", &mut customer.email);
    params.update("description", &mut customer.description);
    if metadata.is_some() {
        customer.metadata = metadata;
    }
    if chosen.is_some() {
        customer.default_card = chosen;
    }
    let key = if token.is_some() { "customer.update.card" } else { "customer.update" };
    if let Some(token) = token {
        attach(world, place, token);
    }
    events::tell(world, key, Subject::Customer(place));
    Ok(())
}

fn attach(world: &mut World, place: u32, token: u32) {
    let card = tokens::spend(world, token);
    world.cards.change(card).owner = Some(place);
    let customer = world.customers.change(place);
    customer.cards.push(card);
    customer.default_card.get_or_insert(card);
}

/// `DELETE /customers/{id}`.
pub fn destroy(world: &mut World, place: u32) {
    for card in std::mem::take(&mut world.customers.change(place).cards) {
        world.cards.change(card).deleted = true;
        world.cards.unlist(card);
    }
    let customer = world.customers.change(place);
    customer.default_card = None;
    customer.deleted = true;
    world.customers.unlist(place);
}
