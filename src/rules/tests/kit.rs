//! The pieces that tests make books of: cards, plans, circumstances.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use jiff::{SignedDuration, Timestamp};

use crate::model::settings::{AccountLimits, Budgets, Cards, CatchUp, Doubt};
use crate::model::{
    CardSnapshot, Curve, DeclineTable, DunningPolicy, EndAction, Epoch, Expiration, Installation, PlanKey,
    PlanTerms, PlanVersion, PlanVersionId, RetrySchedule, Zone,
};
use crate::rules::{Circumstances, Wire};

/// Midnight in Bangkok on that day.
pub(super) fn day(text: &str) -> Timestamp {
    bangkok().start_of(text.parse().unwrap()).unwrap()
}

pub(super) fn bangkok() -> Zone {
    Zone::parse("Asia/Bangkok").unwrap()
}

pub(super) fn card(id: &str, expires: (i64, i64)) -> CardSnapshot {
    CardSnapshot {
        id: id.parse().unwrap(),
        brand: "Visa".into(),
        last_digits: "4242".into(),
        expiration: Expiration::new(expires.0, expires.1).unwrap(),
        fingerprint: Some(format!("print of {id}")),
    }
}

pub(super) fn ladder(waits: &[&str], then: EndAction) -> DunningPolicy {
    let retry = RetrySchedule::Ladder(waits.iter().map(|w| w.parse().unwrap()).collect());
    DunningPolicy::plain("standard".into(), retry, Some(jiff::civil::time(9, 0, 0, 0)), then)
}

pub(super) fn curve(curve: Curve, then: EndAction) -> DunningPolicy {
    DunningPolicy { retry: RetrySchedule::Curve(curve), ..ladder(&[], then) }
}

pub(super) fn terms(every: &str, dunning: DunningPolicy) -> PlanTerms {
    PlanTerms {
        name: "Pro".into(),
        price: "990.00 THB".parse().unwrap(),
        every: every.parse().unwrap(),
        trial: None,
        description: None,
        dunning,
    }
}

pub(super) fn plan(id: i64, terms: PlanTerms) -> Arc<PlanVersion> {
    Arc::new(PlanVersion {
        id: PlanVersionId(id),
        key: PlanKey::parse("pro").unwrap(),
        version: u32::try_from(id).unwrap(),
        terms,
    })
}

/// The built-in table, parsed once.
pub(super) fn declines() -> Arc<DeclineTable> {
    static TABLE: LazyLock<Arc<DeclineTable>> =
        LazyLock::new(|| Arc::new(crate::config::shipped_declines().unwrap()));
    TABLE.clone()
}

pub(super) fn circumstances(at: Timestamp) -> Circumstances {
    Circumstances {
        at,
        budget_now: at,
        live: false,
        book_zone: bangkok(),
        installation: Installation([7; 16]),
        epoch: Some(Epoch(1)),
        limits: AccountLimits::default(),
        cards: Cards {
            fresh: SignedDuration::from_hours(24),
            warn_before: vec![],
            renewals_ahead: 1,
            try_expired: false,
        },
        doubt: Doubt { settle: SignedDuration::from_mins(10) },
        catch_up: CatchUp { hold_after: 3 },
        declines: declines(),
        budgets: Budgets::default(),
        customer_day: BTreeMap::new(),
        wire: Wire {
            wall_at: at,
            provider_seen: Some(at),
            provider_now: Some(at),
            timeout: SignedDuration::from_secs(90),
        },
    }
}
