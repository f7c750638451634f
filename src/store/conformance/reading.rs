//! The run's side of the book: what is due, whose cards are stale, what was read.

use super::samples::*;
use crate::model::{Change, CustomerState, Flag, FlagReason, Hold, SubscriptionId};
use crate::store::{CustomerReading, Store};

fn due_pages_meet_every_subscription_once_in_order(store: &mut dyn Store) {
    let plan = plan(store);
    // Many wake at one instant; some earlier, some later, some never.
    let wakes = [Some(5), Some(0), Some(5), None, Some(5), Some(9), Some(5), Some(2), Some(10)];
    for (n, wake) in wakes.iter().enumerate() {
        let mut s = subscription(u32::try_from(n).unwrap(), plan);
        s.wake_at = wake.map(at);
        if wake.is_none() {
            (s.status, s.ended_at) = (crate::model::SubscriptionStatus::Canceled, Some(at(0)));
        }
        accept(store, only(Change::InsertSubscription(s)));
    }
    for limit in 1..=8 {
        let (mut after, mut met) = (None, Vec::new());
        loop {
            let page = store.due(at(9), after, limit).unwrap();
            let Some(cursor) = page.last else { break };
            after = Some(cursor);
            met.extend(page.rows.iter().map(|(_, s)| s.subscription.id.clone()));
        }
        let wanted: Vec<SubscriptionId> = [1, 7, 0, 2, 4, 6, 5].map(sub_id).into();
        assert_eq!(met, wanted, "by {limit}");
    }
    assert_eq!(store.count_due(at(9)).unwrap(), 7);
    assert_eq!(store.count_due(at(-1)).unwrap(), 0);
    assert_eq!(store.next_wake(at(5)).unwrap(), Some(at(9)));
    assert_eq!(store.next_wake(at(10)).unwrap(), None);
}

fn an_older_missed_period_of_the_same_customer_is_known(store: &mut dyn Store) {
    let plan = fill(store, 2);
    let mut sibling = subscription(2, plan);
    sibling.customer = customer(0);
    accept(store, only(Change::InsertSubscription(sibling)));
    let epoch = begin(store);
    // The first invoice of the customer's other subscription: from at(0), 30 days long.
    let first = snapshot(store, 0);
    let mut opened = intent(store, &first, epoch, at(0));
    opened.changes.retain(|change| !matches!(change, Change::InsertAttempt(_)));
    accept(store, opened);
    let (end, start) = (30 * DAY, at(1));
    let older = |store: &mut dyn Store, n, start, when| store.has_older_missed(&sub_id(n), start, at(when));
    assert_eq!(older(store, 2, start, end), Ok(true));
    assert_eq!(older(store, 2, start, end - 1), Ok(false), "its period has not ended, and it is not due");
    assert_eq!(older(store, 2, at(0), end), Ok(false), "it began no earlier");
    assert_eq!(older(store, 0, start, end), Ok(false), "it is its own");
    assert_eq!(older(store, 1, start, end), Ok(false), "it is another customer's");
    let mut invoice = snapshot(store, 0).invoices[0].invoice.clone();
    invoice.hold = Some(Hold::CatchUp);
    accept(store, only(Change::UpdateInvoice(invoice)));
    assert_eq!(older(store, 2, start, end), Ok(false), "it is on hold");
    let mut invoice = snapshot(store, 0).invoices[0].invoice.clone();
    (invoice.hold, invoice.next_attempt_at) = (None, Some(at(end + 1)));
    accept(store, only(Change::UpdateInvoice(invoice)));
    assert_eq!(older(store, 2, start, end), Ok(false), "it waits for longer");
    assert_eq!(older(store, 2, start, end + 1), Ok(true));
}

fn what_a_standing_flag_explains_does_not_wait(store: &mut dyn Store) {
    fill(store, 4);
    for n in 0..4 {
        let mut s = snapshot(store, n).subscription;
        s.wake_at = Some(at(i64::from(n)));
        accept(store, only(Change::UpdateSubscription(s)));
    }
    let flag = |n: u32, reason| Flag {
        customer: customer(n),
        subscription: sub_id(n),
        reason,
        since: at(1),
        until: None,
        detail: text("why"),
    };
    let due = |store: &mut dyn Store, when| {
        let due = store.due_now(at(when)).unwrap();
        (due.count, due.since)
    };
    assert_eq!(due(store, 9), (4, Some(at(0))));
    assert_eq!(due(store, -1), (0, None));
    // Two flags on one of them, one on another that is not due yet.
    accept(store, only(Change::RaiseFlag(flag(0, FlagReason::NoCard))));
    accept(store, only(Change::RaiseFlag(flag(0, FlagReason::DeadCard))));
    accept(store, only(Change::RaiseFlag(flag(3, FlagReason::ExpiredCard))));
    assert_eq!(due(store, 2), (2, Some(at(1))));
    assert_eq!(due(store, 9), (2, Some(at(1))));
    assert_eq!(store.count_due(at(9)).unwrap(), 4, "a run looks at all of them");
    for reason in [FlagReason::NoCard, FlagReason::DeadCard] {
        assert_eq!(due(store, 0), (0, None), "one flag is enough");
        let reason = Some(reason);
        accept(store, only(Change::ClearFlags { subscription: sub_id(0), reason, at: at(5) }));
    }
    assert_eq!(due(store, 2), (3, Some(at(0))), "it waits again");
}

