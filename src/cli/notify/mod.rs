//! `dues notify …`: what is told to customers and to the merchant.

mod preview;

use clap::Subcommand;

use super::context::Context;
use super::exit::{Exit, Failure};

/// What to do with messages.
#[derive(Debug, Subcommand)]
pub enum NotifyCommand {
    /// Show a letter as its reader would get it, with made-up facts
    Preview(preview::PreviewArgs),
}

/// Does it.
pub(super) fn run(command: &NotifyCommand, context: &Context) -> Result<Exit, Failure> {
    match command {
        NotifyCommand::Preview(args) => preview::run(args, context),
    }
}
