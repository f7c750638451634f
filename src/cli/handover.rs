//! `run-now` beside a service: hands the run over through the book, shows how far it is, takes over should the service
//! die meanwhile, and takes the request back where it is told to stop before the service took it.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::sleep;

use super::context::Context;
use super::exit::{Exit, Failure};
use super::house::caption;
use super::progress::Progress;
use crate::billing::requests::{ASKS_AGAIN, request_of};
use crate::billing::{Part, RunOrder};
use crate::model::{AttemptStatus, FlagReason, RunReport, SkipReason, StoppedBy, Zone};
use crate::store::sqlite::SqliteStore;
use crate::store::{ChargingLock, RunProgress, Store as _, StoreError};
use crate::wiring::{self, Claim, WiringError};

/// Between two looks at the book.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// How a program ends that was told to stop in the midst of waiting.
const BROKEN_OFF: i32 = 130;

/// How a run that was handed over ended.
pub(super) enum Followed {
    /// The service made it.
    Report(Box<RunReport>),
    /// The service died: the lock is ours now, and so is the request of that number.
    Left { lock: ChargingLock, request: i64 },
}

/// Hands the run over to process `holder` and follows it. Told to stop meanwhile it takes the request back, says what
/// becomes of the run, and ends the program.
pub(super) fn follow(order: &RunOrder, context: &Context, holder: &str) -> Result<Followed, Failure> {
    context.wait(hand_over(order, context, holder))
}

async fn hand_over(order: &RunOrder, context: &Context, holder: &str) -> Result<Followed, Failure> {
    let settings = context.settings();
    let mut store = wiring::open_book(settings)?;
    // Before anything is asked, so that nothing that was asked is left behind.
    let mut signals = Signals::listen()?;
    let request = store.ask_run(&request_of(order), wiring::now())?;
    tracing::info!(request, "handed over to the service, process {holder}");
    let (mut bar, mut asked_at) = (Bar::new(context), wiring::now());
    loop {
        let died = match wiring::claim(settings, Claim::Charge) {
            Ok(lock) => lock,
            Err(WiringError::Store(StoreError::InUse { .. })) => None,
            Err(error) => return Err(error.into()),
        };
        // Looked at after the lock: what the service wrote before it died is seen.
        let state = store.run_state(request)?;
        match (state.filter(|state| state.ended), died) {
            (Some(ended), _) => return read(ended.report.as_deref(), context.zone()),
            (None, Some(lock)) => {
                tracing::warn!("the service (process {holder}) ended before the run did; taking over");
                return Ok(Followed::Left { lock, request });
            }
            (None, None) => {}
        }
        if wiring::now().duration_since(asked_at).abs() >= ASKS_AGAIN {
            asked_at = wiring::now();
            // A book that is locked at this moment is told the next time.
            let _ = store.still_asks(request, asked_at);
        }
        let progress = store.run_state(request)?.and_then(|state| state.progress);
        bar.show(progress.as_ref());
        tokio::select! {
            () = sleep(LOOK_EVERY) => {}
            () = signals.next() => {
                drop(bar);
                break_off(&mut store, request, holder);
            }
        }
    }
}

/// What ends a program that waits.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn listen() -> Result<Self, Failure> {
        let listen = |kind| {
            signal(kind).map_err(|why| Failure::unexpected(format!("signals cannot be listened to ({why})")))
        };
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Takes the request back if the service has not taken it, says what becomes of the run, and ends the program.
fn break_off(store: &mut SqliteStore, request: i64, holder: &str) -> ! {
    let sentence = match store.withdraw_run(request, wiring::now()) {
        Ok(true) => "broken off before the service took this run: it is not made".to_owned(),
        Ok(false) => format!(
            "the service (process {holder}) goes on with this run: what it comes to is in its log; \
             stop the service to end it"
        ),
        Err(error) => {
            format!("this run could not be taken back, and the service may still make it: {error}")
        }
    };
    let _ = Failure::unexpected(sentence).tell();
    std::process::exit(BROKEN_OFF);
}

/// A bar that follows what another process tells.
struct Bar<'a> {
    context: &'a Context,
    now: Option<(Part, Progress)>,
}

impl<'a> Bar<'a> {
    const fn new(context: &'a Context) -> Self {
        Self { context, now: None }
    }

    fn show(&mut self, progress: Option<&RunProgress>) {
        let part = progress.and_then(|progress| Some((Part::of_word(&progress.part)?, progress)));
        let Some((part, progress)) = part else {
            self.now = None;
            return;
        };
        if self.now.as_ref().is_none_or(|(known, _)| *known != part) {
            let bar = Progress::new(&self.context.global, caption(part), progress.total.unwrap_or(0));
            self.now = Some((part, bar));
        }
        if let Some((_, bar)) = &mut self.now {
            bar.set(progress.done);
        }
    }
}

