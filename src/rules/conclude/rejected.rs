//! The provider refused the request: no charge was made, and the bank was never asked.

use serde_json::json;

use super::Case;
use crate::model::{AttemptStatus, EventKind, Hold, Rejected, RejectedWhy};

/// The attempt was rejected. A wrong request waits for a person; a customer or card that is gone is read again
/// before anything else; refused keys leave the invoice due.
pub(super) fn wrong(case: &mut Case, rejected: &Rejected) {
    let again = rejected_before(case, rejected);
    case.end(AttemptStatus::Rejected);
    case.attempt_mut().failure_code = Some(rejected.code.clone());
    case.due_again();
    match rejected.why {
        RejectedWhy::Keys => {}
        RejectedWhy::Source if !again => {
            // A snapshot that was never read is read before it is believed.
            case.d.now.customer.read_at = None;
        }
        RejectedWhy::Request | RejectedWhy::Source => hold(case),
    }
    let data = json!({
        "attempt": case.attempt().id,
        "why": rejected.why,
        "code": rejected.code,
        "message": rejected.message,
    });
    case.event(EventKind::AttemptRejected, &data);
}

fn hold(case: &mut Case) {
    let invoice = case.invoice();
    // Neither a pause meanwhile nor a card that was refused before mends the request.
    let gives_way = matches!(invoice.hold, None | Some(Hold::Stopped | Hold::NewCard));
    if gives_way && invoice.closed_at.is_none() {
        invoice.hold = Some(Hold::Rejected);
        invoice.next_attempt_at = None;
    }
}

/// Whether the attempt before this one was rejected for the same reason: the fresh read did not help.
fn rejected_before(case: &Case, rejected: &Rejected) -> bool {
    let before = case.number.checked_sub(1).and_then(|before| case.open().attempts.get(before));
    before.is_some_and(|before| {
        before.status == AttemptStatus::Rejected && before.failure_code.as_ref() == Some(&rejected.code)
    })
}
