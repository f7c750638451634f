//! How the provider is reached, pretend or real, and what its account thinks of the config's prices.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::WiringError;
use crate::billing::plans::refused_prices;
use crate::clock::{Clock, SystemClock};
use crate::config::{KeySource, Settings};
use crate::gateway::{Access, AccessError, Gateway, OmiseGateway};
use crate::model::settings::AccountLimits;
use crate::model::{Money, PlanKey, PlanTerms, PlanVersion};
use crate::sandbox::{Running, Sandbox, SandboxError, SandboxOptions, find_running};
use crate::store::{Store, StoreError, folder};

/// The seed of the embedded sandbox: its keys and customers follow from it.
const SANDBOX_SEED: u64 = 1;
/// The account has so long to name its limits where no new plan waits for them.
const LIMITS_PATIENCE: Duration = Duration::from_secs(5);

/// How to reach the provider, pretend or real.
pub struct Door {
    /// The bank's door.
    pub gateway: Arc<OmiseGateway>,
    /// The embedded pretend Omise, while it runs.
    pub sandbox: Option<Sandbox>,
    /// The pretend Omise of another process on the same book, instead of one of our own.
    pub beside: Option<Running>,
}

impl Door {
    /// The pretend Omise behind it: address of its vault and public key; `None`: it leads to a real one.
    pub fn pretend(&self) -> Option<(String, String)> {
        let own = self.sandbox.as_ref().map(|own| (own.vault_url(), own.public_key().to_owned()));
        own.or_else(|| self.beside.as_ref().map(|it| (it.api_url.clone(), it.public_key.clone())))
    }
}

/// Opens the door to the provider; starts the embedded sandbox where the config asks for it.
pub async fn open_door(settings: &Settings) -> Result<Door, WiringError> {
    let sandbox = if settings.omise.sandbox { Some(start_sandbox(settings).await?) } else { None };
    let gateway = way_to(settings, sandbox.as_ref())?;
    Ok(Door { gateway, sandbox, beside: None })
}

/// The same for what does not charge: where another process runs the embedded sandbox of this book already, such as the
/// service, its own is asked.
pub async fn open_door_beside(settings: &Settings) -> Result<Door, WiringError> {
    match open_door(settings).await {
        Err(WiringError::Sandbox(in_use @ SandboxError::StateInUse { .. })) => {
            let Some(running) = find_running(&sandbox_options(settings)).await else {
                return Err(in_use.into());
            };
            let (url, key) = (&running.api_url, &running.secret_key);
            let gateway = Arc::new(door_to_sandbox(url, url, key, settings)?);
            Ok(Door { gateway, sandbox: None, beside: Some(running) })
        }
        other => other,
    }
}

/// The same for a dry run, which writes nothing: a sandbox that has no state yet lives in memory alone, and its
/// customers are those that it would begin with.
pub async fn open_door_to_look(settings: &Settings) -> Result<Door, WiringError> {
    let options = sandbox_options(settings);
    if !settings.omise.sandbox || options.state.as_ref().is_none_or(|state| state.exists()) {
        return open_door_beside(settings).await;
    }
    let sandbox = crate::sandbox::start(SandboxOptions { state: None, ..options }).await?;
    let gateway = way_to(settings, Some(&sandbox))?;
    Ok(Door { gateway, sandbox: Some(sandbox), beside: None })
}

/// The gateway to the embedded sandbox if there is one, else to where the config says.
pub(super) fn way_to(
    settings: &Settings,
    sandbox: Option<&Sandbox>,
) -> Result<Arc<OmiseGateway>, WiringError> {
    let gateway = gateway_to(settings, sandbox)?;
    if let Some(sentence) = settings.hasty() {
        tracing::warn!("{sentence}");
    }
    Ok(Arc::new(gateway))
}

fn gateway_to(settings: &Settings, sandbox: Option<&Sandbox>) -> Result<OmiseGateway, WiringError> {
    let gateway = match sandbox {
        Some(own) => door_to_sandbox(&own.api_url(), &own.vault_url(), own.secret_key(), settings)?,
        None => door_to_provider(settings)?,
    };
    settings.check_key(gateway.client().livemode()).map_err(WiringError::Config)?;
    Ok(gateway)
}

fn door_to_sandbox(
    api_url: &str,
    vault_url: &str,
    secret_key: &str,
    settings: &Settings,
) -> Result<OmiseGateway, WiringError> {
    let access = access(settings, secret_key, api_url, Some(vault_url));
    OmiseGateway::open(&access).map_err(|error| WiringError::Access { place: "the sandbox".into(), error })
}

