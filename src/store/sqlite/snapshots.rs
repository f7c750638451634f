//! What a decision reads: one subscription with all that matters, by a handful of point look-ups.

use std::sync::{Arc, LazyLock};

use jiff::Timestamp;
use rusqlite::CachedStatement;

use super::super::{DueCursor, DueNow, DuePage};
use super::book::Book;
use super::cache::KnownSubscription;
use super::codes::Coded;
use super::columns::{Reader, seconds, signed};
use super::customers::{CARD, CUSTOMER_BESIDE, CUSTOMER_BESIDE_WIDTH, card_at, customer_with};
use super::fault::Outcome;
use super::invoices::{INVOICE, INVOICE_FROM};
use super::subscriptions::{SUBSCRIPTION, SUBSCRIPTION_FROM, SUBSCRIPTION_WIDTH};
use crate::model::{
    Attempt, AttemptId, CustomerId, Hold, Invoice, InvoiceId, OpenInvoice, Snapshot, SubscriptionId,
};

/// A subscription, its customer, whether there is more of it, and its customer's cards.
static WHOLE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {SUBSCRIPTION}, {CUSTOMER_BESIDE}, \
         EXISTS (SELECT 1 FROM invoices v INDEXED BY invoices_open WHERE v.subscription = s.row AND v.status = 0), \
         EXISTS (SELECT 1 FROM flags f INDEXED BY flags_standing WHERE f.subscription = s.row AND f.until IS NULL), \
         EXISTS (SELECT 1 FROM declines e WHERE e.customer = s.customer) OR EXISTS (SELECT 1 FROM cards y \
         JOIN declines e ON e.fingerprint = y.fingerprint \
         WHERE y.row BETWEEN s.customer << 16 AND (s.customer << 16) | 65535 AND y.place IS NOT NULL), \
         x.place, x.slot, {CARD} FROM {SUBSCRIPTION_FROM} \
         LEFT JOIN cards d ON d.row = (s.customer << 16) | c.default_card \
         LEFT JOIN cards x ON x.row BETWEEN s.customer << 16 AND (s.customer << 16) | 65535 \
         AND x.place IS NOT NULL WHERE s.row = ?1"
    )
});
/// The columns of [`WHOLE`] that say whether there are open invoices, standing flags, declines.
const EXISTS_AT: usize = SUBSCRIPTION_WIDTH + CUSTOMER_BESIDE_WIDTH;
/// The columns of [`WHOLE`] about one card: place, slot, and those of `CARD`.
const CARDS_AT: usize = EXISTS_AT + 3;

impl Book {
    pub(super) fn snapshot(&self, id: &SubscriptionId) -> Outcome<Option<Snapshot>> {
        let Some(known) = self.find_subscription(id)? else { return Ok(None) };
        self.snapshot_at(known.row).map(Some)
    }

    pub(super) fn snapshot_of_invoice(&self, id: &InvoiceId) -> Outcome<Option<Snapshot>> {
        let Some(invoice) = self.invoice(id)? else { return Ok(None) };
        let Some(mut snapshot) = self.snapshot(&id.subscription)? else { return Ok(None) };
        if !snapshot.invoices.iter().any(|open| open.invoice.id == *id) {
            snapshot.invoices.push(self.with_attempts(invoice)?);
            snapshot.invoices.sort_by_key(|open| open.invoice.id.index);
        }
        Ok(Some(snapshot))
    }

    pub(super) fn snapshot_at(&self, row: i64) -> Outcome<Snapshot> {
        self.snapshot_by(&mut self.sql(&WHOLE)?, row)
    }

