//! The judge: holds the provider's ledger against the book's own lists, and knows nothing of how either came about.
//!
//! Each fault begins with its kind: `twice`, `lost`, `missed`, `unfinished`, `wrong amount`, `after never`, `uncalled
//! for`, `key`.

use std::collections::{BTreeMap, BTreeSet};

use dues::sandbox::LedgerEntry;
use serde_json::Value;

use super::book::{Book, text};

/// Codes after which a card must never be charged again.
const NEVER: &[&str] = &["stolen_or_lost_card"];

/// What ought to have happened, said by the test from its own knowledge.
#[derive(Default)]
pub struct Expected {
    /// The local dates on which each subscription's invoiced periods start, oldest first.
    pub periods: BTreeMap<String, Vec<String>>,
    /// What one period of each subscription costs, in minor units.
    pub amounts: BTreeMap<String, i64>,
    /// Charges that the provider itself made twice of one request, at most.
    pub doubled_by_provider: usize,
    /// Customers of whom nothing may be asked at all.
    pub untouchable: BTreeSet<String>,
}

impl Expected {
    /// One more subscription with the starts of its periods and its price.
    pub fn with(mut self, subscription: &str, periods: &[&str], amount: i64) -> Self {
        self.periods.insert(subscription.into(), periods.iter().map(|day| (*day).to_owned()).collect());
        self.amounts.insert(subscription.into(), amount);
        self
    }
}

/// Everything wrong, a line each; empty: nothing.
pub fn judge(ledger: &[LedgerEntry], book: &Book, expected: &Expected) -> Vec<String> {
    let mut faults = Vec::new();
    let asked = asked_for(ledger, book, expected.doubled_by_provider);
    let ledger = asked.as_slice();
    twice(ledger, &mut faults);
    lost(ledger, book, &mut faults);
    invented(ledger, book, &mut faults);
    missed(book, expected, &mut faults);
    unfinished(ledger, book, &mut faults);
    amounts(ledger, book, expected, &mut faults);
    after_never(ledger, &mut faults);
    uncalled_for(ledger, expected, &mut faults);
    keys(ledger, book, &mut faults);
    faults
}

/// The ledger without what the provider made of its own accord: of two charges that follow upon each other under one
/// key, the one that the book names is ours, at most so often.
fn asked_for(ledger: &[LedgerEntry], book: &Book, most: usize) -> Vec<LedgerEntry> {
    let mut asked: Vec<LedgerEntry> = Vec::with_capacity(ledger.len());
    let mut left = most;
    for entry in ledger {
        let double = |last: &LedgerEntry| {
            last.idempotency_key.is_some()
                && last.idempotency_key == entry.idempotency_key
                && said(last, "dues_attempt") == said(entry, "dues_attempt")
        };
        if left > 0 && asked.last().is_some_and(double) {
            left -= 1;
            if book.attempts.iter().any(|attempt| text(attempt, "charge") == entry.id) {
                asked.pop();
            } else {
                continue;
            }
        }
        asked.push(entry.clone());
    }
    asked
}

fn said<'a>(entry: &'a LedgerEntry, name: &str) -> &'a str {
    text(&entry.metadata, name)
}

/// Rows by their id: a long course has tens of thousands.
fn by_id(rows: &[Value]) -> BTreeMap<&str, &Value> {
    rows.iter().map(|row| (text(row, "id"), row)).collect()
}

fn succeeded(entry: &LedgerEntry) -> bool {
    entry.status == "successful"
}

/// No invoice was paid by two charges.
fn twice(ledger: &[LedgerEntry], faults: &mut Vec<String>) {
    let mut paid: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for entry in ledger.iter().filter(|entry| succeeded(entry)) {
        paid.entry(said(entry, "dues_invoice")).or_default().push(&entry.id);
    }
    for (invoice, charges) in paid.iter().filter(|(_, charges)| charges.len() > 1) {
        faults.push(format!("twice: invoice {invoice} was paid by {charges:?}"));
    }
}

