//! News of one customer: reads them now, keeps what was read, and lets it bear on their subscriptions.
//!
//! Promises: what is believed was read in this very call; nothing is charged, and the charging lock is not needed:
//! what is now due is taken up by the next run. Beside a service that run is asked for at once.
//! Must never know: who brought the news.

use jiff::Timestamp;

use super::{Billing, RunError};
use crate::gateway::{CustomerFacts, CustomerRead};
use crate::hooks::kill_point;
use crate::model::{
    Change, CustomerId, CustomerSnapshot, CustomerState, EventKind, Snapshot, SubscriptionId, Transition,
};
use crate::rules::watch::{self, News};
use crate::store::{CommitError, CustomerReading, Filter, Refusal, RunRequest};

/// Subscriptions of one customer read at a time.
const PAGE_ROWS: usize = 100;
/// Somebody else wrote between our read and our write so often in a row: the next news, or run, sees to it.
const MOST_CONFLICTS: u32 = 10;

/// What news of a customer came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CardSeen {
    /// The book has this customer; without, nothing was read.
    pub known: bool,
    /// Living subscriptions looked at.
    pub subscriptions: u64,
    /// Flags that were raised.
    pub raised: u64,
    /// Flags that were cleared.
    pub cleared: u64,
    /// Subscriptions of which something waited for a card, and is due now.
    pub due: u64,
}

impl CardSeen {
    /// Whether a card came that something had waited for.
    pub(super) const fn makes_a_try(&self) -> bool {
        self.due > 0 || self.cleared > 0
    }

    /// Counts that too.
    pub(super) const fn add(&mut self, other: &Self) {
        self.subscriptions += other.subscriptions;
        self.raised += other.raised;
        self.cleared += other.cleared;
        self.due += other.due;
    }

    fn wrote(&mut self, transition: &Transition, at: Timestamp) {
        let flags = |kind| transition.events.iter().filter(|event| event.kind == kind).count() as u64;
        self.raised += flags(EventKind::FlagRaised);
        self.cleared += flags(EventKind::FlagCleared);
        let due_now = |change: &Change| matches!(change, Change::UpdateInvoice(invoice) if invoice.next_attempt_at == Some(at));
        self.due += u64::from(transition.changes.iter().any(due_now));
    }
}

/// Reads the customer now, keeps the reading, and raises or clears flags of their subscriptions by it. One try of what
/// had waited for a card follows at once, in a run that is asked for.
///
/// # Errors
/// As of a run; what was done until then stands, and the same call again does the rest.
pub async fn card_seen(billing: &Billing, customer: CustomerId) -> Result<CardSeen, RunError> {
    let at = whole_seconds(billing.clock.now());
    let mut seen = CardSeen::default();
    let id = customer.clone();
    if billing.lane.run(move |store| store.customer(&id)).await??.is_none() {
        return Ok(seen);
    }
    seen.known = true;
    read(billing, &customer, at).await?;
    news(billing, &customer, at, true, &mut seen).await?;
    if seen.makes_a_try() {
        ask_for_a_try(billing, &customer).await?;
    }
    Ok(seen)
}

/// Asks for a run of that customer alone.
pub(super) async fn ask_for_a_try(billing: &Billing, customer: &CustomerId) -> Result<(), RunError> {
    let wish = RunRequest { only: Some(customer.to_string()), ..RunRequest::default() };
    let now = billing.clock.now();
    billing.lane.run(move |store| store.ask_run(&wish, now)).await??;
    Ok(())
}

/// The billing clock counts whole seconds.
pub(super) fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

/// What a read found otherwise than the book had it.
pub(super) struct ReadOtherwise {
    /// As the book had it.
    pub(super) before: CustomerSnapshot,
    /// As it was read.
    pub(super) now: CustomerReading,
}

