//! One piece of work, done to its end in a task of its own.

use std::sync::Arc;

use jiff::Timestamp;
use thiserror::Error;

use super::jobs::Job;
use super::leisure::{Ask, speed};
use crate::billing::card_watch::{CardWatch, watch_cards};
use crate::billing::jump::Since;
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
    /// The clocks at that moment.
    pub(super) since: Since,
    /// The provider told its time, and the wall clock agreed with it: then what was begun later than that moment was
    /// begun by a clock that is believed.
    pub(super) clocks_agree: bool,
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
    /// Whether it was a run over all that is due now, and nothing stopped it: no brake, no pause file, no failure.
    pub(super) fn went_through(&self) -> bool {
        let whole = match &self.work {
            Work::Job(Job::Billing) => true,
            Work::Asked(asked) => asked.order.only.is_none() && asked.order.at.is_none(),
            _ => false,
        };
        let to_its_end = self.report.as_ref().is_some_and(|report| report.stopped_by.is_none());
        whole && to_its_end && self.error.is_none() && !self.stopped
    }

    /// What a run came to, as whoever asked for it is told.
    pub(super) fn outcome(&self) -> Option<Result<RunReport, RunError>> {
        match (&self.error, &self.report) {
            (Some(error), _) => Some(Err(error.clone())),
            (None, report) => report.clone().map(Ok),
        }
    }

    /// It failed; a book that was adopted just now is only waited for.
    pub(super) const fn failed(&self) -> bool {
        self.error.is_some() && !self.waits()
    }

    /// It was not begun, since the book was adopted just now.
    pub(super) const fn waits(&self) -> bool {
        matches!(self.error, Some(RunError::Settling { .. }))
    }

    /// Why a run failed as a whole; `None`: it did not.
    pub(super) fn failure(&self) -> Option<String> {
        let provider = self.asked_the_provider().and_then(Result::err);
        provider.or_else(|| self.error.as_ref().map(ToString::to_string))
    }

    /// Whether the provider answered, or why not; `None`: it was not asked.
    pub(super) fn asked_the_provider(&self) -> Option<Result<(), String>> {
        match (&self.error, &self.report) {
            (Some(error @ (RunError::Gateway(_) | RunError::KeysDuringRun(_))), _) => {
                Some(Err(error.to_string()))
            }
            (_, Some(report)) if report.stopped_by == Some(StoppedBy::ProviderUnreachable) => {
                let why = match report.considered {
                    0 => "the provider cannot be reached",
                    _ => "too many requests in a row never reached the provider",
                };
                Some(Err(why.to_owned()))
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
    let (began, since) = (billing.clock.now(), Since::now(&*billing.clock));
    let (mut stopped, mut clocks_agree) = (false, false);
    let outcome = match &work {
        Work::Recover => recover::recover(&billing).await.map(|recovered| {
            clocks_agree = recovered.clocks_agree;
            Some(recovered.report)
        }),
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
        Work::Asked(asked) => billing::run(&billing, &asked.order).await.map(Some),
        Work::News(doorbell, rings) => look_after(&billing, doorbell, rings).await.map(Some),
    };
    let (report, error) = match outcome {
        Ok(report) => (report, None),
        Err(RunError::KeysDuringRun(report)) => {
            (Some((*report).clone()), Some(RunError::KeysDuringRun(report)))
        }
        Err(error) => (None, Some(error)),
    };
    Done { work, began, since, clocks_agree, report, error, stopped }
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