fn door_to_provider(settings: &Settings) -> Result<OmiseGateway, WiringError> {
    let omise = &settings.omise;
    let key = omise.key.read()?.ok_or(WiringError::NoKey)?;
    let access = access(settings, key.expose(), &omise.api_url, omise.vault_url.as_deref());
    OmiseGateway::open(&access).map_err(|error| match error {
        AccessError::Key(_) => WiringError::Access { place: key_place(&omise.key), error },
        AccessError::Client(_) => WiringError::Access { place: "[omise]".into(), error },
    })
}

fn access<'a>(
    settings: &'a Settings,
    secret_key: &'a str,
    api_url: &'a str,
    vault_url: Option<&'a str>,
) -> Access<'a> {
    let omise = &settings.omise;
    Access {
        secret_key,
        api_url,
        vault_url,
        timeout: Some(omise.timeout.unsigned_abs()),
        connections: Some(omise.in_flight as usize),
        return_uri: omise.return_uri.as_deref(),
    }
}

fn key_place(source: &KeySource) -> String {
    match source {
        KeySource::File(path) | KeySource::Credential(path) => path.display().to_string(),
        KeySource::Env(name) => format!("environment variable {name}"),
        KeySource::None => "[omise]".into(),
    }
}

/// The embedded sandbox, its state beside the book.
async fn start_sandbox(settings: &Settings) -> Result<Sandbox, WiringError> {
    folder::make(&settings.store.path)?;
    Ok(crate::sandbox::start(sandbox_options(settings)).await?)
}

/// Where the embedded sandbox keeps its state: beside the book.
pub fn sandbox_state(settings: &Settings) -> PathBuf {
    let mut state = settings.store.path.clone().into_os_string();
    state.push(".sandbox");
    state.into()
}

fn sandbox_options(settings: &Settings) -> SandboxOptions {
    SandboxOptions {
        state: Some(sandbox_state(settings)),
        seed: SANDBOX_SEED,
        customers: settings.sandbox.customers,
        ..SandboxOptions::default()
    }
}

/// Refuses keys of the other kind than the book was made with, before anything is asked of the provider.
pub fn check_mode(store: &mut dyn Store, door: &Door) -> Result<(), WiringError> {
    let live = door.gateway.client().livemode();
    fits_mode(store.facts()?.livemode, live)
}

/// Whether keys of that kind may open a book that is bound to keys of that kind; `None`: it is bound to none yet.
pub(super) fn fits_mode(bound: Option<bool>, live: bool) -> Result<(), WiringError> {
    let word = |live| if live { "live" } else { "test" };
    match bound {
        Some(bound) if bound != live => {
            Err(StoreError::WrongMode { found: word(live), wanted: word(bound) }.into())
        }
        _ => Ok(()),
    }
}

/// Whether there is a key to ask with; whether it can be read is another matter.
pub const fn has_key(settings: &Settings) -> bool {
    settings.omise.sandbox || !matches!(settings.omise.key, KeySource::None)
}

/// Brings the config's plans into the book that it does not have yet in these terms; returns the versions added.
///
/// # Errors
/// As [`judge_plans`], or when the book refuses; it is then as it was.
pub async fn bring_plans(
    settings: &Settings,
    plans: &[(PlanKey, PlanTerms)],
    store: &mut dyn Store,
    door: Option<&Door>,
) -> Result<Vec<PlanVersion>, WiringError> {
    if door.is_none() {
        // Before a key of the other kind goes out.
        key_fits(settings, store)?;
    }
    let known = store.plans()?;
    let fresh = judge_plans(settings, plans, &known, door).await?;
    if fresh.is_empty() {
        return Ok(Vec::new());
    }
    Ok(store.apply_plans(&fresh, SystemClock.now())?)
}

/// The same for who has just brought them into a book in memory: they were judged there, and nobody is asked again.
///
/// # Errors
/// When the book, which another program may have made meanwhile, is bound to keys of the other kind, or refuses.
pub fn bring_judged_plans(
    settings: &Settings,
    plans: &[(PlanKey, PlanTerms)],
    store: &mut dyn Store,
) -> Result<Vec<PlanVersion>, WiringError> {
    key_fits(settings, store)?;
    let fresh = new_plans(plans, &store.plans()?);
    Ok(if fresh.is_empty() { Vec::new() } else { store.apply_plans(&fresh, SystemClock.now())? })
}

/// Refuses the config's key, if there is one, for a book that is bound to the other kind.
fn key_fits(settings: &Settings, store: &mut dyn Store) -> Result<(), WiringError> {
    if settings.omise.sandbox || !has_key(settings) {
        return Ok(());
    }
    fits_mode(store.facts()?.livemode, gateway_to(settings, None)?.client().livemode())
}

