//! Counts what was written into the book for the run's report.

use crate::model::{AttemptStatus, Change, EventKind, NewEvent, RunReport, SkipReason, Transition};

/// Whether the event tells of a decline with a code that nobody has told us about.
fn says_unknown(event: &NewEvent) -> bool {
    let data = event.data.as_deref().filter(|_| event.kind == EventKind::AttemptDeclined);
    let data = data.and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
    data.is_some_and(|data| data["unknown_code"] == true)
}

/// The report in the making.
pub(super) struct Tally(pub(super) RunReport);

impl Tally {
    /// A transition is in the book (of a dry run: would be).
    pub(super) fn wrote(&mut self, transition: &Transition) {
        for change in &transition.changes {
            match change {
                Change::InsertInvoice(_) => self.0.invoiced += 1,
                Change::RaiseFlag(flag) => *self.0.flagged.entry(flag.reason).or_default() += 1,
                _ => {}
            }
        }
        for event in transition.events.iter().filter(|event| event.kind == EventKind::Incident) {
            let about =
                event.invoice.as_ref().map(|invoice| format!("invoice {invoice}: ")).unwrap_or_default();
            self.0
                .incidents
                .push(format!("{about}{}", event.data.as_deref().unwrap_or("see `dues list events`")));
        }
    }

    /// An attempt sent by this run ended so, and its transition is in the book.
    pub(super) fn sent(&mut self, transition: &Transition) {
        self.ended(transition, false);
    }

    /// An older attempt was settled so, and its transition is in the book.
    pub(super) fn resolved(&mut self, transition: &Transition) {
        self.ended(transition, true);
    }

    fn ended(&mut self, transition: &Transition, older: bool) {
        self.wrote(transition);
        let mut declined = false;
        for change in &transition.changes {
            let Change::UpdateAttempt { attempt, from } = change else { continue };
            if attempt.status == *from {
                continue;
            }
            let counts = if older { &mut self.0.resolved } else { &mut self.0.attempts };
            *counts.entry(attempt.status).or_default() += 1;
            if attempt.status == AttemptStatus::Succeeded {
                self.0.collect(attempt.amount);
            }
            if attempt.status == AttemptStatus::Declined {
                declined = true;
                let code = attempt.failure_code.as_deref().unwrap_or("unknown").to_owned();
                *self.0.declined_by_code.entry(code).or_default() += 1;
            }
        }
        self.0.unknown_codes += transition.events.iter().filter(|event| says_unknown(event)).count() as u64;
        let retries = transition.changes.iter().filter(
            |change| matches!(change, Change::UpdateInvoice(invoice) if invoice.next_attempt_at.is_some()),
        );
        if declined {
            self.0.retries_scheduled += retries.count() as u64;
        }
    }

    /// A dry run would send this.
    pub(super) fn planned(&mut self, transition: &Transition) {
        self.wrote(transition);
        *self.0.attempts.entry(AttemptStatus::Intended).or_default() += 1;
    }

    /// A subscription was passed over.
    pub(super) fn skipped(&mut self, reason: SkipReason) {
        *self.0.skipped.entry(reason).or_default() += 1;
    }
}
