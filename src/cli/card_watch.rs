//! `dues cards …`: the cards that pay subscriptions, as the book last saw them.
//!
//! Must never know: how a card is judged.

use clap::{Args, Subcommand};
use jiff::{Span, Timestamp};

use super::access::{self, Act};
use super::context::Context;
use super::exit::{Exit, Failure};
use super::house::{self, Purpose};
use super::list::Listing;
use super::output::Output;
use super::rows::EndingCardLine;
use crate::billing::Speed;
use crate::billing::card_watch::{CardWatch, watch_cards};
use crate::model::Expiration;
use crate::rules::ending::next_charge;
use crate::store::Filter;

/// Whose cards end unless somebody says otherwise.
const WITHIN: &str = "60d";

/// What to do, and why.
#[derive(Debug, Args)]
#[command(after_help = access::TOLD)]
pub struct CardCareArgs {
    #[command(subcommand)]
    command: CardCare,
    /// Why it is looked at, for the access record beside the book
    #[arg(long, global = true, value_name = "TEXT")]
    reason: Option<String>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum CardCare {
    /// Cards that end soon: whose, which subscription they pay, when and how much it charges next
    Expiring(ExpiringArgs),
    /// Read all customers at the provider now; flag, warn and lift flags by what their cards say
    #[command(after_help = "Example:\n  dues cards watch --json")]
    Watch,
}

impl CardCareArgs {
    /// Whether it changes something, or only looks.
    pub(super) const fn changes_something(&self) -> bool {
        matches!(self.command, CardCare::Watch)
    }
}

/// How soon.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  dues cards expiring\n  dues cards expiring --within 60d --json")]
pub struct ExpiringArgs {
    /// Ends within this time from now, such as 60d, 8 weeks or 2 months
    #[arg(long, value_name = "TIME", default_value = WITHIN)]
    within: String,
    /// At most that many rows [default: 100 for people, all with --json]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = super::limit::at_least_one)]
    limit: Option<u64>,
}

/// Does it.
pub(super) fn run(args: &CardCareArgs, context: &Context) -> Result<Exit, Failure> {
    let what = match args.command {
        CardCare::Expiring(_) => "cards expiring",
        CardCare::Watch => "cards watch",
    };
    context.need_book()?;
    access::note(context, Act::on_all(what), args.reason.as_deref())?;
    match &args.command {
        CardCare::Expiring(args) => expiring(args, context),
        CardCare::Watch => watch(context),
    }
}

fn expiring(args: &ExpiringArgs, context: &Context) -> Result<Exit, Failure> {
    let now = context.now();
    let until = end_of(&args.within, now, context)?;
    let mut store = context.book()?;
    let mut out = Listing::new(context, args.limit);
    // A card has expired with every month up to the last that is past.
    if let (Some(past), Some(last)) = (Expiration::last_past(now), Expiration::last_past(until)) {
        let mut after = None;
        out.pages(&mut store, |store, _, n| {
            let cards = store.ending_cards(past.next(), last, after, n)?;
            // The last of a full page only tells that there are more.
            let shown = cards.get(..cards.len().min(n.saturating_sub(1))).unwrap_or_default();
            after = shown.last().map(|row| row.cursor).or(after);
            let mut rows = Vec::with_capacity(cards.len());
            for card in &cards {
                let of = Filter { subscription: Some(card.subscription.clone()), ..Filter::default() };
                let found = store.snapshots(&of, 0, 1)?;
                let next = found.rows.first().and_then(next_charge);
                let why = found.unreadable.first().map(|found| found.error.to_string());
                rows.push((0, EndingCardLine::of(card, next, context.zone()).beside(why)));
            }
            Ok(rows)
        })?;
    }
    out.finish()
}

fn end_of(within: &str, now: Timestamp, context: &Context) -> Result<Timestamp, Failure> {
    let wrong = || {
        Failure::usage(format!(
            "--within: found {within:?}, wanted a length of time such as 60d, 8 weeks or 2 months"
        ))
    };
    let span: Span = within.trim().parse().map_err(|_| wrong())?;
    let until = context.zone().at(now).checked_add(span).map_err(|_| wrong())?.timestamp();
    if until > now { Ok(until) } else { Err(wrong()) }
}

fn watch(context: &Context) -> Result<Exit, Failure> {
    let counts = context.wait(async {
        let house = house::open(context, Purpose::Keep).await?;
        let counts = watch_cards(&house.billing, context.now(), Speed::Full).await;
        house.close(context.settings()).await?;
        Ok(counts?)
    })?;
    let mut out = Output::stdout(context.global.json);
    if out.is_json() {
        out.object(&counts)?;
    } else {
        for (told, count) in told(&counts) {
            out.line(&format!("{count:>9}  {told}"))?;
        }
    }
    out.finish()?;
    Ok(if counts.stopped { Exit::Attention } else { Exit::Done })
}

const fn told(counts: &CardWatch) -> [(&'static str, u64); 13] {
    [
        ("customers at the provider", counts.listed),
        ("customers of the book looked at", counts.customers),
        ("gone at the provider", counts.gone),
        ("without a default card", counts.no_card),
        ("with a default card that has ended", counts.ended),
        ("with a default card that ends soon", counts.ending),
        ("subscriptions whose card ends before a renewal", counts.misses_renewal),
        ("with another default card than before", counts.changed),
        ("warnings written", counts.warned),
        ("flags raised", counts.flagged),
        ("flags cleared", counts.cleared),
        ("subscriptions due at once with another card", counts.due),
        ("customers who could not be read", counts.unread),
    ]
}
