//! A bar on stderr for what takes longer than a second: done, rate, estimate.
//!
//! Promises: nothing at all unless stderr is a terminal; never a byte on stdout.

use std::fmt::Write;
use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{HumanFloatCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

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
    ProgressStyle::with_template("{msg} [{bar:30}] {human_pos}/{human_len}, {rate}, {eta} to go")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("rate", |state: &ProgressState, out: &mut dyn Write| {
            // Nobody is left to be told where the terminal is gone.
            let _ = out.write_str(&rate(state.per_sec()));
        })
}

/// A rate for people: whole ones.
fn rate(per_s: f64) -> String {
    format!("{:.0}/s", HumanFloatCount(per_s))
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use indicatif::TermLike;

    use super::*;

    #[test]
    fn a_rate_is_a_whole_number() {
        let all = [44_748.616_8, 0.0, 0.4, 999.5, 1_234_567.9].map(rate);
        assert_eq!(all, ["44,749/s", "0/s", "0/s", "1,000/s", "1,234,568/s"]);
    }

    /// A terminal that keeps what it is shown.
    #[derive(Clone, Debug, Default)]
    struct Paper(Arc<Mutex<String>>);

    impl TermLike for Paper {
        fn width(&self) -> u16 {
            120
        }
        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, line: &str) -> io::Result<()> {
            self.write_str(line)
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap().push_str(text);
            Ok(())
        }
        fn clear_line(&self) -> io::Result<()> {
            Ok(())
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_bar_shows_whole_rates_alone() {
        let paper = Paper::default();
        let target = ProgressDrawTarget::term_like(Box::new(paper.clone()));
        let bar = ProgressBar::with_draw_target(Some(90_000), target).with_style(style());
        bar.set_position(44_749);
        bar.tick();
        bar.abandon();
        let shown = paper.0.lock().unwrap().clone();
        let rates: Vec<&str> =
            shown.split("/90,000, ").skip(1).filter_map(|rest| rest.split("/s").next()).collect();
        assert!(!rates.is_empty(), "{shown:?}");
        let is_whole = |rate: &&str| rate.bytes().all(|b| b.is_ascii_digit() || b == b',');
        assert!(rates.iter().all(is_whole), "{shown:?}");
    }
}
