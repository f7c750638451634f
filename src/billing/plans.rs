//! The plans that were wished against those in the book: what would change, and bringing it in.
//!
//! Promises: a plan in the book never changes; another wish becomes its next version, which existing
//! subscriptions get only when they are moved. Must never know: where the wishes are written.

use serde_json::Value;

use super::orders::{self, OrderError};
use crate::model::settings::AccountLimits;
use crate::model::{Money, PlanKey, PlanTerms, PlanVersion, Snapshot, SubscriptionId, Transition};
use crate::rules::RuleError;
use crate::store::{Filter, PlanChange, Refusal, Store, StoreError, UsageCount};

/// One plan, wished or in the book or both.
#[derive(Clone, Debug)]
pub struct PlanDiff {
    /// Its name.
    pub key: PlanKey,
    /// What applying would do.
    pub change: PlanChange,
    /// The newest in the book; `None`: none yet.
    pub book: Option<PlanVersion>,
    /// What is wished; `None`: no longer.
    pub wished: Option<PlanTerms>,
    /// What differs: the term, what the book says, what is wished, as people write them.
    pub differences: Vec<Difference>,
    /// Subscriptions that have not ended, on any version.
    pub subscriptions: u64,
    /// Those of them on versions older than the book's newest.
    pub on_older: u64,
}

/// One term that differs.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    /// Which term.
    pub term: String,
    /// In the book; `null`: absent.
    pub book: Value,
    /// Wished; `null`: absent.
    pub wished: Value,
}

/// What bringing the wishes into the book would do, by name.
pub fn diff(store: &mut dyn Store, wished: &[(PlanKey, PlanTerms)]) -> Result<Vec<PlanDiff>, StoreError> {
    let book = store.plans()?;
    let usage = store.plan_usage()?;
    let mut all: Vec<PlanDiff> = wished
        .iter()
        .map(|(key, terms)| {
            let newest = book.iter().find(|version| version.key == *key);
            compare(key, newest, Some(terms), &usage)
        })
        .collect();
    let absent = book.iter().filter(|version| wished.iter().all(|(key, _)| *key != version.key));
    all.extend(absent.map(|version| compare(&version.key, Some(version), None, &usage)));
    all.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(all)
}

fn compare(
    key: &PlanKey,
    book: Option<&PlanVersion>,
    wished: Option<&PlanTerms>,
    usage: &[UsageCount],
) -> PlanDiff {
    let change = match (book, wished) {
        (None, _) => PlanChange::New,
        (Some(_), None) => PlanChange::Absent,
        (Some(book), Some(wished)) if book.terms == *wished => PlanChange::Same,
        (Some(_), Some(_)) => PlanChange::Changed,
    };
    let differences = match (book, wished) {
        (Some(book), Some(wished)) => differences(&book.terms, wished),
        _ => Vec::new(),
    };
    let of_plan = || usage.iter().filter(|count| count.key == *key);
    let newest = book.map_or(0, |book| book.version);
    PlanDiff {
        key: key.clone(),
        change,
        differences,
        subscriptions: of_plan().map(|count| count.subscriptions).sum(),
        on_older: of_plan().filter(|count| count.version < newest).map(|count| count.subscriptions).sum(),
        book: book.cloned(),
        wished: wished.cloned(),
    }
}

fn differences(book: &PlanTerms, wished: &PlanTerms) -> Vec<Difference> {
    let terms = |terms: &PlanTerms| match serde_json::to_value(terms) {
        Ok(Value::Object(map)) => map,
        _ => serde_json::Map::new(),
    };
    let (book, wished) = (terms(book), terms(wished));
    let value =
        |map: &serde_json::Map<String, Value>, term: &str| map.get(term).cloned().unwrap_or(Value::Null);
    let mut names: Vec<&String> = book.keys().chain(wished.keys()).collect();
    names.sort_unstable();
    names.dedup();
    names
        .into_iter()
        .filter(|term| book.get(*term) != wished.get(*term))
        .map(|term| Difference { term: term.clone(), book: value(&book, term), wished: value(&wished, term) })
        .collect()
}

