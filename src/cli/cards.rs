//! `dues customers cards`: the cards saved for one customer.

use clap::{Args, Subcommand};

use super::access::Act;
use super::asked::Window;
use super::context::Context;
use super::exit::Failure;
use super::objects::{ColumnOf, show, show_list};
use super::output::Output;
use crate::omise::{CardUpdate, Client};

const COLUMNS: [ColumnOf; 6] = [
    ("card", "/id"),
    ("brand", "/brand"),
    ("last digits", "/last_digits"),
    ("month", "/expiration_month"),
    ("year", "/expiration_year"),
    ("name", "/name"),
];

/// What to do with cards.
#[derive(Debug, Subcommand)]
pub enum CardsCommand {
    /// List the cards of a customer
    List(ListArgs),
    /// Show one card
    #[command(
        after_help = "Example:\n  dues customers cards get cust_test_5xuy4w91xqz7d1w9u0t card_test_5xuy4w91xqz7d1w9u0t"
    )]
    Get(OneArgs),
    /// Change what is printed on a card; a new expiry date revives an expired one
    Update(UpdateArgs),
    /// Delete a card; if it was the default, the newest remaining one becomes the default
    #[command(
        after_help = "Example:\n  dues customers cards delete cust_test_5xuy4w91xqz7d1w9u0t card_test_5xuy4w91xqz7d1w9u0t"
    )]
    Delete(OneArgs),
}

impl CardsCommand {
    /// Whether it changes something, or only looks.
    pub(super) const fn changes_something(&self) -> bool {
        matches!(self, Self::Update(_) | Self::Delete(_))
    }

    /// What it does, and to whom, for the access record.
    pub(super) fn act(&self) -> Act<'_> {
        match self {
            Self::List(args) => Act::on_customer("customers cards list", &args.customer),
            Self::Get(args) => Act::on_customer("customers cards get", &args.customer),
            Self::Update(args) => Act::on_customer("customers cards update", &args.which.customer),
            Self::Delete(args) => Act::on_customer("customers cards delete", &args.customer),
        }
    }
}

/// Whose cards.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  dues customers cards list cust_test_5xuy4w91xqz7d1w9u0t")]
pub struct ListArgs {
    /// The customer
    #[arg(value_name = "CUST")]
    customer: String,
    #[command(flatten)]
    window: Window,
}

/// Which card.
#[derive(Debug, Args)]
pub struct OneArgs {
    /// The customer
    #[arg(value_name = "CUST")]
    customer: String,
    /// The card
    #[arg(value_name = "CARD")]
    card: String,
}

/// What to change of it.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  dues customers cards update cust_test_5xuy4w91xqz7d1w9u0t card_test_5xuy4w91xqz7d1w9u0t \
                        --expiration-month 11 --expiration-year 2030"
)]
pub struct UpdateArgs {
    #[command(flatten)]
    which: OneArgs,
    /// Name of the holder
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// 1 to 12
    #[arg(long, value_name = "MONTH", value_parser = clap::value_parser!(u8).range(1..=12))]
    expiration_month: Option<u8>,
    /// Four digits
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(u16).range(2000..=2999))]
    expiration_year: Option<u16>,
    /// Postal code of the billing address
    #[arg(long, value_name = "CODE")]
    postal_code: Option<String>,
    /// City of the billing address
    #[arg(long, value_name = "TEXT")]
    city: Option<String>,
}

/// Does it.
pub(super) async fn answer(
    command: &CardsCommand,
    context: &Context,
    client: &Client,
    out: &mut Output,
) -> Result<(), Failure> {
    let customers = client.customers();
    match command {
        CardsCommand::List(args) => {
            let rows = customers.cards(&args.customer).rows(&args.window.query(context)?)?;
            show_list(out, &COLUMNS, rows).await
        }
        CardsCommand::Get(OneArgs { customer, card }) => {
            show(out, &customers.cards(customer).retrieve(card).await?)
        }
        CardsCommand::Update(args) => {
            let update = CardUpdate {
                name: args.name.as_deref(),
                expiration_month: args.expiration_month,
                expiration_year: args.expiration_year,
                postal_code: args.postal_code.as_deref(),
                city: args.city.as_deref(),
            };
            show(out, &customers.cards(&args.which.customer).update(&args.which.card, &update).await?)
        }
        CardsCommand::Delete(OneArgs { customer, card }) => {
            show(out, &customers.cards(customer).destroy(card).await?)
        }
    }
}
