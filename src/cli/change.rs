//! `dues change SUB`: another plan, quantity, card or zone, from the next period on.

use std::sync::Arc;

use clap::Args;
use serde::Serialize;

use super::context::Context;
use super::exit::{Exit, Failure};
use super::output::Output;
use super::rows::{SubscriptionLine, grouped, rfc3339};
use super::standing;
use super::subscribe::Agreed;
use crate::billing::kind::refuse_other_kind;
use crate::billing::orders;
use crate::model::{CardId, Currency, PlanKey, PlanVersion, Quantity, SubscriptionId, Zone};
use crate::rules::commands::{self, ChangeOrder, NextInvoice};
use crate::store::sqlite::SqliteStore;

/// What to change.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  dues change sub_7k2m9qx4 --plan team-yearly\n  dues change sub_7k2m9qx4 --card default"
)]
pub struct ChangeArgs {
    /// The subscription
    #[arg(value_name = "SUB")]
    subscription: SubscriptionId,
    /// Another plan
    #[arg(long, value_name = "PLAN")]
    plan: Option<PlanKey>,
    /// Another number of units
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    quantity: Option<Quantity>,
    /// A card of the customer's, or `default`: whichever is the default when it is charged
    #[arg(long, value_name = "CARD|default")]
    card: Option<String>,
    /// Whether the customer agrees that another saved card is tried after the usual one
    #[arg(long, value_name = "YES|NO", value_enum)]
    backup_card: Option<Agreed>,
    /// Another time zone
    #[arg(long, value_name = "ZONE")]
    zone: Option<Zone>,
    /// Kept in the diary
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Changes it.
pub(super) fn run(args: &ChangeArgs, context: &Context) -> Result<Exit, Failure> {
    let card = match args.card.as_deref() {
        None => None,
        Some("default") => Some(None),
        Some(id) => Some(Some(CardId::parse(id)?)),
    };
    // With a plan the config's new ones are brought in below, and refused in one sentence.
    let mut store = if args.plan.is_some() { context.book_as_it_is()? } else { context.book()? };
    if let Some(Some(card)) = &card {
        let live = context.livemode(&mut store)?;
        refuse_other_kind(live, None, Some(card)).map_err(Failure::usage)?;
    }
    let plan = args.plan.as_ref().map(|key| plan_of(context, &mut store, key)).transpose()?;
    let order = ChangeOrder {
        plan,
        quantity: args.quantity,
        card,
        backup_card: args.backup_card.map(|agreed| agreed == Agreed::Yes),
        zone: args.zone.clone(),
    };
    let (at, catch_up) = (context.now(), context.settings().catch_up);
    let mut next: Option<NextInvoice> = None;
    let now = orders::on_subscription(&mut store, &args.subscription, &mut |snapshot| {
        let changed = commands::change(snapshot, &order, catch_up, at, args.reason.as_deref())?;
        next = changed.next;
        Ok(changed.transition)
    })?;
    if context.global.json {
        let row = standing::row(&mut store, &args.subscription)?;
        let mut out = Output::stdout(true);
        out.object(&Changed {
            subscription: SubscriptionLine::of(&row),
            next_invoice: next.map(|next| NextInvoiceLine::of(&next, &row.subscription.zone)),
        })?;
        out.finish()?;
        return Ok(Exit::Done);
    }
    let next = next.map_or_else(
        || "it ends before there is another invoice".into(),
        |next| format!("next invoice {} for the period from {}", grouped(next.amount), next.starts),
    );
    let done = format!("changed; {next}");
    standing::show(context, &mut store, &now, &done)
}

/// Only another plan needs the config's new ones in the book.
fn plan_of(context: &Context, store: &mut SqliteStore, key: &PlanKey) -> Result<Arc<PlanVersion>, Failure> {
    let offer = context.offer(store)?;
    offer.find(key).map(|plan| Arc::new(plan.clone())).map_err(Failure::usage)
}

/// What stands after a change, for programs.
#[derive(Serialize)]
struct Changed {
    #[serde(flatten)]
    subscription: SubscriptionLine,
    /// `None`: it ends before there is another.
    next_invoice: Option<NextInvoiceLine>,
}

/// An invoice to come, with the names that an invoice's row has.
#[derive(Serialize)]
struct NextInvoiceLine {
    number: u32,
    period_start: String,
    period_end: String,
    amount: i64,
    currency: Currency,
}

impl NextInvoiceLine {
    fn of(next: &NextInvoice, zone: &Zone) -> Self {
        Self {
            number: next.period.index,
            period_start: rfc3339(next.period.start, zone),
            period_end: rfc3339(next.period.end, zone),
            amount: next.amount.minor(),
            currency: next.amount.currency(),
        }
    }
}
