//! The bank said no.

use jiff::Timestamp;
use serde_json::json;

use super::Case;
use crate::model::{
    AttemptStatus, CardDecline, Decline, DeclineClass, DeclineKind, EndAction, EventKind, Hold,
    InvoiceStatus, Network, PausedBy, SubscriptionStatus,
};
use crate::rules::backup::{self, After};
use crate::rules::declines::{self, Reading};
use crate::rules::ladder::Rung;
use crate::rules::{budget, cards, life};

/// What follows a decline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// Somebody ended the invoice meanwhile, or looks at it: all stays as it is.
    Stays,
    /// It is tried again then.
    Retry(Timestamp),
    /// It waits for somebody.
    Waits(Hold),
    /// No tries are left.
    Exhausted,
}

/// The attempt was declined, its card's budget counts it, and the policy says what follows.
pub(super) fn refused(case: &mut Case, decline: &Decline) {
    show_card(case, decline);
    let reading = declines::read(&case.c.declines, decline, network(case));
    end(case, decline, reading.kind);
    // "Never" holds for every invoice and subscription, whoever said it; no budget is left of such a card to count in.
    if reading.counts || reading.kind == DeclineKind::Never {
        record(case, reading.kind);
    }
    // What follows depends on the subscription: a pause or an end meanwhile must be noticed.
    case.d.guard_subscription();
    let next = next(case, &reading);
    let next = with_backup(case, next);
    tell(case, decline, &reading, next);
    apply(case, next);
}

/// The card is the one that answered, or was named, or else the default as it was last read: a refusal that comes as
/// an error object shows none, and without one no other card could ever be told apart from it.
fn show_card(case: &mut Case, decline: &Decline) {
    let default = case.d.now.customer.default_card.clone();
    let attempt = case.attempt_mut();
    attempt.card = decline.card.clone().or_else(|| attempt.card.take()).or(default);
}

/// Of the card that was refused; `None`: it was never read, or is of a brand that we do not know.
fn network(case: &Case) -> Option<Network> {
    let card = case.attempt().card.as_ref()?;
    Network::of_brand(&case.d.now.customer.card(card)?.brand)
}

fn end(case: &mut Case, decline: &Decline, kind: DeclineKind) {
    case.end(AttemptStatus::Declined);
    let attempt = case.attempt_mut();
    if decline.charge.is_some() {
        attempt.charge.clone_from(&decline.charge);
    }
    attempt.failure_code = Some(decline.code.clone());
    attempt.decline = Some(kind);
}

/// Counts the decline for its card.
fn record(case: &mut Case, kind: DeclineKind) {
    let Some(card) = case.attempt().card.clone() else { return };
    let print = case.d.now.customer.card(&card).and_then(|card| card.fingerprint.as_deref());
    let fingerprint = print.map(Into::into);
    let amount = case.attempt().amount;
    let never = kind == DeclineKind::Never;
    case.d.decline(CardDecline { card, fingerprint, at: case.c.budget_now, amount, never });
}

fn next(case: &Case, reading: &Reading) -> Next {
    let invoice = &case.open().invoice;
    // A pause or an end only stops what would be tried by itself; it does not take the bank's word back.
    if invoice.status != InvoiceStatus::Open || !matches!(invoice.hold, None | Some(Hold::Stopped)) {
        return Next::Stays;
    }
    match reading.kind.class() {
        DeclineClass::Hard => Next::Waits(Hold::NewCard),
        DeclineClass::Customer => Next::Waits(Hold::Customer),
        DeclineClass::Ours => Next::Waits(Hold::Rejected),
        DeclineClass::Soft => soft(case, reading),
    }
}

/// Where the tries of the usual card are over, the backup card may be next; it is tried once, and where a person stopped
/// the subscription meanwhile, when it goes on.
fn with_backup(case: &mut Case, next: Next) -> Next {
    let over = matches!(next, Next::Exhausted | Next::Waits(Hold::NewCard));
    let declined = case.attempt().clone();
    match backup::after_decline(case.d, case.place, &declined, over, case.c.at) {
        After::Called => Next::Retry(case.c.at),
        After::Refused { .. } if next == Next::Stays => next,
        After::Refused { hard: true } => Next::Waits(Hold::NewCard),
        After::Refused { hard: false } => Next::Exhausted,
        After::Nothing => next,
    }
}

