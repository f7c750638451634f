//! The card watch: reads the provider's whole list of customers, keeps what it shows, and tells whose cards will not
//! work, or not for long.
//!
//! Promises: one request for a hundred customers; a customer whom the list did not show, or not with all their cards, or
//! whose card looks bad, is read singly before anybody is flagged; memory stays flat; asked to stop, it stops between two
//! customers, and what it did until then stands. Most customers are passed over at a glance, a page of them by one trip to
//! the book; only the others are looked at one by one. Must never know: how a card is judged, or how a customer is told.

mod look;

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::card_seen::{self, CardSeen, present, whole_seconds};
use super::ease::{Ease, Speed};
use super::pace::Pace;
use super::{Billing, Part, RunError};
use crate::gateway::{CustomerFacts, Page};
use crate::hooks::kill_point;
use crate::model::{CustomerId, CustomerSnapshot, CustomerState, Snapshot};
use crate::rules::glance::Glancer;
use crate::rules::watch;
use crate::store::{CustomerReading, Filter, StoreError};

/// Rows in a page of the provider's list.
const LIST_PAGE_ROWS: u64 = 100;
/// Pages read at once, at most: each takes some 300 KiB while it is taken in.
const MOST_PAGES_AT_ONCE: usize = 4;
/// Customers of the book seen at a glance by one trip to it.
const BOOK_PAGE_ROWS: usize = 250;
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
    /// Customers who could not be read when their card had to be confirmed, or whose rows in the book cannot be: looked at
    /// in the next watch.
    pub unread: u64,
    /// Somebody asked to stop before the end.
    pub stopped: bool,
}

