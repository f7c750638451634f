//! Attempts and their intents: rows in, rows out.

use std::sync::Arc;
use std::sync::LazyLock;

use rusqlite::{Row, params};

use super::super::AttemptRow;
use super::book::Book;
use super::cache::KnownInvoice;
use super::codes::Coded as _;
use super::columns::{Reader, millis, seconds, seconds_between};
use super::fault::{Fault, Outcome};
use super::hot::Hot;
use super::pack::Packed;
use crate::model::{
    Attempt, AttemptId, AttemptStatus, CardId, Epoch, IdempotencyKey, Intent, InvoiceId, Money,
    SubscriptionId,
};

/// The columns that `attempt_of` reads, by `ATTEMPT_FROM`.
pub(super) const ATTEMPT: &str = "a.row, s.id, v.idx, a.number, a.status, v.amount, v.currency, c.id, k.id, \
    v.start + v.opened_after + a.intended_after, a.resolved_after, a.charge, a.failure_code, a.decline, \
    i.body, n.id, i.epoch, i.wall_at, i.provider_seen, i.deadline, i.doubt_since, i.first_empty_scan, i.looked_at, \
    i.authorize_uri, i.reason, i.key, i.reminded";
pub(super) const ATTEMPT_FROM: &str = "attempts a JOIN invoices v ON v.row = a.row >> 16 \
    JOIN subscriptions s ON s.row = v.subscription JOIN customers c ON c.row = s.customer \
    LEFT JOIN cards k ON k.row = (s.customer << 16) | a.card \
    LEFT JOIN intents i ON i.attempt = a.row \
    LEFT JOIN cards n ON n.row = (s.customer << 16) | i.named_card";
/// Numbers of one invoice's attempts: 16 bits of an attempt's row, from 1.
const MOST_ATTEMPTS: u32 = 0xffff;

const INSERT: &str = "INSERT INTO attempts (row, status, card, intended_after, resolved_after, charge, failure_code, \
    decline) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
/// `OR FAIL`: a refusal ends the transition, so the statement need not be able to undo itself.
const UPDATE: &str = "UPDATE OR FAIL attempts SET status = ?3, card = ?4, resolved_after = ?5, charge = ?6, failure_code = ?7, \
    decline = ?8 WHERE row = ?1 AND status = ?2 AND intended_after = ?9";
const INSERT_INTENT: &str = "INSERT INTO intents (attempt, key, body, named_card, epoch, intended_at, wall_at, \
    provider_seen, deadline, doubt_since, first_empty_scan, looked_at, authorize_uri, reason) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
const UPDATE_INTENT: &str = "UPDATE intents SET deadline = ?2, doubt_since = ?3, first_empty_scan = ?4, \
    looked_at = ?5, authorize_uri = ?6, reason = ?7, reminded = ?8 WHERE attempt = ?1";

/// Where an attempt lies: its invoice and its number.
const fn row_of(invoice: &KnownInvoice, number: u32) -> i64 {
    (invoice.row << 16) | number as i64
}

impl Book {
    /// Where that attempt lies; `None`: its invoice is not in the book.
    pub(super) fn find_attempt(&self, id: &AttemptId) -> Outcome<Option<i64>> {
        let invoice = self.find_invoice(&id.invoice)?;
        Ok(invoice.filter(|_| id.number <= MOST_ATTEMPTS).map(|invoice| row_of(&invoice, id.number)))
    }

    /// One row of `ATTEMPT`.
    pub(super) fn attempt_of(&self, row: &Row<'_>) -> Outcome<Attempt> {
        let r = Reader::new("attempts", row)?;
        let subscription = SubscriptionId::parse(r.raw(1)?.as_str().map_err(rusqlite::Error::from)?)
            .map_err(|e| r.nonsense(e, "a subscription id"))?;
        let id = AttemptId::new(InvoiceId::new(subscription, r.count(2)?), r.count(3)?);
        let intended = r.integer(9)?;
        let resolved = r.get::<Option<i64>>(10)?.map(|after| r.second(intended.saturating_add(after)));
        let status: AttemptStatus = r.word(4)?;
        let amount: Money = r.money(5, 6)?;
        let (key, intent) = if status.is_final() {
            (IdempotencyKey::derive(self.installation, &id), None)
        } else {
            let key = r
                .get::<Option<[u8; 16]>>(25)?
                .ok_or_else(|| r.nonsense("no intent", "the intent of an unfinished attempt"))?;
            (IdempotencyKey(key), Some(intent_of(&r)?))
        };
        Ok(Attempt {
            id,
            status,
            amount,
            customer: r.customer_id(7)?,
            card: r.maybe_card_id(8)?,
            key,
            intended_at: r.second(intended)?,
            resolved_at: resolved.transpose()?,
            charge: r.maybe_charge_id(11)?,
            failure_code: r.get::<Option<Arc<str>>>(12)?,
            decline: r.maybe_word(13)?,
            intent,
        })
    }