fn soft(case: &Case, reading: &Reading) -> Next {
    let subscription = &case.d.now.subscription;
    let code = case.attempt().failure_code.as_ref();
    let of_code = declined(case).filter(|a| a.failure_code.as_ref() == code).count();
    let used_up = reading.most_retries.is_some_and(|most| of_code > most as usize);
    let next = rung(case, reading).next_try().filter(|_| !used_up);
    if !life::collects(subscription) {
        let ended = subscription.status == SubscriptionStatus::Canceled;
        // A try that a stop found on its way is one of a series, which goes on with the subscription: with its next try, or
        // with one more after which the policy has its last word, since nobody else would say it. Where the policy is what
        // stopped it, one that a person asked for is a single one.
        let stopped =
            ended || life::is_stopped(subscription) || case.open().invoice.hold == Some(Hold::Stopped);
        return Next::Waits(if stopped { Hold::Stopped } else { Hold::Exhausted });
    }
    // What is told now is kept later: a card that rests is not promised a try before.
    next.map_or(Next::Exhausted, |next| Next::Retry(rests_until(case).map_or(next, |free| free.max(next))))
}

fn rung<'a>(case: &'a Case, reading: &Reading) -> Rung<'a> {
    let (open, subscription) = (case.open(), &case.d.now.subscription);
    let policy = &open.plan.terms.dunning;
    // A kind with waits of its own climbs them alone; all others climb the policy's together.
    let own = policy.has_own_waits(reading.kind);
    let climbs_here = |kind: DeclineKind| {
        if own { kind == reading.kind } else { !policy.has_own_waits(kind) }
    };
    let declines = declined(case).filter(|a| a.decline.is_none_or(climbs_here)).count();
    Rung {
        policy,
        kind: reading.kind,
        zone: &subscription.zone,
        subscription: &subscription.id,
        first_try: open.attempts.first().map_or(case.c.budget_now, |first| first.intended_at),
        declined_at: case.c.budget_now,
        declines: u32::try_from(declines).unwrap_or(u32::MAX),
        not_before: reading.not_before,
    }
}

/// When the budgets let the same card be tried again; `None`: at once.
fn rests_until(case: &Case) -> Option<Timestamp> {
    budget::rests_until(&case.d.now, case.open(), case.attempt().card.as_ref()?, case.c)
}

fn declined<'a>(case: &'a Case) -> impl Iterator<Item = &'a crate::model::Attempt> {
    case.open().attempts.iter().filter(|a| a.status == AttemptStatus::Declined)
}

fn tell(case: &mut Case, decline: &Decline, reading: &Reading, next: Next) {
    let next_attempt_at = match next {
        Next::Retry(at) => Some(at.to_string()),
        Next::Stays | Next::Waits(_) | Next::Exhausted => None,
    };
    let mut data = json!({
        "attempt": case.attempt().id,
        "code": decline.code,
        "decline": reading.kind,
        "next_attempt_at": next_attempt_at,
    });
    if !reading.known {
        data["unknown_code"] = true.into();
    }
    for (name, text) in
        [("message", &decline.message), ("advice", &decline.advice), ("advice_code", &decline.advice_code)]
    {
        if let Some(text) = text {
            data[name] = (**text).into();
        }
    }
    case.event(EventKind::AttemptDeclined, &data);
}

fn apply(case: &mut Case, next: Next) {
    match next {
        Next::Stays => return,
        Next::Retry(at) => {
            let hold = cards::hold_until_tried(case.open(), None);
            let invoice = case.invoice();
            (invoice.hold, invoice.next_attempt_at) = (hold, Some(at));
        }
        Next::Waits(hold) => hold_with(case, hold),
        Next::Exhausted => return exhausted(case),
    }
    past_due(case);
}

fn hold_with(case: &mut Case, hold: Hold) {
    let invoice = case.invoice();
    invoice.hold = Some(hold);
    invoice.next_attempt_at = None;
}

fn past_due(case: &mut Case) {
    let status = &mut case.d.now.subscription.status;
    if *status == SubscriptionStatus::Active {
        *status = SubscriptionStatus::PastDue;
    }
}

/// No tries are left: the policy's last word. A subscription that is not collected now stays as it was stopped.
pub(super) fn exhausted(case: &mut Case) {
    let at = case.c.at;
    if !life::collects(&case.d.now.subscription) {
        return hold_with(case, Hold::Exhausted);
    }
    match case.open().plan.terms.dunning.then {
        EndAction::Pause => {
            hold_with(case, Hold::Exhausted);
            life::pause(case.d, None, PausedBy::Dunning, at, None);
        }
        EndAction::Unpaid => {
            hold_with(case, Hold::Exhausted);
            life::leave_unpaid(case.d, at);
        }
        EndAction::Cancel => {
            let invoice = case.invoice();
            invoice.status = InvoiceStatus::Uncollectible;
            invoice.next_attempt_at = None;
            invoice.closed_at = Some(at);
            case.event(EventKind::InvoiceUncollectible, &json!({ "by": "dunning" }));
            life::cancel(case.d, at, at, Some("dunning"));
        }
    }
}
