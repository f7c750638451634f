//! Looks after what rang: asks the provider for the object itself, and settles what it shows.
//!
//! Promises: an attempt is settled in the same way as when doubt is looked up; one whose answer is still on its way is
//! left to whoever sent it; what the book knows already costs no request. It needs no epoch of its own: versions
//! guard what it writes, as with every command that does not charge. Must never know: who rang.

use jiff::Timestamp;

use super::card_seen::{card_seen, whole_seconds};
use super::doubt::{Known, conclude};
use super::reconcile::{self, Standing};
use super::run::{Run, Taken};
use super::time::ProviderTime;
use super::webhooks::{Doorbell, MOST_REMEMBERED, Ring};
use super::{Billing, RunError, RunOrder, reversal};
use crate::gateway::webhooks::News;
use crate::gateway::{AccountFacts, GatewayError};
use crate::model::settings::AccountLimits;
use crate::model::{Attempt, AttemptId, AttemptStatus, ChargeId, ChargeOutcome, ChargeSeen, RunReport};
use crate::rules::{self, DoubtStep, Scan};
use crate::store::BookFacts;

/// Looks after these, one after the other; whatever goes wrong with one stays with it. The report counts what was
/// settled.
///
/// # Errors
/// The book, or keys that the provider refuses.
pub async fn look_after(
    billing: &Billing,
    doorbell: &Doorbell,
    rings: &[Ring],
) -> Result<RunReport, RunError> {
    let facts = billing.lane.run(|store| store.facts()).await??;
    let order = RunOrder::default();
    let run = settler(billing, &order, &facts);
    let mut acted = Vec::new();
    let mut ended = Ok(());
    for ring in rings {
        if billing.stop.is_cancelled() {
            break; // The next process looks doubt up by itself.
        }
        match look_after_one(&run, ring).await {
            Ok(true) => acted.push(ring.event.to_string()),
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(event = %ring.event, %error, "news of the provider could not be looked after");
                doorbell.forget(&ring.event);
                if matches!(&error, RunError::Gateway(GatewayError::Keys { .. }) | RunError::Lane(_)) {
                    ended = Err(error);
                    break;
                }
            }
        }
    }
    if !acted.is_empty() {
        let at = billing.clock.now();
        billing.lane.run(move |store| store.note_webhooks(&acted, at, MOST_REMEMBERED)).await??;
    }
    let report = run.tally().0.clone();
    ended.map(|()| report)
}

/// What settles attempts without being a run: it proves no keys, takes no epoch and opens no row.
fn settler<'a>(billing: &'a Billing, order: &'a RunOrder, facts: &BookFacts) -> Run<'a> {
    let at: Timestamp = whole_seconds(billing.clock.now());
    let livemode = facts.livemode.unwrap_or(false);
    let account = AccountFacts { livemode, limits: AccountLimits::default(), provider_now: None };
    let time = ProviderTime::new(billing.clock.clone());
    let taken = Taken {
        at,
        installation: facts.installation,
        epoch: None,
        account,
        time,
        doubled: Vec::new(),
        has_all: true,
    };
    let report = RunReport::new("news".into(), billing.settings.zone.at(at), false, livemode);
    Run::new(billing, order, taken, report)
}

/// `true`: the provider was asked, and what it said was acted upon.
async fn look_after_one(run: &Run<'_>, ring: &Ring) -> Result<bool, RunError> {
    let news = if ring.stale {
        run.pace.permit().await;
        let Some(news) = run.billing.gateway.event(&ring.event).await? else {
            tracing::warn!(event = %ring.event, "an old signature, and the provider has no such event: not believed");
            return Ok(false);
        };
        news
    } else {
        ring.news.clone()
    };
    match news {
        News::Charge { charge, installation, attempt, changed } => {
            let ours = installation.as_deref() == Some(run.installation.to_string().as_str());
            let attempt = attempt.and_then(|text| text.parse::<AttemptId>().ok());
            match attempt.filter(|_| ours) {
                Some(attempt) => of_charge(run, &charge, &attempt, changed).await,
                None => Ok(false),
            }
        }
        News::Money(charge) => of_money(run, &charge).await,
        News::Customer(customer) => {
            let seen = card_seen(run.billing, customer).await?;
            Ok(seen.known)
        }
        News::Other => Ok(false),
    }
}

