//! Counts what was written into the book for the run's report.

use crate::model::{AttemptStatus, Change, EventKind, Hold, NewEvent, RunReport, SkipReason, Transition};

/// The report in the making.
pub(super) struct Tally(pub(super) RunReport);

impl Tally {
    /// A transition is in the book (of a dry run: would be).
    pub(super) fn wrote(&mut self, transition: &Transition) {
        for change in &transition.changes {
            match change {
                Change::InsertInvoice(invoice) => {
                    self.0.invoiced += 1;
                    self.0.held_periods += u64::from(invoice.hold == Some(Hold::CatchUp));
                }
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
        let retries = transition.changes.iter().filter(
            |change| matches!(change, Change::UpdateInvoice(invoice) if invoice.next_attempt_at.is_some()),
        );
        for event in transition.events.iter().filter(|event| event.kind == EventKind::AttemptDeclined) {
            self.unknown_code(event);
        }
        if declined {
            self.0.retries_scheduled += retries.count() as u64;
        }
    }

    /// A code in no row of the table of declines is tried once more, and somebody should give it a row.
    fn unknown_code(&mut self, event: &NewEvent) {
        let data: serde_json::Value =
            event.data.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        if data["unknown_code"] != true {
            return;
        }
        self.0.unknown_declines += 1;
        let word = |name: &str| data[name].as_str().unwrap_or("").to_owned();
        tracing::warn!(
            attempt = word("attempt"),
            code = word("code"),
            advice_code = word("advice_code"),
            "declined with a code that no row of the table of declines knows: it is tried once more; give it a row \
             with [[declines.rows]]"
        );
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
