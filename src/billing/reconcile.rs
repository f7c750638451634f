//! Our attempts against the provider's charges of a window, in both directions. What went back outside this program is
//! noted, and ends the retries of its subscription; all else is only told.

mod met;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use met::Met;

use super::ease::{Ease, Speed};
use super::pace::Pace;
use super::{Billing, Part, RunError, reversal};
use crate::gateway::Window;
use crate::model::{Attempt, AttemptId, AttemptStatus, ChargeSeen, SeenStatus};
use crate::store::{AttemptRow, StoreError};

/// Attempts of the book gone through at a time: most lie outside the window, which is seen without reading them.
const PAGE_ROWS: usize = 2_000;
/// Such a page costs about as much as one of the provider's list, whose rests are told by its rows.
const PAGE_WORTH_ROWS: u64 = 100;

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
    /// The book does not know yet how it ended: the next run looks it up.
    Unsettled,
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
    /// Known to both, and not ended in the book yet: ordinary doubt, no difference.
    pub unsettled: u64,
    /// Matched and given back, in whole or in part.
    pub refunded: u64,
    /// Matched and disputed.
    pub disputed: u64,
    /// Of the refunded and disputed, those that were news.
    pub noted: u64,
    /// Charges that are not of this book.
    pub others: u64,
    /// Somebody asked to stop before the end.
    pub stopped: bool,
}

impl Reconciled {
    /// What a person must look at.
    pub const fn differences(&self) -> u64 {
        self.missing_there + self.missing_here + self.mismatched
    }
}

/// Compares the last so many days up to the instant at which it is this work's turn: then no charge is under way.
///
/// # Errors
/// As [`reconcile`].
pub async fn reconcile_days(
    billing: &Billing,
    days: i64,
    speed: Speed,
    tell: &mut (dyn FnMut(Finding) + Send),
) -> Result<Reconciled, RunError> {
    let mut ease = Ease::new(speed, billing);
    ease.turn().await;
    let to = billing.clock.now();
    let from = to.saturating_sub(SignedDuration::from_hours(days * 24)).unwrap_or(Timestamp::UNIX_EPOCH);
    compare_all(billing, Window { from, to }, ease, tell).await
}

/// Compares the window; every finding but the plain matches goes to `tell`.
///
/// # Errors
/// The keys, the book, or a list that could not be read to its end.
pub async fn reconcile(
    billing: &Billing,
    window: Window,
    tell: &mut (dyn FnMut(Finding) + Send),
) -> Result<Reconciled, RunError> {
    compare_all(billing, window, Ease::new(Speed::Full, billing), tell).await
}

/// A comparison under way.
struct Comparison<'a> {
    billing: &'a Billing,
    window: Window,
    installation: String,
    permits: Pace,
    ease: Ease,
    counts: Reconciled,
    met: Met,
    tell: &'a mut (dyn FnMut(Finding) + Send),
}

async fn compare_all(
    billing: &Billing,
    window: Window,
    ease: Ease,
    tell: &mut (dyn FnMut(Finding) + Send),
) -> Result<Reconciled, RunError> {
    let facts = billing.lane.run(|store| store.facts()).await??;
    let mut comparison = Comparison {
        billing,
        window,
        installation: facts.installation.to_string(),
        permits: Pace::new(billing.clock.clone(), billing.meters.clone(), billing.settings.rate),
        ease,
        counts: Reconciled { from: window.from, to: window.to, ..Reconciled::default() },
        met: Met::default(),
        tell,
    };
    billing.watch.begin(Part::Doubt, None);
    comparison.read_there().await?;
    if !comparison.is_stopped() {
        comparison.missing_there().await?;
    }
    billing.watch.end();
    Ok(comparison.counts)
}

