//! What must hold for a subscription, whatever happened to it.

use jiff::SignedDuration;

use super::book::Book;
use crate::model::{
    AttemptStatus, CardId, ChargeRequest, CustomerState, DeclineClass, DeclineKind, EventKind, Hold,
    InvoiceStatus, NewerPeriods, OpenInvoice, SubscriptionStatus,
};
use crate::rules::calendar;

/// What must hold of a charge at the moment it is sent.
pub(super) fn check_charge(book: &Book, request: &ChargeRequest) {
    let rows = &book.rows;
    let place = rows.invoices.iter().position(|o| o.invoice.id == request.attempt.invoice).unwrap();
    let open = &rows.invoices[place];
    assert_eq!(rows.customer.state, CustomerState::Present);
    let default = rows.customer.default_card.as_ref().expect("charged without a card");
    let card = rows.customer.card(default).unwrap();
    assert!(!card.expiration.is_past(book.circumstances.at), "an expired card was charged");
    let attempts: Vec<_> = rows.invoices.iter().flat_map(|open| &open.attempts).collect();
    let never = book
        .charged
        .iter()
        .filter(|(_, card)| card.as_ref() == Some(default))
        .any(|(id, _)| attempts.iter().any(|a| a.id == *id && a.decline == Some(DeclineKind::Never)));
    assert!(!never, "a card that must never be tried again was");
    check_budget(book, default, open);
    check_not_after_cancel(book, open);
    for older in &rows.invoices[..place] {
        let beside = older.plan.terms.dunning.newer == NewerPeriods::Collect
            && older.attempts.iter().any(|a| a.status == AttemptStatus::Declined);
        let blocks = older.invoice.status == InvoiceStatus::Open
            && (!beside && older.invoice.hold.is_none() && older.invoice.period.end > book.circumstances.at
                || older.attempts.iter().any(|a| !a.status.is_final()));
        assert!(!blocks, "{} went before {}", open.invoice.id, older.invoice.id);
    }
    let retries: Vec<_> = open
        .attempts
        .iter()
        .filter(|a| a.status == AttemptStatus::Declined && a.card.as_ref() == Some(default))
        .map(|a| a.intended_at)
        .skip(1)
        .collect();
    let day = SignedDuration::from_hours(24);
    let recent = retries.iter().filter(|at| book.circumstances.at.duration_since(**at) < day);
    assert_eq!(recent.count(), 0, "two retries of one card in a day");
}

const MONTH_HOURS: i64 = 30 * 24;

/// No network's budget of the card is used up, counted from what its attempts came to.
fn check_budget(book: &Book, card: &CardId, open: &OpenInvoice) {
    let at = book.circumstances.at;
    let visa = book.circumstances.budgets.visa_30_days as usize;
    let declined = |hours, of_amount: bool| {
        let attempts = book.rows.invoices.iter().flat_map(|open| &open.attempts);
        let window = SignedDuration::from_hours(hours);
        attempts
            .filter(|a| a.status == AttemptStatus::Declined && a.card.as_ref() == Some(card))
            .filter(|a| !of_amount || a.amount == open.invoice.amount)
            .filter(|a| a.resolved_at.is_some_and(|then| at.duration_since(then) < window))
            .count()
    };
    let within = match book.rows.customer.card(card).unwrap().brand.as_str() {
        "Visa" => declined(MONTH_HOURS, false) < visa,
        "MasterCard" => declined(24, false) < 10 && declined(MONTH_HOURS, true) < 35,
        _ => declined(24, false) < 10 && declined(MONTH_HOURS, false) < visa.min(35),
    };
    assert!(within, "over budget: {card} was tried again");
}

/// Nothing of a subscription that has ended is tried by itself.
fn check_not_after_cancel(book: &Book, open: &OpenInvoice) {
    let Some(ended) = book.rows.subscription.ended_at else { return };
    let asked = book.events.iter().any(|event| {
        event.kind == EventKind::RetryRequested
            && event.invoice.as_ref() == Some(&open.invoice.id)
            && event.at >= ended
    });
    assert!(asked, "after cancel: {} was tried by itself", open.invoice.id);
}

