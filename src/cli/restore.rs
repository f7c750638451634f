//! `dues restore FILE`: puts a backup in the place of the book.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::context::Context;
use super::exit::{Exit, Failure};
use super::output::Output;
use crate::store::ChargingLock;
use crate::store::sqlite::{Restored, restore};

/// From where.
#[derive(Debug, Args)]
#[command(
    after_help = "What lies at [store] path is kept beside it as <book>.replaced, or <book>.replaced.2 and so on where \
                        something lies there already. The restored book charges nobody \
                        before `dues adopt` compared it with the provider's own list.\n\n\
                        Example:\n  dues restore /var/backups/dues-2026-11-21.db"
)]
pub struct RestoreArgs {
    /// A copy made by `dues backup`
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Puts it back.
pub(super) fn run(args: &RestoreArgs, context: &Context) -> Result<Exit, Failure> {
    let book = &context.settings().store.path;
    if let Some(folder) = book.parent() {
        std::fs::create_dir_all(folder)
            .map_err(|why| Failure::new(Exit::Store, format!("{}: {why}", folder.display())))?;
    }
    // Whoever charges holds it: a book is not taken from under a running house.
    let _lock = ChargingLock::take(book)?;
    let Restored { installation, replaced } = restore(&args.file, book)?;
    let mut out = Output::stdout(context.global.json);
    if context.global.json {
        out.object(&json!({
            "restored": book.display().to_string(),
            "installation": installation,
            "replaced": replaced.map(|aside| aside.display().to_string()),
        }))?;
    } else {
        if let Some(aside) = replaced {
            out.line(&format!("{}: the book that lay here is now {}", book.display(), aside.display()))?;
        }
        out.line(&format!("{}: restored; run `dues adopt` before it charges", book.display()))?;
    }
    out.finish()?;
    Ok(Exit::Done)
}
