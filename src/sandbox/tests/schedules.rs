//! The provider's own schedules, lived through by moving the clock.

use serde_json::json;

use super::client::Desk;
use super::empty;

async fn at(desk: &Desk, instant: &str) {
    let reply = desk.post("/__sandbox/clock", &format!("set={instant}&hold=true")).await;
    assert_eq!(reply.status, 200, "{}", reply.json);
}

fn form(customer: &str) -> String {
    format!(
        "every=1&period=month&on[days_of_month][]=5&start_date=2026-03-05&end_date=2026-06-30\
         &charge[customer]={customer}&charge[amount]=99000&charge[currency]=thb"
    )
}

#[tokio::test]
async fn a_schedule_runs_at_its_days_and_expires() {
    let desk = Desk::open(empty()).await;
    at(&desk, "2026-03-05T09:00:00Z").await;
    let customer = desk.customer("4242424242424242").await;
    let made = desk.post("/schedules", &form(&customer)).await;
    assert_eq!((made.text("/object"), made.text("/status")), ("schedule".into(), "running".into()));
    assert_eq!(made.json["occurrences"]["total"], 1, "one that starts today runs at once");
    assert_eq!(made.json["next_occurrences_on"], json!(["2026-04-05", "2026-05-05", "2026-06-05"]));
    at(&desk, "2026-05-05T01:29:59Z").await;
    assert_eq!(desk.sandbox.ledger().len(), 2);
    at(&desk, "2026-12-31T00:00:00Z").await;
    let times: Vec<String> = desk.sandbox.ledger().into_iter().map(|entry| entry.at).collect();
    assert_eq!(times[1..], ["2026-04-05T01:30:00Z", "2026-05-05T01:30:00Z", "2026-06-05T01:30:00Z"]);
    let path = made.text("/location");
    let done = desk.get(&path).await;
    assert_eq!((done.text("/status"), done.json["ended_at"].is_string()), ("expired".into(), true));
    let occurrences = desk.get(&format!("{path}/occurrences?limit=2&offset=2")).await;
    assert_eq!(occurrences.text("/data/1/scheduled_on"), "2026-06-05");
    let charge = desk.get(&format!("/charges/{}", occurrences.text("/data/1/result"))).await;
    assert_eq!(charge.text("/schedule"), made.text("/id"));
    assert_eq!(desk.get(&occurrences.text("/data/0/location")).await.text("/object"), "occurrence");
    assert_eq!(desk.get(&format!("/customers/{customer}/schedules")).await.json["total"], 1);
    desk.close().await;
}

#[tokio::test]
async fn three_failures_in_a_row_suspend_it() {
    let desk = Desk::open(empty()).await;
    at(&desk, "2026-03-01T09:00:00Z").await;
    let customer = desk.customer("4111111111140011").await;
    let made = desk.post("/schedules", &form(&customer)).await;
    at(&desk, "2026-03-06T00:00:00Z").await;
    let path = made.text("/location");
    let once = desk.get(&path).await;
    assert_eq!(once.text("/occurrences/data/0/retry_on"), "2026-03-06");
    at(&desk, "2026-12-31T00:00:00Z").await;
    let ended = desk.get(&path).await;
    assert_eq!((ended.text("/status"), desk.sandbox.ledger().len()), ("suspended".into(), 3));
    assert_eq!(ended.json["occurrences"]["total"], 1, "retries belong to their occurrence");
    assert_eq!(desk.get("/search?scope=event&filters[key]=schedule.suspend").await.json["total"], 1);
    desk.close().await;
}

#[tokio::test]
async fn a_destroyed_schedule_runs_no_more_and_a_wrong_one_is_refused() {
    let desk = Desk::open(empty()).await;
    at(&desk, "2026-03-01T09:00:00Z").await;
    let customer = desk.customer("4242424242424242").await;
    let path = desk.post("/schedules", &form(&customer)).await.text("/location");
    let gone = desk.delete(&path).await;
    assert_eq!((gone.text("/status"), gone.json["deleted"].clone()), ("deleted".into(), json!(true)));
    assert_eq!(desk.delete(&path).await.text("/code"), "failed_deletion");
    at(&desk, "2026-12-31T00:00:00Z").await;
    assert_eq!(desk.sandbox.ledger().len(), 0);
    assert_eq!(desk.get("/schedules").await.json["total"], 0);
    assert_eq!(desk.get("/charges/schedules").await.status, 200);
    let without = form(&customer).replace("on[days_of_month][]=5&", "").replace("2026-0", "2027-0");
    assert_eq!(desk.post("/schedules", &without).await.text("/code"), "bad_request");
    desk.post("/__sandbox/settings", r#"{"three_ds":true}"#).await;
    assert_eq!(desk.post("/schedules", &form(&customer)).await.text("/code"), "bad_request");
    desk.close().await;
}
