//! Whether the book is behind the provider's own list: an older copy that was put back, its witness with it, knows
//! nothing of charges that were made since, and would make them again.
//!
//! Promises: asked before each run, and before anything is charged; the list is read from the newest provider time up to
//! which the book is known to have all of its own, so that a usual run reads one page that is nearly empty. A run that was
//! killed never told how far it came, so that the next one reads from its beginning. One lost charge is enough to
//! refuse; a second charge of an attempt that has ended in the book is no lost one: the provider made it twice, and a person
//! is told, unless there are several. Must never know: how a lost charge is taken in.

use jiff::{SignedDuration, Timestamp};

use super::pace::Pace;
use super::time::ProviderTime;
use super::{Billing, RunError};
use crate::gateway::{Page, Window};
use crate::model::settings::Doubt;
use crate::model::{AttemptId, ChargeId, ChargeSeen, EventKind, SubscriptionId};
use crate::rules::Wire;
use crate::store::{BookFacts, Filter, Store, StoreError};

/// The provider's machines do not agree to the second. Short, since every charge of it is read again.
const MARGIN: SignedDuration = SignedDuration::from_secs(5);
/// Before a new book's own beginning, for clocks that differ.
pub(super) const BEFORE_BOOK: SignedDuration = SignedDuration::from_hours(1);
/// After now: a window's end never cuts off what was just made.
const AFTER_NOW: SignedDuration = SignedDuration::from_mins(5);
/// Our wall clock is at most that far from the provider's, or nothing is charged; without its `Date` nobody can tell.
const MOST_APART: SignedDuration = SignedDuration::from_hours(1);
/// Incidents read at a time.
const PAGE_ROWS: usize = 100;
/// Second charges of one look that the provider may have made of its own accord; more mean that another copy of the book
/// charges as well.
const MOST_DOUBLED: usize = 3;

/// What a book that lacks nothing was found to have.
pub(super) struct Compared {
    /// The provider time up to which it has all of its own.
    pub(super) seen_up_to: Timestamp,
    /// Second charges of attempts that have ended in it with another one, of which nobody was told yet.
    pub(super) doubled: Vec<(AttemptId, ChargeSeen)>,
}

/// The provider time up to which a run that just asked has seen everything. Without a usable `Date` the wall clock says
/// it, less what it may be ahead by: too early a time costs pages, too late a one would hide a lost charge.
pub(super) fn seen_up_to(wire: &Wire) -> Timestamp {
    wire.provider_seen.unwrap_or_else(|| earlier(wire.wall_at, MOST_APART))
}

fn earlier(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_sub(by).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(at)
}

/// The provider time from which on the book may lack charges.
fn lacked_from(facts: &BookFacts) -> Timestamp {
    earlier(facts.provider_seen.unwrap_or_else(|| earlier(facts.created_at, BEFORE_BOOK)), MARGIN)
}

/// Under this name the book remembers when it was adopted last, in provider time.
const ADOPTED: &str = "adopted";

/// How long what was under way may stay out of the list: until it can no longer be sent, its answer has come, and all
/// that is listed late is listed.
pub(super) fn settling(billing: &Billing) -> SignedDuration {
    how_long(billing.settings.timeout, billing.settings.doubt)
}

fn how_long(timeout: SignedDuration, doubt: Doubt) -> SignedDuration {
    Wire::SEND_WITHIN + timeout + doubt.settle
}

/// When a book that was adopted just now is charged from again, by that clock; `None`: it may be already.
pub fn charging_from(
    store: &mut dyn Store,
    timeout: SignedDuration,
    doubt: Doubt,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let adopted = adopted(store)?;
    Ok(adopted.map(|at| later(at, how_long(timeout, doubt))).filter(|until| now < *until))
}

/// When the book was adopted last; `None`: never.
pub(super) fn adopted(store: &mut dyn Store) -> Result<Option<Timestamp>, StoreError> {
    store.job_began(ADOPTED)
}

/// Until when a book that was adopted then may lack a charge which the provider's list did not show; `None`: that is over.
pub(super) fn settles_until(billing: &Billing, adopted: Option<Timestamp>, wire: &Wire) -> Option<Timestamp> {
    let now = wire.provider_now.unwrap_or(wire.wall_at);
    Some(later(adopted?, settling(billing))).filter(|until| now < *until)
}

