//! `dues list …`: what the book says.

use clap::{Args, ValueEnum};

use super::access::{self, Act};
use super::context::Context;
use super::exit::{Exit, Failure};
use super::output::Output;
use super::rows::{AttemptLine, CustomerLine, EventLine, FlagAtRiskLine, InvoiceLine, ListedLine, Row};
use crate::billing::{Only, only};
use crate::model::{
    AttemptStatus, CustomerId, CustomerState, EventKind, FlagReason, InvoiceStatus, SubscriptionId,
    SubscriptionStatus, counted,
};
use crate::store::{Filter, Store, StoreError};

/// Rows read at a time: memory stays flat however long the list is.
const PAGE_ROWS: usize = 1_000;
/// Flags are sorted by money at risk anew for each page, so there are more on one.
const FLAGS_AT_A_TIME: usize = 10_000;
/// People are shown that many unless they ask for more.
const ROWS_FOR_PEOPLE: u64 = 100;
/// Rows that cannot be read are named one by one up to so many; what spoils more of them is one thing, told by the first.
const MOST_NAMED: u64 = 20;

/// Which rows.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  dues list subscriptions --customer cust_test_5xuy4w91xqz7d1w9u0t\n  \
                        dues list invoices --status open\n  dues list flags --json\n\n\
                        Flags come with the money behind them, by currency, the largest sum first. Subscriptions that \
                        cannot be read are listed as that, and the exit code is then 3.")]
pub struct ListArgs {
    /// Rows of what
    #[arg(value_enum)]
    kind: Kind,
    /// Of this customer alone
    #[arg(long, value_name = "CUST")]
    customer: Option<String>,
    /// Of this subscription alone
    #[arg(long, value_name = "SUB")]
    subscription: Option<String>,
    /// With this status alone (of flags: the reason; of events: the kind; of customers: the state)
    #[arg(long, value_name = "WORD")]
    status: Option<String>,
    /// Flags that have ended, too
    #[arg(long)]
    ended: bool,
    /// At most that many rows [default: 100 for people, all with --json]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = super::limit::at_least_one)]
    limit: Option<u64>,
    /// Why they are looked at, for the access record beside the book (of `customers`, `flags`, `events`, and with --customer)
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    Subscriptions,
    Invoices,
    Attempts,
    Flags,
    Events,
    Customers,
}

impl Kind {
    /// The words that `--status` may be.
    fn words(self) -> Vec<&'static str> {
        match self {
            Self::Subscriptions => SubscriptionStatus::ALL.iter().map(|w| w.word()).collect(),
            Self::Invoices => InvoiceStatus::ALL.iter().map(|w| w.word()).collect(),
            Self::Attempts => AttemptStatus::ALL.iter().map(|w| w.word()).collect(),
            Self::Flags => FlagReason::ALL.iter().map(|w| w.word()).collect(),
            Self::Events => EventKind::ALL.iter().map(|w| w.word()).collect(),
            Self::Customers => CustomerState::ALL.iter().map(|w| w.word()).collect(),
        }
    }
}

/// Prints the rows.
pub(super) fn run(args: &ListArgs, context: &Context) -> Result<Exit, Failure> {
    let filter = filter(args)?;
    context.need_book()?;
    if let Some(act) = act(args) {
        access::note(context, act, args.reason.as_deref())?;
    }
    let mut store = context.book()?;
    let store: &mut dyn Store = &mut store;
    refuse_unknown(store, &filter)?;
    let (zone, now) = (&context.config.settings.zone, context.now());
    let mut out = Listing::new(context, args.limit);
    match args.kind {
        Kind::Subscriptions => out.pages(store, |store, after, n| {
            Ok(ListedLine::of(&store.page_of_subscriptions(&filter, after, n)?))
        }),
        Kind::Invoices => out.pages(store, |store, after, n| {
            let page = store.list_invoices(&filter, after, n)?;
            Ok(page.iter().map(|row| (row.row, InvoiceLine::of(row, now))).collect())
        }),
        Kind::Attempts => out.pages(store, |store, after, n| {
            let page = store.list_attempts(&filter, after, n)?;
            Ok(page.iter().map(|row| (row.row, AttemptLine::of(row, zone))).collect())
        }),
        Kind::Flags => {
            out.page_rows = FLAGS_AT_A_TIME;
            let mut after = None;
            out.pages(store, |store, _, n| {
                let page = store.list_flags_at_risk(&filter, after, n)?;
                // The last of a full page only tells that there are more.
                let shown = page.get(..page.len().min(n.saturating_sub(1))).unwrap_or_default();
                after = shown.last().map(|row| row.cursor).or(after);
                Ok(page.iter().map(|row| (0, FlagAtRiskLine::of(row, zone))).collect())
            })
        }
        Kind::Events => out.pages(store, |store, after, n| {
            let page = store.list_events(&filter, after, n)?;
            Ok(page.iter().map(|event| (event.seq, EventLine::of(event, zone))).collect())
        }),
        Kind::Customers => out.pages(store, |store, after, n| {
            let page = store.list_customers(&filter, after, n)?;
            Ok(page.iter().map(|row| (row.row, CustomerLine::of(row, zone))).collect())
        }),
    }?;
    out.finish()
}

