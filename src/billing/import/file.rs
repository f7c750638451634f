//! Reading an import file: one subscription a line, judged whole before anything is written.
//!
//! Promises: every bad line is named with its number and its reason; a text that its reader would take for another one is
//! refused; lines are read one at a time, and what is kept of them is only what a duplicate is known by. Must never know: how the book keeps them.

use std::collections::HashSet;
use std::sync::Arc;

use csv::{ByteRecord, Reader, ReaderBuilder, StringRecord};
use jiff::civil::Date;
use serde_json::{Map, Value};
use thiserror::Error;

use super::quotes::Quotes;
use crate::model::{CardId, CustomerId, PlanKey, Quantity, SubscriptionId, Zone, counted};

const REQUIRED: [&str; 2] = ["customer", "plan"];
const OPTIONAL: [&str; 7] = ["id", "starts", "paid_through", "quantity", "card", "backup_card", "zone"];
const METADATA: &str = "metadata.";

/// One line of an import file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportLine {
    /// Its number in the file, from 1; the heading is the first.
    pub line: u64,
    /// `None`: the book counts one.
    pub id: Option<SubscriptionId>,
    /// Whose.
    pub customer: CustomerId,
    /// To which plan.
    pub plan: PlanKey,
    /// The first day of service; `None`: today.
    pub starts: Option<Date>,
    /// The last day already billed elsewhere; `None`: none was.
    pub paid_through: Option<Date>,
    /// Units; 1 when the file says nothing.
    pub quantity: Quantity,
    /// `None`: the default card.
    pub card: Option<CardId>,
    /// The customer agreed that another saved card is tried after it; `false` when the file says nothing.
    pub backup_card: bool,
    /// `None`: the book's zone.
    pub zone: Option<Zone>,
    /// A JSON object as text; `None`: nothing.
    pub metadata: Option<Arc<str>>,
}

/// What is wrong with one line.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: {reason}")]
pub struct BadLine {
    /// Its number in the file, from 1.
    pub line: u64,
    /// What was found and what was wanted.
    pub reason: String,
}

/// Columns by their names, with their places.
type Columns = Vec<(String, usize)>;

/// What the columns of a file mean.
struct Heading {
    place: Columns,
    metadata: Columns,
}

/// Reads a file's lines in their order.
pub struct ImportFile<'a> {
    heading: Heading,
    reader: Reader<&'a [u8]>,
    record: ByteRecord,
    /// Beside the reader.
    quotes: Quotes<'a>,
    seen: HashSet<SubscriptionId>,
}

impl<'a> ImportFile<'a> {
    /// Reads the heading of a CSV text in UTF-8.
    ///
    /// # Errors
    /// A missing, unknown or doubled column, or a quote that is not where it belongs.
    pub fn open(text: &'a [u8]) -> Result<Self, BadLine> {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let mut reader = ReaderBuilder::new().trim(csv::Trim::All).from_reader(text);
        let heading = reader.headers().cloned();
        let mut quotes = Quotes::of(text);
        quotes.follow_to(reader.position().byte())?;
        let line = quotes.record();
        let heading = heading.map_err(|error| bad(line, &error))?;
        let heading = Heading::read(&heading).map_err(|reason| BadLine { line, reason })?;
        Ok(Self { heading, reader, record: ByteRecord::new(), quotes, seen: HashSet::new() })
    }

    /// The next line, good or bad; `None` at the end.
    pub fn next_line(&mut self) -> Option<Result<ImportLine, BadLine>> {
        let read = self.reader.read_byte_record(&mut self.record);
        match (self.quotes.follow_to(self.bytes()), read) {
            // What the reader made of such a line is not what was meant.
            (Err(misplaced), _) => Some(Err(misplaced)),
            (Ok(()), Ok(false)) => None,
            (Ok(()), Ok(true)) => Some(self.judge()),
            (Ok(()), Err(error)) => Some(Err(bad(self.quotes.record(), &error))),
        }
    }

    /// Bytes read so far.
    pub fn bytes(&self) -> u64 {
        self.reader.position().byte()
    }

    fn judge(&mut self) -> Result<ImportLine, BadLine> {
        let line = self.quotes.record();
        let name = |reason: String| BadLine { line, reason };
        let text = StringRecord::from_byte_record(self.record.clone())
            .map_err(|_| name("found bytes that are not UTF-8, wanted a text file in UTF-8".into()))?;
        let read = self.heading.line(line, &text).map_err(|reasons| name(reasons.join("; ")))?;
        if let Some(id) = &read.id
            && !self.seen.insert(id.clone())
        {
            return Err(name(format!("id: found {:?} a second time, wanted each id once", id.as_str())));
        }
        Ok(read)
    }
}