/// Every charge truly made is known to the book, with the result that it had.
fn lost(ledger: &[LedgerEntry], book: &Book, faults: &mut Vec<String>) {
    let attempts = by_id(&book.attempts);
    for entry in ledger {
        let id = said(entry, "dues_attempt");
        let Some(attempt) = attempts.get(id) else {
            faults.push(format!("lost: the book has no attempt {id:?} of charge {}", entry.id));
            continue;
        };
        let wanted = match entry.status.as_str() {
            "successful" => "succeeded",
            "pending" => "pending",
            _ => "declined",
        };
        let status = text(attempt, "status");
        if status != wanted {
            faults.push(format!("lost: charge {} is {}, attempt {id} says {status}", entry.id, entry.status));
        }
        if text(attempt, "charge") != entry.id {
            faults.push(format!(
                "lost: attempt {id} names charge {:?}, not {}",
                text(attempt, "charge"),
                entry.id
            ));
        }
        if wanted == "declined" && entry.failure_code.as_deref() != Some(text(attempt, "failure_code")) {
            faults.push(format!("lost: attempt {id} forgot why: {:?} in the ledger", entry.failure_code));
        }
        let same = attempt["amount"] == entry.amount
            && text(attempt, "currency").eq_ignore_ascii_case(&entry.currency)
            && entry.customer.as_deref() == Some(text(attempt, "customer"));
        if !same {
            faults.push(format!("lost: attempt {id} differs from charge {}: {attempt}", entry.id));
        }
    }
    let all_paid: BTreeSet<&str> =
        ledger.iter().filter(|entry| succeeded(entry)).map(|entry| said(entry, "dues_invoice")).collect();
    for invoice in &book.invoices {
        let id = text(invoice, "id");
        let paid = all_paid.contains(id);
        if paid != (text(invoice, "status") == "paid") {
            faults.push(format!(
                "lost: invoice {id} is {}, paid in the ledger: {paid}",
                text(invoice, "status")
            ));
        }
    }
}

/// The book claims nothing that the ledger does not have.
fn invented(ledger: &[LedgerEntry], book: &Book, faults: &mut Vec<String>) {
    let all_made: BTreeSet<&str> = ledger.iter().map(|entry| said(entry, "dues_attempt")).collect();
    for attempt in &book.attempts {
        let made = all_made.contains(text(attempt, "id"));
        let claims = matches!(text(attempt, "status"), "succeeded" | "pending");
        let denies = matches!(text(attempt, "status"), "not_sent" | "rejected" | "absent");
        if (claims && !made) || (denies && made) {
            faults.push(format!("lost: attempt {attempt} against the ledger, where it was made: {made}"));
        }
    }
}

/// Every due period has exactly one invoice, at its own start.
fn missed(book: &Book, expected: &Expected, faults: &mut Vec<String>) {
    for (subscription, wanted) in &expected.periods {
        let mut found: Vec<&str> = book
            .invoices_of(subscription)
            .map(|row| text(row, "period_start").get(..10).unwrap_or_default())
            .collect();
        found.sort_unstable();
        if found != *wanted {
            faults.push(format!("missed: {subscription} has invoices from {found:?}, wanted {wanted:?}"));
        }
    }
}

/// Doubt ended: only what waits for the customer or the bank may be open.
fn unfinished(ledger: &[LedgerEntry], book: &Book, faults: &mut Vec<String>) {
    for attempt in &book.attempts {
        let status = text(attempt, "status");
        let waits = |entry: &&LedgerEntry| entry.id == text(attempt, "charge") && entry.status == "pending";
        let open = matches!(status, "intended" | "in_doubt" | "manual")
            || (status == "pending" && !ledger.iter().any(|entry| waits(&entry)));
        if open {
            faults.push(format!("unfinished: {attempt}"));
        }
    }
}

/// Each charge asks for what the period costs.
fn amounts(ledger: &[LedgerEntry], book: &Book, expected: &Expected, faults: &mut Vec<String>) {
    let invoices = by_id(&book.invoices);
    for entry in ledger {
        let invoice = said(entry, "dues_invoice");
        let Some(row) = invoices.get(invoice) else {
            faults.push(format!("uncalled for: charge {} of invoice {invoice:?}", entry.id));
            continue;
        };
        let wanted = expected.amounts.get(text(row, "subscription"));
        if wanted != Some(&entry.amount) {
            faults.push(format!("wrong amount: {invoice} was charged {}, wanted {wanted:?}", entry.amount));
        }
    }
}

/// A card that must never be tried again was not.
fn after_never(ledger: &[LedgerEntry], faults: &mut Vec<String>) {
    let mut never = BTreeSet::new();
    for entry in ledger {
        if never.contains(&entry.card) {
            faults.push(format!("after never: card {} was charged again by {}", entry.card, entry.id));
        }
        if entry.failure_code.as_deref().is_some_and(|code| NEVER.contains(&code)) {
            never.insert(&entry.card);
        }
    }
}

fn uncalled_for(ledger: &[LedgerEntry], expected: &Expected, faults: &mut Vec<String>) {
    for entry in ledger {
        if entry.customer.as_ref().is_some_and(|customer| expected.untouchable.contains(customer)) {
            faults.push(format!("uncalled for: {:?} was charged by {}", entry.customer, entry.id));
        }
    }
}

