//! `dues run-now`, `dues adopt` and `dues reconcile`: the commands that talk to the provider about charges.

use clap::Args;
use jiff::{Timestamp, ToSpan as _};
use serde_json::json;

use super::access::{self, Act};
use super::context::Context;
use super::exit::{Exit, Failure, shown};
use super::handover::{self, Followed};
use super::house::{self, Purpose};
use super::instant::instant;
use super::notify;
use super::output::{Column, Output};
use super::report::{exit_of, render_report};
use super::rows::short;
use super::run_now::RunNowArgs;
use crate::billing::adopt::{Adopted, adopt};
use crate::billing::reconcile::{Finding, Reconciled, reconcile};
use crate::billing::{self, RunError, RunOrder, requests};
use crate::gateway::Window;
use crate::model::{RunReport, counted};
use crate::store::{ChargingLock, Store as _, StoreError};
use crate::wiring::{self, WiringError};

/// One billing run now. Beside a service that charges from the same book, the service makes it.
pub(super) fn run_now(args: &RunNowArgs, context: &Context) -> Result<Exit, Failure> {
    let order = order(args, context)?;
    let purpose = if order.dry_run { Purpose::Look } else { Purpose::Charge };
    let claimed = match wiring::claim(context.settings(), purpose.claim()) {
        Err(WiringError::Store(StoreError::InUse { stays: true, holder, .. })) => {
            match handover::follow(&order, context, &holder)? {
                Followed::Report(report) => return render_report(&report, &context.global, args.strict),
                Followed::Left { lock, request } => (Some(lock), Some(request)),
            }
        }
        other => (other?, None),
    };
    let (report, waiting) = context.wait(run_alone(context, &order, purpose, claimed))?;
    let exit = render_report(&report, &context.global, args.strict)?;
    if waiting > 0 && !context.global.json {
        shown(tell_of_messages(waiting))?;
    }
    Ok(exit)
}

fn tell_of_messages(waiting: u64) -> Result<(), Failure> {
    let mut out = Output::stdout(false);
    let wait = if waiting == 1 { "waits" } else { "wait" };
    out.line(&format!("\n{} {wait}: `dues notify send` delivers what is due", counted(waiting, "message")))?;
    out.finish()
}

/// Makes the run in this process; the request that nobody else will end is ended with it. With the report comes how
/// many messages wait.
async fn run_alone(
    context: &Context,
    order: &RunOrder,
    purpose: Purpose,
    (lock, request): (Option<ChargingLock>, Option<i64>),
) -> Result<(RunReport, u64), Failure> {
    let house = match house::open_claimed(context, purpose, lock).await {
        Ok(house) => house,
        Err(failure) => {
            if let Some(request) = request {
                end_unmade(context, request);
            }
            return Err(failure);
        }
    };
    let report = billing::run(&house.billing, order).await;
    if let Some(request) = request {
        requests::end(&house.billing, request, &report).await?;
    }
    let waiting =
        if purpose == Purpose::Look { 0 } else { notify::gather(context.settings(), &house.billing).await };
    house.close(context.settings()).await?;
    match report {
        // What was done until then is still worth a report; the exit code tells the rest.
        Err(RunError::KeysDuringRun(report)) => Ok((*report, waiting)),
        Err(error) if purpose == Purpose::Look => Err(Failure::from(error).of_a_dry_run()),
        other => Ok((other?, waiting)),
    }
}

/// Ends a request whose run could not be begun: whoever asked is told why, and nobody makes it later.
fn end_unmade(context: &Context, request: i64) {
    let ended = context
        .book_as_it_is()
        .and_then(|mut store| Ok(store.end_run(request, None, context.now())?))
        .map_err(|failure| failure.sentence);
    if let Err(why) = ended {
        tracing::warn!(
            why,
            "the request stays in the book: a service that begins within five minutes makes the run"
        );
    }
}

fn order(args: &RunNowArgs, context: &Context) -> Result<RunOrder, Failure> {
    let only = args.only.as_deref().map(requests::parse_only).transpose();
    let only = only.map_err(|why| Failure::usage(format!("--only: {why}")))?;
    Ok(RunOrder {
        at: args.at.as_deref().map(|text| instant("--at", text, context.zone())).transpose()?,
        dry_run: args.dry_run,
        only,
        limit: args.limit,
        routine: false,
    })
}

