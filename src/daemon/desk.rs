//! The loop: takes ticks, orders and requests, does one piece of work at a time, and tells how it stands.

mod asking;
mod bearing;
mod beside;
mod reading;
mod telling;
mod vigil;

use std::collections::BTreeSet;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::MissedTickBehavior;

use beside::{News, next_ring};
use vigil::Memory;

use super::jobs::Job;
use super::post::PostOffice;
use super::pulse::Pulse;
use super::systemd;
use super::trust::Trust;
use super::wishes::{Order, Reload, Wishes};
use super::work::{Done, EndedBadly, Means, Work, perform};
use crate::billing::health::BookSeen;
use crate::billing::jump::Since;
use crate::billing::requests::Asked;
use crate::billing::{RunError, recover, requests};
use crate::hooks::hang_point;
use crate::model::RunReport;
use crate::web::{Phase, Standing};

/// The loop looks at itself, and for requests, this often.
const BEAT: Duration = Duration::from_secs(1);
/// Without a tick for so long it asks what is due all the same.
const LONGEST_WITHOUT_TICK: Duration = Duration::from_secs(90);
/// Beyond a call's time-out, for a calm stop: what the book has to write.
const STOP_BESIDES_CALL: Duration = Duration::from_secs(30);
/// Of that, what is left for the way out once work that did not end in time was given up: a silent provider is asked for
/// the same page again and again.
const WAY_OUT: Duration = Duration::from_secs(10);

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
    waiting: BTreeSet<Job>,
    look_up_doubt: bool,
    under_way: Option<(Work, JoinHandle<Done>)>,
    /// Somebody asked for that run while the clock was not believed; it waits for the look that is under way.
    held: Option<Asked>,
    /// Says whether something is under way, to what steps aside for it.
    busy: watch::Sender<bool>,
    /// Jobs that are done beside it, each once at a time.
    beside: BTreeSet<Job>,
    besides: JoinSet<Done>,
    /// What the provider rings; `None`: it has no doorbell.
    news: Option<News>,
    reading: Option<JoinHandle<Result<Wishes, String>>>,
    /// Somebody asked for that while it was under way: what was read may be older than what they wrote.
    reads_again: bool,
    /// Requests that others left behind wait again.
    gave_back: bool,
    /// Requests that were taken and came to something, which the book has not been told yet.
    owed: Vec<(i64, Result<RunReport, RunError>)>,
    /// How many subscriptions were due when that was last looked at.
    due_now: u64,
    /// What the last run came to, in words; `None`: none was made.
    last_run: Option<String>,
    considered: u64,
    /// When it last asked what is due; `None`: the book gave no answer, so it asks again.
    considered_at: Option<Duration>,
    /// A look at the book that is to show that its trouble is over.
    proof: Option<BookSeen>,
    /// What the vigil over each step knows, and what systemd was told.
    memory: Memory,
    /// Told to stop, it leaves then, whatever is under way; `None`: nobody told it.
    leaves_at: Option<Duration>,
}

/// Waits for a task if there is one, else for ever.
async fn end_of<T>(task: Option<&mut JoinHandle<T>>) -> Result<T, EndedBadly> {
    match task {
        Some(task) => task.await.map_err(|broke| EndedBadly::Broke(broke.to_string())),
        None => pending().await,
    }
}

