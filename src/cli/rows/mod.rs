//! Rows of the book as people and programs read them: the JSON keys that scripts rely on, and short columns.
//!
//! Promises: money is an integer of the smallest unit; instants are RFC 3339, those of subscriptions and invoices
//! in the subscription's zone. Must never know: where the rows come from.

mod attempt;
mod customer;
mod ending_card;
mod event;
mod flag;
mod flag_at_risk;
mod invoice;
mod subscription;
mod unreadable;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

use super::output::Column;
use crate::model::{Currency, Money, Zone};

pub(super) use attempt::AttemptLine;
pub(super) use customer::CustomerLine;
pub(super) use ending_card::EndingCardLine;
pub(super) use event::{EventLine, data_told};
pub(super) use flag::FlagLine;
pub(super) use flag_at_risk::FlagAtRiskLine;
pub(super) use invoice::InvoiceLine;
pub(super) use subscription::SubscriptionLine;
pub(super) use unreadable::ListedLine;

/// What one kind of row looks like.
pub(super) trait Row: Serialize {
    /// Of the table for people.
    const COLUMNS: &'static [Column];

    /// One line of that table.
    fn cells(&self) -> Vec<String>;

    /// What of it cannot be read, and why; `None`: all of it can.
    fn trouble(&self) -> Option<&str> {
        None
    }
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

/// JSON of the book's own, as it stands; `None` for none, or for text that is not JSON.
fn raw(text: Option<&str>) -> Option<Box<RawValue>> {
    text.and_then(|text| RawValue::from_string(text.to_owned()).ok())
}