/// Nothing but what every command takes.
#[derive(Debug, Args)]
#[command(
    after_help = "Stop whatever else charges from this book first: two copies of a book charge twice.\n\n\
                        Examples:\n  dues restore /backup/dues.db && dues adopt\n  dues adopt --json"
)]
pub struct AdoptArgs {}

/// Binds the book to this host after it was compared with the provider's own list.
pub(super) fn adopt_book(_: &AdoptArgs, context: &Context) -> Result<Exit, Failure> {
    let host = wiring::this_host(&context.settings().store.path);
    let adopted = context.wait(async {
        let house = house::open(context, Purpose::Adopt).await?;
        let adopted = adopt(&house.billing, host.clone()).await;
        house.close(context.settings()).await?;
        Ok(adopted?)
    })?;
    let mut out = Output::stdout(context.global.json);
    if out.is_json() {
        out.object(&json!({
            "machine": host.machine,
            "path": host.path,
            "charges": adopted.charges,
            "taken_in": adopted.taken_in,
            "contradicted": adopted.contradicted,
            "left": adopted.left,
            "waits": adopted.waits,
            "bound": adopted.waits.is_empty(),
            "charging_from": adopted.settles.map(|until| context.zone().told(until)),
            "resolved": adopted.report,
        }))?;
    } else {
        if adopted.waits.is_empty() {
            out.line(&format!("The book is bound to this host ({} at {}).", host.machine, host.path))?;
        } else {
            out.line("The book is not bound yet: it still lacks charges of its own.")?;
        }
        out.line(&format!(
            "  {} of this book at the provider, of which the book had lost {}",
            counted(adopted.charges, "charge"),
            adopted.taken_in
        ))?;
        if adopted.contradicted > 0 {
            out.line(&format!(
                "  {} of them beside another end of the same attempt in the book; nothing was given back:",
                adopted.contradicted
            ))?;
        }
        if adopted.report.held_periods > 0 {
            out.line(&format!(
                "  {} held, see [catch_up] hold_after; collected after `dues resume`",
                counted(adopted.report.held_periods, "missed period")
            ))?;
        }
        for why in &adopted.report.incidents {
            out.line(&format!("  incident: {why}"))?;
        }
        for why in &adopted.left {
            out.line(&format!("  for a person: {why}"))?;
        }
        for why in &adopted.waits {
            out.line(&format!("  not yet: {why}"))?;
        }
        if let Some(until) = adopted.settles {
            out.line(&format!(
                "  charging begins at {}: what was under way before may come into the provider's list until then",
                context.zone().told(until)
            ))?;
        }
        for line in after_adopting(&adopted, context) {
            out.line(&line)?;
        }
    }
    out.finish()?;
    if !adopted.waits.is_empty() {
        return Ok(Exit::Store);
    }
    let waits_for_a_person = adopted.contradicted > 0 || !adopted.left.is_empty();
    Ok(if waits_for_a_person { Exit::Attention } else { exit_of(&adopted.report, false) })
}

/// What to do next. Nothing that leads to a charge before everything that is a person's was looked at.
fn after_adopting(adopted: &Adopted, context: &Context) -> Vec<String> {
    let config = context.global.config_words();
    let report = &adopted.report;
    if !adopted.waits.is_empty() {
        let settle = context.settings().doubt.settle;
        return vec![format!(
            "\nNext, {settle:#} from now and again until it is bound:\n  dues adopt{config}"
        )];
    }
    let incidents = adopted.contradicted > 0 || !report.incidents.is_empty();
    let is_a_persons = incidents || !adopted.left.is_empty() || report.manual_left > 0;
    let steps = [
        (true, "check"),
        (incidents, "list events --status incident"),
        (report.manual_left > 0, "list attempts --status manual"),
        (report.held_periods > 0, "list events --status catch_up_held"),
        (!is_a_persons, "run-now --dry-run"),
    ];
    let steps = steps.into_iter().filter(|(fits, _)| *fits);
    // Until then a dry run is refused as any other.
    let from = adopted.settles.map(|until| format!("  # from {} on", context.zone().told(until)));
    let from = |words: &str| from.clone().filter(|_| words.starts_with("run-now")).unwrap_or_default();
    std::iter::once("\nNext:".to_owned())
        .chain(steps.map(|(_, words)| format!("  dues {words}{config}{}", from(words))))
        .collect()
}

