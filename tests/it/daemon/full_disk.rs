//! A service whose disk fills up while it charges: it takes no further intent, keeps every result, says so to whoever
//! watches, and goes on by itself once there is room. It takes the right to mount a small disk: by itself it is ignored
//! and counts as skipped; `tests/run` asks for it wherever one can be mounted.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use rustix::process::Signal;

use super::process::{in_days, signal};
use super::webhooks::until;
use super::windows::{looks_in, with_windows};
use crate::harness::{Book, Expected, Scene, Setting, SmallDisk, judge};

const SUBSCRIPTIONS: u32 = 300;
/// Room for the book with its subscriptions and the reserve, but not for what 300 charges write.
const SMALL_KIB: u32 = 1_850;
const ROOMY_KIB: u32 = 64 * 1024;

/// All of them due since yesterday, in a book on a disk of its own.
fn on_a_small_disk(scene: &Scene) -> (SmallDisk, Expected) {
    let disk = SmallDisk::mount(&scene.path("small"), SMALL_KIB);
    let config = fs::read_to_string(scene.path("dues.toml")).expect("the config");
    scene.write("dues.toml", &config.replace("\"dues.db\"", "\"small/dues.db\""));
    let starts = in_days(-1);
    let mut csv = String::from("id,customer,plan,starts\n");
    let mut expected = Expected::default();
    for (number, customer) in scene.customers().iter().enumerate() {
        let _ = writeln!(csv, "sub-{number},{customer},monthly,{starts}");
        expected = expected.with(&format!("sub-{number}"), &[&starts], 99_000);
    }
    scene.import(&csv);
    (disk, expected)
}

#[test]
#[ignore = "mounts a small disk: cargo nextest run --run-ignored all full_disk::"]
fn a_service_whose_disk_fills_up_keeps_every_result_and_goes_on_once_there_is_room() {
    let scene = Scene::new(Setting { customers: SUBSCRIPTIONS, ..Setting::default() });
    let (disk, expected) = on_a_small_disk(&scene);
    let (child, mut supervisor, addr) = with_windows(&scene, "");
    let status = supervisor.waits_for("trouble with the book");
    assert!(status.contains("disk is full"), "{status}");
    let (code, text) = looks_in(&addr, "/readyz", &addr);
    assert!(code == 503 && text.contains("disk is full"), "{code} {text}");
    assert_eq!(looks_in(&addr, "/healthz", &addr).0, 200, "it lives, and nobody needs to start it anew");
    let made = scene.ledger().len();
    assert!(made < SUBSCRIPTIONS as usize, "all {made} charges were made: the disk was not full");
    // Whatever was charged until then is known with its result: the room kept back was enough.
    let known =
        Expected { periods: BTreeMap::default(), amounts: expected.amounts.clone(), ..Expected::default() };
    let faults = judge(&scene.ledger(), &Book::of_money(&scene), &known);
    assert!(faults.is_empty(), "{faults:#?}");

    disk.grow(ROOMY_KIB);
    until(&scene, "everything is charged", || scene.ledger().len() == SUBSCRIPTIONS as usize);
    until(&scene, "it is ready again", || looks_in(&addr, "/readyz", &addr).0 == 200);
    signal(&child, Signal::TERM);
    child.wait().expect(0);
    let faults = judge(&scene.ledger(), &Book::of_money(&scene), &expected);
    assert!(faults.is_empty(), "{faults:#?}");
}
