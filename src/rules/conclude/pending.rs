//! 3-D Secure, or in flight: it is polled, and nothing is charged beside it.

use std::sync::Arc;

use serde_json::json;

use super::Case;
use crate::model::{AttemptStatus, CardId, ChargeId, EventKind};

/// The attempt is pending; the same news a second time changes nothing. Whether anything changed is answered.
pub(super) fn waits(
    case: &mut Case,
    charge: &ChargeId,
    card: Option<&CardId>,
    authorize_uri: Option<&Arc<str>>,
) -> bool {
    let wall_at = case.c.wire.wall_at;
    let attempt = case.attempt_mut();
    if attempt.status == AttemptStatus::Pending && attempt.charge.as_ref() == Some(charge) {
        return false;
    }
    attempt.status = AttemptStatus::Pending;
    attempt.charge = Some(charge.clone());
    attempt.card = card.cloned().or_else(|| attempt.card.take());
    if let Some(intent) = &mut attempt.intent {
        intent.authorize_uri = authorize_uri.cloned();
        intent.looked_at = Some(wall_at);
        intent.doubt_since = None;
        intent.first_empty_scan = None;
        intent.reason = None;
    }
    let data = json!({
        "attempt": attempt.id,
        "charge": charge,
        "authorize_uri": authorize_uri.map(|uri| &**uri),
    });
    case.event(EventKind::AttemptPending, &data);
    true
}
