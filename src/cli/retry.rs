//! `dues retry SUB`: its oldest open invoice is tried again in the next run.

use clap::Args;

use super::context::Context;
use super::exit::{Exit, Failure};
use super::standing;
use crate::billing::orders;
use crate::model::SubscriptionId;
use crate::rules::commands;

/// What to try again.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  dues retry sub_7k2m9qx4 --reason 'the customer topped up'")]
pub struct RetryArgs {
    /// The subscription
    #[arg(value_name = "SUB")]
    subscription: SubscriptionId,
    /// Kept in the diary
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Makes it due.
pub(super) fn run(args: &RetryArgs, context: &Context) -> Result<Exit, Failure> {
    let mut store = context.book()?;
    let at = context.now();
    let now = orders::on_subscription(&mut store, &args.subscription, &mut |snapshot| {
        commands::retry(snapshot, at, args.reason.as_deref())
    })?;
    standing::show(context, &mut store, &now, "tried again in the next run")
}
