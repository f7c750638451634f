//! Raising and clearing flags: why a subscription cannot be charged although something is due.
//!
//! Promises: a reason stands at most once; a reason that no longer holds is cleared.
//! Must never know: how a card is judged.

use jiff::Timestamp;
use serde_json::json;

use super::draft::Draft;
use crate::model::{EventKind, Flag, FlagReason};

/// Raises that flag, unless one of the same reason stands already, and clears those of other reasons.
pub(super) fn raise(d: &mut Draft, reason: FlagReason, detail: &str, at: Timestamp) {
    clear(d, at, |flag| flag.reason != reason);
    if d.flagged(reason) {
        return;
    }
    d.event(at, EventKind::FlagRaised, Some(&json!({ "reason": reason, "detail": detail })));
    d.now.flags.push(Flag {
        customer: d.now.customer.id.clone(),
        subscription: d.now.subscription.id.clone(),
        reason,
        since: at,
        until: None,
        detail: detail.into(),
    });
}

/// Clears every standing flag.
pub(super) fn clear_all(d: &mut Draft, at: Timestamp) {
    clear(d, at, |_| true);
}

/// Clears those that a card explains.
pub(super) fn clear_cards(d: &mut Draft, at: Timestamp) {
    clear(d, at, |flag| flag.reason != FlagReason::Unchargeable);
}

fn clear(d: &mut Draft, at: Timestamp, which: impl Fn(&Flag) -> bool) {
    let (gone, kept) = d.now.flags.drain(..).partition::<Vec<_>, _>(which);
    d.now.flags = kept;
    for flag in gone {
        d.event(at, EventKind::FlagCleared, Some(&json!({ "reason": flag.reason })));
    }
}
