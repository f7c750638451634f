//! `dues backup FILE`: a copy of the book, while others write to it.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::context::Context;
use super::exit::{Exit, Failure};
use super::output::Output;
use super::progress::Progress;
use crate::store::Store as _;

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
    let mut store = crate::wiring::open_book_read_only(context.settings())?;
    let mut progress = Progress::new(&context.global, "copying pages", 0);
    store.backup(&args.file, &mut |done, total| progress.set_of(done, total))?;
    drop(progress);
    let bytes = std::fs::metadata(&args.file).map_or(0, |facts| facts.len());
    let mut out = Output::stdout(context.global.json);
    if context.global.json {
        out.object(&json!({ "backup": args.file.display().to_string(), "bytes": bytes }))?;
    } else {
        out.line(&format!("{}: {bytes} bytes; `dues restore` puts it back", args.file.display()))?;
    }
    out.finish()?;
    Ok(Exit::Done)
}
