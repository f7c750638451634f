//! Takes note of a charge that was given back or disputed outside this program.
//!
//! Promises: once for each amount that went back, however often it is seen; its subscription's retries end in the same
//! transaction. Must never know: whether a reconciliation or a webhook saw it.

use super::card_seen::{commit, whole_seconds};
use super::{Billing, RunError};
use crate::model::{Attempt, ChargeSeen};
use crate::rules::reversal;
use crate::store::StoreError;

/// Somebody else wrote between our read and our write so often in a row: the next reconciliation sees to it.
const MOST_CONFLICTS: u32 = 10;

/// Takes note of what that charge of this attempt says; whether anything was new.
///
/// # Errors
/// The book.
pub async fn note(billing: &Billing, attempt: &Attempt, seen: &ChargeSeen) -> Result<bool, RunError> {
    let at = whole_seconds(billing.clock.now());
    let Some(reversal) = reversal::of_charge(seen, attempt, at) else { return Ok(false) };
    for _ in 0..MOST_CONFLICTS {
        let id = attempt.id.clone();
        let (snapshot, noted) = billing
            .lane
            .run(move |store| {
                Ok::<_, StoreError>((store.snapshot_of_invoice(&id.invoice)?, store.reversals(&id)?))
            })
            .await??;
        let Some(snapshot) = snapshot else { return Ok(false) };
        let transition = reversal::reversed(&snapshot, &noted, &reversal, &seen.charge);
        if transition.is_empty() {
            return Ok(false);
        }
        if commit(billing, &snapshot, &transition).await? {
            tracing::warn!(attempt = %attempt.id, charge = %seen.charge, kind = reversal.kind.word(), "money went back");
            return Ok(true);
        }
    }
    tracing::warn!(attempt = %attempt.id, "changed by others again and again: the next reconciliation sees to it");
    Ok(false)
}
