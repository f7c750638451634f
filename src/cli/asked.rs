//! Which of the provider's objects are asked for: a window of a list, or a search.
//!
//! Must never know: what kind of object it is.

use clap::Args;
use serde_json::value::RawValue;

use super::context::Context;
use super::exit::Failure;
use super::objects::{ColumnOf, pair, show_rows};
use super::output::Output;
use crate::omise::{Answer, Error, ListQuery, Order, PAGE_MAX, Search, SearchQuery};

/// Which rows of a list.
#[derive(Debug, Args)]
pub struct Window {
    /// Only what was created since
    #[arg(long, value_name = "INSTANT")]
    from: Option<String>,
    /// Only what was created until
    #[arg(long, value_name = "INSTANT")]
    to: Option<String>,
    /// Newest first
    #[arg(long)]
    newest: bool,
}

impl Window {
    /// As the API wants it; dates are those of the book's zone.
    pub(super) fn query(&self, context: &Context) -> Result<ListQuery, Failure> {
        let read = |name, text: &Option<String>| {
            text.as_deref().map(|text| super::instant::instant(name, text, context.zone())).transpose()
        };
        let order = if self.newest { Order::ReverseChronological } else { Order::Chronological };
        Ok(ListQuery {
            from: read("--from", &self.from)?,
            to: read("--to", &self.to)?,
            order,
            ..ListQuery::default()
        })
    }
}

/// What to search for.
#[derive(Debug, Args)]
pub struct SearchArgs {
    /// Words to find
    #[arg(value_name = "TEXT", default_value = "")]
    text: String,
    /// A filter, such as created=2026-01-01..2026-02-01; amounts are in main units
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    filter: Vec<(String, String)>,
    /// This page alone, from 1 [default: all pages]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    page: Option<u64>,
    /// Rows to a page
    #[arg(long, value_name = "N", default_value_t = PAGE_MAX, value_parser = clap::value_parser!(u32).range(1..=i64::from(PAGE_MAX)))]
    per_page: u32,
}

impl SearchArgs {
    /// Reads every page of a search, or the one that was asked for, and shows every row found.
    pub(super) async fn show_all(
        &self,
        out: &mut Output,
        columns: &[ColumnOf],
        mut ask: impl AsyncFnMut(&SearchQuery<'_>) -> Result<Answer<Search<Box<RawValue>>>, Error>,
    ) -> Result<(), Failure> {
        let filters: Vec<_> =
            self.filter.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let mut rows = Vec::new();
        let mut page = self.page.unwrap_or(1);
        loop {
            let query = SearchQuery {
                text: &self.text,
                filters: &filters,
                page: Some(page),
                per_page: Some(self.per_page),
                ..SearchQuery::default()
            };
            let found = ask(&query).await?.value;
            let is_last = self.page.is_some() || page >= found.total_pages || found.data.is_empty();
            rows.extend(found.data);
            if is_last {
                return show_rows(out, columns, &rows);
            }
            page += 1;
        }
    }
}
