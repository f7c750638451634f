//! What is at stake: the money behind each flag, and cards that end soon. Sorted by SQLite, page by page.
//!
//! Promises: memory stays flat however many flags and cards there are. A page goes on where the last one ended by what
//! it showed, so a row whose sum changes in between may be met twice, or not at all.
//! Must never know: when a period starts; whether one follows is told by the subscription's end alone.

use rusqlite::Row;
use rusqlite::types::Value;
use serde_json::json;

use super::super::Filter;
use super::super::rows::{EndingCard, EndingCursor, FlagAtRisk, RiskCursor};
use super::book::Book;
use super::codes::Coded as _;
use super::columns::{Reader, signed};
use super::diary::{FLAG, FLAG_FROM};
use super::fault::Outcome;
use super::lists::Page;
use super::pack::UnpackedFingerprint;
use crate::model::{CardSnapshot, Currency, Expiration, FlagReason, Money, SubscriptionId};

/// Prices by plan version, given as JSON: the book keeps them as text.
const PRICES: &str = "WITH price (plan, minor, currency) AS MATERIALIZED \
    (SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?1)), ";
/// What is at stake in the currency of the subscription's plan: what is open, and the next period if there is one; of one
/// that costs more than an integer holds, some number that is one.
const RISK: &str = "CASE WHEN f.until IS NOT NULL THEN 0 ELSE coalesce((SELECT sum(v.amount) FROM invoices v \
    INDEXED BY invoices_open WHERE v.subscription = s.row AND v.status = 0 AND v.currency = p.currency), 0) \
    + CASE WHEN s.ended_at IS NULL AND s.cancel_at IS NULL THEN min(p.minor, 4000000000000000000 / s.quantity) * s.quantity ELSE 0 END END";
/// What is open in other currencies: after a change to a plan of another one.
const OTHERS: &str = "(SELECT json_group_array(json_array(o.currency, o.sum)) FROM (SELECT v.currency, \
    sum(v.amount) AS sum FROM invoices v INDEXED BY invoices_open WHERE v.subscription = s.row AND v.status = 0 \
    AND v.currency <> r.currency GROUP BY v.currency) o WHERE f.until IS NULL)";

impl Book {
    /// As `Store::list_flags_at_risk` says.
    pub(super) fn list_flags_at_risk(
        &self,
        f: &Filter,
        after: Option<RiskCursor>,
        limit: usize,
    ) -> Outcome<Vec<FlagAtRisk>> {
        let mut page = Page { wheres: vec!["1".into()], values: vec![Value::Text(self.prices()?)] };
        if !self.narrow(&mut page, f, "f.subscription = #", "s.customer = #")? {
            return Ok(Vec::new());
        }
        if let Some(word) = &f.status {
            let reason = FlagReason::from_word(word).ok_or_else(|| self.no_such_word(word))?;
            page.and("f.reason = #", Value::Text(reason.word().into()));
        }
        let standing = if f.ended { "flags f" } else { "flags f INDEXED BY flags_standing" };
        if !f.ended {
            page.wheres.push("f.until IS NULL".into());
        }
        let wheres = page.wheres.join(" AND ");
        let mut behind = Page { wheres: vec!["1".into()], values: page.values };
        if let Some(after) = after {
            let place = [after.currency, after.minor.saturating_neg(), after.row];
            behind.values.extend(place.map(Value::Integer));
            let last = behind.values.len();
            behind.wheres.push(format!(
                "(r.currency, -r.minor, r.flag) > (?{}, ?{}, ?{last})",
                last - 2,
                last - 1
            ));
        }
        let place = behind.wheres.join(" AND ");
        behind.values.push(Value::Integer(signed(limit)));
        let sql = format!(
            "{PRICES}risk (flag, currency, minor) AS (SELECT f.row, p.currency, {RISK} FROM {standing} \
             JOIN subscriptions s ON s.row = f.subscription JOIN price p ON p.plan = s.plan WHERE {wheres}) \
             SELECT {FLAG}, r.currency, r.minor, {OTHERS} FROM risk r CROSS JOIN {FLAG_FROM} WHERE f.row = r.flag \
             AND {place} ORDER BY r.currency, r.minor DESC, r.flag LIMIT ?{}",
            behind.values.len()
        );
        self.page(&sql, behind, flag_at_risk)
    }

