//! What nobody but a person can end wakes nobody: the service looks for what a look can move, and rests otherwise.

use dues::daemon::Reload;
use dues::model::AttemptStatus;
use dues::store::sqlite::SqliteStore;
use jiff::SignedDuration;

use super::ticks::{CUSTOMERS, Service};

/// Midnight in Bangkok, when a period of everybody begins.
const AT: &str = "2026-11-20T17:00:00Z";

fn no_config() -> Reload {
    Box::new(|| Box::pin(async { Err("no config in this test".to_owned()) }))
}

async fn runs(service: &Service) -> i64 {
    service.lane.run(|store| store.facts()).await.unwrap().unwrap().runs
}

async fn unfinished(service: &Service) -> Vec<AttemptStatus> {
    let attempts = service.lane.run(|store| store.unfinished(None, 100)).await.unwrap().unwrap();
    attempts.into_iter().map(|attempt| attempt.status).collect()
}

async fn minutes_later(service: &mut Service, minutes: i64) {
    service.pass(SignedDuration::from_mins(minutes)).await;
    service.tick().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attempt_that_waits_for_a_person_wakes_nobody() {
    let store = SqliteStore::in_memory().unwrap();
    let mut service = Service::over(store, "Asia/Bangkok", AT, no_config()).await;
    service.meets("POST", "/charges", "in_flight").await;
    minutes_later(&mut service, 24 * 60).await;
    assert_eq!(unfinished(&service).await, [AttemptStatus::Pending; CUSTOMERS as usize]);
    service.meets("GET", "/charges/", "status_before:404").await;
    let before = runs(&service).await;
    minutes_later(&mut service, 1).await;
    assert_eq!(runs(&service).await, before + 1, "what is in flight is asked for");
    minutes_later(&mut service, 2).await;
    assert_eq!(unfinished(&service).await, [AttemptStatus::Manual; CUSTOMERS as usize]);
    // No billing tick of five minutes falls into the first minutes after it; those that do make one run each.
    let before = runs(&service).await;
    minutes_later(&mut service, 1).await;
    assert_eq!(runs(&service).await, before, "a person's attempts woke it");
    minutes_later(&mut service, 1).await;
    assert_eq!(runs(&service).await, before + 1, "a billing tick");
    for _ in 0..4 {
        minutes_later(&mut service, 1).await;
    }
    assert_eq!(runs(&service).await, before + 1, "a person's attempts woke it");
    service.stop().await;
}