/// What must hold after anything.
pub(super) fn check(book: &Book) {
    let rows = &book.rows;
    let mut settled: Vec<u32> = rows.invoices.iter().map(|open| open.invoice.id.index).collect();
    settled.extend(book.skipped.iter().flat_map(|(from, to, _)| *from..*to));
    settled.sort_unstable();
    let all: Vec<u32> = (0..rows.subscription.next_index).collect();
    assert_eq!(settled, all, "every period is invoiced or skipped, once");
    check_tiling(book);
    for open in &rows.invoices {
        let price = open.plan.terms.price.checked_mul(open.invoice.quantity).unwrap();
        assert_eq!(open.invoice.amount, price);
        let successes = open.attempts.iter().filter(|a| a.status == AttemptStatus::Succeeded).count();
        let paid = open.invoice.status == InvoiceStatus::Paid;
        assert!(successes <= 1 && (successes == 0 || paid), "{open:#?}");
        let under_way = open.attempts.iter().any(|a| !a.status.is_final());
        let scheduled = open.invoice.next_attempt_at.is_some();
        let held = open.invoice.hold.is_some();
        let for_a_card = matches!(open.invoice.hold, Some(Hold::NewCard | Hold::Exhausted | Hold::Customer));
        assert!(
            !(scheduled && (under_way || held && !for_a_card)),
            "scheduled beside an attempt or a hold: {open:#?}"
        );
        check_word_of_a_person(book, open);
        let is_open = open.invoice.status == InvoiceStatus::Open;
        assert!(!is_open || scheduled || under_way || held, "forgotten: {open:#?}");
        assert!(is_open || !(scheduled || held), "closed, yet {open:#?}");
        assert!(open.attempts.iter().all(|a| a.status.is_final() == a.intent.is_none()), "{open:#?}");
    }
    check_wake(book);
}

/// A card that was refused for good is tried again once a person asked for it after that, or not at all.
fn check_word_of_a_person(book: &Book, open: &OpenInvoice) {
    let declined = open.attempts.iter().filter(|a| a.status == AttemptStatus::Declined);
    for pair in declined.collect::<Vec<_>>().windows(2) {
        let (first, again) = (pair[0], pair[1]);
        let hard = first.decline.is_some_and(|kind| kind.class() == DeclineClass::Hard);
        if !hard || first.card != again.card || first.failure_code.as_deref() == Some("expired_card") {
            continue;
        }
        let asked = book.events.iter().any(|event| {
            event.kind == EventKind::RetryRequested
                && event.invoice.as_ref() == Some(&open.invoice.id)
                && first.resolved_at.is_some_and(|at| at <= event.at)
                && event.at <= again.intended_at
        });
        assert!(asked, "{} was tried again by itself: {open:#?}", first.id);
    }
}

/// No hour is billed twice, and none between two periods is left out, whatever was changed in mid-life.
fn check_tiling(book: &Book) {
    let rows = &book.rows;
    let mut periods: Vec<_> = rows.invoices.iter().map(|open| open.invoice.period).collect();
    periods.sort_unstable_by_key(|period| period.index);
    let next = rows.subscription.next_index;
    periods.push(calendar::period_of(&rows.subscription, &rows.plan.terms, next).unwrap());
    for pair in periods.windows(2) {
        let (this, after) = (pair[0], pair[1]);
        assert!(this.start < this.end && this.end <= after.start, "an overlap: {this:?}, {after:?}");
        if this.index + 1 == after.index {
            assert_eq!(this.end, after.start, "a gap between {this:?} and {after:?}");
        }
    }
}

/// A subscription that lives never sleeps past its next period or its next try.
fn check_wake(book: &Book) {
    let (rows, at) = (&book.rows, book.circumstances.at);
    let subscription = &rows.subscription;
    if subscription.status == SubscriptionStatus::Canceled {
        return;
    }
    let next = calendar::period_of(subscription, &rows.plan.terms, subscription.next_index).unwrap();
    let wake = subscription.wake_at.expect("a living subscription wakes");
    assert!(wake <= next.start.max(at), "sleeps past period {}", next.index);
    let mut tries = rows.invoices.iter().filter(|open| open.invoice.hold.is_none());
    let oldest = tries.find(|open| open.invoice.status == InvoiceStatus::Open);
    if let Some(due) = oldest.and_then(|open| open.invoice.next_attempt_at) {
        let turn = rows.customer.caught_up_at.map_or(due, |last| last + SignedDuration::from_hours(24));
        let unblocked = rows.invoices.iter().all(|open| open.attempts.iter().all(|a| a.status.is_final()));
        let cards_wait = rows.invoices.iter().any(|o| o.invoice.hold.is_some());
        assert!(!unblocked || cards_wait || wake <= due.max(turn).max(at), "sleeps past the try at {due}");
    }
}
