//! Daily jobs that nobody waits for: each takes hours and steps aside for other work, so that what it costs is never much
//! at once, for this machine or for the provider.
//!
//! Promises: a job that was cut short by a restart is begun again with the time that its first beginning left it, so that
//! it ends all the same. Must never know: what the job does.

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use super::jobs::Job;
use crate::billing::{Billing, RunError, Speed};

/// Over how long a job is spread at most. At a hundred thousand customers the card watch takes half of this.
const LONGEST_SPREAD: SignedDuration = SignedDuration::from_hours(4);

/// What the service tells such a job.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    /// Whether other work is under way.
    pub(super) busy: watch::Receiver<bool>,
    /// The next time of the job; `None`: there is none.
    pub(super) next: Option<Timestamp>,
}

/// Under which name the book keeps when the job that is not done yet was first begun; `None`: it takes no such time.
pub(super) const fn first_begun_as(job: Job) -> Option<&'static str> {
    match job {
        Job::CardWatch => Some("card_watch.begun"),
        Job::Reconcile => Some("reconcile.begun"),
        Job::Billing | Job::Notifications | Job::Housekeeping | Job::Backup => None,
    }
}

/// How fast a job goes that begins `now`; `None` for `ask`: nobody says what else is under way.
pub(super) async fn speed(
    billing: &Billing,
    job: Job,
    ask: Option<Ask>,
    now: Timestamp,
) -> Result<Speed, RunError> {
    let (Some(ask), Some(name)) = (ask, first_begun_as(job)) else { return Ok(Speed::Full) };
    let begun = billing.lane.run(move |store| store.job_began(name)).await??;
    let last = billing.lane.run(move |store| store.job_began(job.name())).await??;
    let first = first_begun(begun, last, now);
    if begun != Some(first) {
        billing.lane.run(move |store| store.note_job(name, first)).await??;
    }
    Ok(Speed::Leisurely { until: until(first, ask.next, now), busy: ask.busy })
}

/// When the job to be done was first begun: earlier than now if it was cut short since the last that was done.
fn first_begun(begun: Option<Timestamp>, last: Option<Timestamp>, now: Timestamp) -> Timestamp {
    begun.filter(|begun| *begun <= now && last.is_none_or(|last| last < *begun)).unwrap_or(now)
}

/// Until when it is spread: over four hours, or half the time to the job's next turn where that is less.
fn until(first: Timestamp, next: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let half = next.map_or(LONGEST_SPREAD, |next| next.duration_since(now) / 2);
    let spread = half.min(LONGEST_SPREAD).max(SignedDuration::ZERO);
    first.saturating_add(spread).unwrap_or(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minutes * 60).unwrap()
    }

    #[test]
    fn a_watch_that_was_cut_short_keeps_its_first_beginning_and_a_new_one_has_its_own() {
        assert_eq!(first_begun(None, None, at(0)), at(0), "the first of all");
        assert_eq!(first_begun(Some(at(0)), None, at(30)), at(0), "cut short");
        assert_eq!(
            first_begun(Some(at(0)), Some(at(0)), at(1_440)),
            at(1_440),
            "the last was done in one go"
        );
        assert_eq!(first_begun(Some(at(0)), Some(at(30)), at(1_440)), at(1_440), "the last was begun twice");
        assert_eq!(first_begun(Some(at(1_440)), Some(at(30)), at(1_450)), at(1_440), "cut short again");
        assert_eq!(first_begun(Some(at(9_999)), None, at(0)), at(0), "begun by a wrong clock");
    }

    #[test]
    fn however_often_it_is_cut_short_its_time_runs_out() {
        let next = Some(at(24 * 60));
        assert_eq!(until(at(0), next, at(0)), at(240));
        assert_eq!(until(at(0), next, at(239)), at(240));
        assert!(until(at(0), next, at(500)) < at(500), "no time is left: it goes on without rests");
        assert_eq!(until(at(0), Some(at(60)), at(0)), at(30), "an hourly job ends before the next");
        assert_eq!(until(at(0), None, at(0)), at(240));
    }
}
