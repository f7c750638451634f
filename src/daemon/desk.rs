//! The loop: takes ticks, orders and requests, does one piece of work at a time, and tells how it stands.

use std::collections::BTreeSet;
use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use super::jobs::{Job, Timetable};
use super::post::PostOffice;
use super::pulse::{Heart, Pulse};
use super::systemd;
use super::trust::Trust;
use super::work::{Done, EndedBadly, Work, perform};
use crate::billing::{Billing, RunError, recover, requests};
use crate::web::{Phase, Standing};
use crate::wiring::Post;

/// The loop looks at itself, and for requests, this often.
const BEAT: Duration = Duration::from_secs(1);
/// Without a tick for so long it asks what is due all the same.
const LONGEST_WITHOUT_TICK: Duration = Duration::from_secs(90);
/// Work may be quiet for twice a call's time-out and this much before it counts as hung: waits that a provider asks
/// for are within it.
const QUIET_BESIDES_CALLS: Duration = Duration::from_mins(2);
/// Beyond a call's time-out, for a calm stop: what the book has to write.
const STOP_BESIDES_CALL: Duration = Duration::from_secs(30);

/// What people and the system ask of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Take no more work, let calls in flight end, leave.
    Stop,
    /// Read the config again.
    Reload,
}

/// What the service works with; a new config gives new ones.
pub struct Wishes {
    /// The work.
    pub billing: Billing,
    /// When which job is due.
    pub timetable: Timetable,
    /// Who is told what.
    pub post: Post,
}

/// New wishes to come, or why they were refused.
pub type ReloadAnswer = Pin<Box<dyn Future<Output = Result<Wishes, String>> + Send>>;
/// Reads the config again.
pub type Reload = Box<dyn Fn() -> ReloadAnswer + Send>;

/// The service at work.
pub struct Desk {
    wishes: Wishes,
    office: PostOffice,
    ticks: mpsc::Receiver<()>,
    orders: mpsc::Receiver<Order>,
    reload: Reload,
    pulse: Arc<Pulse>,
    standing: watch::Sender<Standing>,
    trust: Trust,
    heart: Heart,
    waiting: BTreeSet<Job>,
    look_up_doubt: bool,
    under_way: Option<(Work, JoinHandle<Done>)>,
    reading: Option<JoinHandle<Result<Wishes, String>>>,
    considered: u64,
    considered_at: Duration,
    fed_at: Duration,
    told: String,
}

/// Waits for a task if there is one, else for ever.
async fn end_of<T>(task: Option<&mut JoinHandle<T>>) -> Result<T, EndedBadly> {
    match task {
        Some(task) => task.await.map_err(|broke| EndedBadly::Broke(broke.to_string())),
        None => pending().await,
    }
}

impl Desk {
    /// Everything in place; `wishes.billing` watches with `pulse`, and `standing` is told how the service stands.
    pub fn new(
        wishes: Wishes,
        ticks: mpsc::Receiver<()>,
        orders: mpsc::Receiver<Order>,
        reload: Reload,
        pulse: Arc<Pulse>,
        standing: watch::Sender<Standing>,
    ) -> Self {
        let clock = wishes.billing.clock.clone();
        Self {
            trust: Trust::begin(clock.now(), clock.steady()),
            considered_at: clock.steady(),
            fed_at: clock.steady(),
            office: PostOffice::open(wishes.post.clone()),
            wishes,
            ticks,
            orders,
            reload,
            pulse,
            standing,
            heart: Heart::default(),
            waiting: BTreeSet::new(),
            look_up_doubt: false,
            under_way: None,
            reading: None,
            considered: 0,
            told: String::new(),
        }
    }

    /// Works until it is told to stop.
    ///
    /// # Errors
    /// When it cannot go on: keys refused at the start, the book's thread or the tick gone.
    pub async fn serve(mut self) -> Result<(), EndedBadly> {
        requests::give_back(&self.wishes.billing).await?;
        self.begin(Work::Recover);
        let mut beat = tokio::time::interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !(self.is_stopping() && self.under_way.is_none() && self.reading.is_none()) {
            tokio::select! {
                biased;
                order = self.orders.recv(), if !self.is_stopping() => self.obey(order.unwrap_or(Order::Stop)),
                done = end_of(self.under_way.as_mut().map(|(_, task)| task)) => self.ended(done?).await?,
                read = end_of(self.reading.as_mut()) => self.take_wishes(read?),
                tick = self.ticks.recv(), if !self.is_stopping() => {
                    tick.ok_or(EndedBadly::NoTick)?;
                    self.consider().await?;
                }
                _ = beat.tick() => self.beat().await?,
            }
            self.start_next();
            self.publish();
        }
        self.office.close().await;
        Ok(())
    }

    fn is_stopping(&self) -> bool {
        self.phase() == Phase::Stopping
    }

