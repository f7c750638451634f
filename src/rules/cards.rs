//! Which card pays, and whether it can.
//!
//! Promises: a card past its month, a card that was refused for good, a card that was never read, a customer without a
//! card are never charged, whatever the invoice says.
//! Must never know: when a charge is due, or how often a card may be tried.

use std::sync::Arc;

use jiff::Timestamp;

use super::backup;
use crate::hooks::{Bug, planted};
use crate::model::settings::Cards;
use crate::model::{
    Attempt, AttemptStatus, CardDecline, CardId, CardSnapshot, CustomerState, DeclineClass, DeclineKind,
    FlagReason, Hold, InvoiceStatus, OpenInvoice, Snapshot,
};

/// The failure code after which the same card works again once its month was changed.
const EXPIRED_CARD: &str = "expired_card";

/// The card that would pay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Payer {
    /// Which.
    pub card: CardId,
    /// The same for the same card number; `None` when the provider gives none.
    pub fingerprint: Option<Arc<str>>,
    /// Named in the request; `None`: the default is left to the provider.
    pub named: Option<CardId>,
    /// Past its month, and tried all the same.
    pub expired: bool,
}

impl Payer {
    /// Whether that decline was of this card, or of another one of the same number.
    pub fn was_declined_by(&self, decline: &CardDecline) -> bool {
        decline.card == self.card || (self.fingerprint.is_some() && decline.fingerprint == self.fingerprint)
    }
}

/// Whether a subscription can be charged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// With this card.
    Good(Payer),
    /// Not at all, and what people should know about it.
    Bad(FlagReason, String),
    /// The customer was never read.
    Unread,
    /// The backup card was called for, and there is none any more.
    NoBackup,
}

/// Looks at the customer, at the card to be charged, and at what that card has answered for this invoice; without an
/// invoice, at whether the card could pay the next one. `try_expired`: an expired card may be tried once per period.
pub(super) fn judge(s: &Snapshot, open: Option<&OpenInvoice>, at: Timestamp, try_expired: bool) -> Verdict {
    let usual = judge_usual(s, open, at, try_expired);
    let Some(open) = open.filter(|open| backup::is_called(s, open)) else { return usual };
    match &usual {
        Verdict::Good(payer) if !is_new_for(open, payer) => {}
        Verdict::Bad(FlagReason::CustomerGone, _) | Verdict::Good(_) | Verdict::Unread => return usual,
        Verdict::Bad(..) | Verdict::NoBackup => {}
    }
    backup::payer(s, open, at).map_or(Verdict::NoBackup, Verdict::Good)
}

/// The subscription's own card, or the default.
fn judge_usual(s: &Snapshot, open: Option<&OpenInvoice>, at: Timestamp, try_expired: bool) -> Verdict {
    match s.customer.state {
        CustomerState::Unread => return Verdict::Unread,
        CustomerState::Gone => {
            let detail = format!("{} is not, or no longer, a customer at the provider", s.customer.id);
            return Verdict::Bad(FlagReason::CustomerGone, detail);
        }
        CustomerState::Present => {}
    }
    let id = match chosen(s) {
        Ok(id) => id,
        Err((reason, detail)) => return Verdict::Bad(reason, detail),
    };
    let card = s.customer.card(id);
    let expired = card.filter(|card| card.expiration.is_past(at) && !planted(Bug::ExpiredCardCharged));
    if let Some(card) = expired.filter(|card| !try_expired || was_tried_expired(card, open)) {
        return Verdict::Bad(FlagReason::ExpiredCard, describe(id, Some(card)));
    }
    let payer = Payer {
        card: id.clone(),
        fingerprint: card.and_then(|card| card.fingerprint.as_deref()).map(Into::into),
        named: s.subscription.card.clone(),
        expired: expired.is_some(),
    };
    refusal(s, open, &payer, card)
        .or_else(|| unseen_default(s, id))
        .map_or(Verdict::Good(payer), |(reason, detail)| Verdict::Bad(reason, detail))
}

