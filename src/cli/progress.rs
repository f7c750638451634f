//! A bar on stderr for what takes longer than a second: done, rate, estimate.
//!
//! Promises: nothing at all unless stderr is a terminal; never a byte on stdout.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::args::Global;
use crate::clock::Stopwatch;

/// What is over sooner needs no bar.
const SILENT_FOR: Duration = Duration::from_secs(1);
const DRAWS_PER_S: u8 = 10;

/// A bar that appears once its work has lasted a second.
pub struct Progress {
    bar: Option<ProgressBar>,
    since: Stopwatch,
    shown: bool,
}

impl Progress {
    /// For that work; `total` 0: not known yet.
    pub fn new(global: &Global, what: &'static str, total: u64) -> Self {
        let wanted = !global.quiet && std::io::stderr().is_terminal();
        let bar = wanted.then(|| {
            let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden());
            bar.set_style(style());
            bar.set_message(what);
            bar
        });
        Self { bar, since: Stopwatch::start(), shown: false }
    }

    /// So much is done.
    pub fn set(&mut self, done: u64) {
        let Some(bar) = &self.bar else { return };
        if !self.shown && self.since.elapsed() >= SILENT_FOR {
            bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(DRAWS_PER_S));
            self.shown = true;
        }
        bar.set_position(done);
    }

    /// So much of so much is done.
    pub fn set_of(&mut self, done: u64, total: u64) {
        if let Some(bar) = &self.bar {
            bar.set_length(total);
        }
        self.set(done);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{msg} [{bar:30}] {human_pos}/{human_len}, {per_sec}, {eta} to go")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}
