//! What happens next to a subscription and when, and what does not happen and why: sentences for people.
//!
//! Promises: says what `prepare` would do, from the same queue, cards, budgets and calendar.
//! Must never know: how sentences are shown.

use jiff::Timestamp;

use super::cards::Verdict;
use super::commands::{next_invoice, way_out};
use super::{Circumstances, budget, cards, prepare, queue};
use crate::model::{
    Attempt, AttemptStatus, FlagReason, Hold, InvoiceStatus, OpenInvoice, PausedBy, Snapshot,
    SubscriptionStatus,
};

/// What happens next to this subscription, one sentence each, the nearest first. Instants are in its own zone.
pub fn next_steps(s: &Snapshot, c: &Circumstances) -> Vec<String> {
    let mut steps = vec![standing(s)];
    let mut ahead: Option<&OpenInvoice> = None;
    for open in s.invoices.iter().filter(|open| open.invoice.status == InvoiceStatus::Open) {
        steps.push(match ahead {
            Some(older) => format!("invoice {} waits for invoice {}", open.invoice.id, older.invoice.id),
            None => of_invoice(s, open, c),
        });
        if ahead.is_none() && queue::holds_up_the_rest(s, open, c.at) {
            ahead = Some(open);
        }
    }
    for flag in &s.flags {
        let since = when(s, flag.since);
        steps
            .push(format!("flagged {} since {since}: {}; read again in every run", flag.reason, flag.detail));
    }
    steps.extend(next_period(s, c));
    steps
}

fn when(s: &Snapshot, at: Timestamp) -> String {
    s.subscription.zone.at(at).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

fn standing(s: &Snapshot) -> String {
    let subscription = &s.subscription;
    let id = &subscription.id;
    match subscription.status {
        SubscriptionStatus::Trialing => format!("subscription {id} is in its trial"),
        SubscriptionStatus::Active => format!("subscription {id} is active"),
        SubscriptionStatus::PastDue => {
            format!("subscription {id} is past due: an invoice was asked for and not paid")
        }
        SubscriptionStatus::Unpaid => format!(
            "subscription {id} is unpaid: all tries of its policy are used up; periods that start now are skipped, \
             until an open invoice is paid or `dues resume {id}`"
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
    let until = pause.until.map_or_else(|| format!("`dues resume {id}`"), |until| when(s, until));
    format!(
        "subscription {id} is paused {by} since {}: periods that start are skipped until {until}",
        when(s, pause.since)
    )
}

fn of_invoice(s: &Snapshot, open: &OpenInvoice, c: &Circumstances) -> String {
    let (id, amount) = (&open.invoice.id, open.invoice.amount);
    if let Some(attempt) = queue::unfinished(open) {
        return format!("invoice {id} ({amount}) takes no other attempt: {}", unfinished(attempt));
    }
    match open.invoice.hold {
        Some(hold) => format!("invoice {id} ({amount}) is on hold: {}", held(s, hold)),
        None => format!("invoice {id} ({amount}) {}", next_try(s, open, c)),
    }
}

fn unfinished(attempt: &Attempt) -> String {
    let id = &attempt.id;
    match attempt.status {
        AttemptStatus::Pending => {
            let uri = attempt.intent.as_ref().and_then(|intent| intent.authorize_uri.as_deref());
            let who = uri.map_or_else(String::new, |uri| format!("; the customer must act at {uri}"));
            format!("attempt {id} is pending at the provider and is asked for in every run{who}")
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

fn held(s: &Snapshot, hold: Hold) -> String {
    let id = &s.subscription.id;
    match hold {
        Hold::CatchUp => format!("too many periods were missed; `dues resume {id}` collects them, one a day"),
        Hold::Rejected => format!(
            "it waits for a person: the provider refused the request, or a charge of the subscription was given back or \
             disputed; mend the cause, then `dues retry {id}`"
        ),
        Hold::NewCard => "the card will not work; another card of the customer is charged by itself".into(),
        Hold::Customer => {
            format!("the customer must act; then another card is charged by itself, or `dues retry {id}`")
        }
        Hold::Exhausted => {
            format!(
                "all tries of the policy are used up; another card is charged by itself, or `dues retry {id}`"
            )
        }
        Hold::Stopped => match s.subscription.status {
            SubscriptionStatus::Canceled => {
                format!("the subscription ended; `dues retry {id}` tries it once")
            }
            _ => format!("the subscription was stopped; it is due again with `dues resume {id}`"),
        },
        Hold::Incident => "an incident needs a person; see `dues list events`".into(),
    }
}

/// A try that is scheduled, and what would speak against it then, as far as the book knows.
fn next_try(s: &Snapshot, open: &OpenInvoice, c: &Circumstances) -> String {
    let due = open.invoice.next_attempt_at.unwrap_or(open.invoice.period.start);
    let forbidden = prepare::never_passes(open.invoice.amount, c);
    if due > c.at {
        let but = forbidden.map_or_else(String::new, |why| format!(", but cannot be charged then: {why}"));
        return format!("is tried next at {}{but}", when(s, due));
    }
    if let Some(until) = queue::catch_up_turn(s, open, c.at) {
        return format!(
            "is a missed period: its turn comes at {}, one a day for each customer",
            when(s, until)
        );
    }
    if let Some(why) = c.limits.refuses(open.invoice.amount) {
        return format!("cannot be charged by this account: {why}");
    }
    if let Some(why) = forbidden {
        return format!("is due, but cannot be charged: {why}");
    }
    // Who explains need not know the account's limits; the run that raised the flag did.
    if let Some(flag) = s.flags.iter().find(|flag| flag.reason == FlagReason::Unchargeable) {
        return format!("is due, but {}: {}; judged again in the next run", flag.reason, flag.detail);
    }
    match cards::judge(s, Some(open), c.at, c.cards.try_expired) {
        Verdict::NoBackup => {
            "is due, but no other card is left: what its policy says of the last try follows".into()
        }
        Verdict::Unread => "is due: the customer is read in the next run, then charged".into(),
        Verdict::Bad(reason, detail) => {
            format!("is due, but {reason}: {detail}; the customer is read again in the next run")
        }
        Verdict::Good(payer) => {
            match budget::rests_until(s, open, &payer.card, c).or_else(|| prepare::brake_until(s, open, c)) {
                Some(until) => format!("is due, but its card or customer rests until {}", when(s, until)),
                None => format!("is due: the next run charges {}", payer.card),
            }
        }
    }
}

/// The next invoice to come, or the end.
fn next_period(s: &Snapshot, c: &Circumstances) -> Vec<String> {
    let subscription = &s.subscription;
    let mut steps = Vec::new();
    if let Some(end) = subscription.cancel_at.filter(|_| subscription.ended_at.is_none()) {
        steps.push(format!("it ends at {}", when(s, end)));
    }
    if let Ok(Some(next)) = next_invoice(s) {
        let billed = match subscription.status {
            SubscriptionStatus::Paused | SubscriptionStatus::Unpaid => "is skipped unless it goes on before",
            _ => "is billed",
        };
        let but = prepare::never_passes(next.amount, c)
            .map_or_else(String::new, |why| format!(", but cannot be charged: {why}"));
        steps.push(format!(
            "period {} from {} to {} {billed}: {}{but}",
            next.period.index,
            when(s, next.period.start),
            when(s, next.period.end),
            next.amount
        ));
    }
    steps
}
