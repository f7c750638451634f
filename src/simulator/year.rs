//! One play: a book from its first day to its last, run after run, each at the next instant at which anything is due.

use std::fmt::Write as _;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use tokio_util::sync::CancellationToken;

use super::hand::Hand;
use super::issuer::Issuer;
use super::{Play, Recovery, SimulatorError, judge, tally};
use crate::billing::import::Import;
use crate::billing::{self, Billing, RunOrder, Unwatched};
use crate::gateway::{Access, OmiseGateway};
use crate::model::RunReport;
use crate::sandbox::{self, Fates, Sandbox, SandboxOptions};
use crate::store::sqlite::SqliteStore;
use crate::store::{Lane, LaneOptions, Store as _};

/// The first day. A fixed one, so that a seed means the same on every day it is played.
const FIRST_DAY: Date = Date::constant(2026, 1, 1);
/// Subscriptions begin on so many different days.
const START_DAYS: u32 = 30;
/// Between two runs, at least and at most: what falls due between is served together.
const SHORTEST_STEP: SignedDuration = SignedDuration::from_hours(3);
const LONGEST_STEP: SignedDuration = SignedDuration::from_hours(12);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// The house of one play.
struct House {
    sandbox: Sandbox,
    issuer: Arc<Issuer>,
    hand: Arc<Hand>,
    billing: Billing,
    first: Timestamp,
    last: Timestamp,
}

/// Plays it to its end; `tell` hears how many days have passed. The caller's runtime carries the sandbox.
///
/// # Errors
/// Also where book and ledger disagree: then nothing that was counted can be believed.
pub async fn simulate(play: &Play, tell: &mut dyn FnMut(u64)) -> Result<Recovery, SimulatorError> {
    let house = open(play).await?;
    let ended = live(&house, tell).await;
    let told = match ended {
        Ok(()) => result(play, &house).await,
        Err(error) => Err(error),
    };
    house.billing.lane.close().await;
    house.sandbox.stop().await;
    told
}

async fn open(play: &Play) -> Result<House, SimulatorError> {
    let zone = &play.settings.zone;
    let first = zone.start_of(FIRST_DAY).map_err(|why| SimulatorError::Calendar(why.to_string()))?;
    let days = SignedDuration::from_hours(24 * i64::from(play.days));
    let last = first.checked_add(days).map_err(|why| SimulatorError::Calendar(why.to_string()))?;
    let options = SandboxOptions {
        seed: play.seed,
        customers: play.subscriptions,
        fates: Fates::Paying,
        ..SandboxOptions::default()
    };
    // Who pays and who does not is decided here, so the seeded customers all have cards that work.
    let customers: Vec<String> =
        sandbox::customers_of(&options).into_iter().map(|customer| customer.id).collect();
    let issuer = Arc::new(Issuer::new(play.seed, play.scenario, customers.clone(), zone));
    let sandbox = sandbox::start_with(options, Some(issuer.clone())).await?;
    sandbox.hold_clock(first);
    let hand = Arc::new(Hand::at(first));
    let billing = billing(play, &sandbox, &hand, book(play, &customers, first)?)?;
    Ok(House { sandbox, issuer, hand, billing, first, last })
}

fn billing(
    play: &Play,
    sandbox: &Sandbox,
    hand: &Arc<Hand>,
    store: SqliteStore,
) -> Result<Billing, SimulatorError> {
    let (api_url, vault_url) = (sandbox.api_url(), sandbox.vault_url());
    let access = Access {
        secret_key: sandbox.secret_key(),
        api_url: &api_url,
        vault_url: Some(&vault_url),
        timeout: None,
        connections: Some(play.settings.in_flight),
        return_uri: None,
    };
    Ok(Billing {
        lane: Lane::start(Box::new(store), LaneOptions::default()),
        gateway: Arc::new(OmiseGateway::open(&access)?),
        clock: hand.clone(),
        settings: Arc::new(play.settings.clone()),
        watch: Arc::new(Unwatched),
        stop: CancellationToken::new(),
        paused: Arc::new(|| false),
        meters: Arc::default(),
    })
}

/// A book in memory with everybody's subscription.
fn book(play: &Play, customers: &[String], first: Timestamp) -> Result<SqliteStore, SimulatorError> {
    let mut store = SqliteStore::in_memory()?;
    store.set_zone(&play.settings.zone)?;
    let plans = store.apply_plans(std::slice::from_ref(&play.plan), first)?;
    let mut csv = String::from("customer,plan,starts\n");
    for (customer, day) in customers.iter().zip((0..START_DAYS).cycle()) {
        let starts = FIRST_DAY.saturating_add(i64::from(day).days());
        // Writing to a string cannot fail.
        let _ = writeln!(csv, "{customer},{},{starts}", play.plan.0);
    }
    Import::new(csv.as_bytes(), plans, play.settings.zone.clone(), first)
        .carry_out(&mut store, &mut |_| {})?;
    Ok(store)
}

/// From the first day to the last.
async fn live(house: &House, tell: &mut dyn FnMut(u64)) -> Result<(), SimulatorError> {
    let mut at = house.first;
    loop {
        house.hand.move_to(at);
        house.sandbox.hold_clock(at);
        for customer in house.issuer.take_answers(at) {
            house.sandbox.renew_card(customer);
        }
        let report = billing::run(&house.billing, &RunOrder::default()).await?;
        if let Some(why) = report.stopped_by {
            return Err(SimulatorError::Stopped { at, why });
        }
        let passed = at.duration_since(house.first).as_hours() / DAY.as_hours();
        tell(u64::try_from(passed).unwrap_or(0));
        if at >= house.last {
            return Ok(());
        }
        at = next(&report, at).min(house.last);
    }
}

/// When anything is due again, within a step.
fn next(report: &RunReport, at: Timestamp) -> Timestamp {
    let within = |step: SignedDuration| at.saturating_add(step).unwrap_or(Timestamp::MAX);
    let due = report.next_due_at.unwrap_or(Timestamp::MAX);
    due.clamp(within(SHORTEST_STEP), within(LONGEST_STEP))
}

/// Judges first, counts then.
async fn result(play: &Play, house: &House) -> Result<Recovery, SimulatorError> {
    let (ledger, last) = (house.sandbox.ledger(), house.last);
    let every = play.plan.1.every;
    let judged = house.billing.lane.run(move |store| judge::judge(store, &ledger, every, last)).await??;
    if !judged.is_empty() {
        return Err(SimulatorError::Disagree(judged));
    }
    let mut recovery = house.billing.lane.run(tally::tally).await??;
    recovery.over_budget = house.issuer.over_budget();
    Ok(recovery)
}
