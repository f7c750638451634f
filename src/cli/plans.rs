//! `dues plans …`: the plans of the config against those of the book.

use std::sync::Arc;

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::json;

use super::context::Context;
use super::exit::{Exit, Failure};
use super::output::{Column, Output};
use super::progress::Progress;
use super::rows::grouped;
use crate::billing::plans::{self, PlanDiff};
use crate::model::{Currency, Interval, PlanTerms, counted};
use crate::rules::commands::{self, ChangeOrder};
use crate::store::{PlanChange, Store as _};

/// What about them.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  dues plans\n  dues plans diff\n  dues plans apply --existing")]
pub struct PlansArgs {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Default, Subcommand)]
enum What {
    /// The newest version of each plan (the default)
    #[default]
    #[command(after_help = "Example:\n  dues plans list --json")]
    List,
    /// What applying the config would change; changes nothing
    #[command(after_help = "Example:\n  dues plans diff")]
    Diff,
    /// Bring the config's plans into the book; a changed plan becomes a new version
    #[command(after_help = "Examples:\n  dues plans apply\n  dues plans apply --existing")]
    Apply {
        /// Existing subscriptions get the newest version too, from their next period on
        #[arg(long)]
        existing: bool,
    },
}

impl PlansArgs {
    /// Whether it changes something, or only looks.
    pub(super) const fn changes_something(&self) -> bool {
        matches!(self.what, Some(What::Apply { .. }))
    }
}

/// Does it.
pub(super) fn run(args: &PlansArgs, context: &Context) -> Result<Exit, Failure> {
    match args.what {
        None | Some(What::List) => list(context),
        Some(What::Diff) => diff(context),
        Some(What::Apply { existing }) => apply(existing, context),
    }
}

/// A plan of the book.
#[derive(Serialize)]
struct PlanLine {
    plan: String,
    version: u32,
    name: String,
    price: i64,
    currency: Currency,
    every: Interval,
    trial: Option<Interval>,
    dunning: String,
    subscriptions: u64,
    on_older_versions: u64,
    in_config: bool,
}

fn list(context: &Context) -> Result<Exit, Failure> {
    const COLUMNS: &[Column] = &[
        Column::text("PLAN"),
        Column::number("VERSION"),
        Column::text("NAME"),
        Column::number("PRICE"),
        Column::text("EVERY"),
        Column::text("TRIAL"),
        Column::text("DUNNING"),
        Column::number("SUBSCRIPTIONS"),
        Column::number("ON OLDER"),
    ];
    let mut store = context.book()?;
    let all = plans::diff(&mut store, &context.config.plans)?;
    warn_of(&all);
    let mut out = Output::stdout(context.global.json);
    if context.global.json {
        for line in all.iter().filter_map(PlanLine::of) {
            out.object(&line)?;
        }
    } else {
        let cells = |line: PlanLine, terms: &PlanTerms| {
            vec![
                line.plan,
                line.version.to_string(),
                line.name,
                grouped(terms.price),
                line.every.to_string(),
                line.trial.map_or_else(|| "–".into(), |trial| trial.to_string()),
                line.dunning,
                line.subscriptions.to_string(),
                line.on_older_versions.to_string(),
            ]
        };
        let rows = all.iter().filter_map(|plan| Some(cells(PlanLine::of(plan)?, &plan.book.as_ref()?.terms)));
        out.table(COLUMNS, rows.collect())?;
    }
    out.finish()?;
    Ok(Exit::Done)
}

/// What is shown is the book's: a config that says something else would be taken for it.
fn warn_of(all: &[PlanDiff]) {
    let differ = all.iter().filter(|plan| matches!(plan.change, PlanChange::New | PlanChange::Changed));
    let names: Vec<&str> = differ.map(|plan| plan.key.as_str()).collect();
    if !names.is_empty() {
        tracing::warn!(
            "the book does not have the config's terms of {} yet: `dues plans diff` shows them, `dues plans apply` brings \
             them in",
            names.join(", ")
        );
    }
}

impl PlanLine {
    fn of(plan: &PlanDiff) -> Option<Self> {
        let book = plan.book.as_ref()?;
        Some(Self {
            plan: plan.key.to_string(),
            version: book.version,
            name: book.terms.name.clone(),
            price: book.terms.price.minor(),
            currency: book.terms.price.currency(),
            every: book.terms.every,
            trial: book.terms.trial,
            dunning: book.terms.dunning.name.clone(),
            subscriptions: plan.subscriptions,
            on_older_versions: plan.on_older,
            in_config: plan.wished.is_some(),
        })
    }
}

const fn word(change: &PlanChange) -> &'static str {
    match change {
        PlanChange::New => "new",
        PlanChange::Changed => "changed",
        PlanChange::Same => "same",
        PlanChange::Absent => "not in the config",
    }
}

fn diff(context: &Context) -> Result<Exit, Failure> {
    let mut store = context.book_to_read()?;
    let mut out = Output::stdout(context.global.json);
    for plan in plans::diff(&mut store, &context.config.plans)? {
        if context.global.json {
            out.object(&json!({
                "plan": plan.key,
                "change": word(&plan.change),
                "differences": plan.differences,
                "subscriptions": plan.subscriptions,
                "on_older_versions": plan.on_older,
            }))?;
            continue;
        }
        out.line(&format!("{}: {}", plan.key, word(&plan.change)))?;
        for one in &plan.differences {
            out.line(&format!("  {}: {} in the book, {} in the config", one.term, one.book, one.wished))?;
        }
        if plan.change == PlanChange::Changed {
            out.line(&format!(
                "  {} subscriptions keep theirs until `dues plans apply --existing`",
                plan.subscriptions
            ))?;
        }
    }
    out.finish()?;
    Ok(Exit::Done)
}

fn apply(existing: bool, context: &Context) -> Result<Exit, Failure> {
    let (mut store, added) = context.put(&mut |store, turn| context.bring_plans_at(turn, store))?;
    let (mut moved, mut left) = (0, 0);
    if existing {
        let (at, catch_up) = (context.now(), context.settings().catch_up);
        let older = plans::diff(&mut store, &context.config.plans)?;
        let mut progress =
            Progress::new(&context.global, "moving", older.iter().map(|plan| plan.on_older).sum());
        for plan in store.plans()? {
            let wish = ChangeOrder { plan: Some(Arc::new(plan.clone())), ..ChangeOrder::default() };
            let all = plans::move_existing(
                &mut store,
                &plan.key,
                &mut |snapshot| Ok(commands::change(snapshot, &wish, catch_up, at, None)?.transition),
                &mut |done| progress.set(moved + done),
            )?;
            (moved, left) = (moved + all.moved, left + all.left);
        }
    }
    let mut out = Output::stdout(context.global.json);
    if context.global.json {
        let added: Vec<_> =
            added.iter().map(|plan| json!({ "plan": plan.key, "version": plan.version })).collect();
        out.object(&json!({ "added": added, "moved": moved, "left": left }))?;
    } else {
        for plan in &added {
            out.line(&format!("{} version {}: {}", plan.key, plan.version, plan.terms.name))?;
        }
        if added.is_empty() {
            out.line("The book has all plans of the config already.")?;
        }
        if existing {
            out.line(&format!(
                "{moved} subscriptions moved to the newest version, from their next period on."
            ))?;
        }
        if left > 0 {
            let stay = if left == 1 { "stays" } else { "stay" };
            out.line(&format!("{} {stay} on an older version.", counted(left, "subscription")))?;
        }
    }
    out.finish()?;
    Ok(if left == 0 { Exit::Done } else { Exit::Attention })
}
