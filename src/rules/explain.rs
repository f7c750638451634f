//! What happens next to a subscription and when, and what does not happen and why: sentences for people.
//!
//! Promises: says what `prepare` would do, from the same course, queue, cards, budgets and calendar: the next run is
//! played on a copy first, and what is said of an invoice is said of it as that run finds it, and where no run looks at it
//! yet, when one does.
//! Must never know: how sentences are shown.

mod periods;

use jiff::Timestamp;

use super::cards::Verdict;
use super::commands::way_out;
use super::{Circumstances, budget, cards, life, prepare, queue};
use crate::model::{
    Attempt, AttemptStatus, CardId, FlagReason, Hold, InvoiceId, InvoiceStatus, OpenInvoice, PausedBy,
    Snapshot, SubscriptionStatus,
};
use periods::NextRun;

/// What happens next to this subscription, one sentence each, the nearest first. Instants are in its own zone.
pub fn next_steps(s: &Snapshot, c: &Circumstances) -> Vec<String> {
    let (run, undecided) = match periods::next_run(s, c) {
        Ok(run) => (run, None),
        Err(error) => {
            let undecided = format!("the next run cannot decide what is due: {error}");
            (NextRun::that_does_nothing(s), Some(undecided))
        }
    };
    let after = &run.after;
    let mut steps = vec![standing(s, after)];
    steps.extend(undecided);
    steps.extend(turned(s, after));
    let mut ahead: Option<InvoiceId> = None;
    for open in run.known().filter(|open| open.invoice.status == InvoiceStatus::Open) {
        steps.push(match &ahead {
            Some(older) => format!("invoice {} waits for invoice {older}", open.invoice.id),
            None => of_invoice(after, open, c),
        });
        if ahead.is_none() && queue::holds_up_the_rest(after, open, c.at) {
            ahead = Some(open.invoice.id.clone());
        }
    }
    for flag in &after.flags {
        let since = when(s, flag.since);
        steps
            .push(format!("flagged {} since {since}: {}; read again in every run", flag.reason, flag.detail));
    }
    steps.extend(periods::begun(s, &run, ahead, c));
    if let Some(end) = s.subscription.cancel_at.filter(|_| after.subscription.ended_at.is_none()) {
        steps.push(format!("it ends at {}", when(s, end)));
    }
    steps.extend(periods::to_come(after, c));
    steps
}

/// What becomes of the try that a person asked for, in one clause: when it comes, or what stands in its way.
pub fn asked_try(s: &Snapshot, c: &Circumstances) -> String {
    let run = periods::next_run(s, c).unwrap_or_else(|_| NextRun::that_does_nothing(s));
    let after = &run.after;
    let mut ahead: Option<&InvoiceId> = None;
    for open in run.known().filter(|open| open.invoice.status == InvoiceStatus::Open) {
        // What nobody can ask for is passed over, as it was when this was asked for.
        if matches!(open.invoice.hold, Some(Hold::CatchUp | Hold::Incident)) {
            ahead = ahead.or_else(|| queue::holds_up_the_rest(after, open, c.at).then_some(&open.invoice.id));
            continue;
        }
        return match ahead {
            Some(older) => format!("asked for; it waits for invoice {older}"),
            None => asked(after, outlook(after, open, c)),
        };
    }
    "asked for".into()
}

fn asked(s: &Snapshot, outlook: Outlook) -> String {
    match outlook {
        Outlook::Planned(at, _) => format!("asked for; it is tried at {}", when(s, at)),
        Outlook::Turn(at) => format!("asked for; its turn comes at {}", when(s, at)),
        Outlook::LookedAt(at) => format!("asked for; it is looked at again at {}", when(s, at)),
        Outlook::Rests(at) => {
            format!("asked for; its card or customer rests until {}, and it is tried then", when(s, at))
        }
        Outlook::Refused(why) | Outlook::Forbidden(why) => format!("asked for, but cannot be charged: {why}"),
        Outlook::Flagged(reason, detail) | Outlook::Bad(reason, detail) => {
            format!("asked for, but {reason}: {detail}; the next run reads the customer again")
        }
        Outlook::NoBackup => "asked for, but no card is left to try".into(),
        Outlook::Unread | Outlook::Charged(_) => "tried again in the next run".into(),
    }
}

