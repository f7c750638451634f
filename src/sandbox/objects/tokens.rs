//! The vault: card numbers go in, single-use tokens come out.
//!
//! Promises: a token is spent once, by attaching or by charging; after that it shows no card. Must never
//! keep a number.

use serde::{Deserialize, Serialize};

use super::cards::{self, Address, Card, CardView};
use super::error::ApiError;
use super::params::Params;
use super::testcards;
use crate::sandbox::state::ids::mix;
use crate::sandbox::state::shelf::Record;
use crate::sandbox::state::time;
use crate::sandbox::state::world::World;

/// A card on its way from the browser to the merchant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Token {
    pub card: u32,
    pub used: bool,
}

impl Record for Token {
    const PREFIX: &'static str = "tokn";
    const NAME: &'static str = "token";
}

/// What the API shows of a token.
#[derive(Serialize)]
pub struct TokenView<'a> {
    object: &'static str,
    id: String,
    livemode: bool,
    location: String,
    used: bool,
    charge_status: &'static str,
    card: Option<CardView<'a>>,
    created_at: String,
}

/// The token at this place, as the API shows it.
pub fn view(world: &World, place: u32) -> TokenView<'_> {
    let token = world.tokens.at(place);
    let id = world.tokens.name(place);
    TokenView {
        object: "token",
        livemode: false,
        location: format!("{}/tokens/{id}", world.base_url),
        used: token.used,
        charge_status: "unknown",
        card: (!token.used).then(|| cards::view(world, token.card)),
        created_at: time::show(world.tokens.id(place).seconds()),
        id,
    }
}

/// `POST /tokens`.
pub fn create(world: &mut World, params: &Params) -> Result<u32, ApiError> {
    let sent = params.group("card");
    if sent.0.is_empty() {
        return Err(ApiError::bad("bad_request", "card is missing"));
    }
    let card = read_card(world, &sent)?;
    let now = world.now_ms();
    let card = world.cards.add(now, card);
    Ok(world.tokens.add(now, Token { card, used: false }))
}

fn read_card(world: &World, sent: &Params) -> Result<Card, ApiError> {
    let bad = |message: &str| ApiError::bad("invalid_card", message);
    let number: String = sent.text("number").unwrap_or_default().replace([' ', '-'], "");
    let (brand, temper) = testcards::identify(&number).ok_or_else(|| bad("number is invalid"))?;
    let name = sent.text("name").ok_or_else(|| bad("name can't be blank"))?;
    let month =
        sent.whole("expiration_month").ok().flatten().ok_or_else(|| bad("expiration month is invalid"))?;
    let year =
        sent.whole("expiration_year").ok().flatten().ok_or_else(|| bad("expiration year is invalid"))?;
    let card = Card {
        owner: None,
        brand,
        temper,
        last_digits: number[number.len() - 4..].parse().unwrap_or(0),
        fingerprint: number.bytes().fold(world.seed, |sum, byte| mix(sum ^ u64::from(byte))),
        name: Some(name.into()),
        month: cards::check_month(month)?,
        year: cards::check_year(year)?,
        address: read_address(sent),
        deleted: false,
    };
    if card.expired(world.now_ms()) {
        return Err(bad("expiration date cannot be in the past"));
    }
    Ok(card)
}

fn read_address(sent: &Params) -> Option<Box<Address>> {
    let address = Address {
        street1: sent.text("street1"),
        street2: sent.text("street2"),
        city: sent.text("city"),
        state: sent.text("state"),
        phone_number: sent.text("phone_number"),
        postal_code: sent.text("postal_code"),
        country: sent.text("country").map(|code| code.to_lowercase()),
    };
    let told = [&address.street1, &address.street2, &address.city, &address.state, &address.phone_number];
    let any = told.iter().any(|field| field.is_some()) || address.postal_code.is_some();
    (any || address.country.is_some()).then(|| Box::new(address))
}

/// The token of this id, whether spent or not.
pub fn find(world: &World, id: &str) -> Result<u32, ApiError> {
    world.tokens.find(id).ok_or_else(|| ApiError::not_found("token", id))
}

/// The token of this id, if nobody has spent it.
pub fn unused(world: &World, id: &str) -> Result<u32, ApiError> {
    let place = find(world, id)?;
    if world.tokens.at(place).used {
        return Err(ApiError::bad("used_token", "token was already used"));
    }
    Ok(place)
}

/// Spends the token and hands out its card.
pub fn spend(world: &mut World, place: u32) -> u32 {
    let token = world.tokens.change(place);
    token.used = true;
    token.card
}
