//! The money's side of the book: intents, results, versions, epochs.

use super::samples::*;
use crate::model::{
    AttemptId, AttemptStatus, BackupCard, CardDecline, Change, CustomerState, DeclineKind, EventKind, Flag,
    FlagReason, InvoiceId, Pause, PausedBy, Quantity, SkipReason, Subscription, SubscriptionStatus,
    Transition, Version, Zone,
};
use crate::store::{Filter, Refusal, Store};

/// What was written is what is read, in every state of one charge.
fn a_charge_leaves_what_was_written(store: &mut dyn Store) {
    fill(store, 3);
    let epoch = begin(store);
    let before = snapshot(store, 1);
    assert_eq!(before.plan.terms, terms("990.00 THB"));
    assert_eq!(before.customer.cards, vec![card_snapshot(1)]);
    assert_eq!(before.customer.default_card, Some(card(1)));
    assert!(before.invoices.is_empty());

    let intended = intent(store, &before, epoch, at(60));
    accept(store, intended.clone());
    let between = snapshot(store, 1);
    let [
        Change::UpdateSubscription(subscription),
        Change::InsertInvoice(invoice),
        Change::InsertAttempt(attempt),
    ] = &intended.changes[..]
    else {
        panic!("an intent has three changes");
    };
    assert_eq!(between.invoices[0].invoice, *invoice);
    assert_eq!(between.invoices[0].attempts, vec![attempt.clone()]);
    assert_eq!(between.subscription.version, subscription.version.next());
    assert_eq!(between.subscription.wake_at, subscription.wake_at);
    assert_eq!(store.attempt(&attempt.id).unwrap().as_ref(), Some(attempt));

    let result = paid(&between, epoch, at(61), 7);
    accept(store, result.clone());
    let after = snapshot(store, 1);
    assert!(after.invoices.is_empty());
    let Change::UpdateAttempt { attempt, .. } = &result.changes[0] else { panic!("the attempt comes first") };
    assert_eq!(store.attempt(&attempt.id).unwrap().as_ref(), Some(attempt));
    let closed = store.invoice(&attempt.id.invoice).unwrap().unwrap();
    assert_eq!((closed.closed_at, closed.version), (Some(at(61)), Version::FIRST.next()));
    let with = store.snapshot_of_invoice(&attempt.id.invoice).unwrap().unwrap();
    assert_eq!((&with.invoices[0].invoice, &with.invoices[0].attempts), (&closed, &vec![attempt.clone()]));
    assert!(store.unfinished(None, 10).unwrap().is_empty());
    assert_eq!(store.facts().unwrap().commits, 2);
}

/// Those with a charge whose instant lies in the window, its ends among them, however few are gone through at a time.
fn charged_attempts_of_a_window_are_found(store: &mut dyn Store) {
    fill(store, 6);
    let epoch = begin(store);
    let mut ids = Vec::new();
    for n in 0..6 {
        let when = at(60 + 10 * i64::from(n));
        let before = snapshot(store, n);
        let intended = intent(store, &before, epoch, when);
        accept(store, intended);
        let between = snapshot(store, n);
        ids.push(between.invoices[0].attempts[0].id.clone());
        if n != 3 {
            accept(store, paid(&between, epoch, when, n));
        }
    }
    for limit in 1..=7 {
        let (mut after, mut found) = (Some(0), Vec::new());
        while let Some(row) = after {
            let page = store.charged_between(at(70), at(100), row, limit).unwrap();
            assert!(page.rows.len() <= limit);
            for known in page.rows {
                let again = store.attempt_row(&known.attempt.id).unwrap().unwrap();
                assert_eq!((again.row, &again.attempt), (known.row, &known.attempt));
                found.push(known.attempt.id);
            }
            after = page.next;
        }
        assert_eq!(found, [1, 2, 4].map(|n| ids[n].clone()), "by {limit}");
    }
}