    fn phase(&self) -> Phase {
        self.standing.borrow().phase
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Stop => {
                self.wishes.billing.stop.cancel();
                self.standing.send_modify(|standing| standing.phase = Phase::Stopping);
                let call = self.wishes.billing.settings.timeout.unsigned_abs();
                systemd::stopping("stopping: calls in flight are waited for", call + STOP_BESIDES_CALL);
            }
            Order::Reload if self.reading.is_none() => {
                systemd::reloading();
                self.reading = Some(tokio::spawn((self.reload)()));
            }
            Order::Reload => tracing::warn!("the config is being read already"),
        }
    }

    /// The new wishes hold from the next piece of work on; refused ones change nothing.
    fn take_wishes(&mut self, read: Result<Wishes, String>) {
        self.reading = None;
        let refused = match read {
            Ok(wishes) => {
                tracing::info!("the new config is in force");
                self.office.replace(wishes.post.clone());
                self.wishes = wishes;
                None
            }
            Err(why) => {
                tracing::error!("the new config is refused, the old one stays in force: {why}");
                Some(why)
            }
        };
        self.standing.send_modify(|standing| standing.refused_config = refused);
        if self.phase() == Phase::Serving {
            self.told = self.status();
            systemd::ready(&self.told);
        }
    }

    /// Asks what is due.
    async fn consider(&mut self) -> Result<(), EndedBadly> {
        let billing = &self.wishes.billing;
        let (now, steady) = (billing.clock.now(), billing.clock.steady());
        self.considered_at = steady;
        let trouble = self.trust.trouble(now, steady);
        if let Some(why) = &trouble {
            tracing::error!("{why}");
        }
        let last = billing.lane.run(|store| {
            let began = |job: Job| store.job_began(job.name());
            Job::ALL.map(began).into_iter().collect::<Result<Vec<_>, _>>()
        });
        let last = last.await.map_err(RunError::from)?.map_err(RunError::from)?;
        for (job, last) in Job::ALL.into_iter().zip(last) {
            let runs = matches!(&self.under_way, Some((Work::Job(running), _)) if *running == job);
            if !runs && self.wishes.timetable.is_due(job, last, now) {
                self.waiting.insert(job);
            }
        }
        if self.waiting.remove(&Job::Notifications) {
            self.office.fell_due(&self.wishes.post, now).await?;
        }
        let billing = &self.wishes.billing;
        self.look_up_doubt |= recover::next_look(billing).await?.is_some_and(|look| look <= now);
        let next_wake = billing.lane.run(move |store| store.next_wake(now)).await.map_err(RunError::from)?;
        let next_look = self.wishes.timetable.next_of_all(now);
        let next_due = next_wake.map_err(RunError::from)?;
        self.considered += 1;
        self.standing.send_modify(|standing| {
            standing.clock_trouble = trouble;
            standing.next_look = next_look;
            standing.next_due = next_due;
        });
        Ok(())
    }

    /// The most urgent thing that waits, if nothing is under way.
    fn start_next(&mut self) {
        if self.under_way.is_some() || self.phase() != Phase::Serving {
            return;
        }
        if let Some(job) = self.waiting.pop_first() {
            if job == Job::Billing {
                // A run looks all doubt up before anything else.
                self.look_up_doubt = false;
            }
            self.begin(Work::Job(job));
        } else if std::mem::take(&mut self.look_up_doubt) {
            self.begin(Work::Recover);
        }
    }

    /// While the clock is not believed, what would charge looks up doubt instead: that compares with the provider's.
    fn begin(&mut self, work: Work) {
        let work = if work.charges() && self.clock_trouble().is_some() { Work::Recover } else { work };
        let billing = self.wishes.billing.clone();
        self.under_way = Some((work.clone(), tokio::spawn(perform(work, billing))));
    }

    fn clock_trouble(&self) -> Option<String> {
        let clock = &self.wishes.billing.clock;
        self.trust.trouble(clock.now(), clock.steady())
    }

    /// Writes down what a piece of work came to.
    async fn ended(&mut self, done: Done) -> Result<(), EndedBadly> {
        self.under_way = None;
        self.office.ring();
        if let (Work::Job(job), true) = (&done.work, done.counts()) {
            let (name, began) = (job.name(), done.began);
            let noted = self.wishes.billing.lane.run(move |store| store.note_job(name, began)).await;
            if let Err(error) = noted.map_err(RunError::from)? {
                tracing::error!(%error, job = name, "the book could not note that a job was done");
            }
        }
        if let Some(error) = &done.error {
            tracing::error!(%error, work = done.work.name(), "a piece of work failed");
        }
        let recovering = self.phase() == Phase::Recovering;
        let now = self.wishes.billing.clock.now();
        let good = done.work.charges() && done.counts();
        self.standing.send_modify(|standing| {
            standing.worked += 1;
            standing.trouble = done.error.as_ref().map(ToString::to_string);
            standing.totals.failures += u64::from(done.error.is_some());
            if let Some(report) = &done.report {
                standing.totals.add(report);
            }
            if let Some(asked) = done.asked_the_provider() {
                standing.provider_trouble = asked.err();
            }
            standing.last_good_run_at = if good { Some(now) } else { standing.last_good_run_at };
            if let (Work::Job(Job::Billing), Some(report)) = (&done.work, &done.report) {
                standing.next_due = report.next_due_at;
            }
            if done.work.charges() && done.report.is_some() {
                standing.last_run.clone_from(&done.report);
            }
        });
        if done.work == Work::Recover && done.error.is_none() {
            // The provider's clock agrees with ours, or the recovery had failed.
            self.trust = Trust::begin(now, self.wishes.billing.clock.steady());
        }
        if recovering {
            self.recovered(done).await?;
        }
        Ok(())
    }

    /// From here on it serves, unless the start itself was refused. The first run follows at once.
    async fn recovered(&mut self, done: Done) -> Result<(), EndedBadly> {
        if let Some(error) = done.error
            && !error.may_pass()
        {
            return Err(error.into());
        }
        self.standing.send_modify(|standing| standing.phase = Phase::Serving);
        self.consider().await?;
        self.waiting.insert(Job::Billing);
        self.told = self.status();
        systemd::ready(&self.told);
        Ok(())
    }

    /// Once a second: requests, progress, the lost tick, and the watchdog's food.
    async fn beat(&mut self) -> Result<(), EndedBadly> {
        let steady = self.wishes.billing.clock.steady();
        if self.phase() == Phase::Serving {
            if steady.saturating_sub(self.considered_at) > LONGEST_WITHOUT_TICK {
                tracing::warn!("no tick came for {LONGEST_WITHOUT_TICK:?}; asking what is due all the same");
                self.consider().await?;
            }
            if self.under_way.is_none()
                && self.clock_trouble().is_none()
                && let Some(asked) = requests::take(&self.wishes.billing).await?
            {
                self.begin(Work::Asked(asked));
            }
        }
        if let Some((Work::Asked(asked), _)) = &self.under_way {
            requests::tell(&self.wishes.billing, asked.id, self.pulse.now()).await?;
        }
        self.feed(steady).await
    }

    /// Feeds the watchdog, if the book answers and the work under way moved.
    async fn feed(&mut self, steady: Duration) -> Result<(), EndedBadly> {
        let Some(every) = systemd::watchdog().map(|limit| limit / 4) else { return Ok(()) };
        if steady.saturating_sub(self.fed_at) < every {
            return Ok(());
        }
        let billing = &self.wishes.billing;
        billing.lane.run(|_| ()).await.map_err(RunError::from)?;
        let signs = (self.pulse.steps(), billing.gateway.calls(), billing.lane.stats().commits);
        let most_quiet = billing.settings.timeout.unsigned_abs() * 2 + QUIET_BESIDES_CALLS;
        if self.heart.beats(self.under_way.is_some(), signs, steady, most_quiet) {
            self.fed_at = steady;
            systemd::alive();
            if self.phase() == Phase::Recovering {
                systemd::needs(every * 4);
            }
        } else {
            tracing::error!("work has not moved for {most_quiet:?}; the watchdog is not fed");
        }
        Ok(())
    }

    /// Tells how it stands, to whoever watches and, when it changed, to systemd.
    fn publish(&mut self) {
        let now = (self.under_way.as_ref().map(|(work, _)| work.name()), self.considered);
        self.standing.send_if_modified(|standing| {
            let changed = (standing.busy, standing.considered) != now;
            (standing.busy, standing.considered) = now;
            changed
        });
        let status = self.status();
        if status != self.told {
            systemd::status(&status);
            self.told = status;
        }
    }

    /// How it stands, in one line.
    fn status(&self) -> String {
        let standing = self.standing.borrow();
        let zone = &self.wishes.billing.settings.zone;
        let show = |at: Timestamp| zone.at(at).strftime("%Y-%m-%d %H:%M %Q").to_string();
        let mut parts = vec![match (standing.phase, standing.busy) {
            (Phase::Recovering, _) => "looking up old doubt".to_owned(),
            (Phase::Stopping, _) => "stopping: calls in flight are waited for".to_owned(),
            (Phase::Serving, Some(work)) => format!("at work: {work}"),
            (Phase::Serving, None) => "waiting".to_owned(),
        }];
        parts.extend(standing.refused_config.as_ref().map(|why| {
            let first = why.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
            format!("new config refused, the old one stays: {first}")
        }));
        parts.extend(standing.clock_trouble.clone());
        parts.extend(standing.trouble.as_ref().map(|why| format!("last failed: {why}")));
        parts.extend(standing.next_due.map(|at| format!("next due {}", show(at))));
        parts.extend(standing.next_look.map(|at| format!("next look {}", show(at))));
        parts.extend(standing.last_run.as_ref().map(|run| {
            let sent: u64 = run.attempts.values().sum();
            format!("last run {}: {} considered, {sent} charged", run.run, run.considered)
        }));
        parts.join("; ")
    }
}