/// A sentence for each price that the account cannot charge, with its place among the wishes. `is_new`: whether the
/// book does not have the plan in these terms yet.
pub fn refused_prices(
    prices: &[(PlanKey, Money)],
    limits: &AccountLimits,
    is_new: &dyn Fn(&PlanKey) -> bool,
) -> Vec<String> {
    let refused = |(key, price): &(PlanKey, Money)| {
        let why = limits.refuses(*price)?;
        let known = if is_new(key) {
            ""
        } else {
            "; the book has it already: mend it, then `dues plans apply --existing` moves its subscriptions"
        };
        Some(format!("plans.{key}.price: {why}{known}"))
    };
    prices.iter().filter_map(refused).collect()
}

/// Subscriptions moved between two looks at the book.
const PAGE_ROWS: usize = 256;

/// What moving came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Subscriptions that are on the newest version now.
    pub moved: u64,
    /// Those that stay where they are: they could not be read, or not decided.
    pub left: u64,
}

/// Moves every subscription of that plan that is on an older version, one decision each. One that cannot be moved is left
/// and named, and the others are moved. `progress` is told how many so far.
pub fn move_existing(
    store: &mut dyn Store,
    key: &PlanKey,
    decide: &mut dyn FnMut(&Snapshot) -> Result<Transition, RuleError>,
    progress: &mut dyn FnMut(u64),
) -> Result<Moved, OrderError> {
    let mut all = Moved::default();
    let mut after: Option<SubscriptionId> = None;
    loop {
        let page = store.on_older_versions(key, after.as_ref(), PAGE_ROWS)?;
        let Some(last) = page.last().cloned() else { return Ok(all) };
        let moved = move_page(store, &page, decide)?;
        all = Moved { moved: all.moved + moved, left: all.left + page.len() as u64 - moved };
        progress(all.moved);
        after = Some(last);
    }
}

/// One page in one durable transaction; those that somebody changed meanwhile again by themselves. How many were moved.
fn move_page(
    store: &mut dyn Store,
    page: &[SubscriptionId],
    decide: &mut dyn FnMut(&Snapshot) -> Result<Transition, RuleError>,
) -> Result<u64, OrderError> {
    let mut ids = Vec::with_capacity(page.len());
    let mut transitions = Vec::with_capacity(page.len());
    for id in page {
        let decided = snapshot(store, id).and_then(|snapshot| Ok(decide(&snapshot)?));
        if let Some(transition) = unless_left(id, decided)? {
            ids.push(id);
            transitions.push(transition);
        }
    }
    let mut moved = 0;
    for (id, answer) in ids.into_iter().zip(store.commit(&transitions)?) {
        let again = match answer {
            Ok(()) => Ok(()),
            Err(Refusal::Conflict(_)) => orders::on_subscription(store, id, decide).map(|_| ()),
            Err(refusal) => return Err(OrderError::Refused(refusal)),
        };
        moved += u64::from(unless_left(id, again)?.is_some());
    }
    Ok(moved)
}

fn snapshot(store: &mut dyn Store, id: &SubscriptionId) -> Result<Snapshot, OrderError> {
    let of = Filter { subscription: Some(id.clone()), ..Filter::default() };
    let found = store.snapshots(&of, 0, 1)?;
    if let Some(unread) = found.unreadable.into_iter().next() {
        return Err(unread.error.into());
    }
    found.rows.into_iter().next().ok_or_else(|| OrderError::no_subscription(id))
}

/// `None`: that subscription alone cannot be moved, which is told; the others can.
fn unless_left<T>(id: &SubscriptionId, came: Result<T, OrderError>) -> Result<Option<T>, OrderError> {
    match came {
        Ok(done) => Ok(Some(done)),
        Err(error @ (OrderError::Rule(_) | OrderError::Store(StoreError::Nonsense { .. }))) => {
            tracing::warn!(subscription = %id, "left on its older version: {error}");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
