//! What a process that stays does about doubt between two runs: looks it up when an age of it has come.

use jiff::Timestamp;

use super::hold::hold_to_look;
use super::{Billing, RunError, RunOrder, doubt};
use crate::clock::Stopwatch;
use crate::model::{AttemptId, RunReport, StoppedBy};
use crate::rules;

/// Unfinished attempts read at a time.
const PAGE_ROWS: usize = 500;

/// What a look at all doubt came to.
#[derive(Clone, Debug)]
pub struct Recovered {
    /// As of a run.
    pub report: RunReport,
    /// The provider told its time, and our wall clock agreed with it; `false`: it told none.
    pub clocks_agree: bool,
}

/// Takes the book and looks every doubt up once, and whatever waits for a customer in its turn; nothing new is begun. The caller holds the charging lock.
///
/// # Errors
/// As of a run; a provider that cannot be reached is one too, and clocks that are apart.
pub async fn recover(billing: &Billing) -> Result<Recovered, RunError> {
    let watch = Stopwatch::start();
    let calls_before = billing.gateway.calls();
    let order = RunOrder { routine: true, ..RunOrder::default() };
    let (run, run_id) = hold_to_look(billing, &order).await?;
    // Whoever holds the book compared the clocks, if there were two.
    let clocks_agree = run.account.provider_now.is_some();
    doubt::settle(&run).await?;
    let report = run.finish(run_id, watch, calls_before).await?;
    let clocks_agree = clocks_agree && report.stopped_by != Some(StoppedBy::Clock);
    Ok(Recovered { report, clocks_agree })
}

/// When an age of some doubt comes, or came, at which nobody has looked, or when a charge that waits for its customer
/// is to be asked for; `None`: no unfinished attempt is one that a look could move.
pub async fn next_look(billing: &Billing) -> Result<Option<Timestamp>, RunError> {
    let mut next: Option<Timestamp> = None;
    let mut after: Option<AttemptId> = None;
    loop {
        let cursor = after.clone();
        let page = billing.lane.run(move |store| store.unfinished(cursor.as_ref(), PAGE_ROWS)).await??;
        next = next.into_iter().chain(page.iter().filter_map(rules::looks::next_look)).min();
        match page.last() {
            Some(last) if page.len() == PAGE_ROWS => after = Some(last.id.clone()),
            _ => return Ok(next),
        }
    }
}
