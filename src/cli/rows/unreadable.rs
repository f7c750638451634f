//! A subscription that cannot be read, in its place among the others.

use serde::Serialize;

use super::{Row, SubscriptionLine, dash};
use crate::cli::output::Column;
use crate::model::FlagReason;
use crate::store::{SubscriptionPage, SubscriptionRow, Unreadable};

/// A subscription as far as it can be told of: the keys of one that can be read, of which what nobody can tell is null,
/// and why.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct UnreadableLine {
    id: Option<String>,
    customer: Option<String>,
    plan: Unknown,
    plan_version: Unknown,
    status: Unknown,
    quantity: Unknown,
    zone: Unknown,
    anchor: Unknown,
    period_start: Unknown,
    period_end: Unknown,
    next_due_at: Unknown,
    card: Unknown,
    backup_card: Unknown,
    cancel_at: Unknown,
    paused_until: Unknown,
    ended_at: Unknown,
    created_at: Unknown,
    flags: Vec<FlagReason>,
    metadata: Unknown,
    unreadable: String,
}

/// What nobody can tell: null.
type Unknown = ();

impl UnreadableLine {
    fn of(found: &Unreadable) -> Self {
        Self {
            id: found.whose.as_ref().map(|(id, _)| id.to_string()),
            customer: found.whose.as_ref().map(|(_, customer)| customer.to_string()),
            plan: (),
            plan_version: (),
            status: (),
            quantity: (),
            zone: (),
            anchor: (),
            period_start: (),
            period_end: (),
            next_due_at: (),
            card: (),
            backup_card: (),
            cancel_at: (),
            paused_until: (),
            ended_at: (),
            created_at: (),
            flags: found.flags.clone(),
            metadata: (),
            unreadable: found.error.to_string(),
        }
    }
}

/// A place of the list of subscriptions.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(in crate::cli) enum ListedLine {
    /// It could be read.
    Read(Box<SubscriptionLine>),
    /// It could not.
    Unread(Box<UnreadableLine>),
}

impl ListedLine {
    /// Those of a page, in the order of the book, each with its place.
    pub(in crate::cli) fn of(page: &SubscriptionPage<SubscriptionRow>) -> Vec<(i64, Self)> {
        let read = |row: &SubscriptionRow| (row.row, Self::Read(Box::new(SubscriptionLine::of(row))));
        let unread = |found: &Unreadable| (found.row, Self::Unread(Box::new(UnreadableLine::of(found))));
        let mut lines: Vec<_> = page.rows.iter().map(read).collect();
        lines.extend(page.unreadable.iter().map(unread));
        lines.sort_by_key(|(row, _)| *row);
        lines
    }
}

impl Row for ListedLine {
    const COLUMNS: &'static [Column] = SubscriptionLine::COLUMNS;

    fn trouble(&self) -> Option<&str> {
        match self {
            Self::Read(_) => None,
            Self::Unread(line) => Some(&line.unreadable),
        }
    }

    fn cells(&self) -> Vec<String> {
        match self {
            Self::Read(line) => line.cells(),
            Self::Unread(line) => {
                let flags: Vec<&str> = line.flags.iter().map(|flag| flag.word()).collect();
                let known = |text: &Option<String>| text.clone().unwrap_or_else(dash);
                vec![
                    known(&line.id),
                    known(&line.customer),
                    dash(),
                    "unreadable".into(),
                    dash(),
                    dash(),
                    dash(),
                    flags.join(" "),
                ]
            }
        }
    }
}
