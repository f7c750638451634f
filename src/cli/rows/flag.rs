//! A flag as a row.

use serde::Serialize;

use super::{Row, clip, rfc3339};
use crate::cli::output::Column;
use crate::model::{Flag, FlagReason, Zone};

/// A flag.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct FlagLine {
    pub(in crate::cli) customer: String,
    pub(in crate::cli) subscription: String,
    pub(in crate::cli) reason: FlagReason,
    pub(in crate::cli) since: String,
    pub(in crate::cli) until: Option<String>,
    pub(in crate::cli) detail: String,
}

impl FlagLine {
    pub(in crate::cli) fn of(flag: &Flag, zone: &Zone) -> Self {
        Self {
            customer: flag.customer.to_string(),
            subscription: flag.subscription.to_string(),
            reason: flag.reason,
            since: rfc3339(flag.since, zone),
            until: flag.until.map(|at| rfc3339(at, zone)),
            detail: flag.detail.to_string(),
        }
    }
}

impl Row for FlagLine {
    const COLUMNS: &'static [Column] = &[
        Column::text("CUSTOMER"),
        Column::text("SUBSCRIPTION"),
        Column::text("REASON"),
        Column::text("SINCE"),
        Column::text("UNTIL"),
        Column::text("DETAIL"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.customer.clone(),
            self.subscription.clone(),
            self.reason.to_string(),
            clip(Some(&self.since)),
            clip(self.until.as_ref()),
            self.detail.clone(),
        ]
    }
}
