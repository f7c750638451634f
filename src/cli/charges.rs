//! `dues charges`: the charges at the provider, as the API has them.
//!
//! Promises: a charge is made by hand with a test key alone, and never with the daemon's own metadata, so that no
//! hand-made charge can be taken for one of the book's; every look and every change leaves its line in the access record
//! first. Must never know: the book.

use clap::{Args, Subcommand};

use super::access::{self, Act};
use super::asked::{SearchArgs, Window};
use super::context::Context;
use super::exit::{Exit, Failure};
use super::new_charge;
use super::objects::{ColumnOf, EVENT_COLUMNS, metadata, minor_of, pair, show, show_list, with_client};
use super::output::Output;
use crate::model::Money;
use crate::omise::{ChargeUpdate, Client, NewRefund, SearchScope};

const COLUMNS: [ColumnOf; 7] = [
    ("charge", "/id"),
    ("status", "/status"),
    ("amount", "/amount"),
    ("currency", "/currency"),
    ("customer", "/customer"),
    ("failure", "/failure_code"),
    ("created", "/created_at"),
];

const REFUND_COLUMNS: [ColumnOf; 5] = [
    ("refund", "/id"),
    ("amount", "/amount"),
    ("currency", "/currency"),
    ("voided", "/voided"),
    ("created", "/created_at"),
];

/// What to do with charges, and why.
#[derive(Debug, Args)]
#[command(after_help = access::TOLD)]
pub struct ChargesArgs {
    #[command(subcommand)]
    command: ChargesCommand,
    /// Why charges are looked at or changed, for the access record beside the book
    #[arg(long, global = true, value_name = "TEXT")]
    reason: Option<String>,
}

/// What to do with charges.
#[derive(Debug, Subcommand)]
pub enum ChargesCommand {
    /// Make a charge, with a test key or the sandbox only
    Create(new_charge::CreateArgs),
    /// Show one charge
    #[command(after_help = "Example:\n  dues charges get chrg_test_5xuy4w91xqz7d1w9u0t")]
    Get(OneArgs),
    /// Change the description or metadata of a charge
    Update(UpdateArgs),
    /// List all charges
    #[command(
        after_help = "Examples:\n  dues charges list --from 2026-11-01 --newest\n  dues charges list --json"
    )]
    List(Window),
    /// Search charges by words of their description
    #[command(
        after_help = "Example:\n  dues charges search order --filter amount=900..1000 --filter status=failed"
    )]
    Search(SearchArgs),
    /// Take the money of a charge that was only authorized
    Capture(CaptureArgs),
    /// Give back an authorization that was not captured
    #[command(after_help = "Example:\n  dues charges reverse chrg_test_5xuy4w91xqz7d1w9u0t")]
    Reverse(OneArgs),
    /// End a pending charge before its time
    #[command(after_help = "Example:\n  dues charges expire chrg_test_5xuy4w91xqz7d1w9u0t")]
    Expire(OneArgs),
    /// Give money back
    Refund(RefundArgs),
    /// List the refunds of a charge
    #[command(after_help = "Example:\n  dues charges refunds chrg_test_5xuy4w91xqz7d1w9u0t")]
    Refunds(OneArgs),
    /// List what happened to a charge
    #[command(after_help = "Example:\n  dues charges events chrg_test_5xuy4w91xqz7d1w9u0t")]
    Events(OneArgs),
}

impl ChargesArgs {
    /// Whether it changes something, or only looks.
    pub(super) const fn changes_something(&self) -> bool {
        match self.command {
            ChargesCommand::Create(_)
            | ChargesCommand::Update(_)
            | ChargesCommand::Capture(_)
            | ChargesCommand::Reverse(_)
            | ChargesCommand::Expire(_)
            | ChargesCommand::Refund(_) => true,
            ChargesCommand::Get(_)
            | ChargesCommand::List(_)
            | ChargesCommand::Search(_)
            | ChargesCommand::Refunds(_)
            | ChargesCommand::Events(_) => false,
        }
    }
}

impl ChargesCommand {
    /// What it does, and to what, for the access record: a charge shows its customer.
    fn act(&self) -> Act<'_> {
        match self {
            Self::Create(args) => Act { customer: args.customer.as_deref(), ..Act::on_all("charges create") },
            Self::Get(args) => Act::on_object("charges get", &args.charge),
            Self::Update(args) => Act::on_object("charges update", &args.charge),
            Self::List(_) => Act::on_all("charges list"),
            Self::Search(_) => Act::on_all("charges search"),
            Self::Capture(args) => Act::on_object("charges capture", &args.charge),
            Self::Reverse(args) => Act::on_object("charges reverse", &args.charge),
            Self::Expire(args) => Act::on_object("charges expire", &args.charge),
            Self::Refund(args) => Act::on_object("charges refund", &args.charge),
            Self::Refunds(args) => Act::on_object("charges refunds", &args.charge),
            Self::Events(args) => Act::on_object("charges events", &args.charge),
        }
    }
}

