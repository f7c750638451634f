//! A flag with the money behind it as a row.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{FlagLine, Row, grouped};
use crate::cli::output::Column;
use crate::model::{Currency, Money, Zone};
use crate::store::FlagAtRisk;

/// A flag with the money behind it.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct FlagAtRiskLine {
    #[serde(flatten)]
    pub(in crate::cli) flag: FlagLine,
    /// Open invoices and the next period, in the currency of the subscription's plan.
    pub(in crate::cli) at_risk: i64,
    pub(in crate::cli) currency: Option<Currency>,
    /// What is open in other currencies, by currency; absent: nothing.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(in crate::cli) at_risk_others: Map<String, Value>,
    #[serde(skip)]
    told: String,
}

impl FlagAtRiskLine {
    pub(in crate::cli) fn of(row: &FlagAtRisk, zone: &Zone) -> Self {
        let first = row.at_risk.first();
        let others = row.at_risk.iter().skip(1);
        let told: Vec<String> = row.at_risk.iter().copied().map(grouped).collect();
        Self {
            flag: FlagLine::of(&row.flag, zone),
            at_risk: first.map_or(0, |sum| sum.minor()),
            currency: first.map(|sum| sum.currency()),
            at_risk_others: others
                .map(|sum: &Money| (sum.currency().to_string(), sum.minor().into()))
                .collect(),
            told: told.join(" + "),
        }
    }
}

impl Row for FlagAtRiskLine {
    const COLUMNS: &'static [Column] = &[
        Column::text("CUSTOMER"),
        Column::text("SUBSCRIPTION"),
        Column::text("REASON"),
        Column::number("AT RISK"),
        Column::text("SINCE"),
        Column::text("UNTIL"),
        Column::text("DETAIL"),
    ];

    fn cells(&self) -> Vec<String> {
        let mut cells = self.flag.cells();
        cells.insert(3, self.told.clone());
        cells
    }
}
