//! After a charge: what its outcome changes, one file per outcome.
//!
//! Promises: a result is never dropped. It is concluded from a fresh snapshot in which somebody may have paused,
//! changed or cancelled meanwhile; only what follows from it then differs. An attempt that has ended never changes:
//! concluding it again changes nothing, and an answer that contradicts its end is an incident.
//! Must never know: whether the outcome came as an answer, from a look-up, or from a webhook.

mod declined;
mod late;
mod no_answer;
mod not_sent;
mod pending;
mod rejected;
mod seen;
mod succeeded;

use super::draft::Draft;
use super::{Circumstances, RuleError, cards, queue, wake};
use crate::hooks::{Bug, planted};
use crate::model::{
    Attempt, AttemptId, AttemptStatus, CardId, ChargeOutcome, EventKind, Invoice, OpenInvoice, Snapshot,
    Transition,
};

pub use seen::outcome_of;
pub(super) use succeeded::end_dunning;

/// An attempt in the working copy, and its outcome's circumstances.
pub(super) struct Case<'d, 's> {
    pub d: &'d mut Draft<'s>,
    pub place: usize,
    pub number: usize,
    pub c: &'d Circumstances,
}

impl Case<'_, '_> {
    pub fn open(&self) -> &OpenInvoice {
        &self.d.now.invoices[self.place]
    }

    pub fn invoice(&mut self) -> &mut Invoice {
        &mut self.d.now.invoices[self.place].invoice
    }

    pub fn attempt(&self) -> &Attempt {
        &self.open().attempts[self.number]
    }

    pub fn attempt_mut(&mut self) -> &mut Attempt {
        &mut self.d.now.invoices[self.place].attempts[self.number]
    }

    /// Ends the attempt: what only an unfinished one needs is dropped.
    pub fn end(&mut self, status: AttemptStatus) {
        let at = self.c.budget_now;
        let attempt = self.attempt_mut();
        attempt.status = status;
        attempt.resolved_at = Some(at);
        attempt.intent = None;
    }

    /// The attempt never became a charge: its invoice is due again at once, unless somebody stopped it meanwhile.
    pub fn due_again(&mut self) {
        if let Some(attempt) = self.d.as_read(self.place, self.number) {
            let took_turn = queue::is_catch_up(self.open(), attempt.intended_at);
            super::prepare::give_back(&mut self.d.now.customer, attempt, took_turn, self.c);
        }
        let at = self.c.at;
        let hold = cards::hold_until_tried(self.open(), self.meant());
        let invoice = self.invoice();
        if invoice.hold.is_none() && invoice.closed_at.is_none() {
            (invoice.hold, invoice.next_attempt_at) = (hold, Some(at));
        }
    }

    /// The card that the attempt was to charge; `None`: nobody can tell any more, since the customer was read again.
    fn meant(&self) -> Option<&CardId> {
        let attempt = self.attempt();
        let read_before = self.d.now.customer.read_at.is_some_and(|read| read <= attempt.intended_at);
        attempt.card.as_ref().or_else(|| cards::usual(&self.d.now).filter(|_| read_before))
    }

    /// Notes what happened to the invoice.
    pub fn event(&mut self, kind: EventKind, data: &serde_json::Value) {
        let id = self.attempt().id.invoice.clone();
        self.d.invoice_event(self.c.at, kind, &id, Some(data));
    }

    /// Notes what a person must look at.
    pub fn incident(&mut self, detail: &str) {
        let attempt = self.attempt().id.clone();
        let data = serde_json::json!({ "attempt": attempt, "detail": detail });
        self.event(EventKind::Incident, &data);
    }
}

/// What this outcome of this attempt changes. Empty: nothing. `snapshot` must hold the attempt's invoice, closed or
/// not.
///
/// Fails only if the snapshot does not hold the attempt, or a date cannot be counted.
pub fn conclude(
    snapshot: &Snapshot,
    attempt: &AttemptId,
    outcome: &ChargeOutcome,
    c: &Circumstances,
) -> Result<Transition, RuleError> {
    with_case(snapshot, attempt, c, |case| conclude_as(case, outcome))
}

/// Concludes an attempt of the working copy; whether that changed anything.
pub(super) fn conclude_as(case: &mut Case, outcome: &ChargeOutcome) -> Result<bool, RuleError> {
    let status = case.attempt().status;
    if status.is_final() || status == AttemptStatus::Manual {
        return Ok(late::answered(case, outcome));
    }
    ended_by_person(case, outcome)
}

/// No card is left to try the invoice at that place with: what follows the last try of its policy follows now.
pub(super) fn give_up(d: &mut Draft, place: usize, c: &Circumstances) {
    if let Some(number) = d.now.invoices[place].attempts.len().checked_sub(1) {
        declined::exhausted(&mut Case { d, place, number, c });
    }
}

/// The same for an attempt that only a person can end, and does.
pub(super) fn ended_by_person(case: &mut Case, outcome: &ChargeOutcome) -> Result<bool, RuleError> {
    let status = case.attempt().status;
    let first_answer = status == AttemptStatus::Intended;
    if answered_by_another_card(case, outcome) && !planted(Bug::WrongCardBelieved) {
        // What was read of the customer is not so, or no longer: nothing follows from it before they are read again.
        case.d.now.customer.read_at = None;
    }
    match outcome {
        ChargeOutcome::Succeeded { charge, card } => succeeded::paid(case, charge, card.as_ref())?,
        ChargeOutcome::Declined(decline) => declined::refused(case, decline),
        ChargeOutcome::Pending { charge, card, authorize_uri } => {
            return Ok(pending::waits(case, charge, card.as_ref(), authorize_uri.as_ref()));
        }
        ChargeOutcome::Rejected(rejected) if first_answer => rejected::wrong(case, rejected),
        ChargeOutcome::NotSent(not_sent) if first_answer => not_sent::kept(case, not_sent),
        ChargeOutcome::NoAnswer(silence) if first_answer => no_answer::silent(case, silence),
        // A look-up that failed, or found no such thing, says nothing about what was sent before it.
        ChargeOutcome::Rejected(_) | ChargeOutcome::NotSent(_) | ChargeOutcome::NoAnswer(_) => {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether the default was charged, and it was another card than we took for the default.
fn answered_by_another_card(case: &Case, outcome: &ChargeOutcome) -> bool {
    let shown = match outcome {
        ChargeOutcome::Succeeded { card, .. } | ChargeOutcome::Pending { card, .. } => card.as_ref(),
        ChargeOutcome::Declined(decline) => decline.card.as_ref(),
        ChargeOutcome::Rejected(_) | ChargeOutcome::NotSent(_) | ChargeOutcome::NoAnswer(_) => None,
    };
    let named = case.attempt().intent.as_ref().is_none_or(|intent| intent.named_card.is_some());
    !named && shown.is_some() && shown != case.d.now.customer.default_card.as_ref()
}

/// Works on that attempt; where the work says that something changed, the subscription's next look follows.
pub(super) fn with_case(
    snapshot: &Snapshot,
    attempt: &AttemptId,
    c: &Circumstances,
    work: impl FnOnce(&mut Case) -> Result<bool, RuleError>,
) -> Result<Transition, RuleError> {
    let mut d = Draft::new(snapshot);
    let (place, number) = d.find(attempt).ok_or_else(|| {
        RuleError::Refused(format!("attempt {attempt} is not in what was read of its invoice"))
    })?;
    if !work(&mut Case { d: &mut d, place, number, c })? {
        return Ok(Transition::default());
    }
    d.now.subscription.wake_at = wake::next(&d.now, c.at);
    Ok(d.transition(c.epoch))
}
