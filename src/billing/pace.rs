//! How fast we may ask: permits spaced in time, and patience when the provider asks for it.
//!
//! Promises: permits are never closer together than the configured rate allows, measured over any millisecond
//! or longer; after a 429 nothing is sent until the wait is over, and then no faster than what was accepted before.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::Meters;
use crate::clock::Clock;

/// Requests per second, in thousandths: 10,000 is ten a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RatePerSecond(pub u32);

/// Permits closer together than this are handed out at once: timers are no finer.
const FINEST: Duration = Duration::from_millis(1);
/// The wait after a 429 that names none; doubled by each further one in a row.
const FIRST_PATIENCE: Duration = Duration::from_secs(1);
/// Behind the end of patience, for each refusal that one request met.
const BACK_ROW: Duration = Duration::from_millis(50);
/// A probe without an answer for so long is followed by another.
const LONGEST_PROBE: Duration = Duration::from_secs(5);
/// How often the others look whether the probe was accepted.
const PROBE_LOOK: Duration = Duration::from_millis(20);
/// No 429 makes us wait longer than this at a time; the attempt is then tried again or left for the next run.
const LONGEST_PATIENCE: Duration = Duration::from_mins(2);
/// After a 429 the pace is this share, in percent, of what was accepted before.
const AFTER_LIMIT_PERCENT: u64 = 95;

/// Hands out permits.
pub(super) struct Pace {
    clock: Arc<dyn Clock>,
    meters: Arc<Meters>,
    state: Mutex<State>,
}

struct State {
    /// Between two permits, as configured or as learned.
    spacing: Duration,
    /// When the next permit may be used, on the steady clock.
    next: Duration,
    /// Nothing before this, on the steady clock.
    patience_until: Duration,
    /// Since the last 429: whether anything was accepted yet, so that one request finds out for all.
    probe: Probe,
    /// 429s in a row.
    limited_in_a_row: u32,
    /// Since when accepted requests are counted, on the steady clock.
    counting_since: Option<Duration>,
    /// Accepted since then.
    accepted: u64,
}

/// What is known of the provider's patience.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Probe {
    /// It takes requests.
    Open,
    /// It asked for patience; the next permit is a probe.
    Wanted,
    /// The probe is under way since then, on the steady clock; all others wait for what it brings, but not for ever.
    Out(Duration),
}

impl Pace {
    /// Permits at that rate, the first at once.
    pub(super) fn new(clock: Arc<dyn Clock>, meters: Arc<Meters>, rate: RatePerSecond) -> Self {
        let spacing = Duration::from_nanos(1_000_000_000_000 / u64::from(rate.0.max(1)));
        let now = clock.steady();
        let state = State {
            spacing,
            next: now,
            patience_until: Duration::ZERO,
            probe: Probe::Open,
            limited_in_a_row: 0,
            counting_since: None,
            accepted: 0,
        };
        Self { clock, meters, state: Mutex::new(state) }
    }

    /// Takes the next permit, waiting for it; tells whether there was a wait.
    pub(super) async fn permit(&self) -> bool {
        self.permit_after(0).await
    }

    /// The same for somebody whose request was refused for impatience so many times in a row: the others go first,
    /// so that no single one is the probe again and again.
    pub(super) async fn permit_after(&self, refusals: u32) -> bool {
        let back_row = BACK_ROW * refusals;
        let mut since = None;
        let mut mine = None;
        loop {
            let now = self.clock.steady();
            let until = {
                let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                let patience_until = state.patience_until + back_row;
                if state.probe != Probe::Open && now < patience_until || now < state.patience_until {
                    // Patience puts everybody behind its end, this permit too.
                    mine = None;
                    patience_until
                } else if state.waits_for_probe(now) {
                    mine = None;
                    now + PROBE_LOOK
                } else {
                    let until = *mine.get_or_insert_with(|| state.take(now));
                    if state.probe != Probe::Open && until <= now + FINEST {
                        state.probe = Probe::Out(now);
                    }
                    until
                }
            };
            if until <= now + FINEST {
                if let Some(since) = since {
                    self.meters.waited(now.saturating_sub(since));
                }
                return since.is_some();
            }
            since.get_or_insert(now);
            tokio::time::sleep(until.saturating_sub(now)).await;
        }
    }

    /// The provider took a request.
    pub(super) fn accepted(&self) {
        let now = self.clock.steady();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.limited_in_a_row = 0;
        state.probe = Probe::Open;
        state.counting_since.get_or_insert(now);
        state.accepted += 1;
    }