fn every_column_of_a_subscription_comes_back(store: &mut dyn Store) {
    let plan = plan(store);
    let mut s = subscription(1, plan);
    s.status = SubscriptionStatus::Paused;
    s.anchor = jiff::civil::date(2025, 12, 31);
    s.anchor_at = Some(at(7));
    s.anchor_index = 4;
    s.next_index = 5;
    s.card = Some(card(9));
    s.cancel_at = Some(at(5 * DAY));
    s.pause = Some(Pause { since: at(1), until: Some(at(2)), by: PausedBy::Dunning });
    s.ended_at = Some(at(3));
    s.wake_at = None;
    s.metadata = Some(text("{\"order\":\"17\"}"));
    accept(store, only(Change::InsertSubscription(s.clone())));
    assert_eq!(snapshot(store, 1).subscription, s);
    s.status = SubscriptionStatus::Active;
    (s.pause, s.card, s.ended_at, s.cancel_at) = (None, Some(card(10)), None, None);
    accept(store, only(Change::UpdateSubscription(s.clone())));
    s.version = s.version.next();
    let read = snapshot(store, 1);
    assert_eq!(read.subscription, s);
    assert_eq!(read.customer.state, CustomerState::Unread);
    assert!(read.customer.cards.is_empty(), "a card that is only named was not read");
    // The book that the suite leaves behind skips what it never billed.
    let skip = Change::SkipPeriods { subscription: sub_id(1), from: 0, to: 5, reason: SkipReason::Paused };
    let mut periods_skipped = event(EventKind::PeriodsSkipped, &InvoiceId::new(sub_id(1), 0), at(9));
    periods_skipped.invoice = None;
    let mut awake = s.clone();
    awake.wake_at = Some(at(DAY));
    let noted = Transition {
        epoch: None,
        changes: vec![skip, Change::UpdateSubscription(awake)],
        events: vec![periods_skipped],
    };
    accept(store, noted);
    let skipped = store.skipped_periods(&sub_id(1)).unwrap();
    assert_eq!((skipped[0].from, skipped[0].to, skipped[0].at), (0, 5, at(9)));
}

/// A book may write less than the whole row where it knows what the row holds: never too little.
fn one_changed_column_of_a_subscription_is_written(store: &mut dyn Store) {
    let plan = fill(store, 2);
    let changes: [fn(&mut Subscription); 16] = [
        |s| s.status = SubscriptionStatus::PastDue,
        |s| s.quantity = Quantity::new(7).unwrap(),
        |s| s.zone = Zone::parse("Europe/Paris").unwrap(),
        |s| s.starts = jiff::civil::date(2025, 11, 30),
        |s| s.anchor = jiff::civil::date(2025, 12, 31),
        |s| s.anchor_at = Some(at(-5 * 3_600)),
        |s| s.anchor_at = None,
        |s| (s.anchor_index, s.next_index) = (3, 3),
        |s| s.next_index = 4,
        |s| s.card = Some(card(1)),
        |s| s.backup = BackupCard::Called(2),
        |s| s.cancel_at = Some(at(DAY)),
        |s| s.wake_at = Some(at(2 * DAY)),
        |s| s.metadata = Some(text("{}")),
        |s| s.ended_at = Some(at(3 * DAY)),
        // The book that the suite leaves behind has billed nothing.
        |s| (s.anchor_index, s.next_index) = (0, 0),
    ];
    for change in changes {
        let before = snapshot(store, 1).subscription;
        let mut s = before.clone();
        change(&mut s);
        accept(store, only(Change::UpdateSubscription(s.clone())));
        s.version = s.version.next();
        assert_eq!(snapshot(store, 1).subscription, s);
        // The version that it was read at is over, however little is to be changed.
        let mut stale = before;
        stale.wake_at = Some(at(5 * DAY));
        let refused = store.commit(&[only(Change::UpdateSubscription(stale))]).unwrap();
        assert!(matches!(refused[..], [Err(Refusal::Conflict(_))]), "{refused:?}");
        assert_eq!(snapshot(store, 1).subscription, s);
    }
    assert_eq!(snapshot(store, 0).subscription.plan, plan, "others stay");
}

fn a_stale_write_is_refused_alone_and_in_its_place(store: &mut dyn Store) {
    fill(store, 3);
    let epoch = begin(store);
    let stale = snapshot(store, 1).subscription;
    accept(store, only(Change::UpdateSubscription(stale.clone())));
    let good = |n| Transition {
        epoch: Some(epoch),
        ..only(Change::UpdateSubscription(subscription(n, stale.plan)))
    };
    let bad = Transition {
        events: vec![event(EventKind::Incident, &InvoiceId::new(sub_id(1), 0), at(0))],
        ..good(1)
    };
    let answers = store.commit(&[good(0), bad, good(2)]).unwrap();
    assert_eq!(answers, vec![Ok(()), Err(Refusal::Conflict("subscription sub_00000001".into())), Ok(())]);
    assert_eq!(snapshot(store, 0).subscription.version, Version::FIRST.next());
    assert_eq!(snapshot(store, 2).subscription.version, Version::FIRST.next());
    assert!(store.list_events(&Filter::default(), 0, 10).unwrap().is_empty(), "its event went with it");
}

