//! Whether the work could be done now: the book takes a row, the provider answers; and what keeps the book fit.
//!
//! Promises: every look is bounded in time; the provider is asked at most once in [`LOOK_LASTS`], however many watch;
//! and however many watch, the book has one look at most under way.

use std::sync::PoisonError;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Mutex, watch};
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

/// What a look at the book came to, in a sentence if it failed; `None`: it is under way.
pub type BookSeen = watch::Receiver<Option<Result<(), String>>>;

/// The last look at the book, shared by all who watch.
#[derive(Debug, Default)]
pub struct BookLook(std::sync::Mutex<Option<BookSeen>>);

/// Whether the book takes a row, durably, and would take an intent. Who comes while somebody looks waits for what they see.
///
/// # Errors
/// A sentence: why the book does not take it.
pub async fn book(billing: &Billing) -> Result<(), String> {
    let mut look = look_at_book(billing);
    match timeout(BOOK_PATIENCE, look.wait_for(Option::is_some)).await {
        Ok(Ok(seen)) => seen.clone().unwrap_or(Ok(())),
        Ok(Err(_)) => Err("the look at it broke off".into()),
        Err(_) => Err(format!("it took no row within {BOOK_PATIENCE:?}")),
    }
}

/// Begins to write a row, or joins whoever does that already: an errand for a book that is locked stays in the lane
/// after its watcher has gone, and more of them behind it would keep the work itself from the book.
pub fn look_at_book(billing: &Billing) -> BookSeen {
    let mut last = billing.meters.book.0.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(look) = &*last {
        // One whose teller is gone without a word broke off.
        let is_under_way = look.borrow().is_none() && look.has_changed().is_ok();
        if is_under_way {
            return look.clone();
        }
    }
    let (tell, look) = watch::channel(None);
    let (lane, now) = (billing.lane.clone(), billing.clock.now());
    tokio::spawn(async move {
        let written = lane
            .run(move |store| {
                // A disk may have room for a row, and none for a charge.
                let taken = store.note_job(ROW, now).and_then(|()| store.takes_intents());
                taken.map_err(|error| error.to_string())
            })
            .await;
        // Nobody may be left who asks.
        let _ = tell.send(Some(written.unwrap_or_else(|closed| Err(closed.to_string()))));
    });
    *last = Some(look.clone());
    look
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