/// Which charge.
#[derive(Debug, Args)]
pub struct OneArgs {
    /// The charge
    #[arg(value_name = "CHRG")]
    charge: String,
}

/// What to change.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  dues charges update chrg_test_5xuy4w91xqz7d1w9u0t --description \"order 7\""
)]
pub struct UpdateArgs {
    /// The charge
    #[arg(value_name = "CHRG")]
    charge: String,
    /// The new description
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// The new free data; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    metadata: Vec<(String, String)>,
}

/// How much to take.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  dues charges capture chrg_test_5xuy4w91xqz7d1w9u0t --amount \"500.00 THB\""
)]
pub struct CaptureArgs {
    /// The charge
    #[arg(value_name = "CHRG")]
    charge: String,
    /// Less than was authorized
    #[arg(long, value_name = "AMOUNT")]
    amount: Option<Money>,
}

/// How much to give back.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  dues charges refund chrg_test_5xuy4w91xqz7d1w9u0t \"990.00 THB\"")]
pub struct RefundArgs {
    /// The charge
    #[arg(value_name = "CHRG")]
    charge: String,
    /// Up to what is left of it
    #[arg(value_name = "AMOUNT")]
    amount: Money,
    /// Void the charge instead, while it still can be
    #[arg(long)]
    void: bool,
}

/// Does it.
pub(super) fn run(args: &ChargesArgs, context: &Context) -> Result<Exit, Failure> {
    let command = &args.command;
    access::note(context, command.act(), args.reason.as_deref())?;
    let mut out = Output::stdout(context.global.json);
    with_client(context, async |client, _| answer(command, context, client, &mut out).await)?;
    out.finish()?;
    Ok(Exit::Done)
}

async fn answer(
    command: &ChargesCommand,
    context: &Context,
    client: &Client,
    out: &mut Output,
) -> Result<(), Failure> {
    let charges = client.charges();
    match command {
        ChargesCommand::Create(args) => new_charge::create(args, client, out).await,
        ChargesCommand::Get(args) => show(out, &charges.retrieve(&args.charge).await?),
        ChargesCommand::Update(args) => update(args, client, out).await,
        ChargesCommand::List(window) => show_list(out, &COLUMNS, charges.rows(&window.query(context)?)).await,
        ChargesCommand::Search(args) => {
            args.show_all(out, &COLUMNS, async |query| client.search(&SearchScope::Charge, query).await).await
        }
        ChargesCommand::Capture(args) => capture(args, client, out).await,
        ChargesCommand::Reverse(args) => show(out, &charges.reverse(&args.charge).await?),
        ChargesCommand::Expire(args) => show(out, &charges.expire(&args.charge).await?),
        ChargesCommand::Refund(args) => refund(args, client, out).await,
        ChargesCommand::Refunds(args) => {
            show_list(out, &REFUND_COLUMNS, charges.refund_rows(&args.charge)?).await
        }
        ChargesCommand::Events(args) => {
            show_list(out, &EVENT_COLUMNS, charges.event_rows(&args.charge)?).await
        }
    }
}

async fn update(args: &UpdateArgs, client: &Client, out: &mut Output) -> Result<(), Failure> {
    let metadata = metadata(&args.metadata)?;
    let update = ChargeUpdate {
        description: args.description.as_deref(),
        metadata: (!metadata.is_empty()).then_some(metadata),
    };
    show(out, &client.charges().update(&args.charge, &update).await?)
}

async fn capture(args: &CaptureArgs, client: &Client, out: &mut Output) -> Result<(), Failure> {
    let amount = match args.amount {
        Some(amount) => Some(minor_of(amount, &currency_of(&args.charge, client).await?)?),
        None => None,
    };
    show(out, &client.charges().capture(&args.charge, amount).await?)
}

async fn refund(args: &RefundArgs, client: &Client, out: &mut Output) -> Result<(), Failure> {
    let amount = minor_of(args.amount, &currency_of(&args.charge, client).await?)?;
    let refund = NewRefund { amount, void: args.void.then_some(true), ..NewRefund::default() };
    show(out, &client.charges().refund(&args.charge, &refund).await?)
}

/// The API takes amounts without a currency; whoever types one must mean the charge's.
async fn currency_of(charge: &str, client: &Client) -> Result<String, Failure> {
    Ok(client.charges().retrieve(charge).await?.value.currency)
}