/// Whether the bank has answered for this period's invoice since the card expired.
fn was_tried_expired(card: &CardSnapshot, open: Option<&OpenInvoice>) -> bool {
    let ended = card.expiration.ends_at();
    let answered = |a: &Attempt| a.status == AttemptStatus::Declined && a.intended_at >= ended;
    open.is_some_and(|open| open.attempts.iter().any(answered))
}

/// The subscription's own card if the customer has it, else their default.
fn chosen(s: &Snapshot) -> Result<&CardId, (FlagReason, String)> {
    match &s.subscription.card {
        Some(own) if s.customer.card(own).is_some() => Ok(own),
        Some(own) => {
            Err((FlagReason::CardGone, format!("{own} is not among the cards of {}", s.customer.id)))
        }
        None => s
            .customer
            .default_card
            .as_ref()
            .ok_or_else(|| (FlagReason::NoCard, format!("{} has no default card", s.customer.id))),
    }
}

/// Nobody can tell of a card that was not read whether it works.
fn unseen_default(s: &Snapshot, id: &CardId) -> Option<(FlagReason, String)> {
    let detail = || format!("{id}, the default card of {}, is not among their cards", s.customer.id);
    s.customer.card(id).is_none().then(|| (FlagReason::CardGone, detail()))
}

/// Why this card will not work for this invoice, from what it has answered before.
fn refusal(
    s: &Snapshot,
    open: Option<&OpenInvoice>,
    payer: &Payer,
    card: Option<&CardSnapshot>,
) -> Option<(FlagReason, String)> {
    if planted(Bug::RetriedAfterNever) {
        return None;
    }
    let detail = || describe(&payer.card, card);
    if s.declines.iter().any(|decline| decline.never && payer.was_declined_by(decline)) {
        return Some((FlagReason::DeadCard, detail()));
    }
    let open = open?;
    if payer.named.is_none()
        && let Some(other) = answered_in_its_place(open, &payer.card)
    {
        return Some((FlagReason::DeadCard, describe(other, s.customer.card(other))));
    }
    let hard = last_answer_of(open, &payer.card).filter(|a| is_hard(a))?;
    let expired = hard.failure_code.as_deref() == Some(EXPIRED_CARD);
    let reason = if expired { FlagReason::ExpiredCard } else { FlagReason::DeadCard };
    // The standing flag describes the card as it was refused; an expired card that reads otherwise now was renewed.
    let detail = detail();
    let renewed = expired && s.flags.iter().any(|flag| flag.reason == reason && *flag.detail != *detail);
    (!renewed && !lifted_by_hand(open, hard)).then_some((reason, detail))
}

/// A card that was refused for good for this invoice and answered for it once more, when another was the default as far
/// as the provider told: whatever it shows, it charges that one. A person may still ask for a try, but nobody else.
fn answered_in_its_place<'a>(open: &'a OpenInvoice, default: &CardId) -> Option<&'a CardId> {
    let last = last_answer(open)?;
    let other = last.card.as_ref().filter(|card| *card != default)?;
    let refused_before = |a: &Attempt| a.id != last.id && a.card.as_ref() == Some(other) && is_hard(a);
    let again = open.attempts.iter().filter(|a| a.status == AttemptStatus::Declined).any(refused_before);
    (again && !lifted_by_hand(open, last)).then_some(other)
}

/// The attempt whose answer such a flag repeats: the bank refused for good the card that would pay an open invoice. `None`:
/// the flag says what no answer has said.
pub(super) fn answer_behind(s: &Snapshot, reason: FlagReason) -> Option<&Attempt> {
    if !matches!(reason, FlagReason::DeadCard | FlagReason::ExpiredCard) {
        return None;
    }
    let usual = s.subscription.card.as_ref().or(s.customer.default_card.as_ref())?;
    s.invoices.iter().filter(|open| open.invoice.status == InvoiceStatus::Open).find_map(|open| {
        let refused = was_refused_for_good(open, Some(usual)) || answered_in_its_place(open, usual).is_some();
        last_answer(open).filter(|last| refused && is_hard(last))
    })
}

/// The last attempt that a bank answered.
pub(super) fn last_answer(open: &OpenInvoice) -> Option<&Attempt> {
    open.attempts.iter().rev().find(|a| a.status == AttemptStatus::Declined)
}

