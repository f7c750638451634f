//! An invoice as a row.

use jiff::Timestamp;
use serde::Serialize;

use super::{Row, clip, main_units, or_dash, rfc3339};
use crate::cli::output::Column;
use crate::model::{Currency, InvoiceStatus, Quantity, Zone};
use crate::rules::next_try_at;
use crate::store::InvoiceRow;

/// An invoice. `number` is the last part of its id.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct InvoiceLine {
    pub(in crate::cli) id: String,
    pub(in crate::cli) subscription: String,
    pub(in crate::cli) customer: String,
    pub(in crate::cli) number: u32,
    pub(in crate::cli) period_start: String,
    pub(in crate::cli) period_end: String,
    pub(in crate::cli) amount: i64,
    pub(in crate::cli) currency: Currency,
    pub(in crate::cli) quantity: Quantity,
    pub(in crate::cli) status: InvoiceStatus,
    pub(in crate::cli) hold: Option<&'static str>,
    pub(in crate::cli) attempts: u32,
    pub(in crate::cli) next_attempt_at: Option<String>,
    pub(in crate::cli) charge: Option<String>,
    pub(in crate::cli) opened_at: String,
    pub(in crate::cli) closed_at: Option<String>,
    #[serde(skip)]
    trouble: Option<String>,
}

impl InvoiceLine {
    /// `now` tells which turns and looks lie ahead.
    pub(in crate::cli) fn of(row: &InvoiceRow, now: Timestamp) -> Self {
        let invoice = &row.invoice;
        // An instant of another zone is the same instant, and says so.
        let zone = row.zone.clone().unwrap_or(Zone::UTC);
        let local = |at: Timestamp| rfc3339(at, &zone);
        let unknown = || format!("the zone of invoice {}: its instants are told in UTC", invoice.id);
        let next = next_try_at(invoice, row.declined, row.caught_up_at, row.wake_at, now);
        Self {
            id: invoice.id.to_string(),
            subscription: invoice.id.subscription.to_string(),
            customer: row.customer.to_string(),
            number: invoice.id.index,
            period_start: local(invoice.period.start),
            period_end: local(invoice.period.end),
            amount: invoice.amount.minor(),
            currency: invoice.amount.currency(),
            quantity: invoice.quantity,
            status: invoice.status,
            hold: invoice.hold.map(crate::model::Hold::word),
            attempts: row.attempts,
            next_attempt_at: next.map(local),
            charge: row.charge.as_ref().map(ToString::to_string),
            opened_at: local(invoice.opened_at),
            closed_at: invoice.closed_at.map(local),
            trouble: row.zone.is_none().then(unknown),
        }
    }
}

impl Row for InvoiceLine {
    const COLUMNS: &'static [Column] = &[
        Column::text("ID"),
        Column::text("PERIOD"),
        Column::number("AMOUNT"),
        Column::text("STATUS"),
        Column::number("TRIES"),
        Column::text("NEXT TRY"),
        Column::text("CHARGE"),
    ];

    fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    fn cells(&self) -> Vec<String> {
        let day = |text: &str| text.get(..10).unwrap_or(text).to_owned();
        vec![
            self.id.clone(),
            format!("{} to {}", day(&self.period_start), day(&self.period_end)),
            main_units(self.amount, self.currency),
            self.hold.map_or_else(|| self.status.to_string(), |hold| format!("{} ({hold})", self.status)),
            self.attempts.to_string(),
            clip(self.next_attempt_at.as_ref()),
            or_dash(self.charge.as_ref()),
        ]
    }
}
