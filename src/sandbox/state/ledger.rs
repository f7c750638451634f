//! The ledger: charges truly made, as the processing step saw them.
//!
//! It keeps its own copy of every fact and writes its own JSON, so that it can judge both the product and
//! the answers of this very sandbox. Promises: one entry for each charge processed, whatever became of the
//! answer; sums always equal the entries. Must never read a charge record or an answer.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// One charge truly made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The charge id.
    pub id: String,
    /// In the smallest unit of `currency`.
    pub amount: i64,
    /// ISO 4217, in capitals.
    pub currency: String,
    /// `None` for a charge on a token alone.
    pub customer: Option<String>,
    /// The card that was truly used.
    pub card: String,
    /// `successful`, `failed`, `pending`, `expired` or `reversed`.
    pub status: String,
    /// Why it failed; `None` unless it did.
    pub failure_code: Option<String>,
    /// As the client sent it; null when it sent none.
    pub metadata: Value,
    /// As the client sent it.
    pub description: Option<String>,
    /// RFC 3339, by the sandbox's clock.
    pub at: String,
    /// The `Idempotency-Key` header, whether honoured or not.
    pub idempotency_key: Option<String>,
    /// In the smallest unit: what went back to the customer.
    pub refunded: i64,
}

/// Everything that was truly made. Each entry is kept as the line of JSON it is shown as: a long run makes
/// a million of them.
#[derive(Debug, Default)]
pub struct Ledger {
    lines: Vec<Box<str>>,
    places: HashMap<Box<str>, usize>,
    /// By status and currency: how many, and the sum of their amounts.
    sums: BTreeMap<(String, String), (u64, i64)>,
    changed: Option<Vec<usize>>,
}

impl Ledger {
    /// Writes down a charge just processed.
    pub fn enter(&mut self, entry: &Entry) {
        let place = self.lines.len();
        self.count(&entry.status, &entry.currency, 1, entry.amount);
        self.places.insert(entry.id.as_str().into(), place);
        self.lines.push(written(entry));
        self.touch(place);
    }

    /// A charge made earlier now stands otherwise.
    pub fn settle(&mut self, id: &str, status: &str, failure_code: Option<&str>) {
        self.amend(id, |entry| {
            status.clone_into(&mut entry.status);
            entry.failure_code = failure_code.map(str::to_owned);
        });
    }

    /// Part of a charge went back.
    pub fn refund(&mut self, id: &str, amount: i64) {
        self.amend(id, |entry| entry.refunded += amount);
    }

    fn amend(&mut self, id: &str, change: impl FnOnce(&mut Entry)) {
        let Some(&place) = self.places.get(id) else { return };
        let Some(mut entry) = self.entry(place) else { return };
        change(&mut entry);
        self.replace(place, &entry);
        self.touch(place);
    }

    fn replace(&mut self, place: usize, entry: &Entry) {
        if let Some(before) = self.entry(place) {
            self.count(&before.status, &before.currency, -1, -before.amount);
            self.count(&entry.status, &entry.currency, 1, entry.amount);
            self.lines[place] = written(entry);
        }
    }

    fn count(&mut self, status: &str, currency: &str, how_many: i64, amount: i64) {
        let slot = self.sums.entry((status.to_owned(), currency.to_owned())).or_default();
        slot.0 = slot.0.saturating_add_signed(how_many);
        slot.1 += amount;
    }

    fn touch(&mut self, place: usize) {
        if let Some(changed) = &mut self.changed {
            changed.push(place);
        }
    }

    fn entry(&self, place: usize) -> Option<Entry> {
        self.lines.get(place).and_then(|line| serde_json::from_str(line).ok())
    }

    /// Every entry, oldest first.
    pub fn entries(&self) -> Vec<Entry> {
        self.lines.iter().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Every entry as one JSON array, oldest first.
    pub fn text(&self) -> String {
        format!("[{}]", self.lines.join(","))
    }

    /// Counts and sums by status and currency.
    pub fn summary(&self) -> Value {
        let rows: Vec<Value> = self
            .sums
            .iter()
            .filter(|(_, (count, _))| *count > 0)
            .map(|((status, currency), (count, sum))| {
                json!({"status": status, "currency": currency, "count": count, "sum": sum})
            })
            .collect();
        json!({"object": "ledger_summary", "charges": self.lines.len(), "by_status": rows})
    }

    /// From now on remembers what changes.
    pub fn keep_journal(&mut self) {
        self.changed = Some(Vec::new());
    }

    /// Entries changed since the last call, with their places.
    pub fn take_changed(&mut self) -> Vec<(usize, Entry)> {
        let mut places = self.changed.as_mut().map(std::mem::take).unwrap_or_default();
        places.sort_unstable();
        places.dedup();
        places.into_iter().filter_map(|place| Some((place, self.entry(place)?))).collect()
    }

    /// Puts back what a journal line holds. False if it does not follow from the lines before it.
    pub fn restore(&mut self, entries: Vec<(usize, Entry)>) -> bool {
        for (place, entry) in entries {
            match place.cmp(&self.lines.len()) {
                std::cmp::Ordering::Less => self.replace(place, &entry),
                std::cmp::Ordering::Equal => self.enter(&entry),
                std::cmp::Ordering::Greater => return false,
            }
        }
        true
    }
}

fn written(entry: &Entry) -> Box<str> {
    serde_json::to_string(entry).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: &str, amount: i64) -> Entry {
        Entry {
            id: id.into(),
            amount,
            currency: "THB".into(),
            customer: None,
            card: "card".into(),
            status: "pending".into(),
            failure_code: None,
            metadata: Value::Null,
            description: None,
            at: "2026-01-01T00:00:00Z".into(),
            idempotency_key: None,
            refunded: 0,
        }
    }

    #[test]
    fn sums_follow_every_change() {
        let mut ledger = Ledger::default();
        ledger.enter(&entry("a", 100));
        ledger.enter(&entry("b", 50));
        ledger.settle("a", "successful", None);
        ledger.refund("a", 30);
        let rows = ledger.summary()["by_status"].clone();
        assert_eq!(rows[0], json!({"status": "pending", "currency": "THB", "count": 1, "sum": 50}));
        assert_eq!(rows[1], json!({"status": "successful", "currency": "THB", "count": 1, "sum": 100}));
        assert_eq!(ledger.entries()[0].refunded, 30);
        assert_eq!(serde_json::from_str::<Vec<Entry>>(&ledger.text()).expect("JSON"), ledger.entries());
    }
}
