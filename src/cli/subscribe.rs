//! `dues subscribe`: one new subscription.

use clap::Args;
use jiff::Timestamp;
use jiff::civil::Date;

use super::context::{Context, Turn};
use super::exit::{Exit, Failure};
use super::output::Output;
use super::rows::SubscriptionLine;
use super::{instant, standing};
use crate::billing::kind::refuse_other_kind;
use crate::billing::orders::OrderError;
use crate::model::{CardId, CustomerId, PlanKey, PlanVersion, Quantity, SubscriptionId, Zone, counted};
use crate::rules::commands::{NewSubscriptionOrder, subscribe};
use crate::rules::{Past, past};
use crate::store::sqlite::SqliteStore;
use crate::store::{Refusal, Store};
use crate::wiring;

/// Another command took the id that was counted for us so often in a row.
const MOST_CONFLICTS: u32 = 10;

/// To what.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  dues subscribe --customer cust_test_5xuy4w91xqz7d1w9u0t --plan pro-monthly\n  \
                        dues subscribe --customer cust_test_5xuy4w91xqz7d1w9u0t --plan team-yearly --quantity 12 \
                        --starts 2026-12-01"
)]
pub struct SubscribeArgs {
    /// The customer at Omise
    #[arg(long, value_name = "CUST")]
    customer: CustomerId,
    /// A plan of the config
    #[arg(long, value_name = "PLAN")]
    plan: PlanKey,
    /// The first day of service [default: today in the subscription's zone]
    #[arg(long, value_name = "DATE")]
    starts: Option<String>,
    /// How many units
    #[arg(long, value_name = "N", default_value_t = Quantity::ONE, allow_negative_numbers = true)]
    quantity: Quantity,
    /// A card of the customer's [default: whichever is the default when it is charged]
    #[arg(long, value_name = "CARD")]
    card: Option<CardId>,
    /// Whether the customer agreed that another saved card is tried after this one
    #[arg(long, value_name = "YES|NO", value_enum, default_value_t)]
    backup_card: Agreed,
    /// Whose calendar its periods follow [default: the book's]
    #[arg(long, value_name = "ZONE")]
    zone: Option<Zone>,
}

/// What a customer said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Agreed {
    /// They agreed.
    Yes,
    /// They did not, or were not asked.
    #[default]
    No,
}

/// Makes it; prints its id.
pub(super) fn run(args: &SubscribeArgs, context: &Context) -> Result<Exit, Failure> {
    let starts = args.starts.as_deref().map(|text| instant::date("--starts", text)).transpose()?;
    let (mut store, (id, plan)) = context.put(&mut |store, turn| make(args, starts, context, store, turn))?;
    let row = standing::row(&mut store, &id)?;
    let past = past(&row.subscription, &plan.terms, context.settings().catch_up, context.now());
    warn_of(past, &id, context);
    let mut out = Output::stdout(context.global.json);
    if context.global.json {
        let mut object = serde_json::to_value(SubscriptionLine::of(&row)).map_err(Failure::unexpected)?;
        object["missed_periods"] = past.missed.into();
        out.object(&object)?;
    } else {
        out.line(id.as_str())?;
    }
    out.finish()?;
    Ok(Exit::Done)
}

/// Makes it in that book; its id, and what it was put on.
fn make(
    args: &SubscribeArgs,
    starts: Option<Date>,
    context: &Context,
    store: &mut SqliteStore,
    turn: Turn,
) -> Result<(SubscriptionId, PlanVersion), Failure> {
    let live = context.livemode(store)?;
    refuse_other_kind(live, Some(&args.customer), args.card.as_ref()).map_err(Failure::usage)?;
    let offer = context.offer_at(turn, store)?;
    let plan = offer.find(&args.plan).map_err(Failure::usage)?;
    let order = |id: SubscriptionId| NewSubscriptionOrder {
        id,
        customer: args.customer.clone(),
        plan,
        quantity: args.quantity,
        zone: args.zone.clone().unwrap_or_else(|| context.zone().clone()),
        starts,
        paid_through: None,
        card: args.card.clone(),
        backup_card: args.backup_card == Agreed::Yes,
        metadata: None,
    };
    let id = insert(store, &args.customer, wiring::now(), &|id| Ok(subscribe(order(id), context.now())?.1))?;
    Ok((id, plan.clone()))
}

/// A first day that lies far back is most likely mistyped, and until the next run nothing has come of it.
fn warn_of(past: Past, id: &SubscriptionId, context: &Context) {
    if past.missed == 0 {
        return;
    }
    let hold_after = context.settings().catch_up.hold_after;
    let one = past.missed == 1;
    let (have, all, they) = if one { ("has", "it", "it is") } else { ("have", "them", "they are") };
    let what_then = match (past.held, one) {
        (true, true) => format!("so it then waits for `dues resume {id}`"),
        (true, false) => format!("so they then wait for `dues resume {id}`"),
        (false, true) => "so it is collected".to_owned(),
        (false, false) => "so they are collected, one a day".to_owned(),
    };
    let than = if past.held { "more than" } else { "no more than" };
    tracing::warn!(
        "{} of {id} {have} ended already: the next run invoices {all}; {they} {than} [catch_up] hold_after = \
         {hold_after}, {what_then}",
        counted(past.missed.into(), "period"),
    );
}

/// Commits it under the id that the book counts; another one if somebody else was faster.
fn insert(
    store: &mut dyn Store,
    customer: &CustomerId,
    now: Timestamp,
    make: &dyn Fn(SubscriptionId) -> Result<crate::model::Transition, Failure>,
) -> Result<SubscriptionId, Failure> {
    let mut id = store.next_subscription_id(customer, now)?;
    for _ in 0..MOST_CONFLICTS {
        match store.commit(&[make(id.clone())?])?.pop() {
            Some(Err(Refusal::Conflict(_))) => id = store.next_subscription_id(customer, now)?,
            Some(Err(refusal)) => return Err(OrderError::Refused(refusal).into()),
            Some(Ok(())) | None => return Ok(id),
        }
    }
    Err(OrderError::Contended { id }.into())
}