/// Remembers that the book was compared with the whole list, and bound: charging begins once a second comparison, with
/// what was listed late in it, can be made.
pub(super) fn note_adopted(
    store: &mut dyn Store,
    at: Timestamp,
    wire: &Wire,
    settling: SignedDuration,
) -> Result<(), StoreError> {
    store.note_job(ADOPTED, wire.provider_now.unwrap_or(wire.wall_at))?;
    store.note_adopted(at, earlier(seen_up_to(wire), settling))
}

/// The part of the list that the book may lack.
fn window(facts: &BookFacts, wire: &Wire) -> Window {
    // A provider's clock that was set back does not leave an empty window.
    let from = lacked_from(facts).min(seen_up_to(wire));
    let to = wire.provider_now.map_or_else(|| later(wire.wall_at, MOST_APART), |now| later(now, AFTER_NOW));
    Window { from, to }
}

/// The first page of the list, asked before the provider's time is known, so that nobody waits for one answer after the
/// other.
pub(super) struct Early {
    window: Window,
    page: Page<ChargeSeen>,
}

/// Asks for the part of the list that the book may lack if the provider's clock is where the book last saw it, or later.
pub(super) async fn ask_early(billing: &Billing, facts: &BookFacts) -> Result<Early, RunError> {
    let window = early_window(facts, billing.clock.now());
    let page = billing.gateway.charges(window, 0).await?;
    Ok(Early { window, page })
}

fn early_window(facts: &BookFacts, wall_at: Timestamp) -> Window {
    Window { from: lacked_from(facts), to: later(wall_at, MOST_APART) }
}

fn covers(asked: Window, wanted: Window) -> bool {
    asked.from <= wanted.from && wanted.to <= asked.to
}

/// Refuses (`StoreError::Behind`) a book that lacks a charge of its own. An attempt that the book has not finished is
/// ordinary doubt. `early` is used if it shows all that `time` wants to see. The caller holds the charging lock.
pub(super) async fn refuse(
    billing: &Billing,
    facts: &BookFacts,
    time: &ProviderTime,
    early: Early,
) -> Result<Compared, RunError> {
    let mut window = window(facts, &time.wire(billing.settings.timeout));
    let mut first = None;
    if covers(early.window, window) {
        (window, first) = (early.window, Some(early.page));
    }
    let installation = facts.installation.to_string();
    let permits = Pace::new(billing.clock.clone(), billing.meters.clone(), billing.settings.rate);
    let (mut offset, mut doubled) = (0, Vec::new());
    loop {
        let page = if let Some(page) = first.take() {
            page
        } else {
            permits.permit().await;
            billing.gateway.charges(window, offset).await?
        };
        time.saw(page.provider_now);
        let asked_at = page.provider_now.unwrap_or_else(|| earlier(billing.clock.now(), MOST_APART));
        offset += page.rows.len() as u64;
        let ended = page.rows.is_empty() || offset >= page.total;
        let ours = |seen: &ChargeSeen| seen.installation.as_deref() == Some(installation.as_str());
        let ours: Vec<ChargeSeen> = page.rows.into_iter().filter(ours).collect();
        if !ours.is_empty() {
            let room = MOST_DOUBLED - doubled.len();
            match billing.lane.run(move |store| look_through(store, ours, room)).await?? {
                Ok(more) => doubled.extend(more),
                Err(found) => return Err(StoreError::Behind { found }.into()),
            }
        }
        if ended {
            return Ok(Compared { seen_up_to: asked_at, doubled });
        }
    }
}

