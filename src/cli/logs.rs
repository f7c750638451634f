//! Log lines: to stderr alone, as much as was asked for.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use super::args::{Global, LogFormat};

/// Starts the log. `RUST_LOG` wins over `-v` and `--quiet`.
pub(super) fn start(global: &Global) {
    let wished = match (global.quiet, global.verbose) {
        (true, _) => "error",
        (false, 0) => "warn",
        (false, 1) => "dues=info,warn",
        (false, _) => "dues=debug,info",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(wished));
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(global.verbose > 0);
    let started = match global.log_format {
        LogFormat::Text => log.with_ansi(colour).try_init(),
        LogFormat::Json => log.json().with_ansi(false).try_init(),
    };
    if let Err(why) = started {
        super::Failure::unexpected(format!("the log could not be started ({why})")).tell();
    }
}