/// The last attempt that this card's bank answered. An answer that showed no card is taken for this one.
fn last_answer_of<'a>(open: &'a OpenInvoice, card: &CardId) -> Option<&'a Attempt> {
    let of_card = |a: &&Attempt| a.card.as_ref().is_none_or(|shown| shown == card);
    open.attempts.iter().rev().filter(|a| a.status == AttemptStatus::Declined).find(of_card)
}

/// Whether that card was refused for good for this invoice.
pub(super) fn was_refused_for_good(open: &OpenInvoice, card: Option<&CardId>) -> bool {
    card.and_then(|card| last_answer_of(open, card)).is_some_and(is_hard)
}

/// The hold under which this invoice waits for a try of that card; `None` as card: of whichever pays by then.
///
/// Where another card was refused for good the hold stays until somebody pays, beside the try that is scheduled: should
/// the card that was meant be gone by then, nobody takes the refused one for lifted.
pub(super) fn hold_until_tried(open: &OpenInvoice, meant: Option<&CardId>) -> Option<Hold> {
    let of_card = |a: &Attempt| a.card.as_ref().is_none_or(|card| was_refused_for_good(open, Some(card)));
    let refused =
        open.attempts.iter().filter(|a| a.status == AttemptStatus::Declined && is_hard(a)).any(of_card);
    (refused && !was_refused_for_good(open, meant)).then_some(Hold::NewCard)
}

/// The subscription's own card, or the default as it was last read.
pub(super) fn usual(s: &Snapshot) -> Option<&CardId> {
    s.subscription.card.as_ref().or(s.customer.default_card.as_ref())
}

fn is_hard(attempt: &Attempt) -> bool {
    attempt.decline.is_some_and(|kind| kind.class() == DeclineClass::Hard)
}

/// A hard decline holds its invoice, and whatever follows by itself keeps that hold (`hold_until_tried`); without it, and
/// with a try ahead, a person has lifted it. A card that must never be tried again cannot be lifted so.
fn lifted_by_hand(open: &OpenInvoice, hard: &Attempt) -> bool {
    hard.decline != Some(DeclineKind::Never)
        && open.invoice.hold.is_none()
        && open.invoice.next_attempt_at.is_some()
}

/// Whether the card to be charged now is none of those that were refused for this invoice.
pub(super) fn is_new_for(open: &OpenInvoice, payer: &Payer) -> bool {
    open.attempts
        .iter()
        .filter(|a| a.status == AttemptStatus::Declined)
        .all(|a| a.card.as_ref().is_some_and(|card| *card != payer.card))
}

/// The card that would pay if the snapshot can be believed; `None` when it is old, or shows none that works.
pub(super) fn believable_payer(
    s: &Snapshot,
    open: &OpenInvoice,
    wishes: &Cards,
    at: Timestamp,
) -> Option<Payer> {
    if is_stale(s, wishes, at) {
        return None;
    }
    match judge(s, Some(open), at, wishes.try_expired) {
        Verdict::Good(payer) => Some(payer),
        Verdict::Bad(..) | Verdict::Unread | Verdict::NoBackup => None,
    }
}

/// Whether the snapshot is older than may be believed.
pub(super) fn is_stale(s: &Snapshot, wishes: &Cards, at: Timestamp) -> bool {
    s.customer.read_at.is_none_or(|read| at.duration_since(read) > wishes.fresh)
}

/// Whether the snapshot lacks the very default card that it names: then it does not show all cards that there are.
pub(super) fn is_part(s: &Snapshot) -> bool {
    s.customer.default_card.as_ref().is_some_and(|default| s.customer.card(default).is_none())
}

/// The same card in the same state always reads the same; a changed month changes the text.
pub(super) fn describe(id: &CardId, card: Option<&CardSnapshot>) -> String {
    card.map_or_else(
        || id.to_string(),
        |card| {
            let brand = if card.brand.is_empty() { "card" } else { &card.brand };
            format!("{id}: {brand} {}, valid through {}", card.last_digits, card.expiration)
        },
    )
}
