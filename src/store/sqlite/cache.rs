//! What the book remembers of itself in memory: rows' numbers, plan versions, zones.
//!
//! Promises: bounded; holds only what never changes in the file (rows are never renumbered, plan versions and owners never
//! change, nor what a row held at one version), so that another process cannot make it wrong. Forgotten whenever something
//! is rolled back.

use std::hash::Hash;
use std::sync::Arc;

use foldhash::HashMap;
use jiff::Timestamp;

use crate::model::{CardId, CustomerId, PlanVersion, Subscription, SubscriptionId, Zone};

/// Entries of one kind; at the bound all of them are forgotten, which costs less than keeping an order.
const MOST_ENTRIES: usize = 512;

/// Where a subscription and its customer lie.
#[derive(Clone, Debug)]
pub(super) struct KnownSubscription {
    pub(super) row: i64,
    pub(super) customer_row: i64,
    pub(super) customer: CustomerId,
    /// The row as it was read last, if it was. It may have moved on since, and its version with it.
    pub(super) read: Option<Arc<Subscription>>,
}

/// Where an invoice lies, and what its attempts are counted from.
#[derive(Clone, Copy, Debug)]
pub(super) struct KnownInvoice {
    pub(super) row: i64,
    pub(super) opened_at: Timestamp,
    pub(super) minor: i64,
    pub(super) currency: i64,
}

#[derive(Default)]
pub(super) struct Cache {
    subscriptions: HashMap<SubscriptionId, KnownSubscription>,
    /// The one that was asked for last: most are asked for several times in a row.
    last: Option<(SubscriptionId, KnownSubscription)>,
    invoices: HashMap<(i64, u32), KnownInvoice>,
    slots: HashMap<(i64, CardId), i64>,
    plans: HashMap<i64, Arc<PlanVersion>>,
    zones: HashMap<i64, Zone>,
}

fn keep<K: Eq + Hash, V>(map: &mut HashMap<K, V>, key: K, value: V) {
    if map.len() >= MOST_ENTRIES {
        map.clear();
    }
    map.insert(key, value);
}

impl Cache {
    pub(super) fn subscription(&mut self, id: &SubscriptionId) -> Option<KnownSubscription> {
        match &self.last {
            Some((last, known)) if last == id => Some(known.clone()),
            _ => {
                let known = self.subscriptions.get(id).cloned()?;
                self.last = Some((id.clone(), known.clone()));
                Some(known)
            }
        }
    }

    pub(super) fn keep_subscription(&mut self, id: SubscriptionId, known: KnownSubscription) {
        keep(&mut self.subscriptions, id, known);
    }

    pub(super) fn invoice(&self, subscription: i64, index: u32) -> Option<KnownInvoice> {
        self.invoices.get(&(subscription, index)).copied()
    }

    pub(super) fn keep_invoice(&mut self, subscription: i64, index: u32, known: KnownInvoice) {
        keep(&mut self.invoices, (subscription, index), known);
    }

    /// The slot of a customer's card.
    pub(super) fn slot(&self, customer_row: i64, card: &CardId) -> Option<i64> {
        self.slots.get(&(customer_row, card.clone())).copied()
    }

    pub(super) fn keep_slot(&mut self, customer_row: i64, card: CardId, slot: i64) {
        keep(&mut self.slots, (customer_row, card), slot);
    }

    pub(super) fn plan(&self, row: i64) -> Option<Arc<PlanVersion>> {
        self.plans.get(&row).cloned()
    }

    pub(super) fn keep_plan(&mut self, row: i64, plan: Arc<PlanVersion>) {
        keep(&mut self.plans, row, plan);
    }

    pub(super) fn zone(&self, row: i64) -> Option<Zone> {
        self.zones.get(&row).cloned()
    }

    pub(super) fn zone_row(&self, zone: &Zone) -> Option<i64> {
        self.zones.iter().find(|(_, known)| known.name() == zone.name()).map(|(row, _)| *row)
    }

    pub(super) fn keep_zone(&mut self, row: i64, zone: Zone) {
        keep(&mut self.zones, row, zone);
    }

    /// Forgets everything: some of it may have been rolled back.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}
