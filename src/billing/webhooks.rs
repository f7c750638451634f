//! The doorbell: who rings is asked for a signature, and what they bring is put into a queue.
//!
//! Promises: it answers without waiting for anybody; the queue and the memory of events are bounded; an event that was
//! taken is not taken again; nothing that came is believed but ids. Must never know: HTTP.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use tokio::sync::mpsc;

use super::run::locked;
use super::{Billing, RunError};
use crate::gateway::webhooks::{self, News, Proof, Secrets};

/// News that wait at most; whoever rings then is asked to come again.
pub const PLACES: usize = 1_024;
/// Events that are remembered, in memory and in the book.
pub const MOST_REMEMBERED: usize = 10_000;

/// News that somebody will look after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ring {
    /// The event's id.
    pub event: Arc<str>,
    /// What it is about.
    pub(super) news: News,
    /// The signature was made at another time, so the provider is asked for the event itself.
    pub(super) stale: bool,
}

/// What became of a ring at the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It waits in the queue.
    Taken,
    /// It was taken before.
    Again,
    /// It is about nothing that concerns us.
    Ignored,
    /// Nobody we know signed it.
    Unsigned,
    /// It is no event.
    Garbage,
    /// There is no place in the queue.
    Full,
}

impl Heard {
    /// Every member.
    pub const ALL: [Self; 6] =
        [Self::Taken, Self::Again, Self::Ignored, Self::Unsigned, Self::Garbage, Self::Full];

    /// For counters.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Again => "again",
            Self::Ignored => "ignored",
            Self::Unsigned => "unsigned",
            Self::Garbage => "garbage",
            Self::Full => "full",
        }
    }
}

/// The newest events that were taken.
#[derive(Debug, Default)]
struct Memory {
    known: HashSet<Arc<str>>,
    order: VecDeque<Arc<str>>,
}

impl Memory {
    fn remember(&mut self, event: &Arc<str>) {
        if self.known.insert(event.clone()) {
            self.order.push_back(event.clone());
        }
        while self.order.len() > MOST_REMEMBERED {
            if let Some(oldest) = self.order.pop_front() {
                self.known.remove(&oldest);
            }
        }
    }

    fn forget(&mut self, event: &str) {
        self.known.remove(event);
        self.order.retain(|known| **known != *event);
    }
}

/// The doorbell of one book.
#[derive(Debug)]
pub struct Doorbell {
    secrets: Mutex<Secrets>,
    memory: Mutex<Memory>,
    queue: mpsc::Sender<Ring>,
    counts: [AtomicU64; Heard::ALL.len()],
}

impl Doorbell {
    /// A doorbell, and the end of its queue. It remembers the events that the book does.
    ///
    /// # Errors
    /// When the book cannot be read.
    pub async fn hang(
        billing: &Billing,
        secrets: Secrets,
    ) -> Result<(Arc<Self>, mpsc::Receiver<Ring>), RunError> {
        let noted = billing.lane.run(|store| store.noted_webhooks()).await??;
        let mut memory = Memory::default();
        for event in noted {
            memory.remember(&event.into());
        }
        let (queue, rings) = mpsc::channel(PLACES);
        let (secrets, memory) = (Mutex::new(secrets), Mutex::new(memory));
        Ok((Arc::new(Self { secrets, memory, queue, counts: Default::default() }), rings))
    }

    /// From now on signatures are made with these.
    pub fn change_secrets(&self, secrets: Secrets) {
        *locked(&self.secrets) = secrets;
    }

    /// Somebody rings, with what they say is a signature of the provider, and a body. Whether the event that they bring
    /// is true is not asked here.
    pub fn ring(&self, signature: &str, stamp: &str, body: &[u8], now: Timestamp) -> Heard {
        let heard = self.hear(signature, stamp, body, now);
        if let Some(count) = Heard::ALL.iter().position(|one| *one == heard).and_then(|n| self.counts.get(n))
        {
            count.fetch_add(1, Ordering::Relaxed);
        }
        heard
    }

    fn hear(&self, signature: &str, stamp: &str, body: &[u8], now: Timestamp) -> Heard {
        let proof = locked(&self.secrets).proof(signature, stamp, body, now);
        let Some(proof) = proof else { return Heard::Unsigned };
        let Some(told) = webhooks::read(body) else { return Heard::Garbage };
        if told.news == News::Other {
            return Heard::Ignored;
        }
        let mut memory = locked(&self.memory);
        if memory.known.contains(&told.event) {
            return Heard::Again;
        }
        let ring = Ring { event: told.event.clone(), news: told.news, stale: proof == Proof::Stale };
        if self.queue.try_send(ring).is_err() {
            return Heard::Full;
        }
        memory.remember(&told.event);
        Heard::Taken
    }

