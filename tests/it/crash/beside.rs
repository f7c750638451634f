//! SIGKILL in what charges nobody and yet decides who is charged: orders of a person, news of a customer's cards, the
//! card watch, putting a backup back and adopting it. Done again, each comes to what it would have come to, and the
//! provider's ledger has every charge once.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Count, PROVIDER_SECONDS_BETWEEN_RUNS, rest};
use crate::harness::{Ended, Expected, Scene, Setting};

const ORDER: &[&str] = &["order.before_commit", "order.after_commit"];
const NEWS: &[&str] = &["news.before_commit", "news.after_commit"];
const CARD_WATCH: &[&str] =
    &["watch.before_keep", "watch.after_keep", "warning.before_commit", "warning.after_commit"];
const ADOPT: &[&str] = &["adopt.before_take", "adopt.after_take", "adopt.before_bind", "adopt.after_bind"];
const RESTORE: &[&str] = &["restore.before_rename", "restore.aside", "restore.in_place"];
/// Every kill point that is tried here.
pub const POINTS: &[&[&str]] = &[ORDER, NEWS, CARD_WATCH, ADOPT, RESTORE];

fn killed(count: &mut Count, scene: &Scene, words: &[&str], kill: &str) {
    let ended = scene.start(words, &[("DUES_KILL_AT", kill)]).wait();
    if ended.killed() {
        count.kills += 1;
    } else {
        count.faults.push(format!("killed at {kill}: it was not: {ended:#?}"));
    }
}

/// Runs by the machine's clock, as orders are, until nothing moves any more.
fn run_now(scene: &Scene) -> Ended {
    scene.provider_time_passes(PROVIDER_SECONDS_BETWEEN_RUNS);
    scene.dues(&["run-now", "--json"])
}

/// An hour from now: whoever adopts does it by the machine's clock, and a run before that would find nothing to do.
fn soon() -> String {
    (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1)).to_string()
}

/// Monthly subscriptions from today on, whose first period alone is due whatever day it is.
fn from_today(scene: &Scene, who: &[(&str, &str)]) -> Expected {
    let rows: Vec<String> = who.iter().map(|(id, customer)| format!("{id},{customer},monthly")).collect();
    scene.import(&format!("id,customer,plan\n{}\n", rows.join("\n")));
    let mut expected = Expected::default();
    for row in scene.list("subscriptions") {
        let field = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        expected = expected.with(&field("id"), &[&field("anchor")[..10]], 99_000);
    }
    expected
}

fn times_paid(scene: &Scene) -> BTreeMap<String, usize> {
    let mut paid = BTreeMap::new();
    for entry in scene.ledger().into_iter().filter(|entry| entry.status == "successful") {
        *paid.entry(entry.customer.unwrap_or_default()).or_default() += 1;
    }
    paid
}

fn all_paid_once(count: &mut Count, case: &str, scene: &Scene, expected: &Expected, customers: usize) {
    let paid = times_paid(scene);
    if paid.len() != customers || paid.values().any(|times| *times != 1) {
        count.faults.push(format!("{case}: missed: {paid:?}\n{}", scene.story()));
    }
    count.judged(case, scene, expected);
}

#[test]
fn in_an_order_of_a_person() {
    let mut count = Count::default();
    for kill in ORDER {
        let scene = Scene::new(Setting { customers: 2, ..Setting::default() });
        let who = scene.customers();
        let expected = from_today(&scene, &[("ann", &who[0]), ("bob", &who[1])]);
        scene.charges_meet("decline:insufficient_fund", Some(&who[0]), Some(1));
        run_now(&scene).expect(0);
        killed(&mut count, &scene, &["retry", "ann"], kill);
        scene.dues(&["retry", "ann"]).expect(0);
        run_now(&scene).expect(0);
        run_now(&scene).expect(0);
        all_paid_once(&mut count, kill, &scene, &expected, 2);
    }
    count.close("in orders of a person");
}

#[test]
fn in_news_of_a_card() {
    let mut count = Count::default();
    for kill in NEWS {
        let scene = Scene::new(Setting { customers: 1, ..Setting::default() });
        let who = scene.customers();
        let cardless = scene.cardless_customer();
        let expected = from_today(&scene, &[("ann", &who[0]), ("bob", &cardless)]);
        run_now(&scene).expect(0);
        assert_eq!(times_paid(&scene).len(), 1, "bob has no card yet");
        let token = scene.new_token("4242424242424242");
        let key = scene.sandbox().secret_key();
        scene.ask("PATCH", &format!("/customers/{cardless}"), key, &json!({"card": token}));
        killed(&mut count, &scene, &["retry", "bob"], kill);
        run_now(&scene).expect(0);
        run_now(&scene).expect(0);
        all_paid_once(&mut count, kill, &scene, &expected, 2);
    }
    count.close("in news of a card");
}

