//! The outbox: read onwards, each key once a channel, taken by one, marked once.

use jiff::SignedDuration;

use super::samples::*;
use crate::model::{
    AttemptStatus, Change, Channel, Event, Expiration, Facts, Message, MessageKind, MessageMark,
    MessageState, Posting, SubscriptionStatus, Zone,
};
use crate::store::{CustomerReading, Filter, OutboxCursor, Store, StoreError, Waiting};

fn posting(key: &str, channel: Channel, n: u32) -> Posting {
    let message = Message {
        key: text(key),
        kind: MessageKind::InvoicePaid,
        at: at(0),
        customer: Some(customer(n)),
        zone: Zone::parse("Asia/Bangkok").unwrap(),
        facts: Facts { amount: Some(money("990.00 THB")), ..Facts::default() },
    };
    Posting { message, channel, not_before: None, keep_until: None }
}

fn post(store: &mut dyn Store, postings: &[Posting]) -> Option<u64> {
    store.post(None, postings, at(0)).unwrap()
}

fn take(store: &mut dyn Store, now: i64) -> Vec<String> {
    let taken = store.take_messages(Channel::Email, at(now), at(now + 60), 10).unwrap();
    taken.into_iter().map(|message| message.key).collect()
}

fn states(store: &mut dyn Store) -> Vec<(String, MessageState, u32)> {
    let rows = store.list_messages(&Filter::default(), 0, 100).unwrap();
    rows.into_iter().map(|row| (row.key, row.state, row.tries)).collect()
}

fn a_key_is_one_message_a_channel(store: &mut dyn Store) {
    fill(store, 1);
    let twice = [posting("a", Channel::Email, 0), posting("a", Channel::Email, 0)];
    assert_eq!(post(store, &twice), Some(1));
    assert_eq!(post(store, &[posting("a", Channel::Email, 0), posting("a", Channel::Webhook, 0)]), Some(1));
    let rows = store.list_messages(&Filter::default(), 0, 10).unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].message.as_ref(), Some(&posting("a", Channel::Email, 0).message));
    assert_eq!((rows[1].channel, rows[1].kind), (Channel::Webhook, MessageKind::InvoicePaid));
}

fn the_diary_is_read_by_one_alone(store: &mut dyn Store) {
    fill(store, 2);
    let epoch = begin(store);
    charge_once(store, 0, epoch, at(0));
    let from = store.outbox_cursor().unwrap();
    assert_eq!(from, OutboxCursor { read_to: 0, digest_to: 0 }, "a new book is read from its start");
    let to = OutboxCursor { read_to: 2, digest_to: 0 };
    let step = Some((from, to));
    assert_eq!(store.post(step, &[posting("a", Channel::Email, 0)], at(0)).unwrap(), Some(1));
    assert_eq!(store.outbox_cursor().unwrap(), to);
    // Whoever read the same page meanwhile writes nothing.
    assert_eq!(store.post(step, &[posting("b", Channel::Email, 0)], at(0)).unwrap(), None);
    assert_eq!(states(store).len(), 1);
    let back = Some((to, from));
    assert!(matches!(store.post(back, &[], at(0)), Err(StoreError::Other { .. })), "never backwards");
    charge_once(store, 1, epoch, at(5));
    store.pass_over_diary().unwrap();
    store.pass_over_diary().unwrap();
    let end = store.list_events(&Filter::default(), 0, 100).unwrap().last().map_or(0, |e: &Event| e.seq);
    assert_eq!(store.outbox_cursor().unwrap(), OutboxCursor { read_to: end, digest_to: end });
}

fn what_is_taken_is_nobody_elses_until_it_is_lost(store: &mut dyn Store) {
    fill(store, 1);
    let held = Posting { not_before: Some(at(500)), ..posting("held", Channel::Email, 0) };
    post(store, &[posting("now", Channel::Email, 0), held, posting("other", Channel::Command, 0)]);
    assert_eq!(store.count_waiting(at(0)).unwrap(), Waiting { all: 3, due: 2 });
    assert_eq!(take(store, 0), ["now"]);
    assert_eq!(take(store, 59), [""; 0]);
    assert_eq!(take(store, 60), ["now"], "whoever took it died");
    assert_eq!(take(store, 500), ["now", "held"]);
    let tries: Vec<_> = states(store).into_iter().map(|(_, _, tries)| tries).collect();
    assert_eq!(tries, [3, 1, 0]);
}

