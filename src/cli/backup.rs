//! `dues backup FILE`: a copy of the book, while others write to it.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::context::Context;
use super::exit::{Exit, Failure};
use super::output::Output;
use super::progress::Progress;
use crate::wiring;

/// Where to.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  dues backup /var/backups/dues-2026-11-21.db")]
pub struct BackupArgs {
    /// A file that does not exist yet
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Copies the book.
pub(super) fn run(args: &BackupArgs, context: &Context) -> Result<Exit, Failure> {
    let mut progress = Progress::new(&context.global, "copying pages", 0);
    let book = &context.settings().store.path;
    let bytes = wiring::copy_book(book, &args.file, &mut |done, total| progress.set_of(done, total))?;
    drop(progress);
    let mut out = Output::stdout(context.global.json);
    if context.global.json {
        out.object(&json!({ "backup": args.file.display().to_string(), "bytes": bytes }))?;
    } else {
        out.line(&format!("{}: {bytes} bytes; `dues restore` puts it back", args.file.display()))?;
    }
    out.finish()?;
    Ok(Exit::Done)
}