/// Reads all customers and looks at all that the book bills. `now` is the billing instant at which it begins; where it
/// takes its time, the instant goes on with it.
///
/// # Errors
/// The keys, the book, or a list that could not be read to its end.
pub async fn watch_cards(billing: &Billing, now: Timestamp, speed: Speed) -> Result<CardWatch, RunError> {
    let permits = Arc::new(Pace::new(billing.clock.clone(), billing.meters.clone(), billing.settings.rate));
    let began = whole_seconds(now);
    let mut watch = Watch {
        billing,
        permits,
        ease: Ease::new(speed, billing),
        began,
        began_steady: billing.clock.steady(),
        at: began,
        counts: CardWatch::default(),
        seen: CardSeen::default(),
        tries_asked: 0,
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
    ease: Ease,
    /// Whoever was read since then was read by this watch.
    began: Timestamp,
    /// The same on a clock that cannot jump.
    began_steady: Duration,
    /// The billing instant of what is done now.
    at: Timestamp,
    counts: CardWatch,
    seen: CardSeen,
    /// Customers for whom a run was asked.
    tries_asked: u32,
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

    /// A permit for a request, in this work's turn.
    async fn permit(&mut self) {
        self.ease.turn().await;
        self.permits.permit().await;
        self.look_at_the_clock();
    }

    /// A watch that takes its time would else believe, hours later, that it is still the instant at which it began.
    fn look_at_the_clock(&mut self) {
        if self.ease.is_leisurely() {
            let gone = self.billing.clock.steady().saturating_sub(self.began_steady);
            let gone = SignedDuration::try_from(gone).unwrap_or(SignedDuration::ZERO);
            self.at = whole_seconds(self.began.saturating_add(gone).unwrap_or(self.began));
        }
    }

    /// Keeps every page of the provider's list.
    async fn read_list(&mut self) -> Result<(), RunError> {
        self.permit().await;
        let account = self.billing.gateway.account().await?;
        let to = account.provider_now.unwrap_or_else(|| self.billing.clock.now());
        self.permit().await;
        let first = self.billing.gateway.customers(to, 0).await?;
        let total = first.total;
        self.counts.listed = total;
        // The book is looked through afterwards, and has about as many.
        self.ease.spread(total.saturating_mul(2));
        self.billing.watch.begin(Part::Cards, Some(total));
        self.keep(first).await?;
        if self.ease.is_leisurely() {
            self.keep_rest_in_turn(to, total).await?;
        } else {
            self.keep_rest(to, total).await?;
        }
        self.billing.watch.end();
        Ok(())
    }

    /// Several pages at once.
    async fn keep_rest(&mut self, to: Timestamp, total: u64) -> Result<(), RunError> {
        let (billing, permits) = (self.billing, self.permits.clone());
        let at_once = billing.settings.in_flight.clamp(1, MOST_PAGES_AT_ONCE);
        let mut pages = stream::iter(offsets(total))
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

    /// One page after the other, with a rest before each.
    async fn keep_rest_in_turn(&mut self, to: Timestamp, total: u64) -> Result<(), RunError> {
        for offset in offsets(total) {
            self.ease.rest(LIST_PAGE_ROWS).await;
            if self.is_stopped() {
                break;
            }
            self.permit().await;
            let page = self.billing.gateway.customers(to, offset).await?;
            self.keep(page).await?;
        }
        Ok(())
    }

    /// Keeps one page, and tells whose default card is another one.
    async fn keep(&mut self, page: Page<CustomerFacts>) -> Result<(), RunError> {
        let rows = page.rows.len() as u64;
        let at = self.at;
        let readings: Vec<CustomerReading> = page.rows.into_iter().map(|facts| present(facts, at)).collect();
        kill_point("watch.before_keep");
        let changed = self
            .billing
            .lane
            .run(move |store| {
                let mut changed = store.observe_customers(&readings)?.changed;
                changed.retain(|before| {
                    readings.iter().any(|reading| reading.id == before.id && is_changed(before, reading))
                });
                Ok::<_, StoreError>(changed)
            })
            .await??;
        kill_point("watch.after_keep");
        for before in changed {
            let told = self.tell_change(&before).await;
            self.pass_over_unreadable(told)?;
        }
        self.billing.watch.advance(rows);
        Ok(())
    }

    /// A row that cannot be read stays with its customer: the others are looked at all the same.
    fn pass_over_unreadable(&mut self, looked: Result<(), RunError>) -> Result<(), RunError> {
        match looked {
            Err(RunError::Store(error @ StoreError::Nonsense { .. })) => {
                tracing::error!(%error, "a customer's rows cannot be read; the others go on");
                self.counts.unread += 1;
                Ok(())
            }
            looked => looked,
        }
    }

    async fn tell_change(&mut self, before: &CustomerSnapshot) -> Result<(), RunError> {
        let mut told = false;
        let mut after = Some(0);
        while let Some(from) = after {
            let (page, next) = self.living(&before.id, from).await?;
            after = next;
            for snapshot in &page {
                let event = watch::changed(snapshot, before, self.at);
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
        let mut after = Some(0);
        while let Some(from) = after {
            self.ease.turn().await;
            self.look_at_the_clock();
            let page = self.glance(from).await?;
            self.counts.customers += page.passed_over;
            for wanted in &page.wanted {
                self.ease.turn().await;
                if self.is_stopped() {
                    break;
                }
                self.look_at_the_clock();
                let looked = self.look_at(wanted).await;
                self.pass_over_unreadable(looked)?;
            }
            self.billing.watch.advance(page.seen);
            after = page.next.filter(|_| !self.is_stopped());
            if after.is_some() {
                self.ease.rest(page.seen).await;
            }
        }
        self.billing.watch.end();
        Ok(())
    }

    /// A page of the book, of which only those are brought along who want a closer look.
    async fn glance(&self, after: i64) -> Result<Glance, RunError> {
        let glancer = Glancer::new(&self.billing.settings.cards, self.began, self.at);
        let page = self.billing.lane.run(move |store| {
            let page = store.glance(after, BOOK_PAGE_ROWS)?;
            let billed = page.customers.len();
            let wanted: Vec<Wanted> = page
                .customers
                .into_iter()
                .filter(|customer| glancer.wants_more(customer))
                .map(|customer| Wanted { id: customer.id, read_at: customer.read_at })
                .collect();
            let passed_over = (billed - wanted.len()) as u64;
            let next = page.last.filter(|_| page.seen == BOOK_PAGE_ROWS as u64);
            Ok::<_, StoreError>(Glance { passed_over, wanted, seen: page.seen, next })
        });
        Ok(page.await??)
    }
}

/// What is brought along of a page of the book.
struct Glance {
    /// Customers who are billed and want no closer look.
    passed_over: u64,
    wanted: Vec<Wanted>,
    /// All customers of the page.
    seen: u64,
    /// Where the next page begins; `None`: there is none.
    next: Option<i64>,
}

/// A customer who wants a closer look.
struct Wanted {
    id: CustomerId,
    /// When they were last read; `None`: never.
    read_at: Option<Timestamp>,
}

/// Where pages of the provider's list begin, but for the first.
fn offsets(total: u64) -> impl Iterator<Item = u64> {
    (1..total.div_ceil(LIST_PAGE_ROWS)).map(|page| page * LIST_PAGE_ROWS)
}

/// Whether the default card is another one, or the same with another month than was read before.
fn is_changed(before: &CustomerSnapshot, now: &CustomerReading) -> bool {
    if before.state != CustomerState::Present || now.state != CustomerState::Present {
        return false;
    }
    let month = |cards: &[crate::model::CardSnapshot], id| {
        cards.iter().find(|card| Some(&card.id) == id).map(|card| card.expiration)
    };
    let month_before = month(&before.cards, before.default_card.as_ref());
    before.default_card != now.default_card
        || (month_before.is_some() && month_before != month(&now.cards, now.default_card.as_ref()))
}
