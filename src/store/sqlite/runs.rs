//! The book's own facts, its bindings, its epochs, and the runs it has seen.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, params};

use super::super::{BookFacts, HostBinding, StoreError};
use super::book::Book;
use super::codes::Coded as _;
use super::columns::{Reader, millis, seconds};
use super::fault::{Fault, Outcome};
use super::hot::Hot;
use crate::model::{AttemptStatus, Epoch, EventKind, Installation, NewEvent, RunId, Zone};

/// Runs whose reports are kept; older ones are forgotten, a run every five minutes being 105,000 a year.
const MOST_RUNS: i64 = 10_000;

impl Book {
    pub(super) fn facts(&self) -> Outcome<BookFacts> {
        let schema: i64 = self.sql("PRAGMA user_version")?.query_row([], |row| row.get(0))?;
        let mut find = self.sql(
            "SELECT one, installation, livemode, machine, path, zone, epoch, created_at, commits, \
             (SELECT coalesce(max(number), 0) FROM runs), provider_seen FROM book",
        )?;
        let mut rows = find.query([])?;
        let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        let r = Reader::new("book", row)?;
        let zone = |name: String| Zone::parse(&name).map_err(|_| r.nonsense(&name, "an IANA zone"));
        let (machine, path): (Option<String>, Option<String>) = (r.get(3)?, r.get(4)?);
        Ok(BookFacts {
            installation: Installation(r.get(1)?),
            livemode: r.get(2)?,
            host: machine.zip(path).map(|(machine, path)| HostBinding { machine, path }),
            zone: r.get::<Option<String>>(5)?.map(zone).transpose()?,
            epoch: Epoch(r.integer(6)?),
            created_at: r.instant(7)?,
            schema,
            runs: r.integer(9)?,
            commits: r.integer(8)?,
            provider_seen: r.maybe_instant(10)?,
        })
    }

    pub(super) fn bind_mode(&self, livemode: bool) -> Outcome<()> {
        let bound: Option<bool> = self.sql("SELECT livemode FROM book")?.query_row([], |row| row.get(0))?;
        match bound {
            Some(bound) if bound != livemode => {
                let word = |live| if live { "live" } else { "test" };
                Err(StoreError::WrongMode { found: word(livemode), wanted: word(bound) }.into())
            }
            Some(_) => Ok(()),
            None => {
                self.sql("UPDATE book SET livemode = ?1")?.execute([livemode])?;
                Ok(())
            }
        }
    }

    pub(super) fn bind_host(&self, host: &HostBinding) -> Outcome<()> {
        self.sql("UPDATE book SET machine = ?1, path = ?2")?.execute([&host.machine, &host.path])?;
        Ok(())
    }

    pub(super) fn set_zone(&self, zone: &Zone) -> Outcome<()> {
        self.sql("UPDATE book SET zone = ?1 WHERE zone IS NOT ?1")?.execute([zone.name()])?;
        Ok(())
    }

    /// As `Store::begin_epoch` says.
    pub(super) fn begin_epoch(
        &self,
        at: Timestamp,
        wall: Timestamp,
        provider_now: Option<Timestamp>,
    ) -> Outcome<(Epoch, u64)> {
        let epoch: i64 =
            self.sql("UPDATE book SET epoch = epoch + 1 RETURNING epoch")?.query_row([], |row| row.get(0))?;
        let orphans = self.orphans(epoch)?;
        for (attempt, subscription, index, number) in &orphans {
            let in_doubt = AttemptStatus::InDoubt.code();
            self.sql("UPDATE attempts SET status = ?2 WHERE row = ?1")?.execute([*attempt, in_doubt])?;
            self.sql("UPDATE intents SET deadline = ?2, doubt_since = ?3, reason = ?4 WHERE attempt = ?1")?
                .execute(params![
                attempt,
                millis(provider_now),
                wall.as_millisecond(),
                "the process that was sending it ended before it wrote down an answer",
            ])?;
            let id = crate::model::InvoiceId::new(
                crate::model::SubscriptionId::parse(subscription)
                    .map_err(|e| Fault::broken(e.to_string()))?,
                *index,
            );
            self.append_event(
                &Hot::new(&self.conn),
                &NewEvent {
                    at,
                    kind: EventKind::AttemptInDoubt,
                    subscription: Some(id.subscription.clone()),
                    data: Some(serde_json::json!({ "attempt": format!("{id}.{number}") }).to_string().into()),
                    invoice: Some(id),
                },
            )?;
        }
        Ok((Epoch(epoch), u64::try_from(orphans.len()).unwrap_or(u64::MAX)))
    }

    /// Attempts that an older process left `intended`: row, subscription, index, number.
    fn orphans(&self, epoch: i64) -> Outcome<Vec<(i64, String, u32, u32)>> {
        let mut find = self.sql(
            "SELECT a.row, s.id, v.idx, a.number FROM intents i CROSS JOIN attempts a ON a.row = i.attempt \
             JOIN invoices v ON v.row = a.row >> 16 JOIN subscriptions s ON s.row = v.subscription \
             WHERE a.status = 0 AND i.epoch < ?1 ORDER BY i.intended_at, a.row",
        )?;
        let rows = find.query_map([epoch], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Inside a transaction: the book has every charge of its own up to that provider time. An earlier one changes
    /// nothing.
    pub(super) fn note_provider_time(&self, seen: Timestamp) -> Outcome<()> {
        self.sql("UPDATE book SET provider_seen = ?1 WHERE provider_seen IS NULL OR provider_seen < ?1")?
            .execute([seconds(seen)])?;
        Ok(())
    }

    pub(super) fn open_run(&self, at: Timestamp, wall: Timestamp) -> Outcome<RunId> {
        let number = self
            .sql("INSERT INTO runs (at, wall) VALUES (?1, ?2)")?
            .insert([seconds(at), wall.as_millisecond()])?;
        self.sql("DELETE FROM runs WHERE number <= ?1")?.execute([number - MOST_RUNS])?;
        run_id(number)
    }

    pub(super) fn close_run(&self, run: &RunId, report: &str, wall: Timestamp) -> Outcome<()> {
        let number: Option<i64> = run.as_str().strip_prefix("run-").and_then(|n| n.parse().ok());
        let changed = self
            .sql("UPDATE runs SET report = ?2, ended = ?3 WHERE number = ?1")?
            .execute(params![number, report, wall.as_millisecond()])?;
        if changed == 0 { Err(Fault::conflict(run)) } else { Ok(()) }
    }

    pub(super) fn last_run(&self) -> Outcome<Option<(RunId, Timestamp, Option<String>)>> {
        let mut find = self.sql("SELECT number, at, report FROM runs ORDER BY number DESC LIMIT 1")?;
        let found: Option<(i64, i64, Option<String>)> =
            find.query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
        let Some((number, at, report)) = found else { return Ok(None) };
        let at = Timestamp::from_second(at).map_err(|e| Fault::broken(e.to_string()))?;
        Ok(Some((run_id(number)?, at, report)))
    }
}

fn run_id(number: i64) -> Outcome<RunId> {
    RunId::parse(&format!("run-{number}")).map_err(|e| Fault::broken(e.to_string()))
}