fn what_is_there_already_is_a_conflict(store: &mut dyn Store) {
    fill(store, 2);
    let epoch = begin(store);
    let before = snapshot(store, 0);
    let intended = intent(store, &before, epoch, at(0));
    accept(store, intended.clone());
    for change in &intended.changes[1..] {
        let refused = store.commit(&[only(change.clone())]).unwrap();
        assert!(matches!(&refused[0], Err(Refusal::Conflict(_))), "{refused:?}");
    }
    let again = only(Change::InsertSubscription(subscription(1, before.subscription.plan)));
    assert!(matches!(&store.commit(&[again]).unwrap()[0], Err(Refusal::Conflict(_))));
    let gone = only(Change::UpdateSubscription(subscription(77, before.subscription.plan)));
    assert!(matches!(&store.commit(&[gone]).unwrap()[0], Err(Refusal::Conflict(_))));
}

fn one_unfinished_and_one_success_per_invoice(store: &mut dyn Store) {
    fill(store, 1);
    let epoch = begin(store);
    let first = snapshot(store, 0);
    let opened = intent(store, &first, epoch, at(0));
    accept(store, opened);
    let installation = store.facts().unwrap().installation;
    let between = snapshot(store, 0);
    let second = |number| {
        let id = AttemptId::new(InvoiceId::new(sub_id(0), 0), number);
        only(Change::InsertAttempt(attempt(id, installation, &customer(0), epoch, at(1))))
    };
    assert!(matches!(&store.commit(&[second(2)]).unwrap()[0], Err(Refusal::Constraint(_))));
    accept(store, paid(&between, epoch, at(1), 1));
    accept(store, second(2));
    let mut twice = store.attempt(&AttemptId::new(InvoiceId::new(sub_id(0), 0), 2)).unwrap().unwrap();
    twice.status = AttemptStatus::Succeeded;
    (twice.charge, twice.resolved_at, twice.intent) = (Some(charge(2)), Some(at(2)), None);
    let end = |attempt| only(Change::UpdateAttempt { attempt, from: AttemptStatus::Intended });
    assert!(matches!(&store.commit(&[end(twice.clone())]).unwrap()[0], Err(Refusal::Constraint(_))));
    (twice.status, twice.charge) = (AttemptStatus::NotSent, None);
    accept(store, end(twice.clone()));
    assert!(
        matches!(&store.commit(&[end(twice)]).unwrap()[0], Err(Refusal::Conflict(_))),
        "not at `intended`"
    );
}

fn an_attempt_must_fit_its_invoice(store: &mut dyn Store) {
    fill(store, 2);
    let epoch = begin(store);
    let before = snapshot(store, 0);
    let good = intent(store, &before, epoch, at(0));
    let spoilt = |spoil: fn(&mut crate::model::Attempt)| {
        let mut bad = good.clone();
        let Some(Change::InsertAttempt(attempt)) = bad.changes.last_mut() else {
            panic!("the attempt comes last")
        };
        spoil(attempt);
        bad
    };
    for bad in [
        spoilt(|a| a.amount = money("990.01 THB")),
        spoilt(|a| a.key.0[0] ^= 1),
        spoilt(|a| a.customer = customer(1)),
        spoilt(|a| a.intent = None),
        spoilt(|a| a.id.number = 2),
    ] {
        assert!(matches!(&store.commit(&[bad]).unwrap()[0], Err(Refusal::Constraint(_))));
    }
    accept(store, good);
}

fn an_older_process_is_fenced_and_its_intents_are_in_doubt(store: &mut dyn Store) {
    fill(store, 3);
    let old = begin(store);
    for n in 0..2 {
        let before = snapshot(store, n);
        let opened = intent(store, &before, old, at(i64::from(n)));
        accept(store, opened);
    }
    let pending = snapshot(store, 1);
    accept(store, ended(&pending, old, AttemptStatus::Pending, at(5)));
    let late = snapshot(store, 0);

    let (new, orphans) = store.begin_epoch(at(90), at(100), Some(at(95))).unwrap();
    assert_eq!((new.0, orphans), (old.0 + 1, 1));
    let mixed =
        [paid(&late, old, at(101), 1), only(Change::UpdateSubscription(snapshot(store, 2).subscription))];
    let fenced = Refusal::Fenced { found: new.0, ours: old.0 };
    assert_eq!(store.commit(&mixed).unwrap(), vec![Err(fenced), Ok(())], "what does not charge goes on");

    let doubtful = snapshot(store, 0).invoices[0].attempts[0].clone();
    assert_eq!(doubtful.status, AttemptStatus::InDoubt);
    let kept = doubtful.intent.as_ref().unwrap();
    assert_eq!((kept.deadline, kept.doubt_since), (Some(at(95)), Some(at(100))));
    assert_eq!(kept.epoch, old, "who made it is remembered");
    let diary = store.list_events(&Filter::default(), 0, 10).unwrap();
    let last = diary.last().unwrap();
    assert_eq!((last.kind, last.at), (EventKind::AttemptInDoubt, at(90)));
    assert_eq!(last.data.as_deref(), Some("{\"attempt\":\"sub_00000000.0.1\"}"));
    assert_eq!(store.begin_epoch(at(91), at(101), None).unwrap().1, 0, "doubt is not orphaned twice");
}

