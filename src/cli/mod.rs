//! The counter: a file for each command, or for each noun with commands of its own, taking words from the command line and
//! giving words back. `run-now`, `adopt` and `reconcile` share `charging`; what several commands need has files above them.
//!
//! Promises: data goes to stdout, everything else to stderr; with `--json` stdout holds JSON alone; every failure
//! is one clear sentence and an exit code. Must never know: SQL, HTTP shapes, cron.

mod args;
mod asked;
mod context;
mod deeds;
mod exit;
mod handover;
mod instant;
mod layout;
mod limit;
mod logs;
mod objects;
mod output;
mod progress;
mod quoted;

mod access;
mod backup;
mod cancel;
mod card_watch;
mod cards;
mod change;
mod charges;
mod charging;
mod check;
mod completions;
mod customers;
mod daemon;
mod erase;
mod export;
mod house;
mod import;
mod invoice;
mod list;
mod man;
mod new_charge;
mod notify;
mod pause;
mod plans;
mod provider;
mod reason;
mod report;
mod resolve;
mod restore;
mod resume;
mod retry;
mod rows;
mod run_now;
mod sandbox;
mod simulate;
mod standing;
mod subscribe;
mod tokens;
mod why;

use std::process::ExitCode;

use clap::Parser as _;

pub use args::{Cli, Command, Global};
pub use context::Context;
pub use exit::{Exit, Failure};
pub use output::Output;
pub use progress::Progress;
pub use report::{exit_of, render_report};
pub use run_now::RunNowArgs;

/// Runs the program: reads its arguments, does what they ask, tells the system how it ended.
pub fn main() -> ExitCode {
    // What this program writes is nobody else's to read: the book, its backups, its witness.
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(shown) => return args::refuse(shown),
    };
    logs::start(&cli.global, matches!(cli.command, Command::Daemon(_)));
    let changes = deeds::changes_something(&cli.command);
    let exit = match dispatch(cli) {
        Ok(exit) => exit,
        Err(failure) if changes => failure.after_a_change().tell(),
        Err(failure) => failure.tell(),
    };
    exit.into()
}

fn dispatch(cli: Cli) -> Result<Exit, Failure> {
    let global = cli.global;
    match cli.command {
        Command::RunNow(args) => charging::run_now(&args, &Context::load(global)?),
        Command::Daemon(args) => daemon::run(&args, &Context::load(global)?),
        Command::Adopt(args) => charging::adopt_book(&args, &Context::load(global)?),
        Command::Reconcile(args) => charging::reconcile_book(&args, &Context::load(global)?),
        Command::Check(args) => check::run(&args, global),
        Command::Plans(args) => plans::run(&args, &Context::load(global)?),
        Command::Subscribe(args) => subscribe::run(&args, &Context::load(global)?),
        Command::Import(args) => import::run(&args, &Context::load(global)?),
        Command::Pause(args) => pause::run(&args, &Context::load(global)?),
        Command::Resume(args) => resume::run(&args, &Context::load(global)?),
        Command::Cancel(args) => cancel::run(&args, &Context::load(global)?),
        Command::Retry(args) => retry::run(&args, &Context::load(global)?),
        Command::Change(args) => change::run(&args, &Context::load(global)?),
        Command::Invoice(args) => invoice::run(&args, &Context::load(global)?),
        Command::Resolve(args) => resolve::run(&args, &Context::load(global)?),
        Command::Backup(args) => backup::run(&args, &Context::load(global)?),
        Command::Restore(args) => restore::run(&args, &Context::load(global)?),
        Command::List(args) => list::run(&args, &Context::load(global)?),
        Command::Why(args) => why::run(&args, &Context::load(global)?),
        Command::Cards(args) => card_watch::run(&args, &Context::load(global)?),
        Command::Customers(args) => customers::run(&args, &Context::load(global)?),
        Command::Charges(args) => charges::run(&args, &Context::load(global)?),
        Command::Tokens(command) => tokens::run(&command, &Context::load(global)?),
        Command::Provider(args) => provider::run(&args, &Context::load(global)?),
        Command::Notify(command) => notify::run(&command, &Context::load(global)?),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
        Command::Sandbox(args) => sandbox::run(&args, global.json),
        Command::Simulate(args) => simulate::run(&args, &global),
    }
}
