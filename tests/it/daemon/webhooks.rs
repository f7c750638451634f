//! The provider rings: with the sandbox's own sender from end to end, and by hand with everything that may be wrong.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rusqlite::{Connection, OpenFlags};
use rustix::process::Signal;
use serde_json::{Value, json};

use super::process::{Supervisor, signal, start};
use super::windows::{looks_in, with_windows};
use crate::harness::{Child, Scene, Setting};

pub(super) const OLD: &str = "b2xkIHNlY3JldCBvZiB0aGUgZGFzaGJvYXJk";
const NEW: &str = "bmV3IHNlY3JldCBvZiB0aGUgZGFzaGJvYXJk";
const SECRET: &str = "webhook_secret_file = \"webhook.secret\"";

/// A service that has made its first run, whose windows the sandbox knows; the sandbox signs with these. No other run comes
/// of itself, so that whatever is settled later was settled by news.
pub(super) fn service(scene: &Scene, signs_with: &[&str], travel: &str) -> (Child, Supervisor, String) {
    scene.write_secret("webhook.secret", &format!("{OLD}\n{NEW}\n"));
    let (child, supervisor, addr) = with_windows(scene, SECRET);
    let url = format!("http://{addr}/webhooks/omise");
    let webhooks = json!({"url": url, "secrets": signs_with, "travel": travel, "retry_ms": [100, 100]});
    scene.ask("POST", "/__sandbox/settings", "", &json!({"webhooks": webhooks}));
    (child, supervisor, addr)
}

/// Longer than this and it never will.
const LONGEST: Duration = Duration::from_mins(1);

/// Waits until that holds.
#[track_caller]
pub(super) fn until(scene: &Scene, what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < LONGEST, "{what}:\n{}", scene.story());
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn statuses(scene: &Scene, what: &str) -> Vec<String> {
    scene.list(what).iter().map(|row| row["status"].as_str().unwrap_or_default().to_owned()).collect()
}

/// How many webhooks were heard so.
pub(super) fn heard(addr: &str, how: &str) -> u64 {
    let page = looks_in(addr, "/metrics", addr).1;
    let name = format!("dues_webhooks_total{{heard=\"{how}\"}} ");
    let line = page.lines().find_map(|line| line.strip_prefix(&name));
    line.unwrap_or_else(|| panic!("no {name} in\n{page}")).parse().unwrap()
}