fn doubt_is_kept_whole_and_paged_by_age(store: &mut dyn Store) {
    fill(store, 5);
    let epoch = begin(store);
    for (n, when) in [(0, 40), (1, 10), (2, 30), (3, 10), (4, 20)] {
        let before = snapshot(store, n);
        let opened = intent(store, &before, epoch, at(when));
        accept(store, opened);
    }
    let mut looked = store.attempt(&"sub_00000002.0.1".parse().unwrap()).unwrap().unwrap();
    looked.status = AttemptStatus::InDoubt;
    let kept = looked.intent.as_mut().unwrap();
    kept.doubt_since = Some(at(31));
    kept.first_empty_scan = Some(at(700));
    kept.looked_at = Some(at(701));
    kept.reason = Some(text("timed out"));
    accept(store, only(Change::UpdateAttempt { attempt: looked.clone(), from: AttemptStatus::Intended }));
    assert_eq!(store.attempt(&looked.id).unwrap().as_ref(), Some(&looked));

    let ids = |page: &[crate::model::Attempt]| page.iter().map(|a| a.id.to_string()).collect::<Vec<_>>();
    let first = store.unfinished(None, 2).unwrap();
    assert_eq!(ids(&first), ["sub_00000001.0.1", "sub_00000003.0.1"]);
    // The cursor may end in between: the page after it is the same.
    let third = snapshot(store, 3);
    accept(store, paid(&third, epoch, at(50), 3));
    let second = store.unfinished(Some(&first[1].id), 2).unwrap();
    assert_eq!(ids(&second), ["sub_00000004.0.1", "sub_00000002.0.1"]);
    assert_eq!(second[1], looked);
    assert_eq!(ids(&store.unfinished(Some(&second[1].id), 2).unwrap()), ["sub_00000000.0.1"]);
}

fn a_decline_is_kept_with_its_reading(store: &mut dyn Store) {
    fill(store, 2);
    let epoch = begin(store);
    let first = snapshot(store, 0);
    let opened = intent(store, &first, epoch, at(0));
    accept(store, opened);
    // Opened, and never tried: not one that waits for another try.
    let second = snapshot(store, 1);
    let mut untried = intent(store, &second, epoch, at(0));
    untried.changes.retain(|change| !matches!(change, Change::InsertAttempt(_)));
    for change in &mut untried.changes {
        if let Change::InsertInvoice(invoice) = change {
            invoice.next_attempt_at = Some(at(0));
        }
    }
    accept(store, untried);
    let between = snapshot(store, 0);
    let mut declined = between.invoices[0].attempts[0].clone();
    declined.status = AttemptStatus::Declined;
    declined.resolved_at = Some(at(3));
    declined.charge = Some(charge(5));
    declined.failure_code = Some(text("insufficient_fund"));
    declined.decline = Some(DeclineKind::Funds);
    declined.card = Some(card(0));
    declined.intent = None;
    let mut invoice = between.invoices[0].invoice.clone();
    invoice.next_attempt_at = Some(at(2 * DAY));
    let decline = CardDecline {
        card: card(0),
        fingerprint: Some(text("not base64 at all")),
        at: at(3),
        amount: money("990.00 THB"),
        never: true,
    };
    let changes = vec![
        Change::UpdateAttempt { attempt: declined.clone(), from: AttemptStatus::Intended },
        Change::UpdateInvoice(invoice.clone()),
        Change::RecordDecline { customer: customer(0), decline: decline.clone() },
    ];
    assert_eq!(store.count_retries().unwrap(), 0);
    accept(store, Transition { epoch: Some(epoch), changes, events: Vec::new() });
    assert_eq!(store.count_retries().unwrap(), 1);
    let after = snapshot(store, 0);
    invoice.version = invoice.version.next();
    assert_eq!(after.invoices[0].invoice, invoice);
    assert_eq!(after.invoices[0].attempts, vec![declined]);
    assert_eq!(after.declines, vec![decline]);
}