/// Reads the customer at the provider and keeps what was read; `None`: it is what the book had, or they were not present
/// before.
pub(super) async fn read(
    billing: &Billing,
    customer: &CustomerId,
    at: Timestamp,
) -> Result<Option<ReadOtherwise>, RunError> {
    let reading = match billing.gateway.customer(customer).await? {
        CustomerRead::Present(facts) => present(facts, at),
        CustomerRead::Gone => CustomerReading {
            id: customer.clone(),
            state: CustomerState::Gone,
            default_card: None,
            cards: Vec::new(),
            read_at: at,
        },
    };
    let kept = reading.clone();
    let observed = billing.lane.run(move |store| store.observe_customers(&[kept])).await??;
    Ok(observed.changed.into_iter().next().map(|before| ReadOtherwise { before, now: reading }))
}

/// A customer whom the provider has, as the book keeps them.
pub(super) fn present(facts: CustomerFacts, at: Timestamp) -> CustomerReading {
    CustomerReading {
        id: facts.id,
        state: CustomerState::Present,
        default_card: facts.default_card,
        cards: facts.cards,
        read_at: at,
    }
}

/// Lets what the book knows of the customer bear on their living subscriptions. `read_now`: it was read for this;
/// without, whether a bad card must be confirmed by a read is answered, and nobody is flagged.
pub(super) async fn news(
    billing: &Billing,
    customer: &CustomerId,
    at: Timestamp,
    read_now: bool,
    seen: &mut CardSeen,
) -> Result<bool, RunError> {
    let mut after = 0;
    let mut wants_read = false;
    loop {
        let filter = Filter { customer: Some(customer.clone()), ..Filter::default() };
        let page =
            billing.lane.run(move |store| store.list_subscriptions(&filter, after, PAGE_ROWS)).await??;
        for row in page.iter().filter(|row| row.subscription.ended_at.is_none()) {
            seen.subscriptions += 1;
            wants_read |= !settle(billing, &row.subscription.id, at, read_now, seen).await?;
        }
        match page.last() {
            Some(last) if page.len() == PAGE_ROWS => after = last.row,
            _ => return Ok(wants_read),
        }
    }
}

/// `false`: the customer must be read first.
async fn settle(
    billing: &Billing,
    id: &SubscriptionId,
    at: Timestamp,
    read_now: bool,
    seen: &mut CardSeen,
) -> Result<bool, RunError> {
    for _ in 0..MOST_CONFLICTS {
        let wanted = id.clone();
        let snapshot = billing.lane.run(move |store| store.snapshot(&wanted)).await??;
        let Some(snapshot) = snapshot else { return Ok(true) };
        let transition = match watch::judge(&snapshot, &billing.settings.cards, at, read_now) {
            News::Settled(transition) if transition.is_empty() => return Ok(true),
            News::Settled(transition) => transition,
            News::Confirm(_) => return Ok(false),
        };
        if commit(billing, &snapshot, &transition).await? {
            seen.wrote(&transition, at);
            return Ok(true);
        }
    }
    tracing::warn!(subscription = %id, "changed by others again and again: the next run sees to it");
    Ok(true)
}

/// Whether the book took it; not, if somebody else wrote meanwhile.
pub(super) async fn commit(
    billing: &Billing,
    snapshot: &Snapshot,
    transition: &Transition,
) -> Result<bool, RunError> {
    kill_point("news.before_commit");
    let answer = billing.lane.commit(transition.clone()).await;
    kill_point("news.after_commit");
    match answer {
        Ok(_) => Ok(true),
        Err(CommitError::Refused(Refusal::Conflict(_) | Refusal::Fenced { .. })) => Ok(false),
        Err(CommitError::Refused(Refusal::Constraint(what))) => {
            let id = &snapshot.subscription.id;
            tracing::error!(subscription = %id, %what, "the book refused a write: a fault of ours");
            Ok(true)
        }
        Err(CommitError::Store(error)) => Err(error.into()),
        Err(CommitError::Closed(_)) => Err(crate::store::LaneClosed.into()),
    }
}