/// What the service wrote: a report, or why there is none.
fn read(text: Option<&str>, zone: &Zone) -> Result<Followed, Failure> {
    let gave_up = || Failure::unexpected("the service gave the run up without a report; see its log");
    let value: Value = serde_json::from_str(text.ok_or_else(gave_up)?).map_err(|_| gave_up())?;
    if let Some(sentence) = value["refused"].as_str() {
        let exit = match value["kind"].as_str() {
            // A service that does not believe its clock keeps its book shut.
            Some("store" | "clock") => Exit::Store,
            Some("keys") => Exit::Provider,
            Some("usage") => Exit::Usage,
            _ => Exit::Failed,
        };
        return Err(Failure::new(exit, sentence));
    }
    let report = report_of(&value, zone);
    Ok(Followed::Report(Box::new(report.ok_or_else(gave_up)?)))
}

/// A report from its JSON form; `None`: it is none.
fn report_of(value: &Value, zone: &Zone) -> Option<RunReport> {
    let number = |key: &str| value[key].as_u64();
    let at: Timestamp = value["at"].as_str()?.parse().ok()?;
    let live = value["mode"].as_str()? == "live";
    let mut report = RunReport::new(value["run"].as_str()?.to_owned(), zone.at(at), false, live);
    report.considered = number("considered")?;
    report.invoiced = number("invoiced")?;
    report.attempts = counts(&value["attempts"], AttemptStatus::from_word)?;
    report.resolved = counts(&value["resolved"], AttemptStatus::from_word)?;
    for (currency, minor) in value["collected"].as_object()? {
        report.collected.insert(currency.parse().ok()?, minor.as_i64()?);
    }
    report.declined_by_code = counts(&value["declined_by_code"], |code| Some(code.to_owned()))?;
    report.unknown_declines = number("unknown_declines").unwrap_or(0);
    report.retries_scheduled = number("retries_scheduled")?;
    report.flagged = counts(&value["flagged"], FlagReason::from_word)?;
    report.skipped = counts(&value["skipped"], SkipReason::from_word)?;
    report.held_periods = number("held_periods").unwrap_or(0);
    report.api_calls = number("api_calls")?;
    report.elapsed_ms = number("elapsed_ms")?;
    report.stopped_by = match &value["stopped_by"] {
        Value::Null => None,
        word => Some(StoppedBy::from_word(word.as_str()?)?),
    };
    let incidents =
        value["incidents"].as_array()?.iter().map(|incident| incident.as_str().map(ToOwned::to_owned));
    report.incidents = incidents.collect::<Option<_>>()?;
    report.doubt_left = number("doubt_left")?;
    report.manual_left = number("manual_left").unwrap_or(0);
    report.due_left = number("due_left").unwrap_or(0);
    report.next_due_at = match &value["next_due_at"] {
        Value::Null => None,
        instant => Some(instant.as_str()?.parse().ok()?),
    };
    Some(report)
}

/// Counts by word; zeros are what a report leaves out of its maps.
fn counts<K: Ord>(
    value: &Value,
    word: impl Fn(&str) -> Option<K>,
) -> Option<std::collections::BTreeMap<K, u64>> {
    let pairs = value.as_object()?.iter().map(|(key, count)| Some((word(key)?, count.as_u64()?)));
    Some(pairs.collect::<Option<Vec<_>>>()?.into_iter().filter(|(_, count)| *count > 0).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Currency;

    #[test]
    fn a_report_survives_its_way_through_the_book() {
        let zone = Zone::parse("Asia/Bangkok").unwrap();
        let at = zone.at("2026-11-21T02:00:00Z".parse().unwrap());
        let mut report = RunReport::new("run-7".into(), at, false, true);
        report.considered = 9;
        report.attempts.insert(AttemptStatus::Succeeded, 5);
        report.resolved.insert(AttemptStatus::Absent, 1);
        report.collected.insert(Currency::Thb, 123_456);
        report.declined_by_code.insert("insufficient_fund".into(), 2);
        report.unknown_declines = 1;
        report.flagged.insert(FlagReason::NoCard, 1);
        report.skipped.insert(SkipReason::ALL[0], 3);
        report.held_periods = 4;
        report.stopped_by = Some(StoppedBy::PauseFile);
        report.incidents.push("two charges".into());
        report.doubt_left = 5;
        report.manual_left = 2;
        report.due_left = 6;
        report.next_due_at = Some("2026-12-21T02:00:00Z".parse().unwrap());
        let value = serde_json::to_value(&report).unwrap();
        assert_eq!(report_of(&value, &zone), Some(report));
        assert_eq!(report_of(&serde_json::json!({"run": 1}), &zone), None);
    }

    #[test]
    fn a_refusal_keeps_its_exit_code() {
        let text = r#"{"refused": "no such id", "kind": "usage"}"#;
        let Err(failure) = read(Some(text), &Zone::UTC) else { panic!("a refusal is no report") };
        assert_eq!((failure.exit, failure.sentence.as_str()), (Exit::Usage, "no such id"));
        let text = r#"{"refused": "the wall clock jumped", "kind": "clock"}"#;
        let Err(failure) = read(Some(text), &Zone::UTC) else { panic!("a refusal is no report") };
        assert_eq!((failure.exit, failure.sentence.as_str()), (Exit::Store, "the wall clock jumped"));
        assert!(read(None, &Zone::UTC).is_err());
    }
}
