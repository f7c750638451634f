//! How the provider is reached, pretend or real, and what its account thinks of the config's prices.

use std::sync::Arc;

use super::{WiringError, make_folder};
use crate::clock::{Clock, SystemClock};
use crate::config::{KeySource, Settings};
use crate::gateway::{Access, AccessError, Gateway, OmiseGateway};
use crate::model::{PlanKey, PlanTerms, PlanVersion};
use crate::sandbox::{Sandbox, SandboxOptions};
use crate::store::{Store, StoreError};

/// The seed of the embedded sandbox: its keys and customers follow from it.
const SANDBOX_SEED: u64 = 1;

/// How to reach the provider, pretend or real.
pub struct Door {
    /// The bank's door.
    pub gateway: Arc<OmiseGateway>,
    /// The embedded pretend Omise, while it runs.
    pub sandbox: Option<Sandbox>,
}

/// Opens the door to the provider; starts the embedded sandbox where the config asks for it.
pub async fn open_door(settings: &Settings) -> Result<Door, WiringError> {
    let sandbox = if settings.omise.sandbox { Some(start_sandbox(settings).await?) } else { None };
    let gateway = way_to(settings, sandbox.as_ref())?;
    Ok(Door { gateway, sandbox })
}

/// The gateway to the embedded sandbox if there is one, else to where the config says.
pub(super) fn way_to(
    settings: &Settings,
    sandbox: Option<&Sandbox>,
) -> Result<Arc<OmiseGateway>, WiringError> {
    let gateway = match sandbox {
        Some(sandbox) => door_to_sandbox(sandbox, settings)?,
        None => door_to_provider(settings)?,
    };
    settings.check_key(gateway.client().livemode()).map_err(WiringError::Wish)?;
    Ok(Arc::new(gateway))
}

fn door_to_sandbox(sandbox: &Sandbox, settings: &Settings) -> Result<OmiseGateway, WiringError> {
    let (api_url, vault_url) = (sandbox.api_url(), sandbox.vault_url());
    let access = access(settings, sandbox.secret_key(), &api_url, Some(&vault_url));
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
    make_folder(&settings.store.path)?;
    let mut state = settings.store.path.clone().into_os_string();
    state.push(".sandbox");
    let options = SandboxOptions {
        state: Some(state.into()),
        seed: SANDBOX_SEED,
        customers: settings.sandbox.customers,
        ..SandboxOptions::default()
    };
    Ok(crate::sandbox::start(options).await?)
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

/// Plans of the config that the book does not have yet in these terms, and why the account refuses some of them.
pub async fn bring_plans(
    settings: &Settings,
    plans: &[(PlanKey, PlanTerms)],
    store: &mut dyn Store,
    door: Option<&Door>,
) -> Result<Vec<PlanVersion>, WiringError> {
    let known = store.plans()?;
    let fresh: Vec<_> = plans
        .iter()
        .filter(|(key, terms)| !known.iter().any(|plan| plan.key == *key && plan.terms == *terms))
        .cloned()
        .collect();
    if fresh.is_empty() {
        return Ok(Vec::new());
    }
    let refusals = refused_plans(settings, &fresh, door).await?;
    if !refusals.is_empty() {
        return Err(WiringError::Plans(refusals));
    }
    Ok(store.apply_plans(&fresh, SystemClock.now())?)
}

/// A sentence for each plan whose price the account cannot charge. Without any key nothing can be asked.
pub async fn refused_plans(
    settings: &Settings,
    plans: &[(PlanKey, PlanTerms)],
    door: Option<&Door>,
) -> Result<Vec<String>, WiringError> {
    let opened;
    let door = match door {
        Some(door) => door,
        None if !settings.omise.sandbox && settings.omise.key == KeySource::None => {
            tracing::warn!("no key is configured, so prices are not held against the account's limits yet");
            return Ok(Vec::new());
        }
        None => {
            opened = open_door(settings).await?;
            &opened
        }
    };
    let limits = door.gateway.account().await?.limits;
    let refuse = |(key, terms): &(PlanKey, PlanTerms)| {
        limits.refuses(terms.price).map(|why| format!("plans.{key}.price: {why}"))
    };
    Ok(plans.iter().filter_map(refuse).collect())
}
