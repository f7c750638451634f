//! The request provably never left us, or was provably not processed.

use serde_json::json;

use super::Case;
use crate::model::{AttemptStatus, EventKind, NotSent};

/// The attempt is over and its invoice is due again at once; how soon and how often, the run decides.
pub(super) fn kept(case: &mut Case, not_sent: &NotSent) {
    case.end(AttemptStatus::NotSent);
    case.due_again();
    let data = json!({ "attempt": case.attempt().id, "reason": not_sent.reason });
    case.event(EventKind::AttemptNotSent, &data);
}
