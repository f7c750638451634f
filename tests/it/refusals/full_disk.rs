//! A disk that fills up: a small file system of its own, which takes the right to mount one. By themselves these are
//! ignored and count as skipped; `tests/run` asks for them wherever one can be mounted.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use crate::harness::{AT, Book, Expected, Scene, Setting, SmallDisk, judge};

/// So many due periods.
pub(super) const SUBSCRIPTIONS: u32 = 300;
/// Room for the book with its subscriptions and the reserve, but not for what 300 charges write.
const SMALL_KIB: u32 = 1_850;

/// Writes `many.csv`: all of them due.
pub(super) fn many(scene: &Scene) -> Expected {
    let mut csv = String::from("id,customer,plan,starts\n");
    let mut expected = Expected::default();
    for (number, customer) in scene.customers().iter().enumerate() {
        let _ = writeln!(csv, "sub-{number},{customer},monthly,2030-11-15");
        expected = expected.with(&format!("sub-{number}"), &["2030-11-15"], 99_000);
    }
    scene.write("many.csv", &csv);
    expected
}

#[test]
#[ignore = "mounts a small disk: cargo nextest run --run-ignored all full_disk::"]
fn a_full_disk_stops_intents_and_keeps_every_result() {
    let scene = Scene::new(Setting { customers: SUBSCRIPTIONS, ..Setting::default() });
    let expected = many(&scene);
    let disk = SmallDisk::mount(&scene.path("small"), SMALL_KIB);
    let config = fs::read_to_string(scene.path("dues.toml")).expect("the config");
    scene.write("dues.toml", &config.replace("\"dues.db\"", "\"small/dues.db\""));
    scene.dues(&["import", "many.csv"]).expect(0);
    let full = scene.run_at(AT);
    assert_eq!(full.code(), 4, "{full:#?}\n{}", scene.ledger().len());
    assert!(full.stderr.contains("disk is full") && full.stderr.contains("dues.db"), "{full:#?}");
    let made = scene.ledger().len();
    assert!(made < SUBSCRIPTIONS as usize, "all {made} charges were made: the disk was not full");
    println!("{made} of {SUBSCRIPTIONS} charges were made before the disk was full");
    // Whatever was charged until then is known with its result: the room kept back was enough.
    let faults = judge(
        &scene.ledger(),
        &Book::of_money(&scene),
        &Expected { periods: BTreeMap::default(), ..many(&scene) },
    );
    assert!(faults.is_empty(), "{faults:#?}");

    disk.grow(64 * 1024);
    scene.run_at(AT).expect(0);
    let faults = judge(&scene.ledger(), &Book::of_money(&scene), &expected);
    assert!(faults.is_empty() && scene.ledger().len() == SUBSCRIPTIONS as usize, "{faults:#?}");
}

#[test]
#[ignore = "mounts a small disk: cargo nextest run --run-ignored all full_disk::"]
fn a_disk_that_is_full_from_the_start_is_told_as_such() {
    let scene = Scene::new(Setting { customers: 1, ..Setting::default() });
    let _disk = SmallDisk::mount(&scene.path("small"), SMALL_KIB);
    let config = fs::read_to_string(scene.path("dues.toml")).expect("the config");
    scene.write("dues.toml", &config.replace("\"dues.db\"", "\"small/dues.db\""));
    let customer = &scene.customers()[0];
    scene.import(&format!("id,customer,plan,starts\nmay,{customer},monthly,2030-11-15\n"));
    let filled = fs::write(scene.path("small/rest"), vec![0; SMALL_KIB as usize * 1024]);
    assert!(filled.is_err(), "the rest of the disk took it all");
    let full = scene.dues(&["run-now", "--json"]).expect(4);
    assert!(full.stderr.contains("dues.db.lock: the disk is full; free some space"), "{full:#?}");
    let looked = scene.dues(&["list", "flags"]).expect(4);
    assert!(looked.stderr.contains("dues.db.access: the disk is full; free some space"), "{looked:#?}");
    assert!(scene.ledger().is_empty());
    fs::remove_file(scene.path("small/rest")).expect("room again");
    scene.run_at(AT).expect(0);
    assert_eq!(scene.ledger().len(), 1);
}
