//! Attempts of which nobody knows what became: when to look, where to look, and what a look tells.
//!
//! Promises: an attempt is only called absent after two complete, empty looks, far enough apart and far enough after
//! the last moment at which its request can have reached the provider, all in the provider's own time. Until then
//! nothing is charged beside it. What no look can settle becomes a person's, never a guess.
//! Must never know: how a list is paged or a charge is sent.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::conclude::{Case, conclude_as, with_case};
use super::{Circumstances, DoubtStep, RuleError, Scan, outcome_of};
use crate::model::{
    Attempt, AttemptId, AttemptStatus, ChargeId, ChargeSeen, EventKind, Intent, SeenStatus, Snapshot,
    Transition,
};

/// Ages of a doubt, on our wall clock, at which a daemon looks; every run looks anyway. Past the last one, what a
/// look cannot settle is a person's.
pub const LOOK_AT_AGES: [SignedDuration; 10] = [
    SignedDuration::from_mins(1),
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(15),
    SignedDuration::from_hours(1),
    SignedDuration::from_hours(6),
    SignedDuration::from_hours(24),
    SignedDuration::from_hours(48),
    SignedDuration::from_hours(72),
    SignedDuration::from_hours(96),
    LAST_AGE,
];
pub(super) const LAST_AGE: SignedDuration = SignedDuration::from_hours(120);
/// Between two looks past the last age.
const DAILY: SignedDuration = SignedDuration::from_hours(24);
/// Before the last provider time seen before an intent: clocks of two servers behind one address may differ.
const BEFORE_INTENT: SignedDuration = SignedDuration::from_mins(5);
/// After the provider's time now, for the same reason.
const AFTER_NOW: SignedDuration = SignedDuration::from_mins(5);

/// After the last moment at which a request can have reached the provider.
const AFTER_DEADLINE: SignedDuration = SignedDuration::from_hours(24);
/// A window that is no longer than that is read in one.
const ONE_WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// The one window, in provider time, that holds every charge these attempts can have become. An attempt made before
/// any provider time was known reaches back to the beginning.
pub fn window(attempts: &[Attempt], c: &Circumstances) -> (Timestamp, Timestamp) {
    let seen = attempts.iter().map(|a| a.intent.as_ref().and_then(|intent| intent.provider_seen));
    let from = seen.min().flatten().unwrap_or(Timestamp::UNIX_EPOCH);
    let to = c.wire.provider_now.unwrap_or(c.wire.wall_at);
    (
        from.checked_sub(BEFORE_INTENT).unwrap_or(from).max(Timestamp::UNIX_EPOCH),
        to.checked_add(AFTER_NOW).unwrap_or(to),
    )
}

/// The windows to look through for these attempts: one, unless the oldest is more than a day old; then one for each,
/// joined where they overlap, so that a week of everybody's charges is not read for the sake of two moments. A charge
/// can only have been made between its intent and its deadline; a day more is read, since a provider may be slow.
pub fn windows(attempts: &[Attempt], c: &Circumstances) -> Vec<(Timestamp, Timestamp)> {
    let (from, to) = window(attempts, c);
    if to.duration_since(from) <= ONE_WINDOW {
        return vec![(from, to)];
    }
    let mut each: Vec<_> = attempts.iter().map(|attempt| own_window(attempt, c, to)).collect();
    each.sort_unstable();
    let mut joined: Vec<(Timestamp, Timestamp)> = Vec::new();
    for (from, to) in each {
        match joined.last_mut() {
            Some((_, end)) if from <= *end => *end = to.max(*end),
            _ => joined.push((from, to)),
        }
    }
    joined
}

fn own_window(attempt: &Attempt, c: &Circumstances, now: Timestamp) -> (Timestamp, Timestamp) {
    let (from, _) = window(std::slice::from_ref(attempt), c);
    let deadline = attempt.intent.as_ref().and_then(|intent| intent.deadline);
    let to = deadline.and_then(|last| last.checked_add(AFTER_DEADLINE + c.doubt.settle).ok());
    (from, to.map_or(now, |to| to.min(now)))
}

