//! The list envelope and its window: offset, limit, from, to, order.
//!
//! Promises: `total` counts what lies in the window, both edges included, and the window is echoed. Must
//! never know what is listed.

use serde::Serialize;

use super::error::ApiError;
use super::params::Params;
use crate::sandbox::state::time;

/// Rows of a page when the client names no limit.
const DEFAULT_LIMIT: usize = 20;
/// The most rows a page may have. What the real API does above is not on record; here it is cut down.
const MAX_LIMIT: usize = 100;

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    pub offset: usize,
    pub limit: usize,
    /// First second of the window.
    pub from: i64,
    /// Last second of the window.
    pub to: i64,
    pub newest_first: bool,
}

impl Page {
    /// The first twenty up to now.
    pub fn first(now_ms: u64) -> Self {
        let now = i64::try_from(now_ms / 1000).unwrap_or(i64::MAX);
        Self { offset: 0, limit: DEFAULT_LIMIT, from: 0, to: now, newest_first: false }
    }

    /// Reads the paging parameters.
    pub fn read(params: &Params, now_ms: u64) -> Result<Self, ApiError> {
        let mut page = Self::first(now_ms);
        let bad = |what: &str| ApiError::bad("bad_request", format!("{what} is invalid"));
        if let Some(offset) = params.whole("offset").map_err(|()| bad("offset"))? {
            page.offset = usize::try_from(offset).map_err(|_| bad("offset"))?;
        }
        if let Some(limit) = params.whole("limit").map_err(|()| bad("limit"))? {
            page.limit = usize::try_from(limit).map_err(|_| bad("limit"))?.min(MAX_LIMIT);
        }
        let instant = |name: &str| match params.text(name) {
            None => Ok(None),
            Some(text) => time::read(&text).map(|at| Some(at.as_second())).ok_or_else(|| bad(name)),
        };
        page.from = instant("from")?.unwrap_or(page.from);
        page.to = instant("to")?.unwrap_or(page.to);
        page.newest_first = match params.text("order").as_deref() {
            None | Some("chronological") => false,
            Some("reverse_chronological") => true,
            Some(_) => return Err(bad("order")),
        };
        Ok(page)
    }
}

/// One page of objects.
#[derive(Serialize)]
pub struct List<T> {
    object: &'static str,
    data: Vec<T>,
    limit: usize,
    offset: usize,
    total: usize,
    location: String,
    order: &'static str,
    from: String,
    to: String,
}

impl<T> List<T> {
    /// Cuts the page out of the places inside the window, which come oldest first.
    pub fn of(inside: &[u32], page: &Page, location: String, show: impl Fn(u32) -> T) -> Self {
        let total = inside.len();
        let start = page.offset.min(total);
        let end = start.saturating_add(page.limit).min(total);
        let data = if page.newest_first {
            inside.iter().rev().skip(start).take(end - start).map(|place| show(*place)).collect()
        } else {
            inside[start..end].iter().map(|place| show(*place)).collect()
        };
        Self {
            object: "list",
            data,
            limit: page.limit,
            offset: page.offset,
            total,
            location,
            order: if page.newest_first { "reverse_chronological" } else { "chronological" },
            from: time::show(page.from),
            to: time::show(page.to),
        }
    }
}
