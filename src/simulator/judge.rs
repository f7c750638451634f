//! Whether a play can be believed: the provider's ledger against the book, and the book against the calendar.
//!
//! Promises: knows nothing of how either came about. Each complaint says what and which.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::tally::pages;
use crate::model::{Attempt, AttemptStatus, Interval, SubscriptionStatus};
use crate::rules::calendar::Calendar;
use crate::sandbox::LedgerEntry;
use crate::store::{Filter, Store, StoreError, SubscriptionRow};

/// More periods than any play has days.
const MOST_PERIODS: u32 = 4_000;

/// Everything wrong; empty: nothing.
pub fn judge(
    store: &mut dyn Store,
    ledger: &[LedgerEntry],
    every: Interval,
    last: Timestamp,
) -> Result<Vec<String>, StoreError> {
    let mut complaints = Vec::new();
    twice(ledger, &mut complaints);
    let rows = pages(|after, limit| store.list_attempts(&Filter::default(), after, limit), |row| row.row)?;
    let attempts: HashMap<String, Attempt> =
        rows.into_iter().map(|row| (row.attempt.id.to_string(), row.attempt)).collect();
    same(ledger, &attempts, &mut complaints);
    missed(store, every, last, &mut complaints)?;
    Ok(complaints)
}

fn said<'a>(entry: &'a LedgerEntry, name: &str) -> &'a str {
    entry.metadata.get(name).and_then(serde_json::Value::as_str).unwrap_or_default()
}

/// No invoice was paid by two charges.
fn twice(ledger: &[LedgerEntry], complaints: &mut Vec<String>) {
    let mut paid = HashSet::new();
    for entry in ledger.iter().filter(|entry| entry.status == "successful") {
        if !paid.insert(said(entry, "dues_invoice")) {
            complaints.push(format!("invoice {} was paid twice", said(entry, "dues_invoice")));
        }
    }
}

/// Every charge truly made stands in the book with its result, and the book claims no other.
fn same(ledger: &[LedgerEntry], attempts: &HashMap<String, Attempt>, complaints: &mut Vec<String>) {
    let mut made = HashSet::new();
    for entry in ledger {
        let id = said(entry, "dues_attempt");
        made.insert(id);
        let wanted =
            if entry.status == "successful" { AttemptStatus::Succeeded } else { AttemptStatus::Declined };
        let agrees = |attempt: &Attempt| {
            attempt.status == wanted
                && attempt.amount.minor() == entry.amount
                && attempt.charge.as_ref().is_some_and(|charge| charge.to_string() == entry.id)
        };
        if !attempts.get(id).is_some_and(agrees) {
            complaints
                .push(format!("charge {} is {} and attempt {id} says otherwise", entry.id, entry.status));
        }
    }
    for (id, attempt) in attempts {
        let claims = matches!(attempt.status, AttemptStatus::Succeeded | AttemptStatus::Declined);
        if claims != made.contains(id.as_str()) || !attempt.status.is_final() {
            complaints.push(format!("attempt {id} is {} and the ledger says otherwise", attempt.status));
        }
    }
}

/// Every period that began has exactly one invoice, or was noted as skipped while nothing was billed.
fn missed(
    store: &mut dyn Store,
    every: Interval,
    last: Timestamp,
    complaints: &mut Vec<String>,
) -> Result<(), StoreError> {
    let filter = Filter::default();
    let invoices = pages(|after, limit| store.list_invoices(&filter, after, limit), |row| row.row)?;
    let mut found: HashMap<String, HashSet<u32>> = HashMap::new();
    for row in invoices {
        let id = row.invoice.id;
        if !found.entry(id.subscription.to_string()).or_default().insert(id.index) {
            complaints.push(format!("period {id} was invoiced twice"));
        }
    }
    let rows = pages(|after, limit| store.list_subscriptions(&filter, after, limit), |row| row.row)?;
    for row in rows {
        let id = row.subscription.id.clone();
        let mut periods = found.remove(id.as_str()).unwrap_or_default();
        for skipped in store.skipped_periods(&id)? {
            periods.extend(skipped.from..skipped.to);
        }
        if let Some(complaint) = gap(&row, &periods, every, last) {
            complaints.push(complaint);
        }
    }
    Ok(())
}

/// The first period that the subscription owes and does not have.
fn gap(row: &SubscriptionRow, periods: &HashSet<u32>, every: Interval, last: Timestamp) -> Option<String> {
    let s = &row.subscription;
    let calendar = Calendar {
        anchor: s.anchor,
        anchor_at: s.anchor_at,
        anchor_index: s.anchor_index,
        every,
        zone: &s.zone,
    };
    let bills = matches!(s.status, SubscriptionStatus::Active | SubscriptionStatus::PastDue);
    let began = |index: &u32| calendar.start(*index).is_ok_and(|start| start <= last);
    let due =
        (s.anchor_index..s.anchor_index + MOST_PERIODS).take_while(began).last().map_or(0, |index| index + 1);
    // Whoever is paused is looked at again when somebody resumes it.
    let wanted = if bills { due } else { s.next_index };
    (0..wanted)
        .find(|index| !periods.contains(index))
        .map(|index| format!("period {index} of {} was missed", s.id))
}