impl Comparison<'_> {
    fn is_stopped(&mut self) -> bool {
        self.counts.stopped |= self.billing.stop.is_cancelled();
        self.counts.stopped
    }

    /// A permit for a request, in this work's turn.
    async fn permit(&mut self) {
        self.ease.turn().await;
        self.permits.permit().await;
    }

    /// Every charge of the window that the provider has.
    async fn read_there(&mut self) -> Result<(), RunError> {
        let mut offset = 0;
        loop {
            self.permit().await;
            let page = self.billing.gateway.charges(self.window, offset).await?;
            if offset == 0 {
                // The book is read through afterwards.
                self.ease.spread(page.total.saturating_mul(2));
            }
            let rows = page.rows.len() as u64;
            self.compare(page.rows).await?;
            self.billing.watch.advance(rows);
            offset += rows;
            if rows == 0 || offset >= page.total || self.is_stopped() {
                return Ok(());
            }
            self.ease.rest(rows).await;
            if self.is_stopped() {
                return Ok(());
            }
        }
    }

    /// One page, whose attempts are looked up by one trip to the book.
    async fn compare(&mut self, charges: Vec<ChargeSeen>) -> Result<(), RunError> {
        let all = charges.len() as u64;
        let ours = |seen: &ChargeSeen| seen.installation.as_deref() == Some(self.installation.as_str());
        let charges: Vec<ChargeSeen> = charges.into_iter().filter(ours).collect();
        self.counts.others += all - charges.len() as u64;
        let ids: Vec<Option<AttemptId>> = charges.iter().map(attempt_named).collect();
        let attempts = self.billing.lane.run(move |store| {
            let find = |id: &Option<AttemptId>| {
                Ok(id.as_ref().map(|id| store.attempt_row(id)).transpose()?.flatten())
            };
            ids.iter().map(find).collect::<Result<Vec<Option<AttemptRow>>, StoreError>>()
        });
        for (seen, known) in charges.iter().zip(attempts.await??) {
            let attempt = known.as_ref().map(|known| &known.attempt);
            let finding = found(seen, attempt);
            if let (Standing::Refunded | Standing::Disputed, Some(attempt)) = (finding.standing, attempt) {
                self.counts.noted += u64::from(reversal::note(self.billing, attempt, seen).await?);
            }
            if let Some(known) = &known {
                self.met.insert(known.row);
            }
            count(&mut self.counts, finding.standing);
            if finding.standing != Standing::Matched {
                (self.tell)(finding);
            }
        }
        Ok(())
    }

    /// Attempts of the window with a charge that the provider's list did not show, each asked for by its id, since an
    /// attempt's billing instant need not lie in the provider's window.
    async fn missing_there(&mut self) -> Result<(), RunError> {
        let Window { from, to } = self.window;
        let mut after = Some(0);
        while let Some(row) = after.filter(|_| !self.is_stopped()) {
            let lane = &self.billing.lane;
            let page = lane.run(move |store| store.charged_between(from, to, row, PAGE_ROWS)).await??;
            after = page.next;
            for known in page.rows.iter().filter(|known| !self.met.contains(known.row)).collect::<Vec<_>>() {
                self.look_for(&known.attempt).await?;
            }
            if after.is_some() {
                self.ease.rest(PAGE_WORTH_ROWS).await;
            }
        }
        Ok(())
    }

    async fn look_for(&mut self, attempt: &Attempt) -> Result<(), RunError> {
        let Some(charge) = &attempt.charge else { return Ok(()) };
        self.permit().await;
        if self.billing.gateway.charge_seen(charge).await?.is_some() {
            return Ok(());
        }
        self.counts.missing_there += 1;
        (self.tell)(Finding {
            standing: Standing::MissingThere,
            attempt: Some(attempt.id.clone()),
            charge: Some(charge.to_string()),
            here: Some(attempt.status),
            there: None,
            detail: "the provider has no such charge under this key".into(),
        });
        Ok(())
    }
}

fn count(counts: &mut Reconciled, standing: Standing) {
    let field = match standing {
        Standing::Matched => &mut counts.matched,
        Standing::MissingThere => &mut counts.missing_there,
        Standing::MissingHere => &mut counts.missing_here,
        Standing::Mismatched => &mut counts.mismatched,
        Standing::Unsettled => &mut counts.unsettled,
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
    let attempt = match attempt_named(seen) {
        Some(id) => billing.lane.run(move |store| store.attempt(&id)).await??,
        None => None,
    };
    Ok((found(seen, attempt.as_ref()), attempt))
}

/// `None`: the charge names none that can be read.
fn attempt_named(seen: &ChargeSeen) -> Option<AttemptId> {
    seen.attempt.as_deref().and_then(|text| text.parse().ok())
}

/// `attempt`: the one that the charge names; `None`: the book does not know it.
fn found(seen: &ChargeSeen, attempt: Option<&Attempt>) -> Finding {
    let (standing, detail) = match attempt {
        None => (Standing::MissingHere, "the book does not know this charge; run `dues adopt`".to_owned()),
        Some(attempt) => compare(attempt, seen),
    };
    Finding {
        standing,
        attempt: attempt_named(seen),
        charge: Some(seen.charge.to_string()),
        here: attempt.map(|attempt| attempt.status),
        there: Some(word(&seen.status)),
        detail,
    }
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
        let (standing, next) = if attempt.status.is_final() || attempt.status == AttemptStatus::Manual {
            (Standing::Mismatched, "a person must look at it")
        } else {
            (Standing::Unsettled, "the next run looks it up")
        };
        return (standing, format!("{} here, {} there; {next}", attempt.status, word(&seen.status)));
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

#[cfg(test)]
mod tests;
