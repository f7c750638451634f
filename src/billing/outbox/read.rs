//! One page of the diary, and what it leads to.

use jiff::Timestamp;

use crate::hooks::kill_point;
use crate::model::settings::Notify;
use crate::model::{Channel, Event, MessageKind, Posting, Snapshot};
use crate::rules::messages::{Told, kinds_of, told_of};
use crate::store::{Filter, OutboxCursor, Store, StoreError};

/// Events read at a time: the book is nobody else's for some milliseconds meanwhile.
const PAGE_EVENTS: i64 = 64;
/// Events before and after the page that are read with it: one decision writes what belongs together in one go.
const NEIGHBOURS: i64 = 16;

/// What reading a page came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRead {
    /// Messages that are new.
    pub new: u64,
    /// Whether nothing is left to be read.
    pub at_end: bool,
}

/// Reads one page of the diary and writes what it leads to, in one transaction with how far it was read.
pub fn read_page(store: &mut dyn Store, wishes: &Notify, now: Timestamp) -> Result<PageRead, StoreError> {
    if wishes.is_off() {
        store.pass_over_diary()?;
        return Ok(PageRead { new: 0, at_end: true });
    }
    let from = store.outbox_cursor()?;
    let before = from.read_to.saturating_sub(NEIGHBOURS).max(0);
    let most = usize::try_from(from.read_to - before + PAGE_EVENTS + NEIGHBOURS).unwrap_or(0);
    let page = store.list_events(&Filter::default(), before, most)?;
    let last = page.last().map_or(from.read_to, |event| event.seq);
    let read_to = last.min(from.read_to + PAGE_EVENTS);
    let mut postings = Vec::new();
    for (place, event) in page.iter().enumerate() {
        if event.seq > from.read_to && event.seq <= read_to {
            postings.extend(postings_of(store, &page, place, wishes)?);
        }
    }
    let digest_to = if wishes.wants_any(MessageKind::Digest) { from.digest_to } else { read_to };
    let to = OutboxCursor { read_to, digest_to: digest_to.max(from.digest_to) };
    if to == from {
        return Ok(PageRead { new: 0, at_end: true });
    }
    kill_point("outbox.before_commit");
    let new = store.post(Some((from, to)), &postings, now)?;
    kill_point("outbox.after_commit");
    // Whoever read on meanwhile has written the same.
    Ok(PageRead { new: new.unwrap_or(0), at_end: new.is_some() && read_to == last })
}

fn postings_of(
    store: &mut dyn Store,
    page: &[Event],
    place: usize,
    wishes: &Notify,
) -> Result<Vec<Posting>, StoreError> {
    let event = &page[place];
    if !kinds_of(event.kind).iter().any(|kind| wishes.wants_any(*kind)) {
        return Ok(Vec::new());
    }
    let snapshot: Option<Snapshot> = match (&event.invoice, &event.subscription) {
        (Some(invoice), _) => store.snapshot_of_invoice(invoice)?,
        (None, Some(subscription)) => store.snapshot(subscription)?,
        (None, None) => None,
    };
    let Some(snapshot) = snapshot else { return Ok(Vec::new()) };
    let told = told_of(page, place, &snapshot, &wishes.remind);
    Ok(told.into_iter().flat_map(|told| each_way(&told, wishes).collect::<Vec<_>>()).collect())
}

/// That message for each channel that wants it.
pub(super) fn each_way<'a>(told: &'a Told, wishes: &'a Notify) -> impl Iterator<Item = Posting> + 'a {
    let posting = |channel: Channel| Posting {
        message: told.message.clone(),
        channel,
        not_before: told.not_before,
        keep_until: told.keep_until,
    };
    wishes.channels(told.message.kind).map(posting)
}
