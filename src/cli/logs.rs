//! Log lines: to the journal with their fields where that is where stderr leads, else to stderr alone; as much as was
//! asked for.
//!
//! Promises: a stderr that takes nothing any more (a full disk, a reader that left) costs its lines and nothing else:
//! the work behind them goes on.

use std::io::IsTerminal as _;
use std::os::linux::fs::MetadataExt as _;

use tracing_journald::{Priority, PriorityMappings};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::args::{Global, LogFormat};

/// Starts the log. `RUST_LOG` wins over `-v` and `--quiet`. A service tells what it does without being asked.
pub(super) fn start(global: &Global, is_service: bool) {
    let wished = match (global.quiet, global.verbose) {
        (true, _) => "error",
        (false, 0) if !is_service => "warn",
        (false, 0 | 1) => "dues=info,warn",
        (false, _) => "dues=debug,info",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(wished));
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    let started = match (journal(global), global.log_format) {
        (Some(journal), _) => tracing_subscriber::registry().with(filter).with(journal).try_init(),
        (None, form) => {
            let log = tracing_subscriber::fmt()
                .with_env_filter(filter)
                .with_writer(std::io::stderr)
                // It would tell stderr, by a macro that panics, that stderr cannot be told: in the middle of a charge.
                .log_internal_errors(false)
                .with_target(global.verbose > 0);
            let started = match form {
                LogFormat::Text => log.with_ansi(colour).try_init(),
                LogFormat::Json => log.json().with_ansi(false).try_init(),
            };
            if let Err(why) = started {
                super::Failure::unexpected(format!("the log could not be started ({why})")).tell();
            }
            return;
        }
    };
    if let Err(why) = started {
        super::Failure::unexpected(format!("the log could not be started ({why})")).tell();
    }
}

/// The journal, if stderr is a pipe of its own and nobody wants JSON there: it then gets each field of a line as a field.
fn journal(global: &Global) -> Option<tracing_journald::Layer> {
    if global.log_format == LogFormat::Json || !leads_to_journal() {
        return None;
    }
    let priorities = PriorityMappings {
        info: Priority::Informational,
        debug: Priority::Debug,
        ..PriorityMappings::default()
    };
    let layer = tracing_journald::layer().ok()?;
    Some(
        layer
            .with_field_prefix(None)
            .with_syslog_identifier("dues".into())
            .with_priority_mappings(priorities),
    )
}

/// systemd names device and inode of the pipe it gave; a stderr that was led elsewhere since is another.
fn leads_to_journal() -> bool {
    let Ok(named) = std::env::var("JOURNAL_STREAM") else { return false };
    let Ok(stderr) = std::fs::metadata("/proc/self/fd/2") else { return false };
    named == format!("{}:{}", stderr.st_dev(), stderr.st_ino())
}
