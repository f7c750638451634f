//! What the outbox looks for in the book besides its diary, and the whole of it as the trait has it.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use rusqlite::params;

use super::super::outbox::{Outbox, OutboxCursor, SubscriptionPage, Waiting};
use super::super::{DueCursor, Filter, StoreError};
use super::SqliteStore;
use super::book::Book;
use super::codes::Coded as _;
use super::columns::{Reader, seconds, signed};
use super::fault::Outcome;
use super::unsigned;
use crate::model::{Channel, Digest, EventKind, MessageMark, Money, OutboxRow, Posting, SubscriptionId};

/// How many, and their sums by currency.
type Sums = (u64, Vec<Money>);

/// The months whose last instant on the latest clock on earth lies after `from` and not after `until`, as a card's
/// `expires` counts them.
fn months_ending(from: Timestamp, until: Timestamp) -> (i64, i64) {
    // A card of month m ends when month m + 1 begins in UTC−12: the last month that has ended by then is the one
    // before the month of that instant.
    let ended_by = |at: Timestamp| {
        let day = at.to_zoned(TimeZone::fixed(Offset::constant(-12))).date();
        i64::from(day.year()) * 12 + i64::from(day.month()) - 2
    };
    (ended_by(from) + 1, ended_by(until))
}

impl Book {
    fn trials_ending(
        &self,
        from: Timestamp,
        until: Timestamp,
        after: Option<DueCursor>,
        limit: usize,
    ) -> Outcome<Vec<(DueCursor, SubscriptionId)>> {
        let mut find = self.sql(
            "SELECT row, wake_at, id FROM subscriptions INDEXED BY subscriptions_trialing \
             WHERE status = 0 AND wake_at > ?1 AND wake_at <= ?2 AND (wake_at, row) > (?3, ?4) \
             ORDER BY wake_at, row LIMIT ?5",
        )?;
        let (wake_at, row) = after.map_or((i64::MIN, 0), |after| (after.wake_at, after.row));
        let mut rows = find.query(params![seconds(from), seconds(until), wake_at, row, signed(limit)])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let r = Reader::new("subscriptions", row)?;
            found.push((DueCursor { wake_at: r.integer(1)?, row: r.key }, subscription_id(&r, 2)?));
        }
        Ok(found)
    }

    fn cards_ending(
        &self,
        from: Timestamp,
        until: Timestamp,
        after: i64,
        window: usize,
    ) -> Outcome<SubscriptionPage> {
        let (first, last) = months_ending(from, until);
        let mut find = self.sql(
            "SELECT s.row, s.id, k.expires BETWEEN ?3 AND ?4 FROM \
             (SELECT row, id, customer, card, status FROM subscriptions WHERE row > ?1 ORDER BY row LIMIT ?2) s \
             JOIN customers c ON c.row = s.customer \
             LEFT JOIN cards k ON s.status BETWEEN 0 AND 2 AND k.place IS NOT NULL \
             AND k.row = (s.customer << 16) | coalesce(s.card, c.default_card)",
        )?;
        let mut rows = find.query([after, signed(window), first, last])?;
        let (mut found, mut seen, mut next) = (Vec::new(), 0, after);
        while let Some(row) = rows.next()? {
            let r = Reader::new("subscriptions", row)?;
            (seen, next) = (seen + 1, next.max(r.key));
            if r.get::<Option<bool>>(2)?.unwrap_or(false) {
                found.push(subscription_id(&r, 1)?);
            }
        }
        Ok((found, (seen == window).then_some(next)))
    }

    /// Invoices that the query names by their row, counted and summed.
    fn sums(&self, rows: &str, values: &[i64]) -> Outcome<Sums> {
        let mut find = self.sql(&format!(
            "SELECT v.currency, count(*), sum(v.amount) FROM invoices v WHERE v.row IN ({rows}) GROUP BY v.currency"
        ))?;
        let mut all = find.query(rusqlite::params_from_iter(values))?;
        let (mut count, mut sums) = (0, Vec::new());
        while let Some(row) = all.next()? {
            let r = Reader::new("invoices", row)?;
            count += unsigned(r.integer(1)?);
            sums.push(r.money(2, 0)?);
        }
        Ok((count, sums))
    }

    fn number(&self, sql: &str, values: &[i64]) -> Outcome<i64> {
        Ok(self.sql(sql)?.query_row(rusqlite::params_from_iter(values), |row| row.get(0))?)
    }

    /// As `Outbox::digest` says. Only the events after `after` are looked through.
    fn digest(&self, day: Date, from: Timestamp, until: Timestamp, after: i64) -> Outcome<(Digest, i64)> {
        let (from, until) = (seconds(from), seconds(until));
        let of_day = "e.seq > ?1 AND e.at >= ?2 AND e.at < ?3";
        let paid_rows = format!(
            "SELECT i.row FROM events e JOIN invoices i ON i.subscription = e.subscription AND i.idx = e.idx \
             WHERE {of_day} AND e.kind = ?4"
        );
        let paid = [after, from, until, EventKind::InvoicePaid.code()];
        let declined_before = "EXISTS (SELECT 1 FROM attempts a \
             WHERE a.row BETWEEN i.row << 16 AND (i.row << 16) | 65535 AND a.status = 2)";
        let collected = self.sums(&paid_rows, &paid)?;
        let recovered = self.sums(&format!("{paid_rows} AND {declined_before}"), &paid)?;
        let at_risk = self.sums(
            &format!(
                "SELECT i.row FROM invoices i INDEXED BY invoices_open WHERE i.status = 0 AND (i.hold IS NOT NULL \
                 OR EXISTS (SELECT 1 FROM flags f WHERE f.subscription = i.subscription AND f.until IS NULL) \
                 OR {declined_before})"
            ),
            &[],
        )?;
        let of_kind = |what: &str, kind: EventKind| {
            self.number(
                &format!("SELECT count({what}) FROM events e WHERE {of_day} AND e.kind = ?4"),
                &[after, from, until, kind.code()],
            )
        };
        let unfinished = |status: i64| {
            self.number(
                "SELECT count(*) FROM attempts INDEXED BY attempts_one_unfinished \
                 WHERE status NOT BETWEEN 1 AND 5 AND status = ?1",
                &[status],
            )
        };
        let digest = Digest {
            day,
            paid: collected.0,
            collected: collected.1,
            declined: unsigned(of_kind("*", EventKind::AttemptDeclined)?),
            recovered: recovered.0,
            recovered_sums: recovered.1,
            flagged: unsigned(of_kind("DISTINCT e.subscription", EventKind::FlagRaised)?),
            in_doubt: unsigned(unfinished(crate::model::AttemptStatus::InDoubt.code())?),
            manual: unsigned(unfinished(crate::model::AttemptStatus::Manual.code())?),
            at_risk: at_risk.0,
            at_risk_sums: at_risk.1,
        };
        let later = self.number(
            "SELECT coalesce((SELECT min(seq) - 1 FROM events WHERE seq > ?1 AND at >= ?2), \
             (SELECT max(seq) FROM events), 0)",
            &[after, until],
        )?;
        Ok((digest, later.max(after)))
    }
}

