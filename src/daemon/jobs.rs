//! Which job is due: cron words in the true zone against the last time the job was done, as the book has it.
//!
//! Promises: a function of words, zone, last time and now alone, so that it does not matter when, or how often, it is
//! asked. Must never know what a job does.

use jiff::Timestamp;

use crate::model::{CronWords, Zone};

/// What the service does by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Job {
    /// A billing run: doubt, retries, everything due.
    Billing,
    /// Cards about to end.
    CardWatch,
    /// Our attempts against the provider's charges.
    Reconcile,
    /// What happened since, for those who are to be told.
    Notifications,
    /// What a book that runs for years needs now and then.
    Housekeeping,
    /// A copy of the book.
    Backup,
}

impl Job {
    /// All of them, the most urgent first.
    pub const ALL: [Self; 6] = [
        Self::Billing,
        Self::CardWatch,
        Self::Reconcile,
        Self::Notifications,
        Self::Housekeeping,
        Self::Backup,
    ];

    /// Its name in the book and in the config.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Billing => "billing",
            Self::CardWatch => "card_watch",
            Self::Reconcile => "reconcile",
            Self::Notifications => "notifications",
            Self::Housekeeping => "housekeeping",
            Self::Backup => "backup",
        }
    }

    /// Whether it is done beside the others, since it charges nobody and may take long. Each such job waits for itself
    /// alone; one that asks the provider steps aside while other work is under way.
    pub const fn is_beside(self) -> bool {
        matches!(self, Self::Backup | Self::CardWatch | Self::Reconcile)
    }
}

/// When each job is due.
#[derive(Clone, Debug)]
pub struct Timetable {
    zone: Zone,
    crons: Vec<(Job, CronWords)>,
}

impl Timetable {
    /// Reads the words, six for each job, seconds first, which mean local times of that zone. A job that is not among
    /// them is never due.
    ///
    /// # Errors
    /// A sentence that names the job whose words make no sense.
    pub fn new(zone: Zone, words: &[(Job, &str)]) -> Result<Self, String> {
        let parse = |&(job, text): &(Job, &str)| {
            let cron = CronWords::parse(text).map_err(|why| {
                format!("schedule.{}: found {text:?} ({why}), wanted six cron words", job.name())
            })?;
            Ok::<_, String>((job, cron))
        };
        Ok(Self { zone, crons: words.iter().map(parse).collect::<Result<_, _>>()? })
    }

    /// The jobs that are wished, the most urgent first.
    pub fn jobs(&self) -> impl Iterator<Item = Job> + '_ {
        Job::ALL.into_iter().filter(|job| self.crons.iter().any(|(known, _)| known == job))
    }

    /// The first time of the job after that instant; `None`: there is none.
    pub fn next(&self, job: Job, after: Timestamp) -> Option<Timestamp> {
        let (_, cron) = self.crons.iter().find(|(known, _)| *known == job)?;
        cron.next(&self.zone, after)
    }

    /// Whether a time of the job has come since it was last begun. One that never was is due; so is one that was
    /// begun in the future, by a clock that was wrong. One that is not wished is not.
    pub fn is_due(&self, job: Job, last: Option<Timestamp>, now: Timestamp) -> bool {
        match last {
            _ if self.jobs().all(|known| known != job) => false,
            Some(last) if last <= now => self.next(job, last).is_some_and(|next| next <= now),
            _ => true,
        }
    }

    /// The first time of any job after that instant.
    pub fn next_of_all(&self, after: Timestamp) -> Option<Timestamp> {
        Job::ALL.into_iter().filter_map(|job| self.next(job, after)).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(zone: &str, billing: &str) -> Timetable {
        let words = [(Job::Billing, billing), (Job::Reconcile, "0 15 4 * * *")];
        Timetable::new(Zone::parse(zone).unwrap(), &words).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// Every time a minute's tick finds the job due, the job being done at once.
    fn done(table: &Timetable, from: &str, minutes: i64) -> Vec<String> {
        let mut last = Some(at(from));
        let mut found = Vec::new();
        for minute in 0..minutes {
            let now = at(from) + jiff::SignedDuration::from_mins(minute);
            if table.is_due(Job::Billing, last, now) {
                found.push(now.to_string());
                last = Some(now);
            }
        }
        found
    }

    #[test]
    fn a_time_that_comes_twice_is_served_once() {
        // New York, 1 November 2026: 01:30 happens at 05:30Z and at 06:30Z.
        let table = table("America/New_York", "0 30 1 * * *");
        let days = done(&table, "2026-10-31T00:00:00Z", 3 * 24 * 60);
        assert_eq!(days, ["2026-10-31T05:30:00Z", "2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"]);
    }

    #[test]
    fn a_time_that_does_not_come_is_served_after_the_gap() {
        // New York, 8 March 2026: 02:30 does not happen.
        let table = table("America/New_York", "0 30 2 * * *");
        let days = done(&table, "2026-03-07T00:00:00Z", 3 * 24 * 60);
        assert_eq!(days.len(), 3, "{days:?}");
        assert_eq!(days[0], "2026-03-07T07:30:00Z");
        assert_eq!(days[2], "2026-03-09T06:30:00Z");
        let gap = at("2026-03-08T07:00:00Z");
        assert!(at(&days[1]) >= gap && at(&days[1]) <= gap + jiff::SignedDuration::from_mins(30), "{days:?}");
    }

    #[test]
    fn a_job_is_due_once_however_many_times_were_missed() {
        let table = table("Asia/Bangkok", "0 */5 * * * *");
        let (last, now) = (at("2026-11-01T00:00:00Z"), at("2026-11-05T00:03:00Z"));
        assert!(table.is_due(Job::Billing, Some(last), now));
        assert!(!table.is_due(Job::Billing, Some(now), now), "asked twice in one instant");
        assert!(!table.is_due(Job::Billing, Some(now), at("2026-11-05T00:04:59Z")));
        assert!(table.is_due(Job::Billing, Some(now), at("2026-11-05T00:05:00Z")));
        assert!(table.is_due(Job::Billing, None, now), "never done");
        assert!(table.is_due(Job::Billing, Some(at("2031-01-01T00:00:00Z")), now), "done by a wrong clock");
    }

    #[test]
    fn a_job_that_is_not_wished_is_never_due() {
        let table = table("Asia/Bangkok", "0 */5 * * * *");
        let now = at("2026-11-05T00:03:00Z");
        assert!(table.is_due(Job::Reconcile, None, now));
        assert!(!table.is_due(Job::Backup, None, now) && table.next(Job::Backup, now).is_none());
        assert_eq!(table.jobs().collect::<Vec<_>>(), [Job::Billing, Job::Reconcile]);
    }

    #[test]
    fn words_that_make_no_sense_are_named() {
        let why = Timetable::new(Zone::UTC, &[(Job::Billing, "soon")]).unwrap_err();
        assert!(why.starts_with("schedule.billing:"), "{why}");
    }
}
