//! Cards and the money behind flags: sorted lists, warnings told once.

use jiff::SignedDuration;

use super::samples::*;
use crate::model::{
    CardWarning, Change, Expiration, Flag, FlagReason, PlanKey, Quantity, SubscriptionStatus, Transition,
};
use crate::store::{CustomerReading, Filter, Refusal, Store};

fn flag(n: u32, reason: FlagReason) -> Change {
    Change::RaiseFlag(Flag {
        customer: customer(n),
        subscription: sub_id(n),
        reason,
        since: at(0),
        until: None,
        detail: "a card".into(),
    })
}

fn flags_come_with_the_money_behind_them_the_largest_sum_first(store: &mut dyn Store) {
    fill(store, 5);
    let dollars = PlanKey::parse("dollars").unwrap();
    let dollars = store.apply_plans(&[(dollars, terms("12.50 USD"))], at(0)).unwrap()[0].id;
    let epoch = begin(store);
    for n in 0..5 {
        accept(store, only(flag(n, FlagReason::NoCard)));
    }
    // One owes a period; one has ended with its period; one has three units; one moved to dollars and owes baht.
    for n in [0, 4] {
        let before = snapshot(store, n);
        let opened = intent(store, &before, epoch, at(1));
        accept(store, opened);
    }
    let mut change = |n: u32, work: &dyn Fn(&mut crate::model::Subscription)| {
        let mut s = snapshot(store, n).subscription;
        work(&mut s);
        accept(store, only(Change::UpdateSubscription(s)));
    };
    change(1, &|s| s.cancel_at = Some(at(DAY)));
    change(2, &|s| s.quantity = Quantity::new(3).unwrap());
    change(4, &|s| s.plan = dollars);
    let of_all = store.list_flags_at_risk(&Filter::default(), None, 10).unwrap();
    let told: Vec<(String, Vec<String>)> = of_all
        .iter()
        .map(|row| (row.flag.subscription.to_string(), row.at_risk.iter().map(ToString::to_string).collect()))
        .collect();
    let wanted = [
        (2, vec!["2970.00 THB"]),
        (0, vec!["1980.00 THB"]),
        (3, vec!["990.00 THB"]),
        (1, vec!["0.00 THB"]),
        (4, vec!["12.50 USD", "990.00 THB"]),
    ];
    let wanted =
        wanted.map(|(n, sums)| (sub_id(n).to_string(), sums.into_iter().map(String::from).collect()));
    assert_eq!(told, wanted.to_vec());
    for limit in 1..=5 {
        let (mut after, mut met) = (None, Vec::new());
        loop {
            let page = store.list_flags_at_risk(&Filter::default(), after, limit).unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.cursor);
            met.extend(page);
        }
        assert_eq!(met, of_all, "by {limit}");
    }
    let of_one = Filter { customer: Some(customer(3)), ..Filter::default() };
    assert_eq!(store.list_flags_at_risk(&of_one, None, 10).unwrap(), of_all[2..3]);
    let dead = Filter { status: Some("dead_card".into()), ..Filter::default() };
    assert!(store.list_flags_at_risk(&dead, None, 10).unwrap().is_empty());
}

fn behind_a_flag_that_has_ended_nothing_is_at_risk(store: &mut dyn Store) {
    fill(store, 1);
    accept(store, only(flag(0, FlagReason::NoCard)));
    accept(store, only(Change::ClearFlags { subscription: sub_id(0), reason: None, at: at(5) }));
    assert!(store.list_flags_at_risk(&Filter::default(), None, 10).unwrap().is_empty());
    let ended = Filter { ended: true, ..Filter::default() };
    let rows = store.list_flags_at_risk(&ended, None, 10).unwrap();
    assert_eq!((rows.len(), rows[0].at_risk[0]), (1, money("0.00 THB")));
}

fn ending_cards_are_those_that_pay(store: &mut dyn Store) {
    fill(store, 5);
    let month = |month, year| Expiration::new(month, year).unwrap();
    let with = |n: u32, expiration| crate::model::CardSnapshot { expiration, ..card_snapshot(n) };
    // Customer 0's default ends first; 1 has a card of its own for this; 2's ends later; 3 has left; 4 has no card.
    let readings = [
        CustomerReading { cards: vec![with(0, month(3, 2026))], ..reading(0) },
        CustomerReading { cards: vec![with(1, month(1, 2026)), with(11, month(4, 2026))], ..reading(1) },
        CustomerReading { cards: vec![with(2, month(6, 2026))], ..reading(2) },
        CustomerReading { cards: vec![with(3, month(3, 2026))], ..reading(3) },
        CustomerReading { default_card: None, cards: vec![with(4, month(3, 2026))], ..reading(4) },
    ];
    store.observe_customers(&readings).unwrap();
    let mut own = snapshot(store, 1).subscription;
    own.card = Some(card(11));
    accept(store, only(Change::UpdateSubscription(own)));
    let mut left = snapshot(store, 3).subscription;
    (left.status, left.ended_at, left.wake_at) = (SubscriptionStatus::Canceled, Some(at(1)), None);
    accept(store, only(Change::UpdateSubscription(left)));
    let mut met = Vec::new();
    let mut after = None;
    loop {
        let page = store.ending_cards(month(3, 2026), month(5, 2026), after, 1).unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.cursor);
        met.extend(page.into_iter().map(|row| (row.subscription, row.card)));
    }
    let wanted = [(sub_id(0), with(0, month(3, 2026))), (sub_id(1), with(11, month(4, 2026)))];
    assert_eq!(met, wanted.to_vec());
}

fn a_warning_is_told_once_for_a_card_its_month_and_a_length(store: &mut dyn Store) {
    fill(store, 1);
    let warning = |year, days: i64| CardWarning {
        card: card(0),
        month: Expiration::new(12, year).unwrap(),
        ahead: SignedDuration::from_hours(24 * days),
    };
    let warn = |warning: &CardWarning| {
        only(Change::WarnCard { customer: customer(0), warning: warning.clone(), at: at(0) })
    };
    let all = [warning(2030, 15), warning(2030, 45), warning(2031, 15)];
    for one in &all {
        accept(store, warn(one));
    }
    let again: Vec<Transition> = all.iter().map(warn).collect();
    for answer in store.commit(&again).unwrap() {
        assert!(matches!(answer, Err(Refusal::Conflict(_))), "{answer:?}");
    }
    assert_eq!(store.card_warnings(&customer(0)).unwrap(), all.to_vec());
    assert!(store.card_warnings(&customer(77)).unwrap().is_empty(), "nobody");
}

mod tests {
    super::super::conform!(
        flags_come_with_the_money_behind_them_the_largest_sum_first,
        behind_a_flag_that_has_ended_nothing_is_at_risk,
        ending_cards_are_those_that_pay,
        a_warning_is_told_once_for_a_card_its_month_and_a_length,
    );
}
