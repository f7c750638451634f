//! Joins the outbox with the messengers: what is due goes out, and what became of it is written down.
//!
//! Promises: each channel goes its own way, so that one that is dead or slow holds no other up; few deliveries go at
//! once; where a receiver is away, the rest waits. Must never know: which message follows from what.

use std::path::Path;
use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use rustix::fs::{Access, access};
use zeroize::Zeroizing;

use super::{WiringError, letters};
use crate::billing::{Billing, RunError, outbox};
use crate::config::Settings;
use crate::model::settings::Notify;
use crate::model::{Channel, Delivered, Delivery};
use crate::notify::{Messengers, Secrets};

/// Messages taken from the outbox at a time.
const TAKEN_AT_ONCE: usize = 16;
/// Deliveries of one channel under way at a time.
const MOST_AT_ONCE: usize = 4;
/// What the command finds its programs by, where the program itself was told nothing.
const PLAIN_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// The outbox and the messengers, under the same wishes.
#[derive(Clone)]
pub struct Post {
    /// The work.
    pub billing: Billing,
    wishes: Arc<Notify>,
    messengers: Arc<Messengers>,
}

/// What became of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// The receiver has them.
    pub sent: u64,
    /// They are tried again.
    pub failed: u64,
    /// The receiver says never.
    pub refused: u64,
}

impl Sent {
    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            sent: self.sent + other.sent,
            failed: self.failed + other.failed,
            refused: self.refused + other.refused,
        }
    }

    const fn count(&mut self, came_to: &Delivered) {
        match came_to {
            Delivered::Sent => self.sent += 1,
            Delivered::Failed(_) => self.failed += 1,
            Delivered::Refused(_) => self.refused += 1,
        }
    }
}

/// Where the command is looked for, when its name alone is given.
fn search_path() -> String {
    std::env::var("PATH").unwrap_or_else(|_| PLAIN_PATH.to_owned())
}

/// Why the command that messages are handed to could not be run by this user; `None`: it could, or none is wished. A
/// command that is named without its folder is looked for where this program's own `PATH` leads.
pub fn command_refused(settings: &Settings) -> Option<String> {
    let program = settings.notify.command.as_ref()?.program.first()?;
    let why = if program.contains('/') {
        no_program(Path::new(program))?
    } else {
        let path = search_path();
        if std::env::split_paths(&path).any(|folder| no_program(&folder.join(program)).is_none()) {
            return None;
        }
        format!("it may be run in no folder of PATH, {path}")
    };
    Some(format!(
        "[notify.command] program: found {program:?} ({why}), wanted a program that the dues user may run; no message \
         goes this way until then"
    ))
}

/// What keeps it from being run; `None`: it is a file that this user may run.
fn no_program(file: &Path) -> Option<String> {
    match file.metadata() {
        Err(error) => Some(error.to_string()),
        Ok(found) if !found.is_file() => Some("a folder or a device".into()),
        Ok(_) => access(file, Access::EXEC_OK).err().map(|why| format!("it may not be run: {why}")),
    }
}

impl Post {
    /// Reads the secrets and makes the messengers ready.
    ///
    /// # Errors
    /// Secrets that cannot be read, templates, addresses.
    pub fn new(settings: &Settings, billing: Billing) -> Result<Self, WiringError> {
        let keep = |text: &str| Zeroizing::new(text.to_owned());
        let secrets = Secrets {
            password: settings.mail_password()?.map(|secret| keep(secret.expose())),
            signing: settings
                .signing_secrets()?
                .iter()
                .map(|secret| Zeroizing::new(secret.expose().as_bytes().to_vec()))
                .collect(),
        };
        let messengers = Messengers::new(&settings.notify, letters(settings)?, secrets, search_path());
        Ok(Self {
            billing,
            wishes: Arc::new(settings.notify.clone()),
            messengers: Arc::new(messengers.map_err(WiringError::Wish)?),
        })
    }

    /// Nobody is told anything; the diary counts as read.
    pub fn silent(billing: Billing) -> Self {
        Self { billing, wishes: Arc::default(), messengers: Arc::default() }
    }

    /// The ways that messages go.
    pub fn channels(&self) -> Vec<Channel> {
        self.messengers.channels()
    }

    /// Reads the diary and looks for what comes soon; how many messages are new.
    pub async fn gather(&self) -> Result<u64, RunError> {
        outbox::gather(&self.billing, &self.wishes).await
    }

    /// Delivers what is due on that channel, until nothing is, or the receiver seems to be away, or somebody asks to
    /// stop.
    pub async fn deliver_due(&self, channel: Channel) -> Result<Sent, RunError> {
        let mut all = Sent::default();
        while !self.billing.stop.is_cancelled() {
            let handed = outbox::hand_out(&self.billing, &self.wishes, channel, TAKEN_AT_ONCE).await?;
            if handed.taken == 0 {
                break;
            }
            let batch = self.deliver_all(handed.deliveries).await?;
            all = all.and(batch);
            if batch.failed > 0 && batch.sent + batch.refused == 0 {
                tracing::warn!(%channel, "no message could be delivered; the rest waits");
                break;
            }
        }
        Ok(all)
    }

    async fn deliver_all(&self, deliveries: Vec<Delivery>) -> Result<Sent, RunError> {
        let mut under_way = stream::iter(deliveries)
            .map(|delivery| async move {
                let came_to = self.messengers.deliver(&delivery, self.billing.clock.now()).await;
                tell(&delivery, &came_to);
                outbox::mark(&self.billing, &delivery, came_to.clone()).await.map(|()| came_to)
            })
            .buffer_unordered(MOST_AT_ONCE);
        let mut sent = Sent::default();
        while let Some(came_to) = under_way.next().await {
            sent.count(&came_to?);
        }
        Ok(sent)
    }
}

fn tell(delivery: &Delivery, came_to: &Delivered) {
    let (key, channel) = (&*delivery.message.key, delivery.channel.word());
    match came_to {
        Delivered::Sent => tracing::info!(key, channel, "a message was delivered"),
        Delivered::Failed(why) => {
            tracing::warn!(key, channel, tries = delivery.tries, "a message was not delivered: {why}");
        }
        Delivered::Refused(why) => tracing::error!(key, channel, "a message is given up: {why}"),
    }
}