    /// One attempt; `None`: no such id.
    pub(super) fn attempt(&self, id: &AttemptId) -> Outcome<Option<Attempt>> {
        Ok(self.attempt_row(id)?.map(|known| known.attempt))
    }

    pub(super) fn attempt_row(&self, id: &AttemptId) -> Outcome<Option<AttemptRow>> {
        let Some(row) = self.find_attempt(id)? else { return Ok(None) };
        let mut find = self.sql(&format!("SELECT {ATTEMPT} FROM {ATTEMPT_FROM} WHERE a.row = ?1"))?;
        let mut rows = find.query([row])?;
        let found = rows.next()?.map(|row| self.attempt_of(row)).transpose()?;
        Ok(found.map(|attempt| AttemptRow { row, attempt }))
    }

    /// All attempts of that invoice's row, by number.
    pub(super) fn attempts_of(&self, invoice_row: i64) -> Outcome<Vec<Attempt>> {
        static OF_INVOICE: LazyLock<String> = LazyLock::new(|| {
            format!(
                "SELECT {ATTEMPT} FROM {ATTEMPT_FROM} WHERE a.row BETWEEN ?1 << 16 AND (?1 << 16) | 65535 ORDER BY a.row"
            )
        });
        let mut find = self.sql(&OF_INVOICE)?;
        let mut rows = find.query([invoice_row])?;
        let mut attempts = Vec::new();
        while let Some(row) = rows.next()? {
            attempts.push(self.attempt_of(row)?);
        }
        Ok(attempts)
    }

    pub(super) fn insert_attempt(&self, hot: &Hot<'_>, a: &Attempt) -> Outcome<()> {
        let subscription = self.known_subscription(&a.id.invoice.subscription)?;
        let invoice = self
            .find_invoice(&a.id.invoice)?
            .ok_or_else(|| Fault::broken(format!("attempt {} has no invoice in the book", a.id)))?;
        Self::accept(a, &invoice)?;
        // Said once: what is stored of it never changes.
        if a.key != IdempotencyKey::derive(self.installation, &a.id) {
            return Err(Fault::broken(format!("attempt {} must carry the key derived from its id", a.id)));
        }
        if a.customer != subscription.customer {
            return Err(Fault::broken(format!("attempt {} must charge {}", a.id, subscription.customer)));
        }
        if a.id.number > MOST_ATTEMPTS {
            return Err(Fault::broken(format!("invoice {} had {MOST_ATTEMPTS} attempts", a.id.invoice)));
        }
        let row = row_of(&invoice, a.id.number);
        let slot = |card: &CardId| self.slot_or_new(subscription.customer_row, card);
        let inserted = hot.insert(
            INSERT,
            params![
                row,
                a.status.code(),
                a.card.as_ref().map(slot).transpose()?,
                seconds_between(invoice.opened_at, a.intended_at),
                a.resolved_at.map(|at| seconds_between(a.intended_at, at)),
                a.charge.as_ref().map(|charge| Packed::id("chrg_", charge.as_str())),
                a.failure_code.as_deref(),
                a.decline.map(super::codes::Coded::code),
            ],
        );
        if let Err(fault) = inserted {
            return Err(self.named(fault, a, row));
        }
        let Some(intent) = &a.intent else { return Ok(()) };
        insert_intent(hot, a, row, intent, intent.named_card.as_ref().map(slot).transpose()?)
    }