/// Of a charge that carries our marks.
async fn of_charge(
    run: &Run<'_>,
    charge: &ChargeId,
    id: &AttemptId,
    changed: bool,
) -> Result<bool, RunError> {
    let wanted = id.clone();
    let attempt = run.billing.lane.run(move |store| store.attempt(&wanted)).await??;
    let known = attempt.as_ref().is_some_and(|attempt| {
        // Whoever sent it hears of it first; if they do not, it is in doubt, and looked up as such.
        let on_its_way = attempt.status == AttemptStatus::Intended;
        on_its_way || (attempt.status.is_final() && attempt.charge.as_ref() == Some(charge) && !changed)
    });
    if known {
        return Ok(false);
    }
    let Some(seen) = read(run, charge).await? else { return Ok(false) };
    if seen.attempt.as_deref() != Some(id.to_string().as_str()) {
        tracing::warn!(%charge, attempt = %id, "the provider's own charge carries other marks than its news");
        return Ok(false);
    }
    match &attempt {
        Some(attempt) => settle(run, attempt, &seen).await?,
        None => compare(run, &seen).await?,
    }
    Ok(true)
}

/// The charge, asked for now; `None`: the provider has none such.
async fn read(run: &Run<'_>, charge: &ChargeId) -> Result<Option<ChargeSeen>, RunError> {
    run.pace.permit().await;
    let seen = run.billing.gateway.charge_seen(charge).await?;
    if seen.is_none() {
        tracing::warn!(%charge, "news of a charge that the provider does not have");
    }
    Ok(seen)
}

/// What the charge shows of its attempt, as doubt is settled; one that has ended keeps its end, and money that moved
/// against it is an incident.
async fn settle(run: &Run<'_>, attempt: &Attempt, seen: &ChargeSeen) -> Result<(), RunError> {
    let outcome = rules::outcome_of(seen);
    match attempt.status {
        AttemptStatus::InDoubt => {
            let scan = Scan { complete: false, provider_at: None, wall_at: run.billing.clock.now() };
            let step =
                rules::doubt::judge(attempt, std::slice::from_ref(seen), &[], &scan, &run.circumstances());
            if matches!(step, DoubtStep::Adopt(_) | DoubtStep::Manual(_)) {
                conclude(run, &attempt.id, &Known::Looked(Box::new(step), scan)).await?;
            }
        }
        AttemptStatus::Pending if attempt.charge.as_ref() == Some(&seen.charge) => {
            if !matches!(outcome, ChargeOutcome::Pending { .. } | ChargeOutcome::NoAnswer(_)) {
                conclude(run, &attempt.id, &Known::Outcome(outcome)).await?;
            }
        }
        _ => {
            if matches!(outcome, ChargeOutcome::Succeeded { .. }) {
                conclude(run, &attempt.id, &Known::Outcome(outcome)).await?;
            }
            compare(run, seen).await?;
        }
    }
    Ok(())
}

/// Money of a charge that was given back or is disputed.
async fn of_money(run: &Run<'_>, charge: &ChargeId) -> Result<bool, RunError> {
    let Some(seen) = read(run, charge).await? else { return Ok(false) };
    if seen.installation.as_deref() != Some(run.installation.to_string().as_str()) {
        return Ok(false);
    }
    compare(run, &seen).await?;
    Ok(true)
}

/// As a reconciliation of this one charge.
async fn compare(run: &Run<'_>, seen: &ChargeSeen) -> Result<(), RunError> {
    let (finding, attempt) = reconcile::judge(run.billing, seen).await?;
    if let Some(attempt) = &attempt {
        reversal::note(run.billing, attempt, seen).await?;
    }
    if finding.standing != Standing::Matched {
        let attempt = finding.attempt.as_ref().map(ToString::to_string).unwrap_or_default();
        let charge = finding.charge.as_deref().unwrap_or("none");
        tracing::warn!(attempt, charge, standing = ?finding.standing, "reconcile: {}", finding.detail);
    }
    Ok(())
}
