//! The pretend account itself: who it is, what it owns, what it can do, what money is worth.
//!
//! Promises: limits are the ones that charges are held to. Must never know a customer.

use serde_json::{Value, json};

use super::currency::Currency;
use super::error::ApiError;
use super::params::Params;
use crate::sandbox::http::webhooks::Listener;
use crate::sandbox::state::ids::{self, Id};
use crate::sandbox::state::time;
use crate::sandbox::state::world::World;

/// The account opened long before any test's now: 2019-05-29.
const OPENED: Id = Id { ms: 1_559_088_000_000, place: 0 };

/// `GET /account`.
pub fn account(world: &World) -> Value {
    json!({
        "object": "account",
        "id": ids::spell("account", world.seed, OPENED),
        "team": ids::spell("acct", world.seed, OPENED),
        "livemode": false,
        "location": "/account",
        "country": "TH",
        "currency": Currency::ACCOUNT.code(),
        "email": "pretend@example.com",
        "supported_currencies": Currency::codes().collect::<Vec<_>>(),
        "api_version": "2019-05-29",
        "last_updated_api_version": "2019-05-29",
        "webhook_uri": world.settings.webhooks.url.clone().map(String::from),
        "auto_activate_recipients": false,
        "chain_enabled": false,
        "chaining_allowed": false,
        "chain_return_uri": null,
        "zero_interest_installments": false,
        "metadata_export_keys": {"charge": [], "transfer": [], "refund": [], "dispute": []},
        "transfer_config": "automatic",
        "created_at": time::show(OPENED.seconds()),
    })
}

/// `PATCH /account`: only where webhooks go, and only to loopback.
pub fn update(world: &mut World, params: &Params) -> Result<(), ApiError> {
    if let Some(uri) = params.text("webhook_uri") {
        let listener = Listener::try_from(uri).map_err(|message| ApiError::bad("bad_request", message))?;
        world.settings.webhooks.url = Some(listener);
    }
    Ok(())
}

/// `GET /balance`.
pub fn balance(world: &World) -> Value {
    json!({
        "object": "balance",
        "livemode": false,
        "location": "/balance",
        "currency": Currency::ACCOUNT.code(),
        "total": world.balance,
        "transferable": world.balance,
        "reserve": 0,
        "on_hold": 0,
        "created_at": time::show(OPENED.seconds()),
    })
}

/// `GET /capability`.
pub fn capability(world: &World) -> Value {
    let limits = world.settings.limits;
    json!({
        "object": "capability",
        "location": "/capability",
        "country": "TH",
        "banks": ["test"],
        "limits": {
            "charge_amount": {"min": limits.minimum, "max": limits.maximum},
            "transfer_amount": {"min": 3000, "max": limits.maximum},
            "installment_amount": {"min": 200_000},
        },
        "payment_methods": [{
            "object": "payment_method",
            "name": "card",
            "currencies": Currency::codes().collect::<Vec<_>>(),
            "card_brands": ["JCB", "Visa", "MasterCard"],
            "installment_terms": null,
            "banks": [],
            "provider": null,
        }],
        "tokenization_methods": [],
        "zero_interest_installments": false,
    })
}

/// `GET /forex/{currency}`.
pub fn forex(code: &str) -> Result<Value, ApiError> {
    let base = Currency::read(code)
        .filter(|currency| *currency != Currency::ACCOUNT)
        .ok_or_else(|| ApiError::bad("failed_multi_currency", "currency is not supported"))?;
    let thousandths = base.rate_in_thousandths(Currency::ACCOUNT);
    let rate: serde_json::Number = format!("{}.{:03}", thousandths / 1000, thousandths % 1000)
        .parse()
        .map_err(|_| ApiError::of_status(500))?;
    let lower = code.to_lowercase();
    Ok(json!({
        "object": "forex",
        "base": base.code(),
        "quote": Currency::ACCOUNT.code(),
        "rate": rate,
        "location": format!("/forex/{lower}"),
        "livemode": false,
    }))
}
