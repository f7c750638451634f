//! SIGKILL at every named point, times every way the provider can answer.

use std::collections::{BTreeMap, BTreeSet};

use dues::hooks::KILL_POINTS;

use super::ways;
use super::{Count, killed_in_turn};

const EPOCH_AND_INTENT: &[&str] =
    &["epoch.before_commit", "epoch.after_commit", "intent.before_commit", "intent.after_commit"];
const REQUEST_AND_RESULT: &[&str] =
    &["request.before", "answer.after_read", "result.before_commit", "result.after_commit"];
const CARDS_AND_REPORT: &[&str] = &[
    "cards.before_commit",
    "cards.after_commit",
    "settle.before_commit",
    "settle.after_commit",
    "report.before_commit",
    "report.after_commit",
];

/// Those that a start passes which has something to recover.
fn of_recovery() -> impl Iterator<Item = &'static str> {
    let of_recovery = |point: &&str| point.starts_with("recovery") || point.starts_with("epoch");
    KILL_POINTS.iter().copied().filter(of_recovery)
}

/// Kills on the way of a charge, at its first or second passage by turns.
fn on_the_way(points: &[&str], name: &str) {
    let mut count = Count::default();
    let mut died = Died::new();
    for (turn, point) in points.iter().enumerate() {
        for (nth, way) in ways::at(point).enumerate() {
            let passage = if met_once(point) { 1 } else { 1 + (turn + nth) % 2 };
            let kill = format!("{point}:{passage}");
            let case = format!("killed at {kill}, provider: {}", way.name);
            let (kills, cases) = died.entry(point).or_default();
            *kills += killed_in_turn(&mut count, &case, way.faults, way.timeout, &[kill]);
            *cases += 1;
        }
    }
    every_point_was_met(&died, 1);
    count.close(&with_ways(name));
}

/// Points that a run over the small book passes a single time.
fn met_once(point: &str) -> bool {
    ["epoch", "cards", "settle", "report"].iter().any(|start| point.starts_with(start))
}

/// Kills in recovery itself, after a first kill that left something to recover.
fn in_recovery(first: &str, name: &str) {
    let mut count = Count::default();
    let mut died = Died::new();
    for point in of_recovery() {
        for way in ways::at(point) {
            let kills = [first.to_owned(), point.to_owned()];
            let case = format!("killed at {first}, then at {point}, provider: {}", way.name);
            let (killed, cases) = died.entry(point).or_default();
            *killed += killed_in_turn(&mut count, &case, way.faults, way.timeout, &kills);
            *cases += 1;
        }
    }
    every_point_was_met(&died, 2);
    count.close(&with_ways(name));
}

/// Kills and cases of each point.
type Died<'a> = BTreeMap<&'a str, (u64, u64)>;

/// A proof without kills would be none: each point must have killed in nearly every case.
fn every_point_was_met(died: &Died<'_>, wanted_of_each: u64) {
    assert!(!died.is_empty(), "no point was tried");
    for (point, (kills, cases)) in died {
        let wanted = wanted_of_each * cases * 3 / 4;
        assert!(*kills >= wanted, "{point}: only {kills} kills, wanted {wanted} or more");
    }
}

fn with_ways(name: &str) -> String {
    let (all, everywhere) = (ways::WAYS.len() + ways::MORE_WAYS.len(), ways::WAYS.len());
    format!("{name}; {all} ways of answering at decisive points, {everywhere} at others")
}

#[test]
fn around_the_epoch_and_the_intent() {
    on_the_way(EPOCH_AND_INTENT, "around the epoch and the intent");
}

#[test]
fn around_the_request_and_its_result() {
    on_the_way(REQUEST_AND_RESULT, "around the request and its result");
}

#[test]
fn around_cards_and_what_is_written_without_a_charge() {
    on_the_way(CARDS_AND_REPORT, "around cards, flags and the report");
}

#[test]
fn in_recovery_from_an_unsent_intent() {
    in_recovery("intent.after_commit", "in recovery from an unsent intent");
}

#[test]
fn in_recovery_from_an_unread_result() {
    in_recovery("answer.after_read", "in recovery from a result not kept");
}

/// What is compared here is what the proofs above and beside go through, not a list of its own.
#[test]
fn no_named_point_is_left_out() {
    let on_the_way = [EPOCH_AND_INTENT, REQUEST_AND_RESULT, CARDS_AND_REPORT].concat();
    let tried: BTreeSet<&str> =
        on_the_way.into_iter().chain(of_recovery()).chain(super::beside::POINTS.concat()).collect();
    // Those around messages have a proof of their own.
    let of_messages = |point: &&str| point.starts_with("outbox") || point.starts_with("message");
    let named: BTreeSet<&str> = KILL_POINTS.iter().copied().filter(|point| !of_messages(point)).collect();
    assert_eq!(tried, named, "kill points that the crash proofs try, and those that there are");
}
