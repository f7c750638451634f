//! Runs that somebody asks a process for that charges already: taken in the order of asking, told of, ended.

use jiff::SignedDuration;
use serde_json::json;

use super::{Billing, Only, Part, RunError, RunOrder};
use crate::gateway::GatewayError;
use crate::model::{CustomerId, RunReport, SubscriptionId};
use crate::store::{RunProgress, RunRequest};

/// Whoever waits for a run that was handed over says so this often.
pub const ASKS_AGAIN: SignedDuration = SignedDuration::from_secs(30);
/// Who has not said so for this long has gone, or works by itself.
const STALE_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// A request that was taken, and can be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Its number.
    pub id: i64,
    /// What was asked for.
    pub order: RunOrder,
}

/// A request that was taken: whoever took it owes it an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Its number.
    pub id: i64,
    /// What was asked for, or why that makes no sense.
    pub order: Result<RunOrder, RunError>,
}

/// What narrows a run, as it is written: the id of a customer or of a subscription.
///
/// # Errors
/// A sentence about an id that is none.
pub fn parse_only(id: &str) -> Result<Only, String> {
    if id.starts_with("cust_") {
        return CustomerId::parse(id).map(Only::Customer).map_err(|e| e.to_string());
    }
    SubscriptionId::parse(id).map(Only::Subscription).map_err(|e| e.to_string())
}

/// The order as a request.
pub fn request_of(order: &RunOrder) -> RunRequest {
    let only = order.only.as_ref().map(|only| match only {
        Only::Subscription(id) => id.to_string(),
        Only::Customer(id) => id.to_string(),
    });
    RunRequest { id: 0, at: order.at, only, limit: order.limit }
}

/// For a process that begins to charge: what a dead one had taken waits again; what is stale is ended.
pub async fn give_back(billing: &Billing) -> Result<(), RunError> {
    let now = billing.clock.now();
    let stale = now.saturating_sub(STALE_AFTER).unwrap_or(now);
    Ok(billing.lane.run(move |store| store.give_back_runs(stale, now)).await??)
}

/// Takes the oldest request that waits; `None`: none does. What is stale is ended: nobody waits for it any more.
pub async fn take(billing: &Billing) -> Result<Option<Taken>, RunError> {
    let now = billing.clock.now();
    let since = now.saturating_sub(STALE_AFTER).unwrap_or(now);
    let request = billing
        .lane
        .run(move |store| if store.runs_wait()? { store.take_run(since, now) } else { Ok(None) })
        .await??;
    let Some(RunRequest { id, at, only, limit }) = request else { return Ok(None) };
    let order = match only.as_deref().map(parse_only).transpose() {
        Ok(only) => Ok(RunOrder { at, only, limit, ..RunOrder::default() }),
        Err(why) => Err(RunError::Usage(format!("--only: {why}"))),
    };
    Ok(Some(Taken { id, order }))
}

/// Tells whoever asked how far the run is.
pub async fn tell(billing: &Billing, id: i64, now: Option<(Part, u64, Option<u64>)>) -> Result<(), RunError> {
    let progress = now.map(|(part, done, total)| RunProgress { part: part.word().into(), done, total });
    Ok(billing.lane.run(move |store| store.tell_run(id, progress.as_ref())).await??)
}

/// Ends a request with what it came to: a report, or `{"refused": sentence, "kind": word}`.
pub async fn end(billing: &Billing, id: i64, outcome: &Result<RunReport, RunError>) -> Result<(), RunError> {
    let text = match outcome {
        Ok(report) => serde_json::to_string(report).unwrap_or_default(),
        Err(RunError::KeysDuringRun(report)) => serde_json::to_string(report).unwrap_or_default(),
        Err(error) => json!({"refused": error.to_string(), "kind": kind(error)}).to_string(),
    };
    let now = billing.clock.now();
    Ok(billing.lane.run(move |store| store.end_run(id, Some(&text), now)).await??)
}

const fn kind(error: &RunError) -> &'static str {
    match error {
        RunError::Store(_) | RunError::Settling { .. } => "store",
        RunError::Gateway(GatewayError::Keys { .. }) | RunError::KeysDuringRun(_) => "keys",
        RunError::Usage(_) => "usage",
        RunError::Clock(_) => "clock",
        RunError::Gateway(_) | RunError::Lane(_) => "failed",
    }
}