/// The book, as another process reads it.
fn book_of(scene: &Scene) -> Connection {
    Connection::open_with_flags(scene.path("dues.db"), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
}

fn number(book: &Connection, query: &str) -> u32 {
    book.query_row(query, [], |row| row.get(0)).unwrap()
}

pub(super) fn requests(scene: &Scene) -> u64 {
    scene.ask("GET", "/__sandbox/traffic", "", &Value::Null)["requests"].as_u64().unwrap()
}

/// Waits until the service has done what it does once a day, so that no request comes of that any more.
#[track_caller]
fn until_the_day_is_done(scene: &Scene) {
    let book = book_of(scene);
    let done = "SELECT count(*) FROM jobs WHERE name IN ('card_watch', 'reconcile')";
    until(scene, "the daily jobs", || number(&book, done) == 2);
}

pub(super) fn leaves(child: Child) {
    signal(&child, Signal::TERM);
    child.wait().expect(0);
}

#[test]
fn a_customer_who_confirms_a_payment_is_heard_of_at_once() {
    let scene = Scene::new(Setting { customers: 2, ..Setting::default() });
    let customers = scene.customers();
    scene.charges_meet("3ds", Some(&customers[0]), None);
    scene.import(&format!("customer,plan\n{},monthly\n{},monthly\n", customers[0], customers[1]));
    // Each event twice, as a provider may: it is acted upon once.
    let (child, _supervisor, addr) = service(&scene, &[NEW], "doubled");
    until(&scene, "a charge waits for its customer", || {
        statuses(&scene, "attempts").contains(&"pending".into())
    });
    let pending = scene.list("attempts").into_iter().find(|row| row["status"] == "pending").unwrap();
    let charge = pending["charge"].as_str().unwrap();
    scene.ask("POST", &format!("/__sandbox/charges/{charge}/approve"), "", &Value::Null);
    until(&scene, "the news were not acted upon", || {
        statuses(&scene, "attempts") == ["succeeded", "succeeded"]
    });
    assert_eq!(statuses(&scene, "invoices"), ["paid", "paid"]);
    until(&scene, "told twice", || heard(&addr, "again") >= 1);
    // What was settled is counted, though no run did it.
    until(&scene, "counted", || {
        looks_in(&addr, "/metrics", &addr).1.contains("dues_collected_minor_total{currency=\"THB\"} 198000")
    });
    assert!(looks_in(&addr, "/metrics", &addr).1.contains("dues_resolved_total{outcome=\"succeeded\"} 1"));
    assert_eq!(scene.ledger().len(), 2, "{}", scene.story());
    leaves(child);
}

#[test]
fn a_new_card_clears_its_flag_and_is_tried_at_once() {
    let scene = Scene::new(Setting { customers: 0, ..Setting::default() });
    let customer = scene.cardless_customer();
    scene.import(&format!("customer,plan\n{customer},monthly\n"));
    let (child, _supervisor, _addr) = service(&scene, &[OLD, NEW], "fine");
    until(&scene, "flagged", || scene.list("flags").len() == 1);
    let token = scene.new_token("4242424242424242");
    let key = scene.sandbox().secret_key().to_owned();
    scene.ask("PATCH", &format!("/customers/{customer}"), &key, &json!({"card": token}));
    until(&scene, "the flag stands", || scene.list("flags").is_empty());
    until(&scene, "nothing was tried", || statuses(&scene, "invoices") == ["paid"]);
    assert_eq!(scene.ledger().len(), 1, "{}", scene.story());
    leaves(child);
}

#[test]
fn a_new_card_that_the_watch_saw_before_its_ring_is_tried_at_once_too() {
    let scene = Scene::new(Setting { customers: 0, ..Setting::default() });
    let customer = scene.cardless_customer();
    scene.import(&format!("customer,plan\n{customer},monthly\n"));
    scene.write_secret("webhook.secret", OLD);
    let (child, _supervisor, _addr) = with_windows(&scene, SECRET);
    until(&scene, "flagged", || scene.list("flags").len() == 1);
    let token = scene.new_token("4242424242424242");
    let key = scene.sandbox().secret_key().to_owned();
    scene.ask("PATCH", &format!("/customers/{customer}"), &key, &json!({"card": token}));
    // Nobody rings: the watch clears the flag, and asks for the run.
    scene.dues(&["cards", "watch"]).expect(0);
    assert!(scene.list("flags").is_empty(), "{}", scene.story());
    until(&scene, "nothing was tried", || statuses(&scene, "invoices") == ["paid"]);
    assert_eq!(scene.ledger().len(), 1, "{}", scene.story());
    leaves(child);
}

#[test]
fn news_that_change_nothing_charge_nobody() {
    let scene = Scene::new(Setting { customers: 1, ..Setting::default() });
    let customer = scene.customers().remove(0);
    let (child, _supervisor, addr) = service(&scene, &[OLD], "fine");
    scene.import(&format!("customer,plan\n{customer},monthly\n"));
    let key = scene.sandbox().secret_key().to_owned();
    scene.ask("PATCH", &format!("/customers/{customer}"), &key, &json!({"description": "moved"}));
    until(&scene, "it rang", || heard(&addr, "taken") == 1);
    let book = book_of(&scene);
    until(&scene, "acted upon", || number(&book, "SELECT count(*) FROM webhook_events") == 1);
    assert_eq!(number(&book, "SELECT count(*) FROM run_requests"), 0, "due, but by the schedule alone");
    leaves(child);
}

#[test]
fn news_of_what_the_book_knows_cost_no_request() {
    let scene = Scene::new(Setting::default());
    let rows: Vec<String> = scene.customers().iter().map(|id| format!("{id},monthly")).collect();
    // The service learns of its secret, and the sandbox of the service, before the first charge.
    let (child, mut supervisor, addr) = service(&scene, &[OLD], "fine");
    scene.import(&format!("customer,plan\n{}\n", rows.join("\n")));
    scene.dues(&["run-now"]).expect(0);
    until(&scene, "the charges rang", || heard(&addr, "taken") == 6);
    // Nor does any request come from what the service does once a day.
    until_the_day_is_done(&scene);
    // Whatever follows from them has followed before another ring is looked after.
    let before = requests(&scene);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(requests(&scene), before, "{}", scene.story());
    assert_eq!(scene.ledger().len(), 6);
    // Refunded outside: looked up, told, and nothing else.
    let charge = scene.list("attempts")[0]["charge"].as_str().unwrap().to_owned();
    let key = scene.sandbox().secret_key().to_owned();
    scene.ask("POST", &format!("/charges/{charge}/refunds"), &key, &json!({"amount": 99_000}));
    until(&scene, "the refund was not looked up", || requests(&scene) > before + 1);
    signal(&child, Signal::TERM);
    supervisor.waits_for("STOPPING=1");
    let ended = child.wait().expect(0);
    assert!(ended.stderr.contains("given back whole"), "{}", ended.stderr);
}

/// A signature header of ours over that stamp and body.
pub(super) fn sign(secret: &str, stamp: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&STANDARD.decode(secret).unwrap()).unwrap();
    mac.update(&[stamp.as_bytes(), b".", body].concat());
    mac.finalize().into_bytes().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Rings by hand; the status that is answered.
pub(super) fn ring(addr: &str, head: &str, body: &[u8]) -> u16 {
    let mut stream = TcpStream::connect(addr).unwrap();
    let length = body.len();
    let head =
        format!("POST /webhooks/omise HTTP/1.1\r\nHost: {addr}\r\n{head}Content-Length: {length}\r\n\r\n");
    // Who sends too much may find the door shut before the end of it.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    std::str::from_utf8(&answer[9..]).unwrap().parse().unwrap()
}

pub(super) fn signed(secret: &str, at: i64, body: &[u8]) -> String {
    let stamp = at.to_string();
    let signature = sign(secret, &stamp, body);
    format!("Omise-Signature: {signature}\r\nOmise-Signature-Timestamp: {stamp}\r\n")
}

#[test]
fn only_the_provider_is_heard_and_only_what_it_can_show() {
    let scene = Scene::new(Setting { customers: 1, ..Setting::default() });
    let customer = scene.customers().remove(0);
    scene.charges_meet("3ds", None, None);
    scene.import(&format!("customer,plan\n{customer},monthly\n"));
    let (child, _supervisor, addr) = service(&scene, &[OLD], "lost");
    until(&scene, "a charge waits", || statuses(&scene, "attempts") == ["pending"]);
    // From here on each request is one that a ring led to.
    until_the_day_is_done(&scene);
    let row = scene.list("attempts").remove(0);
    let (charge, attempt) = (row["charge"].as_str().unwrap(), row["id"].as_str().unwrap());
    let real = scene.ask("GET", &format!("/charges/{charge}"), scene.sandbox().secret_key(), &Value::Null);
    assert_eq!(real["metadata"]["dues_attempt"], attempt);
    // A body that says "paid" of a charge that is not: only the provider's own word counts.
    let lie = |event: &str| {
        let mut data = real.clone();
        (data["status"], data["paid"]) = ("successful".into(), true.into());
        json!({"object": "event", "id": event, "key": "charge.complete", "livemode": false, "data": data})
            .to_string()
    };
    let now = || jiff::Timestamp::now().as_second();
    let body = lie("evnt_test_1");
    let body = body.as_bytes();
    assert_eq!(ring(&addr, "", body), 401, "no signature at all");
    assert_eq!(ring(&addr, &signed("b3RoZXI=", now(), body), body), 401, "another secret");
    let touched = lie("evnt_test_2");
    assert_eq!(ring(&addr, &signed(OLD, now(), body), touched.as_bytes()), 401, "another body");
    let twice = signed(OLD, now(), body).repeat(2);
    assert_eq!(ring(&addr, &twice, body), 401, "headers that contradict each other");
    assert_eq!(ring(&addr, &signed(OLD, now(), b"{}"), b"{}"), 400);
    assert_eq!(ring(&addr, &signed(OLD, now(), b"\xff\x00"), b"\xff\x00"), 400);
    let long = vec![b' '; 300 * 1024];
    assert_eq!(ring(&addr, &signed(OLD, now(), &long), &long), 413);
    assert_eq!(looks_in(&addr, "/webhooks/omise", &addr).0, 405);
    assert_eq!(heard(&addr, "taken"), 0);
    // Signed just now, by either secret of a roll: looked up, and the lie is not believed.
    let before = requests(&scene);
    assert_eq!(ring(&addr, &signed(OLD, now(), body), body), 200);
    until(&scene, "looked up", || requests(&scene) > before);
    assert_eq!(ring(&addr, &signed(NEW, now(), body), body), 200, "told again");
    assert_eq!((heard(&addr, "taken"), heard(&addr, "again")), (1, 1));
    // Signed long ago: the provider has no such event, so nothing is asked of its charge.
    let old = lie("evnt_test_3");
    let before = requests(&scene);
    assert_eq!(ring(&addr, &signed(OLD, now() - 3_600, old.as_bytes()), old.as_bytes()), 200);
    until(&scene, "the event is asked for", || requests(&scene) == before + 1);
    assert_eq!(statuses(&scene, "attempts"), ["pending"], "{}", scene.story());
    assert_eq!(scene.ledger().len(), 1);
    // A real event with an old signature is as good as a fresh one.
    scene.ask("POST", &format!("/__sandbox/charges/{charge}/approve"), "", &Value::Null);
    let events = scene.ask("GET", "/events?limit=100", scene.sandbox().secret_key(), &Value::Null);
    let newest = events["data"].as_array().unwrap().iter().rfind(|event| event["data"]["id"] == charge);
    let event = newest.expect("an event of the charge").clone().to_string();
    assert_eq!(ring(&addr, &signed(OLD, now() - 3_600, event.as_bytes()), event.as_bytes()), 200);
    until(&scene, "a real event was not believed", || statuses(&scene, "attempts") == ["succeeded"]);
    leaves(child);
}

#[test]
fn what_was_acted_upon_is_remembered_by_the_next_process() {
    let scene = Scene::new(Setting { customers: 1, ..Setting::default() });
    let customer = scene.customers().remove(0);
    scene.import(&format!("customer,plan\n{customer},monthly\n"));
    let (child, _supervisor, addr) = service(&scene, &[OLD], "lost");
    let body = json!({"object": "event", "id": "evnt_test_7", "key": "customer.update",
        "data": {"object": "customer", "id": customer}});
    let body = body.to_string();
    let now = || jiff::Timestamp::now().as_second();
    assert_eq!(ring(&addr, &signed(OLD, now(), body.as_bytes()), body.as_bytes()), 200);
    let book = book_of(&scene);
    until(&scene, "acted upon", || number(&book, "SELECT count(*) FROM webhook_events") == 1);
    drop(book);
    leaves(child);
    let _ = std::fs::remove_file(scene.path("notify"));
    let (child, mut supervisor) = start(&scene);
    supervisor.waits_for("last run");
    assert_eq!(ring(&addr, &signed(OLD, now(), body.as_bytes()), body.as_bytes()), 200);
    assert_eq!((heard(&addr, "taken"), heard(&addr, "again")), (0, 1));
    leaves(child);
}
