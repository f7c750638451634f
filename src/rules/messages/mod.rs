//! Which message, if any, an event leads to, and what is told without one: that a trial is about to end.
//!
//! Promises: one message for one outcome, since the key is the outcome's name and not the event's; none for a try
//! that a later one in the silent period may make moot, before that period has ended.
//! Must never know: channels, addresses, words.

mod again;
mod facts;
mod soon;
mod still;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::hooks::{Bug, planted};
use crate::model::{
    DeclineClass, DeclineKind, Event, EventKind, Facts, FlagReason, Message, MessageKind, Snapshot,
};
use facts::Ground;

pub use again::next_delivery;
pub use soon::trial_ending;
pub use still::{News, still_news};

/// The end of a subscription may be told of before it comes: its key is remembered for so long after.
const KEPT_AFTER_AN_END: SignedDuration = SignedDuration::from_hours(24 * 30);

/// A message, and when it may be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What is told.
    pub message: Message,
    /// Not earlier; `None`: at once.
    pub not_before: Option<Timestamp>,
    /// Its key may be decided on again until then; `None`: only this event leads to it.
    pub keep_until: Option<Timestamp>,
}

/// The kinds of message that an event of that kind may lead to, so that nothing is loaded for one that nobody wants.
pub const fn kinds_of(kind: EventKind) -> &'static [MessageKind] {
    match kind {
        EventKind::InvoiceOpened => &[MessageKind::InvoiceOpened],
        EventKind::InvoicePaid => &[MessageKind::InvoicePaid],
        EventKind::AttemptDeclined => &[MessageKind::Declined, MessageKind::ActionNeeded],
        EventKind::AttemptPending | EventKind::ActionReminded => &[MessageKind::ActionNeeded],
        EventKind::CardExpiring => &[MessageKind::CardExpiring],
        EventKind::FlagRaised => &[MessageKind::NoCard, MessageKind::ExpiredCard, MessageKind::ActionNeeded],
        EventKind::SubscriptionPaused => &[MessageKind::SubscriptionPaused],
        EventKind::CancelScheduled | EventKind::SubscriptionCanceled => &[MessageKind::SubscriptionCanceled],
        EventKind::AttemptManual => &[MessageKind::DoubtNeedsPerson],
        _ => &[],
    }
}

/// What the event at that place of the diary's page leads to. `snapshot` is its subscription as it stands now, with
/// the event's invoice if it names one; its neighbours in the page are what was written with it. `None`: nothing.
pub fn told_of(page: &[Event], place: usize, snapshot: &Snapshot) -> Option<Told> {
    let event = page.get(place)?;
    let data = event.data.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let ground = Ground { event, data: data.unwrap_or(Value::Null), snapshot };
    let message = match event.kind {
        EventKind::InvoiceOpened => ground.invoice_message(MessageKind::InvoiceOpened),
        EventKind::InvoicePaid => ground.paid(),
        EventKind::AttemptDeclined => return declined(&ground, page, place),
        EventKind::AttemptPending | EventKind::ActionReminded => ground.waits_for_customer(),
        EventKind::CardExpiring => return soon::card_ending(&ground),
        EventKind::FlagRaised => flagged(&ground),
        EventKind::SubscriptionPaused => Some(paused(&ground, page, place)),
        EventKind::CancelScheduled | EventKind::SubscriptionCanceled => {
            return Some(canceled(&ground, page, place));
        }
        EventKind::AttemptManual => Some(ground.doubt()),
        _ => None,
    };
    message.map(|message| Told { message, not_before: None, keep_until: None })
}

