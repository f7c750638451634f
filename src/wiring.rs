//! The fuse box: joins config, book, gateway, sandbox and clock into a house that works, and refuses what
//! must not be joined.
//!
//! Must never know: commands, pages, what is decided.

mod backups;
mod door;
mod post;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use crate::billing::{Billing, BillingSettings, RatePerSecond, Watch};
use crate::clock::{Clock, SystemClock};
use crate::config::{SecretError, Settings};
use crate::gateway::{AccessError, GatewayError};
use crate::model::{PlanKey, PlanTerms};
use crate::notify::letters::{LetterSettings, OverrideErrors};
use crate::sandbox::SandboxError;
use crate::store::sqlite::{OpenOptions, SqliteStore};
use crate::store::{ChargingLock, HostBinding, Lane, LaneOptions, Store, StoreError, witness};

pub use backups::{BackupMade, Backups};
use door::way_to;
pub use door::{Door, bring_plans, check_mode, open_door, refused_plans};
pub use post::{Post, Sent};

/// What could not be joined.
#[derive(Debug, Error)]
pub enum WiringError {
    /// The book refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key's file, variable or credential.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The key itself, or the client's settings.
    #[error("{place}: {error}")]
    Access {
        /// Where it came from.
        place: String,
        /// What is wrong.
        error: AccessError,
    },
    /// There is none.
    #[error(
        "[omise]: found no key, wanted secret_key_file, secret_key_env, the systemd credential omise_secret_key, or sandbox = true"
    )]
    NoKey,
    /// The embedded sandbox.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// A wish that the kind of the key forbids.
    #[error("{0}")]
    Wish(String),
    /// The provider, asked for the account's limits.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// Plans that the account cannot charge.
    #[error("{}", .0.join("\n"))]
    Plans(Vec<String>),
    /// The merchant's own templates.
    #[error(transparent)]
    Templates(#[from] OverrideErrors),
    /// A book that is not this host's, or older than it was.
    #[error("{0}")]
    Adopt(String),
    /// Something the system said.
    #[error("{path}: {error}", path = path.display())]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// What it said.
        error: std::io::Error,
    },
}

/// What letters are made with, the merchant's own templates read and judged; `None`: the config names nobody who
/// writes them.
///
/// # Errors
/// Every mistake of the templates.
pub fn letters(settings: &Settings) -> Result<Option<LetterSettings>, WiringError> {
    Ok(settings.letters.clone().map(LetterSettings::load).transpose()?)
}

fn make_folder(file: &Path) -> Result<(), WiringError> {
    let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    std::fs::create_dir_all(folder).map_err(|error| WiringError::Io { path: folder.to_owned(), error })
}

/// Opens the book, making it if there is none.
pub fn open_book(settings: &Settings) -> Result<SqliteStore, WiringError> {
    make_folder(&settings.store.path)?;
    let mut store = SqliteStore::open(
        &settings.store.path,
        OpenOptions { create: true, now: now(), ..OpenOptions::default() },
    )?;
    store.set_zone(&settings.zone)?;
    Ok(store)
}

/// Opens the book for reading; refused if there is none.
pub fn open_book_read_only(settings: &Settings) -> Result<SqliteStore, WiringError> {
    Ok(SqliteStore::open(
        &settings.store.path,
        OpenOptions { create: false, read_only: true, ..OpenOptions::default() },
    )?)
}

/// A house that may charge: it holds the charging lock for as long as it stands.
pub struct House {
    /// The work.
    pub billing: Billing,
    /// How the provider is reached.
    pub door: Door,
    lock: Option<ChargingLock>,
}

impl House {
    /// Finishes what is queued for the book, lets its witness know how far it came, stops the sandbox, and gives the
    /// lock back.
    pub async fn close(self, settings: &Settings) -> Result<(), WiringError> {
        if self.lock.is_some() {
            let facts = self.billing.lane.run(|store| store.facts()).await;
            if let Ok(facts) = facts {
                witness::write(&settings.store.path, &facts?)?;
            }
        }
        self.billing.lane.close().await;
        if let Some(sandbox) = self.door.sandbox {
            sandbox.stop().await;
        }
        Ok(())
    }
}

/// What a house is put together for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// To charge: takes the lock, and refuses a book that is another host's or older than its witness.
    Charge,
    /// The same, and to stay: others may hand their runs over.
    Serve,
    /// To bind the book to this host: takes the lock.
    Adopt,
    /// To look.
    None,
}

/// Takes the charging lock where the claim needs it. Comes first: beside another process that charges, nothing else
/// is begun.
pub fn claim(settings: &Settings, claim: Claim) -> Result<Option<ChargingLock>, WiringError> {
    if claim == Claim::None {
        return Ok(None);
    }
    make_folder(&settings.store.path)?;
    let mut lock = ChargingLock::take(&settings.store.path)?;
    if claim == Claim::Serve {
        lock.stay()?;
    }
    Ok(Some(lock))
}

