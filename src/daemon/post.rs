//! The post: reads the diary and delivers messages in tasks of its own, beside whatever else is done.
//!
//! Promises: a receiver that is slow or dead delays no charge and no other channel; a wake-up is never lost, and a
//! doubled one costs nothing; asked to stop, what is under way has some seconds to end. What did not end is delivered
//! again later, under the same key. Must never know: what a message says.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::jobs::Job;
use crate::billing::RunError;
use crate::model::Channel;
use crate::wiring::Post;

/// A message that failed, or was held, is due at an instant of its own; looked for this often.
const LOOK_AGAIN: Duration = Duration::from_secs(15);
/// What is under way when the service stops has so long.
const LAST_DELIVERIES: Duration = Duration::from_secs(10);

/// The wishes in force, and how often somebody woke the post.
#[derive(Clone)]
struct Bell {
    post: Post,
    rung: u64,
}

/// What failed and is done again, and why, by its name.
type Troubles = Arc<watch::Sender<BTreeMap<&'static str, String>>>;

/// The post at work.
pub struct PostOffice {
    bell: watch::Sender<Bell>,
    troubles: Troubles,
    tasks: JoinSet<()>,
}

impl PostOffice {
    /// Opens with these wishes.
    pub fn open(post: Post) -> Self {
        let (bell, heard) = watch::channel(Bell { post, rung: 0 });
        let (news, told) = watch::channel(0_u64);
        let troubles = Troubles::default();
        let mut tasks = JoinSet::new();
        tasks.spawn(read(heard.clone(), news, troubles.clone()));
        for channel in Channel::ALL {
            tasks.spawn(deliver(*channel, heard.clone(), told.clone(), troubles.clone()));
        }
        Self { bell, troubles, tasks }
    }

    /// What failed at its last try, and is tried again; `None`: nothing did.
    pub fn trouble(&self) -> Option<String> {
        self.troubles.borrow().iter().next().map(|(what, why)| format!("{what}: {why}"))
    }

    /// Something may have happened.
    pub fn ring(&self) {
        self.bell.send_modify(|bell| bell.rung += 1);
    }

    /// Its job has fallen due: rings, and notes that it did. Where nobody is told anything there is nothing to note.
    pub async fn fell_due(&self, post: &Post, now: Timestamp) -> Result<(), RunError> {
        self.ring();
        if post.channels().is_empty() {
            return Ok(());
        }
        let name = Job::Notifications.name();
        Ok(post.billing.lane.run(move |store| store.note_job(name, now)).await??)
    }

    /// New wishes hold from the next message on.
    pub fn replace(&self, post: Post) {
        self.bell.send_modify(|bell| *bell = Bell { post, rung: bell.rung + 1 });
    }

    /// Waits for what is under way, and no longer than it has.
    pub async fn close(self) {
        let Self { bell, mut tasks, .. } = self;
        drop(bell);
        let ended =
            tokio::time::timeout(LAST_DELIVERIES, async { while tasks.join_next().await.is_some() {} });
        if ended.await.is_err() {
            tracing::warn!("messages were under way when the service stopped; they are delivered again");
        }
        tasks.shutdown().await;
    }
}

/// Reads the diary whenever the bell rings.
async fn read(mut bell: watch::Receiver<Bell>, news: watch::Sender<u64>, troubles: Troubles) {
    while bell.changed().await.is_ok() {
        let post = bell.borrow_and_update().post.clone();
        if post.billing.stop.is_cancelled() {
            return;
        }
        let gathered = post.gather().await;
        note("reading the diary", gathered.as_ref().err(), &troubles);
        if let Ok(new) = gathered {
            news.send_modify(|all| *all += new);
        }
    }
}

/// Delivers what is due on one channel, whenever there is news or time has passed.
async fn deliver(
    channel: Channel,
    bell: watch::Receiver<Bell>,
    mut news: watch::Receiver<u64>,
    troubles: Troubles,
) {
    loop {
        let post = bell.borrow().post.clone();
        let stop = post.billing.stop.clone();
        tokio::select! {
            () = stop.cancelled() => return,
            more = news.changed() => if more.is_err() { return },
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
        // What holds now, not when the wait began.
        let post = bell.borrow().post.clone();
        if post.channels().contains(&channel) {
            note(channel.word(), post.deliver_due(channel).await.err().as_ref(), &troubles);
        }
    }
}

/// That it failed, and is done again, or that it did not.
fn note(what: &'static str, error: Option<&RunError>, troubles: &Troubles) {
    if let Some(error) = error {
        tracing::error!(%error, "{what} failed; it is done again");
    }
    troubles.send_modify(|all| match error {
        Some(error) => drop(all.insert(what, error.to_string())),
        None => drop(all.remove(what)),
    });
}
