//! `dues customers`: the customers and cards saved at the provider, as the API has them.
//!
//! Promises: every look and every change leaves its line in the access record first. Must never know: how the book
//! keeps what it says of customers.

use clap::{Args, Subcommand};

use super::access::{self, Act};
use super::asked::{SearchArgs, Window};
use super::cards::{self, CardsCommand};
use super::context::Context;
use super::erase::{self, EraseArgs};
use super::exit::{Exit, Failure};
use super::export::{self, ExportArgs};
use super::objects::{ColumnOf, SCHEDULE_COLUMNS, metadata, pair, show, show_list, with_client};
use super::output::Output;
use crate::omise::{Client, CustomerUpdate, NewCustomer, SearchScope};

const COLUMNS: [ColumnOf; 6] = [
    ("customer", "/id"),
    ("email", "/email"),
    ("description", "/description"),
    ("cards", "/cards/total"),
    ("default card", "/default_card"),
    ("created", "/created_at"),
];

/// What to do with customers, and why.
#[derive(Debug, Args)]
#[command(after_help = access::TOLD)]
pub struct CustomersArgs {
    #[command(subcommand)]
    command: CustomersCommand,
    /// Why customer data is looked at or changed, for the access record beside the book
    #[arg(long, global = true, value_name = "TEXT")]
    reason: Option<String>,
}

/// What to do with customers.
#[derive(Debug, Subcommand)]
pub enum CustomersCommand {
    /// Save a customer, with the card of a token if one is given
    Create(CreateArgs),
    /// Show one customer with their cards
    #[command(after_help = "Example:\n  dues customers get cust_test_5xuy4w91xqz7d1w9u0t")]
    Get(OneArgs),
    /// Change a customer, add a card by token, or pick the default card
    Update(UpdateArgs),
    /// Delete a customer and their cards at the provider
    #[command(after_help = "Example:\n  dues customers delete cust_test_5xuy4w91xqz7d1w9u0t")]
    Delete(OneArgs),
    /// List all customers
    #[command(
        after_help = "Examples:\n  dues customers list --newest\n  dues customers list --from 2026-11-01 --json"
    )]
    List(Window),
    /// Search customers by words of their mail address or description
    #[command(after_help = "Example:\n  dues customers search john --filter created=2026-01-01..2026-12-31")]
    Search(SearchArgs),
    /// The cards of a customer
    #[command(subcommand)]
    Cards(CardsCommand),
    /// The provider's own schedules that charge a customer
    #[command(after_help = "Example:\n  dues customers schedules cust_test_5xuy4w91xqz7d1w9u0t")]
    Schedules(OneArgs),
    /// Everything held about one customer, here and at the provider, as one JSON object; needs --reason
    Export(ExportArgs),
    /// End the subscriptions of a customer, delete them at the provider, blank what the book knows of them; needs --reason
    Erase(EraseArgs),
}

impl CustomersArgs {
    /// Whether it changes something, or only looks.
    pub(super) const fn changes_something(&self) -> bool {
        match &self.command {
            CustomersCommand::Create(_)
            | CustomersCommand::Update(_)
            | CustomersCommand::Delete(_)
            | CustomersCommand::Erase(_) => true,
            CustomersCommand::Cards(command) => command.changes_something(),
            CustomersCommand::Get(_)
            | CustomersCommand::List(_)
            | CustomersCommand::Search(_)
            | CustomersCommand::Schedules(_)
            | CustomersCommand::Export(_) => false,
        }
    }
}

impl CustomersCommand {
    /// What it does, and to whom, for the access record.
    fn act(&self) -> Act<'_> {
        match self {
            Self::Create(_) => Act::on_all("customers create"),
            Self::Get(args) => Act::on_customer("customers get", &args.customer),
            Self::Update(args) => Act::on_customer("customers update", &args.customer),
            Self::Delete(args) => Act::on_customer("customers delete", &args.customer),
            Self::List(_) => Act::on_all("customers list"),
            Self::Search(_) => Act::on_all("customers search"),
            Self::Cards(command) => command.act(),
            Self::Schedules(args) => Act::on_customer("customers schedules", &args.customer),
            Self::Export(args) => Act::on_customer("customers export", args.customer.as_str()),
            Self::Erase(args) => Act::on_customer("customers erase", args.customer.as_str()),
        }
    }

    /// Whether it is done for nobody who does not say why.
    const fn needs_reason(&self) -> bool {
        matches!(self, Self::Export(_) | Self::Erase(_))
    }
}