    /// An event could not be looked after: it is taken again if it is told again.
    pub(super) fn forget(&self, event: &str) {
        locked(&self.memory).forget(event);
    }

    /// How many rings were heard so.
    pub fn count(&self, heard: Heard) -> u64 {
        let place = Heard::ALL.iter().position(|one| *one == heard);
        place.and_then(|n| self.counts.get(n)).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    /// News that wait.
    pub fn waiting(&self) -> u64 {
        (self.queue.max_capacity() - self.queue.capacity()) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A doorbell with so many places that nobody takes anything from, and a way to ring it.
    fn doorbell(places: usize) -> (Doorbell, mpsc::Receiver<Ring>) {
        let (queue, rings) = mpsc::channel(places);
        let secrets = Mutex::new(Secrets::parse(["c2VjcmV0"]).unwrap());
        (Doorbell { secrets, memory: Mutex::default(), queue, counts: Default::default() }, rings)
    }

    fn ring(doorbell: &Doorbell, body: &str) -> Heard {
        use hmac::{Hmac, KeyInit as _, Mac as _};
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"secret").unwrap();
        mac.update(format!("1795320000.{body}").as_bytes());
        let tag: Vec<String> = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        doorbell.ring(
            &tag.concat(),
            "1795320000",
            body.as_bytes(),
            Timestamp::from_second(1_795_320_000).unwrap(),
        )
    }

    fn of_customer(event: &str) -> String {
        serde_json::json!({"object": "event", "id": event, "key": "customer.update",
            "data": {"object": "customer", "id": "cust_test_5abc"}})
        .to_string()
    }

    #[test]
    fn a_full_queue_takes_nothing_and_remembers_nothing_of_it() {
        let (doorbell, mut rings) = doorbell(2);
        assert_eq!(ring(&doorbell, &of_customer("evnt_1")), Heard::Taken);
        assert_eq!(ring(&doorbell, &of_customer("evnt_2")), Heard::Taken);
        assert_eq!(ring(&doorbell, &of_customer("evnt_1")), Heard::Again);
        assert_eq!(ring(&doorbell, &of_customer("evnt_3")), Heard::Full);
        assert_eq!(doorbell.waiting(), 2);
        assert!(rings.try_recv().is_ok_and(|ring| &*ring.event == "evnt_1" && !ring.stale));
        assert_eq!(ring(&doorbell, &of_customer("evnt_3")), Heard::Taken, "it came again later");
        doorbell.forget("evnt_1");
        assert!(rings.try_recv().is_ok());
        assert_eq!(ring(&doorbell, &of_customer("evnt_1")), Heard::Taken, "it could not be looked after");
        assert_eq!(ring(&doorbell, "{\"object\": \"event\"}"), Heard::Garbage);
        assert_eq!(ring(&doorbell, "{"), Heard::Garbage);
        let other = of_customer("evnt_9").replace("\"customer\"", "\"transfer\"");
        assert_eq!(ring(&doorbell, &other), Heard::Ignored);
        let now = Timestamp::from_second(1_795_320_000).unwrap();
        assert_eq!(doorbell.ring("00", "1795320000", b"{}", now), Heard::Unsigned);
        let counts = Heard::ALL.map(|heard| doorbell.count(heard));
        assert_eq!(counts, [4, 1, 1, 1, 2, 1]);
    }

    #[test]
    fn memory_is_bounded_and_forgets_the_oldest_first() {
        let mut memory = Memory::default();
        let id = |n: usize| -> Arc<str> { format!("evnt_{n}").into() };
        for n in 0..MOST_REMEMBERED + 2 {
            memory.remember(&id(n));
            memory.remember(&id(n));
        }
        assert_eq!((memory.known.len(), memory.order.len()), (MOST_REMEMBERED, MOST_REMEMBERED));
        assert!(!memory.known.contains(&id(1)) && memory.known.contains(&id(2)));
        memory.forget("evnt_2");
        assert!(!memory.known.contains(&id(2)) && memory.order.len() == MOST_REMEMBERED - 1);
    }
}
