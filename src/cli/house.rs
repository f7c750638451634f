//! Opens a house that may charge for the commands that need one, and shows how far its work is.

use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use super::context::{Context, Turn};
use super::exit::Failure;
use super::progress::Progress;
use crate::billing::import::Import;
use crate::billing::offer::Offer;
use crate::billing::{BillingSettings, Part, Watch};
use crate::store::sqlite::SqliteStore;
use crate::store::{ChargingLock, Store, rights, witness};
use crate::wiring::{self, Claim, Door, House};

/// What a command wants of the house.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To charge: takes the lock.
    Charge,
    /// To bind a book that is not this host's: takes the lock, asks for no binding.
    Adopt,
    /// To keep what the provider shows, beside whatever charges: takes no lock.
    Keep,
    /// To look: writes nothing.
    Look,
}

impl Purpose {
    /// What it claims.
    pub(super) const fn claim(self) -> Claim {
        match self {
            Self::Charge => Claim::Charge,
            Self::Adopt => Claim::Adopt,
            Self::Keep | Self::Look => Claim::None,
        }
    }
}

/// Puts the house together; a new book on the embedded sandbox gets the config's subscriptions first.
pub(super) async fn open(context: &Context, purpose: Purpose) -> Result<House, Failure> {
    if matches!(purpose, Purpose::Keep | Purpose::Adopt) {
        context.need_book()?;
    }
    let lock = wiring::claim(context.settings(), purpose.claim())?;
    open_claimed(context, purpose, lock).await
}

/// The same with the lock in hand.
pub(super) async fn open_claimed(
    context: &Context,
    purpose: Purpose,
    lock: Option<ChargingLock>,
) -> Result<House, Failure> {
    let settings = context.settings();
    let door = match purpose {
        Purpose::Charge | Purpose::Adopt => wiring::open_door(settings).await?,
        Purpose::Keep => wiring::open_door_beside(settings).await?,
        Purpose::Look => wiring::open_door_to_look(settings).await?,
    };
    let turn = if purpose == Purpose::Charge { rehearse(context, &door).await? } else { Turn::Only };
    let store = match purpose {
        Purpose::Look => book_for_a_look(context, &door).await.map_err(Failure::of_a_dry_run)?,
        Purpose::Charge | Purpose::Adopt | Purpose::Keep => {
            let mut store = wiring::open_book(settings)?;
            wiring::check_mode(&mut store, &door)?;
            let plans = &context.config.plans;
            if purpose != Purpose::Charge {
                wiring::bring_plans_if_possible(settings, plans, &mut store, Some(&door)).await;
            } else if turn == Turn::AfterTrial {
                wiring::bring_judged_plans(settings, plans, &mut store)?;
            } else if has_new_plans(context, &mut store)? {
                context.plans_brought(&mut store, Some(&door)).await?;
            }
            if purpose == Purpose::Charge {
                first_subscriptions(context, &mut store, &door)?;
            }
            store
        }
    };
    let watch = Arc::new(Bar::new(context));
    let mut house = wiring::build(settings, store, door, watch, stop_on_signal(), (purpose.claim(), lock))?;
    if matches!(purpose, Purpose::Charge | Purpose::Look) {
        let prices = wiring::prices_of(&context.config.plans);
        let all = BillingSettings { prices, ..(*house.billing.settings).clone() };
        house.billing.settings = Arc::new(all);
    }
    Ok(house)
}

/// Before a first run makes the book: what may refuse it, of a book in memory, so that none is left behind that nothing
/// came of.
async fn rehearse(context: &Context, door: &Door) -> Result<Turn, Failure> {
    if !wiring::would_make_book(context.settings())? {
        return Ok(Turn::Only);
    }
    let mut trial = SqliteStore::in_memory()?;
    if has_new_plans(context, &mut trial)? {
        context.plans_brought(&mut trial, Some(door)).await?;
    }
    first_subscriptions(context, &mut trial, door)?;
    Ok(Turn::AfterTrial)
}

/// Without any, the account need not be asked beforehand: the run asks it, and holds every price against its limits.
fn has_new_plans(context: &Context, store: &mut dyn Store) -> Result<bool, Failure> {
    Ok(!wiring::new_plans(&context.config.plans, &store.plans()?).is_empty())
}

