//! The outbox: rows in, rows out.

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Row, params, params_from_iter};

use super::super::outbox::{OutboxCursor, Waiting};
use super::super::{Filter, StoreError};
use super::book::Book;
use super::codes::Coded as _;
use super::columns::{Reader, seconds, signed};
use super::fault::Outcome;
use super::unsigned;
use crate::model::{Channel, Message, MessageMark, MessageState, OutboxRow, Posting};

/// The columns that `message_of` reads.
const MESSAGE: &str =
    "row, key, channel, kind, state, made_at, not_before, tries, next_at, done_at, why, body";
/// Of a reason that is kept: what a receiver says may be long.
const LONGEST_WHY_CHARS: usize = 300;

impl Book {
    pub(super) fn outbox_cursor(&self) -> Outcome<OutboxCursor> {
        let mut find = self.sql("SELECT read_to, digest_to FROM outbox")?;
        Ok(find.query_row([], |row| Ok(OutboxCursor { read_to: row.get(0)?, digest_to: row.get(1)? }))?)
    }

    /// Whether the cursor stood where it was expected, and stands elsewhere now.
    pub(super) fn move_outbox(&self, from: OutboxCursor, to: OutboxCursor) -> Outcome<bool> {
        let mut step =
            self.sql("UPDATE outbox SET read_to = ?3, digest_to = ?4 WHERE read_to = ?1 AND digest_to = ?2")?;
        Ok(step.execute([from.read_to, from.digest_to, to.read_to, to.digest_to])? > 0)
    }

    pub(super) fn end_of_diary(&self) -> Outcome<i64> {
        Ok(self.sql("SELECT coalesce(max(seq), 0) FROM events")?.query_row([], |row| row.get(0))?)
    }

    /// Writes a message that waits; `false`: its key is there already.
    pub(super) fn insert_message(&self, posting: &Posting, now: Timestamp) -> Outcome<bool> {
        let message = &posting.message;
        let customer = message.customer.as_ref().map(|id| self.find_customer(id)).transpose()?.flatten();
        let body = serde_json::to_string(message).map_err(|why| self.unwritable(message, &why))?;
        let mut insert = self.sql(
            "INSERT INTO messages (key, channel, kind, state, customer, made_at, not_before, keep_until, tries, \
             next_at, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, ?9, ?10) \
             ON CONFLICT (key, channel) DO NOTHING",
        )?;
        let written = insert.execute(params![
            message.key.as_ref(),
            posting.channel.code(),
            message.kind.code(),
            MessageState::Waiting.code(),
            customer,
            seconds(now),
            posting.not_before.map(seconds),
            posting.keep_until.map(seconds),
            seconds(posting.not_before.unwrap_or(now)),
            body,
        ])?;
        Ok(written > 0)
    }

    fn unwritable(&self, message: &Message, why: &serde_json::Error) -> StoreError {
        let what = format!("message {}: its facts cannot be written as JSON ({why})", message.key);
        StoreError::Other { path: self.path.clone(), what }
    }

    /// One row of `MESSAGE`.
    fn message_of(row: &Row<'_>) -> Outcome<OutboxRow> {
        let r = Reader::new("messages", row)?;
        let body: Option<String> = r.get(11)?;
        let message = body.map(|text| serde_json::from_str(&text)).transpose();
        Ok(OutboxRow {
            row: r.key,
            key: r.get(1)?,
            channel: r.word(2)?,
            kind: r.word(3)?,
            state: r.word(4)?,
            made_at: r.instant(5)?,
            not_before: r.maybe_instant(6)?,
            tries: r.count(7)?,
            next_at: r.maybe_instant(8)?,
            done_at: r.maybe_instant(9)?,
            why: r.get(10)?,
            message: message.map_err(|why| r.nonsense(why, "a message's facts"))?,
        })
    }

