//! The state file: one JSON line per change, replayed at start.
//!
//! Promises: a line is in the operating system's hands before the answer leaves, so killing the process
//! loses nothing that was acknowledged; a torn last line is cut off; two processes cannot share a file.
//! Power loss is not survived: nothing here is worth that wait. Must never know what a change means.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::ledger::Entry;
use super::seed::{self, Fates};
use super::shelf::Kept;
use super::time::SandboxTime;
use super::world::World;
use crate::sandbox::SandboxError;
use crate::sandbox::objects::cards::Card;
use crate::sandbox::objects::charges::Charge;
use crate::sandbox::objects::customers::Customer;
use crate::sandbox::objects::events::Event;
use crate::sandbox::objects::refunds::Refund;
use crate::sandbox::objects::schedules::{Occurrence, Schedule};
use crate::sandbox::objects::tokens::Token;
use crate::sandbox::objects::transactions::Transaction;

/// One line: what one request changed.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Line {
    #[serde(skip_serializing_if = "Option::is_none")]
    head: Option<Head>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<SandboxTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    balance: Option<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    customers: Vec<Kept<Customer>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cards: Vec<Kept<Card>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tokens: Vec<Kept<Token>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    charges: Vec<Kept<Charge>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refunds: Vec<Kept<Refund>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    transactions: Vec<Kept<Transaction>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    schedules: Vec<Kept<Schedule>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    occurrences: Vec<Kept<Occurrence>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    events: Vec<Kept<Event>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ledger: Vec<(usize, Entry)>,
}

/// The first line: how the world began.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// The form of this file.
    pub sandbox: u32,
    pub seed: u64,
    pub customers: u32,
    pub fates: Fates,
}

/// The only form there is so far.
pub const FORM: u32 = 1;

/// The open state file.
pub struct Journal {
    file: File,
    time: SandboxTime,
    balance: i64,
}

impl Journal {
    /// Opens or makes the file, and gives the world back as it was left. A new world begins as `head` says;
    /// an older file's own beginning wins, but its seed must be the one asked for.
    pub fn open(path: &Path, head: Head) -> Result<World, SandboxError> {
        let at = |source| SandboxError::State { path: path.to_owned(), source };
        let file =
            OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path).map_err(at)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(SandboxError::StateInUse { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(at(source)),
        }
        let (mut world, end) = replay(&file, path, head)?;
        file.set_len(end).map_err(at)?;
        let mut journal = Self { file, time: world.time, balance: world.balance };
        if end == 0 {
            journal.put(&Line { head: Some(head), ..Line::default() }).map_err(at)?;
        }
        world.rebuild();
        world.keep_journal(journal);
        Ok(world)
    }

    /// Writes what changed since the last call, if anything did.
    pub fn write(&mut self, world: &mut World) -> std::io::Result<()> {
        let line = Line {
            head: None,
            time: (self.time != world.time).then_some(world.time),
            balance: (self.balance != world.balance).then_some(world.balance),
            customers: world.customers.take_changed(),
            cards: world.cards.take_changed(),
            tokens: world.tokens.take_changed(),
            charges: world.charges.take_changed(),
            refunds: world.refunds.take_changed(),
            transactions: world.transactions.take_changed(),
            schedules: world.schedules.take_changed(),
            occurrences: world.occurrences.take_changed(),
            events: world.events.take_changed(),
            ledger: world.ledger.take_changed(),
        };
        if line.is_empty() {
            return Ok(());
        }
        (self.time, self.balance) = (world.time, world.balance);
        self.put(&line)
    }

    fn put(&mut self, line: &Line) -> std::io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.file.write_all(&text)
    }
}

impl Line {
    fn is_empty(&self) -> bool {
        self.time.is_none()
            && self.balance.is_none()
            && self.customers.is_empty()
            && self.cards.is_empty()
            && self.tokens.is_empty()
            && self.charges.is_empty()
            && self.refunds.is_empty()
            && self.transactions.is_empty()
            && self.schedules.is_empty()
            && self.occurrences.is_empty()
            && self.events.is_empty()
            && self.ledger.is_empty()
    }

    /// Puts the line into the world. False if it does not follow from the lines before it.
    fn apply(self, world: &mut World) -> bool {
        world.time = self.time.unwrap_or(world.time);
        world.balance = self.balance.unwrap_or(world.balance);
        world.customers.restore(self.customers)
            && world.cards.restore(self.cards)
            && world.tokens.restore(self.tokens)
            && world.charges.restore(self.charges)
            && world.refunds.restore(self.refunds)
            && world.transactions.restore(self.transactions)
            && world.schedules.restore(self.schedules)
            && world.occurrences.restore(self.occurrences)
            && world.events.restore(self.events)
            && world.ledger.restore(self.ledger)
    }
}

/// Reads the whole file. Returns the world and where the last whole line ends.
fn replay(file: &File, path: &Path, wanted: Head) -> Result<(World, u64), SandboxError> {
    let at = |source| SandboxError::State { path: path.to_owned(), source };
    let broken = |line: u64| SandboxError::StateBroken { path: PathBuf::from(path), line };
    let mut reader = BufReader::new(file);
    reader.seek(SeekFrom::Start(0)).map_err(at)?;
    let (mut world, mut end, mut number) = (World::new(wanted.seed), 0u64, 0u64);
    let mut text = Vec::new();
    loop {
        text.clear();
        let length = reader.read_until(b'\n', &mut text).map_err(at)?;
        if length == 0 || text.last() != Some(&b'\n') {
            // Nothing more, or a line that a kill cut short: its request was never answered.
            break;
        }
        number += 1;
        let line: Line = serde_json::from_slice(&text).map_err(|_| broken(number))?;
        if number == 1 {
            let head = line.head.filter(|head| head.sandbox == FORM).ok_or_else(|| broken(1))?;
            if head.seed != wanted.seed {
                return Err(SandboxError::OtherSeed {
                    path: PathBuf::from(path),
                    found: head.seed,
                    wanted: wanted.seed,
                });
            }
            seed::plant(&mut world, head.customers, head.fates);
        } else if !line.apply(&mut world) {
            return Err(broken(number));
        }
        end += length as u64;
    }
    if number == 0 {
        seed::plant(&mut world, wanted.customers, wanted.fates);
    }
    Ok((world, end))
}
