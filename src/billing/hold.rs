//! Before a run: the keys are proved, the clocks compared, the book compared with the provider's own list, and taken.

use jiff::{SignedDuration, Timestamp};

use super::left::Left;
use super::plans::refused_prices;
use super::run::{Run, Taken};
use super::time::ProviderTime;
use super::{Billing, RunError, RunOrder, behind};
use crate::clock::Stopwatch;
use crate::gateway::{AccountFacts, GatewayError};
use crate::hooks::kill_point;
use crate::model::{Epoch, RunId, RunReport, StoppedBy};
use crate::store::{BookFacts, StoreError};

/// Our wall clock may be this far ahead of the provider's before nothing is charged.
const MOST_AHEAD: SignedDuration = SignedDuration::from_hours(1);
/// And this far behind it.
const MOST_BEHIND: SignedDuration = SignedDuration::from_mins(5);

/// Whether a wall clock that is so far ahead of the provider's (negative: behind it) keeps every run from charging.
pub fn is_apart(ahead: SignedDuration) -> bool {
    ahead > MOST_AHEAD || ahead < -MOST_BEHIND
}

/// What the book is taken for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Intention {
    Charge,
    /// Doubt is looked up, and nothing new begun.
    Look,
    Adopt,
}

/// Proves the keys and takes the book: from here on this process charges, and no older one. A book that lacks a charge
/// of its own, or may lack one still since it was adopted just now, is refused, with nothing written; a dry run charges
/// nothing, so it does not ask what the book lacks.
pub(super) async fn hold<'a>(
    billing: &'a Billing,
    order: &'a RunOrder,
) -> Result<(Run<'a>, Option<RunId>), RunError> {
    take(billing, order, Intention::Charge).await
}

/// The same for who charges nothing, and only looks up what is under way.
pub(super) async fn hold_to_look<'a>(
    billing: &'a Billing,
    order: &'a RunOrder,
) -> Result<(Run<'a>, Option<RunId>), RunError> {
    take(billing, order, Intention::Look).await
}

/// The same for who is about to take in what the book lacks.
pub(super) async fn hold_whatever_it_lacks<'a>(
    billing: &'a Billing,
    order: &'a RunOrder,
) -> Result<(Run<'a>, Option<RunId>), RunError> {
    take(billing, order, Intention::Adopt).await
}

async fn take<'a>(
    billing: &'a Billing,
    order: &'a RunOrder,
    intention: Intention,
) -> Result<(Run<'a>, Option<RunId>), RunError> {
    let at = billing_instant(billing, order)?;
    let (facts, adopted) =
        billing.lane.run(|store| Ok::<_, StoreError>((store.facts()?, behind::adopted(store)?))).await??;
    let compares = intention != Intention::Adopt && !order.dry_run;
    let time = ProviderTime::new(billing.clock.clone());
    let asked = async {
        tokio::join!(billing.gateway.account(), async {
            if compares { behind::ask_early(billing, &facts).await.map(Some) } else { Ok(None) }
        })
    };
    let (account, early) = tokio::select! {
        answers = asked => answers,
        // Nothing was begun yet, and a silent provider is asked again and again for minutes.
        () = billing.stop.cancelled() => return Err(told_to_stop()),
    };
    let account = account?;
    time.saw(account.provider_now);
    check_account(billing, order, at, &facts, &account)?;
    let settles = behind::settles_until(billing, adopted, &time.wire(billing.settings.timeout));
    if let (Intention::Charge, Some(until)) = (intention, settles) {
        return Err(RunError::Settling { until: billing.settings.zone.told(until) });
    }
    let comparison = match early? {
        Some(early) => Some(behind::refuse(billing, &facts, &time, early).await?),
        None => None,
    };
    let (seen, doubled) = comparison.map(|it| (it.seen_up_to, it.doubled)).unzip();
    // What is listed late shows only once that is over: the comparison begins where it began until then.
    let seen = seen.filter(|_| settles.is_none());
    let (epoch, run_id) =
        if order.dry_run { (None, None) } else { begin(billing, at, &account, &time, seen).await? };
    let report = RunReport::new(
        run_id.as_ref().map_or_else(|| "dry".to_owned(), ToString::to_string),
        billing.settings.zone.at(at),
        order.dry_run,
        account.livemode,
    );
    let doubled = doubled.unwrap_or_default();
    let has_all = settles.is_none();
    let taken = Taken { at, installation: facts.installation, epoch, account, time, doubled, has_all };
    let run = Run::new(billing, order, taken, report);
    Ok((run, run_id))
}