    /// A subscription, its customer and their cards by one statement, one row for each card; what most do not have is
    /// asked for only where that statement says that there is some.
    fn snapshot_by(&self, whole: &mut CachedStatement<'_>, row: i64) -> Outcome<Snapshot> {
        let mut rows = whole.query([row])?;
        let first = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        let subscription = self.subscription_of(first)?;
        let r = Reader::new("subscriptions", first)?;
        let customer_row = r.integer(SUBSCRIPTION_WIDTH - 1)?;
        let has = |nth: usize| r.get::<bool>(EXISTS_AT + nth);
        let (has_open, has_flags, has_declines) = (has(0)?, has(1)?, has(2)?);
        let id = subscription.customer.clone();
        let mut customer = customer_with(&r, id, SUBSCRIPTION_WIDTH, Vec::new())?;
        let mut cards = Vec::new();
        let mut next = Some(first);
        while let Some(row) = next {
            let r = Reader::new("subscriptions", row)?;
            if let Some(place) = r.get::<Option<i64>>(CARDS_AT)? {
                cards.push((place, card_at(&r, CARDS_AT + 2)?));
                let (_, card) = &cards[cards.len() - 1];
                let slot = r.integer(CARDS_AT + 1)?;
                self.cache.borrow_mut().keep_slot(customer_row, card.id.clone(), slot);
            }
            next = rows.next()?;
        }
        cards.sort_by_key(|(place, _)| *place);
        customer.cards = cards.into_iter().map(|(_, card)| card).collect();
        let read = Some(Arc::new(subscription.clone()));
        let known = KnownSubscription { row, customer_row, customer: customer.id.clone(), read };
        self.cache.borrow_mut().keep_subscription(subscription.id.clone(), known);
        Ok(Snapshot {
            plan: self.plan_at(subscription.plan.0)?,
            customer,
            invoices: if has_open { self.open_invoices(row)? } else { Vec::new() },
            flags: if has_flags { self.standing_flags(row)? } else { Vec::new() },
            declines: if has_declines { self.declines_of(customer_row)? } else { Vec::new() },
            subscription,
        })
    }

    fn open_invoices(&self, subscription_row: i64) -> Outcome<Vec<OpenInvoice>> {
        static OPEN: LazyLock<String> = LazyLock::new(|| {
            let from = INVOICE_FROM.replacen("invoices v", "invoices v INDEXED BY invoices_open", 1);
            format!(
                "SELECT {INVOICE} FROM {from} WHERE v.subscription = ?1 AND v.status = 0 ORDER BY v.idx LIMIT ?2"
            )
        });
        let mut find = self.sql(&OPEN)?;
        let mut rows = find.query([subscription_row, signed(Snapshot::MOST_OPEN_INVOICES)])?;
        let mut open = Vec::new();
        while let Some(row) = rows.next()? {
            open.push(self.with_attempts(Self::invoice_of(row)?)?);
        }
        if open.len() == Snapshot::MOST_OPEN_INVOICES {
            return self.movable_invoices(subscription_row);
        }
        Ok(open)
    }

    /// The same where more are open than one snapshot loads: those that wait for a person's word give way, so that a
    /// newer one that is being collected is not lost from sight behind them.
    fn movable_invoices(&self, subscription_row: i64) -> Outcome<Vec<OpenInvoice>> {
        let mut find = self.sql(&format!(
            "SELECT {INVOICE} FROM {INVOICE_FROM} WHERE v.subscription = ?1 AND v.status = 0 \
             ORDER BY (v.hold IS ?3), v.idx LIMIT ?2"
        ))?;
        let held = Hold::CatchUp.code();
        let mut rows = find.query([subscription_row, signed(Snapshot::MOST_OPEN_INVOICES), held])?;
        let mut open = Vec::new();
        while let Some(row) = rows.next()? {
            open.push(self.with_attempts(Self::invoice_of(row)?)?);
        }
        open.sort_by_key(|open| open.invoice.id.index);
        Ok(open)
    }

    fn with_attempts(&self, invoice: Invoice) -> Outcome<OpenInvoice> {
        let attempts = match self.find_invoice(&invoice.id)? {
            Some(known) => self.attempts_of(known.row)?,
            None => Vec::new(),
        };
        Ok(OpenInvoice { plan: self.plan_at(invoice.plan.0)?, attempts, invoice })
    }

