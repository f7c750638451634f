//! Charges that were given back or disputed: what was last seen of each.

use rusqlite::params;

use super::book::Book;
use super::codes::Coded as _;
use super::columns::{Reader, seconds};
use super::fault::{Fault, Outcome};
use crate::model::{AttemptId, Money, Reversal};

impl Book {
    /// Notes it; refused if as much was noted before.
    pub(super) fn note_reversal(&self, seen: &Reversal) -> Outcome<()> {
        let conflict = || Fault::conflict(format_args!("what was seen of attempt {}", seen.attempt));
        let row = self.find_attempt(&seen.attempt)?.ok_or_else(conflict)?;
        let mut note = self.sql(
            "INSERT INTO reversals (attempt, kind, amount, at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (attempt, kind) \
             DO UPDATE SET amount = excluded.amount, at = excluded.at WHERE excluded.amount > amount",
        )?;
        let noted = note.execute(params![row, seen.kind.code(), seen.amount.minor(), seconds(seen.at)])?;
        if noted == 0 { Err(conflict()) } else { Ok(()) }
    }

    /// As `Store::reversals` says.
    pub(super) fn reversals(&self, attempt: &AttemptId) -> Outcome<Vec<Reversal>> {
        let Some(row) = self.find_attempt(attempt)? else { return Ok(Vec::new()) };
        let mut find = self.sql(
            "SELECT r.attempt, r.kind, r.amount, v.currency, r.at FROM reversals r \
             JOIN invoices v ON v.row = r.attempt >> 16 WHERE r.attempt = ?1 ORDER BY r.kind",
        )?;
        let mut rows = find.query([row])?;
        let mut seen = Vec::new();
        while let Some(row) = rows.next()? {
            let r = Reader::new("reversals", row)?;
            let amount: Money = r.money(2, 3)?;
            seen.push(Reversal { attempt: attempt.clone(), kind: r.word(1)?, amount, at: r.instant(4)? });
        }
        Ok(seen)
    }
}
