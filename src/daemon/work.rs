//! One piece of work, done to its end in a task of its own.

use std::sync::Arc;

use jiff::Timestamp;
use thiserror::Error;

use super::jobs::Job;
use super::leisure::{Ask, speed};
use crate::billing::card_watch::{CardWatch, watch_cards};
use crate::billing::reconcile::{Standing, reconcile_days};
use crate::billing::requests::Asked;
use crate::billing::rings::look_after;
use crate::billing::webhooks::{Doorbell, Ring};
use crate::billing::{self, Billing, RunError, RunOrder, recover};
use crate::model::{RunReport, StoppedBy};
use crate::wiring::Backups;

/// The provider's list is compared over so many days back.
const RECONCILE_DAYS: i64 = 7;

/// Why the service cannot go on.
#[derive(Debug, Error)]
pub enum EndedBadly {
    /// The book, the keys, or what was asked for.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Nothing wakes it any more.
    #[error("the clock that wakes the service has ended")]
    NoTick,
    /// A fault of ours.
    #[error("a piece of work broke off: {0}")]
    Broke(String),
}

/// What is done.
#[derive(Clone, Debug)]
pub(super) enum Work {
    /// Old doubt alone.
    Recover,
    /// A job of the schedule.
    Job(Job),
    /// A run that somebody asked for.
    Asked(Asked),
    /// What the provider rang.
    News(Arc<Doorbell>, Vec<Ring>),
}

impl Work {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Recover => "looking up doubt",
            Self::Job(job) => job.name(),
            Self::Asked(_) => "a run asked for",
            Self::News(..) => "news",
        }
    }

    /// Whether it may charge anybody.
    pub(super) const fn charges(&self) -> bool {
        matches!(self, Self::Job(Job::Billing) | Self::Asked(_))
    }
}

/// What became of it.
pub(super) struct Done {
    pub(super) work: Work,
    pub(super) began: Timestamp,
    /// Of a run or a recovery.
    pub(super) report: Option<RunReport>,
    /// Why it failed; the rest of the service goes on.
    pub(super) error: Option<RunError>,
    /// It was told to stop before its end.
    pub(super) stopped: bool,
}

impl Done {
    /// Whether its job need not be done again before its next time.
    pub(super) fn counts(&self) -> bool {
        let cut_short = self.report.as_ref().and_then(|report| report.stopped_by).is_some_and(|why| {
            matches!(
                why,
                StoppedBy::Signal
                    | StoppedBy::ProviderUnreachable
                    | StoppedBy::Keys
                    | StoppedBy::Store
                    | StoppedBy::Lease
                    | StoppedBy::Clock
            )
        });
        self.error.is_none() && !cut_short && !self.stopped
    }
}

impl Done {
    /// Whether the provider answered, or why not; `None`: it was not asked.
    pub(super) fn asked_the_provider(&self) -> Option<Result<(), String>> {
        match (&self.error, &self.report) {
            (Some(error @ (RunError::Gateway(_) | RunError::KeysDuringRun(_))), _) => {
                Some(Err(error.to_string()))
            }
            (_, Some(report)) if report.stopped_by == Some(StoppedBy::ProviderUnreachable) => {
                Some(Err("too many requests in a row never reached it".to_owned()))
            }
            (_, Some(_)) => Some(Ok(())),
            _ => None,
        }
    }
}

/// What jobs that are done beside the others need.
#[derive(Clone, Debug, Default)]
pub(super) struct Means {
    /// Makes copies of the book; `None`: nobody wishes any.
    pub(super) backups: Option<Backups>,
    /// For those that take their time; `None`: they take none.
    pub(super) ask: Option<Ask>,
}

