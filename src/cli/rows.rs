//! Rows of the book as people and programs read them: the JSON keys that scripts rely on, and short columns.
//!
//! Promises: money is an integer of the smallest unit; instants are RFC 3339, those of subscriptions and invoices
//! in the subscription's zone. Must never know: where the rows come from.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

use super::output::Column;
use crate::model::{
    Attempt, AttemptStatus, CardSnapshot, Currency, CustomerState, DeclineKind, Event, EventKind, Flag,
    FlagReason, InvoiceStatus, Money, Quantity, SubscriptionStatus, Zone,
};
use crate::store::{AttemptRow, CustomerRow, InvoiceRow, SubscriptionRow};

/// What one kind of row looks like.
pub(super) trait Row: Serialize {
    /// Of the table for people.
    const COLUMNS: &'static [Column];

    /// One line of that table.
    fn cells(&self) -> Vec<String>;
}

/// RFC 3339 with the zone's own offset, by the second.
pub(super) fn rfc3339(at: Timestamp, zone: &Zone) -> String {
    zone.at(at).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// For people: the zone's date and time.
pub(super) fn short(at: Timestamp, zone: &Zone) -> String {
    zone.at(at).strftime("%Y-%m-%d %H:%M").to_string()
}

/// An amount for people, thousands apart: `1,234.50 THB`.
pub(super) fn grouped(amount: Money) -> String {
    let number = amount.number();
    let (whole, fraction) = number.split_once('.').map_or((number.as_str(), None), |(w, f)| (w, Some(f)));
    let mut text = String::with_capacity(number.len() + whole.len() / 3 + 4);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if let Some(fraction) = fraction {
        text.push('.');
        text.push_str(fraction);
    }
    format!("{text} {}", amount.currency())
}

/// `short` of an RFC 3339 text of ours.
fn clip(at: Option<&String>) -> String {
    at.map_or_else(dash, |text| text.get(..16).unwrap_or(text).replace('T', " "))
}

fn dash() -> String {
    "–".into()
}

fn or_dash<T: ToString>(value: Option<&T>) -> String {
    value.map_or_else(dash, ToString::to_string)
}

fn main_units(minor: i64, currency: Currency) -> String {
    Money::new(minor, currency).map_or_else(|_| minor.to_string(), grouped)
}

/// A subscription.
#[derive(Debug, Serialize)]
pub(super) struct SubscriptionLine {
    pub(super) id: String,
    pub(super) customer: String,
    pub(super) plan: String,
    pub(super) plan_version: u32,
    pub(super) status: SubscriptionStatus,
    pub(super) quantity: Quantity,
    pub(super) zone: Zone,
    pub(super) anchor: Option<String>,
    pub(super) period_start: Option<String>,
    pub(super) period_end: Option<String>,
    pub(super) next_due_at: Option<String>,
    pub(super) card: Option<String>,
    pub(super) cancel_at: Option<String>,
    pub(super) paused_until: Option<String>,
    pub(super) ended_at: Option<String>,
    pub(super) created_at: String,
    pub(super) flags: Vec<FlagReason>,
    pub(super) metadata: Option<Box<RawValue>>,
}

impl SubscriptionLine {
    pub(super) fn of(row: &SubscriptionRow) -> Self {
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

/// An invoice. `number` is the last part of its id.
#[derive(Debug, Serialize)]
pub(super) struct InvoiceLine {
    pub(super) id: String,
    pub(super) subscription: String,
    pub(super) customer: String,
    pub(super) number: u32,
    pub(super) period_start: String,
    pub(super) period_end: String,
    pub(super) amount: i64,
    pub(super) currency: Currency,
    pub(super) quantity: Quantity,
    pub(super) status: InvoiceStatus,
    pub(super) hold: Option<&'static str>,
    pub(super) attempts: u32,
    pub(super) next_attempt_at: Option<String>,
    pub(super) charge: Option<String>,
    pub(super) opened_at: String,
    pub(super) closed_at: Option<String>,
}

impl InvoiceLine {
    pub(super) fn of(row: &InvoiceRow) -> Self {
        let invoice = &row.invoice;
        let local = |at: Timestamp| rfc3339(at, &row.zone);
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
            next_attempt_at: invoice.next_attempt_at.map(local),
            charge: row.charge.as_ref().map(ToString::to_string),
            opened_at: local(invoice.opened_at),
            closed_at: invoice.closed_at.map(local),
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

/// An attempt. `number` is the last part of its id.
#[derive(Debug, Serialize)]
pub(super) struct AttemptLine {
    pub(super) id: String,
    pub(super) invoice: String,
    pub(super) number: u32,
    pub(super) status: AttemptStatus,
    pub(super) amount: i64,
    pub(super) currency: Currency,
    pub(super) customer: String,
    pub(super) card: Option<String>,
    pub(super) idempotency_key: String,
    pub(super) charge: Option<String>,
    pub(super) failure_code: Option<String>,
    pub(super) decline: Option<DeclineKind>,
    pub(super) intended_at: String,
    pub(super) resolved_at: Option<String>,
    pub(super) authorize_uri: Option<String>,
    pub(super) reason: Option<String>,
}

impl AttemptLine {
    pub(super) fn of(row: &AttemptRow, zone: &Zone) -> Self {
        Self::of_attempt(&row.attempt, zone)
    }

    pub(super) fn of_attempt(attempt: &Attempt, zone: &Zone) -> Self {
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

/// A flag.
#[derive(Debug, Serialize)]
pub(super) struct FlagLine {
    pub(super) customer: String,
    pub(super) subscription: String,
    pub(super) reason: FlagReason,
    pub(super) since: String,
    pub(super) until: Option<String>,
    pub(super) detail: String,
}

impl FlagLine {
    pub(super) fn of(flag: &Flag, zone: &Zone) -> Self {
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

/// A line of the diary.
#[derive(Debug, Serialize)]
pub(super) struct EventLine {
    pub(super) seq: i64,
    pub(super) at: String,
    pub(super) kind: EventKind,
    pub(super) subscription: Option<String>,
    pub(super) invoice: Option<String>,
    pub(super) customer: Option<String>,
    pub(super) data: Option<Box<RawValue>>,
}

impl EventLine {
    pub(super) fn of(event: &Event, zone: &Zone) -> Self {
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

/// A customer.
#[derive(Debug, Serialize)]
pub(super) struct CustomerLine {
    pub(super) id: String,
    pub(super) state: CustomerState,
    pub(super) default_card: Option<String>,
    pub(super) cards: Vec<CardSnapshot>,
    pub(super) subscriptions: u64,
    pub(super) read_at: Option<String>,
}

impl CustomerLine {
    pub(super) fn of(row: &CustomerRow, zone: &Zone) -> Self {
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

/// JSON of the book's own, as it stands; `None` for none, or for text that is not JSON.
fn raw(text: Option<&str>) -> Option<Box<RawValue>> {
    text.and_then(|text| RawValue::from_string(text.to_owned()).ok())
}
