//! The lane under test: groups, order, a full disk, an orderly end.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::conformance::samples::*;
use super::sqlite::{OpenOptions, SqliteStore};
use super::{CommitError, Lane, LaneOptions, Refusal, Store, StoreError};
use crate::model::{Change, EventKind, InvoiceId, Transition};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn book(path: &Path) -> SqliteStore {
    SqliteStore::open(path, OpenOptions { create: true, ..OpenOptions::default() }).unwrap()
}

/// A note in the diary about subscription `n`, told by its instant.
fn note(n: u32, second: i64) -> Transition {
    let about = event(EventKind::Incident, &InvoiceId::new(sub_id(n), 0), at(second));
    Transition { events: vec![about], ..Transition::default() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// However transitions come and however large a group may be: each is answered, each accepted one is in the book
    /// once, a refused one is not, and each sender's own order is kept.
    #[test]
    fn groups_change_nothing(
        most_in_group in 1_usize..20,
        queue in 1_usize..8,
        senders in prop::collection::vec(prop::collection::vec(any::<bool>(), 0..12), 1..6),
    ) {
        let mut store = SqliteStore::in_memory().unwrap();
        fill(&mut store, 10);
        let lane = Lane::start(Box::new(store), LaneOptions { queue, most_in_group });
        let wanted: usize = senders.iter().flatten().filter(|good| **good).count();
        let events = runtime().block_on(async {
            let mut tasks = Vec::new();
            for (n, good) in (0_u32..).zip(senders) {
                let lane = lane.clone();
                tasks.push(tokio::spawn(async move {
                    for (second, good) in (0_i64..).zip(good) {
                        // Subscription 99 is in no book.
                        let answer = lane.commit(note(if good { n } else { 99 }, second)).await;
                        assert_eq!(answer.is_ok(), good);
                    }
                }));
            }
            for task in tasks {
                task.await.unwrap();
            }
            let events = lane.run(|store| store.list_events(&super::Filter::default(), 0, 1_000).unwrap()).await.unwrap();
            lane.close().await;
            events
        });
        prop_assert_eq!(events.len(), wanted);
        prop_assert_eq!(lane.stats().transitions, wanted as u64);
        for n in 0..6 {
            let own: Vec<_> = events.iter().filter(|e| e.subscription == Some(sub_id(n))).map(|e| e.at).collect();
            prop_assert!(own.is_sorted());
        }
    }
}

#[test]
fn errands_and_transitions_keep_their_order() {
    let mut store = SqliteStore::in_memory().unwrap();
    fill(&mut store, 1);
    let lane = Lane::start(Box::new(store), LaneOptions::default());
    runtime().block_on(async {
        let count =
            |store: &mut dyn Store| store.list_events(&super::Filter::default(), 0, 100).unwrap().len();
        let (a, b, c, d) = tokio::join!(
            biased_order(lane.commit(note(0, 1))),
            lane.run(count),
            lane.commit(note(0, 2)),
            lane.run(count)
        );
        assert!(a.is_ok() && c.is_ok());
        assert_eq!((b, d), (Ok(1), Ok(2)));
        lane.close().await;
    });
}

/// `join!` polls in the order written, so that queueing happens in that order.
async fn biased_order<T>(first: impl Future<Output = T>) -> T {
    first.await
}

#[test]
fn many_at_once_share_few_commits_and_one_alone_does_not_wait() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = book(&folder.path().join("dues.db"));
    fill(&mut store, 64);
    let lane = Lane::start(Box::new(store), LaneOptions::default());
    runtime().block_on(async {
        let mut tasks = Vec::new();
        for n in 0..64 {
            let lane = lane.clone();
            tasks.push(tokio::spawn(async move {
                for second in 0..20 {
                    lane.commit(note(n, second)).await.unwrap();
                }
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        let stats = lane.stats();
        assert_eq!(stats.transitions, 64 * 20);
        assert!(stats.commits * 20 <= stats.transitions, "{stats:?}");
        for second in 0..5 {
            lane.commit(note(0, 100 + second)).await.unwrap();
        }
        assert!(lane.stats().commits >= stats.commits + 5, "nobody else is there to share with");
        lane.close().await;
    });
}

#[test]
fn a_closed_lane_has_finished_what_was_queued() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dues.db");
    let mut store = book(&path);
    fill(&mut store, 1);
    let lane = Lane::start(Box::new(store), LaneOptions::default());
    runtime().block_on(async {
        let (started, go) = std::sync::mpsc::channel::<()>();
        let blocked = tokio::spawn({
            let lane = lane.clone();
            async move { lane.run(move |_| go.recv().is_ok()).await }
        });
        let mut queued = Vec::new();
        while lane.jobs_waiting() == 0 && !blocked.is_finished() {
            // The errand holds the thread; what is sent now waits behind it.
            queued.push(tokio::spawn({
                let lane = lane.clone();
                async move { lane.commit(note(0, 1)).await }
            }));
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let closing = tokio::spawn({
            let lane = lane.clone();
            async move { lane.close().await }
        });
        started.send(()).unwrap();
        closing.await.unwrap();
        assert_eq!(blocked.await.unwrap(), Ok(true));
        for commit in queued {
            assert!(commit.await.unwrap().is_ok());
        }
        assert_eq!(lane.commit(note(0, 2)).await, Err(CommitError::Closed(super::LaneClosed)));
        assert_eq!(lane.run(|_| ()).await, Err(super::LaneClosed));
        lane.close().await;
    });
    // The thread gave the file back: another can open it, and nothing is left in the journal.
    assert!(!path.with_extension("db-wal").exists());
}

#[test]
fn a_second_connection_writes_beside_the_lane() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dues.db");
    let mut store = book(&path);
    fill(&mut store, 8);
    let lane = Lane::start(Box::new(store), LaneOptions::default());
    let beside = std::thread::spawn({
        let path = path.clone();
        move || {
            let mut store = book(&path);
            let mut conflicts = 0;
            for _ in 0..50 {
                let subscription = snapshot(&mut store, 0).subscription;
                let answer = store.commit(&[only(Change::UpdateSubscription(subscription))]).unwrap();
                conflicts += u32::from(matches!(answer[0], Err(Refusal::Conflict(_))));
            }
            conflicts
        }
    });
    let ours = runtime().block_on(async {
        let mut conflicts = 0;
        for _ in 0..50 {
            let subscription = lane.run(|store| snapshot(store, 0).subscription).await.unwrap();
            let answer = lane.commit(only(Change::UpdateSubscription(subscription))).await;
            conflicts += u32::from(matches!(answer, Err(CommitError::Refused(Refusal::Conflict(_)))));
        }
        conflicts
    });
    let theirs = beside.join().unwrap();
    let version = runtime().block_on(lane.run(|store| snapshot(store, 0).subscription.version)).unwrap();
    // Every write that was not refused counted once: none was lost, none written over another.
    assert_eq!(version.0, crate::model::Version::FIRST.0 + (50 - ours) + (50 - theirs));
    runtime().block_on(lane.close());
}

#[test]
fn results_are_written_where_intents_find_no_room() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dues.db");
    let mut store = book(&path);
    fill(&mut store, 40);
    let epoch = begin(&mut store);
    for n in 0..20 {
        let before = snapshot(&mut store, n);
        let opened = intent(&mut store, &before, epoch, at(0));
        accept(&mut store, opened);
    }
    let long: Arc<str> = "x".repeat(20_000).into();
    let results: Vec<_> = (0..20)
        .map(|n| {
            let mut bulky = paid(&snapshot(&mut store, n), epoch, at(1), n);
            bulky.events[0].data = Some(Arc::clone(&long));
            bulky
        })
        .collect();
    let intents: Vec<_> = (20..40)
        .map(|n| {
            let before = snapshot(&mut store, n);
            let mut bulky = intent(&mut store, &before, epoch, at(0));
            bulky.events[0].data = Some(Arc::clone(&long));
            bulky
        })
        .collect();
    store.fill_disk(400);
    let lane = Lane::start(Box::new(store), LaneOptions::default());
    let (mut written, mut refused) = (HashSet::new(), 0);
    runtime().block_on(async {
        let (started, go) = std::sync::mpsc::channel::<()>();
        let (holds, held) = tokio::sync::oneshot::channel();
        // Holds the thread before any of them comes, so that all of them make one group.
        let blocked = tokio::spawn({
            let lane = lane.clone();
            async move { lane.run(move |_| holds.send(()).is_ok() && go.recv().is_ok()).await }
        });
        held.await.unwrap();
        let mut tasks = Vec::new();
        for (n, transition) in results.into_iter().chain(intents).enumerate() {
            let lane = lane.clone();
            tasks.push((n, tokio::spawn(async move { lane.commit(transition).await })));
        }
        while lane.jobs_waiting() < 40 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        started.send(()).unwrap();
        blocked.await.unwrap().unwrap();
        for (n, task) in tasks {
            match task.await.unwrap() {
                Ok(_) => assert!(written.insert(n)),
                Err(CommitError::Store(StoreError::Full { .. })) => refused += 1,
                other => panic!("{n}: {other:?}"),
            }
        }
        lane.close().await;
    });
    assert_eq!(refused, 20);
    assert_eq!(written, (0..20).collect());
    assert!(!super::sqlite::beside(&path, "reserve").exists(), "its room went to the results");
    // With room again the reserve is taken back before the next intent.
    let mut store = book(&path);
    assert!(super::sqlite::beside(&path, "reserve").exists());
    let before = snapshot(&mut store, 30);
    let opened = intent(&mut store, &before, epoch, at(0));
    accept(&mut store, opened);
}

#[test]
fn the_length_of_a_commit_leaves_out_the_writing_before_it() {
    let mut store = SqliteStore::in_memory().unwrap();
    fill(&mut store, 1);
    let batch: Vec<Transition> = (0..4_000).map(|second| note(0, second)).collect();
    let watch = crate::clock::Stopwatch::start();
    assert!(store.commit(&batch).unwrap().iter().all(Result::is_ok));
    let (all, last) = (watch.elapsed(), store.last_commit());
    // Without a file there is no log and no disk to wait for.
    assert!(last > Duration::ZERO && last * 10 < all, "{last:?} of {all:?}");
    store.facts().unwrap();
    assert_eq!(store.last_commit(), last, "reading is no commit");
    let lane = Lane::start(Box::new(store), LaneOptions::default());
    runtime().block_on(async {
        lane.commit(note(0, 5_000)).await.unwrap();
        let lengths = lane.stats().lengths;
        let last = lane.run(|store| store.last_commit()).await.unwrap();
        assert_eq!((lengths.count(), lengths.sum.as_micros()), (1, last.as_micros()));
        lane.close().await;
    });
}
