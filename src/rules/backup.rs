//! A backup card: another saved card of the customer, tried once where the tries of the usual one are over.
//!
//! Promises: only where the invoice's policy says so and the customer agreed; never a card, nor a copy of one, that was
//! declined for this invoice; never one that has ended or must never be tried again. The budgets hold for it as for
//! any other. Must never know: when the tries of a card are over.

use jiff::Timestamp;

use super::cards::{self, Payer};
use super::draft::Draft;
use crate::hooks::{Bug, planted};
use crate::model::{Attempt, AttemptStatus, BackupCard, CardId, CardSnapshot, OpenInvoice, Snapshot};

/// What a decline means for the backup card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// It is next, at once.
    Called,
    /// It was the backup card that was declined: what would have followed the usual card follows now.
    Refused {
        /// The usual card had been refused for good.
        hard: bool,
    },
    /// It plays no part.
    Nothing,
}

/// Decides after a decline of the invoice at that place whether the backup card is next. `over`: no tries are left with
/// the card that was declined. Changes the subscription's mark alone.
pub(super) fn after_decline(
    d: &mut Draft,
    place: usize,
    declined: &Attempt,
    over: bool,
    at: Timestamp,
) -> After {
    let open = &d.now.invoices[place];
    let index = open.invoice.id.index;
    if is_called(&d.now, open) {
        let usual = cards::usual(&d.now).cloned();
        let hard = cards::was_refused_for_good(open, usual.as_ref());
        d.now.subscription.backup = BackupCard::Agreed;
        if declined.card != usual {
            return After::Refused { hard };
        }
    }
    let open = &d.now.invoices[place];
    if over && is_allowed(&d.now, open) && payer(&d.now, open, at).is_some() {
        d.now.subscription.backup = BackupCard::Called(index);
        return After::Called;
    }
    After::Nothing
}

/// The invoice of that index has been settled, or is given up.
pub(super) fn is_over(d: &mut Draft, index: u32) {
    if d.now.subscription.backup == BackupCard::Called(index) {
        d.now.subscription.backup = BackupCard::Agreed;
    }
}

/// Whether this invoice is at the point where the backup card is tried.
pub(super) fn is_called(s: &Snapshot, open: &OpenInvoice) -> bool {
    s.subscription.backup == BackupCard::Called(open.invoice.id.index)
}

fn is_allowed(s: &Snapshot, open: &OpenInvoice) -> bool {
    open.plan.terms.dunning.backup_card
        && (s.subscription.backup.is_agreed() || planted(Bug::BackupWithoutConsent))
}

/// The backup card for this invoice; `None`: the customer has none that could pay it.
pub(super) fn payer(s: &Snapshot, open: &OpenInvoice, at: Timestamp) -> Option<Payer> {
    let declined: Vec<&CardId> = open
        .attempts
        .iter()
        .filter(|a| a.status == AttemptStatus::Declined)
        .filter_map(|a| a.card.as_ref())
        .chain(cards::usual(s))
        .collect();
    let is_copy = |card: &CardSnapshot| {
        let of = |id: &&&CardId| s.customer.card(id).and_then(|other| other.fingerprint.as_ref());
        card.fingerprint.is_some() && declined.iter().any(|id| of(&id) == card.fingerprint.as_ref())
    };
    let mut candidates = s
        .customer
        .cards
        .iter()
        .filter(|card| !declined.contains(&&card.id) && !is_copy(card) && !card.expiration.is_past(at));
    candidates.find_map(|card| {
        let payer = Payer {
            card: card.id.clone(),
            fingerprint: card.fingerprint.as_deref().map(Into::into),
            named: Some(card.id.clone()),
            expired: false,
        };
        let never = s.declines.iter().any(|decline| decline.never && payer.was_declined_by(decline));
        (!never).then_some(payer)
    })
}
