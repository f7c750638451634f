//! `dues import FILE.csv`: many new subscriptions, all or nothing.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::context::{Context, Turn};
use super::exit::{Exit, Failure};
use super::output::Output;
use super::progress::Progress;
use super::quoted;
use crate::billing::import::{Import, ImportError, Late, Stage};
use crate::billing::offer::Offer;
use crate::model::counted;
use crate::store::sqlite::SqliteStore;

/// From where.
#[derive(Debug, Args)]
#[command(
    after_help = "Columns: customer,plan and, if wished, id,starts,paid_through,quantity,card,backup_card,zone,metadata.*\n\
                        `paid_through` is the last day already billed elsewhere: nothing up to it is charged.\n\n\
                        Examples:\n  dues import customers.csv --dry-run\n  dues import customers.csv"
)]
pub struct ImportArgs {
    /// CSV in UTF-8 with a heading; `-` reads it from stdin
    #[arg(value_name = "FILE.csv")]
    file: PathBuf,
    /// Judge every line, write nothing
    #[arg(long)]
    dry_run: bool,
}

impl ImportArgs {
    /// Whether nothing is to be written.
    pub(super) const fn is_dry_run(&self) -> bool {
        self.dry_run
    }
}

/// Imports it.
pub(super) fn run(args: &ImportArgs, context: &Context) -> Result<Exit, Failure> {
    let text = read(&args.file)?;
    let (count, late) = if args.dry_run {
        let mut store = context.book_to_read()?;
        let offer = context.offer_in_memory(&mut store)?;
        carry_out(args, &text, context, (&mut store, &offer), false)?
    } else {
        let mut put = |store: &mut SqliteStore, turn| {
            let offer = context.offer_at(turn, store)?;
            carry_out(args, &text, context, (store, &offer), turn != Turn::Trial)
        };
        context.put(&mut put)?.1
    };
    warn_of(late, context);
    let mut out = Output::stdout(context.global.json);
    if context.global.json {
        out.object(&json!({
            "imported": if args.dry_run { 0 } else { count },
            "lines": count,
            "dry_run": args.dry_run,
            "missed": late,
        }))?;
    } else if args.dry_run {
        let are = if count == 1 { "is" } else { "are" };
        out.line(&format!("{} {are} good; nothing was written", counted(count, "line")))?;
    } else {
        out.line(&format!("{} imported", counted(count, "subscription")))?;
    }
    out.finish()?;
    Ok(Exit::Done)
}

/// Judges the lines, and writes them if that is wished; how many, and what of them lies in the past already.
fn carry_out(
    args: &ImportArgs,
    text: &[u8],
    context: &Context,
    (store, offer): (&mut SqliteStore, &Offer),
    write: bool,
) -> Result<(u64, Late), Failure> {
    let live = context.livemode(store)?;
    let import = Import::new(text, offer.plans().to_vec(), context.zone().clone(), context.now())
        .of_kind(live)
        .not_selling(offer.refused().clone());
    let mut progress = ImportProgress { context, bar: None };
    let done = if write {
        import.carry_out(store, &mut |stage| progress.at(stage))
    } else {
        import.judge(store, &mut |stage| progress.at(stage))
    };
    drop(progress);
    let count = done.map_err(|error| refuse(&args.file, &error))?;
    Ok((count, import.late(context.settings().catch_up)))
}

/// First days that lie far back are most likely mistyped, and until the next run nothing has come of them.
fn warn_of(late: Late, context: &Context) {
    if late.periods == 0 {
        return;
    }
    let hold_after = context.settings().catch_up.hold_after;
    let (periods, of) = (counted(late.periods, "period"), counted(late.subscriptions, "subscription"));
    let (have, are) = if late.periods == 1 { ("has", "is") } else { ("have", "are") };
    let held = late.held;
    tracing::warn!(
        "{periods} of {of} {have} ended already and {are} invoiced by the next run: {held} of them then wait for \
         `dues resume`, having more than [catch_up] hold_after = {hold_after} on their subscription, the others are \
         collected, one a day for each customer; `paid_through` says what was billed elsewhere"
    );
}

fn read(file: &std::path::Path) -> Result<Vec<u8>, Failure> {
    let read = if file.as_os_str() == "-" {
        let mut text = Vec::new();
        std::io::stdin().lock().read_to_end(&mut text).map(|_| text)
    } else {
        std::fs::read(file)
    };
    read.map_err(|why| Failure::usage(format!("{}: the file cannot be read ({why})", file.display())))
}

/// Every bad line on a line of its own, then how many there are.
fn refuse(file: &std::path::Path, error: &ImportError) -> Failure {
    if let ImportError::Bad(lines) = error {
        let mut stderr = std::io::stderr().lock();
        for line in lines {
            // Nobody is left to be told when stderr is gone: the exit code still speaks.
            let line = line.to_string();
            let _ = writeln!(stderr, "{}: {}", file.display(), quoted::cut(&line));
        }
    }
    let sentence = format!("{}: {error}", file.display());
    match error {
        ImportError::Store(store) => Failure::from(store.clone()),
        ImportError::Bad(_) | ImportError::Empty => Failure::usage(sentence),
    }
}

/// A bar for each of the two passes.
struct ImportProgress<'a> {
    context: &'a Context,
    bar: Option<(bool, Progress)>,
}

impl ImportProgress<'_> {
    fn at(&mut self, stage: Stage) {
        let (writing, what, done, of) = match stage {
            Stage::Judging { bytes, of } => (false, "judging bytes", bytes, of),
            Stage::Writing { rows, of } => (true, "writing subscriptions", rows, of),
        };
        if self.bar.as_ref().is_none_or(|(now, _)| *now != writing) {
            self.bar = Some((writing, Progress::new(&self.context.global, what, of)));
        }
        if let Some((_, bar)) = &mut self.bar {
            bar.set(done);
        }
    }
}
