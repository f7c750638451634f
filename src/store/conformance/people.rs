//! The people's side of the book: its facts, plans, imports, runs and lists.

use super::samples::*;
use crate::model::{Change, EventKind, PlanKey, SubscriptionStatus, Zone};
use crate::store::{Filter, HostBinding, NewSubscription, Store, StoreError};

fn the_book_says_what_it_is(store: &mut dyn Store) {
    let facts = store.facts().unwrap();
    assert_eq!((facts.livemode, facts.host, facts.zone, facts.epoch.0), (None, None, None, 0));
    store.bind_mode(false).unwrap();
    store.bind_mode(false).unwrap();
    assert_eq!(store.bind_mode(true), Err(StoreError::WrongMode { found: "live", wanted: "test" }));
    let host = HostBinding { machine: "m".into(), path: "/var/lib/dues/dues.db".into() };
    store.bind_host(&host).unwrap();
    let zone = Zone::parse("Asia/Tokyo").unwrap();
    store.set_zone(&zone).unwrap();
    let after = store.facts().unwrap();
    assert_eq!((after.livemode, after.host, after.zone), (Some(false), Some(host), Some(zone)));
    assert_eq!((after.installation, after.schema), (facts.installation, 9));
}

fn a_changed_plan_is_a_new_version(store: &mut dyn Store) {
    let key = |text| PlanKey::parse(text).unwrap();
    let first = [(key("pro"), terms("990.00 THB")), (key("basic"), terms("1 THB"))];
    let added = store.apply_plans(&first, at(0)).unwrap();
    assert_eq!(
        added.iter().map(|p| (p.key.as_str(), p.version)).collect::<Vec<_>>(),
        [("pro", 1), ("basic", 1)]
    );
    assert!(store.apply_plans(&first, at(1)).unwrap().is_empty());
    let paris = Zone::parse("Europe/Paris").unwrap();
    assert!(store.bring_config(&paris, &first, at(1)).unwrap().is_empty());
    assert_eq!(store.facts().unwrap().zone, Some(paris));
    let pro = added[0].id;
    for n in 0..5 {
        accept(store, only(Change::InsertSubscription(subscription(n, pro))));
    }
    let mut ended = snapshot(store, 4).subscription;
    (ended.status, ended.ended_at, ended.wake_at) = (SubscriptionStatus::Canceled, Some(at(5)), None);
    accept(store, only(Change::UpdateSubscription(ended)));
    let second = store.apply_plans(&[(key("pro"), terms("1090.00 THB"))], at(2)).unwrap();
    assert_eq!(second[0].version, 2);
    assert_eq!(store.plan(second[0].id).unwrap().unwrap().terms.price, money("1090.00 THB"));
    assert!(store.plan(crate::model::PlanVersionId(99)).unwrap().is_none());
    let mut moved = snapshot(store, 0).subscription;
    moved.plan = second[0].id;
    accept(store, only(Change::UpdateSubscription(moved)));
    let usage: Vec<_> = store
        .plan_usage()
        .unwrap()
        .into_iter()
        .map(|u| (u.key.to_string(), u.version, u.subscriptions))
        .collect();
    assert_eq!(usage, [("basic".into(), 1, 0), ("pro".into(), 1, 3), ("pro".into(), 2, 1)]);
    let page = store.on_older_versions(&key("pro"), None, 2).unwrap();
    assert_eq!(page, [1, 2].map(sub_id));
    assert_eq!(store.on_older_versions(&key("pro"), page.last(), 2).unwrap(), [sub_id(3)]);
}

