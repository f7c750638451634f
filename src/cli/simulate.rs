//! `dues simulate`: months of a made-up book in minutes, once for each dunning policy, and what each brought back.
//!
//! Promises: touches no book and no account; the same seed gives every policy the same customers. Must never know how
//! a card fails or an invoice is retried.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use clap::{Args, ValueEnum};
use serde_json::json;

use super::args::Global;
use super::exit::{Exit, Failure};
use super::output::{Column, Output};
use super::progress::Progress;
use crate::config::{self, Loaded};
use crate::model::{PlanKey, PlanTerms};
use crate::simulator::{Play, Recovery, Scenario, simulate};
use crate::wiring;

/// The policies that are compared when no config is named.
const POLICIES: &str = include_str!("../../config/simulate.toml");

const COLUMNS: [Column; 11] = [
    Column::text("POLICY"),
    Column::number("INVOICES"),
    Column::number("DECLINED"),
    Column::number("RECOVERED"),
    Column::number("OF DECLINED"),
    Column::number("TRIES EACH"),
    Column::number("OVER BUDGET"),
    Column::number("DAYS, MEDIAN"),
    Column::number("DAYS, MEAN"),
    Column::number("LOST"),
    Column::number("STILL BILLED"),
];

/// What is played.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Shares and hazards of failing cards are priors from published figures that disagree with each other: \
                  compare policies, predict nothing. With --config the policies of that config's plans are compared.\n\n\
                  Examples:\n  dues simulate\n  dues simulate --days 90 --subscriptions 1000 --scenario b --policy ours"
)]
pub struct SimulateArgs {
    /// Days from the first subscription to the end
    #[arg(long, value_name = "N", default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=3_660))]
    days: u32,
    /// How many, one for each customer
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    subscriptions: u32,
    /// Why charges fail
    #[arg(long, value_enum, default_value_t = ScenarioArg::A)]
    scenario: ScenarioArg,
    /// Only this policy; may be given again [default: all of them]
    #[arg(long, value_name = "NAME")]
    policy: Vec<String>,
    /// All chance follows from this number
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
}

/// A mix of reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ScenarioArg {
    /// Low funds, expired cards and technical faults prevail
    A,
    /// Blocks, refusals for good, and banks that want the customer prevail
    B,
}

/// Plays each policy and prints the table.
pub(super) fn run(args: &SimulateArgs, global: &Global) -> Result<Exit, Failure> {
    let loaded = wishes(global)?;
    let plays: Vec<Play> =
        chosen(&loaded, &args.policy)?.into_iter().map(|plan| args.play(&loaded, plan)).collect();
    let days = u64::from(args.days) * plays.len() as u64;
    let found = play_all(&plays, &Mutex::new(Progress::new(global, "days", days)))?;
    let policies = plays.into_iter().map(|play| play.plan.1.dunning.name);
    print(&policies.zip(found).collect::<Vec<_>>(), args, global)?;
    Ok(Exit::Done)
}

impl SimulateArgs {
    fn play(&self, loaded: &Loaded, plan: (PlanKey, PlanTerms)) -> Play {
        Play {
            settings: wiring::billing_settings(&loaded.settings),
            plan,
            subscriptions: self.subscriptions,
            days: self.days,
            scenario: match self.scenario {
                ScenarioArg::A => Scenario::A,
                ScenarioArg::B => Scenario::B,
            },
            seed: self.seed,
        }
    }
}

/// As many at a time as there are cores, each on a thread of its own: they share nothing.
fn play_all(plays: &[Play], progress: &Mutex<Progress>) -> Result<Vec<Recovery>, Failure> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let (next, days) = (AtomicUsize::new(0), AtomicU64::new(0));
    let work = || {
        let mut found = Vec::new();
        while let Some((place, play)) = {
            let place = next.fetch_add(1, Ordering::Relaxed);
            plays.get(place).map(|play| (place, play))
        } {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let mut told = 0;
            let played = runtime.block_on(simulate(play, &mut |day| {
                let all = days.fetch_add(day - told, Ordering::Relaxed) + day - told;
                told = day;
                progress.lock().unwrap_or_else(PoisonError::into_inner).set(all);
            }));
            found.push((place, played.map_err(Failure::unexpected)?));
        }
        Ok::<_, Failure>(found)
    };
    let mut found = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores.min(plays.len())).map(|_| scope.spawn(work)).collect();
        let mut all: Vec<(usize, Recovery)> = Vec::new();
        for thread in threads {
            let broke = |_| Failure::unexpected("a play broke off");
            all.extend(thread.join().map_err(broke)??);
        }
        Ok::<_, Failure>(all)
    })?;
    found.sort_unstable_by_key(|(place, _)| *place);
    Ok(found.into_iter().map(|(_, recovery)| recovery).collect())
}

