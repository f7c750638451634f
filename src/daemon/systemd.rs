//! What systemd is told, and what it asked for. Without systemd every word here goes nowhere.

use std::time::Duration;

use sd_notify::NotifyState;

/// Tells it; a supervisor that does not listen is no reason to stop billing.
fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "systemd could not be told");
    }
}

/// Everything is in place.
pub(super) fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// How it stands, in one line.
pub(super) fn status(text: &str) {
    tell(&[NotifyState::Status(text)]);
}

/// It cannot begin yet, and says why; it looks again within `more`.
pub fn waits(status: &str, more: Duration) {
    tell(&[NotifyState::Status(status)]);
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
    tell(&[NotifyState::Stopping, NotifyState::Status(status)]);
    needs(within);
}

/// How often it wants to hear that we move; `None`: it does not ask.
pub(super) fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled()
}
