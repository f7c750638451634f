//! The periods that have no invoice yet: what becomes of those that have begun in the next run, and of the next one.
//!
//! Promises: found by letting the course itself run over a copy, never told from the status alone.
//! Must never know: cards, attempts.

use super::{goes_on, next_try, when};
use crate::model::{
    Hold, InvoiceId, InvoiceStatus, OpenInvoice, Pause, PausedBy, SkipReason, Snapshot, SubscriptionStatus,
};
use crate::rules::commands::next_invoice;
use crate::rules::draft::Draft;
use crate::rules::{Circumstances, RuleError, calendar, course, prepare, queue};

/// Decisions that bring one subscription up to date: four centuries of days.
const MOST_DECISIONS: u32 = 400;

/// What the next run does to a subscription before it asks for any payment.
pub(super) struct NextRun {
    /// As it then stands.
    pub after: Snapshot,
    /// Of its invoices, those that the book has already; new ones stand behind them.
    known: usize,
    /// Periods that it notes as never billed: first, first one after them, why.
    skipped: Vec<(u32, u32, SkipReason)>,
}

impl NextRun {
    /// For a subscription that cannot be decided.
    pub fn that_does_nothing(s: &Snapshot) -> Self {
        Self { after: s.clone(), known: s.invoices.len(), skipped: Vec::new() }
    }

    /// Invoices that the book has already, as the run finds them.
    pub fn known(&self) -> impl Iterator<Item = &OpenInvoice> {
        self.after.invoices.iter().take(self.known)
    }

    /// Those that the run opens.
    fn opened(&self) -> &[OpenInvoice] {
        self.after.invoices.get(self.known..).unwrap_or_default()
    }
}

/// Plays it. Fails where an amount or a date cannot be counted, as the run will.
pub(super) fn next_run(s: &Snapshot, c: &Circumstances) -> Result<NextRun, RuleError> {
    let mut d = Draft::new(s);
    for _ in 0..MOST_DECISIONS {
        if course::advance(&mut d, c.at, c.catch_up)? {
            break;
        }
    }
    prepare::follow_status(&mut d, c.at);
    let skipped = d.skipped().collect();
    Ok(NextRun { after: d.now, known: s.invoices.len(), skipped })
}

/// What the next run does about each period that has begun, the oldest first. `ahead`: the open invoice that newer ones
/// wait for.
pub(super) fn begun(
    s: &Snapshot,
    run: &NextRun,
    mut ahead: Option<InvoiceId>,
    c: &Circumstances,
) -> Vec<String> {
    let mut steps = Vec::new();
    let kind = |open: &OpenInvoice| (open.invoice.hold, queue::is_catch_up(open, c.at));
    let follows = |a: &OpenInvoice, b: &OpenInvoice| a.invoice.period.index + 1 == b.invoice.period.index;
    for alike in run.opened().chunk_by(|a, b| kind(a) == kind(b) && follows(a, b)) {
        let Some(first) = alike.first() else { continue };
        steps.push(if let Some(hold) = first.invoice.hold {
            invoiced(s, alike, &format!(", and {}", waits(&run.after, hold, alike.len())))
        } else {
            let collected = match &ahead {
                Some(older) => format!("charged after invoice {older}"),
                None if alike.len() > 1 => "collected oldest first, one a day".to_owned(),
                None => format!("it {}", next_try(&run.after, first, c)),
            };
            format!("{}; {collected}", invoiced(s, alike, ""))
        });
        if ahead.is_none() && queue::holds_up_the_rest(&run.after, first, c.at) {
            ahead = Some(first.invoice.id.clone());
        }
    }
    steps.extend(run.skipped.iter().filter_map(|skip| skipped(s, *skip)));
    steps
}

/// `period 0 from … to … is invoiced by the next run: 990.00 THB`; `and` stands before the amount.
fn invoiced(s: &Snapshot, alike: &[OpenInvoice], and: &str) -> String {
    let (Some(first), Some(last)) = (alike.first(), alike.last()) else { return String::new() };
    let (from, to) = (when(s, first.invoice.period.start), when(s, last.invoice.period.end));
    let (index, amount) = (first.invoice.period.index, first.invoice.amount);
    if alike.len() == 1 {
        return format!("period {index} from {from} to {to} is invoiced by the next run{and}: {amount}");
    }
    let until = last.invoice.period.index;
    format!("periods {index} to {until} from {from} to {to} are invoiced by the next run{and}: {amount} each")
}

/// What invoices that are opened on hold wait for.
fn waits(after: &Snapshot, hold: Hold, many: usize) -> String {
    let id = &after.subscription.id;
    let (waits, them) = if many == 1 { ("waits", "it") } else { ("wait", "them") };
    match (hold, after.subscription.status) {
        (_, SubscriptionStatus::Canceled) => match hold {
            Hold::CatchUp => {
                format!("{waits} for a person, since too many were missed and the subscription ended")
            }
            _ => format!("{waits}, since the subscription ended: `dues retry {id}` tries {them} once"),
        },
        (Hold::CatchUp, _) => format!("{waits} for `dues resume {id}`, since too many were missed"),
        _ if after.subscription.pause.is_some_and(only_a_person_ends) => {
            format!("{waits} for `dues resume {id}`")
        }
        _ => format!("{waits}: due again {}", goes_on(after)),
    }
}

fn only_a_person_ends(pause: Pause) -> bool {
    pause.by == PausedBy::Person && pause.until.is_none()
}

/// That the next run notes these periods as never billed; `None`: of an end that is told anyway.
fn skipped(s: &Snapshot, (from, to, reason): (u32, u32, SkipReason)) -> Option<String> {
    let subscription = &s.subscription;
    let which =
        if to - from == 1 { format!("period {from}") } else { format!("periods {from} to {}", to - 1) };
    let them = if to - from == 1 { "it" } else { "them" };
    let begun = calendar::period_of(subscription, &s.plan.terms, from)
        .map_or_else(|_| String::new(), |period| format!(", from {} on,", when(s, period.start)));
    match reason {
        SkipReason::Canceled => None,
        SkipReason::NotDue => Some(format!(
            "{which} has no time in it, since {} left that day out: the next run passes over it",
            subscription.zone
        )),
        SkipReason::Unpaid => Some(format!(
            "{which}{begun} began while it was unpaid: the next run skips {them}, never to be billed"
        )),
        _ => Some(format!(
            "{which}{begun} began while it was paused: the next run skips {them}, never to be billed"
        )),
    }
}

/// What becomes of the next period that has not begun, if nobody does anything until then. `after`: as the next run
/// leaves the subscription.
pub(super) fn to_come(after: &Snapshot, c: &Circumstances) -> Option<String> {
    let next = next_invoice(after).ok().flatten()?;
    let mut d = Draft::new(after);
    course::advance(&mut d, next.period.start, c.catch_up).ok()?;
    let billed =
        d.now.invoices.iter().any(|open| {
            open.invoice.id.index == next.period.index && open.invoice.status == InvoiceStatus::Open
        });
    let but = prepare::never_passes(next.amount, c)
        .map_or_else(String::new, |why| format!(", but cannot be charged: {why}"));
    Some(format!(
        "period {} from {} to {} is {}: {}{but}",
        next.period.index,
        when(after, next.period.start),
        when(after, next.period.end),
        if billed { "billed" } else { "skipped unless it goes on before" },
        next.amount
    ))
}