fn an_import_is_all_or_nothing(store: &mut dyn Store) {
    let plan = plan(store);
    let new = |n: u32, id: Option<u32>| NewSubscription {
        id: id.map(sub_id),
        subscription: subscription(n, plan),
        billed_elsewhere: 0,
    };
    let mut told = Vec::new();
    let mut good = [new(0, Some(0)), new(1, None), new(1, None)].into_iter();
    assert_eq!(store.import(&mut good, &mut |done| told.push(done)).unwrap(), 3);
    assert_eq!(told.last(), Some(&3));
    let before = store.list_subscriptions(&Filter::default(), 0, 10).unwrap();
    assert_ne!(before[1].subscription.id, before[2].subscription.id);
    assert!(before[1].subscription.id.as_str().starts_with("sub_"));
    let mut bad = [new(2, None), new(3, Some(0))].into_iter();
    let refused = store.import(&mut bad, &mut |_| ()).unwrap_err();
    assert_eq!(refused, StoreError::Exists { what: "subscription", id: sub_id(0).to_string() });
    assert_eq!(store.list_subscriptions(&Filter::default(), 0, 10).unwrap().len(), before.len());
    assert!(store.customer(&customer(2)).unwrap().is_none());
    let mut next = |n, seconds| store.next_subscription_id(&customer(n), at(seconds)).unwrap();
    let counted = next(5, 0);
    assert_eq!(counted, next(5, 0), "counted, not drawn");
    assert_ne!(counted, next(6, 0));
    assert_ne!(counted, next(5, 1), "made anew after the book was put back, it is another one");
}

