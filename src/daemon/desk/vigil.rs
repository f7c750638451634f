//! Keeps the service alive and honest while a step of its loop waits, mostly for a book that another program keeps
//! locked: says so within seconds, and feeds the watchdog for as long as there is truly something that moves.
//!
//! What counts as moving: the loop, which comes round or whose step takes no longer than [`MOST_STEP`]; work, which
//! shows signs, or has none to show while the book is in trouble; and the book's thread, which ends one job or another
//! within [`MOST_STILL`]: it waits for a lock for 10 s at a time, so a lock of any length is no stillness, and a thread
//! that hangs is.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::{BEAT, Desk, Phase, Standing, systemd};
use crate::billing::Billing;
use crate::daemon::pulse::{Heart, Pulse, Signs};

/// Work may be quiet for twice a call's time-out and this much before it counts as hung: waits that a provider asks
/// for are within it.
const QUIET_BESIDES_CALLS: Duration = Duration::from_mins(2);
/// A step of the loop may take so long where the book gives it no reason.
const MOST_STEP: Duration = Duration::from_mins(2);
/// And the book's thread so long over one job: a lock is waited for, and a checkpoint or a long list take their time.
const MOST_STILL: Duration = Duration::from_mins(2);
/// A book that gives no answer for so long is in trouble.
const SILENCE: Duration = Duration::from_secs(5);

/// What is known of the book's thread.
#[derive(Default)]
struct Still {
    /// An empty errand that waits in its queue, and since when.
    asked: Option<(JoinHandle<()>, Duration)>,
    /// Jobs it had ended when last looked at.
    done: u64,
    /// When that last changed, or nothing was asked of it.
    since: Duration,
}

impl Still {
    /// Looks at it, and asks it something if nothing is under way: since when it owes an answer, and how long it has
    /// ended no job at all.
    fn look(&mut self, billing: &Billing, steady: Duration) -> (Duration, Duration) {
        let done = billing.lane.jobs_done();
        let answered = self.asked.as_ref().is_none_or(|(errand, _)| errand.is_finished());
        if answered || done != self.done {
            (self.done, self.since) = (done, steady);
        }
        if answered {
            let lane = billing.lane.clone();
            // Should the thread be gone, whoever wants something of it says so.
            let errand = tokio::spawn(async move { lane.run(|_| ()).await.unwrap_or(()) });
            self.asked = Some((errand, steady));
        }
        let asked_at = self.asked.as_ref().map_or(steady, |(_, at)| *at);
        (steady.saturating_sub(asked_at), steady.saturating_sub(self.since))
    }
}

/// What is kept between two looks.
#[derive(Default)]
struct Kept {
    told: String,
    heart: Heart,
    still: Still,
    fed_at: Duration,
}

/// The memory of a vigil; as long as the service.
#[derive(Clone, Default)]
pub(super) struct Memory(Arc<Mutex<Kept>>);

impl Memory {
    /// The watchdog was fed then, by being started.
    pub(super) fn begin(steady: Duration) -> Self {
        let still = Still { since: steady, ..Still::default() };
        Self(Arc::new(Mutex::new(Kept { fed_at: steady, still, ..Kept::default() })))
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What systemd was last told, or is told now by other means.
    pub(super) fn told(&self, status: &str) {
        status.clone_into(&mut self.kept().told);
    }

    /// Tells systemd, if that is new.
    pub(super) fn tell(&self, status: &str) {
        if self.kept().told != status {
            systemd::status(status);
            self.told(status);
        }
    }
}

/// All that has to move, as it is seen at one moment.
#[derive(Clone, Copy)]
struct Seen {
    /// Work is under way.
    works: bool,
    signs: Signs,
    /// It may be without a new sign for so long.
    most_quiet: Duration,
    /// How long the step of the loop has taken so far.
    step: Duration,
    /// How long the book's thread has ended no job, though some wait.
    still: Duration,
    /// The book is in trouble, which is waited for.
    waits_for_book: bool,
}

impl Seen {
    /// What hangs, and what it was given; `None`: everything moves, or waits for a book whose thread does.
    fn hung(self, heart: &mut Heart, steady: Duration) -> Option<(&'static str, Duration)> {
        if !heart.beats(self.works && !self.waits_for_book, self.signs, steady, self.most_quiet) {
            Some(("work", self.most_quiet))
        } else if self.still > MOST_STILL {
            Some(("the book's thread", MOST_STILL))
        } else if self.step > MOST_STEP && !self.waits_for_book {
            Some(("the loop", MOST_STEP))
        } else {
            None
        }
    }
}

/// Watches over one step of the loop.
pub(super) struct Vigil {
    memory: Memory,
    billing: Billing,
    pulse: Arc<Pulse>,
    standing: watch::Sender<Standing>,
    busy: bool,
}

impl Desk {
    /// Over the step that is about to be done.
    pub(super) fn vigil(&self) -> Vigil {
        Vigil {
            memory: self.memory.clone(),
            billing: self.wishes.billing.clone(),
            pulse: self.pulse.clone(),
            standing: self.standing.clone(),
            busy: self.under_way.is_some(),
        }
    }
}

impl Vigil {
    /// Does the step to its end, however long that takes, and looks around meanwhile.
    pub(super) async fn over<T>(&self, step: impl Future<Output = T>) -> T {
        let mut step = std::pin::pin!(step);
        let began = self.billing.clock.steady();
        loop {
            match timeout(BEAT, &mut step).await {
                Ok(done) => return done,
                Err(_) => self.look(self.billing.clock.steady().saturating_sub(began)),
            }
        }
    }

