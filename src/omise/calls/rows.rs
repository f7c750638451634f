//! A whole list, row by row, read in pages behind the scenes.
//!
//! Promises: the window is fixed by the first page, so that rows created while it is read are left out; a
//! row is given once; the end is reported only when every row of the window was seen. Rows that vanish
//! meanwhile move the others up, so the reader steps back by as many. Memory is bounded by one page and the
//! ids of a few. Must never know what the rows are.

use std::collections::{HashSet, VecDeque};
use std::marker::PhantomData;

use futures_util::Stream;
use futures_util::stream::try_unfold;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::ListQuery;
use super::paging::PAGE_MAX;
use crate::omise::{Answer, Client, Error, HasId, List};

/// Ids remembered to drop rows that come twice; also the farthest step back when rows vanish.
const IDS_REMEMBERED: usize = 1_000;

/// The rows of a list. Read them by [`next`](Self::next), or as a [`Stream`].
#[derive(Debug)]
pub struct Rows<'a, T> {
    client: &'a Client,
    path: String,
    query: ListQuery,
    /// Rows of the window as the last page told. `None` before the first.
    total: Option<u64>,
    page: VecDeque<T>,
    recent: Recent,
    row: PhantomData<T>,
}

impl<'a, T: DeserializeOwned + HasId> Rows<'a, T> {
    /// Starts at the query's window and offset; its page size is not taken, pages are as large as can be.
    pub(super) fn new(client: &'a Client, path: String, query: &ListQuery) -> Self {
        Self {
            client,
            path,
            query: ListQuery { limit: Some(PAGE_MAX), ..*query },
            total: None,
            page: VecDeque::new(),
            recent: Recent::default(),
            row: PhantomData,
        }
    }

    /// The next row, or `None` when every row of the window was given.
    ///
    /// After an error the same page is asked for again by the next call; no row is skipped.
    pub async fn next(&mut self) -> Result<Option<T>, Error> {
        loop {
            while let Some(row) = self.page.pop_front() {
                if self.recent.is_new(row.id()) {
                    return Ok(Some(row));
                }
            }
            if self.total.is_some_and(|total| self.query.offset >= total) {
                return Ok(None);
            }
            self.read_page().await?;
        }
    }

    /// The rows as a stream, which ends after the first error.
    pub fn into_stream(self) -> impl Stream<Item = Result<T, Error>> + use<'a, T> {
        try_unfold(self, |mut rows| async move { Ok(rows.next().await?.map(|row| (row, rows))) })
    }

    /// The same rows from the start, each as the API's own JSON, nothing left out and nothing reordered.
    pub fn raw(self) -> Rows<'a, Box<RawValue>> {
        Rows::new(self.client, self.path, &self.query)
    }

    async fn read_page(&mut self) -> Result<(), Error> {
        let answer: Answer<List<T>> = self.client.get_with(&self.path, &self.query.pairs()).await?;
        let list = answer.value;
        // Without a `to` of its own the window ends at the provider's now, as the first page has it.
        self.query.to = self.query.to.or(list.to).or(answer.provider_date);
        let vanished = self.total.map_or(0, |before| before.saturating_sub(list.total));
        self.total = Some(list.total);
        if vanished > 0 {
            return self.step_back(vanished);
        }
        let rows = u64::try_from(list.data.len()).unwrap_or(u64::MAX);
        if rows == 0 && self.query.offset < list.total {
            return Err(incomplete(format!(
                "the page at row {} of {} is empty",
                self.query.offset, list.total
            )));
        }
        self.query.offset = self.query.offset.saturating_add(rows);
        self.page = list.data.into();
        Ok(())
    }

    /// Rows before our place vanished, so as many behind it moved past us: go back and drop what we had.
    fn step_back(&mut self, vanished: u64) -> Result<(), Error> {
        if usize::try_from(vanished).map_or(true, |rows| rows > IDS_REMEMBERED) {
            return Err(incomplete(format!("{vanished} rows vanished between two pages")));
        }
        self.query.offset = self.query.offset.saturating_sub(vanished);
        Ok(())
    }
}

fn incomplete(reason: String) -> Error {
    Error::Incomplete { reason }
}

/// The ids given last, a bounded number of them.
#[derive(Debug, Default)]
struct Recent {
    order: VecDeque<String>,
    known: HashSet<String>,
}

impl Recent {
    /// True for an id not among the last ones, which is remembered from now on. Rows without id are new.
    fn is_new(&mut self, id: &str) -> bool {
        if id.is_empty() {
            return true;
        }
        if !self.known.insert(id.to_owned()) {
            return false;
        }
        self.order.push_back(id.to_owned());
        // Room for a full step back and the page that is read after it.
        if self.order.len() > IDS_REMEMBERED + PAGE_MAX as usize
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}
