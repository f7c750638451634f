//! Customers at a glance, by pages: one statement a page, with what a closer look would begin from.

use jiff::Timestamp;

use super::super::{GlancePage, StoreError};
use super::book::Book;
use super::columns::{Reader, signed};
use super::fault::{Fault, Outcome};
use crate::model::{CustomerGlance, Expiration, SubscriptionGlance};

/// One row for each living subscription of the customers from one row to another. `p`: the subscription's own card.
const GLANCE: &str = "SELECT u.row, u.id, u.state, u.read_at, d.expires, \
    EXISTS (SELECT 1 FROM declines e WHERE e.customer = u.row AND e.never = 1) OR EXISTS (SELECT 1 FROM cards y \
    JOIN declines e ON e.fingerprint = y.fingerprint \
    WHERE y.row BETWEEN u.row << 16 AND (u.row << 16) | 65535 AND y.place IS NOT NULL AND e.never = 1), \
    s.plan, s.starts, s.anchor, s.anchor_index, s.next_index, s.card IS NOT NULL, p.expires, \
    EXISTS (SELECT 1 FROM invoices v INDEXED BY invoices_open WHERE v.subscription = s.row AND v.status = 0), \
    EXISTS (SELECT 1 FROM flags f INDEXED BY flags_standing WHERE f.subscription = s.row AND f.until IS NULL) \
    FROM customers u CROSS JOIN subscriptions s INDEXED BY subscriptions_of_customer \
    ON s.customer = u.row AND s.ended_at IS NULL \
    LEFT JOIN cards d ON d.row = (u.row << 16) | u.default_card AND d.place IS NOT NULL \
    LEFT JOIN cards p ON p.row = (u.row << 16) | s.card AND p.place IS NOT NULL \
    WHERE u.row > ?1 AND u.row <= ?2 ORDER BY u.row, s.row";

impl Book {
    /// As `Store::glance`.
    pub(super) fn glance(&self, after: i64, limit: usize) -> Outcome<GlancePage> {
        let mut bound = self.sql(
            "SELECT max(row), count(*) FROM (SELECT row FROM customers WHERE row > ?1 ORDER BY row LIMIT ?2)",
        )?;
        let (last, seen): (Option<i64>, u64) =
            bound.query_row([after, signed(limit)], |row| Ok((row.get(0)?, row.get::<_, u32>(1)?.into())))?;
        let Some(last) = last else { return Ok(GlancePage::default()) };
        let mut find = self.sql(GLANCE)?;
        let mut rows = find.query([after, last])?;
        let mut page = GlancePage { customers: Vec::with_capacity(limit.min(1_024)), seen, last: Some(last) };
        let (mut of, mut reads) = (None, false);
        while let Some(row) = rows.next()? {
            let r = Reader::new("customers", row)?;
            if of != Some(r.key) {
                of = Some(r.key);
                let customer = readable(customer_at(&r))?;
                reads = customer.is_some();
                page.customers.extend(customer);
            }
            let Some(customer) = page.customers.last_mut().filter(|_| reads) else { continue };
            if customer.subscriptions.len() == CustomerGlance::MOST_SUBSCRIPTIONS {
                customer.more = true;
            } else {
                // A closer look says what is wrong with one that cannot be read.
                match readable(self.subscription_at(&r, customer))? {
                    Some(subscription) => customer.subscriptions.push(subscription),
                    None => customer.more = true,
                }
            }
        }
        Ok(page)
    }

    fn subscription_at(&self, r: &Reader<'_, '_>, customer: &CustomerGlance) -> Outcome<SubscriptionGlance> {
        let own: bool = r.get(11)?;
        let anchor = r.maybe_anchor(8)?.map(|(day, _)| day);
        Ok(SubscriptionGlance {
            plan: self.plan_at(r.integer(6)?)?,
            anchor: anchor.map_or_else(|| r.day(7), Ok)?,
            anchor_index: r.count(9)?,
            next_index: r.count(10)?,
            card_ends: if own { expiration_at(r, 12)? } else { customer.default_ends },
            owes: r.get(13)?,
            flagged: r.get(14)?,
        })
    }
}

/// `None`: it holds a value that no type of ours can, which is told and stops nobody else.
fn readable<T>(read: Outcome<T>) -> Outcome<Option<T>> {
    match read {
        Err(Fault::Store(error @ StoreError::Nonsense { .. })) => {
            tracing::error!(%error, "a row cannot be read at a glance; the others go on");
            Ok(None)
        }
        read => read.map(Some),
    }
}

fn customer_at(r: &Reader<'_, '_>) -> Outcome<CustomerGlance> {
    let read_at: Option<Timestamp> = r.maybe_instant(3)?;
    Ok(CustomerGlance {
        id: r.customer_id(1)?,
        state: r.word(2)?,
        read_at,
        default_ends: expiration_at(r, 4)?,
        never: r.get(5)?,
        subscriptions: Vec::with_capacity(1),
        more: false,
    })
}

fn expiration_at(r: &Reader<'_, '_>, column: usize) -> Outcome<Option<Expiration>> {
    let month = |months: i64| {
        Expiration::new(months.rem_euclid(12) + 1, months.div_euclid(12))
            .map_err(|e| r.nonsense(e, "a month"))
    };
    r.get::<Option<i64>>(column)?.map(month).transpose()
}
