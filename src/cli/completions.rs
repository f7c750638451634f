//! `dues completions SHELL`: for the packager.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::args::Cli;
use super::exit::{Exit, Failure};

/// Which shell.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  dues completions bash > /usr/share/bash-completion/completions/dues")]
pub struct CompletionsArgs {
    /// For which shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the completions.
pub(super) fn run(args: &CompletionsArgs) -> Result<Exit, Failure> {
    use std::io::Write as _;
    // Written to memory first: the generator panics when its reader goes away.
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "dues", &mut text);
    std::io::stdout().write_all(&text)?;
    Ok(Exit::Done)
}
