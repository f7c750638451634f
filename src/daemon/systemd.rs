//! What systemd is told, and what it asked for. Without systemd every word here goes nowhere.

use std::time::Duration;

use sd_notify::NotifyState;

/// Longer status lines are cut: what systemd takes in one message is 4,096 bytes.
const STATUS_MAX_BYTES: usize = 2_048;

/// A status as one line: in what a line break ends, whatever follows would be an order to systemd, and the words of
/// others are in it.
fn one_line(status: &str) -> String {
    let mut line: String = status.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    line.truncate(line.floor_char_boundary(STATUS_MAX_BYTES));
    line
}

/// Tells it; a supervisor that does not listen is no reason to stop billing.
fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "systemd could not be told");
    }
}

/// Everything is in place.
pub(super) fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(&one_line(status))]);
}

/// How it stands, in one line.
pub(super) fn status(text: &str) {
    tell(&[NotifyState::Status(&one_line(text))]);
}

/// It cannot begin yet, and says why; it looks again within `more`.
pub fn waits(status: &str, more: Duration) {
    tell(&[NotifyState::Status(&one_line(status))]);
    needs(more);
}

/// The config is read again; `ready` ends this.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now, NotifyState::Status("reading the config again")]),
        Err(error) => tracing::debug!(%error, "no monotonic clock to tell systemd"),
    }
}

/// The service moves.
pub(super) fn alive() {
    tell(&[NotifyState::Watchdog]);
}

/// Starting or stopping takes that much longer.
pub(super) fn needs(more: Duration) {
    tell(&[NotifyState::ExtendTimeoutUsec(u32::try_from(more.as_micros()).unwrap_or(u32::MAX))]);
}

/// No more work is taken; calls in flight may take so long.
pub(super) fn stopping(status: &str, within: Duration) {
    tell(&[NotifyState::Stopping, NotifyState::Status(&one_line(status))]);
    needs(within);
}

/// How often it wants to hear that we move; `None`: it does not ask.
pub(super) fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_one_line_whatever_is_in_it() {
        let told = one_line("refused: one\nWATCHDOG=trigger\r\nMAINPID=1\u{1b}[31m\u{85}\u{0}");
        assert_eq!(told, "refused: one WATCHDOG=trigger  MAINPID=1 [31m  ");
        let long = "ก".repeat(STATUS_MAX_BYTES);
        assert!(one_line(&long).len() <= STATUS_MAX_BYTES && long.starts_with(&one_line(&long)));
    }
}
