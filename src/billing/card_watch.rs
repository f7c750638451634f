//! The card watch: reads the provider's whole list of customers, keeps what it shows, and tells whose cards will not
//! work, or not for long.
//!
//! Promises: one request for a hundred customers; a customer whom the list did not show, or whose card looks bad, is
//! read again before anybody is flagged; memory stays flat; asked to stop, it stops between two customers, and what it
//! did until then stands. Must never know: how a card is judged, or how a customer is told.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use serde::Serialize;

use super::card_seen::{self, CardSeen, present, whole_seconds};
use super::pace::Pace;
use super::{Billing, Part, RunError};
use crate::gateway::{CustomerFacts, GatewayError, Page};
use crate::model::{CardWarning, CustomerId, CustomerSnapshot, CustomerState, Snapshot, Transition};
use crate::rules::{ending, watch};
use crate::store::{CommitError, CustomerReading, CustomerRow, Filter, LaneClosed, StoreError};

/// Rows in a page of the provider's list.
const LIST_PAGE_ROWS: u64 = 100;
/// Pages read at once, at most: each takes some 300 KiB while it is taken in.
const MOST_PAGES_AT_ONCE: usize = 4;
/// Customers of the book looked at between two questions whether to stop.
const BOOK_PAGE_ROWS: usize = 100;
/// Subscriptions of one customer looked at at a time.
const SUBSCRIPTIONS_AT_A_TIME: usize = 100;

/// What a watch found, counted. Of customers with a subscription that has not ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CardWatch {
    /// Customers at the provider.
    pub listed: u64,
    /// Customers looked at.
    pub customers: u64,
    /// The provider does not have them.
    pub gone: u64,
    /// They have no default card.
    pub no_card: u64,
    /// Their default card has ended.
    pub ended: u64,
    /// Their default card ends within the longest of `[cards] warn_before`.
    pub ending: u64,
    /// Subscriptions whose card ends before one of the next `[cards] renewals_ahead` renewals.
    pub misses_renewal: u64,
    /// Their default card is another one than before, or has another month.
    pub changed: u64,
    /// Warnings written.
    pub warned: u64,
    /// Flags raised.
    pub flagged: u64,
    /// Flags cleared.
    pub cleared: u64,
    /// Subscriptions of which something waited for a card, and is due now.
    pub due: u64,
    /// Customers who could not be read when their card had to be confirmed: looked at in the next watch.
    pub unread: u64,
    /// Somebody asked to stop before the end.
    pub stopped: bool,
}

/// Reads all customers and looks at all that the book bills. `now` is the billing instant.
///
/// # Errors
/// The keys, the book, or a list that could not be read to its end.
pub async fn watch_cards(billing: &Billing, now: Timestamp) -> Result<CardWatch, RunError> {
    let permits = Arc::new(Pace::new(billing.clock.clone(), billing.meters.clone(), billing.settings.rate));
    let mut watch = Watch {
        billing,
        permits,
        at: whole_seconds(now),
        counts: CardWatch::default(),
        seen: CardSeen::default(),
    };
    watch.read_list().await?;
    if !watch.is_stopped() {
        watch.look_at_all().await?;
    }
    Ok(watch.told())
}

/// A watch under way.
struct Watch<'a> {
    billing: &'a Billing,
    permits: Arc<Pace>,
    at: Timestamp,
    counts: CardWatch,
    seen: CardSeen,
}

/// A customer whose default card is another one than before.
struct Changed {
    customer: CustomerId,
    before: CustomerSnapshot,
}

