//! The wishes: one TOML file and what it includes, read, judged whole and handed on as typed values.
//!
//! Promises: a wrong config is refused as a whole, with every mistake at once, each with its place, what was
//! found and what was wanted; nothing of it is half believed. Secrets never reach a message.
//! Must never know: the environment beyond its own files and secrets, and what the wishes are used for.

mod days;
mod declines;
mod deliveries;
mod limits;
mod notify;
mod place;
mod plans;
mod problem;
mod rooms;
mod scalar;
mod secret;
mod section;
mod settings;
mod sources;
mod top;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use crate::model::{PlanKey, PlanTerms};

pub use declines::shipped_declines;
pub use place::mistake_at;
pub use problem::ConfigErrors;
pub use secret::{SecretError, SecretText};
pub use settings::{
    BackupSettings, KeySource, OmiseSettings, SHORTEST_SETTLE, SandboxSettings, ScheduleSettings, Settings,
    StoreSettings, WebSettings,
};

use problem::Problems;
use sources::Sources;

/// A config that was believed.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Every wish but the plans.
    pub settings: Settings,
    /// The plans, by name.
    pub plans: Vec<(PlanKey, PlanTerms)>,
    /// Every file that was read: the one asked for, then what it includes.
    pub files: Vec<PathBuf>,
}

/// Where a config is looked for when none is named, in this order.
pub const DEFAULT_PATHS: [&str; 2] = ["config/dues.toml", "/etc/dues/dues.toml"];

/// The config to read: the one given, else the first of [`DEFAULT_PATHS`] that exists, or may: reading that one says why
/// nobody can look.
///
/// # Errors
/// A sentence that names every file looked for, when there is none.
pub fn find(given: Option<&Path>) -> Result<PathBuf, ConfigErrors> {
    if let Some(path) = given {
        return Ok(path.to_owned());
    }
    DEFAULT_PATHS.iter().map(PathBuf::from).find(|path| path.try_exists().unwrap_or(true)).ok_or_else(|| {
        ConfigErrors::sentence(format!(
            "found no config, wanted one of {}; name another with --config FILE",
            DEFAULT_PATHS.join(", ")
        ))
    })
}

/// Reads a config and everything it includes.
///
/// # Errors
/// All mistakes at once: unreadable files and syntax first, then every key and value.
pub fn load(path: &Path) -> Result<Loaded, ConfigErrors> {
    let sources = Sources::read(path)?;
    let problems = Problems::new(&sources);
    let read = sources.parse(&problems).and_then(|files| top::read(path, &files, &problems));
    let errors = problems.into_errors();
    match read {
        Some((settings, plans)) if errors.is_empty() => {
            Ok(Loaded { settings, plans, files: sources.paths() })
        }
        _ => Err(errors),
    }
}