fn subscription_id(r: &Reader<'_, '_>, column: usize) -> Outcome<SubscriptionId> {
    let text: String = r.get(column)?;
    SubscriptionId::parse(&text).map_err(|e| r.nonsense(e, "a subscription id"))
}

impl Outbox for SqliteStore {
    fn outbox_cursor(&mut self) -> Result<OutboxCursor, StoreError> {
        self.read(Book::outbox_cursor)
    }

    fn post(
        &mut self,
        step: Option<(OutboxCursor, OutboxCursor)>,
        postings: &[Posting],
        now: Timestamp,
    ) -> Result<Option<u64>, StoreError> {
        self.write(|book| {
            if let Some((from, to)) = step
                && !book.move_outbox(from, to)?
            {
                return Ok(None);
            }
            let mut new = 0;
            for posting in postings {
                new += u64::from(book.insert_message(posting, now)?);
            }
            Ok(Some(new))
        })
    }

    fn pass_over_diary(&mut self) -> Result<(), StoreError> {
        let (cursor, end) = self.read(|book| Ok((book.outbox_cursor()?, book.end_of_diary()?)))?;
        let to = OutboxCursor { read_to: end, digest_to: end };
        if cursor == to {
            return Ok(());
        }
        self.write(|book| book.move_outbox(cursor, to)).map(|_| ())
    }

    fn take_messages(
        &mut self,
        channel: Channel,
        now: Timestamp,
        lost_at: Timestamp,
        limit: usize,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        // Most looks find nothing, and then nothing is written.
        if !self.read(|book| book.any_message_due(channel, now))? {
            return Ok(Vec::new());
        }
        self.write(|book| book.take_messages(channel, now, lost_at, limit))
    }

    fn mark_message(&mut self, row: i64, mark: &MessageMark, now: Timestamp) -> Result<(), StoreError> {
        self.write(|book| book.mark_message(row, mark, now))
    }

    fn retry_message(&mut self, row: i64, now: Timestamp) -> Result<bool, StoreError> {
        self.write(|book| book.retry_message(row, now))
    }

    fn count_waiting(&mut self, now: Timestamp) -> Result<Waiting, StoreError> {
        self.read(|book| book.count_waiting(now))
    }

    fn list_messages(&mut self, f: &Filter, after: i64, limit: usize) -> Result<Vec<OutboxRow>, StoreError> {
        self.read(|book| book.list_messages(f, after, limit))
    }

    fn prune_messages(
        &mut self,
        done_before: Timestamp,
        now: Timestamp,
        limit: usize,
    ) -> Result<u64, StoreError> {
        self.write(|book| book.prune_messages(done_before, now, limit)).map(|count| count as u64)
    }

    fn trials_ending(
        &mut self,
        from: Timestamp,
        until: Timestamp,
        after: Option<DueCursor>,
        limit: usize,
    ) -> Result<Vec<(DueCursor, SubscriptionId)>, StoreError> {
        self.read(|book| book.trials_ending(from, until, after, limit))
    }

    fn cards_ending(
        &mut self,
        from: Timestamp,
        until: Timestamp,
        after: i64,
        rows: usize,
    ) -> Result<SubscriptionPage, StoreError> {
        self.read(|book| book.cards_ending(from, until, after, rows))
    }

    fn digest(
        &mut self,
        day: Date,
        from: Timestamp,
        until: Timestamp,
        after: i64,
    ) -> Result<(Digest, i64), StoreError> {
        self.read(|book| book.digest(day, from, until, after))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Expiration;

    #[test]
    fn months_end_where_cards_do() {
        for (from, until) in [
            ("2026-11-22T00:00:00Z", "2027-01-06T00:00:00Z"),
            ("2027-01-01T11:59:59Z", "2027-01-01T12:00:00Z"),
            ("2027-01-01T12:00:00Z", "2027-01-31T12:00:00Z"),
        ] {
            let (from, until): (Timestamp, Timestamp) = (from.parse().unwrap(), until.parse().unwrap());
            let (first, last) = months_ending(from, until);
            for month in (2_025 * 12)..(2_029 * 12) {
                let card = Expiration::new(month % 12 + 1, month / 12).unwrap();
                let ends = card.ends_at() > from && card.ends_at() <= until;
                assert_eq!((first..=last).contains(&month), ends, "{card} from {from} until {until}");
            }
        }
    }
}
