//! Everything the pretend Omise holds, behind one lock.
//!
//! Promises: each request sees and leaves a whole world. Must never know sockets.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::bank::Bank;
use super::faults::Fault;
use super::idempotency::{Memory, Mode};
use super::journal::Journal;
use super::keys::Keys;
use super::ledger::Ledger;
use super::rules::Desk;
use super::shelf::{Record, Shelf};
use super::time::SandboxTime;
use super::traffic::{RateLimit, Traffic};
use crate::sandbox::http::webhooks::{Parcel, Webhooks};
use crate::sandbox::objects::cards::Card;
use crate::sandbox::objects::charges::{Charge, Status};
use crate::sandbox::objects::currency::Limits;
use crate::sandbox::objects::customers::Customer;
use crate::sandbox::objects::events::Event;
use crate::sandbox::objects::refunds::Refund;
use crate::sandbox::objects::schedules::{self, Occurrence, Schedule};
use crate::sandbox::objects::tokens::Token;
use crate::sandbox::objects::transactions::Transaction;
use crate::sandbox::objects::{error, lifecycle};

/// How the pretend account and provider behave. `POST /__sandbox/settings` changes any part.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Every answer waits so many milliseconds after processing.
    pub latency_ms: u64,
    /// More requests than this in a window are answered 429.
    pub rate_limit: Option<RateLimit>,
    /// What the `Idempotency-Key` header does.
    pub idempotency: Mode,
    /// The account asks for 3-D Secure on every charge.
    pub three_ds: bool,
    /// Lists show new charges so many milliseconds late.
    pub list_delay_ms: u64,
    /// Search finds new charges so many milliseconds late.
    pub search_lag_ms: u64,
    /// The smallest and largest charge.
    pub limits: Limits,
    /// Answers carry no `Date`.
    pub no_date: bool,
    /// Who hears of events, and how.
    pub webhooks: Webhooks,
}

/// The whole pretend provider.
pub struct World {
    pub seed: u64,
    pub keys: Keys,
    /// `http://address:port`, for the absolute links in tokens and payment pages.
    pub base_url: String,
    /// The one name of the state file that is held; `None`: all is in memory.
    pub home: Option<String>,
    pub time: SandboxTime,
    pub settings: Settings,
    pub faults: Desk,
    pub traffic: Traffic,
    pub memory: Memory,
    pub customers: Shelf<Customer>,
    pub cards: Shelf<Card>,
    pub tokens: Shelf<Token>,
    pub charges: Shelf<Charge>,
    pub refunds: Shelf<Refund>,
    pub transactions: Shelf<Transaction>,
    pub schedules: Shelf<Schedule>,
    pub occurrences: Shelf<Occurrence>,
    pub events: Shelf<Event>,
    /// What the account owns, in its smallest unit.
    pub balance: i64,
    pub ledger: Ledger,
    /// Charges that search does not find yet: until when (milliseconds), and the place.
    pub unsearchable: Vec<(u64, u32)>,
    /// Pending charges by the millisecond at which time acts on them.
    waiting: BTreeSet<(u64, u32)>,
    /// When the next schedule acts, in milliseconds, or earlier.
    next_schedule_ms: u64,
    /// The instant that is being lived through while time passes; `None` otherwise.
    acting_ms: Option<u64>,
    /// Events that have to leave.
    pub parcels: Vec<Parcel>,
    /// An event waiting for the next one to overtake it.
    pub held_parcel: Option<Parcel>,
    journal: Option<Journal>,
    /// Decides charges; `None`: the test cards' published conduct does.
    pub bank: Option<Arc<dyn Bank>>,
}

