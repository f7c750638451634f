//! Taking one's time: work that nobody waits for is spread over hours, and steps aside for work that somebody does.
//!
//! Promises: rests add up to the time given, or to less where little is to be done; a wish to stop ends every rest at
//! once; while other work is under way no step is taken. Must never know: what the work is.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Billing;
use crate::clock::Clock;

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

/// The longest rest for one row: a hundred of them, a page of the provider's list, take four seconds, so that the two
/// milliseconds that a page costs are 0.05 % of a core; and a small book is not spread over hours.
const LONGEST_FOR_ONE: Duration = Duration::from_millis(40);

/// The rests of one piece of work.
pub(super) struct Ease {
    /// `None`: it takes no rests, and no account of others.
    busy: Option<watch::Receiver<bool>>,
    /// No rests from then on, on the steady clock.
    until: Duration,
    for_one: Duration,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
}

impl Ease {
    /// No rests yet, since nobody knows how much is to be done.
    pub(super) fn new(speed: Speed, billing: &Billing) -> Self {
        Self::with(speed, billing.clock.clone(), billing.stop.clone())
    }

    fn with(speed: Speed, clock: Arc<dyn Clock>, stop: CancellationToken) -> Self {
        let (busy, left) = match speed {
            Speed::Full => (None, Duration::ZERO),
            Speed::Leisurely { until, busy } => {
                (Some(busy), Duration::try_from(until.duration_since(clock.now())).unwrap_or(Duration::ZERO))
            }
        };
        Self { busy, until: clock.steady() + left, for_one: Duration::ZERO, clock, stop }
    }

    pub(super) const fn is_leisurely(&self) -> bool {
        self.busy.is_some()
    }

    fn left(&self) -> Duration {
        self.until.saturating_sub(self.clock.steady())
    }

    /// From now on so many rows are to be taken.
    pub(super) fn spread(&mut self, rows: u64) {
        let nanos = self.left().as_nanos() / u128::from(rows.max(1));
        let for_one = u64::try_from(nanos).map_or(LONGEST_FOR_ONE, Duration::from_nanos);
        self.for_one = for_one.min(LONGEST_FOR_ONE);
    }

    /// Rests as long as so many rows are worth, and then until it is this work's turn.
    pub(super) async fn rest(&mut self, rows: u64) {
        let rest = self.for_one.saturating_mul(u32::try_from(rows).unwrap_or(u32::MAX)).min(self.left());
        if !rest.is_zero() {
            let _ = self.stop.run_until_cancelled(tokio::time::sleep(rest)).await;
        }
        self.turn().await;
    }

    /// Waits until no other work is under way, or somebody asks to stop.
    pub(super) async fn turn(&mut self) {
        if let Some(busy) = &mut self.busy {
            // Whoever said so may be gone: then nobody else works.
            let _ = self.stop.run_until_cancelled(busy.wait_for(|busy| !busy)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The timer's own clock, so that its time can be leapt over.
    struct Virtual(tokio::time::Instant);

    impl Clock for Virtual {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH + self.0.elapsed()
        }

        fn steady(&self) -> Duration {
            self.0.elapsed() + Duration::from_secs(1_000)
        }
    }

    fn ease(speed: Speed) -> Ease {
        Ease::with(speed, Arc::new(Virtual(tokio::time::Instant::now())), CancellationToken::new())
    }

    fn leisurely(seconds: i64) -> (Ease, watch::Sender<bool>) {
        let (says, busy) = watch::channel(false);
        (ease(Speed::Leisurely { until: Timestamp::from_second(seconds).unwrap(), busy }), says)
    }

    /// How long it takes to go through so many rows by pages of a hundred, each of which takes so long by itself.
    async fn through(ease: &mut Ease, rows: u64, page: Duration) -> Duration {
        let begun = tokio::time::Instant::now();
        ease.spread(rows);
        for _ in 0..rows / 100 {
            tokio::time::sleep(page).await;
            ease.rest(100).await;
        }
        begun.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn much_work_takes_the_time_it_is_given_and_little_work_less() {
        let none = Duration::ZERO;
        let (mut ease_of_much, _says) = leisurely(3_600);
        let much = through(&mut ease_of_much, 360_000, none).await;
        assert!((3_500..=3_610).contains(&much.as_secs()), "{much:?}");
        let (mut ease_of_little, _says) = leisurely(3_600);
        assert_eq!(
            through(&mut ease_of_little, 1_000, none).await.as_secs(),
            40,
            "four seconds a page at most"
        );
        let (mut late, _says) = leisurely(-1);
        assert_eq!(through(&mut late, 1_000, none).await, none, "no time is left");
        assert_eq!(through(&mut ease(Speed::Full), 1_000, none).await, none);
    }

    #[tokio::test(start_paused = true)]
    async fn past_its_time_it_takes_no_rests() {
        let (mut ease, _says) = leisurely(100);
        let took = through(&mut ease, 100_000, Duration::from_millis(150)).await;
        assert!((188..192).contains(&took.as_secs()), "100 s with rests, then 90 s of work alone: {took:?}");
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
        ease.spread(1);
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
