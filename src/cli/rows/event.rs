//! A line of the diary as a row.

use serde::Serialize;
use serde_json::value::RawValue;

use super::{Row, clip, or_dash, raw, rfc3339};
use crate::cli::output::Column;
use crate::model::{Event, EventKind, Zone};

/// A line of the diary.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct EventLine {
    pub(in crate::cli) seq: i64,
    pub(in crate::cli) at: String,
    pub(in crate::cli) kind: EventKind,
    pub(in crate::cli) subscription: Option<String>,
    pub(in crate::cli) invoice: Option<String>,
    pub(in crate::cli) customer: Option<String>,
    pub(in crate::cli) data: Option<Box<RawValue>>,
}

impl EventLine {
    pub(in crate::cli) fn of(event: &Event, zone: &Zone) -> Self {
        Self {
            seq: event.seq,
            at: rfc3339(event.at, zone),
            kind: event.kind,
            subscription: event.subscription.as_ref().map(ToString::to_string),
            invoice: event.invoice.as_ref().map(ToString::to_string),
            customer: event.customer.as_ref().map(ToString::to_string),
            data: raw(event.data.as_deref()),
        }
    }
}

impl Row for EventLine {
    const COLUMNS: &'static [Column] = &[
        Column::number("SEQ"),
        Column::text("AT"),
        Column::text("KIND"),
        Column::text("OF"),
        Column::text("CUSTOMER"),
        Column::text("DATA"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.seq.to_string(),
            clip(Some(&self.at)),
            self.kind.to_string(),
            or_dash(self.invoice.as_ref().or(self.subscription.as_ref())),
            or_dash(self.customer.as_ref()),
            self.data.as_ref().map(|data| data.get().to_owned()).unwrap_or_default(),
        ]
    }
}
