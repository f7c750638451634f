//! What is due: asked of the timetable and of the book, whatever tick or beat brought it up.

use super::{Desk, EndedBadly, Job, RunError, Work, recover};

impl Desk {
    /// Asks what is due; at the next beat again, if the book does not say now.
    pub(super) async fn consider(&mut self) -> Result<(), EndedBadly> {
        let asked = self.ask_what_is_due().await;
        self.bear(asked)
    }

    pub(super) async fn ask_what_is_due(&mut self) -> Result<(), EndedBadly> {
        self.considered_at = None;
        let billing = &self.wishes.billing;
        let (now, steady) = (billing.clock.now(), billing.clock.steady());
        let trouble = self.clock_trouble();
        if let Some(why) = &trouble {
            tracing::error!("{why}");
        }
        let jobs: Vec<Job> = self.wishes.timetable.jobs().collect();
        let last = billing.lane.run(move |store| {
            let began = |job: Job| store.job_began(job.name()).map(|last| (job, last));
            jobs.into_iter().map(began).collect::<Result<Vec<_>, _>>()
        });
        let last = last.await.map_err(RunError::from)?.map_err(RunError::from)?;
        for (job, last) in &last {
            if !self.runs(*job) && self.wishes.timetable.is_due(*job, *last, now) {
                self.waiting.insert(*job);
            }
        }
        if self.waiting.remove(&Job::Notifications) {
            self.office.fell_due(&self.wishes.post, now).await?;
        }
        let billing = &self.wishes.billing;
        // Looking doubt up compares the clocks.
        self.look_up_doubt |= trouble.is_some();
        self.look_up_doubt |= recover::next_look(billing).await?.is_some_and(|look| look <= now);
        self.look_at_due().await?;
        let next_look = self.wishes.timetable.next_of_all(now);
        self.considered_at = Some(steady);
        self.considered += 1;
        self.standing.send_modify(|standing| {
            standing.clock_trouble = trouble;
            standing.next_look = next_look;
            standing.jobs = last.into_iter().map(|(job, last)| (job.name(), last)).collect();
        });
        Ok(())
    }

    /// Whether that job is being done at this moment.
    pub(super) fn runs(&self, job: Job) -> bool {
        let alone = matches!(&self.under_way, Some((Work::Job(running), _)) if *running == job);
        alone || self.beside.contains(&job)
    }
}
