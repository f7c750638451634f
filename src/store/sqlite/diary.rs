//! Events, flags and skipped periods: what is noted beside the money.

use std::sync::LazyLock;

use jiff::Timestamp;
use rusqlite::{Row, params};

use super::super::SkippedPeriods;
use super::book::Book;
use super::codes::Coded as _;
use super::columns::{Reader, seconds};
use super::fault::Outcome;
use super::hot::Hot;
use crate::model::{Event, Flag, FlagReason, InvoiceId, NewEvent, SkipReason, SubscriptionId};

/// The columns that `event_of` reads, by `EVENT_FROM`.
pub(super) const EVENT: &str = "e.seq, e.at, e.kind, s.id, e.idx, c.id, d.data";
pub(super) const EVENT_FROM: &str = "events e LEFT JOIN subscriptions s ON s.row = e.subscription \
    LEFT JOIN customers c ON c.row = s.customer LEFT JOIN event_data d ON d.seq = e.seq";
/// The columns that `flag_of` reads, by `FLAG_FROM`.
pub(super) const FLAG: &str = "f.row, c.id, s.id, f.reason, f.since, f.until, f.detail";
pub(super) const FLAG_FROM: &str = "flags f JOIN subscriptions s ON s.row = f.subscription \
    JOIN customers c ON c.row = s.customer";

const INSERT: &str = "INSERT INTO events (at, kind, subscription, idx) VALUES (?1, ?2, ?3, ?4)";
const INSERT_DATA: &str = "INSERT INTO event_data (seq, data) VALUES (?1, ?2)";

impl Book {
    pub(super) fn append_event(&self, hot: &Hot<'_>, event: &NewEvent) -> Outcome<()> {
        let id = event.invoice.as_ref().map(|invoice| &invoice.subscription).or(event.subscription.as_ref());
        let row = id.map(|id| self.known_subscription(id).map(|known| known.row)).transpose()?;
        let index = event.invoice.as_ref().map(|invoice| invoice.index);
        let seq = hot.insert(INSERT, params![seconds(event.at), event.kind.code(), row, index])?;
        if let Some(data) = &event.data {
            hot.insert(INSERT_DATA, params![seq, data.as_ref()])?;
        }
        Ok(())
    }

    /// One row of `EVENT`.
    pub(super) fn event_of(row: &Row<'_>) -> Outcome<Event> {
        let r = Reader::new("events", row)?;
        let subscription = subscription_id(&r, 3)?;
        let index = r.get::<Option<u32>>(4)?;
        let customer = if subscription.is_some() { Some(r.customer_id(5)?) } else { None };
        Ok(Event {
            seq: r.key,
            at: r.instant(1)?,
            kind: r.word(2)?,
            invoice: subscription.clone().zip(index).map(|(id, index)| InvoiceId::new(id, index)),
            subscription,
            customer,
            data: r.get(6)?,
        })
    }

    pub(super) fn raise_flag(&self, flag: &Flag) -> Outcome<()> {
        let row = self.known_subscription(&flag.subscription)?.row;
        let mut insert = self.sql(
            "INSERT INTO flags (subscription, reason, since, until, detail) VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT (subscription, reason) WHERE until IS NULL DO NOTHING",
        )?;
        insert.execute(params![
            row,
            flag.reason.word(),
            seconds(flag.since),
            flag.until.map(seconds),
            flag.detail.as_ref(),
        ])?;
        Ok(())
    }

    pub(super) fn clear_flags(
        &self,
        subscription: &SubscriptionId,
        reason: Option<FlagReason>,
        at: Timestamp,
    ) -> Outcome<()> {
        let row = self.known_subscription(subscription)?.row;
        let mut clear = self.sql(
            "UPDATE flags INDEXED BY flags_standing SET until = ?3 \
             WHERE subscription = ?1 AND until IS NULL AND (?2 IS NULL OR reason = ?2)",
        )?;
        clear.execute(params![row, reason.map(FlagReason::word), seconds(at)])?;
        Ok(())
    }

    /// One row of `FLAG`.
    pub(super) fn flag_of(row: &Row<'_>) -> Outcome<(i64, Flag)> {
        let r = Reader::new("flags", row)?;
        let word: String = r.get(3)?;
        let flag = Flag {
            customer: r.customer_id(1)?,
            subscription: subscription_id(&r, 2)?.ok_or_else(|| r.nonsense("nothing", "a subscription"))?,
            reason: FlagReason::from_word(&word).ok_or_else(|| r.nonsense(&word, "a flag's reason"))?,
            since: r.instant(4)?,
            until: r.maybe_instant(5)?,
            detail: r.get(6)?,
        };
        Ok((r.key, flag))
    }

    /// The standing flags of that subscription's row, oldest first.
    pub(super) fn standing_flags(&self, subscription_row: i64) -> Outcome<Vec<Flag>> {
        static STANDING: LazyLock<String> = LazyLock::new(|| {
            let from = FLAG_FROM.replacen("flags f", "flags f INDEXED BY flags_standing", 1);
            format!("SELECT {FLAG} FROM {from} WHERE f.subscription = ?1 AND f.until IS NULL ORDER BY f.row")
        });
        let mut find = self.sql(&STANDING)?;
        let mut rows = find.query([subscription_row])?;
        let mut flags = Vec::new();
        while let Some(row) = rows.next()? {
            flags.push(Self::flag_of(row)?.1);
        }
        Ok(flags)
    }

    pub(super) fn skip_periods(
        &self,
        subscription_row: i64,
        from: u32,
        to: u32,
        reason: SkipReason,
        at: Timestamp,
    ) -> Outcome<()> {
        let mut insert = self.sql(
            "INSERT INTO skips (subscription, from_idx, to_idx, reason, at) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        insert.insert(params![subscription_row, from, to, reason.word(), seconds(at)])?;
        Ok(())
    }

    pub(super) fn skipped_periods(&self, id: &SubscriptionId) -> Outcome<Vec<SkippedPeriods>> {
        let Some(known) = self.find_subscription(id)? else { return Ok(Vec::new()) };
        let mut find = self.sql(
            "SELECT row, from_idx, to_idx, reason, at FROM skips WHERE subscription = ?1 ORDER BY from_idx",
        )?;
        let mut rows = find.query([known.row])?;
        let mut periods = Vec::new();
        while let Some(row) = rows.next()? {
            let r = Reader::new("skips", row)?;
            let word: String = r.get(3)?;
            periods.push(SkippedPeriods {
                from: r.count(1)?,
                to: r.count(2)?,
                reason: SkipReason::from_word(&word).ok_or_else(|| r.nonsense(&word, "a skip's reason"))?,
                at: r.instant(4)?,
            });
        }
        Ok(periods)
    }
}

fn subscription_id(r: &Reader<'_, '_>, column: usize) -> Outcome<Option<SubscriptionId>> {
    let parse = |text: String| SubscriptionId::parse(&text).map_err(|e| r.nonsense(e, "a subscription id"));
    r.get::<Option<String>>(column)?.map(parse).transpose()
}
