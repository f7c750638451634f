//! The lane: one thread that owns the book, fed by a bounded queue, committing in groups.
//!
//! Promises: what was queued first happens first; an answer means that it is durable; a transition that is refused
//! fails alone; results are written even when the disk has no room for intents. Dropping every handle, or `close`,
//! finishes what is queued.
//! Must never know: what a transition means.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::{mpsc, oneshot, watch};

use super::{Refusal, Store, StoreError};
use crate::model::{Change, Histogram, Lengths, Transition};

/// How a lane is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneOptions {
    /// Jobs that wait at most; who comes then waits for a place.
    pub queue: usize,
    /// Transitions of one durable transaction at most.
    pub most_in_group: usize,
}

impl Default for LaneOptions {
    fn default() -> Self {
        Self { queue: 1_024, most_in_group: 256 }
    }
}

/// The lane's thread has ended.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the book's thread has ended")]
pub struct LaneClosed;

/// Why a transition is not in the book.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CommitError {
    /// It alone was refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The book refused; nothing of it was written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The lane's thread has ended.
    #[error(transparent)]
    Closed(#[from] LaneClosed),
}

/// What the lane has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LaneStats {
    /// Durable transactions.
    pub commits: u64,
    /// Transitions written by them.
    pub transitions: u64,
    /// How long each took to become durable: its pages go to the log, and the disk says that it has them.
    pub lengths: Lengths,
    /// Jobs that wait at this moment.
    pub waiting: u64,
    /// And at most.
    pub places: u64,
}

#[derive(Debug, Default)]
struct Counters {
    commits: AtomicU64,
    transitions: AtomicU64,
    lengths: Histogram,
    jobs: AtomicU64,
}

type Answer = oneshot::Sender<Result<Transition, CommitError>>;
type Errand = Box<dyn FnOnce(&mut dyn Store) + Send>;

enum Job {
    Commit(Transition, Answer),
    Run(Errand),
    Close,
}

/// A handle on the thread that owns the book.
#[derive(Clone, Debug)]
pub struct Lane {
    jobs: mpsc::Sender<Job>,
    /// Ends when the thread has given the book back.
    ended: watch::Receiver<()>,
    counters: Arc<Counters>,
}

impl Lane {
    /// Gives the book to a thread of its own. Should the system give no thread, every job is answered `Closed`.
    pub fn start(store: Box<dyn Store>, options: LaneOptions) -> Self {
        let (jobs, queue) = mpsc::channel(options.queue.max(1));
        let (ends, ended) = watch::channel(());
        let counters = Arc::<Counters>::default();
        let mut desk = Desk {
            store,
            queue,
            most: options.most_in_group.max(1),
            last_group: 0,
            counters: Arc::clone(&counters),
            _ends: ends,
        };
        // Without a thread the desk is dropped here, and the queue with it.
        let _ = thread::Builder::new().name("book".into()).spawn(move || desk.work());
        Self { jobs, ended, counters }
    }

    /// Writes a transition; `Ok` means that it is durable, and gives it back. Waits for a place in the queue and for the
    /// group's commit. Dropping the future does not take the transition back.
    pub async fn commit(&self, transition: Transition) -> Result<Transition, CommitError> {
        let (answer, answered) = oneshot::channel();
        self.jobs.send(Job::Commit(transition, answer)).await.map_err(|_| LaneClosed)?;
        answered.await.map_err(|_| LaneClosed)?
    }

    /// Does something with the book, after all that was queued before it and before all that is queued after.
    pub async fn run<T: Send + 'static>(
        &self,
        errand: impl FnOnce(&mut dyn Store) -> T + Send + 'static,
    ) -> Result<T, LaneClosed> {
        let (answer, answered) = oneshot::channel();
        let errand: Errand = Box::new(move |store| {
            // Whoever asked may have gone: what was done stays done.
            let _ = answer.send(errand(store));
        });
        self.jobs.send(Job::Run(errand)).await.map_err(|_| LaneClosed)?;
        answered.await.map_err(|_| LaneClosed)
    }

    /// Finishes what is queued, closes the book, and returns once both are done. Later jobs are answered `Closed`.
    pub async fn close(&self) {
        // A full queue delays this; a closed one has done it.
        let _ = self.jobs.send(Job::Close).await;
        // Nothing is ever said there: the wait ends with the thread's side.
        let _ = self.ended.clone().changed().await;
    }

    /// Jobs that the thread has not taken yet.
    pub(crate) fn jobs_waiting(&self) -> usize {
        self.jobs.max_capacity() - self.jobs.capacity()
    }

    /// Jobs that came to an end, good or bad: while some wait and this stands still, the thread is at one of them.
    pub fn jobs_done(&self) -> u64 {
        self.counters.jobs.load(Ordering::Relaxed)
    }

    /// What was done so far.
    pub fn stats(&self) -> LaneStats {
        LaneStats {
            commits: self.counters.commits.load(Ordering::Relaxed),
            transitions: self.counters.transitions.load(Ordering::Relaxed),
            lengths: self.counters.lengths.seen(),
            waiting: self.jobs_waiting() as u64,
            places: self.jobs.max_capacity() as u64,
        }
    }
}