/// The config that was named, else the built-in policies.
fn wishes(global: &Global) -> Result<Loaded, Failure> {
    if let Some(path) = &global.config {
        return Ok(config::load(path)?);
    }
    let file = Scratch::write(POLICIES)?;
    Ok(config::load(&file.0)?)
}

/// A file that goes when its owner does.
struct Scratch(PathBuf);

impl Scratch {
    fn write(text: &str) -> Result<Self, Failure> {
        let path = std::env::temp_dir().join(format!("dues-simulate-{}.toml", std::process::id()));
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(&path)?;
        let scratch = Self(path);
        file.write_all(text.as_bytes())?;
        Ok(scratch)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left in the folder for temporary files is swept by the system.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// One plan for each policy, in the config's order.
fn chosen(loaded: &Loaded, wanted: &[String]) -> Result<Vec<(PlanKey, PlanTerms)>, Failure> {
    let mut seen = BTreeSet::new();
    let all: Vec<_> =
        loaded.plans.iter().filter(|(_, terms)| seen.insert(terms.dunning.name.clone())).cloned().collect();
    if let Some(unknown) = wanted.iter().find(|name| !seen.contains(*name)) {
        let known: Vec<&str> = seen.iter().map(String::as_str).collect();
        return Err(Failure::usage(format!(
            "--policy: found {unknown:?}, wanted one of {}",
            known.join(", ")
        )));
    }
    let plans: Vec<_> = all
        .into_iter()
        .filter(|(_, terms)| wanted.is_empty() || wanted.contains(&terms.dunning.name))
        .collect();
    if plans.is_empty() {
        Err(Failure::usage("found no plan in the config, wanted one or more"))
    } else {
        Ok(plans)
    }
}

fn print(rows: &[(String, Recovery)], args: &SimulateArgs, global: &Global) -> Result<(), Failure> {
    let mut out = Output::stdout(global.json);
    if global.json {
        for (policy, found) in rows {
            out.object(&json!({
                "policy": policy, "invoices": found.invoices, "declined": found.declined,
                "recovered": found.recovered, "waiting": found.waiting, "lost": found.lost,
                "retries": found.retries, "over_budget": found.over_budget,
                "median_hours_to_recovery": found.median_hours,
                "mean_hours_to_recovery": mean_hours(found), "collected": found.collected,
                "still_billed": found.alive, "subscriptions": found.subscriptions,
            }))?;
        }
        return out.finish();
    }
    let cells = rows.iter().map(|(policy, found)| cells(policy, found)).collect();
    out.table(&COLUMNS, cells)?;
    out.line(&format!(
        "{} subscriptions over {} days, scenario {:?}, seed {}. Made-up customers: compare policies, predict nothing.",
        args.subscriptions, args.days, args.scenario, args.seed
    ))?;
    out.finish()
}

fn cells(policy: &str, found: &Recovery) -> Vec<String> {
    let tenths = |tenths: u64| format!("{}.{}", tenths / 10, tenths % 10);
    let of = |part: u64, whole: u64, scale: u64| part.saturating_mul(scale).checked_div(whole).unwrap_or(0);
    vec![
        policy.to_owned(),
        found.invoices.to_string(),
        found.declined.to_string(),
        found.recovered.to_string(),
        format!("{} %", tenths(of(found.recovered, found.declined, 1_000))),
        tenths(of(found.retries, found.recovered, 10)),
        found.over_budget.to_string(),
        tenths(of(found.median_hours, 24, 10)),
        tenths(of(mean_hours(found), 24, 10)),
        found.lost.to_string(),
        format!("{} %", tenths(of(found.alive, found.subscriptions, 1_000))),
    ]
}

fn mean_hours(found: &Recovery) -> u64 {
    let hours = u64::try_from(found.time_to_recovery.as_hours()).unwrap_or(0);
    hours.checked_div(found.recovered).unwrap_or(0)
}