fn a_message_ends_once(store: &mut dyn Store) {
    fill(store, 1);
    let keys = ["sent", "moot", "later", "given up"];
    post(store, &keys.map(|key| posting(key, Channel::Email, 0)));
    assert_eq!(take(store, 0), keys);
    let later = MessageMark::Waits { until: at(90), why: Some("w".repeat(1_000)), tried: true };
    let untried = MessageMark::Waits { until: at(95), why: None, tried: false };
    for (row, mark) in [
        (1, MessageMark::Sent),
        (2, MessageMark::Moot("paid meanwhile".into())),
        (3, later),
        (4, MessageMark::GivenUp("no such address".into())),
        (1, MessageMark::GivenUp("too late".into())),
    ] {
        store.mark_message(row, &mark, at(1)).unwrap();
    }
    let now: Vec<_> = states(store).into_iter().map(|(_, state, tries)| (state, tries)).collect();
    assert_eq!(now, [
            (MessageState::Sent, 1),
            (MessageState::Moot, 1),
            (MessageState::Waiting, 1),
            (MessageState::GivenUp, 1)
        ]);
    let rows = store.list_messages(&Filter::default(), 0, 10).unwrap();
    assert_eq!(rows.iter().map(|row| row.message.is_some()).collect::<Vec<_>>(), [false, false, true, true]);
    assert_eq!(rows[2].why.as_ref().map(String::len), Some(300));
    assert_eq!((rows[0].done_at, rows[2].next_at), (Some(at(1)), Some(at(90))));
    assert_eq!(take(store, 90), ["later"]);
    store.mark_message(3, &untried, at(90)).unwrap();
    assert_eq!(store.list_messages(&Filter::default(), 2, 1).unwrap()[0].tries, 1, "not tried after all");
    for (row, again) in [(1, false), (2, false), (3, true), (4, true), (9, false)] {
        assert_eq!(store.retry_message(row, at(91)).unwrap(), again, "{row}");
    }
    assert_eq!(take(store, 91), ["later", "given up"]);
    let moot = Filter { status: Some("moot".into()), ..Filter::default() };
    assert_eq!(store.list_messages(&moot, 0, 10).unwrap()[0].key, "moot");
}

fn what_was_told_is_forgotten_in_time(store: &mut dyn Store) {
    fill(store, 1);
    let kept = Posting { keep_until: Some(at(1_000)), ..posting("kept", Channel::Email, 0) };
    post(store, &[posting("old", Channel::Email, 0), kept, posting("waits", Channel::Email, 0)]);
    for row in [1, 2] {
        store.mark_message(row, &MessageMark::Sent, at(10)).unwrap();
    }
    assert_eq!(store.prune_messages(at(10), at(20), 10).unwrap(), 0);
    assert_eq!(store.prune_messages(at(11), at(20), 10).unwrap(), 1);
    assert_eq!(states(store).len(), 2);
    assert_eq!(store.prune_messages(at(11), at(1_001), 10).unwrap(), 1);
    assert_eq!(states(store)[0].0, "waits");
}

fn who_is_erased_is_told_nothing_more(store: &mut dyn Store) {
    fill(store, 2);
    let keys = [("waits", 0), ("failed", 0), ("other", 1)];
    post(store, &keys.map(|(key, n)| posting(key, Channel::Email, n)));
    store.mark_message(2, &MessageMark::GivenUp("somebody@example.com".into()), at(1)).unwrap();
    let mut ended = snapshot(store, 0).subscription;
    (ended.status, ended.ended_at, ended.wake_at) = (SubscriptionStatus::Canceled, Some(at(5)), None);
    accept(store, only(Change::UpdateSubscription(ended)));
    store.erase_customer(&customer(0), at(9)).unwrap();
    let rows = store.list_messages(&Filter::default(), 0, 10).unwrap();
    let told: Vec<_> = rows.iter().map(|row| (row.state, row.message.is_some(), row.why.clone())).collect();
    assert_eq!(
        told,
        [
            (MessageState::Moot, false, None),
            (MessageState::GivenUp, false, None),
            (MessageState::Waiting, true, None)
        ]
    );
}