    /// `[[version, minor, currency], …]` of every plan version.
    fn prices(&self) -> Outcome<String> {
        let mut find = self.sql("SELECT row FROM plan_versions")?;
        let mut rows = find.query([])?;
        let mut prices = Vec::new();
        while let Some(row) = rows.next()? {
            let version: i64 = row.get(0)?;
            let price = self.plan_at(version)?.terms.price;
            prices.push(json!([version, price.minor(), price.currency().code()]));
        }
        Ok(serde_json::Value::Array(prices).to_string())
    }

    /// As `Store::ending_cards` says.
    pub(super) fn ending_cards(
        &self,
        from: Expiration,
        to: Expiration,
        after: Option<EndingCursor>,
        limit: usize,
    ) -> Outcome<Vec<EndingCard>> {
        let mut find = self.sql(
            "SELECT s.row, s.id, c.id, k.id, k.brand, k.last_digits, k.expires, k.fingerprint FROM subscriptions s \
             JOIN customers c ON c.row = s.customer \
             JOIN cards k ON k.row = (s.customer << 16) | coalesce(s.card, c.default_card) \
             WHERE s.ended_at IS NULL AND k.place IS NOT NULL AND k.expires BETWEEN ?1 AND ?2 \
             AND (k.expires, s.row) > (?3, ?4) ORDER BY k.expires, s.row LIMIT ?5",
        )?;
        let after = after.unwrap_or(EndingCursor { month: -1, row: 0 });
        let mut rows = find.query([months(from), months(to), after.month, after.row, signed(limit)])?;
        let mut cards = Vec::new();
        while let Some(row) = rows.next()? {
            cards.push(ending_card(row)?);
        }
        Ok(cards)
    }
}

/// A month as the book counts it.
pub(super) fn months(month: Expiration) -> i64 {
    i64::from(month.year()) * 12 + i64::from(month.month()) - 1
}

fn flag_at_risk(row: &Row<'_>) -> Outcome<FlagAtRisk> {
    const WIDTH: usize = 7;
    let (place, flag) = Book::flag_of(row)?;
    let r = Reader::new("flags", row)?;
    let cursor = RiskCursor { currency: r.integer(WIDTH)?, minor: r.integer(WIDTH + 1)?, row: place };
    let mut at_risk = vec![r.money(WIDTH + 1, WIDTH)?];
    let others: String = r.get(WIDTH + 2)?;
    let nonsense = || r.nonsense(&others, "sums by currency");
    let sums: Vec<(i64, i64)> = serde_json::from_str(&others).map_err(|_| nonsense())?;
    for (currency, minor) in sums {
        let sum = Currency::of(currency).and_then(|currency| Money::new(minor, currency).ok());
        at_risk.push(sum.ok_or_else(nonsense)?);
    }
    Ok(FlagAtRisk { cursor, flag, at_risk })
}

fn ending_card(row: &Row<'_>) -> Outcome<EndingCard> {
    let r = Reader::new("subscriptions", row)?;
    let month = r.integer(6)?;
    let id: String = r.get(1)?;
    Ok(EndingCard {
        cursor: EndingCursor { month, row: r.key },
        subscription: SubscriptionId::parse(&id).map_err(|e| r.nonsense(e, "a subscription id"))?,
        customer: r.customer_id(2)?,
        card: CardSnapshot {
            id: r.maybe_card_id(3)?.ok_or_else(|| r.nonsense("nothing", "a card id"))?,
            brand: r.get(4)?,
            last_digits: r.get(5)?,
            expiration: Expiration::new(month.rem_euclid(12) + 1, month.div_euclid(12))
                .map_err(|e| r.nonsense(e, "a month"))?,
            fingerprint: r.get::<Option<UnpackedFingerprint>>(7)?.map(|unpacked| unpacked.0),
        },
    })
}
