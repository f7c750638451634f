//! Customers at a glance show what their whole snapshots show, and readings tell whom they changed.

use super::samples::*;
use crate::model::{
    CardDecline, Change, CustomerGlance, CustomerId, CustomerState, Expiration, Flag, FlagReason, Snapshot,
    SubscriptionStatus,
};
use crate::store::{CustomerReading, Filter, GlancePage, Store};

/// All living subscriptions of one customer, in the order of making.
fn whole(store: &mut dyn Store, id: &CustomerId) -> Vec<Snapshot> {
    let filter = Filter { customer: Some(id.clone()), ..Filter::default() };
    let rows = store.list_subscriptions(&filter, 0, 100).unwrap();
    let living = rows.iter().filter(|row| row.subscription.ended_at.is_none());
    living.map(|row| store.snapshot(&row.subscription.id).unwrap().unwrap()).collect()
}

/// What all pages of that size show together.
fn glances(store: &mut dyn Store, limit: usize) -> Vec<CustomerGlance> {
    let (mut after, mut seen, mut all) = (0, 0, Vec::new());
    loop {
        let page = store.glance(after, limit).unwrap();
        let Some(last) = page.last else {
            assert_eq!(page, GlancePage::default());
            let customers = store.list_customers(&Filter::default(), 0, 100).unwrap().len();
            assert_eq!(seen, customers as u64);
            return all;
        };
        seen += page.seen;
        all.extend(page.customers);
        after = last;
    }
}

/// Each glance is that of the whole snapshots.
fn check(store: &mut dyn Store) -> Vec<CustomerGlance> {
    let found = glances(store, 100);
    let mut billed = Vec::new();
    for row in store.list_customers(&Filter::default(), 0, 100).unwrap() {
        billed.extend(CustomerGlance::of(&whole(store, &row.customer.id)));
    }
    assert_eq!(found, billed);
    for limit in 1..5 {
        assert_eq!(glances(store, limit), found, "by {limit}");
    }
    found
}

fn a_glance_shows_what_the_whole_snapshots_show(store: &mut dyn Store) {
    let plan = fill(store, 9);
    let epoch = begin(store);
    check(store);
    // 0 owes, 1 has a flag, 2 a card of their own beside two more subscriptions, 3 has left, 4 was never read, 5 is
    // gone, 6 has no default, 7 was told never, 8 pays with the number that 7 was told it for.
    let before = snapshot(store, 0);
    let opened = intent(store, &before, epoch, at(1));
    accept(store, opened);
    let (customer, detail) = (customer(1), "a card".into());
    let reason = FlagReason::NoCard;
    let flag = Flag { customer, subscription: sub_id(1), reason, since: at(0), until: None, detail };
    accept(store, only(Change::RaiseFlag(flag)));
    let own =
        crate::model::CardSnapshot { expiration: Expiration::new(3, 2027).unwrap(), ..card_snapshot(12) };
    let two = CustomerReading { cards: vec![own, card_snapshot(2)], ..reading(2) };
    let gone =
        CustomerReading { state: CustomerState::Gone, default_card: None, cards: Vec::new(), ..reading(5) };
    let bare = CustomerReading { default_card: None, ..reading(6) };
    let unmarked = |n| CustomerReading {
        cards: vec![crate::model::CardSnapshot { fingerprint: None, ..card_snapshot(n) }],
        ..reading(n)
    };
    store.observe_customers(&[unmarked(0), unmarked(1), two, unmarked(3), gone, bare]).unwrap();
    for n in [21, 22] {
        let mut more = subscription(n, plan);
        more.customer = super::samples::customer(2);
        more.anchor = jiff::civil::date(2026, 2, 3);
        more.card = (n == 21).then(|| card(12));
        accept(store, only(Change::InsertSubscription(more)));
    }
    let mut left = snapshot(store, 3).subscription;
    (left.status, left.ended_at, left.wake_at) = (SubscriptionStatus::Canceled, Some(at(1)), None);
    accept(store, only(Change::UpdateSubscription(left)));
    let mut stranger = subscription(40, plan);
    stranger.customer = super::samples::customer(40);
    accept(store, only(Change::InsertSubscription(stranger)));
    let never = |fingerprint: Option<&str>| CardDecline {
        card: card(7),
        fingerprint: fingerprint.map(Into::into),
        at: at(2),
        amount: money("1.00 THB"),
        never: fingerprint.is_some(),
    };
    let note = |decline| Change::RecordDecline { customer: super::samples::customer(7), decline };
    accept(store, only(note(never(None))));
    assert!(check(store).iter().all(|glance| !glance.never), "an ordinary decline");
    accept(store, only(note(never(card_snapshot(7).fingerprint.as_deref()))));
    let found = check(store);
    assert_eq!(found.len(), 9, "one has left");
    let that = |n| found.iter().find(|glance| glance.id == super::samples::customer(n)).unwrap();
    assert!(that(0).subscriptions[0].owes && that(1).subscriptions[0].flagged);
    let ends = that(2).subscriptions.iter().map(|s| s.card_ends.unwrap().to_string());
    assert_eq!(ends.collect::<Vec<_>>(), ["12/2030", "03/2027", "12/2030"]);
    assert_eq!((that(40).state, that(40).read_at), (CustomerState::Unread, None));
    assert_eq!((that(5).state, that(6).default_ends), (CustomerState::Gone, None));
    assert!(that(7).never && that(8).never && !that(0).never);
}

