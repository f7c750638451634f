//! Cards about to end: looks through the customers' last snapshots and tells whose default card ends soon.

use jiff::Timestamp;

use super::{Billing, Part, RunError};
use crate::model::CustomerSnapshot;
use crate::store::Filter;

/// Customers read at a time.
const PAGE_ROWS: usize = 500;

/// How many default cards end soon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CardWatch {
    /// Customers with a subscription that has not ended.
    pub customers: u64,
    /// Of these, those whose default card ends within the longest of `[cards] warn_before`.
    pub ending: u64,
    /// Of these, those whose default card has ended.
    pub ended: u64,
}

/// Counts them as of `now`, and tells each that is ending, with the instant of its end.
pub async fn watch_cards(
    billing: &Billing,
    now: Timestamp,
    tell: &mut (dyn FnMut(&CustomerSnapshot, Timestamp) + Send),
) -> Result<CardWatch, RunError> {
    let ahead = billing.settings.cards.warn_before.iter().copied().max().unwrap_or_default();
    let until = now.saturating_add(ahead).unwrap_or(Timestamp::MAX);
    let mut counts = CardWatch::default();
    let mut after = 0;
    billing.watch.begin(Part::Cards, None);
    loop {
        let page = billing
            .lane
            .run(move |store| store.list_customers(&Filter::default(), after, PAGE_ROWS))
            .await??;
        for row in page.iter().filter(|row| row.subscriptions > 0) {
            counts.customers += 1;
            let Some(ends) = end_of_default(&row.customer) else { continue };
            if ends <= now {
                counts.ended += 1;
            } else if ends <= until {
                counts.ending += 1;
                tell(&row.customer, ends);
            }
        }
        billing.watch.advance(page.len() as u64);
        match page.last() {
            Some(last) if page.len() == PAGE_ROWS && !billing.stop.is_cancelled() => after = last.row,
            _ => break,
        }
    }
    billing.watch.end();
    Ok(counts)
}

fn end_of_default(customer: &CustomerSnapshot) -> Option<Timestamp> {
    let card = customer.card(customer.default_card.as_ref()?)?;
    Some(card.expiration.ends_at())
}
