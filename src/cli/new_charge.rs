//! `dues charges create`: a charge made by hand.
//!
//! Promises: with a test key or the sandbox alone, and never with the daemon's own metadata. Must never know: the book.

use clap::Args;

use super::exit::Failure;
use super::objects::{metadata, pair, show, test_mode_only};
use super::output::Output;
use crate::model::Money;
use crate::omise::{Client, NewCharge, RecurringReason, TransactionIndicator};

/// A charge to be made.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  dues charges create \"990.00 THB\" --customer cust_test_5xuy4w91xqz7d1w9u0t"
)]
pub struct CreateArgs {
    /// Amount with its currency
    #[arg(value_name = "AMOUNT")]
    amount: Money,
    /// The customer: their default card, unless --card names one
    #[arg(long, value_name = "CUST", required_unless_present = "card")]
    pub(super) customer: Option<String>,
    /// A card of the customer, or a token alone
    #[arg(long, value_name = "CARD|TOKN")]
    card: Option<String>,
    /// Only authorize; capture later
    #[arg(long)]
    authorize_only: bool,
    /// Shown in the dashboard
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Where the customer comes back to after 3-D Secure
    #[arg(long, value_name = "URL")]
    return_uri: Option<String>,
    /// Who starts it, for the card networks: CIT (the customer is there) or MIT (a saved card on its own)
    #[arg(long, value_name = "CIT|MIT")]
    transaction_indicator: Option<String>,
    /// Why, if it is MIT: subscription, unscheduled, resubmission or another word that the API knows
    #[arg(long, value_name = "WORD")]
    recurring_reason: Option<String>,
    /// The charge with which the customer first agreed
    #[arg(long, value_name = "CHRG")]
    first_charge: Option<String>,
    /// Free data; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    metadata: Vec<(String, String)>,
}

/// Makes it.
pub(super) async fn create(args: &CreateArgs, client: &Client, out: &mut Output) -> Result<(), Failure> {
    test_mode_only(client, "a charge")?;
    let currency = args.amount.currency().to_string();
    show(out, &client.charges().create(&charge_of(args, &currency)?).await?)
}

fn charge_of<'a>(args: &'a CreateArgs, currency: &'a str) -> Result<NewCharge<'a>, Failure> {
    Ok(NewCharge {
        amount: args.amount.minor(),
        currency,
        customer: args.customer.as_deref(),
        card: args.card.as_deref(),
        capture: args.authorize_only.then_some(false),
        description: args.description.as_deref(),
        return_uri: args.return_uri.as_deref(),
        transaction_indicator: args.transaction_indicator.as_deref().map(TransactionIndicator::from),
        recurring_reason: args.recurring_reason.as_deref().map(RecurringReason::from),
        first_charge: args.first_charge.as_deref(),
        metadata: metadata(&args.metadata)?,
        ..NewCharge::default()
    })
}

#[cfg(test)]
mod tests {
    use clap::FromArgMatches as _;

    use super::*;

    #[test]
    fn every_word_of_a_new_charge_is_sent() {
        let words = "x 990.00THB --customer cust_1 --card card_1 --authorize-only --description seven \
                     --return-uri https://a.test/ --transaction-indicator MIT --recurring-reason subscription \
                     --first-charge chrg_0 --metadata order=7";
        let matches = CreateArgs::augment_args(clap::Command::new("x"))
            .get_matches_from(words.split_whitespace().map(|word| word.replace("THB", " THB")));
        let args = CreateArgs::from_arg_matches(&matches).unwrap();
        assert_eq!(
            serde_json::to_string(&charge_of(&args, "THB").unwrap()).unwrap(),
            "{\"amount\":99000,\"currency\":\"THB\",\"customer\":\"cust_1\",\"card\":\"card_1\",\"capture\":false,\
             \"description\":\"seven\",\"metadata\":{\"order\":\"7\"},\"return_uri\":\"https://a.test/\",\
             \"transaction_indicator\":\"MIT\",\"recurring_reason\":\"subscription\",\"first_charge\":\"chrg_0\"}"
        );
    }
}