/// The book for a dry run, which writes nothing and is refused what a run would be refused: a book that this user may
/// not write, that is another host's, restored or older than it was, keys of the other kind, prices that the account
/// cannot charge. Where a run would make the book or put the first subscriptions into it, one in memory stands for it.
async fn book_for_a_look(context: &Context, door: &Door) -> Result<SqliteStore, Failure> {
    let (settings, plans) = (context.settings(), &context.config.plans);
    rights::refuse_unwritable(&settings.store.path)?;
    // Beside the witness of a book that was lost there is nothing to look at: that is refused as well.
    if wiring::has_book(settings)? || witness::of_lost_book(&settings.store.path).is_some() {
        let mut store = wiring::open_book_read_only(settings)?;
        wiring::check_mode(&mut store, door)?;
        if has_new_plans(context, &mut store)? {
            let known = store.plans()?;
            wiring::judge_plans(settings, plans, &known, Some(door)).await?;
        }
        wiring::refuse_stranger(settings, &store.facts()?)?;
        let is_first = settings.sandbox.subscriptions.is_some() && door.pretend().is_some();
        if !is_first || store.has_subscriptions()? {
            return Ok(store);
        }
    }
    let mut store = SqliteStore::in_memory()?;
    wiring::bring_plans(settings, plans, &mut store, Some(door)).await?;
    first_subscriptions(context, &mut store, door)?;
    Ok(store)
}

/// `[sandbox] subscriptions`, into a book that has none, so that a first try has something to bill.
pub(super) fn first_subscriptions(
    context: &Context,
    store: &mut SqliteStore,
    door: &Door,
) -> Result<(), Failure> {
    let Some(file) = context.settings().sandbox.subscriptions.as_ref().filter(|_| door.pretend().is_some())
    else {
        return Ok(());
    };
    if store.has_subscriptions()? {
        return Ok(());
    }
    let text = std::fs::read(file)
        .map_err(|why| Failure::usage(format!("[sandbox] subscriptions: {}: {why}", file.display())))?;
    let offer = Offer::new(store.plans()?, &context.config.plans);
    let import = Import::new(&text, offer.plans().to_vec(), context.zone().clone(), context.now())
        .not_selling(offer.refused().clone());
    let count = import
        .carry_out(store, &mut |_| {})
        .map_err(|error| Failure::usage(format!("[sandbox] subscriptions: {}: {error}", file.display())))?;
    tracing::info!(count, file = %file.display(), "subscriptions imported into the new book");
    Ok(())
}

/// A first signal lets calls in flight end; a second one ends the program at once, which loses nothing.
fn stop_on_signal() -> CancellationToken {
    let stop = CancellationToken::new();
    let told = stop.clone();
    tokio::spawn(async move {
        wait_for_signal().await;
        tracing::warn!("stopping: calls in flight are waited for; a second signal ends at once");
        told.cancel();
        wait_for_signal().await;
        std::process::exit(130);
    });
    stop
}

async fn wait_for_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = terminate.recv() => {}
        interrupted = tokio::signal::ctrl_c() => {
            if interrupted.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

/// What a part of the work is called beside its bar.
pub(super) const fn caption(part: Part) -> &'static str {
    match part {
        Part::Doubt => "looking up",
        Part::Cards => "reading customers",
        Part::Charges => "charging",
    }
}

/// A progress bar for each part of the work.
struct Bar {
    global: super::args::Global,
    now: Mutex<Option<(Progress, u64)>>,
}

impl Bar {
    fn new(context: &Context) -> Self {
        Self { global: context.global.clone(), now: Mutex::new(None) }
    }
}

impl Watch for Bar {
    fn begin(&self, part: Part, total: Option<u64>) {
        let bar = Progress::new(&self.global, caption(part), total.unwrap_or(0));
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = Some((bar, 0));
    }

    fn advance(&self, steps: u64) {
        if let Some((bar, done)) = &mut *self.now.lock().unwrap_or_else(PoisonError::into_inner) {
            *done += steps;
            bar.set(*done);
        }
    }

    fn end(&self) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