impl World {
    /// An empty world.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            keys: Keys::from_seed(seed),
            base_url: String::new(),
            home: None,
            time: SandboxTime::default(),
            settings: Settings::default(),
            faults: Desk::default(),
            traffic: Traffic::default(),
            memory: Memory::default(),
            customers: Shelf::new(seed),
            cards: Shelf::new(seed),
            tokens: Shelf::new(seed),
            charges: Shelf::new(seed),
            refunds: Shelf::new(seed),
            transactions: Shelf::new(seed),
            schedules: Shelf::new(seed),
            occurrences: Shelf::new(seed),
            events: Shelf::new(seed),
            balance: 0,
            ledger: Ledger::default(),
            unsearchable: Vec::new(),
            waiting: BTreeSet::new(),
            next_schedule_ms: u64::MAX,
            acting_ms: None,
            parcels: Vec::new(),
            held_parcel: None,
            journal: None,
            bank: None,
        }
    }

    /// Milliseconds since 1970 by the sandbox's clock.
    pub fn now_ms(&self) -> u64 {
        self.acting_ms.unwrap_or_else(|| self.time.now_ms())
    }

    /// Seconds since 1970 by the sandbox's clock.
    pub fn now_seconds(&self) -> i64 {
        i64::try_from(self.now_ms() / 1000).unwrap_or(i64::MAX)
    }

    /// How late lists show a charge made under these switches, in milliseconds.
    pub fn list_delay(&self, faults: &[Fault]) -> u64 {
        let asked =
            faults.iter().find_map(|fault| if let Fault::ListDelay(ms) = fault { Some(*ms) } else { None });
        asked.unwrap_or(self.settings.list_delay_ms)
    }

    /// How late search finds a charge made under these switches, in milliseconds.
    pub fn search_lag(&self, faults: &[Fault]) -> u64 {
        let asked =
            faults.iter().find_map(|fault| if let Fault::SearchLag(ms) = fault { Some(*ms) } else { None });
        asked.unwrap_or(self.settings.search_lag_ms)
    }

    /// Remembers that time will act on this charge.
    pub fn watch(&mut self, place: u32) {
        let charge = self.charges.at(place);
        if charge.status == Status::Pending {
            let expiry = u64::try_from(charge.expires_at).unwrap_or(0).saturating_mul(1000);
            self.waiting.insert((charge.settles_ms.unwrap_or(u64::MAX).min(expiry), place));
        }
    }

    /// Lets time act: late charges enter lists, waiting ones settle or expire.
    pub fn pass_time(&mut self) {
        let now = self.now_ms();
        self.charges.reveal(now);
        self.unsearchable.retain(|(until, _)| *until > now);
        while let Some(&(due, place)) = self.waiting.first().filter(|(due, _)| *due <= now) {
            self.waiting.pop_first();
            self.live_through(due, |world| lifecycle::ripen(world, place));
        }
        while self.next_schedule_ms <= now {
            let next = schedules::earliest(self);
            self.next_schedule_ms = next.map_or(u64::MAX, |(due, _)| due);
            if let Some((due, place)) = next.filter(|(due, _)| *due <= now) {
                self.live_through(due, |world| schedules::run(world, place));
            }
        }
    }

    /// Does something at the instant it was due, which may be long ago.
    fn live_through(&mut self, due: u64, act: impl FnOnce(&mut Self)) {
        let before = self.acting_ms.replace(due);
        act(self);
        self.acting_ms = before;
    }

    /// A schedule will act at this instant; `None`: it will not.
    pub fn schedule_due(&mut self, due_ms: Option<u64>) {
        self.next_schedule_ms = self.next_schedule_ms.min(due_ms.unwrap_or(u64::MAX));
    }

    /// From now on every change is written to this journal.
    pub fn keep_journal(&mut self, journal: Journal) {
        self.customers.keep_journal();
        self.cards.keep_journal();
        self.tokens.keep_journal();
        self.charges.keep_journal();
        self.refunds.keep_journal();
        self.transactions.keep_journal();
        self.schedules.keep_journal();
        self.occurrences.keep_journal();
        self.events.keep_journal();
        self.ledger.keep_journal();
        self.journal = Some(journal);
    }

    /// Writes what changed to the journal, as one line. Called before any answer leaves.
    pub fn save(&mut self) -> std::io::Result<()> {
        let Some(mut journal) = self.journal.take() else { return Ok(()) };
        let done = journal.write(self);
        self.journal = Some(journal);
        done
    }

    /// After a replay: what follows from the records.
    pub fn rebuild(&mut self) {
        for place in 0..u32::try_from(self.charges.len()).unwrap_or(u32::MAX) {
            self.watch(place);
        }
        self.next_schedule_ms = schedules::earliest(self).map_or(u64::MAX, |(due, _)| due);
    }
}

/// Finds a record by id or answers as the API does.
pub fn find<T: Record>(shelf: &Shelf<T>, id: &str) -> Result<u32, error::ApiError> {
    shelf.find(id).ok_or_else(|| error::ApiError::not_found(T::NAME, id))
}
