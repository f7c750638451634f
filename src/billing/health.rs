//! Whether the work could be done now: the book takes a row, the provider answers; and what keeps the book fit.
//!
//! Promises: every look is bounded in time; the provider is asked at most once in [`LOOK_LASTS`], however many watch.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::{Billing, RunError};

/// A look at the provider is good for so long.
pub const LOOK_LASTS: Duration = Duration::from_secs(30);
/// The provider answers within this, or is not reachable.
const PROVIDER_PATIENCE: Duration = Duration::from_secs(5);
/// So does the book.
const BOOK_PATIENCE: Duration = Duration::from_secs(5);
/// Under this name the book remembers when it last took a row for a watcher.
const ROW: &str = "health";

/// Writes one row, durably.
///
/// # Errors
/// A sentence: why the book does not take it.
pub async fn book(billing: &Billing) -> Result<(), String> {
    let now = billing.clock.now();
    let written = billing.lane.run(move |store| store.note_job(ROW, now).map_err(|error| error.to_string()));
    match timeout(BOOK_PATIENCE, written).await {
        Ok(written) => written.unwrap_or_else(|closed| Err(closed.to_string())),
        Err(_) => Err(format!("it took no row within {BOOK_PATIENCE:?}")),
    }
}

/// Ended requests for runs are forgotten after this.
const REQUESTS_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Gives the book what one that runs for years needs now and then; returns how many old requests it forgot.
///
/// # Errors
/// When the book refuses.
pub async fn tidy(billing: &Billing, now: Timestamp) -> Result<u64, RunError> {
    let before = now.saturating_sub(REQUESTS_KEPT).unwrap_or(Timestamp::UNIX_EPOCH);
    Ok(billing.lane.run(move |store| store.tidy(before)).await??)
}

/// The last look at the provider.
#[derive(Debug, Default)]
pub struct ProviderLook(Mutex<Option<(Duration, Result<(), String>)>>);

impl ProviderLook {
    /// Whether the provider answers and takes the key, by a look of our own that is at most [`LOOK_LASTS`] old. Who
    /// comes while somebody looks waits for what they see.
    ///
    /// # Errors
    /// A sentence: what came instead of an answer.
    pub async fn look(&self, billing: &Billing) -> Result<(), String> {
        let mut last = self.0.lock().await;
        let now = billing.clock.steady();
        if let Some((at, seen)) = &*last
            && now.saturating_sub(*at) < LOOK_LASTS
        {
            return seen.clone();
        }
        let seen = match timeout(PROVIDER_PATIENCE, billing.gateway.ping()).await {
            Ok(answer) => answer.map_err(|error| error.to_string()),
            Err(_) => Err(format!("no answer within {PROVIDER_PATIENCE:?}")),
        };
        *last = Some((billing.clock.steady(), seen.clone()));
        seen
    }
}
