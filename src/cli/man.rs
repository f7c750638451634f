//! `dues man`: the manual pages, for the packager.

use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, CommandFactory as _};
use clap_mangen::Man;

use super::args::Cli;
use super::exit::{Exit, Failure};

/// Where to.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  dues man | man -l -\n  dues man --dir /usr/share/man/man1")]
pub struct ManArgs {
    /// Write one page per command into this folder instead
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
}

/// Prints `dues(1)`, or writes it and one page per command into a folder.
pub(super) fn run(args: &ManArgs) -> Result<Exit, Failure> {
    if let Some(folder) = &args.dir {
        clap_mangen::generate_to(Cli::command(), folder).map_err(|why| {
            Failure::usage(format!("{}: the pages cannot be written ({why})", folder.display()))
        })?;
        return Ok(Exit::Done);
    }
    let mut text = Vec::new();
    Man::new(Cli::command()).render(&mut text)?;
    std::io::stdout().write_all(&text)?;
    Ok(Exit::Done)
}
