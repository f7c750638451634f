//! Copies and check-ups.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use super::super::{Restored, beside, restore, with_end};
use super::*;
use crate::model::Change;
use crate::store::conformance::samples::*;
use crate::store::{HostBinding, Store as _, StoreError};

#[test]
fn a_backup_is_one_moment_of_a_book_that_others_write() {
    let (folder, path, mut store) = new_book();
    fill(&mut store, 500);
    let copy = folder.path().join("copy.db");
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut writer = SqliteStore::open(&path, OpenOptions::default()).unwrap();
            let mut n = 0;
            while !stop.load(Ordering::Relaxed) {
                // Two subscriptions move together, so a copy of two moments would show them apart.
                let both = [n % 250, n % 250 + 250].map(|n| {
                    let s = snapshot(&mut writer, n).subscription;
                    Change::UpdateSubscription(s)
                });
                let moved = crate::model::Transition { changes: both.into(), ..Default::default() };
                accept(&mut writer, moved);
                n += 1;
            }
        });
        let mut told = Vec::new();
        store.backup(&copy, &mut |done, total| told.push((done, total))).unwrap();
        stop.store(true, Ordering::Relaxed);
        let (done, total) = told.last().unwrap();
        assert!(done == total && *total > 0);
    });
    assert_eq!(
        store.backup(&copy, &mut |_, _| ()),
        Err(StoreError::Exists { what: "file", id: copy.display().to_string() })
    );
    assert!(!with_end(&copy, "-wal").exists(), "a copy is one file");
    let mut copied = SqliteStore::open(&copy, OpenOptions::default()).unwrap();
    for n in 0..250 {
        let (one, other) = (snapshot(&mut copied, n), snapshot(&mut copied, n + 250));
        assert_eq!(one.subscription.version, other.subscription.version);
    }
    assert_eq!(copied.facts().unwrap().installation, store.facts().unwrap().installation);
}

#[test]
fn a_restored_book_is_bound_to_no_host() {
    let (folder, path, mut store) = new_book();
    fill(&mut store, 3);
    let host = HostBinding { machine: "m".into(), path: "p".into() };
    store.bind_host(&host).unwrap();
    store.bind_mode(false).unwrap();
    let copy = folder.path().join("copy.db");
    store.backup(&copy, &mut |_, _| ()).unwrap();
    fill_more(&mut store, 3);
    let installation = store.facts().unwrap().installation;
    drop(store);
    // A journal that was left behind must not be taken for the restored book's.
    fs::write(with_end(&path, "-wal"), "old").unwrap();
    let replaced = Some(beside(&path, "replaced"));
    assert_eq!(restore(&copy, &path), Ok(Restored { installation, replaced }));
    let mut restored = SqliteStore::open(&path, OpenOptions::default()).unwrap();
    let facts = restored.facts().unwrap();
    assert_eq!((facts.host, facts.livemode), (None, Some(false)));
    assert_eq!(restored.count_due(at(0)).unwrap(), 3);
    let mut aside = SqliteStore::open(&beside(&path, "replaced"), OpenOptions::default()).unwrap();
    assert_eq!((aside.count_due(at(0)).unwrap(), aside.facts().unwrap().host), (4, Some(host)));
    let mut source = SqliteStore::open(&copy, OpenOptions::default()).unwrap();
    assert!(source.facts().unwrap().host.is_some(), "the backup itself is not touched");
}

fn fill_more(store: &mut SqliteStore, n: u32) {
    let plan = store.plans().unwrap()[0].id;
    accept(store, only(Change::InsertSubscription(subscription(n, plan))));
}

#[test]
fn what_was_replaced_is_never_overwritten() {
    let (folder, path, mut store) = new_book();
    fill(&mut store, 2);
    let copy = folder.path().join("copy.db");
    store.backup(&copy, &mut |_, _| ()).unwrap();
    fill_more(&mut store, 2);
    drop(store);
    let put_back = || restore(&copy, &path).unwrap().replaced;
    let named = |kind: &str| Some(beside(&path, kind));
    assert_eq!([put_back(), put_back()], [named("replaced"), named("replaced.2")]);
    // A journal alone takes the name too: the book that gets it would be read with it.
    fs::write(with_end(&beside(&path, "replaced.3"), "-wal"), "a journal").unwrap();
    assert_eq!(put_back(), named("replaced.4"));
    let due =
        |file: &Path| SqliteStore::open(file, OpenOptions::default()).unwrap().count_due(at(0)).unwrap();
    assert_eq!(
        (due(&beside(&path, "replaced")), due(&path)),
        (3, 2),
        "the first, which had more, is still there"
    );
}