/// A decline that is tried again is told of with the next try; one that a try in the silent period may make moot,
/// when that period ends. One that ends the tries is told of with what follows from it.
fn declined(ground: &Ground<'_>, page: &[Event], place: usize) -> Option<Told> {
    let kind = ground.decline_kind()?;
    let next = ground.instant("next_attempt_at");
    let what = match (next, kind.class()) {
        (None, _) if ends_with_it(page, place) => return None,
        (Some(_), _) | (None, DeclineClass::Soft) => MessageKind::Declined,
        (None, DeclineClass::Hard | DeclineClass::Customer) => MessageKind::ActionNeeded,
        (None, DeclineClass::Ours) => return None,
    };
    let mut message = ground.attempt_message(what)?;
    message.facts.next_try_at = next;
    message.facts.decline = Some(kind);
    let silent_until = ground.silent_until();
    let held = next.is_some_and(|next| silent_until.is_some_and(|until| next <= until));
    let not_before = silent_until.filter(|_| held && !planted(Bug::SilenceBroken));
    Some(Told { message, not_before, keep_until: None })
}

/// Whether the same decision paused or ended the subscription: that is what is told then.
fn ends_with_it(page: &[Event], place: usize) -> bool {
    with_it(page, place, 1)
        .any(|event| matches!(event.kind, EventKind::SubscriptionPaused | EventKind::SubscriptionCanceled))
}

/// The events that one decision wrote beside that one: after it (`step` 1) or before it (−1), the nearest first.
fn with_it(page: &[Event], place: usize, step: isize) -> impl Iterator<Item = &Event> {
    let own = page.get(place);
    let mut at = place;
    std::iter::from_fn(move || {
        at = at.checked_add_signed(step)?;
        page.get(at).filter(|event| {
            own.is_some_and(|own| own.subscription == event.subscription && own.at == event.at)
        })
    })
}

/// The decline that led to this, if one did: what the bank said last.
fn led_to_by(page: &[Event], place: usize) -> Option<DeclineKind> {
    let declined = with_it(page, place, -1).find(|event| event.kind == EventKind::AttemptDeclined)?;
    let data: Value = serde_json::from_str(declined.data.as_deref()?).ok()?;
    data["decline"].as_str().and_then(DeclineKind::from_word)
}

/// What a customer can do about a flag; `None`: nothing, it is ours or nobody is there, or the decline that led to it
/// tells the same.
fn flagged(ground: &Ground<'_>) -> Option<Message> {
    if ground.text("attempt").is_some() {
        return None;
    }
    let kind = match ground.text("reason").and_then(FlagReason::from_word)? {
        FlagReason::NoCard | FlagReason::CardGone => MessageKind::NoCard,
        FlagReason::ExpiredCard => MessageKind::ExpiredCard,
        FlagReason::DeadCard => MessageKind::ActionNeeded,
        FlagReason::CustomerGone | FlagReason::Unchargeable => return None,
    };
    Some(ground.flag_message(kind))
}

fn paused(ground: &Ground<'_>, page: &[Event], place: usize) -> Message {
    let facts = Facts {
        ends_at: ground.instant("until"),
        reason: ground.text("reason").map(Into::into),
        decline: led_to_by(page, place),
        ..ground.subscription_facts()
    };
    ground.message(MessageKind::SubscriptionPaused, &ground.since(), facts)
}

/// An end that was set and its coming are one outcome: whichever comes first is told.
fn canceled(ground: &Ground<'_>, page: &[Event], place: usize) -> Told {
    let ended = ground
        .snapshot
        .subscription
        .ended_at
        .filter(|_| ground.event.kind == EventKind::SubscriptionCanceled);
    let ends_at = ground.instant("cancel_at").or(ended).unwrap_or(ground.event.at);
    let facts = Facts {
        ends_at: Some(ends_at),
        reason: ground.text("reason").map(Into::into),
        decline: led_to_by(page, place),
        ..ground.subscription_facts()
    };
    let outcome = if planted(Bug::OutcomeToldTwice) {
        format!("{}/{}", ground.subscription(), ground.event.seq)
    } else {
        format!("{}/{}", ground.subscription(), ends_at.as_second())
    };
    let message = ground.message(MessageKind::SubscriptionCanceled, &outcome, facts);
    Told { message, not_before: None, keep_until: ends_at.checked_add(KEPT_AFTER_AN_END).ok() }
}
