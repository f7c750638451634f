//! Cards: their record, what the API shows of them, and the calls on one customer's cards.
//!
//! Promises: a number is never kept, only its last digits and a fingerprint. Must never know charges.

use base64::Engine as _;
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use super::events::{self, Subject};
use super::lists::{List, Page};
use super::params::Params;
use super::testcards::{Brand, Temper};
use crate::sandbox::state::ids::mix;
use crate::sandbox::state::shelf::Record;
use crate::sandbox::state::time;
use crate::sandbox::state::world::World;

/// A card saved or about to be.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Card {
    /// The customer it belongs to; `None` in a token and for a card charged by token.
    pub owner: Option<u32>,
    pub brand: Brand,
    pub temper: Temper,
    pub last_digits: u16,
    pub fingerprint: u64,
    /// `None` for seeded cards, whose holder has a standing name.
    pub name: Option<Box<str>>,
    pub month: u8,
    pub year: u16,
    pub address: Option<Box<Address>>,
    pub deleted: bool,
}

/// Where the holder lives, as far as told.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Address {
    pub street1: Option<String>,
    pub street2: Option<String>,
    pub city: Option<String>,
    pub state: Option<String>,
    pub phone_number: Option<String>,
    pub postal_code: Option<String>,
    pub country: Option<String>,
}

impl Record for Card {
    const PREFIX: &'static str = "card";
    const NAME: &'static str = "card";

    fn listed(&self) -> bool {
        !self.deleted
    }
}

impl Card {
    /// True once the last instant of its month has passed everywhere on earth (twelve hours behind UTC).
    pub fn expired(&self, now_ms: u64) -> bool {
        let (year, month) =
            if self.month >= 12 { (self.year.saturating_add(1), 1) } else { (self.year, self.month + 1) };
        let (Ok(year), Ok(month)) = (i16::try_from(year), i8::try_from(month)) else { return false };
        let Ok(date) = jiff::civil::Date::new(year, month, 1) else { return false };
        let end = date.at(12, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC);
        end.is_ok_and(|end| i64::try_from(now_ms).unwrap_or(i64::MAX) >= end.timestamp().as_millisecond())
    }
}

/// What the API shows of a card.
#[derive(Serialize)]
pub struct CardView<'a> {
    object: &'static str,
    id: String,
    livemode: bool,
    location: Option<String>,
    deleted: bool,
    street1: Option<&'a str>,
    street2: Option<&'a str>,
    city: Option<&'a str>,
    state: Option<&'a str>,
    phone_number: Option<&'a str>,
    postal_code: Option<&'a str>,
    country: &'a str,
    financing: &'static str,
    bank: &'static str,
    brand: Brand,
    fingerprint: String,
    first_digits: Option<&'a str>,
    last_digits: String,
    name: &'a str,
    expiration_month: u8,
    expiration_year: u16,
    security_code_check: bool,
    tokenization_method: Option<&'a str>,
    created_at: String,
}

fn fingerprint(value: u64) -> String {
    let mut bytes = [0u8; 32];
    for (turn, chunk) in bytes.chunks_mut(8).enumerate() {
        chunk.copy_from_slice(&mix(value.wrapping_add(turn as u64)).to_be_bytes());
    }
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// The card at this place, as the API shows it.
pub fn view(world: &World, place: u32) -> CardView<'_> {
    let card = world.cards.at(place);
    let id = world.cards.name(place);
    let location = card.owner.map(|owner| format!("/customers/{}/cards/{id}", world.customers.name(owner)));
    let address = card.address.as_deref();
    let told = |pick: fn(&Address) -> &Option<String>| address.and_then(|known| pick(known).as_deref());
    CardView {
        object: "card",
        livemode: false,
        location,
        deleted: card.deleted,
        street1: told(|known| &known.street1),
        street2: told(|known| &known.street2),
        city: told(|known| &known.city),
        state: told(|known| &known.state),
        phone_number: told(|known| &known.phone_number),
        postal_code: told(|known| &known.postal_code),
        country: told(|known| &known.country).unwrap_or("th"),
        financing: "credit",
        bank: "Pretend Bank",
        brand: card.brand,
        fingerprint: fingerprint(card.fingerprint),
        first_digits: None,
        last_digits: format!("{:04}", card.last_digits),
        name: card.name.as_deref().unwrap_or("Somchai Prasert"),
        expiration_month: card.month,
        expiration_year: card.year,
        security_code_check: true,
        tokenization_method: None,
        created_at: time::show(world.cards.id(place).seconds()),
        id,
    }
}

