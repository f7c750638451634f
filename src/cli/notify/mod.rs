//! `dues notify …`: what is told to customers and to the merchant.

mod again;
mod list;
mod preview;
mod send;

use clap::Subcommand;

use super::context::Context;
use super::exit::{Exit, Failure};

pub(super) use send::gather;

/// What to do with messages.
#[derive(Debug, Subcommand)]
pub enum NotifyCommand {
    /// Deliver what is due, once: for whoever runs no service
    Send(send::SendArgs),
    /// Show messages and what became of them
    List(list::ListArgs),
    /// Try a message again that waits or was given up
    Retry(again::RetryArgs),
    /// Show a letter as its reader would get it, with made-up facts
    Preview(preview::PreviewArgs),
}

impl NotifyCommand {
    /// Whether it changes something, or only looks.
    pub(super) const fn changes_something(&self) -> bool {
        matches!(self, Self::Send(_) | Self::Retry(_))
    }
}

/// Does it.
pub(super) fn run(command: &NotifyCommand, context: &Context) -> Result<Exit, Failure> {
    match command {
        NotifyCommand::Send(args) => send::run(args, context),
        NotifyCommand::List(args) => list::run(args, context),
        NotifyCommand::Retry(args) => again::run(args, context),
        NotifyCommand::Preview(args) => preview::run(args, context),
    }
}