fn trials_are_found_by_their_end(store: &mut dyn Store) {
    let plan = plan(store);
    for (n, status, ends) in [
        (0, SubscriptionStatus::Trialing, 100),
        (1, SubscriptionStatus::Trialing, 200),
        (2, SubscriptionStatus::Active, 200),
        (3, SubscriptionStatus::Trialing, 300),
    ] {
        let mut s = subscription(n, plan);
        (s.status, s.wake_at) = (status, Some(at(ends)));
        accept(store, only(Change::InsertSubscription(s)));
    }
    let found = store.trials_ending(at(100), at(300), None, 1).unwrap();
    assert_eq!(found[0].1, sub_id(1));
    let rest = store.trials_ending(at(100), at(300), Some(found[0].0), 10).unwrap();
    assert_eq!(rest.into_iter().map(|(_, id)| id).collect::<Vec<_>>(), [sub_id(3)]);
}

fn cards_are_found_by_their_end(store: &mut dyn Store) {
    fill(store, 4);
    let ends = Expiration::new(12, 2030).unwrap().ends_at();
    let day = SignedDuration::from_hours(24);
    let mut other = reading(1);
    other.cards[0].expiration = Expiration::new(11, 2030).unwrap();
    let cardless = CustomerReading { default_card: None, cards: Vec::new(), ..reading(2) };
    store.observe_customers(&[other, cardless]).unwrap();
    let mut paused = snapshot(store, 3).subscription;
    paused.status = SubscriptionStatus::Unpaid;
    accept(store, only(Change::UpdateSubscription(paused)));
    let (found, next) = store.cards_ending(ends - day, ends, 0, 3).unwrap();
    assert_eq!((found, next.is_some()), (vec![sub_id(0)], true));
    let (found, next) = store.cards_ending(ends - day, ends, next.unwrap(), 3).unwrap();
    assert_eq!((found.len(), next), (0, None));
    assert!(store.cards_ending(ends, ends + day, 0, 10).unwrap().0.is_empty());
}

fn a_day_is_summed_up_once(store: &mut dyn Store) {
    fill(store, 4);
    let epoch = begin(store);
    charge_once(store, 0, epoch, at(10));
    charge_once(store, 1, epoch, at(20));
    let before = snapshot(store, 2);
    let opened = intent(store, &before, epoch, at(30));
    accept(store, opened);
    let between = snapshot(store, 2);
    let id = between.invoices[0].invoice.id.clone();
    let mut no = ended(&between, epoch, AttemptStatus::Declined, at(31));
    no.events = vec![event(crate::model::EventKind::AttemptDeclined, &id, at(31))];
    accept(store, no);
    charge_once(store, 3, epoch, at(DAY));
    let date = jiff::civil::date(2026, 1, 1);
    let (digest, later) = store.digest(date, at(0), at(DAY), 0).unwrap();
    assert_eq!((digest.paid, digest.collected.clone()), (2, vec![money("1980.00 THB")]));
    assert_eq!((digest.declined, digest.recovered, digest.flagged), (1, 0, 0));
    assert_eq!((digest.at_risk, digest.at_risk_sums.clone()), (1, vec![money("990.00 THB")]));
    let (next, _) = store.digest(date, at(DAY), at(2 * DAY), later).unwrap();
    assert_eq!((next.paid, next.collected, next.declined), (1, vec![money("990.00 THB")], 0));
    let (same, _) = store.digest(date, at(0), at(DAY), later).unwrap();
    assert_eq!((same.paid, same.declined), (0, 0), "what was summed up is not summed up again");
}

mod tests {
    super::super::conform!(
        a_key_is_one_message_a_channel,
        the_diary_is_read_by_one_alone,
        what_is_taken_is_nobody_elses_until_it_is_lost,
        a_message_ends_once,
        what_was_told_is_forgotten_in_time,
        who_is_erased_is_told_nothing_more,
        trials_are_found_by_their_end,
        cards_are_found_by_their_end,
        a_day_is_summed_up_once,
    );
}