fn the_diary_says_what_an_imported_subscription_began_with(store: &mut dyn Store) {
    let plan = plan(store);
    let made = |n: u32, quantity: u32| {
        let mut s = subscription(n, plan);
        s.quantity = crate::model::Quantity::new(quantity).unwrap();
        NewSubscription { id: Some(sub_id(n)), subscription: s, billed_elsewhere: 0 }
    };
    store.import(&mut [made(0, 1), made(1, 50)].into_iter(), &mut |_| ()).unwrap();
    // Whatever it is put on later, and whatever its plan costs by then.
    let mut moved = snapshot(store, 0).subscription;
    let newer = [(PlanKey::parse("pro").unwrap(), terms("1090.00 THB"))];
    moved.plan = store.apply_plans(&newer, at(2)).unwrap()[0].id;
    accept(store, only(Change::UpdateSubscription(moved)));
    let diary = store.list_events(&Filter::default(), 0, 10).unwrap();
    let created = diary.iter().filter(|event| event.kind == EventKind::SubscriptionCreated);
    let told: Vec<_> = created.map(|event| event.data.as_deref().unwrap()).collect();
    let wanted = [1, 50].map(|n| format!(r#"{{"plan":"pro","quantity":{n},"version":1}}"#));
    assert_eq!(told, wanted);
}

fn periods_billed_elsewhere_are_skipped(store: &mut dyn Store) {
    let plan = plan(store);
    let mut s = subscription(0, plan);
    s.next_index = 4;
    let new = NewSubscription { id: Some(sub_id(0)), subscription: s, billed_elsewhere: 4 };
    store.import(&mut std::iter::once(new), &mut |_| ()).unwrap();
    let skipped = store.skipped_periods(&sub_id(0)).unwrap();
    assert_eq!((skipped[0].from, skipped[0].to), (0, 4));
    assert_eq!(skipped[0].reason, crate::model::SkipReason::BilledElsewhere);
}

fn runs_are_counted_and_the_last_is_told(store: &mut dyn Store) {
    assert_eq!(store.last_run().unwrap(), None);
    let first = store.open_run(at(0), at(1), Some(at(5))).unwrap();
    assert_eq!(store.last_run().unwrap(), Some((first.clone(), at(0), None)));
    assert_eq!(store.facts().unwrap().provider_seen, Some(at(5)));
    store.close_run(&first, "{\"considered\":1}", at(2), Some(at(7))).unwrap();
    assert_eq!(store.facts().unwrap().provider_seen, Some(at(7)));
    assert_eq!(store.last_run().unwrap().unwrap().2.as_deref(), Some("{\"considered\":1}"));
    let second = store.open_run(at(9), at(10), None).unwrap();
    store.note_adopted(at(9), at(6)).unwrap();
    assert_eq!(store.facts().unwrap().provider_seen, Some(at(7)), "an earlier one changes nothing");
    assert_eq!((first.as_str(), second.as_str()), ("run-1", "run-2"));
    assert_eq!(store.facts().unwrap().runs, 2);
}

fn lists_are_paged_and_narrowed(store: &mut dyn Store) {
    fill(store, 5);
    let epoch = begin(store);
    for n in 0..4 {
        charge_once(store, n, epoch, at(i64::from(n)));
    }
    let before = snapshot(store, 4);
    let opened = intent(store, &before, epoch, at(9));
    accept(store, opened);
    let none = Filter::default();
    let status = |word: &str| Filter { status: Some(word.into()), ..Filter::default() };
    let of_customer = |n| Filter { customer: Some(customer(n)), ..Filter::default() };
    let of_subscription = |n| Filter { subscription: Some(sub_id(n)), ..Filter::default() };

    let page = store.list_invoices(&none, 0, 3).unwrap();
    assert_eq!(page.iter().map(|v| v.invoice.id.to_string()).collect::<Vec<_>>().len(), 3);
    let rest = store.list_invoices(&none, page[2].row, 10).unwrap();
    assert_eq!(rest.len(), 2);
    assert_eq!((rest[0].charge.clone(), rest[0].attempts), (Some(charge(3)), 1));
    assert_eq!((rest[1].charge.clone(), rest[1].customer.clone()), (None, customer(4)));
    assert_eq!(store.list_invoices(&status("open"), 0, 10).unwrap().len(), 1);
    assert_eq!(store.list_invoices(&of_customer(2), 0, 10).unwrap()[0].invoice.id.subscription, sub_id(2));
    assert_eq!(store.list_invoices(&of_subscription(2), 0, 10).unwrap().len(), 1);
    assert!(store.list_invoices(&of_customer(99), 0, 10).unwrap().is_empty());

    assert_eq!(store.list_attempts(&status("succeeded"), 0, 10).unwrap().len(), 4);
    assert_eq!(store.list_attempts(&of_customer(4), 0, 10).unwrap()[0].attempt.amount, money("990.00 THB"));
    let subscriptions = store.list_subscriptions(&of_subscription(1), 0, 10).unwrap();
    assert_eq!(subscriptions[0].period.unwrap().start, at(0));
    assert_eq!((subscriptions[0].plan.as_str(), subscriptions[0].plan_version), ("pro", 1));
    assert_eq!(store.list_subscriptions(&status("active"), 0, 10).unwrap().len(), 5);
    assert!(matches!(store.list_subscriptions(&status("open"), 0, 10), Err(StoreError::Other { .. })));

    let customers = store.list_customers(&of_subscription(3), 0, 10).unwrap();
    assert_eq!((customers[0].customer.id.clone(), customers[0].subscriptions), (customer(3), 1));
    assert_eq!(store.list_customers(&status("present"), 0, 3).unwrap().len(), 3);

    let diary = store.list_events(&none, 0, 100).unwrap();
    assert_eq!(diary.iter().map(|e| e.seq).collect::<Vec<_>>(), (1..=9).collect::<Vec<_>>());
    let paid = store.list_events(&status("invoice_paid"), 0, 100).unwrap();
    assert!(paid.iter().all(|e| e.kind == EventKind::InvoicePaid && e.customer.is_some()));
    assert_eq!(paid.len(), 4);
    assert_eq!(store.list_events(&of_customer(4), 0, 100).unwrap().len(), 1);
    assert_eq!(store.list_events(&none, 7, 100).unwrap().len(), 2);
}

mod tests {
    super::super::conform!(
        the_book_says_what_it_is,
        a_changed_plan_is_a_new_version,
        an_import_is_all_or_nothing,
        the_diary_says_what_an_imported_subscription_began_with,
        periods_billed_elsewhere_are_skipped,
        runs_are_counted_and_the_last_is_told,
        lists_are_paged_and_narrowed,
    );
}
