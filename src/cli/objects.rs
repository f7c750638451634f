//! What the commands that speak to the provider share: the client, its objects on paper, its refusals.
//!
//! Promises: an object is shown as the API wrote it, in the API's own order, nothing added; an error becomes one
//! sentence and an exit code. Must never know: which command asks.

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use super::context::Context;
use super::exit::{Exit, Failure};
use super::layout::{compact, indented};
use super::output::{Column, Output};
use crate::model::Money;
use crate::omise::{Answer, Client, ConfigError, Error, ErrorKind, HasId, KeyError, Metadata, Rows};
use crate::wiring::{self, Door};

/// Metadata names that mark the daemon's own charges: whoever else used them would mislead it.
const OUR_PREFIX: &str = "dues_";

/// Runs one piece of work with the provider's client; the embedded sandbox, if any, lives as long.
pub(super) fn with_client<T>(
    context: &Context,
    work: impl AsyncFnOnce(&Client, &Door) -> Result<T, Failure>,
) -> Result<T, Failure> {
    context.wait(async {
        let mut door = wiring::open_door_beside(context.settings()).await?;
        let client = door.gateway.client().clone();
        let done = work(&client, &door).await;
        if let Some(sandbox) = door.sandbox.take() {
            sandbox.stop().await;
        }
        done
    })
}

/// Refuses what a live key must not be used for from a command line.
pub(super) fn test_mode_only(client: &Client, what: &str) -> Result<(), Failure> {
    if client.livemode() {
        return Err(Failure::usage(format!(
            "found a live key, wanted a test key or the sandbox: {what} by hand would move real money past the book"
        )));
    }
    Ok(())
}

/// `NAME=VALUE`.
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(format!("found {text:?}, wanted NAME=VALUE")),
    }
}

/// Metadata from `NAME=VALUE` arguments.
pub(super) fn metadata(pairs: &[(String, String)]) -> Result<Metadata, Failure> {
    if let Some((name, _)) = pairs.iter().find(|(name, _)| name.starts_with(OUR_PREFIX)) {
        return Err(Failure::usage(format!(
            "found metadata {name:?}, wanted a name of your own: {OUR_PREFIX}* marks the charges of the daemon"
        )));
    }
    Ok(pairs.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect())
}

/// An amount in the smallest unit, if it is of that currency.
pub(super) fn minor_of(amount: Money, currency: &str) -> Result<i64, Failure> {
    let found = amount.currency().to_string();
    if found.eq_ignore_ascii_case(currency) {
        return Ok(amount.minor());
    }
    Err(Failure::usage(format!("found an amount in {found}, wanted {currency}, the currency of the charge")))
}

/// Shows one object: on one line for programs, indented for people.
pub(super) fn show<T>(out: &mut Output, answer: &Answer<T>) -> Result<(), Failure> {
    show_object(out, raw(&answer.body)?)
}

fn show_object(out: &mut Output, object: &RawValue) -> Result<(), Failure> {
    if out.is_json() { out.line(&compact(object.get())) } else { out.line(&indented(object.get())) }
}

/// A column of a list of the API's objects: its heading, and where its value stands in an object.
pub(super) type ColumnOf = (&'static str, &'static str);

pub(super) const EVENT_COLUMNS: [ColumnOf; 3] =
    [("event", "/id"), ("key", "/key"), ("created", "/created_at")];

pub(super) const SCHEDULE_COLUMNS: [ColumnOf; 7] = [
    ("schedule", "/id"),
    ("status", "/status"),
    ("rule", "/in_words"),
    ("amount", "/charge/amount"),
    ("currency", "/charge/currency"),
    ("from", "/start_on"),
    ("to", "/end_on"),
];

/// Shows every row of a list: one object a line for programs, a table for people.
pub(super) async fn show_list<T: DeserializeOwned + HasId>(
    out: &mut Output,
    columns: &[ColumnOf],
    rows: Rows<'_, T>,
) -> Result<(), Failure> {
    let mut rows = rows.raw();
    let mut table = Vec::new();
    while let Some(row) = rows.next().await? {
        if out.is_json() {
            show_object(out, &row)?;
        } else {
            table.push(row);
        }
    }
    if out.is_json() { Ok(()) } else { show_rows(out, columns, &table) }
}

/// Shows rows that are all here.
pub(super) fn show_rows(
    out: &mut Output,
    columns: &[ColumnOf],
    rows: &[Box<RawValue>],
) -> Result<(), Failure> {
    if out.is_json() {
        return rows.iter().try_for_each(|row| show_object(out, row));
    }
    if rows.is_empty() {
        return out.line("none");
    }
    let cells = |row: &RawValue| {
        let object: Value = serde_json::from_str(row.get()).unwrap_or_default();
        columns.iter().map(|(_, place)| cell(&object, place)).collect()
    };
    let headings: Vec<_> = columns.iter().map(|(name, _)| Column::text(name)).collect();
    out.table(&headings, rows.iter().map(|row| cells(row)).collect())
}

fn cell(object: &Value, place: &str) -> String {
    match object.pointer(place) {
        None | Some(Value::Null) => "–".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// A body as the API wrote it, without the white space between its tokens.
pub(super) fn as_raw(body: &[u8]) -> Result<Box<RawValue>, Failure> {
    let text = compact(raw(body)?.get());
    RawValue::from_string(text)
        .map_err(|error| Failure::unexpected(format!("the answer is no JSON: {error}")))
}

fn raw(body: &[u8]) -> Result<&RawValue, Failure> {
    serde_json::from_slice(body)
        .map_err(|error| Failure::unexpected(format!("the answer is no JSON: {error}")))
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let (exit, next) = match error.kind() {
            ErrorKind::Authentication | ErrorKind::Permission => {
                (Exit::Provider, "check the key in [omise], and that it is of the right account")
            }
            ErrorKind::Usage => (Exit::Usage, ""),
            ErrorKind::NotFound => (Exit::Failed, "check the id, and that the key is of the same mode"),
            ErrorKind::RateLimited => (Exit::Failed, "wait a moment, then try again"),
            ErrorKind::NeverSent => (Exit::Failed, "nothing happened at the provider; try again"),
            ErrorKind::PerhapsProcessed | ErrorKind::ProviderFault | ErrorKind::Unusable => {
                (Exit::Failed, "if this was a change, look whether it was made before trying again")
            }
            ErrorKind::InvalidRequest | ErrorKind::Incomplete => (Exit::Failed, ""),
        };
        if next.is_empty() { Self::new(exit, error) } else { Self::new(exit, format!("{error}; {next}")) }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::usage(error)
    }
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        Self::usage(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_of_the_daemon_is_not_for_hands() {
        let pairs = [("order".to_owned(), "7".to_owned())];
        assert_eq!(metadata(&pairs).unwrap()["order"], "7");
        let ours = [("dues_attempt".to_owned(), "7".to_owned())];
        assert_eq!(metadata(&ours).unwrap_err().exit, Exit::Usage);
        assert!(pair("=x").is_err() && pair("x").is_err());
        assert_eq!(pair("a=b=c").unwrap(), ("a".to_owned(), "b=c".to_owned()));
    }

    #[test]
    fn an_amount_must_be_of_the_charges_currency() {
        let amount: Money = "990.00 THB".parse().unwrap();
        assert_eq!(minor_of(amount, "thb").unwrap(), 99_000);
        assert_eq!(minor_of(amount, "JPY").unwrap_err().exit, Exit::Usage);
    }
}
