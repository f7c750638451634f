//! Taking one's time: work that nobody waits for is spread over hours, and steps aside for work that somebody does.
//!
//! Promises: rests add up to the time given, or to less where little is to be done; a wish to stop ends every rest at
//! once; while other work is under way no step is taken. Must never know: what the work is.

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How fast work is done.
#[derive(Clone, Debug)]
pub enum Speed {
    /// As fast as the configured rate allows: somebody waits for it.
    Full,
    /// Nobody does.
    Leisurely {
        /// Spread evenly up to that instant; past it, without rests.
        until: Timestamp,
        /// Whether other work is under way, for which this steps aside.
        busy: watch::Receiver<bool>,
    },
}

/// The longest rest for one customer: a hundred of them, a page of the provider's list, take two seconds, so that what
/// a page costs, about a millisecond, is little in any second; and a small book is not spread over hours.
const LONGEST_FOR_ONE: Duration = Duration::from_millis(20);

/// The rests of one piece of work.
#[derive(Debug)]
pub(super) struct Ease {
    speed: Speed,
    stop: CancellationToken,
    for_one: Duration,
}

impl Ease {
    /// No rests yet, since nobody knows how much is to be done.
    pub(super) const fn new(speed: Speed, stop: CancellationToken) -> Self {
        Self { speed, stop, for_one: Duration::ZERO }
    }

    pub(super) const fn is_leisurely(&self) -> bool {
        matches!(self.speed, Speed::Leisurely { .. })
    }

    /// From `now` on so many customers are to be taken.
    pub(super) fn spread(&mut self, customers: u64, now: Timestamp) {
        if let Speed::Leisurely { until, .. } = &self.speed {
            let left = Duration::try_from(until.duration_since(now)).unwrap_or(Duration::ZERO);
            let nanos = left.as_nanos() / u128::from(customers.max(1));
            let for_one = u64::try_from(nanos).map_or(LONGEST_FOR_ONE, Duration::from_nanos);
            self.for_one = for_one.min(LONGEST_FOR_ONE);
        }
    }

    /// Rests as long as so many customers are worth, and then until it is this work's turn.
    pub(super) async fn rest(&mut self, customers: u64) {
        let rest = self.for_one.saturating_mul(u32::try_from(customers).unwrap_or(u32::MAX));
        if !rest.is_zero() {
            let _ = self.stop.run_until_cancelled(tokio::time::sleep(rest)).await;
        }
        self.turn().await;
    }

    /// Waits until no other work is under way, or somebody asks to stop.
    pub(super) async fn turn(&mut self) {
        if let Speed::Leisurely { busy, .. } = &mut self.speed {
            // Whoever said so may be gone: then nobody else works.
            let _ = self.stop.run_until_cancelled(busy.wait_for(|busy| !busy)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn leisurely(seconds: i64) -> (Ease, watch::Sender<bool>) {
        let (says, busy) = watch::channel(false);
        let speed = Speed::Leisurely { until: Timestamp::from_second(seconds).unwrap(), busy };
        (Ease::new(speed, CancellationToken::new()), says)
    }

    /// How long it takes to go through so many customers by pages of a hundred.
    async fn through(ease: &mut Ease, customers: u64) -> Duration {
        let begun = tokio::time::Instant::now();
        ease.spread(customers, NOW);
        for _ in 0..customers / 100 {
            ease.rest(100).await;
        }
        begun.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn much_work_takes_the_time_it_is_given_and_little_work_less() {
        let (mut ease, _says) = leisurely(3_600);
        let much = through(&mut ease, 1_000_000).await;
        assert!((3_600..3_620).contains(&much.as_secs()), "{much:?}");
        let little = through(&mut ease, 1_000).await;
        assert_eq!(little.as_secs(), 20, "two seconds a page at most");
        let (mut late, _says) = leisurely(-1);
        assert_eq!(through(&mut late, 1_000).await, Duration::ZERO, "no time is left");
        let mut full = Ease::new(Speed::Full, CancellationToken::new());
        assert_eq!(through(&mut full, 1_000).await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn it_steps_aside_for_other_work() {
        let (mut ease, says) = leisurely(3_600);
        says.send_replace(true);
        let begun = tokio::time::Instant::now();
        let other = async {
            tokio::time::sleep(Duration::from_mins(7)).await;
            says.send_replace(false);
        };
        tokio::join!(ease.turn(), other);
        assert_eq!(begun.elapsed(), Duration::from_mins(7));
        says.send_replace(true);
        drop(says);
        ease.turn().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_wish_to_stop_ends_every_rest_at_once() {
        let (mut ease, says) = leisurely(3_600);
        ease.spread(1, NOW);
        says.send_replace(true);
        let begun = tokio::time::Instant::now();
        let stop = ease.stop.clone();
        let wish = async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            stop.cancel();
        };
        tokio::join!(ease.rest(1_000_000), wish);
        assert!(begun.elapsed() < Duration::from_millis(10), "{:?}", begun.elapsed());
    }
}
