//! What people do beside the service: subscribe, cancel, pause, resume, run, back up; and what must follow from it.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use super::world::World;
use crate::harness::{Book, Chance, Child, text};

/// Runs asked for that may be under way at once.
const MOST_RUNS: usize = 2;
/// Before a cancel, so long ago a period must have been invoiced: the service is down for a while after each kill.
const LONGEST_UNSEEN: SignedDuration = SignedDuration::from_hours(5 * 24);

/// From just before a command to just after it.
#[derive(Clone, Copy)]
struct Moment {
    before: Timestamp,
    after: Timestamp,
}

/// A subscription that people change.
struct Changed {
    id: String,
    starts: Date,
    pauses: Vec<(Moment, Option<Moment>)>,
    canceled: Option<Moment>,
}

/// Everything that people did.
pub struct Beside {
    customers: Vec<String>,
    changed: Vec<Changed>,
    runs: Vec<Child>,
    counts: [(&'static str, u64); 6],
}

impl Beside {
    /// Nothing yet; new subscriptions are of these customers.
    pub fn new(customers: Vec<String>) -> Self {
        let counts = ["subscribe", "cancel", "pause", "resume", "run-now", "backup"].map(|name| (name, 0));
        Self { customers, changed: Vec::new(), runs: Vec::new(), counts }
    }

    /// One thing, by chance.
    pub fn act(&mut self, world: &World, chance: &mut Chance) {
        let what = chance.below(9);
        let place = usize::try_from(chance.next() % 1_000_000).expect("small");
        match what {
            0 | 1 => self.subscribe(world, place),
            2 => self.cancel(world, place),
            3 | 4 => self.pause(world, place),
            5 | 6 => self.resume(world, place),
            7 => self.run(world),
            _ => self.back_up(world),
        }
    }

    fn count(&mut self, name: &str) {
        for (known, count) in &mut self.counts {
            *count += u64::from(*known == name);
        }
    }

    /// Runs a command that must succeed, and remembers when.
    #[track_caller]
    fn order(&mut self, world: &World, words: &[&str]) -> (Moment, String) {
        let before = world.now();
        let ended = world.dues(words).expect(0);
        self.count(words[0]);
        (Moment { before, after: world.now() }, ended.stdout.trim().to_owned())
    }

    fn subscribe(&mut self, world: &World, place: usize) {
        let customer = self.customers[place % self.customers.len()].clone();
        let starts = world.local_now().date();
        let words =
            ["subscribe", "--customer", &customer, "--plan", "weekly", "--starts", &starts.to_string()];
        let (_, id) = self.order(world, &words);
        self.changed.push(Changed { id, starts, pauses: Vec::new(), canceled: None });
    }

    fn find(&self, place: usize, wanted: impl Fn(&Changed) -> bool) -> Option<usize> {
        let fit: Vec<usize> = (0..self.changed.len()).filter(|at| wanted(&self.changed[*at])).collect();
        if fit.is_empty() { None } else { Some(fit[place % fit.len()]) }
    }

    fn cancel(&mut self, world: &World, place: usize) {
        let Some(at) = self.find(place, |one| one.canceled.is_none()) else { return };
        let id = self.changed[at].id.clone();
        let (moment, _) = self.order(world, &["cancel", &id, "--reason", "the soak"]);
        self.changed[at].canceled = Some(moment);
    }

    fn pause(&mut self, world: &World, place: usize) {
        let Some(at) = self.find(place, |one| one.canceled.is_none() && !one.is_paused()) else { return };
        let id = self.changed[at].id.clone();
        let (moment, _) = self.order(world, &["pause", &id, "--reason", "the soak"]);
        self.changed[at].pauses.push((moment, None));
    }

    fn resume(&mut self, world: &World, place: usize) {
        let Some(at) = self.find(place, |one| one.canceled.is_none() && one.is_paused()) else { return };
        let id = self.changed[at].id.clone();
        let (moment, _) = self.order(world, &["resume", &id]);
        if let Some((_, end)) = self.changed[at].pauses.last_mut() {
            *end = Some(moment);
        }
    }

    /// Handed over to the service, or taken over from it if it dies: whichever, it ends by itself.
    fn run(&mut self, world: &World) {
        self.runs.retain_mut(|run| !run.has_ended());
        if self.runs.len() < MOST_RUNS {
            self.runs.push(world.start(&["run-now", "--json"]));
            self.count("run-now");
        }
    }

    fn back_up(&mut self, world: &World) {
        let number = self.counts.iter().map(|(_, count)| count).sum::<u64>().to_string();
        let name = format!("copy-{number}.db");
        self.order(world, &["backup", &name]);
        std::fs::remove_file(world.path(&name)).expect("the copy is there");
    }

    /// Waits for every run that was asked for.
    pub fn wait_for_runs(&mut self) {
        for run in self.runs.drain(..) {
            let ended = run.wait();
            assert!(!ended.stderr.contains("panicked"), "{ended:#?}");
        }
    }

    /// How often each thing was done.
    pub fn counts(&self) -> String {
        let words: Vec<String> = self.counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
        words.join(", ")
    }

    /// Ids of the subscriptions that people made.
    pub fn subscriptions(&self) -> impl Iterator<Item = &str> {
        self.changed.iter().map(|one| one.id.as_str())
    }

    /// Every period that was missed or uncalled for, and every charge after a cancel.
    pub fn judge(&self, book: &Book, now: Timestamp, zone: &TimeZone) -> Vec<String> {
        let mut faults = Vec::new();
        for one in &self.changed {
            one.periods(book, now, zone, &mut faults);
            one.silence_after_cancel(book, &mut faults);
        }
        faults
    }
}

impl Changed {
    fn is_paused(&self) -> bool {
        self.pauses.last().is_some_and(|(_, end)| end.is_none())
    }

    /// Nothing may have begun at that instant: a pause, or the end, held for certain.
    fn surely_off(&self, at: Timestamp) -> bool {
        let paused =
            |(from, to): &(Moment, Option<Moment>)| from.after < at && to.is_none_or(|to| at < to.before);
        self.pauses.iter().any(paused) || self.canceled.is_some_and(|end| end.after < at)
    }

    /// The period that began at that instant must have been invoiced.
    fn surely_on(&self, at: Timestamp) -> bool {
        let clear =
            |(from, to): &(Moment, Option<Moment>)| at < from.before || to.is_some_and(|to| to.after < at);
        self.pauses.iter().all(clear) && self.canceled.is_none_or(|end| at + LONGEST_UNSEEN < end.before)
    }

    fn periods(&self, book: &Book, now: Timestamp, zone: &TimeZone, faults: &mut Vec<String>) {
        let found: Vec<String> =
            book.invoices_of(&self.id).map(|row| text(row, "period_start").to_owned()).collect();
        for week in 0_i64.. {
            let start = self.starts.saturating_add(week.weeks());
            let at = start.to_zoned(zone.clone()).expect("a day of this calendar").timestamp();
            if at > now {
                break;
            }
            let times = found.iter().filter(|text| text.starts_with(&start.to_string())).count();
            if times > 1 || (times == 0 && self.surely_on(at)) {
                faults.push(format!("missed: {} has {times} invoices from {start}", self.id));
            }
            if times > 0 && self.surely_off(at) {
                faults.push(format!("uncalled for: {} was invoiced from {start} while it was off", self.id));
            }
        }
    }

    fn silence_after_cancel(&self, book: &Book, faults: &mut Vec<String>) {
        let Some(end) = self.canceled else { return };
        let mine = format!("{}.", self.id);
        for attempt in book.attempts.iter().filter(|row| text(row, "invoice").starts_with(&mine)) {
            let at: Timestamp = text(attempt, "intended_at").parse().expect("an instant");
            if at > end.after {
                faults.push(format!("after cancel: {attempt}, canceled by {}", end.after));
            }
        }
    }
}