/// What has come to pass by itself since somebody last looked: the book says so after the next run.
fn turned(s: &Snapshot, after: &Snapshot) -> Option<String> {
    if let Some(ended) = after.subscription.ended_at.filter(|_| s.subscription.ended_at.is_none()) {
        return Some(format!("it ended at {}, which the next run puts into the book", when(s, ended)));
    }
    let until = s.subscription.pause.and_then(|pause| pause.until)?;
    let goes_on = after.subscription.pause.is_none();
    goes_on.then(|| format!("its pause ended at {}: the next run lets it go on", when(s, until)))
}

fn when(s: &Snapshot, at: Timestamp) -> String {
    s.subscription.zone.told(at)
}

/// How it stands in the book. `after`: how the next run finds it.
fn standing(s: &Snapshot, after: &Snapshot) -> String {
    let subscription = &s.subscription;
    let id = &subscription.id;
    match subscription.status {
        SubscriptionStatus::Trialing if after.subscription.status != SubscriptionStatus::Trialing => {
            format!("subscription {id} was in its trial, which is over")
        }
        SubscriptionStatus::Trialing => format!("subscription {id} is in its trial"),
        SubscriptionStatus::Active => format!("subscription {id} is active"),
        SubscriptionStatus::PastDue => {
            format!("subscription {id} is past due: an invoice is due and not paid")
        }
        SubscriptionStatus::Unpaid => format!(
            "subscription {id} is unpaid: all tries of its policy are used up; periods that start now are skipped, \
             until {}",
            once_paid(s)
        ),
        SubscriptionStatus::Canceled => {
            let ended = subscription.ended_at.map_or_else(String::new, |at| format!(" at {}", when(s, at)));
            format!("subscription {id} ended{ended}; no period from then on is billed")
        }
        SubscriptionStatus::Paused => paused(s),
    }
}

fn paused(s: &Snapshot) -> String {
    let id = &s.subscription.id;
    let Some(pause) = s.subscription.pause else { return format!("subscription {id} is paused") };
    let by = match pause.by {
        PausedBy::Person => "by a person",
        PausedBy::Dunning => "by its dunning policy",
    };
    let until = match (pause.until, pause.by) {
        (Some(until), _) => format!("{}, or `dues resume {id}`", when(s, until)),
        (None, PausedBy::Person) => format!("`dues resume {id}`"),
        (None, PausedBy::Dunning) => once_paid(s),
    };
    format!(
        "subscription {id} is paused {by} since {}: periods that start from then on are skipped, until {until}",
        when(s, pause.since)
    )
}

/// What ends a stop of the dunning policy. Where what it was for was given up or taken back, a person alone does.
fn once_paid(s: &Snapshot) -> String {
    let id = &s.subscription.id;
    if s.invoices.iter().any(life::is_owed) {
        format!("all that was declined has been charged, or `dues resume {id}`")
    } else {
        format!("`dues resume {id}`")
    }
}

fn of_invoice(s: &Snapshot, open: &OpenInvoice, c: &Circumstances) -> String {
    let (id, amount) = (&open.invoice.id, open.invoice.amount);
    if let Some(attempt) = queue::unfinished(open) {
        return format!("invoice {id} ({amount}) takes no other attempt: {}", unfinished(attempt));
    }
    match open.invoice.hold.filter(|_| open.invoice.next_attempt_at.is_none()) {
        Some(hold) => format!("invoice {id} ({amount}) is on hold: {}", held(s, hold)),
        None => format!("invoice {id} ({amount}) {}", next_try(s, open, c)),
    }
}

