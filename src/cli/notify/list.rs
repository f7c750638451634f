//! `dues notify list`: messages and what became of them.

use clap::Args;
use serde::Serialize;

use super::super::access::{self, Act};
use super::super::context::Context;
use super::super::exit::{Exit, Failure};
use super::super::output::{Column, Output};
use crate::model::{CustomerId, Message, MessageState, OutboxRow};
use crate::store::{Filter, Outbox as _};

/// Rows read at a time.
const PAGE_ROWS: usize = 500;
/// People are shown that many unless they ask for more.
const ROWS_FOR_PEOPLE: u64 = 100;

/// Which messages.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  dues notify list --state given_up\n  dues notify list --json | jq -r .why"
)]
pub struct ListArgs {
    /// In this state alone
    #[arg(long, value_name = "waiting|sent|given_up|moot")]
    state: Option<String>,
    /// To this customer alone
    #[arg(long, value_name = "CUST")]
    customer: Option<CustomerId>,
    /// At most that many rows [default: 100 for people, all with --json]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = crate::cli::limit::at_least_one)]
    limit: Option<u64>,
    /// Why they are looked at, for the access record beside the book
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// A message for programs.
#[derive(Serialize)]
struct Line<'a> {
    row: i64,
    key: &'a str,
    channel: &'a str,
    kind: &'a str,
    state: &'a str,
    made_at: String,
    tries: u32,
    next_at: Option<String>,
    done_at: Option<String>,
    why: Option<&'a str>,
    message: Option<&'a Message>,
}

/// Shows them.
pub(super) fn run(args: &ListArgs, context: &Context) -> Result<Exit, Failure> {
    if let Some(state) = args.state.as_deref().filter(|word| MessageState::from_word(word).is_none()) {
        let known: Vec<_> = MessageState::ALL.iter().map(|state| state.word()).collect();
        return Err(Failure::usage(format!("--state: found {state:?}, wanted one of {}", known.join(", "))));
    }
    let customer = args.customer.as_ref().map(CustomerId::as_str);
    let act = Act { what: "notify list", customer, object: None };
    context.need_book()?;
    access::note(context, act, args.reason.as_deref())?;
    let mut store = context.book_as_it_is()?;
    let filter = Filter { status: args.state.clone(), customer: args.customer.clone(), ..Filter::default() };
    let mut out = Output::stdout(context.global.json);
    let most = args.limit.unwrap_or(if out.is_json() { u64::MAX } else { ROWS_FOR_PEOPLE });
    let (mut after, mut shown, mut table) = (0, 0, Vec::new());
    loop {
        let page = store.list_messages(&filter, after, PAGE_ROWS)?;
        for row in &page {
            if shown == most {
                break;
            }
            shown += 1;
            if out.is_json() {
                out.object(&line(row, context))?;
            } else {
                table.push(cells(row, context));
            }
        }
        match page.last() {
            Some(last) if page.len() == PAGE_ROWS && shown < most => after = last.row,
            _ => break,
        }
    }
    let columns = [
        Column::number("row"),
        Column::text("message"),
        Column::text("channel"),
        Column::text("state"),
        Column::number("tries"),
        Column::text("next try"),
        Column::text("why"),
    ];
    if table.is_empty() && !out.is_json() && !context.global.quiet {
        out.line("none")?;
    }
    out.table(&columns, table)?;
    out.finish()?;
    Ok(Exit::Done)
}

fn line<'a>(row: &'a OutboxRow, context: &Context) -> Line<'a> {
    let show = |at| context.zone().at(at).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
    Line {
        row: row.row,
        key: &row.key,
        channel: row.channel.word(),
        kind: row.kind.word(),
        state: row.state.word(),
        made_at: show(row.made_at),
        tries: row.tries,
        next_at: row.next_at.map(show),
        done_at: row.done_at.map(show),
        why: row.why.as_deref(),
        message: row.message.as_ref(),
    }
}

fn cells(row: &OutboxRow, context: &Context) -> Vec<String> {
    let show = |at| context.zone().at(at).strftime("%Y-%m-%d %H:%M").to_string();
    vec![
        row.row.to_string(),
        row.key.clone(),
        row.channel.to_string(),
        row.state.to_string(),
        row.tries.to_string(),
        row.next_at.map(show).unwrap_or_default(),
        row.why.clone().unwrap_or_default(),
    ]
}
