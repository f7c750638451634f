//! An attempt as a row.

use serde::Serialize;

use super::{Row, clip, main_units, or_dash, rfc3339};
use crate::cli::output::Column;
use crate::model::{AttemptStatus, Currency, DeclineKind, Zone};
use crate::store::AttemptRow;

/// An attempt. `number` is the last part of its id.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct AttemptLine {
    pub(in crate::cli) id: String,
    pub(in crate::cli) invoice: String,
    pub(in crate::cli) number: u32,
    pub(in crate::cli) status: AttemptStatus,
    pub(in crate::cli) amount: i64,
    pub(in crate::cli) currency: Currency,
    pub(in crate::cli) customer: String,
    pub(in crate::cli) card: Option<String>,
    pub(in crate::cli) idempotency_key: String,
    pub(in crate::cli) charge: Option<String>,
    pub(in crate::cli) failure_code: Option<String>,
    pub(in crate::cli) decline: Option<DeclineKind>,
    pub(in crate::cli) intended_at: String,
    pub(in crate::cli) resolved_at: Option<String>,
    pub(in crate::cli) authorize_uri: Option<String>,
    pub(in crate::cli) reason: Option<String>,
}

impl AttemptLine {
    pub(in crate::cli) fn of(row: &AttemptRow, zone: &Zone) -> Self {
        let attempt = &row.attempt;
        let intent = attempt.intent.as_ref();
        Self {
            id: attempt.id.to_string(),
            invoice: attempt.id.invoice.to_string(),
            number: attempt.id.number,
            status: attempt.status,
            amount: attempt.amount.minor(),
            currency: attempt.amount.currency(),
            customer: attempt.customer.to_string(),
            card: attempt.card.as_ref().map(ToString::to_string),
            idempotency_key: attempt.key.to_string(),
            charge: attempt.charge.as_ref().map(ToString::to_string),
            failure_code: attempt.failure_code.as_ref().map(ToString::to_string),
            decline: attempt.decline,
            intended_at: rfc3339(attempt.intended_at, zone),
            resolved_at: attempt.resolved_at.map(|at| rfc3339(at, zone)),
            authorize_uri: intent.and_then(|i| i.authorize_uri.as_ref()).map(ToString::to_string),
            reason: intent.and_then(|i| i.reason.as_ref()).map(ToString::to_string),
        }
    }
}

impl Row for AttemptLine {
    const COLUMNS: &'static [Column] = &[
        Column::text("ID"),
        Column::text("AT"),
        Column::number("AMOUNT"),
        Column::text("STATUS"),
        Column::text("WHY"),
        Column::text("CUSTOMER"),
        Column::text("CHARGE"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.clone(),
            clip(Some(&self.intended_at)),
            main_units(self.amount, self.currency),
            self.status.to_string(),
            self.failure_code.clone().or_else(|| self.reason.clone()).unwrap_or_default(),
            self.customer.clone(),
            or_dash(self.charge.as_ref()),
        ]
    }
}