/// Between two looks at the queue while gathering.
const GATHER_STEP: Duration = Duration::from_micros(50);
/// Such steps at most: 300 µs, to which the system adds some 50 µs each. Only taken while others keep coming.
const GATHER_STEPS: u32 = 6;

/// The thread's side.
struct Desk {
    store: Box<dyn Store>,
    queue: mpsc::Receiver<Job>,
    most: usize,
    /// Transitions of the last group: more than one means that others are about.
    last_group: usize,
    counters: Arc<Counters>,
    /// Dropped last of all, once the book is closed.
    _ends: watch::Sender<()>,
}

impl Desk {
    fn work(&mut self) {
        while let Some(job) = self.queue.blocking_recv() {
            if self.handle(job).is_break() {
                break;
            }
        }
        // Nobody can queue any more; what is queued already is still done.
        self.queue.close();
        while let Ok(job) = self.queue.try_recv() {
            let _ = self.handle(job);
        }
    }

    fn handle(&mut self, job: Job) -> std::ops::ControlFlow<()> {
        let mut next = Some(job);
        while let Some(job) = next.take() {
            match job {
                Job::Commit(transition, answer) => next = self.commit_group(transition, answer),
                Job::Run(errand) => errand(&mut *self.store),
                Job::Close => return std::ops::ControlFlow::Break(()),
            }
            self.counters.jobs.fetch_add(1, Ordering::Relaxed);
        }
        std::ops::ControlFlow::Continue(())
    }

    /// Gathers a group behind this transition and commits it. Returns the job that ended the gathering, if it was
    /// not a transition: it comes next, so that order is kept.
    fn commit_group(&mut self, transition: Transition, answer: Answer) -> Option<Job> {
        let (mut batch, mut answers) = (vec![transition], vec![answer]);
        let ended_by = self.gather(&mut batch, &mut answers);
        self.last_group = batch.len();
        let results = self.write(&batch);
        for ((answer, result), transition) in answers.into_iter().zip(results).zip(batch) {
            let _ = answer.send(result.map(|()| transition));
        }
        ended_by
    }

    fn gather(&mut self, batch: &mut Vec<Transition>, answers: &mut Vec<Answer>) -> Option<Job> {
        let mut waits = GATHER_STEPS;
        loop {
            let before = batch.len();
            while batch.len() < self.most {
                match self.queue.try_recv() {
                    Ok(Job::Commit(transition, answer)) => {
                        batch.push(transition);
                        answers.push(answer);
                    }
                    Ok(other) => return Some(other),
                    Err(_) => break,
                }
            }
            let alone = batch.len() == 1 && self.last_group <= 1;
            let came = batch.len() > before || before == 1;
            if alone || !came || batch.len() >= self.most || waits == 0 {
                return None;
            }
            waits -= 1;
            thread::sleep(GATHER_STEP);
        }
    }

    /// Commits a group. Where there is no room for intents, the results of the group are written without them.
    fn write(&mut self, batch: &[Transition]) -> Vec<Result<(), CommitError>> {
        let failed = match self.commit(batch) {
            Ok(answers) => return answers.into_iter().map(|answer| answer.map_err(Into::into)).collect(),
            Err(error) => error,
        };
        let intent: Vec<bool> = batch.iter().map(has_intent).collect();
        let is_mixed = intent.contains(&true) && intent.contains(&false);
        if !(is_mixed && matches!(failed, StoreError::Full { .. })) {
            return intent.iter().map(|_| Err(failed.clone().into())).collect();
        }
        let results: Vec<_> = batch.iter().filter(|transition| !has_intent(transition)).cloned().collect();
        let mut answers = self.write(&results).into_iter();
        let of = |is_intent: &bool| if *is_intent { None } else { answers.next() };
        intent.iter().map(of).map(|answer| answer.unwrap_or_else(|| Err(failed.clone().into()))).collect()
    }

    fn commit(&mut self, batch: &[Transition]) -> Result<Vec<Result<(), Refusal>>, StoreError> {
        let answers = self.store.commit(batch)?;
        self.counters.lengths.note(self.store.last_commit());
        let written = answers.iter().filter(|answer| answer.is_ok()).count();
        self.counters.commits.fetch_add(1, Ordering::Relaxed);
        self.counters.transitions.fetch_add(u64::try_from(written).unwrap_or(0), Ordering::Relaxed);
        Ok(answers)
    }
}

fn has_intent(transition: &Transition) -> bool {
    transition.changes.iter().any(|change| matches!(change, Change::InsertAttempt(_)))
}
