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

/// What every tick goes through: once it is shut, none does, however late one comes.
#[derive(Clone, Debug)]
pub struct Gate {
    ticks: mpsc::Sender<()>,
    shut: CancellationToken,
}

impl Gate {
    /// An open one in front of whoever takes the ticks.
    pub fn over(ticks: mpsc::Sender<()>) -> Self {
        Self { ticks, shut: CancellationToken::new() }
    }

    /// One tick. It is dropped if the gate is shut, or if one waits to be taken already: it would say the same.
    pub fn tick(&self) {
        if !self.shut.is_cancelled() {
            let _ = self.ticks.try_send(());
        }
    }

    /// Lets no tick through any more.
    pub fn shut(&self) {
        self.shut.cancel();
    }
}

/// What ticks.
pub struct Ticker {
    scheduler: JobScheduler,
    gate: Gate,
}

impl std::fmt::Debug for Ticker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ticker")
    }
}

/// Starts ticking. Of ticks that nobody has taken one is kept: more would say the same.
pub async fn start() -> Result<(Ticker, mpsc::Receiver<()>), NoTick> {
    start_every(EVERY_MINUTE).await
}

async fn start_every(pattern: &str) -> Result<(Ticker, mpsc::Receiver<()>), NoTick> {
    let (ticks, ticked) = mpsc::channel(1);
    let gate = Gate::over(ticks);
    let scheduler = JobScheduler::new().await?;
    let door = gate.clone();
    let job = Job::new_async(pattern, move |_, _| {
        let door = door.clone();
        Box::pin(async move { door.tick() })
    })?;
    scheduler.add(job).await?;
    scheduler.start().await?;
    Ok((Ticker { scheduler, gate }, ticked))
}

impl Ticker {
    /// Ticks no more, whatever the library still does.
    pub async fn stop(mut self) {
        self.gate.shut();
        if let Err(error) = self.scheduler.shutdown().await {
            tracing::debug!(%error, "the tick did not shut down cleanly; its gate is shut");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::mpsc::error::TryRecvError;

    use super::*;

    #[test]
    fn of_ticks_that_nobody_has_taken_one_is_kept() {
        let (ticks, mut ticked) = mpsc::channel(1);
        let gate = Gate::over(ticks);
        for _ in 0..3 {
            gate.tick();
        }
        assert_eq!((ticked.try_recv(), ticked.try_recv()), (Ok(()), Err(TryRecvError::Empty)));
        gate.tick();
        assert_eq!(ticked.try_recv(), Ok(()));
    }

    #[test]
    fn a_shut_gate_lets_none_through_though_somebody_listens() {
        let (ticks, mut ticked) = mpsc::channel(1);
        let gate = Gate::over(ticks);
        gate.clone().shut();
        gate.tick();
        assert_eq!(ticked.try_recv(), Err(TryRecvError::Empty));
    }

    /// The library's own timer cannot be told the time, so this waits for a tick of every second.
    #[tokio::test]
    async fn the_library_ticks_until_it_is_stopped_and_not_once_after_it() {
        let (ticker, mut taken) = start_every("* * * * * *").await.unwrap();
        let patience = Duration::from_secs(10);
        tokio::time::timeout(patience, taken.recv()).await.expect("it ticks").expect("somebody ticks");
        let gate = ticker.gate.clone();
        ticker.stop().await;
        let _ = taken.try_recv();
        // What the library fires late comes through here.
        gate.tick();
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        assert!(taken.try_recv().is_err(), "a tick after the stop");
    }
}
