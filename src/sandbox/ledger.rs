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

/// Everything that was truly made.
#[derive(Debug, Default)]
pub struct Ledger {
    entries: Vec<Entry>,
    places: HashMap<String, usize>,
    /// By status and currency: how many, and the sum of their amounts.
    sums: BTreeMap<(String, String), (u64, i64)>,
    changed: Option<Vec<usize>>,
}

impl Ledger {
    /// Writes down a charge just processed.
    pub fn enter(&mut self, entry: Entry) {
        let place = self.entries.len();
        self.count(&entry.status, &entry.currency, 1, entry.amount);
        self.places.insert(entry.id.clone(), place);
        self.entries.push(entry);
        self.touch(place);
    }

    /// A charge made earlier now stands otherwise.
    pub fn settle(&mut self, id: &str, status: &str, failure_code: Option<&str>) {
        let Some(&place) = self.places.get(id) else { return };
        let Some(entry) = self.entries.get_mut(place) else { return };
        let before = std::mem::replace(&mut entry.status, status.to_owned());
        entry.failure_code = failure_code.map(str::to_owned);
        let (currency, amount) = (entry.currency.clone(), entry.amount);
        self.count(&before, &currency, -1, -amount);
        self.count(status, &currency, 1, amount);
        self.touch(place);
    }

    /// Part of a charge went back.
    pub fn refund(&mut self, id: &str, amount: i64) {
        let Some(&place) = self.places.get(id) else { return };
        if let Some(entry) = self.entries.get_mut(place) {
            entry.refunded += amount;
            self.touch(place);
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

    /// Every entry, oldest first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
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
        json!({"object": "ledger_summary", "charges": self.entries.len(), "by_status": rows})
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
        places.into_iter().map(|place| (place, self.entries[place].clone())).collect()
    }

    /// Puts back what a journal line holds. False if it does not follow from the lines before it.
    pub fn restore(&mut self, entries: Vec<(usize, Entry)>) -> bool {
        for (place, entry) in entries {
            if place == self.entries.len() {
                self.enter(entry);
                continue;
            }
            let Some(slot) = self.entries.get_mut(place) else { return false };
            let before = std::mem::replace(slot, entry.clone());
            self.count(&before.status, &before.currency, -1, -before.amount);
            self.count(&entry.status, &entry.currency, 1, entry.amount);
        }
        true
    }
}
