//! `dues customers erase`: ends what is billed to a customer, deletes them at the provider, blanks what the book knows.
//!
//! Promises: refused while money may still move; each step can be done again, so that after a failure or a crash
//! between them the same command finishes the work; the money facts stay. Must never know: SQL.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use clap::Args;
use serde::Serialize;

use super::context::Context;
use super::exit::Failure;
use super::output::Output;
use crate::billing::care;
use crate::model::CustomerId;
use crate::omise::{Client, ErrorKind};
use crate::store::Store;

/// Who is to be erased.
#[derive(Debug, Args)]
#[command(
    after_help = "Their subscriptions end now, they and their cards are deleted at the provider, and the book \
                        blanks how their cards look, metadata, and what the diary says of a card or was typed about \
                        their subscriptions. Invoices, attempts, amounts and the ids of charges and cards stay. \
                        Refused while an attempt of theirs is unfinished. If it is interrupted, give it again. \
                        Backups and copies kept by `dues restore` keep what they hold.\n\n\
                        Example:\n  dues customers erase cust_test_5xuy4w91xqz7d1w9u0t --reason \"asked by mail\""
)]
pub struct EraseArgs {
    /// The customer
    #[arg(value_name = "CUST")]
    pub(super) customer: CustomerId,
    /// Ask nothing
    #[arg(long)]
    yes: bool,
}

/// What became of them.
#[derive(Serialize)]
struct Erased<'a> {
    customer: &'a CustomerId,
    subscriptions_ended: u64,
    /// `deleted` by this command, or `absent` before it.
    provider: &'static str,
    /// `blanked`, or `absent`: they were never in it.
    book: &'static str,
}

impl EraseArgs {
    /// Asks on the terminal whether it is meant.
    pub(super) fn confirm(&self) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        if !std::io::stdin().is_terminal() {
            return Err(Failure::usage("found nobody to ask, wanted --yes: erasing cannot be undone"));
        }
        let mut stderr = anstream::stderr().lock();
        write!(stderr, "Erase {} here and at the provider? This cannot be undone. [y/N] ", self.customer)?;
        stderr.flush()?;
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer)?;
        if is_yes(&answer) { Ok(()) } else { Err(Failure::usage("not confirmed; nothing was done")) }
    }
}

fn is_yes(answer: &str) -> bool {
    ["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str())
}

/// Does it: what can be refused comes first, the book last, since it alone remembers what is left to do.
pub(super) async fn answer(
    args: &EraseArgs,
    context: &Context,
    client: &Client,
    out: &mut Output,
) -> Result<(), Failure> {
    let (id, at) = (&args.customer, context.now());
    let mut store = context.book_if_any()?;
    // Asked with keys of the other kind, the provider would not know the customer, and the book would believe it.
    if store.facts()?.livemode.is_some() {
        store.bind_mode(client.livemode())?;
    }
    let subscriptions_ended = care::end_all_of(&mut store, id, at)?;
    let deleted = delete_at_provider(id, client).await?;
    let blanked = store.erase_customer(id, at)?;
    if !deleted && !blanked {
        return Err(Failure::usage(format!("customer {id}: neither in this book nor at the provider")));
    }
    let erased = Erased {
        customer: id,
        subscriptions_ended,
        provider: if deleted { "deleted" } else { "absent" },
        book: if blanked { "blanked" } else { "absent" },
    };
    tell(&erased, out)
}

/// `false`: they were not there any more.
async fn delete_at_provider(id: &CustomerId, client: &Client) -> Result<bool, Failure> {
    match client.customers().destroy(id.as_str()).await {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => {
            let failure = Failure::from(error);
            let next = "their subscriptions have ended; give the command again to finish";
            Err(Failure::new(failure.exit, format!("{}; {next}", failure.sentence)))
        }
    }
}

fn tell(erased: &Erased<'_>, out: &mut Output) -> Result<(), Failure> {
    if out.is_json() {
        return out.object(erased);
    }
    out.line(&format!(
        "{}: {} subscription{} ended, {} at the provider, {} in the book",
        erased.customer,
        erased.subscriptions_ended,
        if erased.subscriptions_ended == 1 { "" } else { "s" },
        erased.provider,
        erased.book,
    ))
}

#[cfg(test)]
mod tests {
    use super::super::exit::Exit;
    use super::*;

    #[test]
    fn only_a_clear_yes_is_one() {
        assert!(["y\n", "YES\n", " yes "].iter().all(|answer| is_yes(answer)));
        assert!(["", "\n", "n\n", "yeah\n", "ye"].iter().all(|answer| !is_yes(answer)));
    }

    #[test]
    fn without_a_terminal_it_must_be_said_on_the_command_line() {
        let args = |yes| EraseArgs { customer: CustomerId::parse("cust_test_1").unwrap(), yes };
        assert_eq!(args(true).confirm(), Ok(()));
        if !std::io::stdin().is_terminal() {
            assert_eq!(args(false).confirm().unwrap_err().exit, Exit::Usage);
        }
    }
}
