//! What others do to a service that works: a program that keeps its book locked, a clock that leaps while somebody asks
//! for a run, and a config that changes while it is read.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use dues::billing::health::look_at_book;
use dues::billing::webhooks::Heard;
use dues::clock::Clock as _;
use dues::daemon::{Order, Reload};
use dues::model::StoppedBy;
use dues::store::sqlite::{OpenOptions, SqliteStore};
use dues::store::{RunRequest, RunState};
use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::ticks::{Service, set_provider_clock};
use super::webhooks::{OLD, sign};
use crate::harness::ask;

const LONGEST: Duration = Duration::from_mins(2);
/// Shorter than the service's own, and than a beat.
const BUSY_WAIT: Duration = Duration::from_millis(150);
const AT: &str = "2026-11-20T17:00:00Z";

fn no_config() -> Reload {
    Box::new(|| Box::pin(async { Err("no config in this test".to_owned()) }))
}

async fn asks(service: &Service) -> i64 {
    let now = service.clock.now();
    service.lane.run(move |store| store.ask_run(&RunRequest::default(), now)).await.unwrap().unwrap()
}

async fn ended(service: &Service, request: i64) -> RunState {
    let begun = Instant::now();
    loop {
        let state = service.lane.run(move |store| store.run_state(request)).await.unwrap().unwrap().unwrap();
        if state.ended {
            return state;
        }
        assert!(begun.elapsed() < LONGEST, "nobody ended the request: {state:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_book_that_another_program_locks_for_long_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dues.db");
    let options = OpenOptions {
        create: true,
        busy_wait: BUSY_WAIT,
        now: AT.parse().unwrap(),
        ..OpenOptions::default()
    };
    let store = SqliteStore::open(&path, options).unwrap();
    let mut service = Service::over(store, "Asia/Bangkok", AT, no_config()).await;
    let other = Connection::open(&path).unwrap();
    let request = loop {
        let request = asks(&service).await;
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let state = service.lane.run(move |store| store.run_state(request)).await.unwrap().unwrap().unwrap();
        if !state.taken && !state.ended {
            break request;
        }
        // A beat came in between and took it: the next one is asked for where nobody can.
        other.execute_batch("ROLLBACK").unwrap();
        ended(&service, request).await;
    };
    let told = service.standing.wait_for(|standing| standing.book_trouble.is_some());
    let trouble = tokio::time::timeout(LONGEST, told).await.expect("told of").unwrap().book_trouble.clone();
    assert!(trouble.is_some_and(|why| why.contains("kept the book locked")));
    // Several beats find it so, and the loop goes on through all of them.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert!(!service.served.is_finished(), "the service ended");
    other.execute_batch("ROLLBACK").unwrap();
    let report = ended(&service, request).await.report.unwrap();
    assert!(report.contains("\"considered\""), "{report}");
    let healed = service.standing.wait_for(|standing| standing.book_trouble.is_none());
    drop(tokio::time::timeout(LONGEST, healed).await.expect("over").unwrap());
    let outcome = service.stop().await;
    assert_eq!(outcome.charged.len(), outcome.invoices.len(), "{outcome:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_asked_for_under_a_clock_that_jumped_is_refused_at_once() {
    let service = Service::over(SqliteStore::in_memory().unwrap(), "Asia/Bangkok", AT, no_config()).await;
    let before = service.outcome().await;
    service.clock.0.fetch_add(2 * 24 * 3_600_000, Ordering::SeqCst);
    let request = asks(&service).await;
    let answer = ended(&service, request).await.report.unwrap();
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    let why = answer["refused"].as_str().unwrap();
    assert!(why.contains("jumped forward") && why.contains("was not begun"), "{why}");
    assert_eq!(answer["kind"], "clock");
    assert_eq!(service.stop().await, before);
}

async fn over_a_book(config: Reload) -> Service {
    Service::over(SqliteStore::in_memory().unwrap(), "Asia/Bangkok", AT, config).await
}

/// Tells the sandbox something.
async fn tell(service: &Service, path: &'static str, body: serde_json::Value) {
    let addr = service.sandbox.addr();
    tokio::task::spawn_blocking(move || ask(addr, "POST", path, "", &body)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_many_watch_a_book_that_hangs_it_has_one_look_under_way() {
    let mut service = over_a_book(no_config()).await;
    let (go_on, gate) = std::sync::mpsc::channel::<()>();
    let lane = service.lane.clone();
    let hangs = tokio::spawn(async move { lane.run(move |_| gate.recv()).await });
    until("the book hangs", || service.lane.stats().waiting > 0).await;
    let mut looks: Vec<_> = (0..50).map(|_| look_at_book(&service.billing)).collect();
    // The loop itself says so, as soon as its own errand has waited for five seconds of a clock that is in our hands.
    let begun = Instant::now();
    while service.standing.borrow().book_trouble.is_none() {
        assert!(begun.elapsed() < LONGEST, "nobody is told");
        service.clock.1.fetch_add(1_000, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    let trouble = service.standing.borrow().book_trouble.clone();
    assert!(trouble.as_ref().is_some_and(|why| why.contains("gave no answer for 5s")), "{trouble:?}");
    let waiting = service.lane.stats().waiting;
    assert!(waiting < 10, "{waiting} errands wait");
    go_on.send(()).unwrap();
    hangs.await.unwrap().unwrap().unwrap();
    for look in &mut looks {
        assert_eq!(*look.wait_for(Option::is_some).await.unwrap(), Some(Ok(())));
    }
    let healed = service.standing.wait_for(|standing| standing.book_trouble.is_none());
    drop(tokio::time::timeout(LONGEST, healed).await.expect("over").unwrap());
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_jumps_during_a_run_ends_it_before_any_further_intent() {
    let mut service = over_a_book(no_config()).await;
    let before = service.sandbox.ledger().len();
    let slow = serde_json::json!({"path": "/charges", "method": "POST", "faults": "delay_after:4000"});
    tell(&service, "/__sandbox/faults", slow).await;
    let considered = service.standing.borrow().considered;
    // A day later, by a tick, or by a beat that comes before it.
    service.pass(jiff::SignedDuration::from_hours(24)).await;
    service.ticks.send(()).await.unwrap();
    // Two at a time: both are charged there, and their answers are on their way.
    until("two are under way", || service.sandbox.ledger().len() == before + 2).await;
    service.clock.0.fetch_add(2 * 24 * 3_600_000, Ordering::SeqCst);
    service.rests(considered + 1).await;
    let report = service.standing.borrow().last_run.clone().unwrap();
    assert_eq!(report.stopped_by, Some(StoppedBy::Clock));
    assert_eq!(service.sandbox.ledger().len(), before + 2, "nothing more was begun");
    assert_eq!(
        report.sent(dues::model::AttemptStatus::Succeeded),
        2,
        "what was under way was kept: {report:?}"
    );
    service.clock.0.fetch_sub(2 * 24 * 3_600_000, Ordering::SeqCst);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_jump_is_not_forgiven_by_a_provider_that_tells_no_time() {
    let mut service = over_a_book(no_config()).await;
    let before = service.outcome().await;
    service.clock.0.fetch_add(2 * 24 * 3_600_000, Ordering::SeqCst);
    tell(&service, "/__sandbox/settings", serde_json::json!({"no_date": true})).await;
    for _ in 0..3 {
        service.tick().await;
    }
    assert!(service.standing.borrow().clock_trouble.is_some());
    assert_eq!(service.outcome().await, before, "charged by a clock that nobody compared");
    // It tells its time, which is ours: then the clock is believed again.
    set_provider_clock(&service.sandbox, service.clock.now()).await;
    tell(&service, "/__sandbox/settings", serde_json::json!({"no_date": false})).await;
    service.tick().await;
    assert_eq!(service.standing.borrow().clock_trouble, None);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_apart_is_looked_at_with_every_tick_and_news_wait_until_it_is_right() {
    let mut service = over_a_book(no_config()).await;
    set_provider_clock(&service.sandbox, service.clock.now() + jiff::SignedDuration::from_hours(48)).await;
    let request = asks(&service).await;
    let report = ended(&service, request).await.report.unwrap();
    assert!(report.contains("the provider's says"), "{report}");
    assert!(service.standing.borrow().clock_trouble.is_some());
    let customer = service.sandbox.customers().remove(0).id;
    let body = serde_json::json!({"object": "event", "id": "evnt_test_1", "key": "customer.update",
        "data": {"object": "customer", "id": customer}});
    let (body, now) = (body.to_string(), service.clock.now());
    let stamp = now.as_second().to_string();
    let signature = sign(OLD, &stamp, body.as_bytes());
    assert_eq!(service.doorbell.ring(&signature, &stamp, body.as_bytes(), now), Heard::Taken);
    for _ in 0..3 {
        let worked = service.standing.borrow().worked;
        service.tick().await;
        assert!(service.standing.borrow().worked > worked, "a tick at which nobody compared the clocks");
        assert!(service.standing.borrow().clock_trouble.is_some());
        assert_eq!(service.doorbell.waiting(), 1, "news were looked after by a clock that is not believed");
    }
    // The provider's clock is right again: the next tick finds it so, and what waited is heard.
    set_provider_clock(&service.sandbox, service.clock.now()).await;
    service.tick().await;
    assert_eq!(service.standing.borrow().clock_trouble, None);
    let doorbell = service.doorbell.clone();
    until("the news were not heard", || doorbell.waiting() == 0).await;
    let noted = async || service.lane.run(|store| store.noted_webhooks()).await.unwrap().unwrap().len();
    let begun = Instant::now();
    while noted().await == 0 {
        assert!(begun.elapsed() < LONGEST, "the news were not acted upon");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_run_asked_for_after_the_clock_is_right_again_is_made() {
    let mut service = over_a_book(no_config()).await;
    service.clock.0.fetch_add(2 * 24 * 3_600_000, Ordering::SeqCst);
    service.tick().await;
    assert!(service.standing.borrow().clock_trouble.is_some());
    // The provider says the same by now, and nobody has looked since.
    set_provider_clock(&service.sandbox, service.clock.now()).await;
    let request = asks(&service).await;
    let report = ended(&service, request).await.report.unwrap();
    assert!(report.contains("\"considered\":4"), "{report}");
    assert_eq!(service.standing.borrow().clock_trouble, None);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_asked_for_during_another_is_made_after_it() {
    let (reads, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let (counted, gated) = (reads.clone(), gate.clone());
    let reload: Reload = Box::new(move || {
        let (reads, gate) = (counted.clone(), gated.clone());
        Box::pin(async move {
            let number = reads.fetch_add(1, Ordering::SeqCst) + 1;
            drop(gate.acquire().await.unwrap());
            Err(format!("read {number} times"))
        })
    });
    let mut service = Service::over(SqliteStore::in_memory().unwrap(), "Asia/Bangkok", AT, reload).await;
    service.orders.send(Order::Reload).await.unwrap();
    until("the first is begun", || reads.load(Ordering::SeqCst) == 1).await;
    // Two more while it is under way say the same.
    for _ in 0..2 {
        service.orders.send(Order::Reload).await.unwrap();
    }
    let orders = service.orders.clone();
    until("both are heard", || orders.capacity() == orders.max_capacity()).await;
    assert_eq!(reads.load(Ordering::SeqCst), 1, "one at a time");
    gate.add_permits(10);
    let twice = Some("read 2 times".to_owned());
    let told = service.standing.wait_for(|standing| standing.refused_config == twice);
    drop(tokio::time::timeout(LONGEST, told).await.expect("read again").unwrap());
    service.tick().await;
    assert_eq!(reads.load(Ordering::SeqCst), 2, "and no more than that");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_waits_for_what_is_under_way_no_longer_than_a_call_may_take() {
    let mut service = over_a_book(no_config()).await;
    service.pass(jiff::SignedDuration::from_hours(48)).await;
    let before = service.sandbox.ledger().len();
    service.meets("POST", "/charges", "delay_after:120000").await;
    service.ticks.send(()).await.unwrap();
    until("two are under way", || service.sandbox.ledger().len() == before + 2).await;
    service.billing.stop.cancel();
    service.orders.send(Order::Stop).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert!(!service.served.is_finished(), "it leaves in the midst of a call");
    let call = service.billing.settings.timeout + jiff::SignedDuration::from_secs(20);
    service.clock.1.fetch_add(i64::try_from(call.as_millis()).unwrap(), Ordering::SeqCst);
    let served = std::mem::replace(&mut service.served, tokio::spawn(async { Ok(()) }));
    tokio::time::timeout(Duration::from_secs(15), served).await.expect("it leaves").unwrap().unwrap();
    assert_eq!(service.sandbox.ledger().len(), before + 2, "nothing more was begun");
    service.lane.close().await;
    service.sandbox.stop().await;
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < LONGEST, "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
