//! SIGKILL at moments on the wire that no point in the program can name: in the middle of the request, after the
//! provider has processed it and before its answer is read, and in the middle of that answer.

use std::time::Duration;

use super::ways::{WAYS, Way};
use super::{Count, PROVIDER_SECONDS_BETWEEN_RUNS, rest, small_book};
use crate::harness::{AT, Proxy, Trick};

const TRICKS: &[Trick] = &[
    Trick::CutRequest(0),
    Trick::CutRequest(1),
    Trick::CutRequest(150),
    Trick::CutRequest(500),
    Trick::CutRequest(usize::MAX),
    Trick::HoldAnswer,
    Trick::CutAnswer(1),
    Trick::CutAnswer(200),
    Trick::CutAnswer(700),
];
/// Far longer than a run needs to reach its second charge.
const PATIENCE: Duration = Duration::from_mins(1);

/// Ways in which an answer comes that can be held.
fn answering() -> impl Iterator<Item = &'static Way> {
    let mute = ["close", "reset", "late", "silence", "truncate", "cut_at"];
    WAYS.iter().filter(move |way| !mute.iter().any(|word| way.faults.starts_with(word)))
}

#[test]
fn in_the_middle_of_request_and_answer() {
    let mut count = Count::default();
    for (turn, trick) in TRICKS.iter().enumerate() {
        for (other, way) in answering().enumerate() {
            one(&mut count, *trick, way, 1 + (turn + other) as u64 % 2);
        }
    }
    assert_eq!(count.kills, count.cases, "every case kills once");
    count.close("on the wire");
}

fn one(count: &mut Count, trick: Trick, way: &Way, nth: u64) {
    let case = format!("killed on the wire at charge {nth}, {trick:?}, provider: {}", way.name);
    // Long enough that the program waits for the held answer until it is killed.
    let (scene, expected) = small_book("30s");
    if !way.faults.is_empty() {
        scene.charges_meet(way.faults, None, Some(2));
    }
    let proxy = Proxy::start(scene.runtime(), scene.sandbox().addr(), trick, nth);
    scene.write_config("proxied.toml", proxy.addr());
    let child = scene.start(&["run-now", "--json", "--at", AT, "--config", "proxied.toml"], &[]);
    if proxy.reached(PATIENCE) {
        assert!(child.kill().killed());
        count.kills += 1;
    } else {
        count.faults.push(format!("{case}: the trick was not met: {:#?}", child.kill()));
    }
    drop(proxy);
    scene.provider_time_passes(PROVIDER_SECONDS_BETWEEN_RUNS);
    match rest(&scene, AT) {
        Ok(()) => count.judged(&case, &scene, &expected),
        Err(story) => count.faults.push(format!("{case}: {story}\n{}", scene.story())),
    }
}
