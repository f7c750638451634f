//! Whether what a message tells is still so at the moment of telling.

use jiff::{SignedDuration, Timestamp};

use super::soon::paying_card;
use crate::model::{
    AttemptStatus, FlagReason, InvoiceStatus, Message, MessageKind, OpenInvoice, Snapshot, SubscriptionStatus,
};

/// While a later try is under way, its answer is waited for.
const WAIT_FOR_AN_ANSWER: SignedDuration = SignedDuration::from_mins(10);

/// Whether a message is to be told now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// It is.
    Tell,
    /// Not yet: what follows is being found out.
    Wait(Timestamp),
    /// It is not: why.
    Moot(&'static str),
}

/// Whether that message is still news at `now`. `snapshot` is its subscription with the invoice it names.
pub fn still_news(message: &Message, snapshot: &Snapshot, now: Timestamp) -> News {
    let status = snapshot.subscription.status;
    match message.kind {
        MessageKind::InvoicePaid | MessageKind::Digest => News::Tell,
        MessageKind::InvoiceOpened => {
            unless(!is_open(message, snapshot), "the invoice was settled meanwhile")
        }
        MessageKind::Declined => declined(message, snapshot, now),
        MessageKind::ActionNeeded if message.facts.action_url.is_some() => unless(
            attempt_status(message, snapshot) != Some(AttemptStatus::Pending),
            "nothing waits for the customer any more",
        ),
        MessageKind::ActionNeeded => unless(
            !is_open(message, snapshot) || status == SubscriptionStatus::Canceled,
            "nothing is owed any more",
        ),
        MessageKind::CardExpiring => unless(
            paying_card(snapshot).map(|card| card.expiration)
                != message.facts.card.as_ref().map(|card| card.expiration),
            "another card pays now",
        ),
        MessageKind::NoCard => unless(
            !flagged(snapshot, FlagReason::NoCard) && !flagged(snapshot, FlagReason::CardGone),
            "there is a card now",
        ),
        MessageKind::ExpiredCard => {
            unless(!flagged(snapshot, FlagReason::ExpiredCard), "there is another card now")
        }
        MessageKind::TrialEnding => unless(status != SubscriptionStatus::Trialing, "the trial is over"),
        MessageKind::SubscriptionPaused => {
            unless(status != SubscriptionStatus::Paused, "the subscription is not paused any more")
        }
        MessageKind::SubscriptionCanceled => unless(
            status != SubscriptionStatus::Canceled && snapshot.subscription.cancel_at.is_none(),
            "the subscription goes on",
        ),
        MessageKind::DoubtNeedsPerson => unless(
            attempt_status(message, snapshot).is_some_and(AttemptStatus::is_final),
            "somebody has found out meanwhile",
        ),
    }
}

const fn unless(moot: bool, why: &'static str) -> News {
    if moot { News::Moot(why) } else { News::Tell }
}

fn declined(message: &Message, snapshot: &Snapshot, now: Timestamp) -> News {
    let Some(open) = open(message, snapshot) else { return News::Moot("the invoice is gone") };
    if open.invoice.status != InvoiceStatus::Open {
        return News::Moot("the invoice was settled meanwhile");
    }
    if snapshot.subscription.status == SubscriptionStatus::Canceled {
        return News::Moot("the subscription has ended");
    }
    let number = message.facts.attempt.as_ref().map_or(0, |id| id.number);
    let later = || open.attempts.iter().filter(move |attempt| attempt.id.number > number);
    if later().any(|attempt| attempt.status == AttemptStatus::Declined) {
        News::Moot("a later try tells more")
    } else if later().any(|attempt| !attempt.status.is_final()) {
        now.checked_add(WAIT_FOR_AN_ANSWER).map_or(News::Tell, News::Wait)
    } else {
        News::Tell
    }
}

fn open<'a>(message: &Message, snapshot: &'a Snapshot) -> Option<&'a OpenInvoice> {
    let id = message.facts.invoice.as_ref()?;
    snapshot.invoices.iter().find(|open| open.invoice.id == *id)
}

/// Whether the invoice it names, if it names one, is still owed.
fn is_open(message: &Message, snapshot: &Snapshot) -> bool {
    message.facts.invoice.is_none()
        || open(message, snapshot).is_some_and(|open| open.invoice.status == InvoiceStatus::Open)
}

fn attempt_status(message: &Message, snapshot: &Snapshot) -> Option<AttemptStatus> {
    let id = message.facts.attempt.as_ref()?;
    open(message, snapshot)?.attempts.iter().find(|attempt| attempt.id == *id).map(|attempt| attempt.status)
}

fn flagged(snapshot: &Snapshot, reason: FlagReason) -> bool {
    snapshot.flags.iter().any(|flag| flag.reason == reason)
}
