//! `dues customers export`: everything held about one customer, at the provider and in the book, as one JSON object.
//!
//! Promises: the provider's objects stand in it as the API wrote them; what the book says has the keys that `dues
//! list --json` has. A customer whom only one of the two knows is exported all the same. Must never know: SQL.

use clap::Args;
use serde::Serialize;
use serde_json::value::RawValue;

use super::context::Context;
use super::exit::Failure;
use super::objects::as_raw;
use super::output::Output;
use super::rows::{AttemptLine, CustomerLine, EventLine, FlagLine, InvoiceLine, ListedLine, Row as _};
use crate::model::CustomerId;
use crate::omise::{Client, Customer, ErrorKind, HasId, ListQuery, Rows};
use crate::store::{Filter, Store, StoreError};

/// Rows of the book read at a time.
const PAGE_ROWS: usize = 1_000;

/// Whose data, and why it is given out.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  dues customers export cust_test_5xuy4w91xqz7d1w9u0t --reason \"asked by mail\" > data.json"
)]
pub struct ExportArgs {
    /// The customer
    #[arg(value_name = "CUST")]
    pub(super) customer: CustomerId,
}

#[derive(Serialize)]
struct Export {
    customer: String,
    exported_at: String,
    provider: AtProvider,
    book: InBook,
}

/// What the provider holds.
#[derive(Serialize)]
struct AtProvider {
    /// `None`: deleted there, or never known.
    customer: Option<Box<RawValue>>,
    cards: Vec<Box<RawValue>>,
    schedules: Vec<Box<RawValue>>,
    charges: Vec<Box<RawValue>>,
}

/// What the book holds.
#[derive(Serialize)]
struct InBook {
    customer: Vec<CustomerLine>,
    subscriptions: Vec<ListedLine>,
    invoices: Vec<InvoiceLine>,
    attempts: Vec<AttemptLine>,
    flags: Vec<FlagLine>,
    events: Vec<EventLine>,
}

/// Writes it.
pub(super) async fn answer(
    args: &ExportArgs,
    context: &Context,
    client: &Client,
    out: &mut Output,
) -> Result<(), Failure> {
    let export = Export {
        customer: args.customer.to_string(),
        exported_at: context.now().to_string(),
        provider: at_provider(&args.customer.to_string(), client).await?,
        book: in_book(&args.customer, context)?,
    };
    out.object(&export)
}

async fn at_provider(id: &str, client: &Client) -> Result<AtProvider, Failure> {
    let customers = client.customers();
    let (customer, since) = match customers.retrieve(id).await {
        Ok(answer) => (Some(as_raw(&answer.body)?), answer.value.created_at),
        Err(error) if error.kind() == ErrorKind::NotFound => (None, None),
        Err(error) => return Err(error.into()),
    };
    let (mut cards, mut schedules) = (Vec::new(), Vec::new());
    if customer.is_some() {
        cards = all(customers.cards(id).rows(&ListQuery::default())?).await?;
        schedules = all(customers.schedule_rows(id)?).await?;
    }
    // No list of one customer's charges exists: all since their first day are looked through.
    let mut rows = client.charges().rows(&ListQuery { from: since, ..ListQuery::default() }).raw();
    let mut charges = Vec::new();
    while let Some(row) = rows.next().await? {
        if customer_of(&row).as_deref() == Some(id) {
            charges.push(row);
        }
    }
    Ok(AtProvider { customer, cards, schedules, charges })
}

/// The customer of a charge, whether it is linked by id or expanded.
fn customer_of(charge: &RawValue) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Link {
        customer: Option<crate::omise::Expandable<Customer>>,
    }
    let link: Link = serde_json::from_str(charge.get()).ok()?;
    link.customer.map(|customer| customer.id().to_owned())
}

async fn all<T: serde::de::DeserializeOwned + HasId>(
    rows: Rows<'_, T>,
) -> Result<Vec<Box<RawValue>>, Failure> {
    let mut rows = rows.raw();
    let mut all = Vec::new();
    while let Some(row) = rows.next().await? {
        all.push(row);
    }
    Ok(all)
}

fn in_book(id: &CustomerId, context: &Context) -> Result<InBook, Failure> {
    let mut store = context.book_if_any()?;
    let store: &mut dyn Store = &mut store;
    let filter = Filter { customer: Some(id.clone()), ended: true, ..Filter::default() };
    let zone = context.zone();
    Ok(InBook {
        customer: pages(|after| {
            let page = store.list_customers(&filter, after, PAGE_ROWS)?;
            Ok(page.iter().map(|row| (row.row, CustomerLine::of(row, zone))).collect())
        })?,
        subscriptions: pages(|after| {
            let page = ListedLine::of(&store.page_of_subscriptions(&filter, after, PAGE_ROWS)?);
            for why in page.iter().filter_map(|(_, line)| line.trouble()) {
                tracing::warn!("a subscription cannot be read, the others are given out: {why}");
            }
            Ok(page)
        })?,
        invoices: pages(|after| {
            let page = store.list_invoices(&filter, after, PAGE_ROWS)?;
            Ok(page.iter().map(|row| (row.row, InvoiceLine::of(row, context.now()))).collect())
        })?,
        attempts: pages(|after| {
            let page = store.list_attempts(&filter, after, PAGE_ROWS)?;
            Ok(page.iter().map(|row| (row.row, AttemptLine::of(row, zone))).collect())
        })?,
        flags: pages(|after| {
            let page = store.list_flags(&filter, after, PAGE_ROWS)?;
            Ok(page.iter().map(|(row, flag)| (*row, FlagLine::of(flag, zone))).collect())
        })?,
        events: pages(|after| {
            let page = store.list_events(&filter, after, PAGE_ROWS)?;
            Ok(page.iter().map(|event| (event.seq, EventLine::of(event, zone))).collect())
        })?,
    })
}

/// Every row of a list, page after page.
fn pages<R>(mut page: impl FnMut(i64) -> Result<Vec<(i64, R)>, StoreError>) -> Result<Vec<R>, Failure> {
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let rows = page(after)?;
        let Some((last, _)) = rows.last() else { return Ok(all) };
        after = *last;
        all.extend(rows.into_iter().map(|(_, row)| row));
    }
}
