//! A customer as a row.

use serde::Serialize;

use super::{Row, clip, dash, or_dash, rfc3339};
use crate::cli::output::Column;
use crate::model::{CardSnapshot, CustomerState, Zone};
use crate::store::CustomerRow;

/// A customer.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct CustomerLine {
    pub(in crate::cli) id: String,
    pub(in crate::cli) state: CustomerState,
    pub(in crate::cli) default_card: Option<String>,
    pub(in crate::cli) cards: Vec<CardSnapshot>,
    pub(in crate::cli) subscriptions: u64,
    pub(in crate::cli) read_at: Option<String>,
}

impl CustomerLine {
    pub(in crate::cli) fn of(row: &CustomerRow, zone: &Zone) -> Self {
        let customer = &row.customer;
        Self {
            id: customer.id.to_string(),
            state: customer.state,
            default_card: customer.default_card.as_ref().map(ToString::to_string),
            cards: customer.cards.clone(),
            subscriptions: row.subscriptions,
            read_at: customer.read_at.map(|at| rfc3339(at, zone)),
        }
    }
}

impl Row for CustomerLine {
    const COLUMNS: &'static [Column] = &[
        Column::text("ID"),
        Column::text("STATE"),
        Column::text("DEFAULT CARD"),
        Column::text("EXPIRES"),
        Column::number("CARDS"),
        Column::number("SUBSCRIPTIONS"),
        Column::text("READ"),
    ];

    fn cells(&self) -> Vec<String> {
        let default = self.default_card.as_ref();
        let card = default.and_then(|id| self.cards.iter().find(|card| card.id.as_str() == id));
        vec![
            self.id.clone(),
            self.state.to_string(),
            card.map_or_else(|| or_dash(default), |card| format!("{} {}", card.brand, card.last_digits)),
            card.map_or_else(dash, |card| card.expiration.to_string()),
            self.cards.len().to_string(),
            self.subscriptions.to_string(),
            clip(self.read_at.as_ref()),
        ]
    }
}
