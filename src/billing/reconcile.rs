//! Our attempts against the provider's charges of a window, in both directions. What went back outside this program is
//! noted, and ends the retries of its subscription; all else is only told.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::pace::Pace;
use super::{Billing, Part, RunError, reversal};
use crate::gateway::Window;
use crate::model::{Attempt, AttemptId, AttemptStatus, ChargeSeen, SeenStatus};
use crate::store::Filter;

/// Attempts read from the book at a time.
const PAGE_ROWS: usize = 500;

/// How a charge and an attempt stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Both say the same.
    Matched,
    /// The book has a charge that the provider does not.
    MissingThere,
    /// The provider has a charge of this book that the book does not know.
    MissingHere,
    /// Both know it, and say different things.
    Mismatched,
    /// Matched, but given back outside this program.
    Refunded,
    /// Matched, but disputed.
    Disputed,
}

/// One line of a reconciliation; matched ones are only counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How they stand.
    pub standing: Standing,
    /// `None`: the charge's metadata names none that can be read.
    pub attempt: Option<AttemptId>,
    /// `None`: no charge is known.
    pub charge: Option<String>,
    /// What the book says; `None`: nothing.
    pub here: Option<AttemptStatus>,
    /// What the provider says; `None`: nothing.
    pub there: Option<String>,
    /// For people.
    pub detail: String,
}

/// Counts of a reconciliation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reconciled {
    /// In provider time.
    pub from: Timestamp,
    /// In provider time.
    pub to: Timestamp,
    /// Charges of this book that the book knows in the same way.
    pub matched: u64,
    /// In the book alone.
    pub missing_there: u64,
    /// At the provider alone.
    pub missing_here: u64,
    /// Known to both in different ways.
    pub mismatched: u64,
    /// Matched and given back, in whole or in part.
    pub refunded: u64,
    /// Matched and disputed.
    pub disputed: u64,
    /// Of the refunded and disputed, those that were news.
    pub noted: u64,
    /// Charges that are not of this book.
    pub others: u64,
}

/// Compares the last so many days up to now.
pub async fn reconcile_days(
    billing: &Billing,
    days: i64,
    tell: &mut (dyn FnMut(Finding) + Send),
) -> Result<Reconciled, RunError> {
    let to = billing.clock.now();
    let from = to.saturating_sub(SignedDuration::from_hours(days * 24)).unwrap_or(Timestamp::UNIX_EPOCH);
    reconcile(billing, Window { from, to }, tell).await
}

/// Compares the window; every finding but the plain matches goes to `tell`.
pub async fn reconcile(
    billing: &Billing,
    window: Window,
    tell: &mut (dyn FnMut(Finding) + Send),
) -> Result<Reconciled, RunError> {
    let facts = billing.lane.run(|store| store.facts()).await??;
    let installation = facts.installation.to_string();
    let permits = Pace::new(billing.clock.clone(), billing.meters.clone(), billing.settings.rate);
    let mut counts = Reconciled { from: window.from, to: window.to, ..Reconciled::default() };
    let mut seen_ids = HashSet::new();
    let mut offset = 0;
    billing.watch.begin(Part::Doubt, None);
    loop {
        permits.permit().await;
        let page = billing.gateway.charges(window, offset).await?;
        let rows = page.rows.len() as u64;
        for seen in page.rows {
            if seen.installation.as_deref() != Some(installation.as_str()) {
                counts.others += 1;
                continue;
            }
            let (finding, attempt) = judge(billing, &seen).await?;
            if let (Standing::Refunded | Standing::Disputed, Some(attempt)) = (finding.standing, &attempt) {
                counts.noted += u64::from(reversal::note(billing, attempt, &seen).await?);
            }
            seen_ids.extend(finding.attempt.clone());
            count(&mut counts, finding.standing);
            if finding.standing != Standing::Matched {
                tell(finding);
            }
        }
        billing.watch.advance(rows);
        offset += rows;
        if rows == 0 || offset >= page.total {
            break;
        }
    }
    missing_there(billing, &permits, window, &seen_ids, &mut counts, tell).await?;
    billing.watch.end();
    Ok(counts)
}

fn count(counts: &mut Reconciled, standing: Standing) {
    let field = match standing {
        Standing::Matched => &mut counts.matched,
        Standing::MissingThere => &mut counts.missing_there,
        Standing::MissingHere => &mut counts.missing_here,
        Standing::Mismatched => &mut counts.mismatched,
        Standing::Refunded => &mut counts.refunded,
        Standing::Disputed => &mut counts.disputed,
    };
    *field += 1;
}