fn only_the_newest_declines_are_loaded_oldest_first(store: &mut dyn Store) {
    fill(store, 2);
    let noted = |n: u32, i: i64| {
        let decline =
            CardDecline { card: card(n), fingerprint: None, at: at(i), amount: money("5 JPY"), never: false };
        only(Change::RecordDecline { customer: customer(n), decline })
    };
    let batch: Vec<_> = (0..406).map(|i| noted(0, i)).chain([noted(1, 3)]).collect();
    assert!(store.commit(&batch).unwrap().iter().all(Result::is_ok));
    let declines = snapshot(store, 0).declines;
    assert_eq!((declines.len(), declines[0].at, declines[399].at), (400, at(6), at(405)));
    assert_eq!(snapshot(store, 1).declines.len(), 1);
}

/// All samples have one card number: a budget is the number's, whoever has it.
fn declines_of_a_number_are_seen_by_all_who_have_it(store: &mut dyn Store) {
    fill(store, 2);
    let number = card_snapshot(0).fingerprint.unwrap();
    let noted = |n: u32, i: i64, fingerprint: &str, never| {
        let amount = money("5 JPY");
        let decline =
            CardDecline { card: card(n), fingerprint: Some(text(fingerprint)), at: at(i), amount, never };
        only(Change::RecordDecline { customer: customer(n), decline })
    };
    let long_ago = -400 * DAY;
    let batch = [
        noted(0, long_ago, &number, true),
        noted(0, long_ago, &number, false),
        noted(0, 0, &number, false),
        noted(0, 1, "another number", false),
        noted(1, 2, &number, false),
    ];
    assert!(store.commit(&batch).unwrap().iter().all(Result::is_ok));
    let seen = |store: &mut dyn Store, n| -> Vec<_> {
        snapshot(store, n).declines.iter().map(|d| (d.at, d.card.clone(), d.never)).collect()
    };
    let at_other = vec![(at(long_ago), card(0), true), (at(0), card(0), false), (at(2), card(1), false)];
    assert_eq!(seen(store, 1), at_other);
    assert_eq!(seen(store, 0).len(), 5, "a customer's own are there besides");
}

fn a_flag_stands_once_and_ends(store: &mut dyn Store) {
    fill(store, 1);
    let flag = |reason, since| Flag {
        customer: customer(0),
        subscription: sub_id(0),
        reason,
        since,
        until: None,
        detail: text("12/2025"),
    };
    accept(store, only(Change::RaiseFlag(flag(FlagReason::ExpiredCard, at(1)))));
    accept(store, only(Change::RaiseFlag(flag(FlagReason::ExpiredCard, at(2)))));
    accept(store, only(Change::RaiseFlag(flag(FlagReason::NoCard, at(3)))));
    let standing = vec![flag(FlagReason::ExpiredCard, at(1)), flag(FlagReason::NoCard, at(3))];
    assert_eq!(snapshot(store, 0).flags, standing);
    assert_eq!(store.count_flags().unwrap(), vec![(FlagReason::ExpiredCard, 1), (FlagReason::NoCard, 1)]);
    let clear = |reason| only(Change::ClearFlags { subscription: sub_id(0), reason, at: at(9) });
    accept(store, clear(Some(FlagReason::ExpiredCard)));
    assert_eq!(snapshot(store, 0).flags, standing[1..]);
    accept(store, clear(None));
    assert!(snapshot(store, 0).flags.is_empty());
    accept(store, only(Change::RaiseFlag(flag(FlagReason::ExpiredCard, at(10)))));
    let all = store.list_flags(&Filter { ended: true, ..Filter::default() }, 0, 10).unwrap();
    let told: Vec<_> = all.iter().map(|(_, f)| (f.reason, f.since, f.until)).collect();
    let expired = FlagReason::ExpiredCard;
    assert_eq!(
        told,
        [(expired, at(1), Some(at(9))), (FlagReason::NoCard, at(3), Some(at(9))), (expired, at(10), None)]
    );
}

mod tests {
    super::super::conform!(
        a_charge_leaves_what_was_written,
        charged_attempts_of_a_window_are_found,
        every_column_of_a_subscription_comes_back,
        one_changed_column_of_a_subscription_is_written,
        a_stale_write_is_refused_alone_and_in_its_place,
        what_is_there_already_is_a_conflict,
        one_unfinished_and_one_success_per_invoice,
        an_attempt_must_fit_its_invoice,
        an_older_process_is_fenced_and_its_intents_are_in_doubt,
        doubt_is_kept_whole_and_paged_by_age,
        a_decline_is_kept_with_its_reading,
        only_the_newest_declines_are_loaded_oldest_first,
        declines_of_a_number_are_seen_by_all_who_have_it,
        a_flag_stands_once_and_ends,
    );
}
