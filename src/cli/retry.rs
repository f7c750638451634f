//! `dues retry SUB`: its oldest open invoice is tried again as soon as its card may be, and with it all others on hold that
//! a person can overrule. Where a flag stands, the customer is read first, so that a card that works by now clears it.

use clap::Args;

use super::context::Context;
use super::exit::{Exit, Failure};
use super::house::{self, Purpose};
use super::standing;
use crate::billing::{card_seen, orders};
use crate::model::SubscriptionId;
use crate::rules::{asked_try, commands};
use crate::store::Store;

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

/// Reads the customer of a flagged subscription now. Without an answer the next run reads them, as it does anyway.
fn look_again(args: &RetryArgs, context: &Context, store: &mut dyn Store) -> Result<(), Failure> {
    let snapshot = store.snapshot(&args.subscription)?;
    let Some(customer) = snapshot.filter(|s| !s.flags.is_empty()).map(|s| s.customer.id) else {
        return Ok(());
    };
    let seen = context.wait(async {
        let house = house::open(context, Purpose::Keep).await?;
        let seen = card_seen(&house.billing, customer).await;
        house.close(context.settings()).await?;
        Ok(seen?)
    });
    if let Err(failure) = seen {
        tracing::warn!(
            error = failure.sentence,
            "the customer could not be read now; the next run reads them"
        );
    }
    Ok(())
}

/// Makes it due.
pub(super) fn run(args: &RetryArgs, context: &Context) -> Result<Exit, Failure> {
    let mut store = context.book()?;
    look_again(args, context, &mut store)?;
    let at = context.now();
    let now = orders::on_subscription(&mut store, &args.subscription, &mut |snapshot| {
        commands::retry(snapshot, at, args.reason.as_deref())
    })?;
    let comes = asked_try(&now, &context.circumstances(&mut store)?);
    standing::show(context, &mut store, &now, &comes)
}
