//! What no event tells of: trials and cards that are about to end, the merchant's day; and what was told long ago.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use super::super::{Billing, RunError};
use super::read::each_way;
use crate::model::settings::Notify;
use crate::model::{Facts, Message, MessageKind, Posting, SubscriptionId, Zone, first_instant};
use crate::rules::messages::{Told, card_ending, trial_ending};
use crate::store::{Store, StoreError};

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// Trials looked at in one go.
const TRIALS_AT_ONCE: usize = 200;
/// Subscriptions whose cards are looked at in one go.
const CARDS_AT_ONCE: usize = 2_000;
/// Messages forgotten in one go.
const FORGOTTEN_AT_ONCE: usize = 1_000;
/// Days without a digest that are made up for, after a longer time without the service.
const MOST_DAYS: i64 = 7;

/// When each look was last done is kept under these names.
const TRIALS: &str = "messages.trials";
const CARDS: &str = "messages.cards";
const DIGEST: &str = "messages.digest";
const FORGET: &str = "messages.forget";

/// Every look whose time has come; how many messages are new.
pub(super) async fn look(billing: &Billing, wishes: &Notify) -> Result<u64, RunError> {
    let now = billing.clock.now();
    let mut new = 0;
    if wishes.wants_any(MessageKind::TrialEnding) && is_due(billing, TRIALS, HOUR, now).await? {
        new += trials(billing, wishes, now).await?;
        done(billing, TRIALS, now).await?;
    }
    if wishes.wants_any(MessageKind::CardExpiring) && is_due(billing, CARDS, DAY, now).await? {
        new += cards(billing, wishes, now).await?;
        done(billing, CARDS, now).await?;
    }
    if wishes.wants_any(MessageKind::Digest) {
        new += digests(billing, wishes, now).await?;
    }
    if is_due(billing, FORGET, DAY, now).await? {
        forget(billing, wishes, now).await?;
        done(billing, FORGET, now).await?;
    }
    Ok(new)
}

/// Whether so much time has passed since it was done; a clock that was wrong does not put it off.
async fn is_due(
    billing: &Billing,
    look: &'static str,
    every: SignedDuration,
    now: Timestamp,
) -> Result<bool, RunError> {
    let last = billing.lane.run(move |store| store.job_began(look)).await??;
    Ok(last.is_none_or(|last| last > now || now.duration_since(last) >= every))
}

async fn done(billing: &Billing, look: &'static str, now: Timestamp) -> Result<(), RunError> {
    Ok(billing.lane.run(move |store| store.note_job(look, now)).await??)
}

async fn trials(billing: &Billing, wishes: &Notify, now: Timestamp) -> Result<u64, RunError> {
    let until = now.saturating_add(wishes.trial_ending).unwrap_or(Timestamp::MAX);
    let (mut after, mut new) = (None, 0);
    loop {
        let wanted = wishes.clone();
        let page = billing.lane.run(move |store| {
            let page = store.trials_ending(now, until, after, TRIALS_AT_ONCE)?;
            let ids = page.iter().map(|(_, id)| id);
            let told = |store: &mut dyn Store, id: &SubscriptionId| {
                let snapshot = store.snapshot(id)?;
                Ok(snapshot.and_then(|snapshot| trial_ending(&snapshot, now, wanted.trial_ending)))
            };
            let new = post(store, ids, told, &wanted, now)?;
            Ok::<_, StoreError>((page.last().map(|(cursor, _)| *cursor), page.len(), new))
        });
        let (last, count, posted) = page.await??;
        new += posted;
        if count < TRIALS_AT_ONCE {
            return Ok(new);
        }
        after = last;
    }
}

async fn cards(billing: &Billing, wishes: &Notify, now: Timestamp) -> Result<u64, RunError> {
    let warnings = billing.settings.cards.warn_before.clone();
    let ahead = warnings.iter().copied().max().unwrap_or_default();
    let until = now.saturating_add(ahead).unwrap_or(Timestamp::MAX);
    let (mut after, mut new) = (0, 0);
    loop {
        let (wanted, warnings) = (wishes.clone(), warnings.clone());
        let page = billing.lane.run(move |store| {
            let (ids, next) = store.cards_ending(now, until, after, CARDS_AT_ONCE)?;
            let told = |store: &mut dyn Store, id: &SubscriptionId| {
                let snapshot = store.snapshot(id)?;
                Ok(snapshot.and_then(|snapshot| card_ending(&snapshot, now, &warnings)))
            };
            Ok::<_, StoreError>((post(store, ids.iter(), told, &wanted, now)?, next))
        });
        let (posted, next) = page.await??;
        new += posted;
        let Some(next) = next else { return Ok(new) };
        after = next;
    }
}

