//! `dues notify retry ROW`: a message that waits or was given up is due now.

use clap::Args;
use serde_json::json;

use super::super::context::Context;
use super::super::exit::{Exit, Failure};
use super::super::output::Output;
use crate::store::Outbox as _;

/// Which message.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  dues notify list --state given_up\n  dues notify retry 17 && dues notify send"
)]
pub struct RetryArgs {
    /// Its number in `dues notify list`
    #[arg(value_name = "ROW")]
    row: i64,
}

/// Makes it due.
pub(super) fn run(args: &RetryArgs, context: &Context) -> Result<Exit, Failure> {
    let mut store = context.book_as_it_is()?;
    if !store.retry_message(args.row, context.now())? {
        return Err(Failure::usage(format!(
            "{}: found no message of that number that waits or was given up, wanted one of `dues notify list`",
            args.row
        )));
    }
    let mut out = Output::stdout(context.global.json);
    if out.is_json() {
        out.object(&json!({ "row": args.row, "state": "waiting" }))?;
    } else {
        out.line(&format!("message {} is due now", args.row))?;
    }
    out.finish()?;
    Ok(Exit::Done)
}