/// How one charge of this book stands to its attempt.
pub(super) async fn judge(
    billing: &Billing,
    seen: &ChargeSeen,
) -> Result<(Finding, Option<Attempt>), RunError> {
    let id = seen.attempt.as_deref().and_then(|text| text.parse::<AttemptId>().ok());
    let attempt = match id.clone() {
        Some(id) => billing.lane.run(move |store| store.attempt(&id)).await??,
        None => None,
    };
    let there = word(&seen.status);
    let (standing, detail) = match &attempt {
        None => (Standing::MissingHere, "the book does not know this charge; run `dues adopt`".to_owned()),
        Some(attempt) => compare(attempt, seen),
    };
    let finding = Finding {
        standing,
        attempt: id,
        charge: Some(seen.charge.to_string()),
        here: attempt.as_ref().map(|attempt| attempt.status),
        there: Some(there),
        detail,
    };
    Ok((finding, attempt))
}

fn compare(attempt: &Attempt, seen: &ChargeSeen) -> (Standing, String) {
    if attempt.charge.as_ref().is_some_and(|known| *known != seen.charge) {
        let known = attempt.charge.as_ref().map(ToString::to_string).unwrap_or_default();
        return (Standing::Mismatched, format!("the book knows charge {known} for this attempt"));
    }
    if seen.amount != Some(attempt.amount) || seen.customer.as_ref() != Some(&attempt.customer) {
        let amount = seen.amount.map_or_else(|| "an unknown amount".to_owned(), |amount| amount.to_string());
        return (
            Standing::Mismatched,
            format!("found {amount} there, wanted {} of {}", attempt.amount, attempt.customer),
        );
    }
    let same = matches!(
        (attempt.status, &seen.status),
        (AttemptStatus::Succeeded, SeenStatus::Successful)
            | (AttemptStatus::Declined, SeenStatus::Failed(_) | SeenStatus::Ended(_))
            | (AttemptStatus::Pending, SeenStatus::Pending(_))
    );
    if !same {
        let next =
            if attempt.status.is_final() { "a person must look at it" } else { "the next run looks it up" };
        return (
            Standing::Mismatched,
            format!("{} here, {} there; {next}", attempt.status, word(&seen.status)),
        );
    }
    if seen.disputed {
        return (Standing::Disputed, "disputed by the card's holder".into());
    }
    if seen.refunded_minor > 0 {
        let whole = seen.refunded_minor >= attempt.amount.minor();
        return (
            Standing::Refunded,
            if whole { "given back whole".into() } else { "given back in part".into() },
        );
    }
    (Standing::Matched, String::new())
}

fn word(status: &SeenStatus) -> String {
    match status {
        SeenStatus::Successful => "successful".into(),
        SeenStatus::Failed(decline) => format!("failed ({})", decline.code),
        SeenStatus::Pending(_) => "pending".into(),
        SeenStatus::Ended(word) | SeenStatus::Unknown(word) => word.to_string(),
    }
}

/// Attempts of the window with a charge that the provider's list did not show, each asked for by its id, since an
/// attempt's billing instant need not lie in the provider's window.
async fn missing_there(
    billing: &Billing,
    permits: &Pace,
    window: Window,
    seen: &HashSet<AttemptId>,
    counts: &mut Reconciled,
    tell: &mut (dyn FnMut(Finding) + Send),
) -> Result<(), RunError> {
    let mut after = 0;
    loop {
        let page = billing
            .lane
            .run(move |store| store.list_attempts(&Filter::default(), after, PAGE_ROWS))
            .await??;
        for row in &page {
            let attempt = &row.attempt;
            let inside = (window.from..=window.to).contains(&attempt.intended_at);
            let Some(charge) = attempt.charge.as_ref().filter(|_| inside && !seen.contains(&attempt.id))
            else {
                continue;
            };
            permits.permit().await;
            if billing.gateway.charge_seen(charge).await?.is_some() {
                continue;
            }
            counts.missing_there += 1;
            tell(Finding {
                standing: Standing::MissingThere,
                attempt: Some(attempt.id.clone()),
                charge: Some(charge.to_string()),
                here: Some(attempt.status),
                there: None,
                detail: "the provider has no such charge under this key".into(),
            });
        }
        match page.last() {
            Some(last) if page.len() == PAGE_ROWS => after = last.row,
            _ => return Ok(()),
        }
    }
}
