//! `dues resolve`: a person says what became of an attempt that no look could settle.

use jiff::Timestamp;
use serde_json::json;

use super::refused;
use crate::model::{AttemptId, AttemptStatus, ChargeSeen, EventKind, SeenStatus, Snapshot, Transition};
use crate::rules::conclude::{Case, ended_by_person, with_case};
use crate::rules::{Circumstances, RuleError, outcome_of};

/// The attempt became this charge, which was just read at the provider. Refused unless the charge is of the attempt's
/// customer and amount, and has ended.
pub fn resolve_charge(
    snapshot: &Snapshot,
    attempt: &AttemptId,
    seen: &ChargeSeen,
    reason: &str,
    c: &Circumstances,
) -> Result<Transition, RuleError> {
    with_case(snapshot, attempt, c, |case| {
        must_be_manual(case)?;
        must_fit(case, seen)?;
        ended_by_person(case, &outcome_of(seen))?;
        tell(case, c.at, json!({ "charge": seen.charge, "reason": reason }));
        Ok(true)
    })
}

/// The attempt never became a charge: its invoice is due again at once.
pub fn resolve_absent(
    snapshot: &Snapshot,
    attempt: &AttemptId,
    reason: &str,
    c: &Circumstances,
) -> Result<Transition, RuleError> {
    with_case(snapshot, attempt, c, |case| {
        must_be_manual(case)?;
        case.end(AttemptStatus::Absent);
        case.due_again();
        tell(case, c.at, json!({ "absent": true, "reason": reason }));
        Ok(true)
    })
}

fn must_be_manual(case: &Case) -> Result<(), RuleError> {
    let attempt = case.attempt();
    match attempt.status {
        AttemptStatus::Manual => Ok(()),
        status if status.is_final() => refused(format!("attempt {} has ended as {status}", attempt.id)),
        status => refused(format!(
            "attempt {} is {status}: it is looked up by itself, and by `dues run-now`; a person decides only once it \
             is manual",
            attempt.id
        )),
    }
}

fn must_fit(case: &Case, seen: &ChargeSeen) -> Result<(), RuleError> {
    let attempt = case.attempt();
    if seen.customer.as_ref() != Some(&attempt.customer) || seen.amount != Some(attempt.amount) {
        let amount = seen.amount.map_or_else(|| "an unreadable amount".to_owned(), |a| a.to_string());
        let customer = seen.customer.as_ref().map_or("no customer", |id| id.as_str());
        return refused(format!(
            "charge {}: found {amount} of {customer}, wanted {} of {}",
            seen.charge, attempt.amount, attempt.customer
        ));
    }
    match &seen.status {
        SeenStatus::Successful | SeenStatus::Failed(_) | SeenStatus::Ended(_) => Ok(()),
        SeenStatus::Pending(_) => {
            refused(format!("charge {} is still pending; wait until it has ended", seen.charge))
        }
        SeenStatus::Unknown(word) => {
            refused(format!("charge {} has the status {word:?}, which is none we know", seen.charge))
        }
    }
}

fn tell(case: &mut Case, at: Timestamp, mut data: serde_json::Value) {
    let attempt = case.attempt();
    data["attempt"] = attempt.id.to_string().into();
    data["status"] = attempt.status.word().into();
    let invoice = attempt.id.invoice.clone();
    case.d.invoice_event(at, EventKind::AttemptResolved, &invoice, Some(&data));
}
