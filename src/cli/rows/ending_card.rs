//! A card that ends as a row.

use serde::Serialize;

use super::{Row, clip, dash, main_units, rfc3339};
use crate::cli::output::Column;
use crate::model::{Currency, Zone};
use crate::rules::ending::NextCharge;
use crate::store::EndingCard;

/// A card that ends, and a subscription that it pays.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct EndingCardLine {
    pub(in crate::cli) customer: String,
    pub(in crate::cli) subscription: String,
    pub(in crate::cli) card: String,
    pub(in crate::cli) brand: String,
    pub(in crate::cli) last_digits: String,
    /// `MM/YYYY`.
    pub(in crate::cli) expires: String,
    /// The first instant at which it no longer works.
    pub(in crate::cli) ends_at: String,
    pub(in crate::cli) next_due_at: Option<String>,
    pub(in crate::cli) amount: Option<i64>,
    pub(in crate::cli) currency: Option<Currency>,
    /// Whether it has ended when that charge is due.
    pub(in crate::cli) misses_next: bool,
    #[serde(skip)]
    trouble: Option<String>,
}

impl EndingCardLine {
    pub(in crate::cli) fn of(row: &EndingCard, next: Option<NextCharge>, zone: &Zone) -> Self {
        let ends = row.card.expiration.ends_at();
        Self {
            customer: row.customer.to_string(),
            subscription: row.subscription.to_string(),
            card: row.card.id.to_string(),
            brand: row.card.brand.clone(),
            last_digits: row.card.last_digits.clone(),
            expires: row.card.expiration.to_string(),
            ends_at: rfc3339(ends, zone),
            next_due_at: next.map(|next| rfc3339(next.at, zone)),
            amount: next.map(|next| next.amount.minor()),
            currency: next.map(|next| next.amount.currency()),
            misses_next: next.is_some_and(|next| next.at >= ends),
            trouble: None,
        }
    }

    /// The same beside what keeps its subscription from being read, so that nobody can tell its next charge.
    pub(in crate::cli) fn beside(self, trouble: Option<String>) -> Self {
        Self { trouble, ..self }
    }
}

impl Row for EndingCardLine {
    const COLUMNS: &'static [Column] = &[
        Column::text("CUSTOMER"),
        Column::text("SUBSCRIPTION"),
        Column::text("CARD"),
        Column::text("EXPIRES"),
        Column::text("NEXT DUE"),
        Column::number("AMOUNT"),
        Column::text("TOO LATE"),
    ];

    fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    fn cells(&self) -> Vec<String> {
        let amount = self.amount.zip(self.currency).map(|(minor, currency)| main_units(minor, currency));
        vec![
            self.customer.clone(),
            self.subscription.clone(),
            format!("{} {}", self.brand, self.last_digits).trim().to_owned(),
            self.expires.clone(),
            clip(self.next_due_at.as_ref()),
            amount.unwrap_or_else(dash),
            if self.misses_next { "yes".into() } else { String::new() },
        ]
    }
}
