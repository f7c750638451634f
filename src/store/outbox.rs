//! The book's side of the outbox: what the diary led to, what waits, and what became of it.
//!
//! Promises: the diary is read onwards, and what it led to is written with how far it was read, in one transaction;
//! a key is written once for a channel; a message that is being tried is nobody else's until it is taken for lost.
//! Must never know: which message follows from an event, or how one is delivered.

use jiff::Timestamp;
use jiff::civil::Date;

use super::rows::DueCursor;
use super::{Filter, StoreError};
use crate::model::{Channel, Digest, MessageMark, OutboxRow, Posting, SubscriptionId};

/// How far the diary was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutboxCursor {
    /// For messages: the last event that was looked at.
    pub read_to: i64,
    /// For digests: the last event that no later digest counts.
    pub digest_to: i64,
}

/// How many messages wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// All that wait.
    pub all: u64,
    /// Of these, those that are due now.
    pub due: u64,
}

/// A page of subscriptions, and where the next one begins; `None`: that was all.
pub type SubscriptionPage = (Vec<SubscriptionId>, Option<i64>);

/// The book's side of the outbox. Every method is one transaction.
pub trait Outbox {
    /// How far the diary was read.
    fn outbox_cursor(&mut self) -> Result<OutboxCursor, StoreError>;

    /// Writes messages and, with `step`, moves the cursor from the first to the second value. `Ok(None)`: the cursor
    /// stood elsewhere, so somebody else read on; nothing was written. Else how many were new: a key that the
    /// channel has already stays as it is.
    fn post(
        &mut self,
        step: Option<(OutboxCursor, OutboxCursor)>,
        postings: &[Posting],
        now: Timestamp,
    ) -> Result<Option<u64>, StoreError>;

    /// For when nobody is told anything: the diary counts as read to its end. Writes nothing if it does already.
    fn pass_over_diary(&mut self) -> Result<(), StoreError>;

    /// Takes up to `limit` messages of that channel that are due, the longest due first, and counts a try of each.
    /// Whoever takes one and never marks it has lost it at `lost_at`: then it is due again.
    fn take_messages(
        &mut self,
        channel: Channel,
        now: Timestamp,
        lost_at: Timestamp,
        limit: usize,
    ) -> Result<Vec<OutboxRow>, StoreError>;

    /// Writes what a try came to. One that does not wait any more stays as it is.
    fn mark_message(&mut self, row: i64, mark: &MessageMark, now: Timestamp) -> Result<(), StoreError>;

    /// Makes a message due now that waits or was given up; `false`: there is none, or it says nothing any more.
    fn retry_message(&mut self, row: i64, now: Timestamp) -> Result<bool, StoreError>;

    /// How many wait, and how many of them are due.
    fn count_waiting(&mut self, now: Timestamp) -> Result<Waiting, StoreError>;

    /// Messages by order of making; `Filter::status` is a state's word, `Filter::customer` whom it concerns.
    fn list_messages(&mut self, f: &Filter, after: i64, limit: usize) -> Result<Vec<OutboxRow>, StoreError>;

    /// Forgets messages that were done before that instant and whose key nobody could decide on again at `now`, at
    /// most `limit`; how many.
    fn prune_messages(
        &mut self,
        done_before: Timestamp,
        now: Timestamp,
        limit: usize,
    ) -> Result<u64, StoreError>;

    /// Subscriptions whose trial ends after `from` and not after `until`, by its end, after the cursor.
    fn trials_ending(
        &mut self,
        from: Timestamp,
        until: Timestamp,
        after: Option<DueCursor>,
        limit: usize,
    ) -> Result<Vec<(DueCursor, SubscriptionId)>, StoreError>;

    /// Subscriptions that are collected and whose card, as it was last read, ends after `from` and not after `until`;
    /// looks at `rows` subscriptions after that row of the book.
    fn cards_ending(
        &mut self,
        from: Timestamp,
        until: Timestamp,
        after: i64,
        rows: usize,
    ) -> Result<SubscriptionPage, StoreError>;

    /// What the events after `after` (a `seq`) say of the day from `from` up to, not including, `until`, and what
    /// stands open now; with it the last event that no digest of a later day counts.
    fn digest(
        &mut self,
        day: Date,
        from: Timestamp,
        until: Timestamp,
        after: i64,
    ) -> Result<(Digest, i64), StoreError>;
}
