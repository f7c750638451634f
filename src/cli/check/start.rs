//! Tells what a start of the service would do, before it does it.

use jiff::SignedDuration;
use serde_json::json;

use super::super::context::Context;
use super::super::exit::Failure;
use super::super::progress::Progress;
use super::super::rows::short;
use super::Findings;
use crate::billing::forecast::{Forecast, forecast};
use crate::model::counted;
use crate::store::Store;

/// Unfinished attempts told one by one up to here.
const MOST_UNFINISHED: usize = 1_000;

/// Doubt first, then what is due, then what was missed.
pub(super) fn look(context: &Context, store: &mut dyn Store, findings: &mut Findings) -> Result<(), Failure> {
    let circumstances = context.circumstances(store)?;
    let due = store.count_due(circumstances.at)?;
    let unfinished = store.unfinished(None, MOST_UNFINISHED)?.len();
    let next = store.next_wake(circumstances.at)?.map_or_else(
        || "nothing after that".to_owned(),
        |at| format!("then next at {} {}", short(at, context.zone()), context.zone()),
    );
    let mut progress = Progress::new(&context.global, "looking ahead", due);
    let ahead = forecast(store, &circumstances, &mut |done| progress.set(done))?;
    drop(progress);
    let (subscriptions, attempts) = (counted(due, "subscription"), counted(unfinished as u64, "attempt"));
    let text = format!("{subscriptions} to look at now, {attempts} to look up first; {next}");
    if unfinished > 0 {
        findings.note("start", text);
    } else {
        findings.ok("start", text);
    }
    let text = tell(context, &ahead);
    if ahead.missed + ahead.held_periods + ahead.unclear + ahead.above_cap > 0 {
        findings.note("catch-up", text);
    } else {
        findings.ok("catch-up", text);
    }
    findings.data(json!(ahead));
    Ok(())
}

fn tell(context: &Context, ahead: &Forecast) -> String {
    let settings = context.settings();
    let mut parts =
        vec![format!("{} to invoice, {} of them missed", counted(ahead.invoiced, "period"), ahead.missed)];
    let rate = settings.omise.rate_milli_per_s.max(1);
    let seconds = ahead.charges_now.saturating_mul(1_000).div_ceil(u64::from(rate));
    let length = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    parts.push(match ahead.charges_now {
        0 => "no charge at once".to_owned(),
        n => format!("{} at once, over {length:#} or more by requests_per_second", counted(n, "charge")),
    });
    if ahead.charges_later > 0 {
        let (n, days) = (ahead.charges_later, ahead.spread_days);
        parts.push(format!(
            "{n} more for missed periods, one a day for each customer, the last in {}",
            counted(days.into(), "day")
        ));
    }
    if ahead.held_periods > 0 {
        let hold_after = settings.catch_up.hold_after;
        let wait = if ahead.held_customers == 1 { "waits" } else { "wait" };
        parts.push(format!(
            "{} with {} {wait} for `dues resume`, having missed more than {hold_after}",
            counted(ahead.held_customers, "customer"),
            counted(ahead.held_periods, "missed period")
        ));
    }
    if ahead.above_cap > 0 {
        parts.push(format!(
            "{} open invoices are above what one customer may be charged in a day, and are not charged: raise \
             amount_per_customer_per_day under [brakes]",
            ahead.above_cap
        ));
    }
    if ahead.unclear > 0 {
        parts.push(format!(
            "{} of which nothing can be told; see the log",
            counted(ahead.unclear, "subscription")
        ));
    }
    parts.join("; ") + ". Cards, budgets and brakes may still say no"
}
