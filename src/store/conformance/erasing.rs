//! Erasing a customer: what goes, what stays, and when it is refused.

use super::samples::*;
use crate::model::{
    Attempt, AttemptStatus, CardDecline, Change, CustomerState, Event, EventKind, Flag, FlagReason, Invoice,
    SubscriptionStatus, Transition,
};
use crate::store::{Filter, Store, StoreError};

fn of(n: u32) -> Filter {
    Filter { customer: Some(customer(n)), ended: true, ..Filter::default() }
}

/// Ends subscription `n`, which leaves metadata and texts behind, and a decline of its card.
fn end_with_traces(store: &mut dyn Store, n: u32) {
    let mut ended = snapshot(store, n).subscription;
    (ended.status, ended.ended_at, ended.wake_at) = (SubscriptionStatus::Canceled, Some(at(5)), None);
    ended.metadata = Some(text("{\"name\":\"Somchai\"}"));
    let told = |kind, data: &str| crate::model::NewEvent {
        at: at(5),
        kind,
        subscription: Some(sub_id(n)),
        invoice: None,
        data: Some(text(data)),
    };
    let flag = Flag {
        subscription: sub_id(n),
        customer: customer(n),
        reason: FlagReason::ExpiredCard,
        since: at(4),
        until: None,
        detail: text("Visa 4242, valid through 01/2026"),
    };
    let decline = CardDecline {
        card: card(n),
        fingerprint: Some(text("finger")),
        at: at(3),
        amount: money("990.00 THB"),
        never: false,
    };
    let changes = vec![
        Change::UpdateSubscription(ended),
        Change::RaiseFlag(flag),
        Change::RecordDecline { customer: customer(n), decline },
    ];
    let events = vec![
        told(EventKind::FlagRaised, "{\"reason\":\"expired_card\",\"detail\":\"Visa 4242\"}"),
        told(EventKind::SubscriptionCanceled, "{\"reason\":\"moved to Somchai Road\"}"),
        told(EventKind::InvoicePaid, "{\"by\":\"person\",\"reason\":\"paid in cash\"}"),
    ];
    accept(store, Transition { epoch: None, changes, events });
}

fn facts(store: &mut dyn Store, n: u32) -> (Vec<Invoice>, Vec<Attempt>, Vec<Event>) {
    (
        store.list_invoices(&of(n), 0, 10).unwrap().into_iter().map(|row| row.invoice).collect(),
        store.list_attempts(&of(n), 0, 10).unwrap().into_iter().map(|row| row.attempt).collect(),
        store.list_events(&of(n), 0, 100).unwrap(),
    )
}

fn an_erased_customer_keeps_the_money_facts_alone(store: &mut dyn Store) {
    fill(store, 2);
    let epoch = begin(store);
    charge_once(store, 0, epoch, at(0));
    charge_once(store, 1, epoch, at(0));
    end_with_traces(store, 0);
    end_with_traces(store, 1);
    let (before, other) = (facts(store, 0), (facts(store, 1), snapshot(store, 1)));
    assert_eq!(store.erase_customer(&customer(0), at(9)), Ok(true));

    let after = facts(store, 0);
    assert_eq!((&after.0, &after.1), (&before.0, &before.1), "money facts");
    assert_eq!(after.1[0].charge, Some(charge(0)));
    let told: Vec<_> = after.2.iter().filter_map(|e| e.data.as_deref()).collect();
    assert_eq!(
        told,
        ["{\"reason\":\"expired_card\"}", "{}", "{\"by\":\"person\",\"reason\":\"paid in cash\"}"]
    );
    assert_eq!(after.2.len(), before.2.len(), "the diary has no gap");
    let erased = snapshot(store, 0);
    assert_eq!(erased.subscription.metadata, None);
    assert_eq!(erased.customer.state, CustomerState::Gone);
    assert_eq!((erased.customer.default_card, erased.customer.cards), (None, Vec::new()));
    assert!(erased.declines.iter().all(|decline| decline.fingerprint.is_none()));
    assert!(store.list_flags(&of(0), 0, 10).unwrap().iter().all(|(_, flag)| flag.detail.is_empty()));
    assert_eq!((facts(store, 1), snapshot(store, 1)), other, "nobody else is touched");
}

fn erasing_again_is_harmless_and_readings_come_too_late(store: &mut dyn Store) {
    fill(store, 1);
    end_with_traces(store, 0);
    assert_eq!(store.erase_customer(&customer(0), at(9)), Ok(true));
    assert_eq!(store.erase_customer(&customer(0), at(10)), Ok(true));
    assert_eq!(store.erase_customer(&customer(77), at(9)), Ok(false), "not in the book");
    assert_eq!(store.observe_customers(&[reading(0)]).unwrap().known, 0);
    assert_eq!(snapshot(store, 0).customer.cards, Vec::new());
}

fn a_customer_who_may_still_be_charged_is_not_erased(store: &mut dyn Store) {
    fill(store, 1);
    let epoch = begin(store);
    let before = store.customer(&customer(0)).unwrap();
    let refused = |store: &mut dyn Store| match store.erase_customer(&customer(0), at(9)) {
        Err(StoreError::Unsettled { found, .. }) => found,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(store), "a subscription that has not ended");
    let opened = snapshot(store, 0);
    let opened = intent(store, &opened, epoch, at(1));
    accept(store, opened);
    end_with_traces(store, 0);
    assert_eq!(refused(store), "an attempt that is unfinished");
    assert_eq!(store.customer(&customer(0)).unwrap(), before);
    let doubtful = snapshot(store, 0);
    accept(store, ended(&doubtful, epoch, AttemptStatus::Absent, at(2)));
    assert_eq!(store.erase_customer(&customer(0), at(9)), Ok(true));
}

mod tests {
    super::super::conform!(
        an_erased_customer_keeps_the_money_facts_alone,
        erasing_again_is_harmless_and_readings_come_too_late,
        a_customer_who_may_still_be_charged_is_not_erased,
    );
}
