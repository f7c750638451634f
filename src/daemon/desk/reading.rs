//! The config, read again while the service goes on: one reading at a time, and none that somebody asked for is lost.

use super::{Desk, Phase, systemd};
use crate::daemon::wishes::Wishes;

impl Desk {
    pub(super) fn read_config(&mut self) {
        systemd::reloading();
        self.reading = Some(tokio::spawn((self.reload)()));
    }

    /// The new wishes hold from the next piece of work on; refused ones change nothing.
    pub(super) fn take_wishes(&mut self, read: Result<Wishes, String>) {
        self.reading = None;
        let refused = match read {
            Ok(wishes) => {
                tracing::info!("the new config is in force");
                self.office.replace(wishes.post.clone());
                self.wishes = wishes;
                None
            }
            Err(why) => {
                tracing::error!("the new config is refused, the old one stays in force: {why}");
                Some(why)
            }
        };
        self.standing.send_modify(|standing| standing.refused_config = refused);
        if self.phase() == Phase::Serving {
            self.tell_ready();
        }
        if std::mem::take(&mut self.reads_again) && !self.is_stopping() {
            self.read_config();
        }
    }
}