fn unfinished(attempt: &Attempt) -> String {
    let id = &attempt.id;
    match attempt.status {
        AttemptStatus::Pending => {
            let intent = attempt.intent.as_ref();
            if let Some(why) = intent.and_then(|intent| intent.reason.as_deref()) {
                return format!("attempt {id} is asked for with growing waits: {why}");
            }
            let uri = intent.and_then(|intent| intent.authorize_uri.as_deref());
            let who = uri.map_or_else(String::new, |uri| format!("; the customer must act at {uri}"));
            format!("attempt {id} is pending at the provider and is asked for with growing waits{who}")
        }
        AttemptStatus::Manual => {
            let told = attempt.intent.as_ref().and_then(|intent| intent.reason.as_deref());
            let why = told.map_or_else(String::new, |told| format!(" ({told})"));
            format!("a person must decide what became of attempt {id}{why}; {}", way_out(attempt))
        }
        AttemptStatus::InDoubt => {
            format!(
                "nobody knows yet what became of attempt {id}; every run looks it up in the provider's list"
            )
        }
        _ => format!("attempt {id} is being sent, or its process died; the next run looks it up"),
    }
}

/// What that hold waits for. A person's word, a pause or an end, keeps news of a card from moving anything.
fn held(s: &Snapshot, hold: Hold) -> String {
    let id = &s.subscription.id;
    let paused = s.subscription.pause.is_some_and(|pause| pause.by == PausedBy::Person);
    if s.subscription.status == SubscriptionStatus::Canceled && hold != Hold::Rejected {
        return held_after_the_end(s, hold);
    }
    let new_card = if paused {
        "another card of the customer is charged by itself once the subscription goes on"
    } else {
        "another card of the customer is charged by itself"
    };
    match hold {
        Hold::CatchUp => format!("too many periods were missed; `dues resume {id}` collects them, one a day"),
        Hold::Rejected => format!(
            "it waits for a person: the provider refused the request, or a charge of the subscription was given back or \
             disputed; mend the cause, then `dues retry {id}`"
        ),
        Hold::NewCard => format!("the card will not work; {new_card}"),
        Hold::Customer => format!("the customer must act; then {new_card}, or `dues retry {id}`"),
        Hold::Exhausted => format!("all tries of the policy are used up; {new_card}, or `dues retry {id}`"),
        Hold::Stopped => match ends_before_it_goes_on(s) {
            Some(end) => format!(
                "the subscription was stopped, and ends at {}: `dues resume {id}` collects it before that, `dues retry {id}` \
                 tries it once after it",
                when(s, end)
            ),
            None => format!("the subscription was stopped; it is due again {}", goes_on(s)),
        },
        Hold::Incident => INCIDENT.into(),
    }
}

const INCIDENT: &str = "an incident needs a person; see `dues list events --status incident`";

/// Nothing of a subscription that ended moves by itself, and nothing resumes it.
fn held_after_the_end(s: &Snapshot, hold: Hold) -> String {
    let id = &s.subscription.id;
    match hold {
        Hold::Incident => INCIDENT.into(),
        Hold::CatchUp => {
            "the subscription ended, and too many periods were missed; `dues invoice` ends it by hand".into()
        }
        Hold::Rejected | Hold::NewCard | Hold::Customer | Hold::Exhausted | Hold::Stopped => {
            format!("the subscription ended; `dues retry {id}` tries it once")
        }
    }
}

/// The end that is set, where it comes before the subscription would go on by itself.
fn ends_before_it_goes_on(s: &Snapshot) -> Option<Timestamp> {
    let end = s.subscription.cancel_at.filter(|_| s.subscription.ended_at.is_none())?;
    let until = s.subscription.pause.and_then(|pause| pause.until);
    until.is_none_or(|until| end <= until).then_some(end)
}

/// What makes due again what was stopped with the subscription.
fn goes_on(s: &Snapshot) -> String {
    let id = &s.subscription.id;
    match s.subscription.pause {
        Some(pause) if pause.until.is_some() => {
            let until = pause.until.map_or_else(String::new, |until| when(s, until));
            format!("at {until}, or with `dues resume {id}`")
        }
        Some(pause) if pause.by == PausedBy::Person => format!("with `dues resume {id}`"),
        Some(_) | None if s.invoices.iter().any(life::is_owed) => {
            format!("once all that was declined has been charged, or with `dues resume {id}`")
        }
        Some(_) | None => format!("with `dues resume {id}`"),
    }
}

