//! The fuse box: joins config, book, gateway, sandbox and clock into a house that works, and refuses what
//! must not be joined.
//!
//! Must never know: commands, pages, what is decided.

mod backups;
mod door;
mod post;
mod renew;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use crate::billing::{Billing, BillingSettings, RatePerSecond, Watch};
use crate::clock::{Clock, SystemClock};
use crate::config::{ConfigErrors, SecretError, Settings};
use crate::gateway::{AccessError, GatewayError};
use crate::notify::letters::{LetterSettings, OverrideErrors};
use crate::sandbox::SandboxError;
use crate::store::sqlite::{OpenOptions, SqliteStore};
use crate::store::{
    BookFacts, ChargingLock, HostBinding, Lane, LaneOptions, Store, StoreError, folder, rights, witness,
};

pub use backups::{BackupMade, Backups, copy_book};
pub use door::{
    Door, bring_judged_plans, bring_plans, bring_plans_if_possible, check_mode, has_key, judge_plans,
    new_plans, open_door, open_door_beside, open_door_to_look, prices_of, sandbox_state,
};
pub use post::{Post, Sent, command_refused};
pub use renew::{Renewal, renew};

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
    /// A wish that the kind of the key or the account forbids, each with its place in the config.
    #[error("{0}")]
    Config(ConfigErrors),
    /// A wish that cannot be granted.
    #[error("{0}")]
    Wish(String),
    /// A wish that cannot be granted while the house stands.
    #[error("{key}: {sentence}")]
    Fixed {
        /// Its dotted key in the config.
        key: &'static str,
        /// What was found and what was wanted.
        sentence: String,
    },
    /// The provider, asked for the account's limits.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// The merchant's own templates.
    #[error(transparent)]
    Templates(#[from] OverrideErrors),
    /// A book that is not this host's, or older than it was.
    #[error("{0}")]
    Adopt(String),
}

/// What letters are made with, the merchant's own templates read and judged; `None`: the config names nobody who
/// writes them.
///
/// # Errors
/// Every mistake of the templates.
pub fn letters(settings: &Settings) -> Result<Option<LetterSettings>, WiringError> {
    Ok(settings.letters.clone().map(LetterSettings::load).transpose()?)
}

/// Opens the book, making it if there is none.
pub fn open_book(settings: &Settings) -> Result<SqliteStore, WiringError> {
    open_book_within(settings, OpenOptions::default().busy_wait)
}

/// The same for who asks again by itself: others who write are waited for no longer than that, for as long as the book
/// is open or until another wait is wished.
pub fn open_book_within(settings: &Settings, busy_wait: Duration) -> Result<SqliteStore, WiringError> {
    folder::make(&settings.store.path)?;
    let options = OpenOptions { create: true, busy_wait, now: now(), ..OpenOptions::default() };
    let mut store = SqliteStore::open(&settings.store.path, options)?;
    store.set_zone(&settings.zone)?;
    Ok(store)
}

/// Opens the book that is there; refused if there is none.
pub fn open_existing(settings: &Settings) -> Result<SqliteStore, WiringError> {
    need_book(settings)?;
    let options = OpenOptions { create: false, now: now(), ..OpenOptions::default() };
    let mut store = SqliteStore::open(&settings.store.path, options)?;
    store.set_zone(&settings.zone)?;
    Ok(store)
}

/// Whether there is a book.
///
/// # Errors
/// Where the system does not let this user look.
pub fn has_book(settings: &Settings) -> Result<bool, WiringError> {
    Ok(rights::is_there(&settings.store.path)?)
}

/// Whether whoever opens the book to put something into it would make it. Then whatever could refuse them is asked
/// beforehand, of a book in memory: what comes to nothing leaves no empty book behind, and none has to be taken away
/// again, which another program may have opened meanwhile.
///
/// # Errors
/// Where this user could not make or write it.
pub fn would_make_book(settings: &Settings) -> Result<bool, WiringError> {
    let book = &settings.store.path;
    rights::refuse_unwritable(book)?;
    // In the place of a book that was lost none is made: to open it says so.
    Ok(!has_book(settings)? && witness::of_lost_book(book).is_none())
}

/// Refuses to go on where there is no book: what only reads makes none.
pub fn need_book(settings: &Settings) -> Result<(), WiringError> {
    if has_book(settings)? {
        return Ok(());
    }
    Err(StoreError::Missing { path: settings.store.path.clone() }.into())
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
/// is begun. What cannot come to anything, by its key or by what stands in the book's place, leaves no lock behind.
pub fn claim(settings: &Settings, claim: Claim) -> Result<Option<ChargingLock>, WiringError> {
    if claim == Claim::None {
        return Ok(None);
    }
    let book = &settings.store.path;
    rights::refuse_no_file(book)?;
    // Beside a lock the key is asked for later: a run may be handed over to its holder, who alone needs one.
    if !ChargingLock::is_there(book) {
        refuse_key(settings)?;
    }
    folder::make(book)?;
    let mut lock = ChargingLock::take(book)?;
    if claim == Claim::Serve {
        lock.stay()?;
    }
    Ok(Some(lock))
}

/// Refuses a key that opens no door, before anything is made for the one who holds it.
fn refuse_key(settings: &Settings) -> Result<(), WiringError> {
    if settings.omise.sandbox {
        return Ok(());
    }
    let key = settings.omise.key.read()?.ok_or(WiringError::NoKey)?;
    settings.check_key(key.is_live_key()).map_err(WiringError::Config)
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

/// Whether the pause file is there. Where nobody can look, it may be: then nothing is charged either.
fn paused(settings: &Settings) -> Arc<dyn Fn() -> bool + Send + Sync> {
    let pause_file = settings.brakes.pause_file.clone();
    let told = AtomicBool::new(false);
    Arc::new(move || {
        let Some(file) = pause_file.as_deref() else { return false };
        let looked = file.try_exists();
        let told = told.swap(looked.is_err(), Ordering::Relaxed);
        looked.unwrap_or_else(|error| {
            // It is asked every second.
            if !told {
                let file = file.display();
                tracing::error!(%file, %error, "nobody can look for the pause file, so nothing is charged");
            }
            true
        })
    })
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
        prices: Vec::new(),
    }
}

/// A new book is bound to this host; any other must be bound to it already, and be no older than its witness.
fn check_home(settings: &Settings, store: &mut SqliteStore) -> Result<(), WiringError> {
    let facts = store.facts()?;
    refuse_stranger(settings, &facts)?;
    if facts.host.is_none() {
        store.bind_host(&this_host(&settings.store.path))?;
    }
    Ok(witness::begin(&settings.store.path, &facts)?)
}

/// Refuses a book that is another host's, restored, or older than its witness. Writes nothing.
pub fn refuse_stranger(settings: &Settings, facts: &BookFacts) -> Result<(), WiringError> {
    let here = this_host(&settings.store.path);
    match &facts.host {
        None if facts.epoch.0 == 0 => {}
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
    witness::check(&settings.store.path, facts).map_err(WiringError::Adopt)
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
