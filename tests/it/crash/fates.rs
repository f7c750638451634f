//! Without any kill: each way of answering makes of an attempt what it ought to, and what is left of it ends well.

use serde_json::Value;

use super::ways::{MET, MORE_WAYS, WAYS, Way, doubled};
use super::{Count, rest, small_book};
use crate::harness::AT;

#[test]
fn each_way_has_its_fate() {
    let mut count = Count::default();
    for way in WAYS.iter().chain(MORE_WAYS) {
        one(&mut count, way);
    }
    count.close_undisturbed("undisturbed, each way of answering");
}

fn one(count: &mut Count, way: &Way) {
    let case = format!("undisturbed, provider: {}", way.name);
    let (scene, mut expected) = small_book(way.timeout);
    expected.doubled_by_provider = doubled(way.faults);
    if !way.faults.is_empty() {
        scene.charges_meet(way.faults, None, Some(MET.into()));
    }
    let ended = scene.run_at(AT);
    let stops = matches!(way.faults, "status_before:401" | "status_before:403");
    if !if stops { ended.code() == 5 } else { matches!(ended.code(), 0 | 3) } {
        count.faults.push(format!("{case}: {ended:#?}"));
    }
    let attempts = scene.list("attempts");
    let status = |row: &Value| row["status"].as_str().unwrap_or_default().to_owned();
    let statuses: Vec<String> = attempts.iter().map(status).collect();
    let met = statuses.iter().filter(|status| *status == way.fate).count();
    let others = statuses.iter().filter(|status| *status != way.fate && *status != "succeeded").count();
    // Keys that are refused stop the run before another charge may meet the way.
    let wanted = usize::from(MET);
    let well = if way.fate == "succeeded" { met > wanted } else { met == wanted || (stops && met == 1) };
    if !well || others > 0 {
        count.faults.push(format!(
            "{case}: wanted {MET} {}, found {statuses:?}\n{}",
            way.fate,
            scene.story()
        ));
    }
    if way.faults.starts_with("late") {
        std::thread::sleep(std::time::Duration::from_millis(60));
    }
    match rest(&scene, AT) {
        Ok(()) => {
            // A double that a look finds is told to a person; one that hides behind a good answer is seen by nobody yet.
            let told = scene.list("events").iter().filter(|event| event["kind"] == "incident").count();
            if way.faults == "duplicate,close_after" && told != expected.doubled_by_provider {
                count.faults.push(format!("{case}: lost: {told} doubles were told\n{}", scene.story()));
            }
            count.judged(&case, &scene, &expected);
        }
        Err(story) => count.faults.push(format!("{case}: {story}\n{}", scene.story())),
    }
}