/// Those of these charges that came beside the one that the book has, `room` of them at most; or what is said of the
/// first that the book lacks.
fn look_through(
    store: &mut dyn Store,
    charges: Vec<ChargeSeen>,
    room: usize,
) -> Result<Result<Vec<(AttemptId, ChargeSeen)>, String>, StoreError> {
    let mut doubled = Vec::new();
    for seen in charges {
        let Some(id) = seen.attempt.as_deref().and_then(|text| text.parse::<AttemptId>().ok()) else {
            if is_told(store, None, &seen.charge)? {
                continue;
            }
            return Ok(Err(format!("charge {}, which names no attempt that can be read", seen.charge)));
        };
        let known = store.attempt(&id)?;
        let other =
            known.as_ref().and_then(|attempt| attempt.charge.as_ref().filter(|known| **known != seen.charge));
        let is_final = known.as_ref().is_some_and(|attempt| attempt.status.is_final());
        let why = match (&known, other) {
            (None, _) => "which this book does not have".to_owned(),
            (Some(_), Some(other)) if is_final => format!("which ended in this book with charge {other}"),
            (Some(_), _) => continue,
        };
        if is_told(store, Some(&id.invoice.subscription), &seen.charge)?
            || (known.is_none() && is_told(store, None, &seen.charge)?)
        {
            continue;
        }
        if known.is_none() || doubled.len() == room {
            return Ok(Err(format!("charge {} of attempt {id}, {why}", seen.charge)));
        }
        doubled.push((id, seen));
    }
    Ok(Ok(doubled))
}

/// Whether an incident in the diary, of that subscription or of any, names the charge: then a person was told, and the
/// book knows of it as far as it can.
pub(super) fn is_told(
    store: &mut dyn Store,
    subscription: Option<&SubscriptionId>,
    charge: &ChargeId,
) -> Result<bool, StoreError> {
    let filter = Filter {
        subscription: subscription.cloned(),
        status: Some(EventKind::Incident.word().to_owned()),
        ..Filter::default()
    };
    let mut after = 0;
    loop {
        let page = store.list_events(&filter, after, PAGE_ROWS)?;
        let names = |data: &str| data.contains(charge.as_str());
        if page.iter().any(|event| event.data.as_deref().is_some_and(names)) {
            return Ok(true);
        }
        match page.last() {
            Some(last) if page.len() == PAGE_ROWS => after = last.seq,
            _ => return Ok(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Epoch, Installation};

    const MINUTE: i64 = 60;
    const HOUR: i64 = 60 * MINUTE;
    const WALL: i64 = 1_800_000_000;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// The part of the list that is asked for, in seconds after `WALL`, and whether what was asked early shows all of it.
    /// `known`: what the book remembers; `date`: what the provider said.
    fn asked(known: Option<i64>, date: Option<i64>) -> (i64, i64, bool) {
        let facts = BookFacts {
            installation: Installation([7; 16]),
            livemode: None,
            host: None,
            zone: None,
            epoch: Epoch(0),
            created_at: at(WALL - 24 * HOUR),
            schema: 9,
            runs: 0,
            commits: 0,
            provider_seen: known.map(|after| at(WALL + after)),
        };
        let date = date.map(|after| at(WALL + after));
        let timeout = SignedDuration::from_secs(90);
        let wire = Wire { wall_at: at(WALL), provider_seen: date, provider_now: date, timeout };
        let window = window(&facts, &wire);
        let enough = covers(early_window(&facts, wire.wall_at), window);
        (window.from.as_second() - WALL, window.to.as_second() - WALL, enough)
    }

    #[test]
    fn the_list_is_asked_from_where_the_book_ended() {
        let table = [
            ("a usual run", Some(-5 * MINUTE), Some(0), (-5 * MINUTE - 5, 5 * MINUTE, true)),
            ("a run at once after another", Some(0), Some(0), (-5, 5 * MINUTE, true)),
            ("right after adopting", Some(5), Some(0), (0, 5 * MINUTE, true)),
            ("a book that nobody charged from", None, Some(0), (-25 * HOUR - 5, 5 * MINUTE, true)),
            ("a clock that is far behind", Some(0), Some(59 * MINUTE), (-5, 64 * MINUTE, false)),
            ("no date", Some(-5 * MINUTE), None, (-HOUR, HOUR, false)),
            ("no date, and long ago", Some(-5 * HOUR), None, (-5 * HOUR - 5, HOUR, true)),
            ("the provider's clock was set back", Some(0), Some(-4 * MINUTE), (-4 * MINUTE, MINUTE, false)),
        ];
        for (name, known, date, wanted) in table {
            assert_eq!(asked(known, date), wanted, "{name}");
        }
    }
}
