//! New wishes for a house that stands: judged whole first, and written into its book last.
//!
//! Promises: until [`Renewal::commit`] nothing is changed, neither in the book nor in the house; then zone and plans
//! together, or neither. Must never know: who asked for it.

use std::sync::Arc;
use std::time::Duration;

use super::door::{Door, fits_mode, judge_plans, way_to};
use super::{House, WiringError, billing_settings, now, paused};
use crate::billing::Billing;
use crate::config::{Settings, WebSettings};
use crate::gateway::{Gateway as _, GatewayError};
use crate::model::{PlanKey, PlanTerms, Zone};
use crate::store::StoreError;

/// The provider has so long to refuse a key; one that does not answer refuses nothing.
const KEY_PATIENCE: Duration = Duration::from_secs(5);
/// And so long for what the account can charge.
const PLANS_PATIENCE: Duration = Duration::from_secs(40);

/// Wishes that can be granted.
pub struct Renewal {
    billing: Billing,
    zone: Zone,
    fresh: Vec<(PlanKey, PlanTerms)>,
    settings: Settings,
}

/// The work of a standing house under new wishes, if they can be granted; nothing is written yet. Wishes that a house
/// is built on cannot change while it stands. The key is read again: a new one of the same kind is taken.
///
/// # Errors
/// What cannot be granted, and why.
pub async fn renew(
    house: &House,
    old: &Settings,
    new: &Settings,
    plans: &[(PlanKey, PlanTerms)],
) -> Result<Renewal, WiringError> {
    if let Some(key) = fixed(old, new) {
        let sentence =
            "found another value than the one in force, wanted the same: it changes with a restart";
        return Err(WiringError::Fixed { key, sentence: sentence.into() });
    }
    let gateway = way_to(new, house.door.sandbox.as_ref())?;
    let read = house.billing.lane.run(|store| Ok::<_, StoreError>((store.facts()?, store.plans()?)));
    let (facts, known) = read.await.map_err(|_| closed(new))??;
    fits_mode(facts.livemode, gateway.client().livemode())?;
    if let Ok(Err(refused @ GatewayError::Keys { .. })) =
        tokio::time::timeout(KEY_PATIENCE, gateway.ping()).await
    {
        return Err(refused.into());
    }
    let door = Door { gateway: gateway.clone(), sandbox: None, beside: None };
    let unanswered = || GatewayError::Unreachable(format!("no answer within {PLANS_PATIENCE:?}").into());
    let judged = tokio::time::timeout(PLANS_PATIENCE, judge_plans(new, plans, &known, Some(&door)));
    let fresh = judged.await.map_err(|_| unanswered())??;
    let billing = Billing {
        gateway,
        settings: Arc::new(billing_settings(new)),
        paused: paused(new),
        ..house.billing.clone()
    };
    Ok(Renewal { billing, zone: new.zone.clone(), fresh, settings: new.clone() })
}

impl Renewal {
    /// The work as it will be.
    pub const fn billing(&self) -> &Billing {
        &self.billing
    }

    /// Brings zone and plans into the book.
    ///
    /// # Errors
    /// When the book refuses; it is then as it was.
    pub async fn commit(self) -> Result<(), WiringError> {
        let Self { billing, zone, fresh, settings } = self;
        let brought = billing.lane.run(move |store| store.bring_config(&zone, &fresh, now()));
        brought.await.map_err(|_| closed(&settings))??;
        Ok(())
    }
}

/// The key of a wish that a house is built on, and that is another now; `None`: all are as they were.
fn fixed(old: &Settings, new: &Settings) -> Option<&'static str> {
    let plain = [
        ("store.path", old.store != new.store),
        ("omise.sandbox", old.omise.sandbox != new.omise.sandbox),
        ("sandbox.customers", old.sandbox.customers != new.sandbox.customers),
        ("sandbox", old.sandbox != new.sandbox),
    ];
    let web = || match (&old.web, &new.web) {
        (Some(old), Some(new)) => fixed_window(old, new),
        (old, new) => (old != new).then_some("web"),
    };
    plain.into_iter().find_map(|(key, changed)| changed.then_some(key)).or_else(web)
}

fn fixed_window(old: &WebSettings, new: &WebSettings) -> Option<&'static str> {
    let wishes = [
        ("web.listen", old.listen != new.listen),
        ("web.hosts", old.hosts != new.hosts),
        ("web.due_limit", old.due_limit != new.due_limit),
        ("web.webhook_secret_file", old.webhook_secret_files != new.webhook_secret_files),
        ("web", old != new),
    ];
    wishes.into_iter().find_map(|(key, changed)| changed.then_some(key))
}

fn closed(settings: &Settings) -> WiringError {
    let what = "the book's thread has ended".to_owned();
    WiringError::Store(StoreError::Other { path: settings.store.path.clone(), what })
}
