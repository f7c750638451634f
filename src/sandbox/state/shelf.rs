//! A shelf holds all records of one kind, in the order of their making.
//!
//! Promises: finding by id takes no search, a window of time is found by halving, nothing is ever removed
//! (a destroyed record stays and is merely not listed), and what changed since the last asking is known,
//! for the journal. Must never know what the records mean.

use serde::{Deserialize, Serialize};

use super::ids::{self, Id};

/// What a shelf must know about its records.
pub trait Record {
    /// The id prefix, such as `cust`.
    const PREFIX: &'static str;
    /// What an error calls the kind.
    const NAME: &'static str;

    /// False once destroyed: lists skip it.
    fn listed(&self) -> bool {
        true
    }
}

/// One record with its id.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Kept<T> {
    pub id: Id,
    pub record: T,
}

/// All records of one kind.
#[derive(Debug)]
pub struct Shelf<T> {
    seed: u64,
    kept: Vec<Kept<T>>,
    /// Places in the order of creation times, only the listed ones.
    order: Vec<u32>,
    /// Made, but not yet seen by lists: until when (milliseconds), and the place.
    late: Vec<(u64, u32)>,
    /// Places changed since the journal last asked; `None` when there is no journal.
    changed: Option<Vec<u32>>,
}

impl<T: Record> Shelf<T> {
    pub fn new(seed: u64) -> Self {
        Self { seed, kept: Vec::new(), order: Vec::new(), late: Vec::new(), changed: None }
    }

    /// Makes room at once for as many as seeding will put here.
    pub fn reserve(&mut self, count: usize) {
        self.kept.reserve_exact(count);
        self.order.reserve_exact(count);
    }

    /// From now on remembers what changes.
    pub fn keep_journal(&mut self) {
        self.changed = Some(Vec::new());
    }

    /// Puts a record at the end; lists see it from `listed_from_ms` on.
    pub fn put(&mut self, now_ms: u64, listed_from_ms: u64, record: T) -> u32 {
        let place = u32::try_from(self.kept.len()).unwrap_or(u32::MAX);
        self.kept.push(Kept { id: Id { ms: now_ms, place }, record });
        if listed_from_ms > now_ms {
            self.late.push((listed_from_ms, place));
        } else {
            self.enter(place);
        }
        self.touch(place);
        place
    }

    /// Puts a record that lists see at once.
    pub fn add(&mut self, now_ms: u64, record: T) -> u32 {
        self.put(now_ms, now_ms, record)
    }

    fn enter(&mut self, place: u32) {
        let at = self.id(place).ms;
        // The clock may have been set back, so the end is not always the right place.
        let spot = match self.order.last() {
            Some(last) if self.id(*last).ms > at => {
                self.order.partition_point(|other| self.id(*other).ms <= at)
            }
            _ => self.order.len(),
        };
        self.order.insert(spot, place);
    }

    fn touch(&mut self, place: u32) {
        if let Some(changed) = &mut self.changed {
            changed.push(place);
        }
    }

    /// Lets lists see what was made late enough ago.
    pub fn reveal(&mut self, now_ms: u64) {
        if self.late.is_empty() {
            return;
        }
        let (due, later): (Vec<_>, Vec<_>) = self.late.drain(..).partition(|(from, _)| *from <= now_ms);
        self.late = later;
        for (_, place) in due {
            self.enter(place);
        }
    }

    pub fn len(&self) -> usize {
        self.kept.len()
    }

    pub fn id(&self, place: u32) -> Id {
        self.kept[place as usize].id
    }

    /// The id as clients see it.
    pub fn name(&self, place: u32) -> String {
        ids::spell(T::PREFIX, self.seed, self.id(place))
    }

    /// The id that the next record put at this instant will have.
    pub fn next_name(&self, now_ms: u64) -> String {
        let place = u32::try_from(self.kept.len()).unwrap_or(u32::MAX);
        ids::spell(T::PREFIX, self.seed, Id { ms: now_ms, place })
    }

    pub fn at(&self, place: u32) -> &T {
        &self.kept[place as usize].record
    }

    /// The record to change; the journal will write it.
    pub fn change(&mut self, place: u32) -> &mut T {
        self.touch(place);
        &mut self.kept[place as usize].record
    }

    /// Where the record of this id lies, destroyed ones included.
    pub fn find(&self, id: &str) -> Option<u32> {
        let place = ids::place(T::PREFIX, id)?;
        ((place as usize) < self.kept.len() && self.name(place) == id).then_some(place)
    }

    /// Takes a destroyed record out of the lists.
    pub fn unlist(&mut self, place: u32) {
        self.order.retain(|other| *other != place);
        self.late.retain(|(_, other)| *other != place);
    }

    /// Listed places whose creation second lies in `from..=to`, oldest first.
    pub fn window(&self, from: i64, to: i64) -> &[u32] {
        let start = self.order.partition_point(|place| self.id(*place).seconds() < from);
        let end = self.order.partition_point(|place| self.id(*place).seconds() <= to);
        self.order.get(start..end).unwrap_or_default()
    }

    /// Every listed place, oldest first.
    pub fn listed(&self) -> &[u32] {
        &self.order
    }
}

impl<T: Record + Clone> Shelf<T> {
    /// Copies of what changed since the last call, for the journal.
    pub fn take_changed(&mut self) -> Vec<Kept<T>> {
        let Some(changed) = &mut self.changed else { return Vec::new() };
        let mut places = std::mem::take(changed);
        places.sort_unstable();
        places.dedup();
        places.into_iter().map(|place| self.kept[place as usize].clone()).collect()
    }

    /// Puts back what a journal line holds. False if the line does not follow from those before it.
    pub fn restore(&mut self, entries: Vec<Kept<T>>) -> bool {
        for entry in entries {
            let (place, listed) = (entry.id.place, entry.record.listed());
            match (place as usize).cmp(&self.kept.len()) {
                std::cmp::Ordering::Less => {
                    let was_listed = self.at(place).listed();
                    self.kept[place as usize] = entry;
                    if was_listed && !listed {
                        self.unlist(place);
                    }
                }
                std::cmp::Ordering::Equal => {
                    self.kept.push(entry);
                    if listed {
                        self.enter(place);
                    }
                }
                std::cmp::Ordering::Greater => return false,
            }
        }
        true
    }
}