impl Watch<'_> {
    fn is_stopped(&mut self) -> bool {
        self.counts.stopped |= self.billing.stop.is_cancelled();
        self.counts.stopped
    }

    fn told(mut self) -> CardWatch {
        self.counts.flagged = self.seen.raised;
        self.counts.cleared = self.seen.cleared;
        self.counts.due = self.seen.due;
        self.counts
    }

    /// Keeps every page of the provider's list.
    async fn read_list(&mut self) -> Result<(), RunError> {
        self.permits.permit().await;
        let account = self.billing.gateway.account().await?;
        let to = account.provider_now.unwrap_or_else(|| self.billing.clock.now());
        self.permits.permit().await;
        let first = self.billing.gateway.customers(to, 0).await?;
        let total = first.total;
        self.counts.listed = total;
        self.billing.watch.begin(Part::Cards, Some(total));
        self.keep(first).await?;
        self.keep_rest(to, total).await?;
        self.billing.watch.end();
        Ok(())
    }

    async fn keep_rest(&mut self, to: Timestamp, total: u64) -> Result<(), RunError> {
        let (billing, permits) = (self.billing, self.permits.clone());
        let offsets = (1..total.div_ceil(LIST_PAGE_ROWS)).map(|page| page * LIST_PAGE_ROWS);
        let at_once = billing.settings.in_flight.clamp(1, MOST_PAGES_AT_ONCE);
        let mut pages = stream::iter(offsets)
            .map(|offset| {
                let permits = &permits;
                async move {
                    permits.permit().await;
                    billing.gateway.customers(to, offset).await
                }
            })
            .buffer_unordered(at_once);
        while let Some(page) = pages.next().await {
            self.keep(page?).await?;
            if self.is_stopped() {
                break;
            }
        }
        Ok(())
    }

    /// Keeps one page, and notes whose default card is another one.
    async fn keep(&mut self, page: Page<CustomerFacts>) -> Result<(), RunError> {
        let rows = page.rows.len() as u64;
        let at = self.at;
        let readings: Vec<CustomerReading> = page.rows.into_iter().map(|facts| present(facts, at)).collect();
        let changed = self
            .billing
            .lane
            .run(move |store| {
                let mut changed = Vec::new();
                for reading in &readings {
                    let Some(before) = store.customer(&reading.id)? else { continue };
                    if is_changed(&before, reading) {
                        changed.push(Changed { customer: reading.id.clone(), before });
                    }
                }
                store.observe_customers(&readings)?;
                Ok::<_, StoreError>(changed)
            })
            .await??;
        for changed in changed {
            self.tell_change(&changed).await?;
        }
        self.billing.watch.advance(rows);
        Ok(())
    }

    async fn tell_change(&mut self, changed: &Changed) -> Result<(), RunError> {
        let mut told = false;
        let mut after = Some(0);
        while let Some(from) = after {
            let (page, next) = self.living(&changed.customer, from).await?;
            after = next;
            for snapshot in &page {
                let event = watch::changed(snapshot, &changed.before, self.at);
                if !event.is_empty() {
                    told |= card_seen::commit(self.billing, snapshot, &event).await?;
                }
            }
        }
        self.counts.changed += u64::from(told);
        Ok(())
    }

    /// A page of the customer's subscriptions that have not ended, and where the next one begins; `None`: nowhere.
    async fn living(
        &self,
        customer: &CustomerId,
        after: i64,
    ) -> Result<(Vec<Snapshot>, Option<i64>), RunError> {
        let filter = Filter { customer: Some(customer.clone()), ..Filter::default() };
        let page = self.billing.lane.run(move |store| {
            let rows = store.list_subscriptions(&filter, after, SUBSCRIPTIONS_AT_A_TIME)?;
            let next = rows.last().filter(|_| rows.len() == SUBSCRIPTIONS_AT_A_TIME).map(|last| last.row);
            let mut living = Vec::new();
            for row in rows.iter().filter(|row| row.subscription.ended_at.is_none()) {
                living.extend(store.snapshot(&row.subscription.id)?);
            }
            Ok::<_, StoreError>((living, next))
        });
        Ok(page.await??)
    }

    /// Looks at every customer of the book who is billed.
    async fn look_at_all(&mut self) -> Result<(), RunError> {
        self.billing.watch.begin(Part::Cards, None);
        let mut after = 0;
        loop {
            let page = self
                .billing
                .lane
                .run(move |store| store.list_customers(&Filter::default(), after, BOOK_PAGE_ROWS))
                .await??;
            for row in page.iter().filter(|row| row.subscriptions > 0) {
                if self.is_stopped() {
                    break;
                }
                self.look_at(row).await?;
            }
            self.billing.watch.advance(page.len() as u64);
            match page.last() {
                Some(last) if page.len() == BOOK_PAGE_ROWS && !self.is_stopped() => after = last.row,
                _ => break,
            }
        }
        self.billing.watch.end();
        Ok(())
    }

    async fn look_at(&mut self, row: &CustomerRow) -> Result<(), RunError> {
        self.counts.customers += 1;
        let id = &row.customer.id;
        // The list did not show them: deleted, or moved on while the pages were turned.
        let unseen = row.customer.read_at.is_none_or(|read| read < self.at);
        let mut confirmed = unseen && self.read(id).await?;
        if unseen && !confirmed {
            return Ok(());
        }
        let wants_read = card_seen::news(self.billing, id, self.at, confirmed, &mut self.seen).await?;
        if wants_read && !confirmed {
            confirmed = self.read(id).await?;
            if confirmed {
                card_seen::news(self.billing, id, self.at, true, &mut self.seen).await?;
            }
        }
        self.tell_ending(id).await
    }

    /// Reads one customer now; `false`: they could not be read.
    async fn read(&mut self, id: &CustomerId) -> Result<bool, RunError> {
        self.permits.permit().await;
        match card_seen::read(self.billing, id, self.at).await {
            Ok(()) => Ok(true),
            Err(RunError::Gateway(error @ GatewayError::Keys { .. })) => Err(error.into()),
            Err(RunError::Gateway(error)) => {
                tracing::warn!(customer = id.hashed(), %error, "a customer could not be read; nobody is flagged for it");
                self.counts.unread += 1;
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Counts how the customer stands, and tells of cards that end: once for each, by the charge that comes first.
    async fn tell_ending(&mut self, id: &CustomerId) -> Result<(), RunError> {
        let wanted = id.clone();
        let Some(customer) = self.billing.lane.run(move |store| store.customer(&wanted)).await?? else {
            return Ok(());
        };
        self.count(&customer);
        let mut paying: BTreeMap<String, ending::PayingCard> = BTreeMap::new();
        let mut after = Some(0);
        while let Some(from) = after {
            let (page, next) = self.living(id, from).await?;
            after = next;
            let wishes = &self.billing.settings.cards;
            for card in page.iter().filter_map(|snapshot| ending::paying_card(snapshot, wishes, self.at)) {
                self.counts.misses_renewal += u64::from(card.misses_renewal);
                match paying.get_mut(card.card.id.as_str()) {
                    Some(known) => known.join(card),
                    None => drop(paying.insert(card.card.id.to_string(), card)),
                }
            }
        }
        for card in paying.values() {
            self.warn(card).await?;
        }
        Ok(())
    }

    async fn warn(&mut self, paying: &ending::PayingCard) -> Result<(), RunError> {
        let wishes = &self.billing.settings.cards;
        if ending::warn(paying, &[], wishes, self.at).is_empty() {
            return Ok(()); // It ends too late for any warning: what was told before need not be looked up.
        }
        let id = paying.customer.clone();
        let told: Vec<CardWarning> = self.billing.lane.run(move |store| store.card_warnings(&id)).await??;
        let transition: Transition = ending::warn(paying, &told, wishes, self.at);
        if transition.is_empty() {
            return Ok(());
        }
        match self.billing.lane.commit(transition).await {
            Ok(_) => self.counts.warned += 1,
            // Somebody else told them meanwhile.
            Err(CommitError::Refused(refusal)) => tracing::debug!(%refusal, "a warning was not written"),
            Err(CommitError::Store(error)) => return Err(error.into()),
            Err(CommitError::Closed(_)) => return Err(LaneClosed.into()),
        }
        Ok(())
    }

    fn count(&mut self, customer: &CustomerSnapshot) {
        let longest = self.billing.settings.cards.warn_before.iter().copied().max().unwrap_or_default();
        let soon = self.at.saturating_add(longest).unwrap_or(Timestamp::MAX);
        let default = customer.default_card.as_ref();
        let ends = default.and_then(|id| customer.card(id)).map(|card| card.expiration.ends_at());
        let counts = &mut self.counts;
        match (customer.state, default, ends) {
            (CustomerState::Gone, ..) => counts.gone += 1,
            (CustomerState::Present, None, _) => counts.no_card += 1,
            (CustomerState::Present, Some(_), Some(ends)) if ends <= self.at => counts.ended += 1,
            (CustomerState::Present, Some(_), Some(ends)) if ends <= soon => counts.ending += 1,
            (CustomerState::Present | CustomerState::Unread, ..) => {}
        }
    }
}

/// Whether the default card is another one, or the same with another month.
fn is_changed(before: &CustomerSnapshot, now: &CustomerReading) -> bool {
    if before.state != CustomerState::Present {
        return false;
    }
    let month = |cards: &[crate::model::CardSnapshot], id| {
        cards.iter().find(|card| Some(&card.id) == id).map(|card| card.expiration)
    };
    before.default_card != now.default_card
        || month(&before.cards, before.default_card.as_ref()) != month(&now.cards, now.default_card.as_ref())
}