/// When a daemon should next look, on the wall clock: the first age that no look has followed. What is in doubt still
/// past the last one, since nobody looked before or nothing was answered, is looked for daily until it ends. `None`: not
/// in doubt.
pub fn next_look(intent: &Intent) -> Option<Timestamp> {
    let since = intent.doubt_since?;
    let mut ages = LOOK_AT_AGES.iter().filter_map(|age| since.checked_add(*age).ok());
    ages.find(|due| intent.looked_at.is_none_or(|looked| looked < *due))
        .or_else(|| intent.looked_at?.checked_add(DAILY).ok())
}

/// What one look tells of an attempt in doubt. `mine`: charges found that carry this attempt's ids. `alike`: charges
/// of the same customer and amount that carry no dues token at all.
pub fn judge(
    attempt: &Attempt,
    mine: &[ChargeSeen],
    alike: &[ChargeSeen],
    scan: &Scan,
    c: &Circumstances,
) -> DoubtStep {
    if let Some(other) = mine.iter().find(|seen| !echoes(seen, attempt)) {
        return DoubtStep::Manual(mismatch(attempt, other));
    }
    let step = match mine {
        [] => unseen(attempt, alike, scan, c),
        [one] => DoubtStep::Adopt(one.clone()),
        [first, ..] => several(first, mine),
    };
    let settled = match &step {
        DoubtStep::Adopt(seen) => !matches!(seen.status, SeenStatus::Unknown(_)),
        DoubtStep::Wait => counts(attempt, scan, c),
        DoubtStep::Incident { .. } | DoubtStep::Absent | DoubtStep::Manual(_) => true,
    };
    if settled || !past_last_age(attempt, scan) {
        return step;
    }
    let days = LAST_AGE.as_hours() / 24;
    DoubtStep::Manual(match &step {
        DoubtStep::Adopt(ChargeSeen { charge, status: SeenStatus::Unknown(word), .. }) => {
            let what = format!("the status {word:?}, which is none we know, in {days} days of looking");
            carries(charge, &attempt.id, &what)
        }
        _ => format!(
            "attempt {} could not be settled in {days} days of looking; find its charge at the provider, then \
             `dues resolve {0}`",
            attempt.id
        ),
    })
}

/// The customer, the amount and the currency are those that were asked for.
pub(super) fn echoes(seen: &ChargeSeen, attempt: &Attempt) -> bool {
    seen.customer.as_ref() == Some(&attempt.customer) && seen.amount == Some(attempt.amount)
}

/// What a charge of the attempt differs in, both ways, in a sentence that `carried` reads.
pub(super) fn mismatch(attempt: &Attempt, seen: &ChargeSeen) -> String {
    let amount = seen.amount.map_or_else(|| "an amount that cannot be read".to_owned(), |a| a.to_string());
    let customer = seen.customer.as_ref().map_or_else(|| "no customer".to_owned(), ToString::to_string);
    let what = format!("{amount} of {customer}, wanted {} of {}", attempt.amount, attempt.customer);
    carries(&seen.charge, &attempt.id, &what)
}

/// That a charge is the attempt's, and what is wrong with it, in a sentence that `carried` reads.
fn carries(charge: &ChargeId, attempt: &AttemptId, what: &str) -> String {
    format!("charge {charge} carries attempt {attempt}: found {what}")
}

/// The charge of which a look told that it carries this attempt and is not what was asked for, or has a status that nobody
/// knows; `None`: no look found one. The book keeps it in the words of `carries` alone.
pub(super) fn carried(attempt: &Attempt) -> Option<ChargeId> {
    let told = attempt.intent.as_ref()?.reason.as_deref()?;
    let (charge, rest) = told.strip_prefix("charge ")?.split_once(" carries attempt ")?;
    rest.strip_prefix(attempt.id.to_string().as_str())?.strip_prefix(": found ")?;
    charge.parse().ok()
}

fn several(first: &ChargeSeen, all: &[ChargeSeen]) -> DoubtStep {
    let successes = all.iter().filter(|seen| seen.status == SeenStatus::Successful);
    let oldest = |best: &ChargeSeen, seen: &ChargeSeen| seen.created_at < best.created_at;
    let adopt = successes
        .min_by_key(|seen| seen.created_at)
        .unwrap_or_else(|| all.iter().fold(first, |best, seen| if oldest(best, seen) { seen } else { best }));
    let ids: Vec<_> = all.iter().map(|seen| seen.charge.to_string()).collect();
    let detail = format!(
        "{} charges carry one attempt: {}; {} was adopted, look at the others and refund what was taken twice",
        all.len(),
        ids.join(", "),
        adopt.charge
    );
    DoubtStep::Incident { adopt: adopt.clone(), detail }
}

