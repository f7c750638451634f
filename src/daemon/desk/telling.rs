//! What the desk tells of itself: to whoever watches, and in one line to systemd.

use jiff::Timestamp;

use super::{Desk, Done, EndedBadly, Job, Phase, RunError, systemd};
use crate::model::{AttemptStatus, RunReport};

impl Desk {
    /// What a piece of work came to, for whoever watches.
    pub(super) fn tell_of(&mut self, done: &Done, now: Timestamp) {
        let good = done.went_through();
        if done.work.charges() {
            self.last_run = in_words(done).or(self.last_run.take());
        }
        self.standing.send_modify(|standing| {
            standing.worked += 1;
            standing.trouble = done.error.as_ref().map(ToString::to_string);
            standing.totals.ended(done.work.name(), done.failed());
            if let Some(report) = &done.report {
                standing.totals.add(report, done.work.charges());
            }
            if let Some(asked) = done.asked_the_provider() {
                standing.provider_trouble = asked.err();
            }
            standing.last_good_run_at = if good { Some(now) } else { standing.last_good_run_at };
            if done.work.charges() && done.report.is_some() {
                standing.last_run.clone_from(&done.report);
            }
        });
    }

    /// What was done beside the work: what it settled, or why it failed.
    pub(super) fn tell_beside(&self, done: &Done) {
        self.standing.send_modify(|standing| {
            if let Some(report) = &done.report {
                standing.totals.add(report, false);
            }
            standing.trouble = done.error.as_ref().map(ToString::to_string).or(standing.trouble.take());
            if let Some(Err(why)) = done.asked_the_provider() {
                standing.provider_trouble = Some(why);
            }
            standing.totals.ended(done.work.name(), done.failed());
        });
    }

    /// How much is due now but for what a standing flag explains, and when something is next.
    pub(super) async fn look_at_due(&mut self) -> Result<(), EndedBadly> {
        let now = self.wishes.billing.clock.now();
        let look = self.wishes.billing.lane.run(move |store| {
            let due = store.due_now(now)?;
            store.next_wake(now).map(|next| (due.count, next))
        });
        let (due, next) = look.await.map_err(RunError::from)?.map_err(RunError::from)?;
        self.due_now = due;
        self.standing.send_modify(|standing| standing.next_due = next);
        Ok(())
    }

    /// Everything is in place, as it stands now.
    pub(super) fn tell_ready(&self) {
        let status = self.status();
        systemd::ready(&status);
        self.memory.told(&status);
    }

    /// Tells how it stands, to whoever watches and, when it changed, to systemd.
    pub(super) fn publish(&mut self) {
        let now = (self.under_way.as_ref().map(|(work, _)| work.name()), self.considered);
        self.busy.send_if_modified(|busy| std::mem::replace(busy, now.0.is_some()) != now.0.is_some());
        let (post, failed) = (Job::Notifications.name(), self.office.failures());
        self.standing.send_if_modified(|standing| {
            let changed = (standing.busy, standing.considered) != now;
            (standing.busy, standing.considered) = now;
            changed | (standing.totals.failures.insert(post, failed) != Some(failed))
        });
        self.memory.tell(&self.status());
    }

    /// How it stands, in one line.
    pub(super) fn status(&self) -> String {
        let standing = self.standing.borrow();
        let zone = &self.wishes.billing.settings.zone;
        let show = |at: Timestamp| zone.at(at).strftime("%Y-%m-%d %H:%M %Q").to_string();
        let mut parts = vec![match (standing.phase, standing.busy) {
            (Phase::Recovering, _) => "looking up old doubt".to_owned(),
            (Phase::Stopping, _) => "stopping: calls in flight are waited for".to_owned(),
            (Phase::Serving, Some(work)) => format!("at work: {work}"),
            (Phase::Serving, None) => "waiting".to_owned(),
        }];
        let beside: Vec<&str> = self.beside.iter().map(|job| job.name()).collect();
        parts.extend((!beside.is_empty()).then(|| format!("beside that: {}", beside.join(", "))));
        parts.extend(standing.refused_config.as_ref().map(|why| {
            let first = why.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
            let place = why.lines().find_map(|line| line.trim_start().strip_prefix("--> "));
            let place = place.map(|place| format!(" ({place})")).unwrap_or_default();
            format!("new config refused, the old one stays: {first}{place}")
        }));
        parts.extend(standing.clock_trouble.clone());
        parts.extend(standing.book_trouble.as_ref().map(|why| format!("trouble with the book: {why}")));
        parts.extend(self.office.trouble().map(|why| format!("messages wait: {why}")));
        let last_run = self.last_run.as_deref().unwrap_or_default();
        let trouble = standing.trouble.as_ref().filter(|why| !last_run.contains(why.as_str()));
        parts.extend(trouble.map(|why| format!("last failed: {why}")));
        parts.extend(self.pause());
        parts.extend((self.due_now > 0).then(|| format!("{} due now", self.due_now)));
        parts.extend(standing.next_due.map(|at| format!("next due {}", show(at))));
        parts.extend(standing.next_look.map(|at| format!("next look {}", show(at))));
        parts.extend(self.last_run.clone());
        parts.join("; ")
    }

    /// That nothing is charged because somebody wishes so; `None`: nobody does.
    fn pause(&self) -> Option<String> {
        let billing = &self.wishes.billing;
        let file = billing.settings.brakes.pause_file.as_ref().filter(|_| (billing.paused)())?;
        Some(format!("paused: nothing is charged while {} exists", file.display()))
    }
}

/// What a run came to; `None`: nothing is known of it.
fn in_words(done: &Done) -> Option<String> {
    let counts = done.report.as_ref().filter(|report| report.considered > 0).map(counts);
    match (done.failure(), &done.report) {
        (Some(why), _) => {
            let counts = counts.map(|counts| format!(" ({counts})")).unwrap_or_default();
            let what = if done.waits() { "waits" } else { "failed" };
            Some(format!("last run {what}: {why}{counts}"))
        }
        (None, Some(report)) => {
            let stopped = report.stopped_by.map(|why| format!(", stopped: {}", plain(why.word())));
            Some(format!("last run {}: {}{}", report.run, self::counts(report), stopped.unwrap_or_default()))
        }
        (None, None) => None,
    }
}

/// How many were looked at, and what became of the charges: a decline is no charge that was made.
fn counts(report: &RunReport) -> String {
    let always = [AttemptStatus::Succeeded, AttemptStatus::Declined];
    let sent =
        AttemptStatus::ALL.iter().filter(|status| always.contains(status) || report.sent(**status) > 0);
    let sent = sent.map(|status| format!("{} {}", report.sent(*status), plain(status.word())));
    let all: Vec<_> = std::iter::once(format!("{} considered", report.considered)).chain(sent).collect();
    all.join(", ")
}

fn plain(word: &str) -> String {
    word.replace('_', " ")
}
