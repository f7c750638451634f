//! Charges: their record and its update.
//!
//! Promises: every instant is in whole seconds, every amount in the smallest unit. Must never decide what
//! becomes of a charge.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::currency::Currency;
use super::customers;
use super::error::ApiError;
use super::events::{self, Subject};
use super::params::Params;
use crate::sandbox::state::shelf::Record;
use crate::sandbox::state::world::World;

/// Seven days: how long a card charge may wait for the customer or for its capture.
pub const LIFETIME_SECONDS: i64 = 7 * 24 * 60 * 60;

/// The API's words for how a charge stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Pending,
    Successful,
    Failed,
    Expired,
    Reversed,
}

/// Why a charge failed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Failure {
    pub code: Cow<'static, str>,
    pub advice: Option<Box<str>>,
    pub advice_code: Option<Box<str>>,
}

/// One charge. Instants are seconds since 1970.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Charge {
    pub amount: i64,
    pub currency: Currency,
    pub customer: Option<u32>,
    pub card: u32,
    pub status: Status,
    pub failure: Option<Box<Failure>>,
    pub description: Option<Box<str>>,
    /// A JSON object as text; `None` when empty.
    pub metadata: Option<Box<str>>,
    pub return_uri: Option<Box<str>>,
    pub ip: Option<Box<str>>,
    /// False: only authorised, to be captured later.
    pub capture: bool,
    pub authorized: bool,
    pub captured_amount: i64,
    pub refunds: Vec<u32>,
    /// The customer must act at this payment page.
    pub three_ds: bool,
    pub transaction: Option<u32>,
    /// Id of the schedule that made it.
    pub schedule: Option<Box<str>>,
    pub expires_at: i64,
    pub authorized_at: Option<i64>,
    pub paid_at: Option<i64>,
    pub ended_at: Option<i64>,
    /// In flight at the provider: when it will be settled by itself, in milliseconds.
    pub settles_ms: Option<u64>,
    pub webhook_endpoints: Vec<Box<str>>,
    /// The newest event of this charge, while it keeps no copy of its own.
    pub event: Option<u32>,
}

impl Record for Charge {
    const PREFIX: &'static str = "chrg";
    const NAME: &'static str = "charge";
}

impl Charge {
    /// Waiting for its capture.
    pub fn capturable(&self) -> bool {
        self.status == Status::Pending && self.authorized && !self.capture
    }
}

/// Metadata kept as text, back as an object.
pub fn metadata_value(text: Option<&str>) -> Value {
    let empty = || Value::Object(serde_json::Map::new());
    text.map_or_else(empty, |text| serde_json::from_str(text).unwrap_or_else(|_| empty()))
}

/// `PATCH /charges/{id}`: description and metadata only.
pub fn update(world: &mut World, place: u32, params: &Params) -> Result<(), ApiError> {
    let metadata = customers::read_metadata(params)?;
    events::before_change(world, place);
    let charge = world.charges.change(place);
    params.update("description", &mut charge.description);
    if metadata.is_some() {
        charge.metadata = metadata;
    }
    events::tell(world, "charge.update", Subject::Charge(place));
    Ok(())
}
