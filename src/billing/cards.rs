//! Reading customers: all of them by pages of a hundred where that is cheaper, one of them where news are needed.

use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;

use super::card_seen::present;
use super::run::Run;
use super::serve::Visit;
use super::{Part, RunError, dry};
use crate::gateway::{CustomerFacts, CustomerRead, GatewayError, Page};
use crate::hooks::kill_point;
use crate::model::{CustomerSnapshot, CustomerState, StoppedBy};
use crate::store::{CustomerReading, Store};

/// Rows in a page of the provider's list.
const LIST_PAGE_ROWS: u64 = 100;
/// Pages read at once, at most: each is a request that answers slowly, and some 300 KiB while it is taken in.
const MOST_PAGES_AT_ONCE: usize = 4;
/// One page is read at once for so many charges under way: half as fast again as its customers are charged.
const CHARGES_A_PAGE: usize = 64;
/// Fewer stale customers than that are read singly, whatever the list costs.
const FEWEST_LISTED: u64 = 2;

/// What reading one customer came to.
pub(super) enum ReadNow {
    /// The book has it.
    InBook,
    /// A dry run put it into its snapshot.
    InSnapshot,
    /// The provider could not be read.
    Failed,
    /// It has more cards of the customer than are taken in, in words for people.
    TooMany(String),
}

/// Brings the book's snapshots of due customers up to date, if listing all customers takes fewer requests than
/// reading the stale ones singly; those are then read when their turn comes.
pub(super) async fn refresh(run: &Run<'_>) -> Result<(), RunError> {
    if count_stale(run, FEWEST_LISTED).await? < FEWEST_LISTED {
        return Ok(());
    }
    run.pace.permit().await;
    let wire = run.time.wire(run.billing.settings.timeout);
    let to = wire.provider_now.unwrap_or(wire.wall_at);
    let first = match run.billing.gateway.customers(to, 0).await {
        Ok(page) => page,
        Err(error) => return given_up(run, &error),
    };
    let total = first.total;
    // Counted no further than the question needs: counting distinct customers remembers each.
    let pages_left = total.div_ceil(LIST_PAGE_ROWS).saturating_sub(1);
    if count_stale(run, pages_left).await? < pages_left {
        return Ok(());
    }
    run.tell_cards(|watch| watch.begin(Part::Cards, Some(total)));
    keep(run, first).await?;
    let offsets = (1..total.div_ceil(LIST_PAGE_ROWS)).map(|page| page * LIST_PAGE_ROWS);
    let mut pages = stream::iter(offsets)
        .map(|offset| async move {
            run.pace.permit().await;
            run.billing.gateway.customers(to, offset).await
        })
        .buffer_unordered((run.billing.settings.in_flight / CHARGES_A_PAGE).clamp(1, MOST_PAGES_AT_ONCE));
    while let Some(page) = pages.next().await {
        match page {
            Ok(page) => keep(run, page).await?,
            Err(error) => return given_up(run, &error),
        }
        if run.halted().is_some() {
            break;
        }
    }
    run.tell_cards(|watch| watch.end());
    Ok(())
}

/// Customers of due subscriptions that must be read again, counted up to `most`.
async fn count_stale(run: &Run<'_>, most: u64) -> Result<u64, RunError> {
    let (at, fresh_after) = (run.at, fresh_after(run));
    Ok(run.billing.lane.run(move |store| store.count_stale_customers(at, fresh_after, most)).await??)
}

/// Who was read earlier than this must be read again before they are charged.
pub(super) fn fresh_after(run: &Run<'_>) -> Timestamp {
    run.at.saturating_sub(run.billing.settings.cards.fresh).unwrap_or(Timestamp::MIN)
}

/// Whether that customer must be read again before they are charged.
pub(super) fn is_old(run: &Run<'_>, customer: &CustomerSnapshot) -> bool {
    customer.read_at.is_none_or(|read| read < fresh_after(run))
}

/// Without the list, stale customers are read singly; without valid keys nothing goes on.
fn given_up(run: &Run<'_>, error: &GatewayError) -> Result<(), RunError> {
    run.tell_cards(|watch| watch.end());
    if matches!(error, GatewayError::Keys { .. }) {
        run.halt(StoppedBy::Keys);
        return Err(error.clone().into());
    }
    tracing::warn!(%error, "customers could not be listed; they are read one by one");
    Ok(())
}

async fn keep(run: &Run<'_>, page: Page<CustomerFacts>) -> Result<(), RunError> {
    run.time.saw(page.provider_now);
    run.pace.accepted();
    let rows = page.rows.len() as u64;
    if run.order.dry_run {
        run.dry().listed(page.rows);
    } else {
        let at = run.at;
        let readings: Vec<_> = page.rows.into_iter().map(|facts| present(facts, at)).collect();
        kill_point("cards.before_commit");
        let listing = Arc::clone(&run.listing);
        let observe = move |store: &mut dyn Store| {
            let observed = store.observe_customers(&readings);
            listing.saw(readings.iter().map(|reading| &reading.id));
            observed
        };
        run.billing.lane.run(observe).await??;
        kill_point("cards.after_commit");
    }
    run.tell_cards(|watch| watch.advance(rows));
    Ok(())
}

/// Reads the visit's customer at the provider, now.
pub(super) async fn read_now(run: &Run<'_>, visit: &mut Visit) -> ReadNow {
    let id = visit.snapshot.customer.id.clone();
    if run.order.dry_run {
        let kept = run.dry().seen(&id);
        if let Some(read) = kept {
            dry::show(&mut visit.snapshot, read, run.at);
            return ReadNow::InSnapshot;
        }
    }
    run.pace.permit().await;
    let read = match run.billing.gateway.customer(&id).await {
        Ok(read) => {
            run.pace.accepted();
            read
        }
        Err(error) => {
            if matches!(error, GatewayError::Keys { .. }) {
                run.halt(StoppedBy::Keys);
            }
            run.reached(!matches!(error, GatewayError::Unreachable(_)));
            tracing::warn!(subscription = %visit.snapshot.subscription.id, %error, "the customer could not be read");
            return match error {
                GatewayError::TooMany(what) => ReadNow::TooMany(what.to_string()),
                _ => ReadNow::Failed,
            };
        }
    };
    if run.order.dry_run {
        run.dry().saw(id, read.clone());
        dry::show(&mut visit.snapshot, read, run.at);
        return ReadNow::InSnapshot;
    }
    let at = run.at;
    let reading = match read {
        CustomerRead::Present(facts) => present(facts, at),
        CustomerRead::Gone => CustomerReading {
            id,
            state: CustomerState::Gone,
            default_card: None,
            cards: Vec::new(),
            read_at: at,
        },
    };
    match run.billing.lane.run(move |store| store.observe_customers(&[reading])).await {
        Ok(Ok(_)) => ReadNow::InBook,
        Ok(Err(error)) => {
            tracing::error!(%error, "what was read of a customer could not be kept");
            run.halt(StoppedBy::Store);
            ReadNow::Failed
        }
        Err(_) => {
            run.halt(StoppedBy::Store);
            ReadNow::Failed
        }
    }
}
