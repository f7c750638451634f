//! Many customers, many requests at once, and limits on both.

use std::sync::Arc;

use super::client::Desk;
use super::{empty, seeded};
use crate::sandbox::{Fates, SandboxOptions};

#[tokio::test]
async fn a_rate_limit_refuses_what_is_too_much() {
    let desk = Desk::open(empty()).await;
    let limit = r#"{"rate_limit":{"requests":3,"window_ms":60000,"retry_after":5}}"#;
    assert_eq!(desk.post("/__sandbox/settings", limit).await.status, 200);
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(desk.get("/capability").await.status);
    }
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
    assert_eq!(desk.get("/capability").await.header("retry-after"), Some("5"));
    let traffic = desk.get("/__sandbox/traffic").await.json;
    assert_eq!(
        (traffic["requests"].clone(), traffic["refused"].clone()),
        (6.into(), 3.into()),
        "the desk is not counted"
    );
    desk.close().await;
}

#[tokio::test]
async fn many_customers_start_at_once_and_page_to_the_end() {
    let many = SandboxOptions { customers: 100_000, fates: Fates::Paying, ..SandboxOptions::default() };
    let desk = Desk::open(many).await;
    let last = desk.get("/customers?limit=100&offset=99950").await;
    assert_eq!(last.json["data"].as_array().map(Vec::len), Some(50));
    let id = last.text("/data/49/id");
    let charge = desk.post("/charges", &format!("amount=50000&currency=thb&customer={id}")).await;
    assert_eq!(charge.text("/status"), "successful");
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn charges_at_once_are_all_made_and_all_counted() {
    const EACH: usize = 20;
    const AT_ONCE: usize = 16;
    let desk = Arc::new(Desk::open(seeded(200)).await);
    let paying: Vec<String> = desk
        .sandbox
        .customers()
        .into_iter()
        .filter(|seeded| seeded.fate == crate::sandbox::Fate::Paying)
        .map(|seeded| seeded.id)
        .collect();
    let tasks: Vec<_> = (0..AT_ONCE)
        .map(|task| {
            let (desk, customer) = (Arc::clone(&desk), paying[task].clone());
            tokio::spawn(async move {
                for _ in 0..EACH {
                    let form = format!("amount=50000&currency=thb&customer={customer}");
                    assert_eq!(desk.post("/charges", &form).await.text("/status"), "successful");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("all charged");
    }
    let summary = desk.get("/__sandbox/ledger?summary=1").await.json;
    assert_eq!(summary["by_status"][0]["count"], AT_ONCE * EACH);
    assert_eq!(summary["by_status"][0]["sum"], 50_000 * AT_ONCE * EACH);
    assert_eq!(desk.get("/charges").await.json["total"], AT_ONCE * EACH);
    let own = desk.get(&format!("/__sandbox/ledger?customer={}", paying[0])).await;
    assert_eq!(own.json.as_array().map(Vec::len), Some(EACH));
    Arc::into_inner(desk).expect("alone").close().await;
}

#[tokio::test]
async fn an_empty_world_can_be_seeded_later_but_once() {
    let desk = Desk::open(empty()).await;
    let planted = desk.post("/__sandbox/seed", r#"{"customers":7,"fates":"paying"}"#).await;
    assert_eq!((planted.status, planted.json["customers"].clone()), (200, 7.into()));
    assert_eq!(desk.get("/__sandbox/customers").await.json.as_array().map(Vec::len), Some(7));
    assert_eq!(desk.post("/__sandbox/seed", r#"{"customers":7}"#).await.status, 400);
    assert_eq!(desk.post("/__sandbox/seed", "{}").await.status, 400);
    desk.close().await;
}