    fn messages(&self, sql: &str, values: Vec<Value>) -> Outcome<Vec<OutboxRow>> {
        let mut find = self.sql(sql)?;
        let mut rows = find.query(params_from_iter(values))?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            all.push(Self::message_of(row)?);
        }
        Ok(all)
    }

    pub(super) fn any_message_due(&self, channel: Channel, now: Timestamp) -> Outcome<bool> {
        let mut find = self.sql(
            "SELECT 1 FROM messages INDEXED BY messages_waiting \
             WHERE state = 0 AND channel = ?1 AND next_at <= ?2 LIMIT 1",
        )?;
        Ok(find.exists([channel.code(), seconds(now)])?)
    }

    pub(super) fn take_messages(
        &self,
        channel: Channel,
        now: Timestamp,
        lost_at: Timestamp,
        limit: usize,
    ) -> Outcome<Vec<OutboxRow>> {
        let due = self.messages(
            &format!(
                "SELECT {MESSAGE} FROM messages INDEXED BY messages_waiting \
                 WHERE state = 0 AND channel = ?1 AND next_at <= ?2 ORDER BY next_at, row LIMIT ?3"
            ),
            vec![channel.code().into(), seconds(now).into(), signed(limit).into()],
        )?;
        let mut take = self.sql("UPDATE messages SET tries = tries + 1, next_at = ?2 WHERE row = ?1")?;
        for message in &due {
            take.execute([message.row, seconds(lost_at)])?;
        }
        Ok(due.into_iter().map(|message| OutboxRow { tries: message.tries + 1, ..message }).collect())
    }

    pub(super) fn mark_message(&self, row: i64, mark: &MessageMark, now: Timestamp) -> Outcome<()> {
        let (state, why) = match mark {
            MessageMark::Sent => (MessageState::Sent, None),
            MessageMark::GivenUp(why) => (MessageState::GivenUp, Some(short(why))),
            MessageMark::Moot(why) => (MessageState::Moot, Some(short(why))),
            MessageMark::Waits { until, why, tried } => {
                self.sql(
                    "UPDATE messages SET next_at = ?2, why = coalesce(?3, why), tries = tries - ?4 \
                     WHERE row = ?1 AND state = 0",
                )?
                .execute(params![
                    row,
                    seconds(*until),
                    why.as_deref().map(short),
                    i64::from(!tried)
                ])?;
                return Ok(());
            }
        };
        self.sql(
            "UPDATE messages SET state = ?2, next_at = NULL, done_at = ?3, why = ?4, \
             body = CASE WHEN ?5 THEN body END WHERE row = ?1 AND state = 0",
        )?
        .execute(params![row, state.code(), seconds(now), why, state == MessageState::GivenUp])?;
        Ok(())
    }

    pub(super) fn retry_message(&self, row: i64, now: Timestamp) -> Outcome<bool> {
        let mut retry = self.sql(
            "UPDATE messages SET state = 0, next_at = ?2, done_at = NULL \
             WHERE row = ?1 AND (state = 0 OR state = 2) AND body IS NOT NULL",
        )?;
        Ok(retry.execute([row, seconds(now)])? > 0)
    }

    pub(super) fn count_waiting(&self, now: Timestamp) -> Outcome<Waiting> {
        let mut count = self.sql(
            "SELECT count(*), coalesce(sum(next_at <= ?1), 0) FROM messages INDEXED BY messages_waiting \
             WHERE state = 0",
        )?;
        let both = |row: &Row<'_>| Ok(Waiting { all: unsigned(row.get(0)?), due: unsigned(row.get(1)?) });
        Ok(count.query_row([seconds(now)], both)?)
    }

    pub(super) fn list_messages(&self, f: &Filter, after: i64, limit: usize) -> Outcome<Vec<OutboxRow>> {
        let mut values = vec![Value::Integer(after), Value::Integer(signed(limit))];
        let mut wheres = vec!["row > ?1".to_owned()];
        if let Some(word) = &f.status {
            let wrong = || StoreError::Other {
                path: self.path.clone(),
                what: format!("found {word:?}, which no message can say of its state"),
            };
            values.push(MessageState::from_word(word).ok_or_else(wrong)?.code().into());
            wheres.push(format!("state = ?{}", values.len()));
        }
        if let Some(id) = &f.customer {
            let Some(row) = self.find_customer(id)? else { return Ok(Vec::new()) };
            values.push(row.into());
            wheres.push(format!("customer = ?{}", values.len()));
        }
        self.messages(&format!("SELECT {MESSAGE} FROM messages WHERE {} ORDER BY row LIMIT ?2", wheres.join(" AND ")), values)
    }

    /// A customer is erased: what waits for them need not be told, and of what was told only its key is left.
    pub(super) fn blank_messages(&self, customer_row: i64, at: Timestamp) -> Outcome<()> {
        self.sql(
            "UPDATE messages SET state = ?2, next_at = NULL, done_at = ?3 WHERE customer = ?1 AND state = 0",
        )?
        .execute([customer_row, MessageState::Moot.code(), seconds(at)])?;
        self.sql("UPDATE messages SET body = NULL, why = NULL WHERE customer = ?1")?
            .execute([customer_row])?;
        Ok(())
    }

    pub(super) fn prune_messages(
        &self,
        done_before: Timestamp,
        now: Timestamp,
        limit: usize,
    ) -> Outcome<usize> {
        let mut prune = self.sql(
            "DELETE FROM messages WHERE row IN (SELECT row FROM messages INDEXED BY messages_done \
             WHERE state <> 0 AND done_at < ?1 AND (keep_until IS NULL OR keep_until < ?2) LIMIT ?3)",
        )?;
        Ok(prune.execute([seconds(done_before), seconds(now), signed(limit)])?)
    }
}

fn short(why: &str) -> String {
    why.chars().take(LONGEST_WHY_CHARS).collect()
}
