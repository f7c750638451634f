//! A subscription as a row.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Row, clip, raw, rfc3339};
use crate::cli::output::Column;
use crate::model::{FlagReason, Quantity, SubscriptionStatus, Zone};
use crate::store::SubscriptionRow;

/// A subscription.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct SubscriptionLine {
    pub(in crate::cli) id: String,
    pub(in crate::cli) customer: String,
    pub(in crate::cli) plan: String,
    pub(in crate::cli) plan_version: u32,
    pub(in crate::cli) status: SubscriptionStatus,
    pub(in crate::cli) quantity: Quantity,
    pub(in crate::cli) zone: Zone,
    pub(in crate::cli) anchor: Option<String>,
    pub(in crate::cli) period_start: Option<String>,
    pub(in crate::cli) period_end: Option<String>,
    pub(in crate::cli) next_due_at: Option<String>,
    pub(in crate::cli) card: Option<String>,
    pub(in crate::cli) backup_card: bool,
    pub(in crate::cli) cancel_at: Option<String>,
    pub(in crate::cli) paused_until: Option<String>,
    pub(in crate::cli) ended_at: Option<String>,
    pub(in crate::cli) created_at: String,
    pub(in crate::cli) flags: Vec<FlagReason>,
    pub(in crate::cli) metadata: Option<Box<RawValue>>,
}

impl SubscriptionLine {
    pub(in crate::cli) fn of(row: &SubscriptionRow) -> Self {
        let subscription = &row.subscription;
        let zone = &subscription.zone;
        let local = |at: Option<Timestamp>| at.map(|at| rfc3339(at, zone));
        Self {
            id: subscription.id.to_string(),
            customer: subscription.customer.to_string(),
            plan: row.plan.to_string(),
            plan_version: row.plan_version,
            status: subscription.status,
            quantity: subscription.quantity,
            zone: zone.clone(),
            anchor: local(zone.start_of(subscription.anchor).ok()),
            period_start: local(row.period.map(|period| period.start)),
            period_end: local(row.period.map(|period| period.end)),
            next_due_at: local(subscription.wake_at),
            card: subscription.card.as_ref().map(ToString::to_string),
            backup_card: subscription.backup.is_agreed(),
            cancel_at: local(subscription.cancel_at),
            paused_until: local(subscription.pause.and_then(|pause| pause.until)),
            ended_at: local(subscription.ended_at),
            created_at: rfc3339(subscription.created_at, zone),
            flags: row.flags.clone(),
            metadata: raw(subscription.metadata.as_deref()),
        }
    }
}

impl Row for SubscriptionLine {
    const COLUMNS: &'static [Column] = &[
        Column::text("ID"),
        Column::text("CUSTOMER"),
        Column::text("PLAN"),
        Column::text("STATUS"),
        Column::number("QTY"),
        Column::text("PERIOD END"),
        Column::text("NEXT DUE"),
        Column::text("FLAGS"),
    ];

    fn cells(&self) -> Vec<String> {
        let flags: Vec<&str> = self.flags.iter().map(|flag| flag.word()).collect();
        vec![
            self.id.clone(),
            self.customer.clone(),
            self.plan.clone(),
            self.status.to_string(),
            self.quantity.get().to_string(),
            clip(self.period_end.as_ref()),
            clip(self.next_due_at.as_ref()),
            flags.join(" "),
        ]
    }
}
