//! Runs that others ask the service for, and when its own jobs last began.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, params};

use super::super::{RunProgress, RunRequest, RunState};
use super::book::Book;
use super::columns::seconds;
use super::fault::{Fault, Outcome};

/// Requests that are kept; older ones are forgotten.
const MOST_REQUESTS: i64 = 1_000;

/// Number, billing instant, id, limit.
type RequestRow = (i64, Option<i64>, Option<String>, Option<i64>);

impl Book {
    pub(super) fn job_began(&self, job: &str) -> Outcome<Option<Timestamp>> {
        let mut find = self.sql("SELECT began FROM jobs WHERE name = ?1")?;
        let began: Option<i64> = find.query_row([job], |row| row.get(0)).optional()?;
        began.map(|ms| Timestamp::from_millisecond(ms).map_err(|e| Fault::broken(e.to_string()))).transpose()
    }

    pub(super) fn note_job(&self, job: &str, began: Timestamp) -> Outcome<()> {
        self.sql(
            "INSERT INTO jobs (name, began) VALUES (?1, ?2) \
             ON CONFLICT (name) DO UPDATE SET began = excluded.began",
        )?
        .execute(params![job, began.as_millisecond()])?;
        Ok(())
    }

    pub(super) fn ask_run(&self, wish: &RunRequest, asked: Timestamp) -> Outcome<i64> {
        let limit = wish.limit.map(|limit| i64::try_from(limit).unwrap_or(i64::MAX));
        let row = self
            .sql("INSERT INTO run_requests (asked, at, only_id, charges) VALUES (?1, ?2, ?3, ?4)")?
            .insert(params![asked.as_millisecond(), wish.at.map(seconds), wish.only, limit])?;
        self.sql("DELETE FROM run_requests WHERE row <= ?1")?.execute([row - MOST_REQUESTS])?;
        Ok(row)
    }

    pub(super) fn still_asks(&self, id: i64, now: Timestamp) -> Outcome<()> {
        self.sql("UPDATE run_requests SET asked = ?2 WHERE row = ?1 AND ended IS NULL")?
            .execute(params![id, now.as_millisecond()])?;
        Ok(())
    }

    pub(super) fn withdraw_run(&self, id: i64, now: Timestamp) -> Outcome<bool> {
        let ended = self
            .sql("UPDATE run_requests SET ended = ?2 WHERE row = ?1 AND taken IS NULL AND ended IS NULL")?
            .execute(params![id, now.as_millisecond()])?;
        Ok(ended > 0)
    }

