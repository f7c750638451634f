//! The tick: once a minute, in UTC, without any meaning. The only file that knows the cron library.
//!
//! That library keeps a zone as a fixed offset, may fire one tick twice or not at all, and fires once more after it
//! was shut down. None of that matters to a tick that only says "ask what is due", and a gate of our own stops the
//! late one.

use thiserror::Error;
use tokio::sync::mpsc;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};
use tokio_util::sync::CancellationToken;

/// The first second of every minute.
const EVERY_MINUTE: &str = "0 * * * * *";

/// The tick could not be started.
#[derive(Debug, Error)]
#[error("the clock that wakes the service could not be started: {0}")]
pub struct NoTick(#[from] JobSchedulerError);

/// What ticks.
pub struct Ticker {
    scheduler: JobScheduler,
    gate: CancellationToken,
}

impl std::fmt::Debug for Ticker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ticker")
    }
}

/// Starts ticking. Of ticks that nobody has taken one is kept: more would say the same.
pub async fn start() -> Result<(Ticker, mpsc::Receiver<()>), NoTick> {
    let (ticks, ticked) = mpsc::channel(1);
    let gate = CancellationToken::new();
    let scheduler = JobScheduler::new().await?;
    let open = gate.clone();
    let job = Job::new_async(EVERY_MINUTE, move |_, _| {
        let (ticks, open) = (ticks.clone(), open.clone());
        Box::pin(async move {
            if !open.is_cancelled() {
                let _ = ticks.try_send(());
            }
        })
    })?;
    scheduler.add(job).await?;
    scheduler.start().await?;
    Ok((Ticker { scheduler, gate }, ticked))
}

impl Ticker {
    /// Ticks no more, whatever the library still does.
    pub async fn stop(mut self) {
        self.gate.cancel();
        if let Err(error) = self.scheduler.shutdown().await {
            tracing::debug!(%error, "the tick did not shut down cleanly; its gate is shut");
        }
    }
}