/// Which part of the provider's list.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  dues reconcile\n  dues reconcile --from 2026-11-01 --to 2026-12-01 --json"
)]
pub struct ReconcileArgs {
    /// First instant: RFC 3339, or a date in the book's zone [default: a week ago]
    #[arg(long, value_name = "D")]
    from: Option<String>,
    /// Last instant [default: now]
    #[arg(long, value_name = "D")]
    to: Option<String>,
    /// Why it is looked at, for the access record beside the book
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Our attempts against the provider's charges.
pub(super) fn reconcile_book(args: &ReconcileArgs, context: &Context) -> Result<Exit, Failure> {
    let window = window(args, context)?;
    context.need_book()?;
    access::note(context, Act::on_all("reconcile"), args.reason.as_deref())?;
    let mut findings = Vec::new();
    let counts = context.wait(async {
        let house = house::open(context, Purpose::Keep).await?;
        let counts = reconcile(&house.billing, window, &mut |finding| findings.push(finding)).await;
        house.close(context.settings()).await?;
        Ok(counts?)
    })?;
    shown(show(&counts, &findings, context))?;
    Ok(if counts.differences() == 0 && !counts.stopped { Exit::Done } else { Exit::Attention })
}

fn window(args: &ReconcileArgs, context: &Context) -> Result<Window, Failure> {
    let zone = context.zone();
    let parse = |option: &str, text: &Option<String>, default: Timestamp| {
        text.as_deref().map_or(Ok(default), |text| instant(option, text, zone))
    };
    let to = parse("--to", &args.to, context.now())?;
    let week_before =
        zone.at(to).checked_sub(7.days()).map_or(Timestamp::UNIX_EPOCH, |then| then.timestamp());
    let from = parse("--from", &args.from, week_before)?;
    if from > to {
        // As they were typed: what they were read as may lie on another day in another zone.
        let typed =
            |text: &Option<String>| text.as_deref().map_or("now".to_owned(), |text| format!("{text:?}"));
        return Err(Failure::usage(format!(
            "--from: found {}, wanted an instant before --to, which is {}",
            typed(&args.from),
            typed(&args.to)
        )));
    }
    Ok(Window { from, to })
}

fn show(counts: &Reconciled, findings: &[Finding], context: &Context) -> Result<(), Failure> {
    let mut out = Output::stdout(context.global.json);
    if out.is_json() {
        let mut object = serde_json::to_value(counts).unwrap_or_default();
        object["findings"] = serde_json::to_value(findings).unwrap_or_default();
        out.object(&object)?;
        return out.finish();
    }
    let zone = context.zone();
    out.line(&format!("{} to {}", short(counts.from, zone), short(counts.to, zone)))?;
    for (word, n) in [
        ("matched", counts.matched),
        ("missing there", counts.missing_there),
        ("missing here", counts.missing_here),
        ("mismatched", counts.mismatched),
        ("unsettled", counts.unsettled),
        ("refunded", counts.refunded),
        ("disputed", counts.disputed),
        ("of these new", counts.noted),
        ("of others", counts.others),
    ] {
        out.line(&format!("  {word:<14} {n}"))?;
    }
    let columns = [Column::text("ATTEMPT"), Column::text("CHARGE"), Column::text("WHAT")];
    let dash = || "–".to_owned();
    let rows = findings.iter().map(|finding| {
        vec![
            finding.attempt.as_ref().map_or_else(dash, ToString::to_string),
            finding.charge.clone().unwrap_or_else(dash),
            finding.detail.clone(),
        ]
    });
    out.table(&columns, rows.collect())?;
    out.finish()
}
