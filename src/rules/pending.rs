//! A charge that waits for its customer: when it is asked for, when they are reminded, when it is given up; and what
//! follows where the provider shows neither that it waits nor that it ended.
//!
//! Polls follow the wall clock, since they concern the wire; reminders and the end follow the billing clock, since
//! they concern the customer. Promises: a reminder is written once; what is given up is ended at the provider first,
//! so that nothing is charged beside a payment that may still be confirmed; every look is noted; one that nobody can
//! make sense of, or that shows a charge pending long after it should have ended, is told once, and becomes a person's
//! in the end; a read that fails is no look, and is made again, with growing waits, until it is one.
//! Must never know: how a charge is read or ended.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::conclude::{Case, with_case};
use super::doubt::{self, LAST_AGE};
use super::{Circumstances, RuleError};
use crate::model::settings::ThreeDs;
use crate::model::{Attempt, AttemptId, AttemptStatus, ChargeId, EventKind, Intent, Snapshot, Transition};

/// Most customers confirm within ten minutes: the first wait, doubled by each poll.
const SHORTEST_WAIT: SignedDuration = SignedDuration::from_mins(1);
/// Nobody waits longer than that to learn what became of a payment.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(6);
/// While reads fail: so long after an outage, at most, everybody is asked for again.
const LONGEST_WAIT_UNREAD: SignedDuration = SignedDuration::from_hours(1);
/// The provider itself ends a payment that nobody confirmed after seven days; a day more, since it may be slow. Before
/// that a person need not look after one that it does not end when it is asked to.
const ENDS_BY_ITSELF: SignedDuration = SignedDuration::from_hours(8 * 24);

/// What a charge needs that was just seen pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PendingStep {
    /// Nothing but to be asked for again later.
    Wait,
    /// Its customer is reminded: for the nth time.
    Remind(u32),
    /// It is ended.
    GiveUp,
    /// It waits for nobody, and should have ended long ago: there is nothing to do but to tell.
    Overdue,
}

/// What a look at a pending charge showed, where that is neither that it waits nor how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Strange {
    /// The provider shows no such charge, although it had shown one.
    Gone,
    /// Nobody knows what is meant, in words for people.
    Unreadable(Arc<str>),
    /// It is pending still, although its time is over and, if it waited for its customer, the provider was asked to end it.
    Unended,
}

/// What that pending attempt needs at `at`, on the billing clock. One that is in flight, without a page for the
/// customer, concerns the wire alone: it only waits, by the wall clock, and is never ended, since it may be about to
/// succeed.
pub fn judge(attempt: &Attempt, wishes: &ThreeDs, at: Timestamp, wall_now: Timestamp) -> PendingStep {
    let Some(intent) = attempt.intent.as_ref().filter(|_| attempt.status == AttemptStatus::Pending) else {
        return PendingStep::Wait;
    };
    if intent.authorize_uri.is_none() {
        let overdue = wall_now.duration_since(intent.wall_at) >= wishes.give_up;
        return if overdue { PendingStep::Overdue } else { PendingStep::Wait };
    }
    let age = at.duration_since(attempt.intended_at);
    if age >= wishes.give_up {
        return PendingStep::GiveUp;
    }
    // Reminders whose time passed while nobody looked are one.
    let due = wishes.remind.iter().filter(|after| age >= **after).count();
    let due = u32::try_from(due).unwrap_or(u32::MAX);
    if due > intent.reminded { PendingStep::Remind(due) } else { PendingStep::Wait }
}

/// When a process that stays should next ask for it, on the wall clock: after as long as it had waited at the last
/// poll, within bounds; while reads fail, after as long as they had failed. `None`: it is not pending.
pub fn next_poll(attempt: &Attempt) -> Option<Timestamp> {
    let intent = attempt.intent.as_ref().filter(|_| attempt.status == AttemptStatus::Pending)?;
    let last = intent.looked_at.unwrap_or(intent.wall_at);
    let (since, longest) = match unread_since(intent) {
        Some(since) => (since, LONGEST_WAIT_UNREAD),
        None => (intent.wall_at, LONGEST_WAIT),
    };
    last.checked_add(last.duration_since(since).clamp(SHORTEST_WAIT, longest)).ok()
}

/// Since when every read has failed; `None`: the last one showed something.
fn unread_since(intent: &Intent) -> Option<Timestamp> {
    // What a look showed has a reason, in words.
    intent.doubt_since.filter(|_| intent.reason.is_none())
}

/// Whether whoever comes by in the ordinary course should ask for it: its next poll has come on the wall clock, or it
/// needs something at `at`, on the billing clock. What could not be had from its last look waits for the next poll.
pub fn is_due(attempt: &Attempt, wishes: &ThreeDs, at: Timestamp, wall_now: Timestamp) -> bool {
    let had_all = attempt.intent.as_ref().is_none_or(|intent| intent.doubt_since.is_none());
    next_poll(attempt).is_none_or(|next| next <= wall_now)
        || (had_all && judge(attempt, wishes, at, wall_now) != PendingStep::Wait)
}

/// Notes a poll that found it pending still, and the reminder that is due. Empty if it has ended meanwhile.
pub fn polled(
    snapshot: &Snapshot,
    attempt: &AttemptId,
    wishes: &ThreeDs,
    c: &Circumstances,
) -> Result<Transition, RuleError> {
    with_case(snapshot, attempt, c, |case| {
        if case.attempt().status != AttemptStatus::Pending {
            return Ok(false);
        }
        let step = judge(case.attempt(), wishes, c.at, c.wire.wall_at);
        let charge = case.attempt().charge.clone();
        let Some(intent) = &mut case.attempt_mut().intent else { return Ok(false) };
        intent.looked_at = Some(c.wire.wall_at);
        // Whatever an earlier look could not make sense of has passed.
        (intent.doubt_since, intent.first_empty_scan, intent.reason) = (None, None, None);
        if let PendingStep::Remind(reminder) = step {
            intent.reminded = reminder;
            let data = json!({
                "attempt": attempt,
                "charge": charge,
                "authorize_uri": intent.authorize_uri.as_deref(),
                "reminder": reminder,
            });
            case.event(EventKind::ActionReminded, &data);
        }
        Ok(true)
    })
}