fn a_customer_with_many_subscriptions_is_shown_in_part(store: &mut dyn Store) {
    let plan = fill(store, 1);
    for n in 1..=20 {
        let mut more = subscription(n, plan);
        more.customer = customer(0);
        accept(store, only(Change::InsertSubscription(more)));
    }
    let found = check(store);
    assert_eq!((found[0].subscriptions.len(), found[0].more), (CustomerGlance::MOST_SUBSCRIPTIONS, true));
}

fn readings_tell_who_is_another_than_before(store: &mut dyn Store) {
    fill(store, 4);
    let again: Vec<_> = (0..4).map(|n| CustomerReading { read_at: at(9), ..reading(n) }).collect();
    let before: Vec<_> = (0..4).map(|n| store.customer(&customer(n)).unwrap().unwrap()).collect();
    let same = store.observe_customers(&again).unwrap();
    assert_eq!((same.known, same.changed.len()), (4, 0));
    for (n, before) in before.iter().enumerate() {
        let now = store.customer(&before.id).unwrap().unwrap();
        assert_eq!(now.read_at, Some(at(9)), "{n}: when is kept all the same");
        assert_eq!(
            now.version,
            before.version.next(),
            "{n}: who decided from the older reading decides again"
        );
        assert_eq!((&now.cards, &now.default_card), (&before.cards, &before.default_card));
    }
    let month =
        crate::model::CardSnapshot { expiration: Expiration::new(1, 2031).unwrap(), ..card_snapshot(0) };
    let none = CustomerReading { default_card: None, ..reading(1) };
    let swapped =
        CustomerReading { default_card: Some(card(13)), cards: vec![card_snapshot(13)], ..reading(2) };
    let fewer = CustomerReading { cards: Vec::new(), default_card: None, ..reading(3) };
    let changed = [CustomerReading { cards: vec![month], ..reading(0) }, none, swapped, fewer];
    let old: Vec<_> = (0..4).map(|n| store.customer(&customer(n)).unwrap().unwrap()).collect();
    assert_eq!(store.observe_customers(&changed).unwrap().changed, old, "as they were");
    for reading in &changed {
        let now = store.customer(&reading.id).unwrap().unwrap();
        assert_eq!((&now.cards, &now.default_card), (&reading.cards, &reading.default_card));
    }
    assert!(store.observe_customers(&changed).unwrap().changed.is_empty(), "and the same again");
}

mod tests {
    super::super::conform!(
        a_glance_shows_what_the_whole_snapshots_show,
        a_customer_with_many_subscriptions_is_shown_in_part,
        readings_tell_who_is_another_than_before,
    );
}