fn stale_customers_are_those_of_due_subscriptions(store: &mut dyn Store) {
    fill(store, 6);
    let mut later = snapshot(store, 5).subscription;
    later.wake_at = Some(at(DAY));
    accept(store, only(Change::UpdateSubscription(later)));
    let fresh = CustomerReading { read_at: at(100), ..reading(2) };
    store.observe_customers(&[fresh]).unwrap();
    assert_eq!(store.count_stale_customers(at(0), at(0), 100).unwrap(), 0, "read at that very instant");
    assert_eq!(store.count_stale_customers(at(0), at(50), 100).unwrap(), 4);
    assert_eq!(store.count_stale_customers(at(0), at(50), 3).unwrap(), 3);
    let first = store.stale_customers(at(0), at(50), None, 3).unwrap();
    assert_eq!(first, [0, 1, 3].map(customer));
    assert_eq!(store.stale_customers(at(0), at(50), first.last(), 3).unwrap(), [customer(4)]);
    assert_eq!(store.stale_customers(at(2 * DAY), at(50), Some(&customer(4)), 3).unwrap(), [customer(5)]);
}

fn a_reading_replaces_the_cards(store: &mut dyn Store) {
    fill(store, 1);
    let before = store.customer(&customer(0)).unwrap().unwrap();
    let changed = CustomerReading {
        default_card: Some(card(12)),
        cards: vec![card_snapshot(12), card_snapshot(0), card_snapshot(11)],
        read_at: at(10),
        ..reading(0)
    };
    let stranger = CustomerReading { id: customer(9), ..changed.clone() };
    assert_eq!(store.observe_customers(&[stranger, changed.clone()]).unwrap().known, 1);
    assert!(store.customer(&customer(9)).unwrap().is_none());
    let after = store.customer(&customer(0)).unwrap().unwrap();
    assert_eq!(after.cards, changed.cards);
    assert_eq!((after.default_card.clone(), after.read_at), (Some(card(12)), Some(at(10))));
    assert!(after.version > before.version);

    let gone = CustomerReading {
        state: CustomerState::Gone,
        default_card: None,
        cards: Vec::new(),
        read_at: at(20),
        id: customer(0),
    };
    store.observe_customers(std::slice::from_ref(&gone)).unwrap();
    let now = store.customer(&customer(0)).unwrap().unwrap();
    assert_eq!((now.state, now.default_card, now.cards.len()), (CustomerState::Gone, None, 0));
    // Who decided from an older reading decides again.
    let stale = only(Change::UpdateCustomer(after));
    assert!(store.commit(&[stale]).unwrap()[0].is_err());
}

fn what_was_taken_from_a_customer_comes_back(store: &mut dyn Store) {
    fill(store, 1);
    let mut c = store.customer(&customer(0)).unwrap().unwrap();
    c.caught_up_at = Some(at(7));
    c.spent_on = Some(jiff::civil::date(2026, 1, 1));
    c.spent = vec![money("990.00 THB"), money("1500 JPY")];
    accept(store, only(Change::UpdateCustomer(c.clone())));
    c.version = c.version.next();
    assert_eq!(store.customer(&customer(0)).unwrap().unwrap(), c);
    store.observe_customers(&[CustomerReading { read_at: at(8), ..reading(0) }]).unwrap();
    let after = store.customer(&customer(0)).unwrap().unwrap();
    assert_eq!((after.spent, after.caught_up_at), (c.spent, c.caught_up_at), "a reading takes nothing back");
}

fn odd_ids_come_back_as_they_were(store: &mut dyn Store) {
    let plan = plan(store);
    let mut s = subscription(1, plan);
    s.customer = crate::model::CustomerId::parse("cust_live-LIKE_1").unwrap();
    s.card = Some(crate::model::CardId::parse("card_X").unwrap());
    accept(store, only(Change::InsertSubscription(s.clone())));
    assert_eq!(snapshot(store, 1).subscription, s);
    assert_eq!(store.customer(&s.customer).unwrap().unwrap().id, s.customer);
}

mod tests {
    super::super::conform!(
        due_pages_meet_every_subscription_once_in_order,
        an_older_missed_period_of_the_same_customer_is_known,
        what_a_standing_flag_explains_does_not_wait,
        stale_customers_are_those_of_due_subscriptions,
        a_reading_replaces_the_cards,
        what_was_taken_from_a_customer_comes_back,
        odd_ids_come_back_as_they_were,
    );
}