    /// What no CHECK can see of an attempt: that it fits its invoice.
    fn accept(a: &Attempt, invoice: &KnownInvoice) -> Outcome<()> {
        if (invoice.minor, invoice.currency) != (a.amount.minor(), a.amount.currency().code()) {
            return Err(Fault::broken(format!("attempt {} must charge the amount of its invoice", a.id)));
        }
        if a.status.is_final() != a.intent.is_none() {
            return Err(Fault::broken(format!(
                "attempt {} must have an intent exactly while it is unfinished",
                a.id
            )));
        }
        Ok(())
    }

    /// An attempt that is there already is a conflict; anything else that the schema refuses is a fault of ours.
    fn named(&self, fault: Fault, a: &Attempt, row: i64) -> Fault {
        if !fault.is_duplicate() {
            return fault;
        }
        let there =
            self.sql("SELECT 1 FROM attempts WHERE row = ?1").and_then(|mut find| Ok(find.exists([row])?));
        match there {
            Ok(true) => Fault::conflict(format_args!("attempt {}", a.id)),
            Ok(false) => fault,
            Err(other) => other,
        }
    }

    /// Writes what may change of an attempt, expecting it to stand at `from` in the book. The schema removes the
    /// intent of one that ends.
    pub(super) fn update_attempt(&self, hot: &Hot<'_>, a: &Attempt, from: AttemptStatus) -> Outcome<()> {
        let conflict = || Fault::conflict(format_args!("attempt {}", a.id));
        let subscription = self.known_subscription(&a.id.invoice.subscription)?;
        let invoice = self.find_invoice(&a.id.invoice)?.ok_or_else(conflict)?;
        Self::accept(a, &invoice)?;
        let row = row_of(&invoice, a.id.number);
        let card =
            a.card.as_ref().map(|card| self.slot_or_new(subscription.customer_row, card)).transpose()?;
        let changed = hot.execute(
            UPDATE,
            params![
                row,
                from.code(),
                a.status.code(),
                card,
                a.resolved_at.map(|at| seconds_between(a.intended_at, at)),
                a.charge.as_ref().map(|charge| Packed::id("chrg_", charge.as_str())),
                a.failure_code.as_deref(),
                a.decline.map(super::codes::Coded::code),
                seconds_between(invoice.opened_at, a.intended_at),
            ],
        )?;
        if changed == 0 {
            return Err(conflict());
        }
        a.intent.as_ref().map_or(Ok(()), |intent| update_intent(hot, row, intent))
    }
}

fn insert_intent(
    hot: &Hot<'_>,
    a: &Attempt,
    row: i64,
    intent: &Intent,
    named_card: Option<i64>,
) -> Outcome<()> {
    hot.insert(
        INSERT_INTENT,
        params![
            row,
            a.key.0,
            intent.body.as_ref(),
            named_card,
            intent.epoch.0,
            seconds(a.intended_at),
            intent.wall_at.as_millisecond(),
            millis(intent.provider_seen),
            millis(intent.deadline),
            millis(intent.doubt_since),
            millis(intent.first_empty_scan),
            millis(intent.looked_at),
            intent.authorize_uri.as_deref(),
            intent.reason.as_deref(),
        ],
    )?;
    Ok(())
}

fn update_intent(hot: &Hot<'_>, row: i64, intent: &Intent) -> Outcome<()> {
    let values = params![
        row,
        millis(intent.deadline),
        millis(intent.doubt_since),
        millis(intent.first_empty_scan),
        millis(intent.looked_at),
        intent.authorize_uri.as_deref(),
        intent.reason.as_deref(),
        intent.reminded,
    ];
    hot.execute(UPDATE_INTENT, values)?;
    Ok(())
}

fn intent_of(r: &Reader<'_, '_>) -> Outcome<Intent> {
    Ok(Intent {
        body: r.get::<Arc<str>>(14)?,
        named_card: r.maybe_card_id(15)?,
        epoch: Epoch(r.integer(16)?),
        wall_at: r.milli(17)?,
        provider_seen: r.maybe_milli(18)?,
        deadline: r.maybe_milli(19)?,
        doubt_since: r.maybe_milli(20)?,
        first_empty_scan: r.maybe_milli(21)?,
        looked_at: r.maybe_milli(22)?,
        authorize_uri: r.get(23)?,
        reminded: r.count(26)?,
        reason: r.get(24)?,
    })
}