/// A card of this customer by id, not destroyed.
pub fn find_of(world: &World, customer: u32, id: &str) -> Result<u32, ApiError> {
    world
        .cards
        .find(id)
        .filter(|place| world.cards.at(*place).owner == Some(customer) && !world.cards.at(*place).deleted)
        .ok_or_else(|| ApiError::not_found("card", id))
}

/// `GET /customers/{id}/cards`, and the list embedded in a customer.
pub fn list<'a>(world: &'a World, customer: u32, page: &Page) -> List<CardView<'a>> {
    let location = format!("/customers/{}/cards", world.customers.name(customer));
    let owned = &world.customers.at(customer).cards;
    let inside: Vec<u32> = owned
        .iter()
        .copied()
        .filter(|place| (page.from..=page.to).contains(&world.cards.id(*place).seconds()))
        .collect();
    List::of(&inside, page, location, |place| view(world, place))
}

/// `PATCH /customers/{id}/cards/{card}`: name, expiry, postal code and city.
pub fn update(world: &mut World, place: u32, params: &Params) -> Result<(), ApiError> {
    let bad = |what: &str| ApiError::bad("invalid_card", format!("{what} is invalid"));
    let month = params.whole("expiration_month").map_err(|()| bad("expiration month"))?;
    let year = params.whole("expiration_year").map_err(|()| bad("expiration year"))?;
    let month = month.map(check_month).transpose()?;
    let year = year.map(check_year).transpose()?;
    let card = world.cards.change(place);
    card.month = month.unwrap_or(card.month);
    card.year = year.unwrap_or(card.year);
    if let Some(name) = params.text("name") {
        card.name = Some(name.into());
    }
    let (postal_code, city) = (params.text("postal_code"), params.text("city"));
    if postal_code.is_some() || city.is_some() {
        let address = card.address.get_or_insert_default();
        address.postal_code = postal_code.or(address.postal_code.take());
        address.city = city.or(address.city.take());
    }
    events::tell(world, "card.update", Subject::Card(place));
    Ok(())
}

/// A month of the year, or the API's refusal.
pub fn check_month(month: i64) -> Result<u8, ApiError> {
    let known = u8::try_from(month).ok().filter(|month| (1..=12).contains(month));
    known.ok_or_else(|| ApiError::bad("invalid_card", "expiration month is not between 1 and 12"))
}

/// A year of four digits, or the API's refusal. Two digits mean this century.
pub fn check_year(year: i64) -> Result<u16, ApiError> {
    let year = if (0..100).contains(&year) { year + 2000 } else { year };
    let known = u16::try_from(year).ok().filter(|year| (2000..=9998).contains(year));
    known.ok_or_else(|| ApiError::bad("invalid_card", "expiration year is invalid"))
}

/// `DELETE` of a card: gone from the customer, who falls back on the newest remaining one.
pub fn destroy(world: &mut World, customer: u32, place: u32) {
    world.cards.change(place).deleted = true;
    world.cards.unlist(place);
    let owner = world.customers.change(customer);
    owner.cards.retain(|card| *card != place);
    if owner.default_card == Some(place) {
        owner.default_card = owner.cards.last().copied();
    }
    events::tell(world, "card.destroy", Subject::Card(place));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_works_through_the_last_instant_of_its_month_anywhere() {
        let card = Card {
            owner: None,
            brand: Brand::Visa,
            temper: Temper::Pays,
            last_digits: 4242,
            fingerprint: 1,
            name: None,
            month: 12,
            year: 2026,
            address: None,
            deleted: false,
        };
        let at = |text: &str| {
            u64::try_from(time::read(text).expect("instant").as_millisecond()).expect("after 1970")
        };
        assert!(!card.expired(at("2027-01-01T11:59:59Z")));
        assert!(card.expired(at("2027-01-01T12:00:00Z")));
    }
}