#[test]
fn only_a_healthy_book_is_restored() {
    let (folder, path, mut store) = new_book();
    fill(&mut store, 300);
    drop(store);
    let before = fs::read(&path).unwrap();
    let from = folder.path().join("from.db");
    assert!(matches!(restore(&from, &path), Err(StoreError::Foreign { .. })));
    fs::write(&from, "a,b\n".repeat(500)).unwrap();
    assert!(matches!(restore(&from, &path), Err(StoreError::Foreign { .. })));
    let mut damaged = before.clone();
    let end = damaged.len();
    damaged[16_384..end].fill(0x5a);
    fs::write(&from, &damaged).unwrap();
    assert!(matches!(restore(&from, &path), Err(StoreError::Corrupt { .. })));
    let newer = folder.path().join("newer.db");
    fs::write(&newer, &before).unwrap();
    raw(&newer).execute_batch("PRAGMA user_version = 10").unwrap();
    assert!(matches!(restore(&newer, &path), Err(StoreError::Newer { .. })));
    assert_eq!(fs::read(&path).unwrap(), before);
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|f| f.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("restoring")), "{left:?}");
}

#[test]
fn a_book_is_restored_where_none_was() {
    let (folder, path, mut store) = new_book();
    fill(&mut store, 2);
    drop(store);
    let to = folder.path().join("new.db");
    restore(&path, &to).unwrap();
    assert_eq!(SqliteStore::open(&to, OpenOptions::default()).unwrap().count_due(at(0)).unwrap(), 2);
}

#[test]
fn a_check_up_finds_what_no_constraint_holds() {
    let (_folder, path, mut store) = new_book();
    fill(&mut store, 6);
    let epoch = begin(&mut store);
    charge_once(&mut store, 0, epoch, at(0));
    let before = snapshot(&mut store, 1);
    let opened = intent(&mut store, &before, epoch, at(1));
    accept(&mut store, opened);
    let mut steps = Vec::new();
    assert_eq!(store.verify(&mut |done, total| steps.push((done, total))).unwrap(), Vec::<String>::new());
    assert_eq!(steps.last().map(|(done, total)| done == total), Some(true));
    let conn = raw(&path);
    let spoil = [
        ("PRAGMA ignore_check_constraints = ON", ""),
        ("UPDATE invoices SET status = 1, closed_after = 0 WHERE row = 2", "sub_00000001.0 is paid"),
        ("UPDATE invoices SET status = 0, closed_after = NULL WHERE row = 1", "sub_00000000.0.1 succeeded"),
        ("UPDATE subscriptions SET next_index = 0 WHERE row = 1", "sub_00000000 has an invoice for a period"),
        (
            "UPDATE subscriptions SET next_index = 3 WHERE row = 3",
            "sub_00000002 has neither an invoice nor a skip",
        ),
        ("UPDATE subscriptions SET wake_at = NULL WHERE row = 4", "sub_00000003 is to be billed"),
        ("UPDATE subscriptions SET card = 9 WHERE row = 5", "sub_00000004 names a card"),
        ("DROP TRIGGER intents_stay_while_unfinished; DELETE FROM intents", "sub_00000001.0.1 is unfinished"),
        ("DROP TRIGGER events_stay; DELETE FROM events WHERE seq = 2", "event 2 is missing"),
        (
            "PRAGMA foreign_keys = OFF; UPDATE subscriptions SET zone = 77 WHERE row = 6",
            "missing row of zones",
        ),
    ];
    for (sql, sentence) in spoil {
        conn.execute_batch(sql).unwrap();
        let complaints = store.verify(&mut |_, _| ()).unwrap();
        assert!(
            sentence.is_empty() || complaints.iter().any(|c| c.contains(sentence)),
            "{sql}: {complaints:?}"
        );
    }
}

#[test]
fn a_key_that_does_not_follow_from_its_id_is_told() {
    let (_folder, path, mut store) = new_book();
    fill(&mut store, 1);
    let epoch = begin(&mut store);
    let before = snapshot(&mut store, 0);
    let opened = intent(&mut store, &before, epoch, at(1));
    accept(&mut store, opened);
    raw(&path)
        .execute_batch("DROP TRIGGER intents_keep_key_and_body; UPDATE intents SET key = zeroblob(16)")
        .unwrap();
    let complaints = store.verify(&mut |_, _| ()).unwrap();
    assert_eq!(complaints, ["attempt sub_00000000.0.1 has a key that does not follow from its id"]);
}
