//! A full disk: intents are refused first, results have a reserve, nothing is half written.

use super::super::beside;
use super::*;
use crate::model::{Change, Transition};
use crate::store::conformance::samples::*;
use crate::store::{Store as _, StoreError};

/// A transition that needs some pages, about subscription 0.
fn bulky(mut transition: Transition) -> Transition {
    let mut note =
        event(crate::model::EventKind::Incident, &crate::model::InvoiceId::new(sub_id(0), 0), at(9));
    note.data = Some("x".repeat(100_000).into());
    transition.events.push(note);
    transition
}

#[test]
fn intents_stop_first_and_results_take_the_reserve() {
    let (_folder, path, mut store) = new_book();
    fill(&mut store, 2);
    let epoch = begin(&mut store);
    let first = snapshot(&mut store, 0);
    let opened = intent(&mut store, &first, epoch, at(0));
    accept(&mut store, opened);
    let reserve = beside(&path, "reserve");
    assert_eq!(std::fs::metadata(&reserve).unwrap().len(), 1 << 20);
    store.fill_disk(200);

    let full = StoreError::Full { path: path.clone() };
    let before = snapshot(&mut store, 1);
    let second = bulky(intent(&mut store, &before, epoch, at(1)));
    assert_eq!(store.commit(std::slice::from_ref(&second)), Err(full.clone()));
    assert!(reserve.exists(), "an intent does not touch the reserve");
    assert_eq!(snapshot(&mut store, 1), before);
    assert_eq!(store.facts().unwrap().commits, 1);

    let between = snapshot(&mut store, 0);
    let result = bulky(paid(&between, epoch, at(2), 1));
    assert_eq!(store.commit(&[result]), Ok(vec![Ok(())]));
    assert!(!reserve.exists());
    assert!(snapshot(&mut store, 0).invoices.is_empty());

    // While the reserve cannot be taken back, no intent is accepted, though a page or two were free.
    std::fs::create_dir(&reserve).unwrap();
    assert_eq!(store.takes_intents(), Err(full.clone()));
    assert_eq!(store.commit(std::slice::from_ref(&second)), Err(full));
    assert_eq!(
        store.commit(&[only(Change::UpdateSubscription(before.subscription.clone()))]),
        Ok(vec![Ok(())])
    );
    std::fs::remove_dir(&reserve).unwrap();
    assert_eq!(store.takes_intents(), Ok(()));
    assert!(reserve.exists());
    let now = snapshot(&mut store, 1);
    let third = intent(&mut store, &now, epoch, at(3));
    assert_eq!(store.commit(&[third]), Ok(vec![Ok(())]));
    assert!(reserve.exists());
}

#[test]
fn a_result_that_finds_no_room_at_all_is_told_and_leaves_nothing() {
    let (_folder, path, mut store) = new_book();
    fill(&mut store, 1);
    let epoch = begin(&mut store);
    let first = snapshot(&mut store, 0);
    let opened = intent(&mut store, &first, epoch, at(0));
    accept(&mut store, opened);
    store.fill_disk(0);
    let between = snapshot(&mut store, 0);
    let result = bulky(paid(&between, epoch, at(2), 1));
    assert_eq!(store.commit(&[result]), Err(StoreError::Full { path }));
    assert_eq!(snapshot(&mut store, 0), between);
    // Small results still fit where pages have room.
    assert_eq!(store.commit(&[paid(&between, epoch, at(2), 1)]), Ok(vec![Ok(())]));
}