fn bad(line: u64, error: &csv::Error) -> BadLine {
    let reason = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("found {}, wanted {expected_len} as in the heading", counted(*len, "field"))
        }
        csv::ErrorKind::Utf8 { .. } => "found bytes that are not UTF-8, wanted a text file in UTF-8".into(),
        other => format!("not CSV: {other:?}"),
    };
    BadLine { line, reason }
}

impl Heading {
    fn read(heading: &StringRecord) -> Result<Self, String> {
        let wanted =
            || format!("wanted {}, and optionally {}, {METADATA}*", REQUIRED.join(", "), OPTIONAL.join(", "));
        let (mut place, mut metadata) = (Columns::new(), Columns::new());
        for (index, column) in heading.iter().enumerate() {
            let known = REQUIRED.contains(&column) || OPTIONAL.contains(&column);
            let list = match column.strip_prefix(METADATA) {
                Some(key) if !key.is_empty() => &mut metadata,
                _ if known => &mut place,
                _ => return Err(format!("found unknown column {column:?}, {}", wanted())),
            };
            let name = column.strip_prefix(METADATA).unwrap_or(column).to_owned();
            if list.iter().any(|(other, _)| *other == name) {
                return Err(format!("found column {column:?} a second time, wanted each once"));
            }
            list.push((name, index));
        }
        match REQUIRED.iter().find(|column| place.iter().all(|(name, _)| name != *column)) {
            Some(missing) => Err(format!("found no column {missing:?}, {}", wanted())),
            None => Ok(Self { place, metadata }),
        }
    }

    /// The text of a column; `None`: no such column, or nothing in it.
    fn text<'r>(&self, record: &'r StringRecord, column: &str) -> Option<&'r str> {
        let (_, index) = self.place.iter().find(|(name, _)| name == column)?;
        record.get(*index).filter(|text| !text.is_empty())
    }

    /// A line's values, or everything that is wrong with it.
    fn line(&self, line: u64, record: &StringRecord) -> Result<ImportLine, Vec<String>> {
        let mut wrong = Vec::new();
        let text = |column| self.text(record, column);
        let read = (
            optional(text("id"), SubscriptionId::parse, &mut wrong),
            required(text("customer"), "customer", CustomerId::parse, &mut wrong),
            required(text("plan"), "plan", PlanKey::parse, &mut wrong),
            optional(text("starts"), |t| date("starts", t), &mut wrong),
            optional(text("paid_through"), |t| date("paid_through", t), &mut wrong),
            optional(text("quantity"), str::parse::<Quantity>, &mut wrong),
            optional(text("card"), CardId::parse, &mut wrong),
            optional(text("zone"), Zone::parse, &mut wrong),
        );
        let backup_card = optional(text("backup_card"), agreed, &mut wrong).unwrap_or(false);
        let (id, Some(customer), Some(plan), starts, paid_through, quantity, card, zone) = read else {
            return Err(wrong);
        };
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let (quantity, metadata) = (quantity.unwrap_or(Quantity::ONE), self.metadata(record));
        Ok(ImportLine {
            line,
            id,
            customer,
            plan,
            starts,
            paid_through,
            quantity,
            card,
            backup_card,
            zone,
            metadata,
        })
    }

    fn metadata(&self, record: &StringRecord) -> Option<Arc<str>> {
        let pairs = self.metadata.iter().filter_map(|(key, index)| {
            let text = record.get(*index).filter(|text| !text.is_empty())?;
            Some((key.clone(), Value::String(text.to_owned())))
        });
        let object: Map<String, Value> = pairs.collect();
        (!object.is_empty()).then(|| Value::Object(object).to_string().into())
    }
}

fn optional<T, E: ToString>(
    text: Option<&str>,
    read: impl FnOnce(&str) -> Result<T, E>,
    wrong: &mut Vec<String>,
) -> Option<T> {
    read(text?).map_err(|why| wrong.push(why.to_string())).ok()
}

fn required<T, E: ToString>(
    text: Option<&str>,
    column: &str,
    read: impl FnOnce(&str) -> Result<T, E>,
    wrong: &mut Vec<String>,
) -> Option<T> {
    if text.is_none() {
        wrong.push(format!("{column}: found nothing, wanted a value"));
    }
    optional(text, read, wrong)
}

fn agreed(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err(format!("backup_card: found {text:?}, wanted yes or no")),
    }
}

fn date(column: &str, text: &str) -> Result<Date, String> {
    Date::strptime("%Y-%m-%d", text)
        .map_err(|_| format!("{column}: found {text:?}, wanted a date such as 2026-11-21"))
}
