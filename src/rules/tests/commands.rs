//! What people ask for, and what they are told when it cannot be done.

use jiff::civil::date;

use super::book::Book;
use super::kit::{bangkok, day, ladder, plan, terms};
use super::story::{moment, seen, tell};
use crate::model::settings::CatchUp;
use crate::model::{
    AttemptId, Change, ChargeSeen, EndAction, EventKind, Quantity, SeenStatus, SkipReason, SubscriptionId,
    SubscriptionStatus, Zone,
};
use crate::rules::commands::{self, ChangeOrder, NewSubscriptionOrder, subscribe};
use crate::rules::{RuleError, Scan, doubt, next_steps};

const CATCH_UP: CatchUp = CatchUp { hold_after: 3 };

fn order(plan: &crate::model::PlanVersion) -> NewSubscriptionOrder<'_> {
    NewSubscriptionOrder {
        id: SubscriptionId::parse("sub_9").unwrap(),
        customer: "cust_test_9".parse().unwrap(),
        plan,
        quantity: Quantity::ONE,
        zone: bangkok(),
        starts: None,
        paid_through: None,
        card: None,
        backup_card: false,
        metadata: None,
    }
}

fn sentence<T: std::fmt::Debug>(refused: Result<T, RuleError>) -> String {
    match refused {
        Err(RuleError::Refused(sentence)) => sentence,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn a_subscription_starts_today_or_when_it_is_told() {
    let plan = plan(1, terms("month", ladder(&["1 day"], EndAction::Pause)));
    let at = day("2026-01-31") + jiff::SignedDuration::from_hours(5);
    let (today, transition) = subscribe(order(&plan), at).unwrap();
    assert_eq!((today.starts, today.wake_at), (date(2026, 1, 31), Some(day("2026-01-31"))));
    assert_eq!(today.status, SubscriptionStatus::Active);
    assert!(matches!(&transition.changes[..], [Change::InsertSubscription(s)] if *s == today));
    assert_eq!(transition.events[0].kind, EventKind::SubscriptionCreated);
    let data: serde_json::Value =
        serde_json::from_str(transition.events[0].data.as_deref().unwrap()).unwrap();
    assert_eq!(data, serde_json::json!({ "plan": "pro", "version": 1, "quantity": 1 }));
    let later = NewSubscriptionOrder { starts: Some(date(2026, 3, 15)), ..order(&plan) };
    assert_eq!(subscribe(later, at).unwrap().0.wake_at, Some(day("2026-03-15")));
}

#[test]
fn a_trial_moves_the_anchor() {
    let mut terms = terms("month", ladder(&["1 day"], EndAction::Pause));
    terms.trial = Some("1 month".parse().unwrap());
    let plan = plan(1, terms);
    let (new, _) = subscribe(order(&plan), day("2026-01-31")).unwrap();
    assert_eq!((new.anchor, new.status), (date(2026, 2, 28), SubscriptionStatus::Trialing));
    let past = NewSubscriptionOrder { starts: Some(date(2025, 11, 1)), ..order(&plan) };
    assert_eq!(subscribe(past, day("2026-01-31")).unwrap().0.status, SubscriptionStatus::Active);
}

#[test]
fn nothing_up_to_paid_through_is_ever_charged() {
    let plan = plan(1, terms("month", ladder(&["1 day"], EndAction::Pause)));
    let paid = |starts, through| NewSubscriptionOrder {
        starts: Some(starts),
        paid_through: Some(through),
        ..order(&plan)
    };
    let at = day("2026-04-10");
    let (whole, transition) = subscribe(paid(date(2026, 1, 31), date(2026, 3, 30)), at).unwrap();
    assert_eq!((whole.next_index, whole.wake_at), (2, Some(day("2026-03-31"))));
    let skip = |c: &Change| {
        matches!(c, Change::SkipPeriods { from: 0, to: 2, reason: SkipReason::BilledElsewhere, .. })
    };
    assert!(transition.changes.iter().any(skip));
    let (part, _) = subscribe(paid(date(2026, 1, 31), date(2026, 3, 31)), at).unwrap();
    assert_eq!(part.wake_at, Some(day("2026-04-30")), "a period that has begun was paid");
    let (alone, _) =
        subscribe(NewSubscriptionOrder { paid_through: Some(date(2026, 4, 20)), ..order(&plan) }, at)
            .unwrap();
    assert_eq!((alone.anchor, alone.next_index), (date(2026, 4, 21), 0));
}

#[test]
fn too_much_money_is_refused_when_it_is_ordered() {
    let mut dear = terms("month", ladder(&["1 day"], EndAction::Pause));
    dear.price = "92233720368547758.07 THB".parse().unwrap();
    let plan = plan(1, dear);
    let two = NewSubscriptionOrder { quantity: Quantity::new(2).unwrap(), ..order(&plan) };
    assert!(matches!(subscribe(two, day("2026-01-31")), Err(RuleError::Overflow(_))));
}

#[test]
fn a_change_of_interval_counts_anew_from_the_next_period() {
    let mut book = Book::monthly("2026-01-31");
    tell(&mut book, "01-31 | ok | 0:paid");
    book.go_to(moment("02-10"));
    let yearly = plan(2, terms("year", ladder(&["1 day"], EndAction::Pause)));
    let order = ChangeOrder { plan: Some(yearly.clone()), ..ChangeOrder::default() };
    let changed = commands::change(&book.snapshot(), &order, CATCH_UP, book.circumstances.at, None).unwrap();
    let next = changed.next.unwrap();
    assert_eq!((next.starts, next.period.index), (date(2026, 2, 28), 1));
    assert_eq!(next.period.end, day("2027-02-28"));
    book.apply(&changed.transition);
    book.rows.plan = yearly;
    let subscription = &book.rows.subscription;
    assert_eq!((subscription.anchor, subscription.anchor_index), (date(2026, 2, 28), 1));
    tell(&mut book, "02-28 | ok | 1:paid");
}

#[test]
fn a_change_of_quantity_keeps_the_anchor_and_says_the_next_amount() {
    let mut book = Book::monthly("2026-01-31");
    book.go_to(moment("04-02"));
    let order = ChangeOrder { quantity: Some(Quantity::new(3).unwrap()), ..ChangeOrder::default() };
    let changed = commands::change(&book.snapshot(), &order, CATCH_UP, book.circumstances.at, None).unwrap();
    let next = changed.next.unwrap();
    assert_eq!((next.amount.to_string(), next.starts), ("2970.00 THB".into(), date(2026, 4, 30)));
    book.apply(&changed.transition);
    let amounts: Vec<_> = book.rows.invoices.iter().map(|open| open.invoice.amount.to_string()).collect();
    assert_eq!(amounts, ["990.00 THB", "990.00 THB", "990.00 THB"], "what had begun keeps the old terms");
    assert_eq!(book.rows.subscription.anchor, date(2026, 1, 31));
}

#[test]
fn a_change_of_zone_keeps_the_day_and_leaves_no_hour_out() {
    let mut book = Book::monthly("2026-01-31");
    tell(&mut book, "01-31 | ok | 0:paid");
    let order =
        ChangeOrder { zone: Some(Zone::parse("America/New_York").unwrap()), ..ChangeOrder::default() };
    let changed = commands::change(&book.snapshot(), &order, CATCH_UP, book.circumstances.at, None).unwrap();
    book.apply(&changed.transition);
    // Midnight of Bangkok, where the period before it ends: New York's comes twelve hours later.
    let ends = book.rows.invoices[0].invoice.period.end;
    assert_eq!(book.rows.subscription.wake_at, Some(ends));
    assert_eq!(ends, "2026-02-27T17:00:00Z".parse().unwrap());
    let next = changed.next.unwrap();
    assert_eq!((next.starts, next.period.start), (date(2026, 2, 28), ends));
    // The one after it starts by the new zone's calendar.
    assert_eq!(next.period.end, "2026-03-28T04:00:00Z".parse().unwrap());
    let nothing =
        commands::change(&book.snapshot(), &ChangeOrder::default(), CATCH_UP, moment("02-01"), None);
    assert!(sentence(nothing).contains("nothing to change"));
}

#[test]
fn an_end_before_the_first_period_goes_with_it_to_another_zone() {
    for (zone, starts) in [
        ("Pacific/Auckland", "2026-01-30T11:00:00Z"),
        ("America/New_York", "2026-01-31T05:00:00Z"),
        ("Asia/Bangkok", "2026-01-30T17:00:00Z"),
    ] {
        for trial in [None, Some("14 days")] {
            let mut plan = terms("month", ladder(&["1 day"], EndAction::Pause));
            plan.trial = trial.map(|trial| trial.parse().unwrap());
            // The trial, where there is one, ends on 31 January.
            let mut book = Book::new(if trial.is_some() { "2026-01-17" } else { "2026-01-31" }, plan);
            tell(&mut book, "01-20 | person cancel later | 0:none");
            let order = ChangeOrder {
                zone: Some(Zone::parse(zone).unwrap()),
                quantity: Some(Quantity::new(2).unwrap()),
                ..ChangeOrder::default()
            };
            let changed =
                commands::change(&book.snapshot(), &order, CATCH_UP, book.circumstances.at, None).unwrap();
            book.apply(&changed.transition);
            assert!(changed.next.is_none(), "it ends before there is one");
            let starts = starts.parse().unwrap();
            assert_eq!(book.rows.subscription.cancel_at, Some(starts), "{zone}");
            assert_eq!(book.rows.subscription.wake_at, Some(starts), "{zone}");
            book.go_to(starts);
            tell(&mut book, "");
            assert!(matches!(book.look(), super::book::Look::Skipped(SkipReason::Canceled)), "{zone}");
            assert!(book.rows.invoices.is_empty());
        }
    }
}

#[test]
fn what_has_ended_is_not_brought_back() {
    let mut book = Book::monthly("2026-01-31");
    tell(&mut book, "02-01 | person cancel | sub:canceled due:true");
    let (s, at) = (book.snapshot(), book.circumstances.at);
    for refused in [
        commands::pause(&s, None, at, None),
        commands::resume(&s, CATCH_UP, at),
        commands::cancel_now(&s, at, None),
        commands::cancel_at_period_end(&s, at, None),
    ] {
        assert!(sentence(refused).contains("has ended"));
    }
    // The period that had begun before the end is owed, and waits for a person.
    tell(
        &mut book,
        "02-02 | run          | 0:stopped skip:canceled wake:none
               | person retry |
               | no insufficient_fund | 0:stopped sub:canceled
               | person retry |
         02-05 | ok           | 0:paid sub:canceled",
    );
}

#[test]
fn an_unfinished_attempt_stands_in_the_way() {
    let mut book = Book::monthly("2026-01-31");
    tell(&mut book, "01-31 | silence |");
    let (s, at) = (book.snapshot(), book.circumstances.at);
    let id = "sub_1.0".parse().unwrap();
    for refused in [
        commands::retry(&s, at, None),
        commands::void(&s, &id, at, "x"),
        commands::mark_paid(&s, &id, at, "x"),
        commands::write_off(&s, &id, at, "x"),
    ] {
        let told = sentence(refused);
        assert!(told.contains("sub_1.0.1") && told.contains("in_doubt"), "{told}");
    }
    let attempt = "sub_1.0.1".parse().unwrap();
    let early = commands::resolve_absent(&s, &attempt, "x", &book.circumstances);
    assert!(sentence(early).contains("only once it is manual"));
}

#[test]
fn a_person_may_not_retry_a_card_that_said_never() {
    let mut book = Book::monthly("2026-01-31");
    tell(&mut book, "01-31 | no stolen_or_lost_card |");
    let told = sentence(commands::retry(&book.snapshot(), book.circumstances.at, None));
    assert!(told.contains("never to try this card again"), "{told}");
    tell(&mut book, "02-01 | card card_test_2 12/2060 | \n | person retry | \n | ok | 0:paid");
}

#[test]
fn a_person_resolves_only_with_a_charge_that_fits() {
    let mut book = Book::monthly("2026-01-31");
    tell(&mut book, "01-31 | silence | \n 01-31T00:05 | look alike | 0.last:manual");
    let (s, attempt) = (book.snapshot(), "sub_1.0.1".parse().unwrap());
    let resolve = |charge| commands::resolve_charge(&s, &attempt, &charge, None, "x", &book.circumstances);
    let mut other = seen(SeenStatus::Successful, "chrg_test_1");
    other.amount = Some("991.00 THB".parse().unwrap());
    assert!(sentence(resolve(other)).contains("found 991.00 THB"));
    let pending = seen(SeenStatus::Pending(None), "chrg_test_1");
    assert!(sentence(resolve(pending)).contains("still pending"));
    assert!(resolve(seen(SeenStatus::Successful, "chrg_test_1")).is_ok());
    tell(&mut book, "02-01 | person charged | 0:paid");
    let again = commands::resolve_absent(&book.snapshot_of(&attempt), &attempt, "x", &book.circumstances);
    assert!(sentence(again).contains("has ended as succeeded"));
}

/// A charge that carries the marks of that attempt of the book.
fn marked(book: &Book, attempt: &str, status: SeenStatus) -> ChargeSeen {
    ChargeSeen {
        installation: Some(book.circumstances.installation.to_string().as_str().into()),
        attempt: Some(attempt.into()),
        ..seen(status, "chrg_test_7")
    }
}

/// The first attempt of a book whose look found a charge with its marks and twice its sum.
fn mismatched(found: &str) -> (Book, AttemptId, ChargeSeen) {
    let mut book = Book::monthly("2026-01-31");
    tell(&mut book, "01-31 | silence |");
    let mut charge = marked(&book, "sub_1.0.1", SeenStatus::Successful);
    charge.amount = Some(found.parse().unwrap());
    let (s, id, c) =
        (book.snapshot(), charge.attempt.as_deref().unwrap().parse().unwrap(), book.circumstances.clone());
    let scan = Scan { complete: true, provider_at: c.wire.provider_now, wall_at: c.wire.wall_at };
    let step = doubt::judge(&s.invoices[0].attempts[0], std::slice::from_ref(&charge), &[], &scan, &c);
    book.apply(&doubt::transition(&s, &id, &step, &scan, &c).unwrap());
    tell(&mut book, "01-31 | wait | 0.last:manual incidents:1");
    (book, id, charge)
}

#[test]
fn a_charge_with_the_attempts_own_marks_ends_it_whatever_its_sum() {
    let (mut book, id, charge) = mismatched("1980.00 THB");
    let c = book.circumstances.clone();
    let (s, at) = (book.snapshot(), c.at);
    for refused in [
        commands::resolve_absent(&s, &id, "x", &c),
        commands::mark_paid(&s, &"sub_1.0".parse().unwrap(), at, "x"),
        commands::retry(&s, at, None),
    ] {
        let told = sentence(refused);
        assert!(told.contains("`dues resolve sub_1.0.1 --charge chrg_test_7 --reason TEXT`"), "{told}");
        assert!(!told.contains("wait until") && !told.contains("--absent"), "{told}");
    }
    let why = next_steps(&s, &c).join("\n");
    assert!(why.contains("found 1980.00 THB") && why.contains("--charge chrg_test_7"), "{why}");
    let ended = commands::resolve_charge(&s, &id, &charge, None, "x", &c).unwrap();
    book.apply(&ended);
    tell(&mut book, "01-31 | wait | 0:paid 0.last:succeeded incidents:2 due:false \n 02-28 | ok | 1:paid");
    let told = book.events.iter().rfind(|event| event.kind == EventKind::Incident).unwrap();
    let told = told.data.as_deref().unwrap();
    assert!(told.contains("found 1980.00 THB of cust_test_1, wanted 990.00 THB of cust_test_1"), "{told}");
    let paid = book.events.iter().find(|event| event.kind == EventKind::InvoicePaid).unwrap();
    assert!(paid.data.as_deref().unwrap().contains("1980.00 THB"), "{paid:?}");
}

#[test]
fn a_mismatched_charge_that_moved_no_money_is_a_decline() {
    let (mut book, id, mut charge) = mismatched("495.00 THB");
    (charge.status, charge.customer) = (SeenStatus::Ended("expired".into()), None);
    let ended =
        commands::resolve_charge(&book.snapshot(), &id, &charge, None, "x", &book.circumstances).unwrap();
    book.apply(&ended);
    tell(&mut book, "01-31 | wait | 0.last:declined incidents:1");
    let told = book.events.iter().rfind(|event| event.kind == EventKind::AttemptResolved).unwrap();
    assert!(told.data.as_deref().unwrap().contains("found 495.00 THB of no customer"), "{told:?}");
}

#[test]
fn an_order_beside_a_manual_attempt_says_who_ends_it() {
    let mut book = Book::monthly("2026-01-31");
    tell(&mut book, "01-31 | silence | \n 01-31T00:05 | look alike | 0.last:manual");
    let (s, at) = (book.snapshot(), book.circumstances.at);
    let told = sentence(commands::void(&s, &"sub_1.0".parse().unwrap(), at, "x"));
    assert!(told.contains("--charge CHRG") && told.contains("`--absent`"), "{told}");
    assert!(!told.contains("wait until"), "{told}");
}

#[test]
fn a_charge_of_another_attempt_pays_no_second_invoice() {
    let mut book = Book::monthly("2026-01-31");
    tell(
        &mut book,
        "01-31 | ok | 0:paid
         02-28 | silence |
         02-28T00:05 | look alike | 1.last:manual",
    );
    let (s, id): (_, AttemptId) = (book.snapshot(), "sub_1.1.1".parse().unwrap());
    let paid = "sub_1.0.1".parse().unwrap();
    let resolve =
        |charge, booked| commands::resolve_charge(&s, &id, &charge, booked, "x", &book.circumstances);
    let told = sentence(resolve(marked(&book, "sub_1.0.1", SeenStatus::Successful), None));
    assert!(told.contains("was made for attempt sub_1.0.1") && told.contains("sub_1.1.1 itself"), "{told}");
    let by_hand = || seen(SeenStatus::Successful, "chrg_test_7");
    let told = sentence(resolve(by_hand(), Some(&paid)));
    assert!(told.contains("is the charge of attempt sub_1.0.1"), "{told}");
    let mut foreign = marked(&book, "sub_1.1.1", SeenStatus::Successful);
    foreign.installation = Some("00".into());
    assert!(sentence(resolve(foreign, None)).contains("another book"));
    assert!(resolve(by_hand(), None).is_ok(), "made by hand, and nobody else's");
    // Its own marks say more than an older mistake of the book, which is told.
    let own = resolve(marked(&book, "sub_1.1.1", SeenStatus::Successful), Some(&paid)).unwrap();
    let told = own.events.iter().find(|event| event.kind == EventKind::Incident).unwrap();
    assert!(told.data.as_deref().unwrap().contains("for attempt sub_1.0.1 too"), "{told:?}");
}

#[test]
fn written_off_and_paid_by_hand() {
    tell(
        &mut Book::monthly("2026-01-31"),
        "01-31 | no insufficient_fund |
               | person lost 0 | 0:uncollectible sub:active wake:02-28
         02-28 | nocard        |
               | run           | skip:no_card flag:no_card
               | person paid 1 | 1:paid flag:none sub:active wake:03-31",
    );
    let book = Book::monthly("2026-01-31");
    let unknown = commands::void(&book.snapshot(), &"sub_1.7".parse().unwrap(), moment("01-31"), "x");
    assert!(sentence(unknown).contains("sub_1.7"));
}

#[test]
fn pauses_and_ends_are_not_asked_for_twice() {
    let mut book = Book::monthly("2026-01-31");
    tell(&mut book, "01-31 | ok | \n | person cancel later | \n | person pause |");
    let (s, at) = (book.snapshot(), book.circumstances.at);
    // The same words as the first time: on the subscription's own clocks.
    let paused = sentence(commands::pause(&s, None, at, None));
    assert!(paused.contains("is paused since 2026-01-31T00:00:00+07:00"), "{paused}");
    let ends = sentence(commands::cancel_at_period_end(&s, at, None));
    assert!(ends.contains("already set to end at 2026-02-28T00:00:00+07:00"), "{ends}");
    tell(&mut book, "02-01 | person resume | sub:active");
    let (s, at) = (book.snapshot(), book.circumstances.at);
    assert!(sentence(commands::resume(&s, CATCH_UP, at)).contains("nothing to resume"));
    let until = sentence(commands::pause(&s, Some(at), at, None));
    assert!(until.contains("--until: found 2026-02-01T00:00:00+07:00, wanted"), "{until}");
}