    /// As `Store::due`: two queries, so that thousands that wake at one instant cost no more than a page each.
    pub(super) fn due(&self, at: Timestamp, after: Option<DueCursor>, limit: usize) -> Outcome<DuePage> {
        let mut page = Vec::with_capacity(limit.min(1_024));
        if let Some(after) = after {
            let same = "SELECT wake_at, row FROM subscriptions INDEXED BY subscriptions_wake \
                WHERE wake_at = ?1 AND row > ?2 AND wake_at <= ?3 ORDER BY row LIMIT ?4";
            self.cursors(same, [after.wake_at, after.row, seconds(at), signed(limit)], &mut page)?;
        }
        let rest = limit.saturating_sub(page.len());
        if rest > 0 {
            let floor = after.map_or(i64::MIN, |after| after.wake_at);
            let later = "SELECT wake_at, row FROM subscriptions INDEXED BY subscriptions_wake \
                WHERE wake_at > ?1 AND wake_at <= ?3 AND ?2 = 0 ORDER BY wake_at, row LIMIT ?4";
            self.cursors(later, [floor, 0, seconds(at), signed(rest)], &mut page)?;
        }
        let mut whole = self.sql(&WHOLE)?;
        let rows = Vec::with_capacity(page.len());
        let mut due = DuePage { rows, unreadable: Vec::new(), last: page.last().copied() };
        for cursor in page {
            match self.snapshot_by(&mut whole, cursor.row) {
                Ok(snapshot) => due.rows.push((cursor, snapshot)),
                Err(fault) => due.unreadable.push(self.unreadable(cursor.row, fault)?),
            }
        }
        Ok(due)
    }

    fn cursors(&self, sql: &str, with: [i64; 4], page: &mut Vec<DueCursor>) -> Outcome<()> {
        let mut find = self.sql(sql)?;
        let mut rows = find.query(with)?;
        while let Some(row) = rows.next()? {
            page.push(DueCursor { wake_at: row.get(0)?, row: row.get(1)? });
        }
        Ok(())
    }

    pub(super) fn count_due(&self, at: Timestamp) -> Outcome<i64> {
        let mut count =
            self.sql("SELECT count(*) FROM subscriptions INDEXED BY subscriptions_wake WHERE wake_at <= ?1")?;
        Ok(count.query_row([seconds(at)], |row| row.get(0))?)
    }