/// Writes what is to be told of these subscriptions.
fn post<'a>(
    store: &mut dyn Store,
    ids: impl Iterator<Item = &'a SubscriptionId>,
    told: impl Fn(&mut dyn Store, &SubscriptionId) -> Result<Option<Told>, StoreError>,
    wishes: &Notify,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let mut postings: Vec<Posting> = Vec::new();
    for id in ids {
        if let Some(told) = told(store, id)? {
            postings.extend(each_way(&told, wishes));
        }
    }
    if postings.is_empty() {
        return Ok(0);
    }
    Ok(store.post(None, &postings, now)?.unwrap_or(0))
}

/// The days since the last digest, once it is the hour: each day once, and after a long absence the last week alone.
async fn digests(billing: &Billing, wishes: &Notify, now: Timestamp) -> Result<u64, RunError> {
    let zone = billing.settings.zone.clone();
    let today = zone.date(now);
    let last = billing.lane.run(|store| store.job_began(DIGEST)).await??;
    let last = last.filter(|last| *last <= now).map(|last| zone.date(last));
    let hour = first_instant(today.to_datetime(wishes.digest_at), &zone);
    if last.is_some() && !hour.is_ok_and(|hour| now >= hour) {
        return Ok(0);
    }
    let mut new = 0;
    for day in days(last, today) {
        let (zone, wanted) = (zone.clone(), wishes.clone());
        new += billing.lane.run(move |store| digest(store, day, &zone, &wanted, now)).await??;
    }
    if last.is_none_or(|last| last < today) {
        done(billing, DIGEST, now).await?;
    }
    Ok(new)
}

/// The days that no digest has told of yet, given the day on which the last one was made. The day on which digests
/// are first wished for is the first to have one.
fn days(last: Option<Date>, today: Date) -> Vec<Date> {
    let back = |days: i64| today.checked_sub(days.days()).ok();
    let all = (1..=MOST_DAYS).rev().filter_map(back);
    all.filter(|day| last.is_some_and(|last| *day >= last)).collect()
}

fn digest(
    store: &mut dyn Store,
    day: Date,
    zone: &Zone,
    wishes: &Notify,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let next = day.tomorrow().unwrap_or(day);
    let (Ok(from), Ok(until)) = (zone.start_of(day), zone.start_of(next)) else { return Ok(0) };
    let cursor = store.outbox_cursor()?;
    let (digest, digest_to) = store.digest(day, from, until, cursor.digest_to)?;
    let message = Message {
        key: format!("{}/{day}", MessageKind::Digest).into(),
        kind: MessageKind::Digest,
        at: until,
        customer: None,
        zone: zone.clone(),
        facts: Facts { digest: Some(digest), ..Facts::default() },
    };
    // Its key outlives every digest that could still be made up for.
    let keep_until = until.checked_add(SignedDuration::from_hours(24 * (MOST_DAYS + 1))).ok();
    let told = Told { message, not_before: None, keep_until };
    let postings: Vec<Posting> = each_way(&told, wishes).collect();
    let to = crate::store::OutboxCursor {
        digest_to: digest_to.min(cursor.read_to).max(cursor.digest_to),
        ..cursor
    };
    Ok(store.post(Some((cursor, to)), &postings, now)?.unwrap_or(0))
}

async fn forget(billing: &Billing, wishes: &Notify, now: Timestamp) -> Result<(), RunError> {
    let before = now.saturating_sub(wishes.keep).unwrap_or(Timestamp::MIN);
    loop {
        let gone =
            billing.lane.run(move |store| store.prune_messages(before, now, FORGOTTEN_AT_ONCE)).await??;
        if gone < FORGOTTEN_AT_ONCE as u64 {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_digest_is_made_of_each_missed_day_of_the_last_week() {
        let today = date(2026, 11, 22);
        assert_eq!(days(None, today), [], "nobody asked for yesterday's");
        assert_eq!(days(Some(today), today), [], "already made today");
        assert_eq!(days(Some(date(2026, 11, 21)), today), [date(2026, 11, 21)]);
        let after_three_days = days(Some(date(2026, 11, 19)), today);
        assert_eq!(after_three_days, [date(2026, 11, 19), date(2026, 11, 20), date(2026, 11, 21)]);
        assert_eq!(days(Some(date(2026, 1, 1)), today).len(), 7);
    }
}
