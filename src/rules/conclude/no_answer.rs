//! Nobody knows what became of the request.

use serde_json::json;

use super::Case;
use crate::hooks::{Bug, planted};
use crate::model::{AttemptStatus, EventKind, NoAnswer};

/// The attempt is in doubt: it is looked up until somebody knows, and nothing is charged beside it.
pub(super) fn silent(case: &mut Case, silence: &NoAnswer) {
    if planted(Bug::DoubtRetriedBlindly) {
        case.end(AttemptStatus::NotSent);
        return case.due_again();
    }
    let since = case.c.wire.wall_at;
    let attempt = case.attempt_mut();
    attempt.status = AttemptStatus::InDoubt;
    if let Some(intent) = &mut attempt.intent {
        intent.doubt_since = Some(since);
        intent.reason = Some(silence.reason.clone());
    }
    let data = json!({ "attempt": attempt.id, "reason": silence.reason });
    case.event(EventKind::AttemptInDoubt, &data);
    if silence.alarm {
        case.incident(&silence.reason);
    }
}