/// What becomes of an open invoice that nothing holds, as far as the book knows.
enum Outlook {
    /// Tried then; what forbids it, if anything does.
    Planned(Timestamp, Option<String>),
    /// A missed period whose turn comes then.
    Turn(Timestamp),
    /// Due, but no run looks at it before: one for a later day has.
    LookedAt(Timestamp),
    /// The account refuses its amount.
    Refused(String),
    /// A brake never lets it pass.
    Forbidden(String),
    /// Flagged for its amount by a run that knew the account's limits.
    Flagged(FlagReason, String),
    /// The backup card was called for, and is gone.
    NoBackup,
    /// The customer was never read.
    Unread,
    /// No card can pay it.
    Bad(FlagReason, String),
    /// Its card or its customer rests until then.
    Rests(Timestamp),
    /// Charged in the next run, with this card.
    Charged(CardId),
}

fn outlook(s: &Snapshot, open: &OpenInvoice, c: &Circumstances) -> Outlook {
    let due = open.invoice.next_attempt_at.unwrap_or(open.invoice.period.start);
    let forbidden = prepare::never_passes(open.invoice.amount, c);
    if due > c.at {
        return Outlook::Planned(due, forbidden);
    }
    if let Some(until) = queue::catch_up_turn(s, open, c.at) {
        return Outlook::Turn(until);
    }
    // A run takes up what wakes, and nothing else.
    if let Some(wakes) = s.subscription.wake_at.filter(|wakes| *wakes > c.at) {
        return Outlook::LookedAt(wakes);
    }
    if let Some(why) = c.limits.refuses(open.invoice.amount) {
        return Outlook::Refused(why);
    }
    if let Some(why) = forbidden {
        return Outlook::Forbidden(why);
    }
    // Who explains need not know the account's limits; the run that raised the flag did.
    if let Some(flag) = s.flags.iter().find(|flag| flag.reason == FlagReason::Unchargeable) {
        return Outlook::Flagged(flag.reason, flag.detail.to_string());
    }
    match cards::judge(s, Some(open), c.at, c.cards.try_expired) {
        Verdict::NoBackup => Outlook::NoBackup,
        Verdict::Unread => Outlook::Unread,
        Verdict::Bad(reason, detail) => Outlook::Bad(reason, detail),
        Verdict::Good(payer) => {
            let rests = budget::rests_until(s, open, &payer.card, c);
            rests
                .or_else(|| prepare::brake_until(s, open, c))
                .map_or(Outlook::Charged(payer.card), Outlook::Rests)
        }
    }
}

/// A try that is scheduled, and what would speak against it then, as far as the book knows.
fn next_try(s: &Snapshot, open: &OpenInvoice, c: &Circumstances) -> String {
    match outlook(s, open, c) {
        Outlook::Planned(due, forbidden) => {
            let but =
                forbidden.map_or_else(String::new, |why| format!(", but cannot be charged then: {why}"));
            format!("is tried next at {}{but}", when(s, due))
        }
        Outlook::Turn(until) => {
            format!("is a missed period: its turn comes at {}, one a day for each customer", when(s, until))
        }
        Outlook::LookedAt(at) => {
            format!(
                "is due, but a run for a later day has looked at it: it is looked at again at {}",
                when(s, at)
            )
        }
        Outlook::Refused(why) => format!("cannot be charged by this account: {why}"),
        Outlook::Forbidden(why) => format!("is due, but cannot be charged: {why}"),
        Outlook::Flagged(reason, detail) => {
            format!("is due, but {reason}: {detail}; judged again in the next run")
        }
        Outlook::NoBackup => {
            "is due, but no other card is left: what its policy says of the last try follows".into()
        }
        Outlook::Unread => "is due: the customer is read in the next run, then charged".into(),
        Outlook::Bad(reason, detail) => {
            format!("is due, but {reason}: {detail}; the customer is read again in the next run")
        }
        Outlook::Rests(until) => format!("is due, but its card or customer rests until {}", when(s, until)),
        Outlook::Charged(card) => format!("is due: the next run charges {card}"),
    }
}
