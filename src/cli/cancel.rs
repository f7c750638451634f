//! `dues cancel SUB`: it ends, now or with the period that is paid.

use clap::Args;

use super::context::Context;
use super::exit::{Exit, Failure};
use super::rows::short;
use super::standing;
use crate::billing::orders;
use crate::model::SubscriptionId;
use crate::rules::commands;

/// What to cancel.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  dues cancel sub_7k2m9qx4 --at-period-end\n  dues cancel sub_7k2m9qx4 --reason moved"
)]
pub struct CancelArgs {
    /// The subscription
    #[arg(value_name = "SUB")]
    subscription: SubscriptionId,
    /// It ends with its current period instead of now
    #[arg(long)]
    at_period_end: bool,
    /// Kept in the diary
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Ends it.
pub(super) fn run(args: &CancelArgs, context: &Context) -> Result<Exit, Failure> {
    let mut store = context.book()?;
    let (at, reason) = (context.now(), args.reason.as_deref());
    let now = orders::on_subscription(&mut store, &args.subscription, &mut |snapshot| {
        if args.at_period_end {
            commands::cancel_at_period_end(snapshot, at, reason)
        } else {
            commands::cancel_now(snapshot, at, reason)
        }
    })?;
    let zone = &now.subscription.zone;
    let done = match now.subscription.cancel_at {
        Some(at) if now.subscription.ended_at.is_none() => format!("ends {} {zone}", short(at, zone)),
        // A period that had begun still gets its invoice: what becomes of that is told below.
        _ => "ended; no period that starts from now on is billed".into(),
    };
    standing::show(context, &mut store, &now, &done)
}
