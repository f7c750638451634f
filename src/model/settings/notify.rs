//! The wishes about messages: which kinds go which way, when, and how long they are remembered.

use std::path::PathBuf;

use jiff::civil::Time;
use jiff::{SignedDuration, Timestamp};

use crate::model::{Channel, MessageKind, Zone, first_instant, words};

/// Wishes about messages. Without a channel nothing is told to anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notify {
    /// By letter; `None`: no letters.
    pub email: Option<EmailWishes>,
    /// By signed POST; `None`: none.
    pub webhook: Option<WebhookWishes>,
    /// By a command; `None`: none.
    pub command: Option<CommandWishes>,
    /// When customers get no letters, in their own local time; `None`: they get them at any hour.
    pub quiet: Option<QuietHours>,
    /// How long what was delivered is remembered.
    pub keep: SignedDuration,
    /// How long before its first billed period a trial's end is told.
    pub trial_ending: SignedDuration,
    /// How long after the first message a customer who must confirm a payment is reminded; each once.
    pub remind: Vec<SignedDuration>,
    /// When the merchant's day is told on the day after, local time of the book.
    pub digest_at: Time,
}

impl Default for Notify {
    fn default() -> Self {
        Self {
            email: None,
            webhook: None,
            command: None,
            quiet: None,
            keep: SignedDuration::from_hours(24 * 90),
            trial_ending: SignedDuration::from_hours(24 * 3),
            remind: vec![SignedDuration::from_hours(24), SignedDuration::from_hours(24 * 3)],
            digest_at: Time::constant(7, 0, 0, 0),
        }
    }
}

impl Notify {
    /// Whether messages of that kind go that way. A letter for the merchant needs the merchant's address.
    pub fn wants(&self, kind: MessageKind, channel: Channel) -> bool {
        let events = match channel {
            Channel::Email => self
                .email
                .as_ref()
                .filter(|email| !kind.is_for_merchant() || email.merchant.is_some())
                .map(|email| &email.events),
            Channel::Webhook => self.webhook.as_ref().map(|webhook| &webhook.events),
            Channel::Command => self.command.as_ref().map(|command| &command.events),
        };
        events.is_some_and(|events| events.contains(&kind))
    }

    /// The ways that messages of that kind go.
    pub fn channels(&self, kind: MessageKind) -> impl Iterator<Item = Channel> {
        Channel::ALL.iter().copied().filter(move |channel| self.wants(kind, *channel))
    }

    /// Whether messages of that kind go any way.
    pub fn wants_any(&self, kind: MessageKind) -> bool {
        self.channels(kind).next().is_some()
    }

    /// Whether there is any channel at all.
    pub const fn is_off(&self) -> bool {
        self.email.is_none() && self.webhook.is_none() && self.command.is_none()
    }
}

words! {
    /// How a connection to a mail server is protected.
    SmtpTls {
        /// Plain at first, then encrypted, or given up.
        StartTls = "starttls",
        /// Encrypted from the first byte.
        Tls = "tls",
        /// Plain: to this host alone.
        None = "none",
    }
}

/// How letters are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailWishes {
    /// Of the mail server.
    pub host: String,
    /// Of the mail server.
    pub port: u16,
    /// How the connection is protected.
    pub tls: SmtpTls,
    /// Who logs in; `None`: nobody does.
    pub user: Option<String>,
    /// A file of mode 0600 with the password; `None`: nobody logs in.
    pub password_file: Option<PathBuf>,
    /// The sender: an address, or a name and an address in angle brackets.
    pub from: String,
    /// Where answers go; `None`: to the sender.
    pub reply_to: Option<String>,
    /// The merchant's own address, for the digest and for doubt; `None`: these are not sent as letters.
    pub merchant: Option<String>,
    /// Which messages are sent this way.
    pub events: Vec<MessageKind>,
    /// Of one letter: connecting, speaking and waiting for the answer.
    pub timeout: SignedDuration,
}

/// How webhooks are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookWishes {
    /// Where to: https, or http to this host.
    pub url: String,
    /// A file of mode 0600 with one signing secret a line; each signs.
    pub secret_file: PathBuf,
    /// Whether addresses of private networks may be called.
    pub allow_private: bool,
    /// Which messages are sent this way.
    pub events: Vec<MessageKind>,
    /// Of one request: looking up, connecting, sending and the answer's head.
    pub timeout: SignedDuration,
}

/// How the command is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandWishes {
    /// The program and its arguments; no shell reads them.
    pub program: Vec<String>,
    /// Which messages are sent this way.
    pub events: Vec<MessageKind>,
    /// Of one run.
    pub timeout: SignedDuration,
}

/// A stretch of the day, which may go over midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuietHours {
    /// Its first minute.
    pub from: Time,
    /// The first minute after it.
    pub to: Time,
}

impl QuietHours {
    /// When the quiet that reigns at `now` in that zone ends; `None`: none reigns.
    pub fn ends(self, now: Timestamp, zone: &Zone) -> Option<Timestamp> {
        let local = zone.at(now);
        let (time, date) = (local.time(), local.date());
        let over_midnight = self.from >= self.to;
        let is_quiet = if over_midnight {
            time >= self.from || time < self.to
        } else {
            time >= self.from && time < self.to
        };
        if !is_quiet {
            return None;
        }
        let day = if over_midnight && time >= self.from { date.tomorrow().ok()? } else { date };
        first_instant(day.to_datetime(self.to), zone).ok().filter(|end| *end > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(quiet: QuietHours, now: &str, zone: &str) -> Option<String> {
        quiet.ends(now.parse().unwrap(), &Zone::parse(zone).unwrap()).map(|end| end.to_string())
    }

    const NIGHT: QuietHours =
        QuietHours { from: Time::constant(21, 0, 0, 0), to: Time::constant(8, 0, 0, 0) };

    #[test]
    fn a_night_is_quiet_where_the_customer_lives() {
        for (now, zone, end) in [
            ("2026-11-21T13:59:59Z", "Asia/Bangkok", None),
            ("2026-11-21T14:00:00Z", "Asia/Bangkok", Some("2026-11-22T01:00:00Z")),
            ("2026-11-21T20:00:00Z", "Asia/Bangkok", Some("2026-11-22T01:00:00Z")),
            ("2026-11-22T01:00:00Z", "Asia/Bangkok", None),
            ("2026-11-21T20:00:00Z", "UTC", None),
        ] {
            assert_eq!(ends(NIGHT, now, zone).as_deref(), end, "{now} in {zone}");
        }
    }

    #[test]
    fn quiet_hours_within_one_day_end_on_it() {
        let noon = QuietHours { from: Time::constant(12, 0, 0, 0), to: Time::constant(13, 0, 0, 0) };
        assert_eq!(ends(noon, "2026-11-21T12:30:00Z", "UTC").as_deref(), Some("2026-11-21T13:00:00Z"));
        assert_eq!(ends(noon, "2026-11-21T13:00:00Z", "UTC"), None);
    }

    #[test]
    fn quiet_hours_end_once_where_clocks_are_put_back() {
        // New York, 1 November 2026: 01:30 happens at 05:30Z and at 06:30Z.
        let quiet = QuietHours { from: Time::constant(21, 0, 0, 0), to: Time::constant(1, 30, 0, 0) };
        let zone = "America/New_York";
        assert_eq!(ends(quiet, "2026-11-01T03:00:00Z", zone).as_deref(), Some("2026-11-01T05:30:00Z"));
        // In the second pass of that hour the end has passed already.
        assert_eq!(ends(quiet, "2026-11-01T06:10:00Z", zone), None);
    }
}