/// Nothing carries the attempt.
fn unseen(attempt: &Attempt, alike: &[ChargeSeen], scan: &Scan, c: &Circumstances) -> DoubtStep {
    if let Some(other) = alike.first() {
        return DoubtStep::Manual(format!(
            "charge {} of {} has the amount of attempt {} and carries no token of ours: a person must say whether it is it",
            other.charge, attempt.customer, attempt.id
        ));
    }
    let first = attempt.intent.as_ref().and_then(|intent| intent.first_empty_scan);
    match (first, scan.provider_at) {
        (Some(first), Some(now))
            if counts(attempt, scan, c) && now.duration_since(first) >= c.doubt.settle =>
        {
            DoubtStep::Absent
        }
        _ => DoubtStep::Wait,
    }
}

/// Whether an empty scan counts: complete, with provider time, and begun at least `settle` after the last moment
/// at which the request can have reached the provider.
fn counts(attempt: &Attempt, scan: &Scan, c: &Circumstances) -> bool {
    let deadline = attempt.intent.as_ref().and_then(|intent| intent.deadline);
    match (scan.complete, scan.provider_at, deadline) {
        (true, Some(now), Some(deadline)) => now.duration_since(deadline) >= c.doubt.settle,
        _ => false,
    }
}

fn past_last_age(attempt: &Attempt, scan: &Scan) -> bool {
    let answered = scan.complete || scan.provider_at.is_some();
    let since = attempt.intent.as_ref().and_then(|intent| intent.doubt_since);
    answered && since.is_some_and(|since| scan.wall_at.duration_since(since) >= LAST_AGE)
}

/// What that step changes. Empty if the attempt was settled meanwhile. `snapshot` must hold its invoice.
pub fn transition(
    snapshot: &Snapshot,
    attempt: &AttemptId,
    step: &DoubtStep,
    scan: &Scan,
    c: &Circumstances,
) -> Result<Transition, RuleError> {
    with_case(snapshot, attempt, c, |case| {
        if case.attempt().status != AttemptStatus::InDoubt {
            return Ok(false);
        }
        match step {
            DoubtStep::Adopt(seen) if matches!(seen.status, SeenStatus::Unknown(_)) => {
                seen_unreadable(case, scan);
            }
            DoubtStep::Adopt(seen) => return conclude_as(case, &outcome_of(seen)),
            DoubtStep::Incident { adopt, detail } => {
                conclude_as(case, &outcome_of(adopt))?;
                case.incident(detail);
            }
            DoubtStep::Absent => absent(case),
            DoubtStep::Wait => looked(case, scan),
            DoubtStep::Manual(why) => manual(case, why),
        }
        Ok(true)
    })
}

/// Keeps the look. An empty one that counts is the first of two, and one whose attempt has no deadline gives it:
/// the request had been given up before.
fn looked(case: &mut Case, scan: &Scan) {
    let first = counts(case.attempt(), scan, case.c).then_some(scan.provider_at).flatten();
    if let Some(intent) = &mut case.attempt_mut().intent {
        intent.looked_at = Some(scan.wall_at);
        intent.first_empty_scan = intent.first_empty_scan.or(first);
        intent.deadline = intent.deadline.or(scan.provider_at);
    }
}

/// Something carries the attempt, so no empty look counts; what it says cannot be read yet.
fn seen_unreadable(case: &mut Case, scan: &Scan) {
    if let Some(intent) = &mut case.attempt_mut().intent {
        intent.looked_at = Some(scan.wall_at);
        intent.first_empty_scan = None;
    }
}

/// Proved never to have reached the provider: the invoice is due again at once.
fn absent(case: &mut Case) {
    case.end(AttemptStatus::Absent);
    case.due_again();
    let data = json!({ "attempt": case.attempt().id });
    case.event(EventKind::AttemptAbsent, &data);
}

/// The attempt is a person's to decide from here on, for that reason.
pub(super) fn manual(case: &mut Case, why: &str) {
    let attempt = case.attempt_mut();
    attempt.status = AttemptStatus::Manual;
    if let Some(intent) = &mut attempt.intent {
        intent.reason = Some(why.into());
    }
    let data = json!({ "attempt": attempt.id, "reason": why });
    case.event(EventKind::AttemptManual, &data);
    case.incident(why);
}