/// The next of what is done beside the work, as [`end_of`].
async fn next_of(tasks: &mut JoinSet<Done>) -> Result<Done, EndedBadly> {
    match tasks.join_next().await {
        Some(done) => done.map_err(|broke| EndedBadly::Broke(broke.to_string())),
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
            trust: Trust::begin(Since::now(&*clock)),
            considered_at: Some(clock.steady()),
            office: PostOffice::open(wishes.post.clone()),
            wishes,
            ticks,
            orders,
            reload,
            pulse,
            standing,
            waiting: BTreeSet::new(),
            look_up_doubt: false,
            under_way: None,
            held: None,
            busy: watch::Sender::new(false),
            beside: BTreeSet::new(),
            besides: JoinSet::new(),
            news: None,
            reading: None,
            reads_again: false,
            gave_back: false,
            owed: Vec::new(),
            due_now: 0,
            last_run: None,
            considered: 0,
            proof: None,
            memory: Memory::begin(clock.steady()),
            leaves_at: None,
        }
    }

    /// Works until it is told to stop.
    ///
    /// # Errors
    /// When it cannot go on: keys refused at the start, the book damaged or another's, its thread or the tick gone.
    pub async fn serve(mut self) -> Result<(), EndedBadly> {
        let gave = self.vigil().over(self.give_back()).await;
        self.bear(gave)?;
        self.begin(Work::Recover);
        let mut beat = tokio::time::interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !(self.is_stopping() && (self.is_idle() || self.is_late())) {
            let hears = self.hears();
            tokio::select! {
                biased;
                order = self.orders.recv(), if !self.is_stopping() => self.obey(order.unwrap_or(Order::Stop)),
                done = end_of(self.under_way.as_mut().map(|(_, task)| task)) => {
                    let done = done?;
                    self.vigil().over(self.ended(done)).await?;
                }
                done = next_of(&mut self.besides) => {
                    let done = done?;
                    self.vigil().over(self.ended_beside(&done)).await?;
                }
                read = end_of(self.reading.as_mut()) => self.take_wishes(read?),
                tick = self.ticks.recv(), if !self.is_stopping() => {
                    tick.ok_or(EndedBadly::NoTick)?;
                    self.vigil().over(self.consider()).await?;
                }
                ring = next_ring(self.news.as_mut()), if hears => self.heard(ring),
                _ = beat.tick() => self.vigil().over(self.beat()).await?,
            }
            self.start_next();
            self.publish();
        }
        self.office.close().await;
        Ok(())
    }

    /// Whether nothing is being done that a calm stop waits for. It waits for none of the jobs that
    /// are done beside the work: they lose nothing.
    fn is_idle(&self) -> bool {
        let news = self.news.as_ref().is_some_and(News::is_under_way);
        self.under_way.is_none() && self.reading.is_none() && !news
    }

    /// Whether a calm stop has waited for long enough: no call is under way any more by then, and what is given up the
    /// next start looks after, as after a kill.
    fn is_late(&self) -> bool {
        let steady = self.wishes.billing.clock.steady();
        let is_late = self.leaves_at.is_some_and(|at| steady >= at);
        if let (true, Some((work, _))) = (is_late, &self.under_way) {
            tracing::warn!(work = work.name(), "did not end in time and is given up");
        }
        is_late
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
                // A config that is being read is not needed any more, and may wait for a provider for long.
                if let Some(reading) = self.reading.take() {
                    reading.abort();
                }
                self.standing.send_modify(|standing| standing.phase = Phase::Stopping);
                let call = self.wishes.billing.settings.timeout.unsigned_abs();
                let most = call + STOP_BESIDES_CALL.saturating_sub(WAY_OUT);
                self.leaves_at = Some(self.wishes.billing.clock.steady() + most);
                systemd::stopping("stopping: calls in flight are waited for", call + STOP_BESIDES_CALL);
            }
            Order::Reload if self.reading.is_none() => self.read_config(),
            Order::Reload => {
                tracing::info!("the config is being read already; it is read once more after that");
                self.reads_again = true;
            }
        }
    }

    /// The most urgent thing that waits, if nothing is under way; and what is done beside it.
    fn start_next(&mut self) {
        if self.phase() == Phase::Serving {
            self.start_beside();
        }
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

    /// While the clock is not believed, what would charge looks up doubt instead: that compares with the provider's. A
    /// run that somebody asked for waits for what comes of it.
    fn begin(&mut self, work: Work) {
        let in_trouble = work.charges() && self.clock_trouble().is_some();
        let work = match (work, in_trouble) {
            (Work::Asked(asked), true) => {
                self.held = Some(asked);
                Work::Recover
            }
            (_, true) => Work::Recover,
            (work, false) => work,
        };
        let billing = self.wishes.billing.clone();
        self.under_way = Some((work.clone(), tokio::spawn(perform(work, billing, Means::default()))));
    }

    /// The run that waited for a look at the clocks is made if they agree. Else whoever asked for it is told so: nobody
    /// knows when they will.
    fn end_holding(&mut self) {
        // While the service stops nothing is begun: whoever asked takes over.
        let Some(asked) = self.held.take().filter(|_| !self.is_stopping()) else { return };
        match self.clock_trouble() {
            None => self.begin(Work::Asked(asked)),
            Some(why) => {
                let refused = RunError::Clock(format!("{why}; the run was not begun"));
                self.owed.push((asked.id, Err(refused)));
            }
        }
    }

    fn clock_trouble(&self) -> Option<String> {
        self.trust.trouble(&*self.wishes.billing.clock)
    }

    /// Notes in the book that a job was done, if it was.
    async fn note(&mut self, done: &Done) -> Result<(), EndedBadly> {
        if let (Work::Job(job), true) = (&done.work, done.counts()) {
            let (name, began) = (job.name(), done.began);
            let noted = self.wishes.billing.lane.run(move |store| store.note_job(name, began)).await;
            if let Err(error) = noted.map_err(RunError::from)? {
                tracing::error!(%error, job = name, "the book could not note that a job was done");
            }
            self.standing.send_modify(|standing| {
                standing.jobs.insert(name, Some(began));
            });
        }
        if let Some(error) = &done.error {
            let work = done.work.name();
            if done.waits() {
                tracing::info!(work, "{error}; it is tried again every minute until then");
            } else {
                tracing::error!(%error, work, "a piece of work failed");
            }
        }
        Ok(())
    }

    /// Writes down what a piece of work came to.
    async fn ended(&mut self, done: Done) -> Result<(), EndedBadly> {
        self.under_way = None;
        self.office.ring();
        self.note(&done).await?;
        let recovering = self.phase() == Phase::Recovering;
        let now = self.wishes.billing.clock.now();
        self.tell_of(&done, now);
        let wrote = self.write_down(&done).await;
        self.bear(wrote)?;
        self.bear_stop(&done);
        if done.clocks_agree {
            self.trust = Trust::begin(done.since);
        }
        if let Some(RunError::Clock(why)) = &done.error {
            self.trust.is_apart(why);
        }
        let trouble = self.clock_trouble();
        self.standing.send_modify(|standing| standing.clock_trouble = trouble);
        self.end_holding();
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
        self.tell_ready();
        Ok(())
    }

    /// Once a second: requests, progress, the lost tick, and the watchdog's food.
    async fn beat(&mut self) -> Result<(), EndedBadly> {
        hang_point();
        let steady = self.wishes.billing.clock.steady();
        let kept = self.keep_up(steady).await;
        let answers = kept.is_ok();
        self.bear(kept)?;
        if answers {
            self.book_answers();
        }
        self.vigil().look(Duration::ZERO);
        Ok(())
    }

    async fn keep_up(&mut self, steady: Duration) -> Result<(), EndedBadly> {
        self.give_back().await?;
        if self.phase() == Phase::Serving {
            let late = self.considered_at.map(|at| steady.saturating_sub(at) > LONGEST_WITHOUT_TICK);
            if late == Some(true) {
                tracing::warn!("no tick came for {LONGEST_WITHOUT_TICK:?}; asking what is due all the same");
            }
            if late != Some(false) {
                self.ask_what_is_due().await?;
            }
            if self.under_way.is_none() {
                self.take_request().await?;
            }
        }
        self.end_owed().await?;
        if let Some((Work::Asked(asked), _)) = &self.under_way {
            requests::tell(&self.wishes.billing, asked.id, self.pulse.now()).await?;
        }
        Ok(())
    }
}
