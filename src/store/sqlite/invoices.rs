//! Invoices: rows in, rows out.

use jiff::Timestamp;
use rusqlite::{Row, params};

use super::book::Book;
use super::cache::KnownInvoice;
use super::codes::Coded as _;
use super::columns::{Reader, seconds, seconds_between};
use super::fault::{Fault, Outcome};
use super::hot::Hot;
use super::subscriptions::next;
use crate::model::{BillingPeriod, Invoice, InvoiceId, PlanVersionId, SubscriptionId};

/// The columns that `invoice_of` reads, by `INVOICE_FROM`.
pub(super) const INVOICE: &str = "v.row, s.id, v.idx, v.start, v.seconds, v.plan, v.quantity, v.amount, v.currency, \
    v.status, v.next_attempt_at, v.hold, v.opened_after, v.closed_after, v.version, v.subscription";
/// How many they are: a query may ask for more behind them.
pub(super) const INVOICE_WIDTH: usize = 16;
pub(super) const INVOICE_FROM: &str = "invoices v JOIN subscriptions s ON s.row = v.subscription";

const INSERT: &str = "INSERT INTO invoices (subscription, idx, start, seconds, plan, quantity, amount, currency, \
    status, next_attempt_at, hold, opened_after, closed_after, version) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
const UPDATE: &str = "UPDATE invoices SET status = ?3, next_attempt_at = ?4, hold = ?5, closed_after = ?6, version = ?7 \
    WHERE row = ?1 AND version = ?2";

impl Book {
    /// Where that invoice lies; `None`: no such invoice.
    pub(super) fn find_invoice(&self, id: &InvoiceId) -> Outcome<Option<KnownInvoice>> {
        let Some(subscription) = self.find_subscription(&id.subscription)? else { return Ok(None) };
        if let Some(known) = self.cache.borrow().invoice(subscription.row, id.index) {
            return Ok(Some(known));
        }
        let mut find = self.sql(
            "SELECT row, start + opened_after, amount, currency FROM invoices WHERE subscription = ?1 AND idx = ?2",
        )?;
        let mut rows = find.query(params![subscription.row, id.index])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let r = Reader::new("invoices", row)?;
        let known = KnownInvoice {
            row: r.key,
            opened_at: r.instant(1)?,
            minor: r.integer(2)?,
            currency: r.integer(3)?,
        };
        self.cache.borrow_mut().keep_invoice(subscription.row, id.index, known);
        Ok(Some(known))
    }

    /// One row of `INVOICE`.
    pub(super) fn invoice_of(row: &Row<'_>) -> Outcome<Invoice> {
        let r = Reader::new("invoices", row)?;
        let subscription = SubscriptionId::parse(r.raw(1)?.as_str().map_err(rusqlite::Error::from)?)
            .map_err(|e| r.nonsense(e, "a subscription id"))?;
        let (index, start) = (r.count(2)?, r.integer(3)?);
        let opened = start.saturating_add(r.integer(12)?);
        let closed =
            r.get::<Option<i64>>(13)?.map(|after| r.second(opened.saturating_add(after))).transpose()?;
        Ok(Invoice {
            id: InvoiceId::new(subscription, index),
            period: BillingPeriod {
                index,
                start: r.second(start)?,
                end: r.second(start.saturating_add(r.integer(4)?))?,
            },
            plan: PlanVersionId(r.integer(5)?),
            quantity: r.quantity(6)?,
            amount: r.money(7, 8)?,
            status: r.word(9)?,
            next_attempt_at: r.maybe_instant(10)?,
            hold: r.maybe_word(11)?,
            opened_at: r.second(opened)?,
            closed_at: closed,
            version: r.version(14)?,
        })
    }

    /// One invoice; `None`: no such id.
    pub(super) fn invoice(&self, id: &InvoiceId) -> Outcome<Option<Invoice>> {
        let Some(known) = self.find_invoice(id)? else { return Ok(None) };
        let mut find = self.sql(&format!("SELECT {INVOICE} FROM {INVOICE_FROM} WHERE v.row = ?1"))?;
        let mut rows = find.query([known.row])?;
        rows.next()?.map(Self::invoice_of).transpose()
    }

    pub(super) fn insert_invoice(&self, hot: &Hot<'_>, v: &Invoice) -> Outcome<()> {
        let subscription = self.known_subscription(&v.id.subscription)?;
        if v.period.index != v.id.index {
            return Err(Fault::broken(format!("invoice {} cannot bill period {}", v.id, v.period.index)));
        }
        let inserted = hot.insert(
            INSERT,
            params![
                subscription.row,
                v.id.index,
                seconds(v.period.start),
                seconds_between(v.period.start, v.period.end),
                v.plan.0,
                v.quantity.get(),
                v.amount.minor(),
                v.amount.currency().code(),
                v.status.code(),
                v.next_attempt_at.map(seconds),
                v.hold.map(super::codes::Coded::code),
                seconds_between(v.period.start, v.opened_at),
                v.closed_at.map(|at| seconds_between(v.opened_at, at)),
                v.version.0,
            ],
        );
        let row = match inserted {
            Err(fault) if fault.is_duplicate() => {
                return Err(Fault::conflict(format_args!("invoice {}", v.id)));
            }
            other => other?,
        };
        let known = KnownInvoice {
            row,
            opened_at: Timestamp::from_second(seconds(v.opened_at)).unwrap_or(v.opened_at),
            minor: v.amount.minor(),
            currency: v.amount.currency().code(),
        };
        self.cache.borrow_mut().keep_invoice(subscription.row, v.id.index, known);
        Ok(())
    }

    /// Writes what may change of an invoice, expecting `v.version` in the book.
    pub(super) fn update_invoice(&self, hot: &Hot<'_>, v: &Invoice) -> Outcome<()> {
        let conflict = || Fault::conflict(format_args!("invoice {}", v.id));
        let known = self.find_invoice(&v.id)?.ok_or_else(conflict)?;
        if (known.minor, known.currency) != (v.amount.minor(), v.amount.currency().code()) {
            return Err(Fault::broken(format!("invoice {} keeps its amount", v.id)));
        }
        let changed = hot.execute(
            UPDATE,
            params![
                known.row,
                self.expected("invoices", known.row, v.version)?,
                v.status.code(),
                v.next_attempt_at.map(seconds),
                v.hold.map(super::codes::Coded::code),
                v.closed_at.map(|at| seconds_between(known.opened_at, at)),
                next(v.version),
            ],
        )?;
        if changed == 0 { Err(conflict()) } else { Ok(()) }
    }
}