/// Does it.
pub(super) async fn perform(work: Work, billing: Billing, means: Means) -> Done {
    let began = billing.clock.now();
    let mut stopped = false;
    let outcome = match &work {
        Work::Recover => recover::recover(&billing).await.map(Some),
        Work::Job(Job::Billing) => {
            let order = RunOrder { routine: true, ..RunOrder::default() };
            billing::run(&billing, &order).await.map(Some)
        }
        Work::Job(Job::CardWatch) => {
            let watched = card_watch(&billing, means.ask, began).await;
            stopped = *watched.as_ref().unwrap_or(&false);
            watched.map(|_| None)
        }
        Work::Job(Job::Reconcile) => {
            let compared = reconcile(&billing, means.ask, began).await;
            stopped = *compared.as_ref().unwrap_or(&false);
            compared.map(|_| None)
        }
        // The post was rung when it fell due, and has tasks of its own.
        Work::Job(Job::Notifications) => Ok(None),
        Work::Job(Job::Housekeeping) => tidy(&billing, began).await.map(|()| None),
        Work::Job(Job::Backup) => backup(means.backups, began).await.map(|()| None),
        Work::Asked(asked) => asked_run(&billing, asked).await.map(Some),
        Work::News(doorbell, rings) => look_after(&billing, doorbell, rings).await.map(Some),
    };
    let (report, error) = match outcome {
        Ok(report) => (report, None),
        Err(RunError::KeysDuringRun(report)) => {
            (Some((*report).clone()), Some(RunError::KeysDuringRun(report)))
        }
        Err(error) => (None, Some(error)),
    };
    Done { work, began, report, error, stopped }
}

async fn tidy(billing: &Billing, now: Timestamp) -> Result<(), RunError> {
    let forgotten = billing::health::tidy(billing, now).await?;
    tracing::info!(forgotten, "the book was tidied");
    Ok(())
}

async fn backup(backups: Option<Backups>, now: Timestamp) -> Result<(), RunError> {
    let Some(backups) = backups else { return Ok(()) };
    let made = backups.make_aside(now).await?;
    tracing::info!(file = %made.file.display(), made.bytes, made.removed, "a backup was made");
    Ok(())
}

async fn asked_run(billing: &Billing, asked: &Asked) -> Result<RunReport, RunError> {
    let outcome = billing::run(billing, &asked.order).await;
    billing::requests::end(billing, asked.id, &outcome).await?;
    outcome
}

/// Whether it was told to stop before its end.
async fn card_watch(billing: &Billing, ask: Option<Ask>, now: Timestamp) -> Result<bool, RunError> {
    let speed = speed(billing, Job::CardWatch, ask, now).await?;
    let counts = watch_cards(billing, now, speed).await?;
    if counts.stopped {
        tracing::info!(
            counts.customers,
            "the card watch was stopped before its end, and will be begun again"
        );
        return Ok(true);
    }
    let CardWatch { customers, ending, ended, no_card, gone, changed, warned, flagged, cleared, .. } = counts;
    tracing::info!(
        customers,
        ending,
        ended,
        no_card,
        gone,
        changed,
        warned,
        flagged,
        cleared,
        "cards were looked through"
    );
    Ok(false)
}

/// Whether it was told to stop before its end.
async fn reconcile(billing: &Billing, ask: Option<Ask>, now: Timestamp) -> Result<bool, RunError> {
    let speed = speed(billing, Job::Reconcile, ask, now).await?;
    let mut told = |finding: billing::reconcile::Finding| {
        let attempt = finding.attempt.as_ref().map(ToString::to_string).unwrap_or_default();
        let charge = finding.charge.as_deref().unwrap_or("none");
        let standing = finding.standing;
        if standing == Standing::Unsettled {
            tracing::info!(attempt, charge, ?standing, "reconcile: {}", finding.detail);
        } else {
            tracing::warn!(attempt, charge, ?standing, "reconcile: {}", finding.detail);
        }
    };
    let counts = reconcile_days(billing, RECONCILE_DAYS, speed, &mut told).await?;
    if counts.stopped {
        tracing::info!(counts.matched, "reconciling was stopped before its end, and will be begun again");
        return Ok(true);
    }
    let wrong = counts.differences();
    if wrong > 0 {
        tracing::error!(wrong, counts.matched, "book and provider differ: run `dues reconcile`");
    } else {
        tracing::info!(counts.matched, "book and provider agree");
    }
    Ok(false)
}