/// Puts a house together around an open book and what [`claim`] gave.
pub fn build(
    settings: &Settings,
    mut store: SqliteStore,
    door: Door,
    watch: Arc<dyn Watch>,
    stop: CancellationToken,
    (claim, lock): (Claim, Option<ChargingLock>),
) -> Result<House, WiringError> {
    if matches!(claim, Claim::Charge | Claim::Serve) {
        check_home(settings, &mut store)?;
    }
    let billing = Billing {
        lane: Lane::start(Box::new(store), LaneOptions::default()),
        gateway: door.gateway.clone(),
        clock: Arc::new(SystemClock),
        settings: Arc::new(billing_settings(settings)),
        watch,
        meters: Arc::default(),
        stop,
        paused: paused(settings),
    };
    Ok(House { billing, door, lock })
}

fn paused(settings: &Settings) -> Arc<dyn Fn() -> bool + Send + Sync> {
    let pause_file = settings.brakes.pause_file.clone();
    Arc::new(move || pause_file.as_deref().is_some_and(Path::exists))
}

/// The work of a standing house under new wishes; its new plans are in the book when this returns. Wishes that a
/// house is built on cannot change while it stands.
pub async fn renew(
    house: &House,
    old: &Settings,
    new: &Settings,
    plans: &[(PlanKey, PlanTerms)],
) -> Result<Billing, WiringError> {
    let wants_restart = [
        ("store.path", old.store != new.store),
        ("omise.sandbox", old.omise.sandbox != new.omise.sandbox),
        ("sandbox", old.sandbox != new.sandbox),
        ("web", old.web != new.web),
    ];
    if let Some((key, _)) = wants_restart.iter().find(|(_, changed)| *changed) {
        return Err(WiringError::Wish(format!(
            "{key}: found another value than the one in force, wanted the same: it changes with a restart"
        )));
    }
    let gateway = way_to(new, house.door.sandbox.as_ref())?;
    let known = house.billing.lane.run(|store| store.plans()).await.map_err(|_| closed(new))??;
    let fresh: Vec<_> = plans
        .iter()
        .filter(|(key, terms)| !known.iter().any(|plan| plan.key == *key && plan.terms == *terms))
        .cloned()
        .collect();
    if !fresh.is_empty() {
        let door = Door { gateway: gateway.clone(), sandbox: None };
        let refusals = refused_plans(new, &fresh, Some(&door)).await?;
        if !refusals.is_empty() {
            return Err(WiringError::Plans(refusals));
        }
    }
    let (zone, now) = (new.zone.clone(), SystemClock.now());
    let brought = house.billing.lane.run(move |store| {
        store.set_zone(&zone)?;
        if fresh.is_empty() { Ok(Vec::new()) } else { store.apply_plans(&fresh, now) }
    });
    brought.await.map_err(|_| closed(new))??;
    Ok(Billing {
        gateway,
        settings: Arc::new(billing_settings(new)),
        paused: paused(new),
        ..house.billing.clone()
    })
}

fn closed(settings: &Settings) -> WiringError {
    let what = "the book's thread has ended".to_owned();
    WiringError::Store(StoreError::Other { path: settings.store.path.clone(), what })
}

/// What billing wishes, out of a config.
pub fn billing_settings(settings: &Settings) -> BillingSettings {
    BillingSettings {
        zone: settings.zone.clone(),
        cards: settings.cards.clone(),
        doubt: settings.doubt,
        three_ds: settings.three_ds.clone(),
        catch_up: settings.catch_up,
        declines: settings.declines.clone(),
        budgets: settings.budgets,
        brakes: settings.brakes.clone(),
        in_flight: settings.omise.in_flight as usize,
        rate: RatePerSecond(settings.omise.rate_milli_per_s),
        timeout: settings.omise.timeout,
    }
}

/// A new book is bound to this host; any other must be bound to it already, and be no older than its witness.
fn check_home(settings: &Settings, store: &mut SqliteStore) -> Result<(), WiringError> {
    let facts = store.facts()?;
    let here = this_host(&settings.store.path);
    match &facts.host {
        None if facts.epoch.0 == 0 => store.bind_host(&here)?,
        Some(bound) if *bound == here => {}
        Some(bound) => {
            return Err(WiringError::Adopt(format!(
                "{path}: found a book of host {} at {}, wanted one of this host ({} at {}): two copies would charge twice. \
                 Stop the other one, then run `dues adopt`",
                bound.machine,
                bound.path,
                here.machine,
                here.path,
                path = settings.store.path.display(),
            )));
        }
        None => {
            return Err(WiringError::Adopt(format!(
                "{}: found a restored book, wanted one that was compared with the provider's own list; run `dues adopt`",
                settings.store.path.display()
            )));
        }
    }
    witness::check(&settings.store.path, &facts).map_err(WiringError::Adopt)?;
    Ok(witness::begin(&settings.store.path, &facts)?)
}

/// What tells this host from another.
pub fn this_host(book: &Path) -> HostBinding {
    let id =
        std::fs::read_to_string("/etc/machine-id").map(|text| text.trim().to_owned()).unwrap_or_default();
    let machine =
        if id.is_empty() { rustix::system::uname().nodename().to_string_lossy().into_owned() } else { id };
    let path = std::path::absolute(book).unwrap_or_else(|_| book.to_owned());
    let path = path.canonicalize().unwrap_or(path);
    HostBinding { machine, path: path.display().to_string() }
}

/// The wall clock, for those who are told the time.
pub fn now() -> Timestamp {
    SystemClock.now()
}
