//! Whatever a hand, a half-restored file or a cosmic ray wrote into a subscription's rows: it is set aside, and hides no
//! other.

use super::super::SqliteStore;
use super::{CREATE, new_book, raw};
use crate::model::FlagReason;
use crate::store::conformance::samples::*;
use crate::store::{Filter, Store as _, StoreError};

/// A damage of the subscription in row 2, and whether a list shows nothing of what it spoiled.
const DAMAGES: &[(&str, bool)] = &[
    ("UPDATE subscriptions SET starts = 99999999 WHERE row = 2", false),
    ("UPDATE subscriptions SET anchor = -99999999 WHERE row = 2", false),
    ("UPDATE subscriptions SET backup = 1099511627776 WHERE row = 2", false),
    ("UPDATE subscriptions SET status = 77 WHERE row = 2", false),
    ("UPDATE subscriptions SET next_index = -1 WHERE row = 2", false),
    (
        "INSERT INTO zones (row, name) VALUES (99, 'Mars/Tharsis'); UPDATE subscriptions SET zone = 99 WHERE row = 2",
        false,
    ),
    ("UPDATE subscriptions SET zone = 98 WHERE row = 2", false),
    ("UPDATE subscriptions SET plan = 77 WHERE row = 2", false),
    (
        "UPDATE customers SET id = 'nobody' WHERE row = (SELECT customer FROM subscriptions WHERE row = 2)",
        false,
    ),
    ("UPDATE customers SET spent = '{' WHERE row = (SELECT customer FROM subscriptions WHERE row = 2)", true),
];

#[test]
fn every_damage_of_one_subscription_is_set_aside() {
    for (damage, shown) in DAMAGES {
        let (_folder, path, mut store) = new_book();
        fill(&mut store, 3);
        drop(store);
        let hand = raw(&path);
        let unchecked = "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON";
        hand.execute_batch(&format!("{unchecked}; {damage}")).unwrap_or_else(|why| panic!("{damage}: {why}"));
        drop(hand);
        let mut store = SqliteStore::open(&path, CREATE()).unwrap();
        let all = Filter::default();
        let list = store.page_of_subscriptions(&all, 0, 10).unwrap();
        assert_eq!((list.rows.len(), list.last), (if *shown { 3 } else { 2 }, Some(3)), "{damage}");
        assert_eq!(store.list_subscriptions(&all, 0, 10).is_ok(), *shown, "{damage}");
        assert!(store.has_subscriptions().unwrap());
        let due = store.due(at(9), None, 10).unwrap();
        let page = store.snapshots(&all, 0, 10).unwrap();
        for unreadable in [due.unreadable, page.unreadable] {
            assert_eq!(unreadable.len(), 1, "{damage}");
            let found = &unreadable[0];
            assert!(matches!(found.error, StoreError::Nonsense { .. }), "{damage}: {:?}", found.error);
            assert!(found.row == 2 && found.wakes && !found.is_flagged(), "{damage}: {found:?}");
            let named = !damage.contains("nobody");
            assert_eq!(found.whose.is_some(), named, "{damage}: {found:?}");
        }
        assert_eq!((due.rows.len(), page.rows.len(), page.last), (2, 2, Some(3)), "{damage}");
    }
}

#[test]
fn what_stands_of_one_that_cannot_be_read_is_told() {
    let (_folder, path, mut store) = new_book();
    fill(&mut store, 2);
    let flag = "INSERT INTO flags (subscription, reason, since, detail) VALUES (2, 'unchargeable', 0, 'why'); \
        UPDATE subscriptions SET starts = 99999999, wake_at = NULL WHERE row = 2";
    raw(&path).execute_batch(flag).unwrap();
    let of = Filter { subscription: Some(sub_id(1)), ..Filter::default() };
    let page = store.snapshots(&of, 0, 1).unwrap();
    let found = &page.unreadable[0];
    assert_eq!(found.whose, Some((sub_id(1), customer(1))));
    assert!(found.flags == [FlagReason::Unchargeable] && found.is_flagged() && !found.wakes);
    assert!(
        store
            .snapshots(&Filter { subscription: Some(sub_id(7)), ..Filter::default() }, 0, 1)
            .unwrap()
            .is_empty()
    );
}
