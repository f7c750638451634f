//! What people read, by pages: every list goes on after the row where its last page ended.

use rusqlite::types::Value;
use rusqlite::{Row, params_from_iter};

use jiff::Timestamp;

use super::super::{
    AttemptRow, ChargedPage, CustomerRow, Filter, InvoiceRow, StoreError, SubscriptionPage, SubscriptionRow,
};
use super::attempts::{ATTEMPT, ATTEMPT_FROM};
use super::book::Book;
use super::codes::Coded;
use super::columns::{Reader, seconds, signed};
use super::customers::{CUSTOMER, CUSTOMER_FROM};
use super::diary::{EVENT, EVENT_FROM, FLAG, FLAG_FROM};
use super::fault::Outcome;
use super::invoices::{INVOICE, INVOICE_FROM, INVOICE_WIDTH};
use super::subscriptions::{SUBSCRIPTION, SUBSCRIPTION_FROM};
use super::unsigned;
use crate::model::{
    AttemptStatus, BillingPeriod, CustomerState, Event, EventKind, Flag, FlagReason, InvoiceStatus, Snapshot,
    SubscriptionStatus,
};

/// One page to be read: conditions and their values, in order.
pub(super) struct Page {
    pub(super) wheres: Vec<String>,
    pub(super) values: Vec<Value>,
}

impl Page {
    pub(super) fn after(column: &str, after: i64) -> Self {
        Self { wheres: vec![format!("{column} > ?1")], values: vec![Value::Integer(after)] }
    }

    pub(super) fn and(&mut self, condition: &str, value: Value) {
        self.values.push(value);
        self.wheres.push(condition.replace('#', &format!("?{}", self.values.len())));
    }

    fn sql(&mut self, columns: &str, from: &str, order: &str, limit: usize) -> String {
        self.values.push(Value::Integer(signed(limit)));
        let (wheres, last) = (self.wheres.join(" AND "), self.values.len());
        format!("SELECT {columns} FROM {from} WHERE {wheres} ORDER BY {order} LIMIT ?{last}")
    }
}

impl Book {
    /// Rows of one page, each made by `make`.
    pub(super) fn page<T>(
        &self,
        sql: &str,
        page: Page,
        make: impl Fn(&Row<'_>) -> Outcome<T>,
    ) -> Outcome<Vec<T>> {
        let mut find = self.sql(sql)?;
        let mut rows = find.query(params_from_iter(page.values))?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            all.push(make(row)?);
        }
        Ok(all)
    }

    /// Narrows to the filter's subscription and customer by these conditions on their rows, written `#`; without one
    /// on the subscription its customer stands for it. `false`: one of them is not in the book, so nothing is left.
    pub(super) fn narrow(
        &self,
        page: &mut Page,
        f: &Filter,
        subscription: &str,
        customer: &str,
    ) -> Outcome<bool> {
        if let Some(id) = &f.subscription {
            let Some(known) = self.find_subscription(id)? else { return Ok(false) };
            if subscription.is_empty() {
                page.and(customer, Value::Integer(known.customer_row));
            } else {
                page.and(subscription, Value::Integer(known.row));
            }
        }
        if let Some(id) = &f.customer {
            let Some(row) = self.find_customer(id)? else { return Ok(false) };
            page.and(customer, Value::Integer(row));
        }
        Ok(true)
    }

    /// Narrows to a status word; a word that is none of `T`'s is refused.
    fn narrow_word<T: Coded>(
        &self,
        page: &mut Page,
        f: &Filter,
        column: &str,
        from_word: fn(&str) -> Option<T>,
    ) -> Outcome<()> {
        let Some(word) = &f.status else { return Ok(()) };
        let code = from_word(word).ok_or_else(|| self.no_such_word(word))?.code();
        page.and(&format!("{column} = #"), Value::Integer(code));
        Ok(())
    }

    pub(super) fn no_such_word(&self, word: &str) -> StoreError {
        StoreError::Other {
            path: self.path.clone(),
            what: format!("found {word:?}, which no row of that list can say"),
        }
    }

    pub(super) fn page_of_subscriptions(
        &self,
        f: &Filter,
        after: i64,
        limit: usize,
    ) -> Outcome<SubscriptionPage<SubscriptionRow>> {
        self.of_subscriptions(SUBSCRIPTION, f, (after, limit), |row| {
            let number: i64 = row.get(0)?;
            let subscription = self.subscription_of(row)?;
            let plan = self.plan_at(subscription.plan.0)?;
            Ok(SubscriptionRow {
                row: number,
                plan: plan.key.clone(),
                plan_version: plan.version,
                period: self.last_period(number)?,
                flags: self.standing_flags(number)?.iter().map(|flag| flag.reason).collect(),
                subscription,
            })
        })
    }

