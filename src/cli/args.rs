//! The command line: what every command takes, and which commands there are.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ContextValue;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use super::exit::Exit;
use super::quoted;
use super::{
    backup, cancel, card_watch, change, charges, charging, check, completions, customers, daemon, import,
    invoice, list, man, notify, pause, plans, provider, resolve, restore, resume, retry, run_now, sandbox,
    simulate, subscribe, tokens, why,
};
use crate::model::shell_word;

/// Recurring billing for customers saved at Omise: never charged twice, no result lost, no period missed.
#[derive(Debug, Parser)]
#[command(
    name = "dues",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 done, 1 unexpected failure or the provider is away, 2 wrong usage or config, 3 done but a \
                  brake stopped the run or a person is needed, 4 the book refused, 5 the provider refused the keys.\n\nTry it without \
                  an account:\n  dues run-now --config config/demo.toml"
)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Clone, Debug, Args)]
pub struct Global {
    /// The config [default: config/dues.toml, then /etc/dues/dues.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// JSON on stdout: one object for a report, one a line for a list
    #[arg(long, global = true)]
    pub json: bool,
    /// Say more on stderr; twice: everything
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet")]
    pub verbose: u8,
    /// Say only what went wrong on stderr, no progress
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// How log lines are written on stderr
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORM")]
    pub log_format: LogFormat,
}

impl Global {
    /// What a command that is recommended needs besides, with a space before it: the config that this one was given, as
    /// a shell reads it.
    pub fn config_words(&self) -> String {
        let typed = |path: &PathBuf| format!(" --config {}", shell_word(&path.to_string_lossy()));
        self.config.as_ref().map(typed).unwrap_or_default()
    }
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people and journals.
    #[default]
    Text,
    /// One object a line.
    Json,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// One billing run now; prints its report
    RunNow(run_now::RunNowArgs),
    /// The service: charges what is due, until it is told to stop
    Daemon(daemon::DaemonArgs),
    /// Look at config, store, clock, keys and gateway; say what to fix; change nothing
    Check(check::CheckArgs),
    /// Plans of the config against the book
    Plans(plans::PlansArgs),
    /// Make one new subscription; prints its id
    Subscribe(subscribe::SubscribeArgs),
    /// Make many from a CSV file, all or nothing
    Import(import::ImportArgs),
    /// Skip periods until it is resumed
    Pause(pause::PauseArgs),
    /// Go on after a pause, or collect periods held by a catch-up
    Resume(resume::ResumeArgs),
    /// End a subscription
    Cancel(cancel::CancelArgs),
    /// Try its oldest open invoice again as soon as its card may be, and all others on hold that a person can overrule
    Retry(retry::RetryArgs),
    /// Change plan, quantity, card or zone from the next period on
    Change(change::ChangeArgs),
    /// End an invoice by hand
    Invoice(invoice::InvoiceArgs),
    /// End an attempt that needs a person
    Resolve(resolve::ResolveArgs),
    /// Copy the book while others write to it
    Backup(backup::BackupArgs),
    /// Put a backup in the place of the book
    Restore(restore::RestoreArgs),
    /// Bind a moved or restored book to this host, after comparing it with the provider's list
    Adopt(charging::AdoptArgs),
    /// Our attempts against the provider's charges
    Reconcile(charging::ReconcileArgs),
    /// How a subscription got where it is, and what happens next and when
    Why(why::WhyArgs),
    /// What the book says: subscriptions, invoices, attempts, flags, events, customers
    List(list::ListArgs),
    /// Cards that pay subscriptions: which end soon, and a look at all of them now
    Cards(card_watch::CardCareArgs),
    /// Customers and cards at the provider, as the API has them
    Customers(customers::CustomersArgs),
    /// Charges at the provider, as the API has them
    Charges(charges::ChargesArgs),
    /// Tokens of test cards
    #[command(subcommand)]
    Tokens(tokens::TokensCommand),
    /// The rest of what the provider tells of the account, as the API has it
    Provider(provider::ProviderArgs),
    /// What is told to customers and to the merchant
    #[command(subcommand)]
    Notify(notify::NotifyCommand),
    /// Print completions for a shell
    Completions(completions::CompletionsArgs),
    /// Print the manual page, or write all of them into a folder
    Man(man::ManArgs),
    /// Run the pretend Omise on loopback, for trying things out and for tests
    Sandbox(sandbox::SandboxArgs),
    /// Play months of a made-up book and compare dunning policies
    Simulate(simulate::SimulateArgs),
}

/// Shows what the parser has to say: help and version on stdout, mistakes on stderr.
pub(super) fn refuse(mut shown: clap::Error) -> ExitCode {
    // A reader that went away is no error, and nobody else could be told.
    if !shown.use_stderr() {
        let _ = shown.print();
        return Exit::Done.into();
    }
    cut_quotes(&mut shown);
    let text = shown.render().ansi().to_string();
    let _ = write!(anstream::stderr().lock(), "{}", quoted::cut(&text));
    Exit::Usage.into()
}

/// A word that was typed is shown as far as people read.
fn cut_quotes(shown: &mut clap::Error) {
    let cut = |value: &ContextValue| match value {
        ContextValue::String(text) => quoted::cut_whole(text),
        _ => None,
    };
    let long: Vec<_> = shown.context().filter_map(|(kind, value)| Some((kind, cut(value)?))).collect();
    for (kind, short) in long {
        shown.insert(kind, ContextValue::String(short));
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_shows_an_example() {
        fn check(command: &clap::Command, path: &str) {
            for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
                let path = format!("{path} {}", sub.get_name());
                let help = sub.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(help.contains(&path) || sub.has_subcommands(), "{path} shows no example of itself");
                check(sub, &path);
            }
        }
        check(&Cli::command(), "dues");
    }
}
