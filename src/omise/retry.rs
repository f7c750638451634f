//! Repeating a GET after a fault: how often, and how long to wait. The only file that names `backoff`.
//!
//! Promises: tries are counted here; waits follow our numbers, without randomness; a wait named by the
//! server is honoured up to a cap. Only reads pass through here, so that nothing that changes anything can
//! ever be repeated. Must never know what is being read.

use std::time::Duration;

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff as _;

use super::{Error, ErrorKind};

/// How often and how patiently a GET is repeated after a fault: no connection, a broken or late answer, 408,
/// 429 or 5xx. Each try has the client's whole deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetRetry {
    /// Tries in all, the first included. 0 and 1 both mean that nothing is repeated.
    pub tries_max: u32,
    /// The wait after the first try.
    pub first: Duration,
    /// What each further wait is multiplied by.
    pub multiplier: u32,
    /// The longest of these waits.
    pub longest: Duration,
    /// The longest wait that a server may ask for by `Retry-After`; a longer one is cut to this.
    pub server_wait_max: Duration,
}

impl Default for GetRetry {
    /// Four tries within about two seconds, or within 90 s when the server asks for patience.
    fn default() -> Self {
        Self {
            tries_max: 4,
            first: Duration::from_millis(250),
            multiplier: 2,
            longest: Duration::from_secs(4),
            server_wait_max: Duration::from_secs(30),
        }
    }
}

impl GetRetry {
    /// No repetition at all.
    pub const NEVER: Self = Self {
        tries_max: 1,
        first: Duration::ZERO,
        multiplier: 1,
        longest: Duration::ZERO,
        server_wait_max: Duration::ZERO,
    };

    /// The waits between tries, one after another. Jitter and time limit of the library are off: its random
    /// numbers cannot be replaced, and its limit is ignored whenever a server names a wait.
    fn waits(&self) -> ExponentialBackoff {
        ExponentialBackoff {
            current_interval: self.first,
            initial_interval: self.first,
            randomization_factor: 0.0,
            multiplier: f64::from(self.multiplier),
            max_interval: self.longest,
            max_elapsed_time: None,
            ..ExponentialBackoff::default()
        }
    }
}

/// The tries of one read.
pub(super) struct Tries {
    policy: GetRetry,
    waits: ExponentialBackoff,
    made: u32,
}

impl Tries {
    /// Nothing was tried yet.
    pub(super) fn new(policy: GetRetry) -> Self {
        Self { policy, waits: policy.waits(), made: 0 }
    }

    /// Counts a failed try. Waits and says yes when it is to be made once more; hands the error back when
    /// it is final or there were enough.
    pub(super) async fn another_after(&mut self, error: Error) -> Result<(), Error> {
        self.made += 1;
        if self.made >= self.policy.tries_max || !is_fault(&error) {
            return Err(error);
        }
        let own = self.waits.next_backoff().unwrap_or(self.policy.longest);
        let asked = server_wait(&error).map(|wait| wait.min(self.policy.server_wait_max));
        let wait = asked.unwrap_or(own);
        tracing::debug!(tries = self.made, ?wait, %error, "a read failed and is tried again");
        tokio::time::sleep(wait).await;
        Ok(())
    }
}

/// True when the same request may well succeed a moment later.
fn is_fault(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::NeverSent
        | ErrorKind::PerhapsProcessed
        | ErrorKind::ProviderFault
        | ErrorKind::RateLimited => true,
        ErrorKind::Unusable => matches!(error, Error::Unusable(reply) if matches!(reply.status, 408 | 429)),
        ErrorKind::Authentication
        | ErrorKind::Permission
        | ErrorKind::NotFound
        | ErrorKind::InvalidRequest
        | ErrorKind::Incomplete
        | ErrorKind::Usage => false,
    }
}

fn server_wait(error: &Error) -> Option<Duration> {
    match error {
        Error::Api(error) => error.retry_after,
        Error::Unusable(reply) => reply.retry_after,
        Error::Transport(_) | Error::Incomplete { .. } | Error::Usage { .. } => None,
    }
}