/// As [`bring_plans`] for who needs none of them: what keeps them out of the book is told, and ends nothing. Waits for the provider
/// no longer than somebody who only looks would.
pub async fn bring_plans_if_possible(
    settings: &Settings,
    plans: &[(PlanKey, PlanTerms)],
    store: &mut dyn Store,
    door: Option<&Door>,
) {
    let brought = tokio::time::timeout(LIMITS_PATIENCE, async {
        if new_plans(plans, &store.plans()?).is_empty() {
            return Ok(());
        }
        bring_plans(settings, plans, store, door).await.map(|_| ())
    });
    let why = match brought.await {
        Ok(Ok(())) => return,
        Ok(Err(WiringError::Config(errors))) => errors.in_short(),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "the provider did not answer in time".to_owned(),
    };
    tracing::warn!(why, "the config's new plans stay out of the book for now");
}

/// The plans of the config that are not among those of the book in these terms.
pub fn new_plans(plans: &[(PlanKey, PlanTerms)], known: &[PlanVersion]) -> Vec<(PlanKey, PlanTerms)> {
    let is_new =
        |key: &PlanKey, terms: &PlanTerms| !known.iter().any(|plan| plan.key == *key && plan.terms == *terms);
    plans.iter().filter(|(key, terms)| is_new(key, terms)).cloned().collect()
}

/// Holds every plan of the config against the account's limits, those that the book (`known`) has already among them;
/// returns those that it does not have yet in these terms. Where there are none of these, an account that cannot be
/// asked refuses nothing: nothing waits for it.
///
/// # Errors
/// A sentence for each plan that the account cannot charge; and where some are new, why it could not be asked, having
/// no key among it.
pub async fn judge_plans(
    settings: &Settings,
    plans: &[(PlanKey, PlanTerms)],
    known: &[PlanVersion],
    door: Option<&Door>,
) -> Result<Vec<(PlanKey, PlanTerms)>, WiringError> {
    let fresh = new_plans(plans, known);
    if door.is_none() && !has_key(settings) {
        return if fresh.is_empty() { Ok(fresh) } else { Err(refused(settings, &unheld(&fresh))) };
    }
    let limits = if fresh.is_empty() {
        match tokio::time::timeout(LIMITS_PATIENCE, limits(settings, door)).await {
            Ok(Ok(limits)) => limits,
            Ok(Err(error)) => return Ok(unasked(fresh, &error.to_string())),
            Err(_) => return Ok(unasked(fresh, "the provider did not answer in time")),
        }
    } else {
        limits(settings, door).await?
    };
    let prices = prices_of(plans);
    let refusals = refused_prices(&prices, &limits, &|key| fresh.iter().any(|(new, _)| new == key));
    if refusals.is_empty() { Ok(fresh) } else { Err(refused(settings, &refusals)) }
}

fn refused(settings: &Settings, refusals: &[String]) -> WiringError {
    WiringError::Config(settings.mistakes(refusals))
}

/// What each plan costs.
pub fn prices_of(plans: &[(PlanKey, PlanTerms)]) -> Vec<(PlanKey, Money)> {
    plans.iter().map(|(key, terms)| (key.clone(), terms.price)).collect()
}

/// Nobody may be put on a price that nobody has judged.
fn unheld(fresh: &[(PlanKey, PlanTerms)]) -> Vec<String> {
    let sentence = |(key, _): &(PlanKey, PlanTerms)| {
        format!(
            "plans.{key}.price: found no key, wanted one: a price is held against the account's limits before a plan \
             reaches the book, which does not have this one in these terms yet"
        )
    };
    fresh.iter().map(sentence).collect()
}

fn unasked<T>(fresh: T, why: &str) -> T {
    tracing::warn!(
        why,
        "the plans' prices could not be held against the account's limits; the book has them all"
    );
    fresh
}

/// The limits of the account behind that door, or without one of the account that the key belongs to.
async fn limits(settings: &Settings, door: Option<&Door>) -> Result<AccountLimits, WiringError> {
    if let Some(door) = door {
        return Ok(door.gateway.account().await?.limits);
    }
    // One in memory alone: every pretend account has the same limits, and the book's own would hold its state.
    let own = if settings.omise.sandbox {
        Some(crate::sandbox::start(SandboxOptions::default()).await?)
    } else {
        None
    };
    let account = gateway_to(settings, own.as_ref())?.account().await;
    if let Some(own) = own {
        own.stop().await;
    }
    Ok(account?.limits)
}
