//! What a command has in hand: the config, and through it the book, the provider and the time.

use jiff::Timestamp;
use tokio::runtime::{Builder, Runtime};

use super::args::Global;
use super::exit::Failure;
use crate::config::{self, Loaded, Settings};
use crate::model::settings::AccountLimits;
use crate::model::{PlanVersion, PlanVersionId, Zone};
use crate::rules::{Circumstances, Wire};
use crate::store::Store;
use crate::store::sqlite::SqliteStore;
use crate::wiring;

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

    /// The book that is there, with the config's new plans in it.
    pub fn book(&self) -> Result<SqliteStore, Failure> {
        let mut store = self.book_as_it_is()?;
        self.bring_plans(&mut store)?;
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

    /// Brings the config's new plans into the book; returns the versions that were added.
    pub fn bring_plans(&self, store: &mut SqliteStore) -> Result<Vec<PlanVersion>, Failure> {
        self.wait(async { Ok(wiring::bring_plans(self.settings(), &self.config.plans, store, None).await?) })
    }

    /// The plans as they would be with the config's new ones in the book: nothing is written, nothing asked.
    pub fn plans_in_memory(&self, store: &mut dyn Store) -> Result<Vec<PlanVersion>, Failure> {
        let mut plans = store.plans()?;
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
        Ok(plans)
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
