//! Schedules: the provider's own recurring charges, and their occurrences.
//!
//! Promises: an occurrence runs at 01:30 UTC of its day, or at once if the schedule starts today; a failed
//! one is tried again on the next two days, and three failures in a row suspend the schedule for good. Must
//! never know how a charge is decided.

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::calendar::Rhythm;
use super::charges::Status;
use super::charging::{self, Standing};
use super::currency::Currency;
use super::error::ApiError;
use super::events::{self, Subject};
use super::params::Params;
use super::{cards, customers, testcards};
use crate::sandbox::state::shelf::Record;
use crate::sandbox::state::world::World;

/// Failures in a row that end a schedule.
const MOST_FAILURES: u8 = 3;

/// How a schedule stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleStatus {
    Running,
    Expired,
    Suspended,
    Deleted,
}

/// One schedule.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Schedule {
    pub rhythm: Rhythm,
    pub customer: u32,
    /// `None`: the default card of the day.
    pub card: Option<u32>,
    pub amount: i64,
    pub currency: Currency,
    pub description: Option<Box<str>>,
    pub status: ScheduleStatus,
    /// The day it runs next, retries included, and that occurrence if it is a retry.
    pub next: Option<(Date, Option<u32>)>,
    pub failures: u8,
    pub ended_at: Option<i64>,
    pub occurrences: Vec<u32>,
}

/// One time a schedule ran.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Occurrence {
    pub schedule: u32,
    pub on: Date,
    pub charge: Option<u32>,
    pub good: bool,
    pub message: Option<Box<str>>,
    pub retry_on: Option<Date>,
    pub processed_at: i64,
}

impl Record for Schedule {
    const PREFIX: &'static str = "schd";
    const NAME: &'static str = "schedule";

    fn listed(&self) -> bool {
        self.status != ScheduleStatus::Deleted
    }
}

impl Record for Occurrence {
    const PREFIX: &'static str = "occu";
    const NAME: &'static str = "occurrence";
}

fn today(world: &World) -> Date {
    jiff::Timestamp::from_second(world.now_seconds()).unwrap_or_default().to_zoned(TimeZone::UTC).date()
}

/// `POST /schedules`.
pub fn create(world: &mut World, params: &Params) -> Result<u32, ApiError> {
    let bad = |message: &str| ApiError::bad("bad_request", message);
    if world.settings.three_ds {
        return Err(bad("schedules are not available on accounts with 3-D Secure"));
    }
    let rhythm = Rhythm::read(params, today(world))?;
    let sent = params.group("charge");
    let amount = sent.whole("amount").ok().flatten().ok_or_else(|| bad("charge amount is invalid"))?;
    let code = sent.text("currency").unwrap_or_else(|| Currency::ACCOUNT.code().to_owned());
    let currency = Currency::read(&code).ok_or_else(|| bad("charge currency is not supported"))?;
    world.settings.limits.check(amount, currency)?;
    let customer = sent.text("customer").ok_or_else(|| bad("charge customer can't be blank"))?;
    let customer = customers::find(world, &customer)?;
    let card = sent.text("card").map(|id| cards::find_of(world, customer, &id)).transpose()?;
    let next = rhythm.days_after(None, 1).first().map(|day| (*day, None));
    let schedule = Schedule {
        rhythm,
        customer,
        card,
        amount,
        currency,
        description: sent.text("description").map(Into::into),
        status: ScheduleStatus::Running,
        next,
        failures: 0,
        ended_at: None,
        occurrences: Vec::new(),
    };
    let now = world.now_ms();
    let place = world.schedules.add(now, schedule);
    events::tell(world, "schedule.create", Subject::Schedule(place));
    world.schedule_due(due_ms(world, place));
    world.pass_time();
    Ok(place)
}

/// `DELETE /schedules/{id}`: it stays readable and runs no more.
pub fn destroy(world: &mut World, place: u32) -> Result<(), ApiError> {
    if world.schedules.at(place).status != ScheduleStatus::Running {
        return Err(ApiError::unprocessable("failed_deletion", "schedule cannot be deleted"));
    }
    end(world, place, ScheduleStatus::Deleted);
    world.schedules.unlist(place);
    events::tell(world, "schedule.destroy", Subject::Schedule(place));
    Ok(())
}

fn end(world: &mut World, place: u32, status: ScheduleStatus) {
    let now = world.now_seconds();
    let schedule = world.schedules.change(place);
    schedule.status = status;
    schedule.next = None;
    schedule.ended_at = Some(now);
}

/// When the schedule acts next, in milliseconds; `None` if never again.
fn due_ms(world: &World, place: u32) -> Option<u64> {
    let (day, _) = world.schedules.at(place).next?;
    let at = day.at(1, 30, 0, 0).to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond();
    Some(u64::try_from(at).unwrap_or(0).max(world.schedules.id(place).ms))
}

/// The earliest instant at which any schedule acts, and which.
pub fn earliest(world: &World) -> Option<(u64, u32)> {
    world.schedules.listed().iter().filter_map(|place| due_ms(world, *place).map(|due| (due, *place))).min()
}

/// Runs the schedule's next occurrence. The world's clock shows its instant.
pub fn run(world: &mut World, place: u32) {
    let schedule = world.schedules.at(place);
    let Some((day, retried)) = schedule.next else { return };
    let standing = Standing {
        schedule: world.schedules.name(place),
        customer: schedule.customer,
        card: schedule.card,
        amount: schedule.amount,
        currency: schedule.currency,
        description: schedule.description.clone(),
    };
    let (charge, message) = match charging::scheduled(world, standing) {
        Ok(charge) => (Some(charge), None),
        Err(refused) => (None, Some(refused.message)),
    };
    let made = charge.map(|charge| world.charges.at(charge));
    let good = made.is_some_and(|charge| charge.status == Status::Successful);
    let message = message.or_else(|| {
        made.and_then(|charge| charge.failure.as_ref()).map(|why| testcards::failure_message(&why.code))
    });
    conclude(
        world,
        place,
        day,
        retried,
        Occurrence {
            schedule: place,
            on: day,
            charge,
            good,
            message: message.map(Into::into),
            retry_on: None,
            processed_at: world.now_seconds(),
        },
    );
}

fn conclude(world: &mut World, place: u32, day: Date, retried: Option<u32>, mut seen: Occurrence) {
    let failures = if seen.good { 0 } else { world.schedules.at(place).failures + 1 };
    let again = (!seen.good && failures < MOST_FAILURES).then(|| day.checked_add(1.day()).ok()).flatten();
    seen.retry_on = again;
    let planned = retried.map_or(day, |first| world.occurrences.at(first).on);
    seen.on = planned;
    let occurrence = if let Some(first) = retried {
        *world.occurrences.change(first) = seen;
        first
    } else {
        let now = world.now_ms();
        let made = world.occurrences.add(now, seen);
        world.schedules.change(place).occurrences.push(made);
        made
    };
    let next = world.schedules.at(place).rhythm.days_after(Some(planned), 1).first().map(|day| (*day, None));
    let schedule = world.schedules.change(place);
    schedule.failures = failures;
    schedule.next = again.map(|day| (day, Some(occurrence))).or(next);
    if failures >= MOST_FAILURES {
        end(world, place, ScheduleStatus::Suspended);
        events::tell(world, "schedule.suspend", Subject::Schedule(place));
    } else if world.schedules.at(place).next.is_none() {
        end(world, place, ScheduleStatus::Expired);
        events::tell(world, "schedule.expire", Subject::Schedule(place));
    }
}