/// Which customer.
#[derive(Debug, Args)]
pub struct OneArgs {
    /// The customer
    #[arg(value_name = "CUST")]
    customer: String,
}

/// A customer to be saved.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  dues customers create --email john@example.com --token tokn_test_5xuy4w91xqz7d1w9u0t"
)]
pub struct CreateArgs {
    /// Mail address
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// A name or note
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// A token whose card becomes the default
    #[arg(long, value_name = "TOKN")]
    token: Option<String>,
    /// Free data; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    metadata: Vec<(String, String)>,
}

/// What to change.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  dues customers update cust_test_5xuy4w91xqz7d1w9u0t --token tokn_test_5xuy4w91xqz7d1w9u0t\n  \
                        dues customers update cust_test_5xuy4w91xqz7d1w9u0t --default-card card_test_5xuy4w91xqz7d1w9u0t"
)]
pub struct UpdateArgs {
    /// The customer
    #[arg(value_name = "CUST")]
    customer: String,
    /// The new mail address
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// The new name or note
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// A token whose card is added
    #[arg(long, value_name = "TOKN")]
    token: Option<String>,
    /// A card of theirs that becomes the default
    #[arg(long, value_name = "CARD")]
    default_card: Option<String>,
    /// The new free data; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    metadata: Vec<(String, String)>,
}

/// Does it.
pub(super) fn run(args: &CustomersArgs, context: &Context) -> Result<Exit, Failure> {
    let (command, reason) = (&args.command, args.reason.as_deref());
    if command.needs_reason() && reason.is_none_or(|reason| reason.trim().is_empty()) {
        return Err(Failure::usage(
            "found no --reason, wanted why this customer's data is given out or erased",
        ));
    }
    if let CustomersCommand::Erase(args) = command {
        args.confirm()?;
    }
    access::note(context, command.act(), reason)?;
    let mut out = Output::stdout(context.global.json);
    with_client(context, async |client, _| answer(command, context, client, &mut out).await)?;
    out.finish()?;
    Ok(Exit::Done)
}

async fn answer(
    command: &CustomersCommand,
    context: &Context,
    client: &Client,
    out: &mut Output,
) -> Result<(), Failure> {
    let customers = client.customers();
    match command {
        CustomersCommand::Create(args) => create(args, client, out).await,
        CustomersCommand::Get(args) => show(out, &customers.retrieve(&args.customer).await?),
        CustomersCommand::Update(args) => update(args, client, out).await,
        CustomersCommand::Delete(args) => show(out, &customers.destroy(&args.customer).await?),
        CustomersCommand::List(window) => {
            show_list(out, &COLUMNS, customers.rows(&window.query(context)?)).await
        }
        CustomersCommand::Search(args) => {
            args.show_all(out, &COLUMNS, async |query| client.search(&SearchScope::Customer, query).await)
                .await
        }
        CustomersCommand::Cards(command) => cards::answer(command, context, client, out).await,
        CustomersCommand::Export(args) => export::answer(args, context, client, out).await,
        CustomersCommand::Erase(args) => erase::answer(args, context, client, out).await,
        CustomersCommand::Schedules(args) => {
            show_list(out, &SCHEDULE_COLUMNS, customers.schedule_rows(&args.customer)?).await
        }
    }
}

async fn create(args: &CreateArgs, client: &Client, out: &mut Output) -> Result<(), Failure> {
    let new = NewCustomer {
        email: args.email.as_deref(),
        description: args.description.as_deref(),
        card: args.token.as_deref(),
        metadata: metadata(&args.metadata)?,
    };
    show(out, &client.customers().create(&new).await?)
}

async fn update(args: &UpdateArgs, client: &Client, out: &mut Output) -> Result<(), Failure> {
    let metadata = metadata(&args.metadata)?;
    let update = CustomerUpdate {
        email: args.email.as_deref(),
        description: args.description.as_deref(),
        card: args.token.as_deref(),
        default_card: args.default_card.as_deref(),
        metadata: (!metadata.is_empty()).then_some(metadata),
    };
    show(out, &client.customers().update(&args.customer, &update).await?)
}
