//! Search: scope, query, filters, pages.
//!
//! Promises: what lags is not found. Metadata is not searched: no source confirms that the real service
//! does. Must never know lists.

use serde::Serialize;
use serde_json::{Map, Value};

use super::customers::Customer;
use super::error::ApiError;
use super::filters::Question;
use super::params::Params;
use super::{charge_views, customers, events, refunds, schedule_views, transactions};
use crate::sandbox::state::shelf::{Record, Shelf};
use crate::sandbox::state::world::World;

/// Rows of a page when the client names no number.
const DEFAULT_PER_PAGE: usize = 30;

/// The most rows a page may have.
const MAX_PER_PAGE: usize = 100;

/// Scopes of the real service whose objects this one does not make: they are searched and found empty.
const EMPTY_SCOPES: [&str; 10] = [
    "audit",
    "dispute",
    "link",
    "linked_account",
    "log_entry",
    "receipt",
    "recipient",
    "sub_merchant",
    "transfer",
    "transfer_schedule",
];

/// One page of what was found.
#[derive(Serialize)]
struct Found<T> {
    object: &'static str,
    data: Vec<T>,
    page: usize,
    per_page: usize,
    total: usize,
    total_pages: usize,
    filters: Map<String, Value>,
    location: &'static str,
    order: &'static str,
    query: Option<String>,
    scope: String,
    export: Option<()>,
    aggregate_level: Option<()>,
}

/// `GET /search`, and the searches that name their scope in the path.
pub fn answer(world: &World, params: &Params, scope: Option<&str>) -> Result<Vec<u8>, ApiError> {
    let scope = scope.map(str::to_owned).or_else(|| params.text("scope")).unwrap_or_default();
    let question = Question::read(params);
    match scope.as_str() {
        "charge" => {
            let late = |place: u32| world.unsearchable.iter().any(|(_, other)| *other == place);
            run(
                &world.charges,
                params,
                &question,
                &scope,
                |place| charge_views::view(world, place),
                |place| !late(place) && question.fits_charge(world, place),
            )
        }
        "customer" => run(
            &world.customers,
            params,
            &question,
            &scope,
            |place| customers::view(world, place),
            |place| question.fits_customer(world, place),
        ),
        "refund" => run(
            &world.refunds,
            params,
            &question,
            &scope,
            |place| refunds::view(world, place),
            |place| question.fits_refund(world, place),
        ),
        "charge_schedule" => run(
            &world.schedules,
            params,
            &question,
            &scope,
            |place| schedule_views::view(world, place),
            |place| question.fits_schedule(world, place),
        ),
        "event" => run(
            &world.events,
            params,
            &question,
            &scope,
            |place| events::view(world, place),
            |place| question.fits_event(world, place),
        ),
        "transaction" => run(
            &world.transactions,
            params,
            &question,
            &scope,
            |place| transactions::view(world, place),
            |place| question.fits_transaction(world, place),
        ),
        other if EMPTY_SCOPES.contains(&other) => {
            let none: Shelf<Customer> = Shelf::new(world.seed);
            run(&none, params, &question, &scope, |_| (), |_| false)
        }
        _ => Err(ApiError::unprocessable("invalid_scope", format!("scope `{scope}` is not available"))),
    }
}

fn run<T: Record, V: Serialize>(
    shelf: &Shelf<T>,
    params: &Params,
    question: &Question,
    scope: &str,
    show: impl Fn(u32) -> V,
    fits: impl Fn(u32) -> bool,
) -> Result<Vec<u8>, ApiError> {
    let number = |name: &str, code| {
        let bad = move |()| ApiError::unprocessable(code, "must be a whole number from 1");
        let sent = params.whole(name).map_err(bad)?;
        sent.map(|n| usize::try_from(n).ok().filter(|n| *n > 0).ok_or(()).map_err(bad)).transpose()
    };
    let page = number("page", "invalid_page")?.unwrap_or(1);
    let per_page = number("per_page", "invalid_per_page")?.unwrap_or(DEFAULT_PER_PAGE);
    if per_page > MAX_PER_PAGE {
        return Err(ApiError::unprocessable(
            "invalid_per_page",
            format!("per_page is at most {MAX_PER_PAGE}"),
        ));
    }
    // What filters the scopes have that are always empty here, no source says.
    if !EMPTY_SCOPES.contains(&scope) {
        question.check(scope)?;
    }
    let newest_first = params.text("order").as_deref() == Some("reverse_chronological");
    let mut found: Vec<u32> = shelf.listed().iter().copied().filter(|place| fits(*place)).collect();
    if newest_first {
        found.reverse();
    }
    let start = (page - 1).saturating_mul(per_page).min(found.len());
    let end = start.saturating_add(per_page).min(found.len());
    let answer = Found {
        object: "search",
        data: found[start..end].iter().map(|place| show(*place)).collect(),
        page,
        per_page,
        total: found.len(),
        total_pages: found.len().div_ceil(per_page),
        filters: question
            .filters
            .iter()
            .map(|(name, value)| (name.clone(), Value::String(value.clone())))
            .collect(),
        location: "/search",
        order: if newest_first { "reverse_chronological" } else { "chronological" },
        query: params.text("query"),
        scope: scope.to_owned(),
        export: None,
        aggregate_level: None,
    };
    serde_json::to_vec(&answer).map_err(|_| ApiError::of_status(500))
}
