//! `dues pause SUB`: periods that start meanwhile are skipped, never billed later.

use clap::Args;

use super::context::Context;
use super::exit::{Exit, Failure};
use super::rows::{rfc3339, short};
use super::{instant, standing};
use crate::billing::orders;
use crate::model::SubscriptionId;
use crate::rules::commands;

/// What to pause.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  dues pause sub_7k2m9qx4\n  dues pause sub_7k2m9qx4 --until 2027-01-01 --reason holidays"
)]
pub struct PauseArgs {
    /// The subscription
    #[arg(value_name = "SUB")]
    subscription: SubscriptionId,
    /// It resumes by itself then; absent: only by `dues resume`
    #[arg(long, value_name = "DATE")]
    until: Option<String>,
    /// Kept in the diary
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Pauses it.
pub(super) fn run(args: &PauseArgs, context: &Context) -> Result<Exit, Failure> {
    let mut store = context.book()?;
    let id = &args.subscription;
    let zone = standing::row(&mut store, id)?.subscription.zone;
    let until = args.until.as_deref().map(|text| instant::instant("--until", text, &zone)).transpose()?;
    let at = context.now();
    if let (Some(text), Some(_)) = (args.until.as_deref(), until.filter(|until| *until <= at)) {
        return Err(Failure::usage(format!(
            "--until: found {text:?}, wanted an instant after now, which is {}",
            rfc3339(at, &zone)
        )));
    }
    let now = orders::on_subscription(&mut store, id, &mut |snapshot| {
        commands::pause(snapshot, until, at, args.reason.as_deref())
    })?;
    let done = until.map_or_else(
        || "paused; `dues resume` lets it go on".to_owned(),
        |until| format!("paused until {} {zone}", short(until, &zone)),
    );
    standing::show(context, &mut store, &now, &done)
}
