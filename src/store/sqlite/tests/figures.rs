//! Figures of size and speed. The size is held in every run; the speeds are printed by hand:
//! `cargo test --release -- --ignored --nocapture figures`.

use super::*;
use crate::store::Store as _;
use crate::store::conformance::samples::*;

/// The most bytes that a subscription's year may take: 12 invoices, 12 attempts, 24 events, the subscription itself.
const MOST_BYTES_PER_YEAR: u64 = 2_000;

/// Ids as the provider draws them: in no order.
fn scattered(prefix: &str, n: u32) -> String {
    use sha2::Digest as _;
    let digest = sha2::Sha256::digest(format!("{prefix}{n}"));
    let tail = digest.iter().take(19).map(|byte| char::from_digit(u32::from(byte % 36), 36).unwrap());
    format!("{prefix}test_{}", tail.collect::<String>())
}

/// A book after twelve months of `count` subscriptions.
fn a_year(path: &Path, count: u32) -> SqliteStore {
    let mut store = SqliteStore::open(path, CREATE()).unwrap();
    let plan = plan(&mut store);
    let mut new = (0..count).map(|n| {
        let mut s = subscription(n, plan);
        s.customer = crate::model::CustomerId::parse(&scattered("cust_", n)).unwrap();
        s.wake_at = Some(at(i64::from(n)));
        crate::store::NewSubscription { id: None, subscription: s, billed_elsewhere: 0 }
    });
    store.import(&mut new, &mut |_| ()).unwrap();
    let readings: Vec<_> = (0..count).map(card_of).collect();
    store.observe_customers(&readings).unwrap();
    let epoch = begin(&mut store);
    for month in 0..12_i64 {
        let mut after = None;
        loop {
            let page = store.due(at(month * 30 * DAY + i64::from(count)), after, 200).unwrap().rows;
            let Some((cursor, _)) = page.last() else { break };
            after = Some(*cursor);
            let now = at(month * 30 * DAY + 7_200);
            let intents: Vec<_> = page.iter().map(|(_, s)| intent(&mut store, s, epoch, now)).collect();
            assert!(store.commit(&intents).unwrap().iter().all(Result::is_ok));
            let results: Vec<_> = page
                .iter()
                .map(|(_, s)| {
                    let between = store.snapshot(&s.subscription.id).unwrap().unwrap();
                    let mut result = paid(&between, epoch, now, 0);
                    let Some(crate::model::Change::UpdateAttempt { attempt, .. }) =
                        result.changes.first_mut()
                    else {
                        panic!("the attempt comes first");
                    };
                    let id = scattered("chrg_", u32::try_from(cursor.row + month * 1_000_000).unwrap());
                    attempt.charge = Some(crate::model::ChargeId::parse(&id).unwrap());
                    result
                })
                .collect();
            assert!(store.commit(&results).unwrap().iter().all(Result::is_ok));
        }
    }
    store
}

/// CPU time of this thread, which other work on the machine does not lengthen much.
fn cpu_ns() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}

fn card_of(n: u32) -> crate::store::CustomerReading {
    let mut read = reading(n);
    read.id = crate::model::CustomerId::parse(&scattered("cust_", n)).unwrap();
    read.cards[0].id = crate::model::CardId::parse(&scattered("card_", n)).unwrap();
    read.default_card = Some(read.cards[0].id.clone());
    read
}

/// Bytes of the file per subscription after a year, beyond an empty book.
fn bytes_per_year(count: u32) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dues.db");
    drop(a_year(&path, count));
    let empty = folder.path().join("empty.db");
    drop(SqliteStore::open(&empty, CREATE()).unwrap());
    let size = |path: &Path| std::fs::metadata(path).unwrap().len();
    let bytes = (size(&path) - size(&empty)) / u64::from(count);
    eprintln!("{bytes} bytes per subscription-year of {count}");
    let conn = raw(&path);
    let mut parts = conn
        .prepare("SELECT name, sum(pgsize) / ?1, 100 * sum(payload) / sum(pgsize) FROM dbstat GROUP BY 1 ORDER BY 2 DESC LIMIT 13")
        .unwrap();
    let mut rows = parts.query([count]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let (name, bytes, fill): (String, i64, i64) =
            (row.get(0).unwrap(), row.get(1).unwrap(), row.get(2).unwrap());
        eprintln!("  {name:32} {bytes:5} bytes, {fill} % payload");
    }
    bytes
}

#[test]
fn a_subscription_year_is_small() {
    assert!(bytes_per_year(300) <= MOST_BYTES_PER_YEAR);
}

#[test]
#[ignore = "takes a minute; larger row numbers take more bytes"]
fn a_subscription_year_of_many_is_small() {
    assert!(bytes_per_year(20_000) <= MOST_BYTES_PER_YEAR);
}

#[test]
#[ignore = "prints speeds; they depend on the machine, so nothing is held to them"]
fn speeds() {
    const COUNT: u32 = 20_000;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dues.db");
    let mut store = SqliteStore::open(&path, CREATE()).unwrap();
    fill(&mut store, COUNT);
    let epoch = begin(&mut store);
    let each = |what: &str, since: u64| {
        eprintln!("{what:40} {:7} ns", (cpu_ns() - since) / u64::from(COUNT));
    };
    let since = cpu_ns();
    let (mut after, mut due) = (None, Vec::new());
    loop {
        let page = store.due(at(0), after, 200).unwrap().rows;
        let Some((cursor, _)) = page.last() else { break };
        after = Some(*cursor);
        due.extend(page.into_iter().map(|(_, s)| s));
    }
    each("due, with snapshot", since);
    let intents: Vec<_> = due.iter().map(|s| intent(&mut store, s, epoch, at(0))).collect();
    let since = cpu_ns();
    for group in intents.chunks(64) {
        assert!(store.commit(group).unwrap().iter().all(Result::is_ok));
    }
    each("intent, 64 in a commit", since);
    let since = cpu_ns();
    let between: Vec<_> = due.iter().map(|s| store.snapshot(&s.subscription.id).unwrap().unwrap()).collect();
    each("snapshot with an open invoice", since);
    let results: Vec<_> = (0_u32..).zip(&between).map(|(n, s)| paid(s, epoch, at(0), n)).collect();
    let since = cpu_ns();
    for group in results.chunks(64) {
        assert!(store.commit(group).unwrap().iter().all(Result::is_ok));
    }
    each("result, 64 in a commit", since);
}