    /// Tells of a book that is silent, and feeds the watchdog if all moves; the step under way has taken that long.
    pub(super) fn look(&self, step: Duration) {
        let steady = self.billing.clock.steady();
        let (silent, still) = self.memory.kept().still.look(&self.billing, steady);
        if silent >= SILENCE {
            self.tell_of_silence();
        }
        self.feed(steady, step, still);
    }

    fn tell_of_silence(&self) {
        let why = format!(
            "it gave no answer for {SILENCE:?}: another program keeps it locked, or its disk is slow"
        );
        let is_new = self.standing.send_if_modified(|standing| {
            let is_new = standing.book_trouble.is_none();
            standing.book_trouble.get_or_insert_with(|| why.clone());
            is_new
        });
        if is_new {
            tracing::error!("trouble with the book: {why}; it is waited for, and the service goes on");
            let status = format!("{}; trouble with the book: {why}", self.memory.kept().told);
            self.memory.tell(&status);
        }
    }

    fn feed(&self, steady: Duration, step: Duration, still: Duration) {
        let Some(every) = systemd::watchdog().map(|limit| limit / 4) else { return };
        let mut kept = self.memory.kept();
        if steady.saturating_sub(kept.fed_at) < every {
            return;
        }
        let billing = &self.billing;
        let seen = Seen {
            works: self.busy,
            signs: (self.pulse.steps(), billing.gateway.calls(), billing.lane.stats().commits),
            most_quiet: billing.settings.timeout.unsigned_abs() * 2 + QUIET_BESIDES_CALLS,
            step,
            still,
            waits_for_book: self.standing.borrow().book_trouble.is_some(),
        };
        let hung = seen.hung(&mut kept.heart, steady);
        if let Some((what, longest)) = hung {
            tracing::error!("{what} has not moved for {longest:?}; the watchdog is not fed");
            return;
        }
        kept.fed_at = steady;
        systemd::alive();
        if self.standing.borrow().phase == Phase::Recovering {
            systemd::needs(every * 4);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_of_any_length_is_waited_for_and_a_thread_that_hangs_is_not() {
        let s = Duration::from_secs;
        let mut heart = Heart::default();
        let idle = Seen {
            works: false,
            signs: (0, 0, 0),
            most_quiet: s(100),
            step: s(0),
            still: s(0),
            waits_for_book: false,
        };
        let mut hung = |seen: Seen, steady: u64| seen.hung(&mut heart, s(steady)).map(|(what, _)| what);
        assert_eq!(hung(idle, 1_000), None);
        // Work and loop wait for an hour, and the thread ends a job every ten seconds.
        let locked = Seen { works: true, step: s(3_600), still: s(10), waits_for_book: true, ..idle };
        assert_eq!((hung(locked, 1_010), hung(locked, 4_600)), (None, None));
        assert_eq!(hung(Seen { still: s(121), ..locked }, 4_720), Some("the book's thread"));
        // Without that excuse.
        assert_eq!(hung(Seen { step: s(121), ..idle }, 4_730), Some("the loop"));
        let works = Seen { works: true, ..idle };
        assert_eq!((hung(works, 4_730), hung(works, 4_831)), (None, Some("work")));
    }
}
