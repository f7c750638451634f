//! Payments that wait for their customer, over days of a service: what the provider never ends becomes a person's, and what
//! cannot be read is asked for less and less, until it can.

use dues::daemon::Reload;
use dues::model::AttemptStatus;
use dues::store::Filter;
use dues::store::sqlite::SqliteStore;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::ticks::{CUSTOMERS, Service};
use crate::harness::ask;

/// Midnight in Bangkok, when a period of everybody begins.
const AT: &str = "2026-11-20T17:00:00Z";
const EACH: usize = CUSTOMERS as usize;

/// The service on the second day, whose charges all wait for their customers.
async fn waiting() -> Service {
    let no_config: Reload = Box::new(|| Box::pin(async { Err("no config in this test".to_owned()) }));
    let mut service = Service::over(SqliteStore::in_memory().unwrap(), "Asia/Bangkok", AT, no_config).await;
    service.meets("POST", "/charges", "3ds").await;
    hours_later(&mut service, 24).await;
    assert_eq!(unfinished(&service).await, [AttemptStatus::Pending; EACH]);
    service.behaves().await;
    service
}

async fn unfinished(service: &Service) -> Vec<AttemptStatus> {
    let attempts = service.lane.run(|store| store.unfinished(None, 100)).await.unwrap().unwrap();
    attempts.into_iter().map(|attempt| attempt.status).collect()
}

async fn incidents(service: &Service) -> usize {
    let filter = Filter { status: Some("incident".into()), ..Filter::default() };
    service.lane.run(move |store| store.list_events(&filter, 0, 1_000)).await.unwrap().unwrap().len()
}

async fn hours_later(service: &mut Service, hours: i64) {
    service.pass(SignedDuration::from_hours(hours)).await;
    service.tick().await;
}

/// How many requests the rules of the provider met, one count for each rule.
async fn met(service: &Service) -> Vec<u64> {
    let addr = service.sandbox.addr();
    let shown = tokio::task::spawn_blocking(move || ask(addr, "GET", "/__sandbox/faults", "", &Value::Null));
    let shown = shown.await.unwrap();
    shown["rules"].as_array().unwrap().iter().map(|rule| rule["matched"].as_u64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_provider_never_ends_is_told_once_and_becomes_a_persons() {
    let mut service = waiting().await;
    let charged = service.sandbox.ledger().len();
    service.meets("POST", "/charges/", "status_before:400").await;
    service.meets("GET", "/charges/", "status_word:pending").await;
    // A day is what it is given; five more pass, and the provider's own week with a day to spare.
    for half_days in 1..=20 {
        hours_later(&mut service, 12).await;
        let (status, told) = match half_days {
            1 => (AttemptStatus::Pending, 0),
            2..16 => (AttemptStatus::Pending, EACH),
            _ => (AttemptStatus::Manual, 2 * EACH),
        };
        assert_eq!(unfinished(&service).await, [status; EACH], "after {half_days} half days");
        assert_eq!(incidents(&service).await, told, "after {half_days} half days");
    }
    // Asked to end it, and asked for it after each refusal: a few times a day at most, and never again at the end.
    let met_now = met(&service).await;
    assert!(met_now[0] <= 16 * u64::from(CUSTOMERS), "{met_now:?}");
    hours_later(&mut service, 12).await;
    let nobody_asked = met(&service).await;
    assert_eq!(nobody_asked, met_now);
    assert_eq!(service.sandbox.ledger().len(), charged, "nothing was charged beside them");
    let invoices = service.outcome().await.invoices.len();
    assert!(invoices > 8 * EACH, "periods are invoiced all the same: {invoices}");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_is_asked_for_less_and_less_until_it_can() {
    let mut service = waiting().await;
    service.meets("GET", "/charges/", "status_before:400").await;
    for _ in 0..60 {
        service.pass(SignedDuration::from_mins(1)).await;
        service.tick().await;
    }
    // Two after 1, 3, 5, 9, 17 and 33 minutes, and the two that had to wait for them a minute later each.
    assert_eq!(met(&service).await, [6 * u64::from(CUSTOMERS)]);
    assert_eq!(unfinished(&service).await, [AttemptStatus::Pending; EACH]);
    assert_eq!(incidents(&service).await, 0);
    service.behaves().await;
    for entry in service.sandbox.ledger().into_iter().filter(|entry| entry.status == "pending") {
        let (addr, path) = (service.sandbox.addr(), format!("/__sandbox/charges/{}/approve", entry.id));
        let approve = move || ask(addr, "POST", &path, "", &json!({}));
        tokio::task::spawn_blocking(approve).await.unwrap();
    }
    hours_later(&mut service, 1).await;
    assert_eq!(unfinished(&service).await, [], "no look is lost");
    service.stop().await;
}