    /// As `Store::due_now`. Flags are few, so those that explain something due are counted from their side.
    pub(super) fn due_now(&self, at: Timestamp) -> Outcome<DueNow> {
        let mut find = self.sql(
            "SELECT (SELECT count(*) FROM subscriptions INDEXED BY subscriptions_wake WHERE wake_at <= ?1) \
             - (SELECT count(DISTINCT f.subscription) FROM flags f INDEXED BY flags_standing \
             CROSS JOIN subscriptions s ON s.row = f.subscription WHERE f.until IS NULL AND s.wake_at <= ?1), \
             (SELECT s.wake_at FROM subscriptions s INDEXED BY subscriptions_wake WHERE s.wake_at <= ?1 \
             AND NOT EXISTS (SELECT 1 FROM flags f INDEXED BY flags_standing \
             WHERE f.subscription = s.row AND f.until IS NULL) ORDER BY s.wake_at LIMIT 1)",
        )?;
        let found: (i64, Option<i64>) =
            find.query_row([seconds(at)], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let since = found.1.and_then(|at| Timestamp::from_second(at).ok());
        Ok(DueNow { count: u64::try_from(found.0).unwrap_or(0), since })
    }

    pub(super) fn next_wake(&self, after: Timestamp) -> Outcome<Option<Timestamp>> {
        let mut find = self
            .sql("SELECT min(wake_at) FROM subscriptions INDEXED BY subscriptions_wake WHERE wake_at > ?1")?;
        let found: Option<i64> = find.query_row([seconds(after)], |row| row.get(0))?;
        Ok(found.and_then(|at| Timestamp::from_second(at).ok()))
    }

    /// A page of unfinished attempts by age. The cursor's own age outlives its end, so a page may begin after an
    /// attempt that is final by now.
    pub(super) fn unfinished(&self, after: Option<&AttemptId>, limit: usize) -> Outcome<Vec<Attempt>> {
        let mut from = (i64::MIN, i64::MIN);
        if let Some(id) = after
            && let Some(row) = self.find_attempt(id)?
            && let Some(attempt) = self.attempt(id)?
        {
            from = (seconds(attempt.intended_at), row);
        }
        let mut find = self.sql(&format!(
            "SELECT {} FROM intents o CROSS JOIN {} \
             WHERE o.intended_at >= ?1 AND (o.intended_at, o.attempt) > (?1, ?2) AND a.row = o.attempt \
             ORDER BY o.intended_at, o.attempt LIMIT ?3",
            super::attempts::ATTEMPT,
            super::attempts::ATTEMPT_FROM,
        ))?;
        let mut rows = find.query([from.0, from.1, signed(limit)])?;
        let mut attempts = Vec::new();
        while let Some(row) = rows.next()? {
            attempts.push(self.attempt_of(row)?);
        }
        Ok(attempts)
    }

    /// As `Store::has_older_missed`.
    pub(super) fn has_older_missed(
        &self,
        than: &SubscriptionId,
        start: Timestamp,
        at: Timestamp,
    ) -> Outcome<bool> {
        let Some(known) = self.find_subscription(than)? else { return Ok(false) };
        let mut find = self.sql(
            "SELECT EXISTS (SELECT 1 FROM subscriptions s INDEXED BY subscriptions_of_customer \
             CROSS JOIN invoices v INDEXED BY invoices_open ON v.subscription = s.row AND v.status = 0 \
             WHERE s.customer = ?1 AND s.row <> ?2 AND s.wake_at <= ?3 AND v.hold IS NULL AND v.start < ?4 \
             AND v.start + v.seconds <= ?3 AND ifnull(v.next_attempt_at, v.start) <= ?3)",
        )?;
        let of = [known.customer_row, known.row, seconds(at), seconds(start)];
        Ok(find.query_row(of, |row| row.get(0))?)
    }

    /// Due subscriptions up to which stale customers are sought among them; above, among all customers in order.
    const FEW_DUE: i64 = 20_000;

    pub(super) fn count_stale(&self, at: Timestamp, fresh_after: Timestamp, cap: u64) -> Outcome<i64> {
        let mut count = self.sql(
            "SELECT count(*) FROM (SELECT DISTINCT s.customer FROM subscriptions s INDEXED BY subscriptions_wake \
             JOIN customers c ON c.row = s.customer \
             WHERE s.wake_at <= ?1 AND (c.read_at IS NULL OR c.read_at < ?2) LIMIT ?3)",
        )?;
        let cap = i64::try_from(cap).unwrap_or(i64::MAX);
        Ok(count.query_row([seconds(at), seconds(fresh_after), cap], |row| row.get(0))?)
    }

    /// A page of stale customers of due subscriptions, in the order of the book.
    pub(super) fn stale_customers(
        &self,
        at: Timestamp,
        fresh_after: Timestamp,
        after: Option<&CustomerId>,
        limit: usize,
    ) -> Outcome<Vec<CustomerId>> {
        let after = after.map(|id| self.find_customer(id)).transpose()?.flatten().unwrap_or(0);
        let many: i64 = self
            .sql(
                "SELECT count(*) FROM (SELECT 1 FROM subscriptions INDEXED BY subscriptions_wake \
                 WHERE wake_at <= ?1 LIMIT ?2)",
            )?
            .query_row([seconds(at), Self::FEW_DUE + 1], |row| row.get(0))?;
        let sql = if many <= Self::FEW_DUE {
            "SELECT DISTINCT c.row, c.id FROM subscriptions s INDEXED BY subscriptions_wake \
             JOIN customers c ON c.row = s.customer \
             WHERE s.wake_at <= ?1 AND (c.read_at IS NULL OR c.read_at < ?2) AND c.row > ?3 ORDER BY c.row LIMIT ?4"
        } else {
            "SELECT c.row, c.id FROM customers c NOT INDEXED \
             WHERE c.row > ?3 AND (c.read_at IS NULL OR c.read_at < ?2) AND EXISTS (SELECT 1 FROM subscriptions s \
             INDEXED BY subscriptions_of_customer WHERE s.customer = c.row AND s.wake_at <= ?1) \
             ORDER BY c.row LIMIT ?4"
        };
        let mut find = self.sql(sql)?;
        let mut rows = find.query([seconds(at), seconds(fresh_after), after, signed(limit)])?;
        let mut ids = Vec::new();
        while let Some(row) = rows.next()? {
            ids.push(super::columns::Reader::new("customers", row)?.customer_id(1)?);
        }
        Ok(ids)
    }
}
