//! `dues resume SUB`: it goes on; periods held by a catch-up are collected, oldest first.

use clap::Args;
use serde_json::json;

use super::context::Context;
use super::exit::{Exit, Failure};
use super::standing;
use crate::billing::orders;
use crate::model::{EventKind, SubscriptionId};
use crate::rules::commands;

/// What to resume.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  dues resume sub_7k2m9qx4 --reason 'back from holidays'")]
pub struct ResumeArgs {
    /// The subscription
    #[arg(value_name = "SUB")]
    subscription: SubscriptionId,
    /// Kept in the diary
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Lets it go on.
pub(super) fn run(args: &ResumeArgs, context: &Context) -> Result<Exit, Failure> {
    let mut store = context.book()?;
    let (at, catch_up) = (context.now(), context.settings().catch_up);
    let now = orders::on_subscription(&mut store, &args.subscription, &mut |snapshot| {
        let mut transition = commands::resume(snapshot, catch_up, at)?;
        for event in transition.events.iter_mut().filter(|event| event.kind == EventKind::SubscriptionResumed)
        {
            event.data = args.reason.as_ref().map(|reason| json!({ "reason": reason }).to_string().into());
        }
        Ok(transition)
    })?;
    standing::show(context, &mut store, &now, "goes on")
}
