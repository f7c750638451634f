//! Events of the provider: remembered once, the newest so many.

use super::samples::at;
use crate::store::Store;

fn of(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn the_newest_events_are_remembered_once(store: &mut dyn Store) {
    assert!(store.noted_webhooks().unwrap().is_empty());
    store.note_webhooks(&of(&["evnt_1", "evnt_2"]), at(1), 3).unwrap();
    store.note_webhooks(&of(&["evnt_2", "evnt_3"]), at(2), 3).unwrap();
    assert_eq!(store.noted_webhooks().unwrap(), of(&["evnt_1", "evnt_2", "evnt_3"]));
    store.note_webhooks(&of(&["evnt_4", "evnt_5"]), at(3), 3).unwrap();
    assert_eq!(store.noted_webhooks().unwrap(), of(&["evnt_3", "evnt_4", "evnt_5"]));
}

mod tests {
    super::super::conform!(the_newest_events_are_remembered_once);
}
