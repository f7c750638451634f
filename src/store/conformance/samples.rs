//! Small true rows for tests: a plan, customers, subscriptions, and the transitions of one charge.

use std::sync::Arc;

use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};

use crate::model::{
    Attempt, AttemptId, AttemptStatus, BackupCard, BillingPeriod, CardId, CardSnapshot, Change, ChargeId,
    CustomerId, DunningPolicy, EndAction, Epoch, EventKind, Expiration, IdempotencyKey, Intent, Interval,
    Invoice, InvoiceId, InvoiceStatus, Money, NewEvent, PlanKey, PlanTerms, PlanVersionId, Quantity,
    RetrySchedule, Snapshot, Subscription, SubscriptionId, SubscriptionStatus, Transition, Unit, Version,
    Wait, WaitUnit, Zone,
};
use crate::store::{CustomerReading, Store};

pub(crate) const DAY: i64 = 86_400;

/// Noon of 1 January 2026 in Bangkok, and that many seconds later.
pub(crate) fn at(seconds: i64) -> Timestamp {
    "2026-01-01T05:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

pub(crate) fn money(text: &str) -> Money {
    text.parse().unwrap()
}

pub(crate) fn terms(price: &str) -> PlanTerms {
    PlanTerms {
        name: "Pro".into(),
        price: money(price),
        every: Interval::new(1, Unit::Month).unwrap(),
        trial: None,
        description: Some("Pro, {period_start} to {period_end}".into()),
        dunning: DunningPolicy::plain(
            "standard".into(),
            RetrySchedule::Ladder(vec![Wait::new(2, WaitUnit::Day).unwrap()]),
            Some(jiff::civil::time(9, 0, 0, 0)),
            EndAction::Pause,
        ),
    }
}

pub(crate) fn plan(store: &mut dyn Store) -> PlanVersionId {
    let key = PlanKey::parse("pro").unwrap();
    store.apply_plans(&[(key, terms("990.00 THB"))], at(0)).unwrap();
    store.plans().unwrap()[0].id
}

pub(crate) fn customer(n: u32) -> CustomerId {
    CustomerId::parse(&format!("cust_test_{n:019}")).unwrap()
}

pub(crate) fn card(n: u32) -> CardId {
    CardId::parse(&format!("card_test_{n:019}")).unwrap()
}

pub(crate) fn charge(n: u32) -> ChargeId {
    ChargeId::parse(&format!("chrg_test_{n:019}")).unwrap()
}

pub(crate) fn sub_id(n: u32) -> SubscriptionId {
    SubscriptionId::parse(&format!("sub_{n:08}")).unwrap()
}

pub(crate) fn card_snapshot(n: u32) -> CardSnapshot {
    CardSnapshot {
        id: card(n),
        brand: "Visa".into(),
        last_digits: format!("{:04}", n % 10_000),
        expiration: Expiration::new(12, 2030).unwrap(),
        fingerprint: Some("OlaFbhcCgeDkh5o3bMbWPf9j+4tgcmqtGwhnwCnCXM0=".into()),
    }
}

pub(crate) fn reading(n: u32) -> CustomerReading {
    CustomerReading {
        id: customer(n),
        state: crate::model::CustomerState::Present,
        default_card: Some(card(n)),
        cards: vec![card_snapshot(n)],
        read_at: at(0),
    }
}

/// Subscription `n` of customer `n`, due at once.
pub(crate) fn subscription(n: u32, plan: PlanVersionId) -> Subscription {
    Subscription {
        id: sub_id(n),
        customer: customer(n),
        plan,
        status: SubscriptionStatus::Active,
        quantity: Quantity::ONE,
        zone: Zone::parse("Asia/Bangkok").unwrap(),
        starts: date(2026, 1, 1),
        anchor: date(2026, 1, 1),
        anchor_at: None,
        anchor_index: 0,
        next_index: 0,
        card: None,
        backup: BackupCard::No,
        cancel_at: None,
        pause: None,
        ended_at: None,
        wake_at: Some(at(0)),
        created_at: at(-DAY),
        metadata: None,
        version: Version::FIRST,
    }
}

pub(crate) fn only(change: Change) -> Transition {
    Transition { epoch: None, changes: vec![change], events: Vec::new() }
}

/// Commits one transition, which must be accepted.
pub(crate) fn accept(store: &mut dyn Store, transition: Transition) {
    assert_eq!(store.commit(&[transition]).unwrap(), vec![Ok(())]);
}

/// A book with a plan and subscriptions `0..count`, each of a customer of its own with one card.
pub(crate) fn fill(store: &mut dyn Store, count: u32) -> PlanVersionId {
    let plan = plan(store);
    let batch: Vec<_> = (0..count).map(|n| only(Change::InsertSubscription(subscription(n, plan)))).collect();
    assert!(store.commit(&batch).unwrap().iter().all(Result::is_ok));
    let readings: Vec<_> = (0..count).map(reading).collect();
    assert_eq!(store.observe_customers(&readings).unwrap().known, u64::from(count));
    plan
}

pub(crate) fn begin(store: &mut dyn Store) -> Epoch {
    store.begin_epoch(at(0), at(0), Some(at(0))).unwrap().0
}

pub(crate) fn event(kind: EventKind, invoice: &InvoiceId, when: Timestamp) -> NewEvent {
    NewEvent {
        at: when,
        kind,
        subscription: Some(invoice.subscription.clone()),
        invoice: Some(invoice.clone()),
        data: None,
    }
}

/// Opens the next period's invoice and intends a charge: what a run's first commit says.
pub(crate) fn intent(store: &mut dyn Store, from: &Snapshot, epoch: Epoch, now: Timestamp) -> Transition {
    let mut subscription = from.subscription.clone();
    let id = InvoiceId::new(subscription.id.clone(), subscription.next_index);
    let start = at(i64::from(id.index) * 30 * DAY);
    let invoice = Invoice {
        period: BillingPeriod { index: id.index, start, end: start + SignedDuration::from_secs(30 * DAY) },
        plan: subscription.plan,
        quantity: subscription.quantity,
        amount: from.plan.terms.price,
        status: InvoiceStatus::Open,
        next_attempt_at: None,
        hold: None,
        opened_at: now,
        closed_at: None,
        version: Version::FIRST,
        id: id.clone(),
    };
    let installation = store.facts().unwrap().installation;
    let attempt = attempt(AttemptId::new(id.clone(), 1), installation, &subscription.customer, epoch, now);
    subscription.next_index += 1;
    subscription.wake_at = Some(start + SignedDuration::from_secs(30 * DAY));
    Transition {
        epoch: Some(epoch),
        changes: vec![
            Change::UpdateSubscription(subscription),
            Change::InsertInvoice(invoice),
            Change::InsertAttempt(attempt),
        ],
        events: vec![event(EventKind::InvoiceOpened, &id, now)],
    }
}

pub(crate) fn attempt(
    id: AttemptId,
    installation: crate::model::Installation,
    customer: &CustomerId,
    epoch: Epoch,
    now: Timestamp,
) -> Attempt {
    Attempt {
        key: IdempotencyKey::derive(installation, &id),
        status: AttemptStatus::Intended,
        amount: money("990.00 THB"),
        customer: customer.clone(),
        card: None,
        intended_at: now,
        resolved_at: None,
        charge: None,
        failure_code: None,
        decline: None,
        intent: Some(Intent {
            body: format!("{{\"attempt\":\"{id}\"}}").into(),
            named_card: None,
            epoch,
            wall_at: now + SignedDuration::from_millis(123),
            provider_seen: Some(now),
            deadline: Some(now + SignedDuration::from_secs(95)),
            doubt_since: None,
            first_empty_scan: None,
            looked_at: None,
            authorize_uri: None,
            reminded: 0,
            reason: None,
        }),
        id,
    }
}

/// The charge of that snapshot's first open invoice succeeded: what a run's second commit says.
pub(crate) fn paid(from: &Snapshot, epoch: Epoch, now: Timestamp, n: u32) -> Transition {
    let open = &from.invoices[0];
    let mut invoice = open.invoice.clone();
    invoice.status = InvoiceStatus::Paid;
    invoice.closed_at = Some(now);
    let mut attempt = open.attempts.last().unwrap().clone();
    let before = attempt.status;
    attempt.status = AttemptStatus::Succeeded;
    attempt.resolved_at = Some(now);
    attempt.charge = Some(charge(n));
    attempt.card = from.customer.default_card.clone();
    attempt.intent = None;
    let events = vec![event(EventKind::InvoicePaid, &invoice.id, now)];
    Transition {
        epoch: Some(epoch),
        changes: vec![
            Change::UpdateAttempt { attempt, from: before },
            Change::UpdateInvoice(invoice),
            Change::UpdateSubscription(from.subscription.clone()),
        ],
        events,
    }
}

/// The transition that ends the first open invoice's last attempt in that state, leaving the invoice open.
pub(crate) fn ended(from: &Snapshot, epoch: Epoch, status: AttemptStatus, now: Timestamp) -> Transition {
    let mut attempt = from.invoices[0].attempts.last().unwrap().clone();
    let before = attempt.status;
    attempt.status = status;
    if status.is_final() {
        attempt.resolved_at = Some(now);
        attempt.intent = None;
    }
    Transition { epoch: Some(epoch), ..only(Change::UpdateAttempt { attempt, from: before }) }
}

pub(crate) fn snapshot(store: &mut dyn Store, n: u32) -> Snapshot {
    store.snapshot(&sub_id(n)).unwrap().unwrap()
}

/// One whole charge of subscription `n`, at `now`.
pub(crate) fn charge_once(store: &mut dyn Store, n: u32, epoch: Epoch, now: Timestamp) {
    let before = snapshot(store, n);
    let intent = intent(store, &before, epoch, now);
    accept(store, intent);
    let between = snapshot(store, n);
    accept(store, paid(&between, epoch, now, n));
}

pub(crate) fn text(text: &str) -> Arc<str> {
    text.into()
}