/// What it does, for the access record; `None`: it is of nobody in particular.
fn act(args: &ListArgs) -> Option<Act<'_>> {
    let what = match args.kind {
        Kind::Subscriptions => "list subscriptions",
        Kind::Invoices => "list invoices",
        Kind::Attempts => "list attempts",
        Kind::Flags => "list flags",
        Kind::Events => "list events",
        Kind::Customers => "list customers",
    };
    // Flags and customers show cards, and so does the diary of them; the other rows show ids alone unless one person is
    // asked for.
    let shows_cards = matches!(args.kind, Kind::Customers | Kind::Flags | Kind::Events);
    let noted = args.customer.is_some() || shows_cards;
    noted.then(|| Act { customer: args.customer.as_deref(), ..Act::on_all(what) })
}

fn filter(args: &ListArgs) -> Result<Filter, Failure> {
    let words = args.kind.words();
    if let Some(found) = args.status.as_deref().filter(|found| !words.contains(found)) {
        return Err(Failure::usage(format!("--status: found {found:?}, wanted one of {}", words.join(", "))));
    }
    Ok(Filter {
        customer: args.customer.as_deref().map(CustomerId::parse).transpose()?,
        subscription: args.subscription.as_deref().map(SubscriptionId::parse).transpose()?,
        status: args.status.clone(),
        ended: args.ended,
    })
}

/// An id that the book does not know is a slip of the pen, and not one of whom there is nothing to say.
fn refuse_unknown(store: &mut dyn Store, filter: &Filter) -> Result<(), Failure> {
    if let Some(id) = filter.subscription.clone() {
        only::refuse_unknown(store, &Only::Subscription(id), "--subscription")?;
    }
    if let Some(id) = filter.customer.clone() {
        // A customer may be in the book without a subscription.
        let of_one = Filter { customer: Some(id.clone()), ..Filter::default() };
        if store.list_customers(&of_one, 0, 1)?.is_empty() {
            only::refuse_unknown(store, &Only::Customer(id), "--customer")?;
        }
    }
    Ok(())
}

/// Writes page after page.
pub(super) struct Listing {
    out: Output,
    left: Option<u64>,
    page_rows: usize,
    quiet: bool,
    /// Rows shown that could not be read whole.
    unreadable: u64,
}

impl Listing {
    /// At most `limit` rows; without, as many as suit whoever reads.
    pub(super) fn new(context: &Context, limit: Option<u64>) -> Self {
        let json = context.global.json;
        let left = limit.or((!json).then_some(ROWS_FOR_PEOPLE));
        let (out, quiet) = (Output::stdout(json), context.global.quiet);
        Self { out, left, page_rows: PAGE_ROWS, quiet, unreadable: 0 }
    }

    /// Hands everything over. Rows that could not be read want a person.
    pub(super) fn finish(self) -> Result<Exit, Failure> {
        self.out.finish()?;
        if self.unreadable > MOST_NAMED {
            tracing::warn!("{} cannot be read whole", counted(self.unreadable, "row"));
        }
        Ok(if self.unreadable == 0 { Exit::Done } else { Exit::Attention })
    }

    /// `page` is told after which row, and how many rows: one more than are shown, if there are as many.
    pub(super) fn pages<R: Row>(
        &mut self,
        store: &mut dyn Store,
        mut page: impl FnMut(&mut dyn Store, i64, usize) -> Result<Vec<(i64, R)>, StoreError>,
    ) -> Result<(), Failure> {
        let (mut after, mut is_empty) = (0, true);
        loop {
            // One row more than is shown tells whether there are more.
            let most = self.page_rows;
            let left = self.left.map_or(most, |left| usize::try_from(left).unwrap_or(most));
            let wanted = left.min(most);
            let mut rows = page(store, after, wanted + 1)?;
            let more = rows.len() > wanted;
            rows.truncate(wanted);
            after = rows.last().map_or(after, |(row, _)| *row);
            let shown = rows.len() as u64;
            is_empty &= rows.is_empty();
            self.write(&rows.into_iter().map(|(_, row)| row).collect::<Vec<_>>())?;
            self.left = self.left.map(|left| left.saturating_sub(shown));
            if !more {
                return if is_empty { self.tell_of_none() } else { Ok(()) };
            }
            if self.left == Some(0) {
                return self.tell_of_more();
            }
        }
    }

    fn write<R: Row>(&mut self, rows: &[R]) -> Result<(), Failure> {
        for why in rows.iter().filter_map(Row::trouble) {
            self.unreadable += 1;
            if self.unreadable <= MOST_NAMED {
                tracing::warn!("cannot be read, and the rest is shown: {why}");
            }
        }
        if self.out.is_json() {
            return rows.iter().try_for_each(|row| self.out.object(row));
        }
        self.out.table(R::COLUMNS, rows.iter().map(Row::cells).collect())
    }

    /// Silence would leave people in doubt whether they were heard.
    fn tell_of_none(&mut self) -> Result<(), Failure> {
        if !self.out.is_json() && !self.quiet {
            self.out.line("none")?;
        }
        Ok(())
    }

    fn tell_of_more(&mut self) -> Result<(), Failure> {
        if !self.out.is_json() && !self.quiet {
            self.out.line("… and more: --limit N shows N rows, --json all")?;
        }
        Ok(())
    }
}
