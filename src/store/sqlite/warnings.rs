//! Who was told of the end of which card.

use jiff::{SignedDuration, Timestamp};
use rusqlite::params;

use super::book::Book;
use super::columns::{Reader, seconds};
use super::fault::{Fault, Outcome};
use super::risk::months;
use crate::model::{CardWarning, CustomerId, Expiration};

impl Book {
    /// Notes it; refused if the same was told before.
    pub(super) fn warn_card(&self, customer: &CustomerId, told: &CardWarning, at: Timestamp) -> Outcome<()> {
        let conflict = || Fault::conflict(format_args!("the warning of card {}", told.card));
        let row = self.find_customer(customer)?.ok_or_else(conflict)?;
        let slot = self.slot_or_new(row, &told.card)?;
        let mut insert = self.sql(
            "INSERT INTO card_warnings (card, expires, ahead, at) VALUES ((?1 << 16) | ?2, ?3, ?4, ?5) \
             ON CONFLICT DO NOTHING",
        )?;
        let noted =
            insert.execute(params![row, slot, months(told.month), told.ahead.as_secs(), seconds(at)])?;
        if noted == 0 { Err(conflict()) } else { Ok(()) }
    }

    /// As `Store::card_warnings` says.
    pub(super) fn card_warnings(&self, customer: &CustomerId) -> Outcome<Vec<CardWarning>> {
        let Some(row) = self.find_customer(customer)? else { return Ok(Vec::new()) };
        let mut find = self.sql(
            "SELECT w.card, k.id, w.expires, w.ahead FROM card_warnings w JOIN cards k ON k.row = w.card \
             WHERE w.card BETWEEN ?1 << 16 AND (?1 << 16) | 65535 ORDER BY w.card, w.expires, w.ahead",
        )?;
        let mut rows = find.query([row])?;
        let mut told = Vec::new();
        while let Some(row) = rows.next()? {
            let r = Reader::new("card_warnings", row)?;
            let month = r.integer(2)?;
            told.push(CardWarning {
                card: r.maybe_card_id(1)?.ok_or_else(|| r.nonsense("nothing", "a card id"))?,
                month: Expiration::new(month.rem_euclid(12) + 1, month.div_euclid(12))
                    .map_err(|e| r.nonsense(e, "a month"))?,
                ahead: SignedDuration::from_secs(r.integer(3)?),
            });
        }
        Ok(told)
    }
}
