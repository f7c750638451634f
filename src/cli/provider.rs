//! `dues provider`: the rest of what the provider tells of the account, as the API has it.
//!
//! Promises: a look at what shows customers leaves its line in the access record first. Must never know: the book.

use clap::{Args, Subcommand};

use super::access::{self, Act};
use super::asked::{SearchArgs, Window};
use super::context::Context;
use super::exit::{Exit, Failure};
use super::objects::{ColumnOf, EVENT_COLUMNS, SCHEDULE_COLUMNS, show, show_list, with_client};
use super::output::Output;
use crate::omise::{Client, SearchScope};

const OCCURRENCE_COLUMNS: [ColumnOf; 5] = [
    ("occurrence", "/id"),
    ("date", "/scheduled_on"),
    ("status", "/status"),
    ("charge", "/result"),
    ("message", "/message"),
];

const FOUND_COLUMNS: [ColumnOf; 5] = [
    ("id", "/id"),
    ("kind", "/object"),
    ("status", "/status"),
    ("description", "/description"),
    ("created", "/created_at"),
];

/// What to ask, and why.
#[derive(Debug, Args)]
#[command(after_help = access::TOLD)]
pub struct ProviderArgs {
    #[command(subcommand)]
    command: ProviderCommand,
    /// Why it is asked, for the access record beside the book
    #[arg(long, global = true, value_name = "TEXT")]
    reason: Option<String>,
}

/// What to ask.
#[derive(Debug, Subcommand)]
pub enum ProviderCommand {
    /// The account that the key belongs to
    #[command(after_help = "Example:\n  dues provider account")]
    Account,
    /// The money in the account
    #[command(after_help = "Example:\n  dues provider balance --json")]
    Balance,
    /// What the account may do: limits, currencies, ways to pay
    #[command(after_help = "Example:\n  dues provider capability")]
    Capability,
    /// List what happened, as webhooks are told
    #[command(after_help = "Example:\n  dues provider events --newest --from 2026-11-01")]
    Events(Window),
    /// Show one event
    #[command(after_help = "Example:\n  dues provider event evnt_test_5xuy4w91xqz7d1w9u0t")]
    Event(OneArgs),
    /// List the provider's own schedules, of all customers
    #[command(after_help = "Example:\n  dues provider schedules")]
    Schedules(Window),
    /// Show one of the provider's own schedules
    #[command(after_help = "Example:\n  dues provider schedule schd_test_5xuy4w91xqz7d1w9u0t")]
    Schedule(OneArgs),
    /// List what happened on the dates of a schedule
    #[command(after_help = "Example:\n  dues provider occurrences schd_test_5xuy4w91xqz7d1w9u0t")]
    Occurrences(OneArgs),
    /// End one of the provider's own schedules, before its customer is billed here
    #[command(after_help = "Example:\n  dues provider end-schedule schd_test_5xuy4w91xqz7d1w9u0t")]
    EndSchedule(OneArgs),
    /// Search any kind of object
    Search(ScopeArgs),
}

impl ProviderCommand {
    /// What it does, for the access record; `None`: it shows no customer.
    fn act(&self) -> Option<Act<'_>> {
        match self {
            Self::Account | Self::Balance | Self::Capability => None,
            Self::Events(_) => Some(Act::on_all("provider events")),
            Self::Event(args) => Some(Act::on_object("provider event", &args.id)),
            Self::Schedules(_) => Some(Act::on_all("provider schedules")),
            Self::Schedule(args) => Some(Act::on_object("provider schedule", &args.id)),
            Self::Occurrences(args) => Some(Act::on_object("provider occurrences", &args.id)),
            Self::EndSchedule(args) => Some(Act::on_object("provider end-schedule", &args.id)),
            Self::Search(args) => Some(Act::on_object("provider search", &args.scope)),
        }
    }
}

/// Which one.
#[derive(Debug, Args)]
pub struct OneArgs {
    /// Its id
    #[arg(value_name = "ID")]
    id: String,
}

/// Where to search.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  dues provider search refund --filter created=2026-11-01..2026-11-30")]
pub struct ScopeArgs {
    /// charge, customer, dispute, refund, transaction, transfer or another kind that the API knows
    #[arg(value_name = "SCOPE")]
    scope: String,
    #[command(flatten)]
    search: SearchArgs,
}

/// Asks it.
pub(super) fn run(args: &ProviderArgs, context: &Context) -> Result<Exit, Failure> {
    let command = &args.command;
    if let Some(act) = command.act() {
        access::note(context, act, args.reason.as_deref())?;
    }
    let mut out = Output::stdout(context.global.json);
    with_client(context, async |client, _| answer(command, context, client, &mut out).await)?;
    out.finish()?;
    Ok(Exit::Done)
}

async fn answer(
    command: &ProviderCommand,
    context: &Context,
    client: &Client,
    out: &mut Output,
) -> Result<(), Failure> {
    match command {
        ProviderCommand::Account => show(out, &client.account().await?),
        ProviderCommand::Balance => show(out, &client.balance().await?),
        ProviderCommand::Capability => show(out, &client.capability().await?),
        ProviderCommand::Events(window) => {
            show_list(out, &EVENT_COLUMNS, client.events().rows(&window.query(context)?)).await
        }
        ProviderCommand::Event(args) => show(out, &client.events().retrieve(&args.id).await?),
        ProviderCommand::Schedules(window) => {
            show_list(out, &SCHEDULE_COLUMNS, client.schedules().rows(&window.query(context)?)).await
        }
        ProviderCommand::Schedule(args) => show(out, &client.schedules().retrieve(&args.id).await?),
        ProviderCommand::Occurrences(args) => {
            show_list(out, &OCCURRENCE_COLUMNS, client.schedules().occurrence_rows(&args.id)?).await
        }
        ProviderCommand::EndSchedule(args) => show(out, &client.schedules().destroy(&args.id).await?),
        ProviderCommand::Search(args) => {
            let scope = SearchScope::from(args.scope.as_str());
            args.search.show_all(out, &FOUND_COLUMNS, async |query| client.search(&scope, query).await).await
        }
    }
}