/// One key for one attempt, the same in the book and on the wire; numbers without gaps.
fn keys(ledger: &[LedgerEntry], book: &Book, faults: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    let mut numbers: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for attempt in &book.attempts {
        if !seen.insert(text(attempt, "idempotency_key")) {
            faults.push(format!("key: used twice: {attempt}"));
        }
        numbers.entry(text(attempt, "invoice")).or_default().push(attempt["number"].as_u64().unwrap_or(0));
    }
    let attempts = by_id(&book.attempts);
    for entry in ledger {
        let key = attempts.get(said(entry, "dues_attempt")).map(|row| text(row, "idempotency_key"));
        if key.is_some() && key != entry.idempotency_key.as_deref() {
            faults.push(format!(
                "key: {} was sent with {:?}, the book has {key:?}",
                entry.id, entry.idempotency_key
            ));
        }
    }
    for (invoice, mut found) in numbers {
        found.sort_unstable();
        if !found.iter().copied().eq(1..=found.len() as u64) {
            faults.push(format!("key: attempts of {invoice} are numbered {found:?}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entry(id: &str, invoice: &str, attempt: &str, status: &str) -> LedgerEntry {
        LedgerEntry {
            id: id.into(),
            amount: 99_000,
            currency: "THB".into(),
            customer: Some("cust_test_a".into()),
            card: "card_test_a".into(),
            status: status.into(),
            failure_code: (status == "failed").then(|| "stolen_or_lost_card".into()),
            metadata: json!({"dues_invoice": invoice, "dues_attempt": attempt}),
            description: None,
            at: String::new(),
            idempotency_key: Some(format!("k-{attempt}")),
            refunded: 0,
        }
    }

    fn attempt(id: &str, invoice: &str, number: u64, status: &str, charge: &str) -> Value {
        json!({"id": id, "invoice": invoice, "number": number, "status": status, "amount": 99_000, "currency": "THB",
            "customer": "cust_test_a", "charge": charge, "idempotency_key": format!("k-{id}"),
            "failure_code": if status == "declined" { json!("stolen_or_lost_card") } else { Value::Null }})
    }

    fn book(invoice_status: &str, attempts: Vec<Value>) -> Book {
        let invoice = json!({"id": "s-0", "subscription": "s", "period_start": "2026-11-01T00:00:00+07:00", "status": invoice_status});
        Book { subscriptions: Vec::new(), invoices: vec![invoice], attempts, flags: Vec::new() }
    }

    #[test]
    fn each_kind_of_fault_is_seen_and_a_good_course_is_not_one() {
        let expected = || Expected::default().with("s", &["2026-11-01"], 99_000);
        let paid = entry("c1", "s-0", "a1", "successful");
        let good = book("paid", vec![attempt("a1", "s-0", 1, "succeeded", "c1")]);
        assert_eq!(judge(std::slice::from_ref(&paid), &good, &expected()), Vec::<String>::new());

        let kinds = |ledger: &[LedgerEntry], book: &Book, expected: &Expected| -> BTreeSet<String> {
            let faults = judge(ledger, book, expected);
            faults.iter().filter_map(|fault| fault.split(':').next()).map(str::to_owned).collect()
        };
        let has =
            |found: BTreeSet<String>, kind: &str| assert!(found.contains(kind), "{kind} not in {found:?}");
        has(kinds(&[paid.clone(), entry("c2", "s-0", "a1", "successful")], &good, &expected()), "twice");
        has(kinds(std::slice::from_ref(&paid), &book("open", vec![]), &expected()), "lost");
        has(kinds(&[], &good, &expected()), "lost");
        let declined = book("open", vec![attempt("a1", "s-0", 1, "declined", "c1")]);
        has(kinds(std::slice::from_ref(&paid), &declined, &expected()), "lost");
        has(
            kinds(
                std::slice::from_ref(&paid),
                &good,
                &Expected::default().with("s", &["2026-10-01", "2026-11-01"], 1),
            ),
            "missed",
        );
        has(
            kinds(&[], &book("open", vec![attempt("a1", "s-0", 1, "in_doubt", "")]), &expected()),
            "unfinished",
        );
        has(
            kinds(std::slice::from_ref(&paid), &good, &Expected::default().with("s", &["2026-11-01"], 990)),
            "wrong amount",
        );
        let two = [entry("c1", "s-0", "a1", "failed"), entry("c2", "s-0", "a2", "failed")];
        has(kinds(&two, &declined, &expected()), "after never");
        let untouchable = BTreeSet::from(["cust_test_a".to_owned()]);
        has(
            kinds(std::slice::from_ref(&paid), &good, &Expected { untouchable, ..expected() }),
            "uncalled for",
        );
        // Only so many as the provider is known to have made.
        let doubles = [paid.clone(), LedgerEntry { id: "c2".into(), ..paid.clone() }];
        let told =
            |doubled_by_provider| kinds(&doubles, &good, &Expected { doubled_by_provider, ..expected() });
        assert_eq!(told(1), BTreeSet::new());
        has(told(0), "twice");
        let other_key = LedgerEntry { idempotency_key: None, ..paid };
        has(kinds(&[other_key], &good, &expected()), "key");
    }
}
