//! What is left of an erased customer in the file itself, and what the schema still refuses.

use super::*;
use crate::model::{Change, SubscriptionStatus};
use crate::store::Store as _;
use crate::store::conformance::samples::*;

/// A book whose subscription 0 has ended and says who it was for.
fn book_with_a_name() -> (TempDir, PathBuf, SqliteStore) {
    let (folder, path, mut store) = new_book();
    fill(&mut store, 2);
    let mut s = snapshot(&mut store, 0).subscription;
    (s.status, s.ended_at, s.wake_at) = (SubscriptionStatus::Canceled, Some(at(5)), None);
    s.metadata = Some(text("{\"name\":\"SOMCHAI-JAIDEE\"}"));
    accept(&mut store, only(Change::UpdateSubscription(s)));
    (folder, path, store)
}

fn files_with(folder: &TempDir, words: &str) -> Vec<PathBuf> {
    let holds = |path: &PathBuf| {
        std::fs::read(path).unwrap().windows(words.len()).any(|window| window == words.as_bytes())
    };
    std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path()).filter(holds).collect()
}

#[test]
fn what_was_blanked_is_not_left_in_any_file() {
    let (folder, _path, mut store) = book_with_a_name();
    assert!(!files_with(&folder, "SOMCHAI-JAIDEE").is_empty());
    store.erase_customer(&customer(0), at(9)).unwrap();
    assert_eq!(files_with(&folder, "SOMCHAI-JAIDEE"), Vec::<PathBuf>::new());
    assert_eq!(store.verify(&mut |_, _| ()).unwrap(), Vec::<String>::new());
}

#[test]
fn the_diary_gives_way_for_the_erased_alone_and_for_nothing_else() {
    let (_folder, path, mut store) = book_with_a_name();
    let conn = raw(&path);
    conn.execute_batch(
        "INSERT INTO events (seq, at, kind, subscription) VALUES (101, 0, 24, 1), (102, 0, 24, 2);
         INSERT INTO event_data (seq, data) SELECT seq, '{\"detail\":\"d\",\"x\":1}' \
         FROM events WHERE seq > 100",
    )
    .unwrap();
    let blank = "UPDATE event_data SET data = '{\"x\":1}' WHERE seq = ";
    assert!(conn.execute(&format!("{blank}101"), []).is_err(), "not erased yet");
    store.erase_customer(&customer(0), at(9)).unwrap();
    assert!(conn.execute(&format!("{blank}102"), []).is_err(), "of somebody else");
    for forged in [
        "UPDATE event_data SET data = '{\"x\":2}' WHERE seq = 101",
        "UPDATE event_data SET seq = 1 WHERE seq = 101",
        "DELETE FROM event_data WHERE seq = 101",
        "UPDATE customers SET erased_at = NULL WHERE row = 1",
        "UPDATE customers SET erased_at = 1 WHERE row = 1",
    ] {
        assert!(conn.execute(forged, []).is_err(), "{forged}");
    }
    assert_eq!(
        conn.execute(&format!("{blank}101"), []),
        Ok(1),
        "so the others were refused for what they are"
    );
}