/// A customer whose card ends in some days; the id.
fn ends_soon(scene: &Scene) -> String {
    let then = jiff::Zoned::now().date().checked_add(jiff::Span::new().days(10)).expect("a day");
    let card = json!({"name": "J. Doe", "number": "4242424242424242", "expiration_month": then.month(),
        "expiration_year": then.year(), "security_code": "123"});
    let token = scene.ask("POST", "/tokens", scene.sandbox().public_key(), &json!({"card": card}));
    let customer =
        scene.ask("POST", "/customers", scene.sandbox().secret_key(), &json!({"card": token["id"]}));
    customer["id"].as_str().expect("an id").to_owned()
}

#[test]
fn in_the_card_watch() {
    let mut count = Count::default();
    for kill in CARD_WATCH {
        let scene = Scene::new(Setting { customers: 1, ..Setting::default() });
        let (who, ending) = (scene.customers(), ends_soon(&scene));
        let expected = from_today(&scene, &[("ann", &who[0]), ("bob", &ending)]);
        killed(&mut count, &scene, &["cards", "watch"], kill);
        for _ in 0..2 {
            scene.dues(&["cards", "watch"]).expect(0);
        }
        let told = scene.list("events").iter().filter(|event| event["kind"] == "card_expiring").count();
        if told != 1 {
            count.faults.push(format!("{kill}: {told} warnings, wanted one\n{}", scene.story()));
        }
        run_now(&scene).expect(0);
        all_paid_once(&mut count, kill, &scene, &expected, 2);
    }
    count.close("in the card watch");
}

/// A book with charges that its backup does not know.
fn charged_after_a_backup() -> (Scene, Expected) {
    let scene = Scene::new(Setting { customers: 4, in_flight: 2, ..Setting::default() });
    let who = scene.customers();
    let names = ["may", "ron", "sue", "tom"];
    let pairs: Vec<_> = names.into_iter().zip(who.iter().map(String::as_str)).collect();
    let expected = from_today(&scene, &pairs);
    scene.dues(&["backup", "copy.db"]).expect(0);
    // Killed, so that its journal is still beside it.
    let killed = scene.start(&["run-now"], &[("DUES_KILL_AT", "result.after_commit:3")]).wait();
    assert!(killed.killed(), "{killed:#?}");
    assert!(scene.ledger().len() >= 3);
    (scene, expected)
}

fn adopted_and_at_rest(count: &mut Count, case: &str, scene: &Scene, expected: &Expected) {
    scene.provider_time_passes(PROVIDER_SECONDS_BETWEEN_RUNS);
    let adopted = scene.dues(&["adopt"]);
    if !matches!(adopted.code(), 0 | 3) {
        count.faults.push(format!("{case}: {adopted:#?}"));
    }
    match rest(scene, &soon()) {
        Ok(()) => all_paid_once(count, case, scene, expected, 4),
        Err(story) => count.faults.push(format!("{case}: {story}\n{}", scene.story())),
    }
}

#[test]
fn in_adopting_a_book_that_was_put_back() {
    let mut count = Count::default();
    for kill in ADOPT {
        let (scene, expected) = charged_after_a_backup();
        scene.dues(&["restore", "copy.db"]).expect(0);
        killed(&mut count, &scene, &["adopt"], kill);
        let before = scene.ledger().len();
        let bound = *kill == "adopt.after_bind";
        if !bound {
            scene.run_at(&soon()).expect(4);
            assert_eq!(scene.ledger().len(), before, "{kill}: charged before it was compared");
        }
        adopted_and_at_rest(&mut count, kill, &scene, &expected);
    }
    count.close("in adopting");
}

#[test]
fn in_putting_a_backup_back() {
    let mut count = Count::default();
    for point in RESTORE {
        let mut met = 0;
        for nth in 1.. {
            let (scene, expected) = charged_after_a_backup();
            let kill = format!("{point}:{nth}");
            let ended = scene.start(&["restore", "copy.db"], &[("DUES_KILL_AT", &kill)]).wait();
            if !ended.killed() {
                ended.expect(0);
                break;
            }
            (met, count.kills) = (nth, count.kills + 1);
            // What a timer does to a book that is half put back, or not there at all.
            scene.run_at(&soon());
            scene.dues(&["restore", "copy.db"]).expect(0);
            adopted_and_at_rest(&mut count, &kill, &scene, &expected);
        }
        // The book, its journal, the journal's index, and the copy.
        assert!(met >= if *point == "restore.in_place" { 1 } else { 3 }, "{point} was met {met} times");
    }
    count.close("in putting a backup back");
}