    /// The provider asked for patience (429), perhaps naming a wait in seconds.
    pub(super) fn limited(&self, retry_after_s: Option<u64>) {
        self.meters.limited();
        let now = self.clock.steady();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if now < state.patience_until {
            return; // Answers to requests that were under way when the first one came.
        }
        let doubled = FIRST_PATIENCE.saturating_mul(1 << state.limited_in_a_row.min(10));
        let patience = retry_after_s.map_or(doubled, Duration::from_secs).min(LONGEST_PATIENCE);
        state.limited_in_a_row += 1;
        state.patience_until = now + patience;
        state.probe = Probe::Wanted;
        if let Some(since) = state.counting_since.take()
            && state.accepted > 0
        {
            let window = (now + patience).saturating_sub(since);
            let fair = window.as_nanos() * 100 / u128::from(state.accepted * AFTER_LIMIT_PERCENT);
            let fair = Duration::from_nanos(u64::try_from(fair).unwrap_or(u64::MAX));
            state.spacing = state.spacing.max(fair);
        }
        state.accepted = 0;
        tracing::warn!(
            patience_s = patience.as_secs(),
            spacing_ms = u64::try_from(state.spacing.as_millis()).unwrap_or(u64::MAX),
            "the provider asks for patience: the whole run slows down"
        );
    }
}

impl State {
    /// Whether a probe is under way whose answer is worth waiting for.
    fn waits_for_probe(&self, now: Duration) -> bool {
        matches!(self.probe, Probe::Out(since) if now.saturating_sub(since) < LONGEST_PROBE)
    }

    fn take(&mut self, now: Duration) -> Duration {
        let mine = self.next.max(now.saturating_sub(FINEST)).max(self.patience_until);
        self.next = mine + self.spacing;
        mine
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    /// Tokio's own clock, which tests move without waiting.
    struct Virtual(tokio::time::Instant);

    impl Clock for Virtual {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }
        fn steady(&self) -> Duration {
            self.0.elapsed() + Duration::from_secs(1000)
        }
    }

    fn pace(rate_milli: u32) -> (Pace, tokio::time::Instant) {
        let start = tokio::time::Instant::now();
        (Pace::new(Arc::new(Virtual(start)), Arc::default(), RatePerSecond(rate_milli)), start)
    }

    #[tokio::test(start_paused = true)]
    async fn permits_keep_their_distance() {
        let (pace, start) = pace(10_000);
        for _ in 0..31 {
            pace.permit().await;
        }
        let took = start.elapsed();
        assert!((Duration::from_millis(2_990)..Duration::from_millis(3_050)).contains(&took), "{took:?}");
        let waits = pace.meters.waits();
        assert_eq!(waits.count(), 30, "the first came at once");
        assert!(waits.sum <= took && waits.sum > Duration::from_millis(2_900), "{waits:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_429_one_request_finds_out_for_all() {
        let (pace, start) = pace(1_000_000);
        pace.limited(Some(1));
        pace.permit().await;
        let others = std::sync::atomic::AtomicU32::new(0);
        let wait = async {
            pace.permit().await;
            others.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        };
        let answer = async {
            tokio::time::sleep(Duration::from_secs(3)).await;
            assert_eq!(others.load(std::sync::atomic::Ordering::SeqCst), 0, "the probe has no answer yet");
            pace.accepted();
        };
        tokio::join!(wait, answer);
        assert!(start.elapsed() < Duration::from_secs(5));
        pace.limited(Some(1));
        pace.permit().await;
        pace.permit().await;
        assert!(
            start.elapsed() >= Duration::from_secs(9),
            "a probe that brings nothing is not waited for for ever"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_429_stops_everybody_for_as_long_as_told_and_slows_the_rest() {
        let (pace, start) = pace(1_000_000);
        for _ in 0..100 {
            pace.permit().await;
            pace.accepted();
        }
        pace.limited(Some(10));
        pace.limited(Some(10));
        assert!(pace.permit().await);
        assert!(start.elapsed() >= Duration::from_secs(10));
        let resumed = tokio::time::Instant::now();
        for _ in 0..95 {
            pace.permit().await;
            pace.accepted();
        }
        let took = resumed.elapsed();
        assert!(took >= Duration::from_secs(9), "100 in 10 s were accepted, so 95 need about that: {took:?}");
    }
}