/// Notes that it could not be read, so that it is asked for again, later from time to time: nothing is concluded from
/// that, and nobody is told. Empty if the attempt has ended meanwhile.
pub fn unread(snapshot: &Snapshot, attempt: &AttemptId, c: &Circumstances) -> Result<Transition, RuleError> {
    with_case(snapshot, attempt, c, |case| {
        if case.attempt().status != AttemptStatus::Pending {
            return Ok(false);
        }
        let Some(intent) = &mut case.attempt_mut().intent else { return Ok(false) };
        intent.looked_at = Some(c.wire.wall_at);
        intent.doubt_since.get_or_insert(c.wire.wall_at);
        Ok(true)
    })
}

/// Notes a look that showed something strange, and tells people of it once. It becomes theirs to decide when waiting has
/// no more sense: a charge that is still gone a `settle` after the first look that did not find it, in provider time as
/// with all that is not found; a status that nobody knows once the customer's time is over; and whatever stays strange
/// up to the last age of doubt, but for a charge that the provider may still end by itself. Empty if the attempt has
/// ended meanwhile.
pub fn strange(
    snapshot: &Snapshot,
    attempt: &AttemptId,
    strange: &Strange,
    wishes: &ThreeDs,
    c: &Circumstances,
) -> Result<Transition, RuleError> {
    with_case(snapshot, attempt, c, |case| {
        if case.attempt().status != AttemptStatus::Pending {
            return Ok(false);
        }
        let why = in_words(case.attempt(), strange);
        let past_its_time = judge(case.attempt(), wishes, c.at, c.wire.wall_at) == PendingStep::GiveUp;
        let Some(noted) = note(case, strange, &why) else { return Ok(false) };
        let is_a_persons = match strange {
            Strange::Gone => noted.stays_gone || noted.past_last_age,
            Strange::Unreadable(_) => past_its_time || noted.past_last_age,
            Strange::Unended => noted.past_last_age && !may_end_by_itself(case.attempt(), c.wire.wall_at),
        };
        if is_a_persons {
            doubt::manual(case, &format!("{why}; {}, then `dues resolve {attempt}`", first_step(strange)));
        } else if noted.is_news {
            case.incident(&why);
        }
        Ok(true)
    })
}

/// Whether the provider has time left to end it without being asked.
fn may_end_by_itself(attempt: &Attempt, wall_now: Timestamp) -> bool {
    attempt.intent.as_ref().is_some_and(|intent| wall_now.duration_since(intent.wall_at) < ENDS_BY_ITSELF)
}

fn in_words(attempt: &Attempt, strange: &Strange) -> Arc<str> {
    match (strange, &attempt.charge) {
        (Strange::Unreadable(why), _) => why.clone(),
        (Strange::Gone, Some(charge)) => {
            format!("the provider does not show charge {charge} any more, which was pending").into()
        }
        (Strange::Gone, None) => "the provider does not show the charge, which was pending".into(),
        (Strange::Unended, charge) => unended(attempt, charge.as_ref()).into(),
    }
}

fn unended(attempt: &Attempt, charge: Option<&ChargeId>) -> String {
    let which = charge.map_or_else(|| "the charge".to_owned(), |charge| format!("charge {charge}"));
    let waits = attempt.intent.as_ref().is_some_and(|intent| intent.authorize_uri.is_some());
    let how = if waits {
        "was not confirmed in time, and the provider does not end it"
    } else {
        "should have ended long ago, and is pending at the provider still"
    };
    format!("{which} {how}; nothing is charged beside it until it has ended there")
}

/// What a person does before they can say what became of it.
const fn first_step(strange: &Strange) -> &'static str {
    match strange {
        Strange::Gone | Strange::Unreadable(_) => "look at the provider whether money was taken",
        Strange::Unended => "have it ended at the provider",
    }
}

/// What the looks so far come to.
struct Noted {
    /// No look before has shown this.
    is_news: bool,
    /// It was gone a `settle` ago too, and not there since.
    stays_gone: bool,
    /// Looks have been strange for as long as doubt is looked up.
    past_last_age: bool,
}

/// `None`: the attempt has nothing to note a look in.
fn note(case: &mut Case, strange: &Strange, why: &Arc<str>) -> Option<Noted> {
    let (wire, settle) = (case.c.wire, case.c.doubt.settle);
    let intent = case.attempt_mut().intent.as_mut()?;
    if unread_since(intent).is_some() {
        intent.doubt_since = None; // Reads failed until now: that is not strange.
    }
    intent.looked_at = Some(wire.wall_at);
    let is_news = intent.reason.replace(why.clone()).as_ref() != Some(why);
    let since = *intent.doubt_since.get_or_insert(wire.wall_at);
    let (gone, now) = (*strange == Strange::Gone, wire.provider_now);
    let earlier = intent.first_empty_scan.filter(|_| gone);
    // As with any look that finds nothing, one without the provider's own time does not count.
    intent.first_empty_scan = if gone { earlier.or(now) } else { None };
    let stays_gone = earlier.zip(now).is_some_and(|(earlier, now)| now.duration_since(earlier) >= settle);
    Some(Noted { is_news, stays_gone, past_last_age: wire.wall_at.duration_since(since) >= LAST_AGE })
}
