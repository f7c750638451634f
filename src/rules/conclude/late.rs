//! An answer for an attempt that has ended, or that only a person can end.

use std::fmt::Write as _;

use serde_json::json;

use super::Case;
use crate::model::{AttemptStatus, ChargeOutcome, EventKind, Hold, InvoiceStatus};

/// The attempt stays as it is. Money that moved against it is an incident, and its invoice takes no other try
/// until a person has looked. Whether anything changed is answered.
pub(super) fn answered(case: &mut Case, outcome: &ChargeOutcome) -> bool {
    let ChargeOutcome::Succeeded { charge, .. } = outcome else { return false };
    let attempt = case.attempt();
    let known = attempt.status == AttemptStatus::Manual
        || (attempt.status == AttemptStatus::Succeeded && attempt.charge.as_ref() == Some(charge))
        || case.open().invoice.hold == Some(Hold::Incident);
    if known {
        return false;
    }
    let mut detail =
        format!("charge {charge} succeeded for attempt {}, which ended as {}", attempt.id, attempt.status);
    if let Some(known) = attempt.charge.as_ref().filter(|known| *known != charge) {
        let _ = write!(detail, " with charge {known}");
    }
    let data = json!({ "attempt": attempt.id, "charge": charge, "detail": detail });
    case.event(EventKind::Incident, &data);
    let invoice = case.invoice();
    if invoice.status == InvoiceStatus::Open {
        invoice.hold = Some(Hold::Incident);
        invoice.next_attempt_at = None;
    }
    true
}
