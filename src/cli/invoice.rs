//! `dues invoice …`: ends an invoice by hand.

use clap::{Args, Subcommand};
use jiff::Timestamp;

use super::context::Context;
use super::exit::{Exit, Failure};
use super::standing;
use crate::billing::orders;
use crate::model::{InvoiceId, Snapshot, Transition};
use crate::rules::{RuleError, commands};

/// How to end it.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  dues invoice mark-paid sub_7k2m9qx4.3 --reason 'bank transfer of 21 November'"
)]
pub struct InvoiceArgs {
    #[command(subcommand)]
    how: How,
}

#[derive(Debug, Subcommand)]
enum How {
    /// Take it back: nothing is owed
    #[command(after_help = "Example:\n  dues invoice void sub_7k2m9qx4.3 --reason 'billed by mistake'")]
    Void(Which),
    /// It was paid some other way
    #[command(after_help = "Example:\n  dues invoice mark-paid sub_7k2m9qx4.3 --reason 'bank transfer'")]
    MarkPaid(Which),
    /// It is owed, and given up
    #[command(
        after_help = "Example:\n  dues invoice write-off sub_7k2m9qx4.3 --reason 'customer moved away'"
    )]
    WriteOff(Which),
}

#[derive(Debug, Args)]
struct Which {
    /// The invoice
    #[arg(value_name = "INVOICE")]
    invoice: InvoiceId,
    /// Kept in the diary
    #[arg(long, value_name = "TEXT", value_parser = super::reason::some_reason)]
    reason: String,
}

/// A decision that ends an invoice.
type End = fn(&Snapshot, &InvoiceId, Timestamp, &str) -> Result<Transition, RuleError>;

/// Ends it.
pub(super) fn run(args: &InvoiceArgs, context: &Context) -> Result<Exit, Failure> {
    let (which, end, done) = match &args.how {
        How::Void(which) => (which, commands::void as End, "void: nothing is owed for it"),
        How::MarkPaid(which) => (which, commands::mark_paid as End, "paid"),
        How::WriteOff(which) => {
            (which, commands::write_off as End, "uncollectible: it is not tried any more")
        }
    };
    let mut store = context.book()?;
    let (id, at, reason) = (&which.invoice, context.now(), which.reason.as_str());
    let now = orders::on_invoice(&mut store, id, &mut |snapshot| end(snapshot, id, at, reason))?;
    standing::show(context, &mut store, &now, &format!("invoice {} is {done}", which.invoice))
}
