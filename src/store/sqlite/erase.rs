//! Erasing a customer: what is personal goes, what is money stays.
//!
//! Promises: all of it in one transaction; what was blanked is not left to be read in the file or its journal, unless
//! somebody reads the book at that very moment: then the journal keeps it until its next turn.
//! Must never know: why, and what the provider was told.

use jiff::Timestamp;
use rusqlite::params;

use super::super::StoreError;
use super::book::Book;
use super::codes::Coded as _;
use super::columns::seconds;
use super::fault::Outcome;
use crate::model::{CustomerId, CustomerState, EventKind, SubscriptionStatus};

/// What a person typed about a subscription stands in the `reason` of these; those of money keep theirs.
const TYPED_BY_PEOPLE: [EventKind; 6] = [
    EventKind::SubscriptionChanged,
    EventKind::SubscriptionPaused,
    EventKind::SubscriptionResumed,
    EventKind::CancelScheduled,
    EventKind::SubscriptionCanceled,
    EventKind::RetryRequested,
];

impl Book {
    /// As `Store::erase_customer` says.
    pub(super) fn erase_customer(&self, id: &CustomerId, at: Timestamp) -> Outcome<bool> {
        let Some(row) = self.find_customer(id)? else { return Ok(false) };
        if let Some(found) = self.in_the_way(row)? {
            return Err(StoreError::Unsettled { customer: id.to_string(), found }.into());
        }
        self.sql(
            "UPDATE customers SET state = ?2, default_card = NULL, erased_at = coalesce(erased_at, ?3), \
             version = version + 1 WHERE row = ?1",
        )?
        .execute(params![row, CustomerState::Gone.code(), seconds(at)])?;
        for blank in [
            "UPDATE cards SET place = NULL, brand = '', last_digits = '', expires = NULL, fingerprint = NULL \
             WHERE row BETWEEN ?1 << 16 AND (?1 << 16) | 65535",
            "DELETE FROM card_warnings WHERE card BETWEEN ?1 << 16 AND (?1 << 16) | 65535",
            "UPDATE declines SET fingerprint = NULL WHERE customer = ?1",
            "UPDATE flags SET detail = '' WHERE subscription IN (SELECT row FROM subscriptions WHERE customer = ?1)",
            "UPDATE subscriptions SET metadata = NULL, version = version + 1 \
             WHERE customer = ?1 AND metadata IS NOT NULL",
        ] {
            self.sql(blank)?.execute([row])?;
        }
        self.blank_diary(row)?;
        self.blank_messages(row, at)?;
        Ok(true)
    }

    /// Of the texts that came with events, those that describe a card, and those that people typed.
    fn blank_diary(&self, customer_row: i64) -> Outcome<()> {
        let mut blank = self.sql(
            "UPDATE event_data SET data = json_remove(data, ?3) WHERE seq IN \
             (SELECT e.seq FROM events e JOIN subscriptions s ON s.row = e.subscription \
             WHERE s.customer = ?1 AND e.kind = ?2)",
        )?;
        for kind in [EventKind::FlagRaised, EventKind::CardExpiring] {
            blank.execute(params![customer_row, kind.code(), "$.detail"])?;
        }
        for kind in TYPED_BY_PEOPLE {
            blank.execute(params![customer_row, kind.code(), "$.reason"])?;
        }
        Ok(())
    }

    /// Why that customer cannot be erased yet; `None`: nothing is in the way.
    fn in_the_way(&self, customer_row: i64) -> Outcome<Option<&'static str>> {
        let unfinished = self
            .sql(
                "SELECT 1 FROM attempts a INDEXED BY attempts_one_unfinished JOIN invoices v ON v.row = a.row >> 16 \
                 JOIN subscriptions s ON s.row = v.subscription \
                 WHERE a.status NOT BETWEEN 1 AND 5 AND s.customer = ?1",
            )?
            .exists([customer_row])?;
        let living = self
            .sql("SELECT 1 FROM subscriptions WHERE customer = ?1 AND status <> ?2")?
            .exists(params![customer_row, SubscriptionStatus::Canceled.code()])?;
        Ok(match (unfinished, living) {
            (true, _) => Some("an attempt that is unfinished"),
            (false, true) => Some("a subscription that has not ended"),
            (false, false) => None,
        })
    }

    /// Does something whose old contents are overwritten in the file, and empties the journal that held them.
    pub(super) fn overwriting<T>(&self, write: impl FnOnce() -> T) -> Outcome<T> {
        self.conn.query_row("PRAGMA secure_delete = ON", [], |_| Ok(()))?;
        let done = write();
        self.conn.query_row("PRAGMA secure_delete = OFF", [], |_| Ok(()))?;
        self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(done)
    }
}