/// As a provider that cannot be reached: nothing was begun, and whoever comes next asks again.
fn told_to_stop() -> RunError {
    GatewayError::Unreachable("told to stop before it answered".into()).into()
}

/// The instant that dueness is judged by, in whole seconds.
fn billing_instant(billing: &Billing, order: &RunOrder) -> Result<Timestamp, RunError> {
    let at = order.at.unwrap_or_else(|| billing.clock.now());
    Timestamp::from_second(at.as_second())
        .map_err(|_| RunError::Usage(format!("{at} is outside the calendar")))
}

/// Live keys never charge for a time that has not come; a book never mixes modes; a jumped clock stops everything; no
/// plan is sold at a price that the account cannot charge.
fn check_account(
    billing: &Billing,
    order: &RunOrder,
    at: Timestamp,
    facts: &BookFacts,
    account: &AccountFacts,
) -> Result<(), RunError> {
    let wall = billing.clock.now();
    if account.livemode && !order.dry_run && at > wall {
        return Err(RunError::Usage(format!(
            "--at: found {}, which is in the future, wanted a past instant: with a live key only --dry-run may look ahead",
            billing.settings.zone.told(at)
        )));
    }
    if facts.livemode.is_some_and(|bound| bound != account.livemode) {
        let word = |live| if live { "live" } else { "test" };
        return Err(
            StoreError::WrongMode { found: word(account.livemode), wanted: word(!account.livemode) }.into()
        );
    }
    if let Some(theirs) = account.provider_now {
        let ahead = wall.duration_since(theirs);
        if is_apart(ahead) {
            return Err(RunError::Clock(format!(
                "the wall clock says {wall}, the provider's says {theirs}: more than an hour ahead or five minutes behind; \
                 nothing was charged, set the clock right and run again"
            )));
        }
    }
    // All of them are in the book by now, or stand for a book that has them.
    let refusals = refused_prices(&billing.settings.prices, &account.limits, &|_| false);
    if refusals.is_empty() { Ok(()) } else { Err(RunError::Usage(refusals.join("\n"))) }
}

/// Binds the book's mode, raises the epoch and opens the run's row. `compared`: up to which provider time the book has
/// every charge of its own; one that was not compared remembers no such moment before it was.
async fn begin(
    billing: &Billing,
    at: Timestamp,
    account: &AccountFacts,
    time: &ProviderTime,
    compared: Option<Timestamp>,
) -> Result<(Option<Epoch>, Option<RunId>), RunError> {
    let livemode = account.livemode;
    let wire = time.wire(billing.settings.timeout);
    billing
        .lane
        .run(move |store| {
            store.bind_mode(livemode)?;
            kill_point("epoch.before_commit");
            let (epoch, orphans) = store.begin_epoch(at, wire.wall_at, wire.provider_now)?;
            kill_point("epoch.after_commit");
            if orphans > 0 {
                tracing::warn!(
                    orphans,
                    "attempts of a process that died are in doubt and will be looked up first"
                );
            }
            let run = store.open_run(at, wire.wall_at, compared)?;
            Ok((Some(epoch), Some(run)))
        })
        .await?
}

/// What is said of a run that could not begin because nobody answered.
pub(super) async fn unreachable_report(
    billing: &Billing,
    order: &RunOrder,
    watch: Stopwatch,
    calls_before: u64,
) -> Result<RunReport, RunError> {
    let at = billing_instant(billing, order)?;
    let facts = billing.lane.run(|store| store.facts()).await??;
    let left = billing.lane.run(move |store| Left::behind(store, at, true)).await??;
    let livemode = facts.livemode.unwrap_or(false);
    let mut report = RunReport::new("none".into(), billing.settings.zone.at(at), order.dry_run, livemode);
    left.told(at, &mut report);
    let stopped = billing.stop.is_cancelled();
    report.stopped_by = Some(if stopped { StoppedBy::Signal } else { StoppedBy::ProviderUnreachable });
    report.api_calls = billing.gateway.calls() - calls_before;
    report.elapsed_ms = watch.elapsed_ms();
    Ok(report)
}
