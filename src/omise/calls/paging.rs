//! What part of a list is asked for.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The most rows that the API gives in one page. What it does when asked for more is nowhere documented.
pub const PAGE_MAX: u32 = 100;

/// The order of a list, by creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// Oldest first: rows that appear meanwhile come last, so that pages do not move.
    #[default]
    Chronological,
    /// Newest first.
    ReverseChronological,
}

impl Order {
    /// The API's own word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Chronological => "chronological",
            Self::ReverseChronological => "reverse_chronological",
        }
    }
}

/// Which rows of a list, and which page of them. The default asks for the first 20, oldest first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// Only rows created at or after this instant. `None`: since 1970.
    pub from: Option<Timestamp>,
    /// Only rows created up to this instant. `None`: up to now, as the API sees it.
    pub to: Option<Timestamp>,
    /// Rows to skip.
    pub offset: u64,
    /// Rows wanted: 1 to [`PAGE_MAX`]; more is cut to it. `None`: 20.
    pub limit: Option<u32>,
    /// Oldest or newest first.
    pub order: Order,
}

impl ListQuery {
    /// The window between two instants, in pages as large as the API gives.
    pub fn window(from: Timestamp, to: Timestamp) -> Self {
        Self { from: Some(from), to: Some(to), limit: Some(PAGE_MAX), ..Self::default() }
    }

    /// The query parameters. The order is always sent: the sources disagree about the default.
    pub(in crate::omise) fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = vec![("order", self.order.as_str().to_owned())];
        if let Some(from) = self.from {
            pairs.push(("from", whole_seconds(from)));
        }
        if let Some(to) = self.to {
            pairs.push(("to", whole_seconds(to)));
        }
        if self.offset > 0 {
            pairs.push(("offset", self.offset.to_string()));
        }
        if let Some(limit) = self.limit {
            pairs.push(("limit", limit.clamp(1, PAGE_MAX).to_string()));
        }
        pairs
    }
}

/// The form that all recorded instants have: UTC, no fraction.
fn whole_seconds(instant: Timestamp) -> String {
    instant.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
