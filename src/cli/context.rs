//! What a command has in hand: the config, and through it the book, the provider and the time.

use std::pin::pin;
use std::time::Duration;

use jiff::Timestamp;
use tokio::runtime::{Builder, Runtime};

use super::args::Global;
use super::exit::Failure;
use crate::billing::offer::Offer;
use crate::config::{self, Loaded, Settings};
use crate::model::settings::AccountLimits;
use crate::model::{PlanKey, PlanTerms, PlanVersion, PlanVersionId, Zone};
use crate::rules::{Circumstances, Wire};
use crate::store::Store;
use crate::store::sqlite::SqliteStore;
use crate::wiring::{self, Door};

/// Where [`Context::put`] stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// In a book in memory, for what may refuse it.
    Trial,
    /// In the book, after it came to something in memory.
    AfterTrial,
    /// In the book that was there.
    Only,
}

/// A provider that gives no answer for so long is told of.
const SILENT_FOR: Duration = Duration::from_secs(1);
/// Plans named to whoever waits for them.
const MOST_NAMES: usize = 5;

/// What a command has in hand.
pub struct Context {
    /// What every command takes.
    pub global: Global,
    /// The config that was believed.
    pub config: Loaded,
    runtime: Runtime,
}

impl Context {
    /// Reads the config.
    pub fn load(global: Global) -> Result<Self, Failure> {
        let path = config::find(global.config.as_deref())?;
        let config = config::load(&path)?;
        // The merchant's own templates are wishes too: a wrong one is refused before anything else happens.
        wiring::letters(&config.settings)?;
        // One thread: the work waits for the network, the book has a thread of its own, and handing things between
        // more of them costs more than it brings.
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|why| Failure::unexpected(format!("no threads could be started ({why})")))?;
        Ok(Self { global, config, runtime })
    }

    /// Every wish but the plans.
    pub const fn settings(&self) -> &Settings {
        &self.config.settings
    }

    /// The book's zone.
    pub const fn zone(&self) -> &Zone {
        &self.config.settings.zone
    }

    /// The book that is there, the config's new plans in it first. Where they cannot be, since the provider is away or
    /// refuses one, the book is as it was: who needs none of them goes on.
    pub fn book(&self) -> Result<SqliteStore, Failure> {
        let mut store = self.book_as_it_is()?;
        let (settings, plans) = (self.settings(), &self.config.plans);
        self.runtime.block_on(wiring::bring_plans_if_possible(settings, plans, &mut store, None));
        Ok(store)
    }

    /// The book that is there, with the plans it has.
    pub fn book_as_it_is(&self) -> Result<SqliteStore, Failure> {
        Ok(wiring::open_existing(self.settings())?)
    }

    /// The book, made if there is none, with the plans it has: for what puts something into it.
    pub fn book_made(&self) -> Result<SqliteStore, Failure> {
        Ok(wiring::open_book(self.settings())?)
    }

    /// The book for reading alone, as it is; where there is none an empty one that is kept nowhere.
    pub fn book_to_read(&self) -> Result<SqliteStore, Failure> {
        if wiring::has_book(self.settings())? {
            return Ok(wiring::open_book_read_only(self.settings())?);
        }
        Ok(SqliteStore::in_memory()?)
    }

    /// The book that is there; where there is none an empty one that is kept nowhere, for what is asked of the provider
    /// first and of the book besides.
    pub fn book_if_any(&self) -> Result<SqliteStore, Failure> {
        if wiring::has_book(self.settings())? {
            return self.book_as_it_is();
        }
        tracing::warn!(path = %self.settings().store.path.display(), "found no book: the provider alone is asked");
        Ok(SqliteStore::in_memory()?)
    }

    /// Refuses to go on without a book, before anything is written beside it.
    pub fn need_book(&self) -> Result<(), Failure> {
        Ok(wiring::need_book(self.settings())?)
    }

    /// Brings the config's new plans into the book; returns the versions that were added. Refused without a key where
    /// there are some.
    pub fn bring_plans(&self, store: &mut SqliteStore) -> Result<Vec<PlanVersion>, Failure> {
        self.wait(self.plans_brought(store, None))
    }

    /// The same by that door to the provider. Whoever waits for its answer is told so.
    pub async fn plans_brought(
        &self,
        store: &mut SqliteStore,
        door: Option<&Door>,
    ) -> Result<Vec<PlanVersion>, Failure> {
        let (settings, plans) = (self.settings(), &self.config.plans);
        let new = wiring::new_plans(plans, &store.plans()?);
        let mut brought = pin!(wiring::bring_plans(settings, plans, store, door));
        let early = tokio::time::timeout(SILENT_FOR, &mut brought).await;
        if let Ok(brought) = early {
            return Ok(brought?);
        }
        tracing::warn!(
            "waiting for the provider, a call to which may take {:#}: the config's prices are held against the account's \
             limits{}",
            settings.omise.timeout,
            named(&new)
        );
        Ok(brought.await?)
    }

    /// What is sold, the config's new plans in the book first. Without a key they stay out of it, and are not sold yet.
    pub fn offer(&self, store: &mut SqliteStore) -> Result<Offer, Failure> {
        if wiring::has_key(self.settings()) {
            self.bring_plans(store)?;
        }
        Ok(Offer::new(store.plans()?, &self.config.plans))
    }

    /// The same at that turn: after a trial nobody is asked again.
    pub fn offer_at(&self, turn: Turn, store: &mut SqliteStore) -> Result<Offer, Failure> {
        if wiring::has_key(self.settings()) {
            self.bring_plans_at(turn, store)?;
        }
        Ok(Offer::new(store.plans()?, &self.config.plans))
    }

    /// As [`Self::bring_plans`] at that turn: after a trial nobody is asked again.
    pub fn bring_plans_at(&self, turn: Turn, store: &mut SqliteStore) -> Result<Vec<PlanVersion>, Failure> {
        match turn {
            Turn::Trial | Turn::Only => self.bring_plans(store),
            Turn::AfterTrial => Ok(wiring::bring_judged_plans(self.settings(), &self.config.plans, store)?),
        }
    }

    /// Puts something into the book, made if there is none. Then it is put into one in memory first: what is refused
    /// makes no book.
    pub fn put<T>(
        &self,
        put: &mut dyn FnMut(&mut SqliteStore, Turn) -> Result<T, Failure>,
    ) -> Result<(SqliteStore, T), Failure> {
        let mut turn = Turn::Only;
        if wiring::would_make_book(self.settings())? {
            put(&mut SqliteStore::in_memory()?, Turn::Trial)?;
            turn = Turn::AfterTrial;
        }
        let mut store = self.book_made()?;
        let done = put(&mut store, turn)?;
        Ok((store, done))
    }

    /// As [`Self::offer`] for a dry run, which writes nothing: the config's new plans count as sold where the account can charge
    /// them. Without a key nobody knows whether it can, which is said.
    pub fn offer_in_memory(&self, store: &mut dyn Store) -> Result<Offer, Failure> {
        let (settings, wished) = (self.settings(), &self.config.plans);
        let known = store.plans()?;
        if wiring::has_key(settings) {
            let judged = self.wait(async { Ok(wiring::judge_plans(settings, wished, &known, None).await?) });
            judged.map_err(Failure::of_a_dry_run)?;
        } else {
            tracing::warn!(
                "no key is configured, so prices were not held against the account's limits: plans that are new to the book \
                 are refused until there is one"
            );
        }
        Ok(Offer::new(self.plans_in_memory(known), wished))
    }

    /// The plans as they would be with the config's new ones in the book.
    fn plans_in_memory(&self, mut plans: Vec<PlanVersion>) -> Vec<PlanVersion> {
        for (key, terms) in &self.config.plans {
            let known = plans.iter_mut().find(|plan| plan.key == *key);
            match known {
                Some(plan) => plan.terms = terms.clone(),
                None => plans.push(PlanVersion {
                    id: PlanVersionId(0),
                    key: key.clone(),
                    version: 1,
                    terms: terms.clone(),
                }),
            }
        }
        plans
    }

    /// The kind of keys that the book is bound to, or will be: live (`true`) or test. `None`: there is no key that could
    /// be read; whoever needs one says so.
    pub fn livemode(&self, store: &mut dyn Store) -> Result<Option<bool>, Failure> {
        if let Some(bound) = store.facts()?.livemode {
            return Ok(Some(bound));
        }
        let omise = &self.settings().omise;
        if omise.sandbox {
            return Ok(Some(false));
        }
        Ok(omise.key.read().ok().flatten().map(|key| key.is_live_key()))
    }

    /// Runs what talks to the network to its end.
    pub fn wait<T>(&self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        self.runtime.block_on(work)
    }

    /// Now, by the second: billing counts no less.
    pub fn now(&self) -> Timestamp {
        let now = wiring::now();
        Timestamp::from_second(now.as_second()).unwrap_or(now)
    }

    /// What a decision that charges nothing is told about the world.
    pub fn circumstances(&self, store: &mut dyn Store) -> Result<Circumstances, Failure> {
        let (settings, at) = (self.settings(), self.now());
        let facts = store.facts()?;
        Ok(Circumstances {
            at,
            budget_now: at,
            // A book that is bound to no keys yet was never charged.
            live: facts.livemode.unwrap_or(false),
            book_zone: settings.zone.clone(),
            installation: facts.installation,
            epoch: None,
            limits: AccountLimits::default(),
            cards: settings.cards.clone(),
            doubt: settings.doubt,
            catch_up: settings.catch_up,
            declines: settings.declines.clone(),
            budgets: settings.budgets,
            customer_day: settings.brakes.amount_per_customer_per_day.clone(),
            wire: Wire {
                wall_at: wiring::now(),
                provider_seen: None,
                provider_now: None,
                timeout: settings.omise.timeout,
            },
        })
    }
}

/// Plans that are new to the book, named in the middle of a sentence.
fn named(new: &[(PlanKey, PlanTerms)]) -> String {
    let mut names: Vec<&str> = new.iter().map(|(key, _)| key.as_str()).take(MOST_NAMES).collect();
    names.extend((new.len() > MOST_NAMES).then_some("…"));
    if names.is_empty() { String::new() } else { format!("; new to the book: {}", names.join(", ")) }
}
