//! Events of the provider that were acted upon.

use jiff::Timestamp;
use rusqlite::params;

use super::book::Book;
use super::columns::seconds;
use super::fault::Outcome;

impl Book {
    /// As `Store::note_webhooks` says.
    pub(super) fn note_webhooks(&self, ids: &[String], at: Timestamp, keep: usize) -> Outcome<()> {
        let mut insert =
            self.sql("INSERT INTO webhook_events (id, at) VALUES (?1, ?2) ON CONFLICT (id) DO NOTHING")?;
        for id in ids {
            insert.execute(params![id, seconds(at)])?;
        }
        let keep = i64::try_from(keep).unwrap_or(i64::MAX);
        self.sql(
            "DELETE FROM webhook_events WHERE row <= \
             (SELECT row FROM webhook_events ORDER BY row DESC LIMIT 1 OFFSET ?1)",
        )?
        .execute([keep])?;
        Ok(())
    }

    /// As `Store::noted_webhooks` says.
    pub(super) fn noted_webhooks(&self) -> Outcome<Vec<String>> {
        let mut find = self.sql("SELECT id FROM webhook_events ORDER BY row")?;
        let rows = find.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