    /// As `Store::snapshots` says.
    pub(super) fn snapshots(
        &self,
        f: &Filter,
        after: i64,
        limit: usize,
    ) -> Outcome<SubscriptionPage<Snapshot>> {
        self.of_subscriptions("s.row", f, (after, limit), |row| self.snapshot_at(row.get(0)?))
    }

    /// A page of those columns, the first being the row's number. What cannot be read is set aside.
    fn of_subscriptions<T>(
        &self,
        columns: &str,
        f: &Filter,
        (after, limit): (i64, usize),
        make: impl Fn(&Row<'_>) -> Outcome<T>,
    ) -> Outcome<SubscriptionPage<T>> {
        let mut wanted = Page::after("s.row", after);
        if !self.narrow(&mut wanted, f, "s.row = #", "s.customer = #")? {
            return Ok(SubscriptionPage::empty());
        }
        self.narrow_word(&mut wanted, f, "s.status", SubscriptionStatus::from_word)?;
        let sql = wanted.sql(columns, SUBSCRIPTION_FROM, "s.row", limit);
        let mut page = SubscriptionPage::empty();
        let mut find = self.sql(&sql)?;
        let mut rows = find.query(params_from_iter(wanted.values))?;
        while let Some(row) = rows.next()? {
            let number = row.get(0)?;
            match make(row) {
                Ok(one) => page.rows.push(one),
                Err(fault) => page.unreadable.push(self.unreadable(number, fault)?),
            }
            page.last = Some(number);
        }
        Ok(page)
    }

    fn last_period(&self, subscription_row: i64) -> Outcome<Option<BillingPeriod>> {
        let mut find = self.sql(
            "SELECT row, idx, start, seconds FROM invoices WHERE subscription = ?1 ORDER BY idx DESC LIMIT 1",
        )?;
        let mut rows = find.query([subscription_row])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let r = Reader::new("invoices", row)?;
        let start = r.integer(2)?;
        Ok(Some(BillingPeriod {
            index: r.count(1)?,
            start: r.second(start)?,
            end: r.second(start.saturating_add(r.integer(3)?))?,
        }))
    }

    pub(super) fn list_invoices(&self, f: &Filter, after: i64, limit: usize) -> Outcome<Vec<InvoiceRow>> {
        let mut page = Page::after("v.row", after);
        if !self.narrow(&mut page, f, "v.subscription = #", "s.customer = #")? {
            return Ok(Vec::new());
        }
        self.narrow_word(&mut page, f, "v.status", InvoiceStatus::from_word)?;
        let own = "a.row BETWEEN v.row << 16 AND (v.row << 16) | 65535";
        let columns = format!(
            "{INVOICE}, c.id, s.zone, (SELECT count(*) FROM attempts a WHERE {own}), \
             (SELECT charge FROM attempts a WHERE {own} AND a.status = 1), \
             EXISTS (SELECT 1 FROM attempts a WHERE {own} AND a.status = 2), c.caught_up_at, s.wake_at"
        );
        let from = format!("{INVOICE_FROM} JOIN customers c ON c.row = s.customer");
        let sql = page.sql(&columns, &from, "v.row", limit);
        self.page(&sql, page, |row| {
            let r = Reader::new("invoices", row)?;
            Ok(InvoiceRow {
                row: r.key,
                invoice: Self::invoice_of(row)?,
                customer: r.customer_id(INVOICE_WIDTH)?,
                zone: self.zone_if_readable(r.integer(INVOICE_WIDTH + 1)?)?,
                attempts: r.count(INVOICE_WIDTH + 2)?,
                charge: r.maybe_charge_id(INVOICE_WIDTH + 3)?,
                declined: r.integer(INVOICE_WIDTH + 4)? != 0,
                caught_up_at: r.maybe_instant(INVOICE_WIDTH + 5)?,
                wake_at: r.maybe_instant(INVOICE_WIDTH + 6)?,
            })
        })
    }

    pub(super) fn list_attempts(&self, f: &Filter, after: i64, limit: usize) -> Outcome<Vec<AttemptRow>> {
        let mut page = Page::after("a.row", after);
        if !self.narrow(&mut page, f, "v.subscription = #", "s.customer = #")? {
            return Ok(Vec::new());
        }
        self.narrow_word(&mut page, f, "a.status", AttemptStatus::from_word)?;
        if f.subscription.is_some() || f.customer.is_some() {
            // Says again what the join says, the other way round: from few invoices to their attempts.
            page.wheres.push("a.row BETWEEN v.row << 16 AND (v.row << 16) | 65535".into());
        }
        let sql = page.sql(ATTEMPT, ATTEMPT_FROM, "a.row", limit);
        self.page(&sql, page, |row| Ok(AttemptRow { row: row.get(0)?, attempt: self.attempt_of(row)? }))
    }

    /// As `Store::charged_between` says. Which are wanted is told by the rows' own numbers, so that the others are
    /// passed over unread.
    pub(super) fn charged_between(
        &self,
        from: Timestamp,
        to: Timestamp,
        after: i64,
        limit: usize,
    ) -> Outcome<ChargedPage> {
        let last =
            "SELECT max(row), count(*) FROM (SELECT row FROM attempts WHERE row > ?1 ORDER BY row LIMIT ?2)";
        let (last, seen): (Option<i64>, i64) =
            self.sql(last)?.query_row([after, signed(limit)], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let Some(last) = last else { return Ok(ChargedPage { rows: Vec::new(), next: None }) };
        let mut find = self.sql(&format!(
            "SELECT {ATTEMPT} FROM {ATTEMPT_FROM} WHERE a.row > ?1 AND a.row <= ?2 AND a.charge IS NOT NULL \
             AND v.start + v.opened_after + a.intended_after BETWEEN ?3 AND ?4 ORDER BY a.row"
        ))?;
        let mut found = find.query([after, last, seconds(from), seconds(to)])?;
        let mut rows = Vec::new();
        while let Some(row) = found.next()? {
            rows.push(AttemptRow { row: row.get(0)?, attempt: self.attempt_of(row)? });
        }
        Ok(ChargedPage { rows, next: (seen == signed(limit)).then_some(last) })
    }

    pub(super) fn list_flags(&self, f: &Filter, after: i64, limit: usize) -> Outcome<Vec<(i64, Flag)>> {
        let mut page = Page::after("f.row", after);
        if !self.narrow(&mut page, f, "f.subscription = #", "s.customer = #")? {
            return Ok(Vec::new());
        }
        if let Some(word) = &f.status {
            let reason = FlagReason::from_word(word).ok_or_else(|| self.no_such_word(word))?;
            page.and("f.reason = #", Value::Text(reason.word().into()));
        }
        if !f.ended {
            page.wheres.push("f.until IS NULL".into());
        }
        let sql = page.sql(FLAG, FLAG_FROM, "f.row", limit);
        self.page(&sql, page, Self::flag_of)
    }

    pub(super) fn list_events(&self, f: &Filter, after: i64, limit: usize) -> Outcome<Vec<Event>> {
        let mut page = Page::after("e.seq", after);
        // The diary has no index by subscription, which would be a fifth of the book: it is read through.
        let of_customer = "e.subscription IN (SELECT row FROM subscriptions WHERE customer = #)";
        if !self.narrow(&mut page, f, "e.subscription = #", of_customer)? {
            return Ok(Vec::new());
        }
        self.narrow_word(&mut page, f, "e.kind", EventKind::from_word)?;
        let sql = page.sql(EVENT, EVENT_FROM, "e.seq", limit);
        self.page(&sql, page, |row| self.unpacked_event(Self::event_of(row)?))
    }

    pub(super) fn list_customers(&self, f: &Filter, after: i64, limit: usize) -> Outcome<Vec<CustomerRow>> {
        let mut page = Page::after("u.row", after);
        if !self.narrow(&mut page, f, "", "u.row = #")? {
            return Ok(Vec::new());
        }
        self.narrow_word(&mut page, f, "u.state", CustomerState::from_word)?;
        let living = "(SELECT count(*) FROM subscriptions s WHERE s.customer = u.row AND s.ended_at IS NULL)";
        let sql = page.sql(&format!("{CUSTOMER}, {living}"), CUSTOMER_FROM, "u.row", limit);
        self.page(&sql, page, |row| {
            let r = Reader::new("customers", row)?;
            let subscriptions = u64::try_from(r.integer(9)?).unwrap_or(0);
            Ok(CustomerRow { row: r.key, customer: self.customer_of(row)?, subscriptions })
        })
    }

    pub(super) fn count_flags(&self) -> Outcome<Vec<(FlagReason, u64)>> {
        let mut find =
            self.sql("SELECT 0, reason, count(*) FROM flags INDEXED BY flags_standing WHERE until IS NULL GROUP BY reason ORDER BY reason")?;
        let mut rows = find.query([])?;
        let mut counts = Vec::new();
        while let Some(row) = rows.next()? {
            let r = Reader::new("flags", row)?;
            let word: String = r.get(1)?;
            let reason = FlagReason::from_word(&word).ok_or_else(|| r.nonsense(&word, "a flag's reason"))?;
            counts.push((reason, u64::try_from(r.integer(2)?).unwrap_or(0)));
        }
        Ok(counts)
    }

    pub(super) fn count_retries(&self) -> Outcome<u64> {
        // An attempt's row begins with its invoice's: few are looked at, and those of open invoices alone.
        let mut count = self.sql(
            "SELECT count(*) FROM invoices v INDEXED BY invoices_open WHERE v.status = 0 AND v.next_attempt_at IS NOT NULL \
             AND EXISTS (SELECT 1 FROM attempts a WHERE a.row BETWEEN v.row << 16 AND (v.row << 16) | 65535 AND a.status = 2)",
        )?;
        Ok(unsigned(count.query_row([], |row| row.get(0))?))
    }
}