    pub(super) fn take_run(&self, asked_since: Timestamp, taken: Timestamp) -> Outcome<Option<RunRequest>> {
        self.sql("UPDATE run_requests SET ended = ?2 WHERE taken IS NULL AND ended IS NULL AND asked < ?1")?
            .execute([asked_since.as_millisecond(), taken.as_millisecond()])?;
        let mut take = self.sql(
            "UPDATE run_requests SET taken = ?1 WHERE row = \
             (SELECT min(row) FROM run_requests WHERE taken IS NULL AND ended IS NULL) \
             RETURNING row, at, only_id, charges",
        )?;
        let found: Option<RequestRow> = take
            .query_row([taken.as_millisecond()], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })
            .optional()?;
        let Some((id, at, only, limit)) = found else { return Ok(None) };
        let at = at.map(Timestamp::from_second).transpose().map_err(|e| Fault::broken(e.to_string()))?;
        Ok(Some(RunRequest { id, at, only, limit: limit.and_then(|limit| u64::try_from(limit).ok()) }))
    }

    pub(super) fn runs_wait(&self) -> Outcome<bool> {
        let mut find =
            self.sql("SELECT EXISTS (SELECT 1 FROM run_requests WHERE taken IS NULL AND ended IS NULL)")?;
        Ok(find.query_row([], |row| row.get(0))?)
    }

    pub(super) fn give_back_runs(&self, asked_before: Timestamp, now: Timestamp) -> Outcome<()> {
        self.sql("UPDATE run_requests SET ended = ?2 WHERE ended IS NULL AND asked < ?1")?
            .execute([asked_before.as_millisecond(), now.as_millisecond()])?;
        self.sql("UPDATE run_requests SET taken = NULL WHERE ended IS NULL AND taken IS NOT NULL")?
            .execute([])?;
        Ok(())
    }

    pub(super) fn tell_run(&self, id: i64, progress: Option<&RunProgress>) -> Outcome<()> {
        let whole = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        self.sql("UPDATE run_requests SET part = ?2, done = ?3, total = ?4 WHERE row = ?1")?.execute(
            params![
                id,
                progress.map(|p| p.part.as_str()),
                progress.map(|p| whole(p.done)),
                progress.and_then(|p| p.total).map(whole),
            ],
        )?;
        Ok(())
    }

    pub(super) fn end_run(&self, id: i64, report: Option<&str>, ended: Timestamp) -> Outcome<()> {
        self.sql("UPDATE run_requests SET ended = ?2, report = ?3 WHERE row = ?1 AND ended IS NULL")?
            .execute(params![id, ended.as_millisecond(), report])?;
        Ok(())
    }

    /// Forgets requests that ended before that; returns how many.
    pub(super) fn forget_requests(&self, ended_before: Timestamp) -> Outcome<u64> {
        let gone = self
            .sql("DELETE FROM run_requests WHERE ended < ?1")?
            .execute([ended_before.as_millisecond()])?;
        Ok(gone as u64)
    }

    /// Renews the planner's figures; writes the journal back and empties it, unless somebody still reads from it.
    pub(super) fn tidy(&self) -> Outcome<()> {
        self.conn.execute_batch("PRAGMA optimize")?;
        // Whoever reads for long is not waited for: the next time does it.
        self.conn.busy_timeout(Duration::ZERO)?;
        let emptied = self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        self.conn.busy_timeout(self.busy_wait)?;
        emptied?;
        Ok(())
    }

    pub(super) fn run_state(&self, id: i64) -> Outcome<Option<RunState>> {
        let mut find =
            self.sql("SELECT taken, ended, report, part, done, total FROM run_requests WHERE row = ?1")?;
        let whole = |n: Option<i64>| n.and_then(|n| u64::try_from(n).ok());
        let state = find.query_row([id], |row| {
            let part: Option<String> = row.get(3)?;
            let (done, total) = (whole(row.get(4)?), whole(row.get(5)?));
            Ok(RunState {
                taken: row.get::<_, Option<i64>>(0)?.is_some(),
                ended: row.get::<_, Option<i64>>(1)?.is_some(),
                report: row.get(2)?,
                progress: part.map(|part| RunProgress { part, done: done.unwrap_or(0), total }),
            })
        });
        Ok(state.optional()?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::SqliteStore;
    use super::*;
    use crate::store::Store as _;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_request_is_taken_once_told_of_and_ended_once() {
        let mut store = SqliteStore::in_memory().unwrap();
        let wish = RunRequest { at: Some(at(7)), only: Some("sub_1".into()), limit: Some(3), id: 0 };
        let id = store.ask_run(&wish, at(100)).unwrap();
        assert!(store.runs_wait().unwrap());
        assert_eq!(store.take_run(at(0), at(101)).unwrap(), Some(RunRequest { id, ..wish }));
        assert_eq!((store.take_run(at(0), at(102)).unwrap(), store.runs_wait().unwrap()), (None, false));
        let progress = RunProgress { part: "charges".into(), done: 2, total: None };
        store.tell_run(id, Some(&progress)).unwrap();
        let told = store.run_state(id).unwrap().unwrap();
        assert_eq!((told.taken, told.ended, told.progress), (true, false, Some(progress)));
        store.end_run(id, Some("{}"), at(103)).unwrap();
        store.end_run(id, None, at(104)).unwrap();
        let ended = store.run_state(id).unwrap().unwrap();
        assert_eq!((ended.ended, ended.report.as_deref()), (true, Some("{}")));
        assert_eq!(store.run_state(id + 1).unwrap(), None);
    }

    #[test]
    fn what_a_dead_process_had_taken_waits_again_unless_it_is_stale() {
        let mut store = SqliteStore::in_memory().unwrap();
        let wish = RunRequest::default();
        let stale = store.ask_run(&wish, at(100)).unwrap();
        let fresh = store.ask_run(&wish, at(200)).unwrap();
        while store.take_run(at(0), at(201)).unwrap().is_some() {}
        store.give_back_runs(at(150), at(300)).unwrap();
        let ended = store.run_state(stale).unwrap().unwrap();
        assert_eq!((ended.ended, ended.report), (true, None));
        assert_eq!(store.take_run(at(0), at(301)).unwrap().map(|request| request.id), Some(fresh));
    }

    #[test]
    fn a_request_whose_asker_has_gone_is_never_taken_and_one_that_is_withdrawn_neither() {
        let mut store = SqliteStore::in_memory().unwrap();
        let ids = [100, 100, 190].map(|asked| store.ask_run(&RunRequest::default(), at(asked)).unwrap());
        store.still_asks(ids[1], at(180)).unwrap();
        assert!(store.withdraw_run(ids[2], at(195)).unwrap());
        assert!(!store.withdraw_run(ids[2], at(196)).unwrap(), "it is over");
        assert_eq!(store.take_run(at(150), at(200)).unwrap().map(|request| request.id), Some(ids[1]));
        assert_eq!(store.take_run(at(150), at(201)).unwrap(), None);
        assert!(!store.withdraw_run(ids[1], at(202)).unwrap(), "somebody has taken it");
        let states = ids.map(|id| store.run_state(id).unwrap().unwrap());
        assert_eq!(
            states.map(|state| (state.taken, state.ended)),
            [(false, true), (true, false), (false, true)]
        );
    }

    #[test]
    fn tidying_forgets_what_ended_long_ago_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dues.db");
        let options = super::super::OpenOptions { create: true, ..super::super::OpenOptions::default() };
        let mut store = SqliteStore::open(&path, options).unwrap();
        let ids = [100, 200, 300].map(|asked| store.ask_run(&RunRequest::default(), at(asked)).unwrap());
        store.end_run(ids[0], None, at(150)).unwrap();
        store.end_run(ids[1], None, at(250)).unwrap();
        assert_eq!(store.tidy(at(250)).unwrap(), 1);
        assert_eq!(ids.map(|id| store.run_state(id).unwrap().is_some()), [false, true, true]);
        let journal = std::fs::metadata(folder.path().join("dues.db-wal")).unwrap();
        assert_eq!(journal.len(), 0, "the journal was written back");
        // Beside somebody who reads for long it does what it can, at once.
        let reader = rusqlite::Connection::open(&path).unwrap();
        reader.execute_batch("BEGIN; SELECT count(*) FROM run_requests").unwrap();
        store.note_job("x", at(1)).unwrap();
        let began = crate::clock::Stopwatch::start();
        store.tidy(at(0)).unwrap();
        assert!(began.elapsed() < Duration::from_secs(5));
        reader.execute_batch("COMMIT").unwrap();
    }

    #[test]
    fn a_job_remembers_when_it_last_began() {
        let mut store = SqliteStore::in_memory().unwrap();
        assert_eq!(store.job_began("billing").unwrap(), None);
        store.note_job("billing", at(5)).unwrap();
        store.note_job("billing", at(9)).unwrap();
        assert_eq!((store.job_began("billing").unwrap(), store.job_began("x").unwrap()), (Some(at(9)), None));
    }
}
