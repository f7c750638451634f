//! What is done beside the work, since it charges nobody: jobs that take long, and news that the provider rang.

use std::future::pending;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::{Desk, Done, EndedBadly, Phase, Work, perform};
use crate::billing::webhooks::{Doorbell, Ring};
use crate::billing::{Billing, Unwatched};
use crate::daemon::leisure::Ask;
use crate::daemon::work::Means;

/// News looked after in one go.
const MOST_NEWS: usize = 100;

/// The end of the doorbell's queue.
pub(super) struct News {
    doorbell: Arc<Doorbell>,
    rings: mpsc::Receiver<Ring>,
    under_way: bool,
}

impl News {
    /// Whether some are being looked after.
    pub(super) const fn is_under_way(&self) -> bool {
        self.under_way
    }
}

/// The next ring; for ever if there is no doorbell.
pub(super) async fn next_ring(news: Option<&mut News>) -> Option<Ring> {
    match news {
        Some(news) => news.rings.recv().await,
        None => pending().await,
    }
}

impl Desk {
    /// The same, looking after what comes out of this doorbell's queue. What comes while it does not serve, or does not
    /// believe its clock, waits there; what waits when it stops is left to the runs and reconciliations after it.
    #[must_use]
    pub fn with_doorbell(mut self, doorbell: Arc<Doorbell>, rings: mpsc::Receiver<Ring>) -> Self {
        self.news = Some(News { doorbell, rings, under_way: false });
        self
    }

    /// Whether news may be looked after now.
    pub(super) fn hears(&self) -> bool {
        let idle = self.news.as_ref().is_some_and(|news| !news.under_way);
        idle && self.phase() == Phase::Serving && self.clock_trouble().is_none()
    }

    /// Somebody rang: that, and what waits behind it. `None`: the doorbell is gone, and nobody will ring again.
    pub(super) fn heard(&mut self, ring: Option<Ring>) {
        let Some(ring) = ring else {
            self.news = None;
            return;
        };
        let Some(news) = &mut self.news else { return };
        let mut rings = vec![ring];
        while let Some(next) = (rings.len() < MOST_NEWS).then(|| news.rings.try_recv().ok()).flatten() {
            rings.push(next);
        }
        news.under_way = true;
        let work = Work::News(news.doorbell.clone(), rings);
        self.besides.spawn(perform(work, self.wishes.billing.clone(), Means::default()));
    }

    /// Begins the jobs that wait and are done beside the others.
    pub(super) fn start_beside(&mut self) {
        for job in self.waiting.extract_if(.., |job| job.is_beside()) {
            // What is told of the work under way is not mixed with how far this is.
            let billing = Billing { watch: Arc::new(Unwatched), ..self.wishes.billing.clone() };
            let next = self.wishes.timetable.next(job, billing.clock.now());
            self.beside.insert(job);
            let ask = Ask { busy: self.busy.subscribe(), next };
            let means = Means { backups: self.wishes.backups.clone(), ask: Some(ask) };
            self.besides.spawn(perform(Work::Job(job), billing, means));
        }
    }

    /// Writes down what came of it.
    pub(super) async fn ended_beside(&mut self, done: &Done) -> Result<(), EndedBadly> {
        match (&done.work, &mut self.news) {
            (Work::Job(job), _) => drop(self.beside.remove(job)),
            (Work::News(..), Some(news)) => news.under_way = false,
            _ => {}
        }
        self.office.ring();
        self.note(done).await?;
        self.tell_beside(done);
        Ok(())
    }
}
