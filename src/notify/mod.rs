//! The messengers: they deliver what the outbox holds, by letter, signed webhook or command.
//!
//! They are handed a message that somebody else decided on, and say what became of it. They must never know what an
//! event means, which message follows from it, or where the book is.

mod addresses;
mod command;
mod email;
pub mod letters;
#[cfg(test)]
mod tests;
mod webhook;

use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::model::settings::Notify;
use crate::model::{Channel, Delivered, Delivery, Language, Recipient};
use command::Hook;
use email::Email;
use letters::{LetterSettings, render};
use webhook::Webhook;

/// What the messengers must keep to themselves. Wiped when dropped.
#[derive(Default)]
pub struct Secrets {
    /// Of the mail server; `None`: nobody logs in.
    pub password: Option<Zeroizing<String>>,
    /// That sign webhooks; each does.
    pub signing: Vec<Zeroizing<Vec<u8>>>,
}

/// All messengers that are wished for.
#[derive(Default)]
pub struct Messengers {
    email: Option<(Email, LetterSettings)>,
    webhook: Option<Webhook>,
    command: Option<Hook>,
}

impl Messengers {
    /// Makes them ready; nothing is connected yet. `words` are for letters; `path` is the `PATH` that the command gets.
    ///
    /// # Errors
    /// A sentence that names the wish that cannot be met.
    pub fn new(
        wishes: &Notify,
        words: Option<LetterSettings>,
        secrets: Secrets,
        path: String,
    ) -> Result<Self, String> {
        let Secrets { password, signing } = secrets;
        let email = wishes.email.as_ref().map(|email| {
            let words = words.ok_or("[notify]: found no merchant, wanted who writes the letters")?;
            Ok::<_, String>((Email::new(email, password)?, words))
        });
        let webhook = wishes.webhook.as_ref().map(|webhook| Webhook::new(webhook, signing));
        let command = wishes.command.as_ref().map(|command| Hook::new(command, path));
        Ok(Self { email: email.transpose()?, webhook: webhook.transpose()?, command: command.transpose()? })
    }

    /// The ways that messages go.
    pub fn channels(&self) -> Vec<Channel> {
        let here = |channel: &Channel| match channel {
            Channel::Email => self.email.is_some(),
            Channel::Webhook => self.webhook.is_some(),
            Channel::Command => self.command.is_some(),
        };
        Channel::ALL.iter().copied().filter(here).collect()
    }

    /// Delivers one message, once, within the deadline of its way.
    pub async fn deliver(&self, delivery: &Delivery, now: Timestamp) -> Delivered {
        let message = &delivery.message;
        match (delivery.channel, &self.email, &self.webhook, &self.command) {
            (Channel::Email, Some(email), ..) => letter(email, delivery, now).await,
            (Channel::Webhook, _, Some(webhook), _) => webhook.send(message, now).await,
            (Channel::Command, .., Some(command)) => command.send(message).await,
            (channel, ..) => Delivered::Refused(format!("[notify.{channel}] is not configured any more")),
        }
    }
}

async fn letter((email, words): &(Email, LetterSettings), delivery: &Delivery, now: Timestamp) -> Delivered {
    let (to, language): (Option<&str>, Option<Language>) = match &delivery.to {
        Recipient::Merchant => (None, None),
        Recipient::Customer(contact) => (Some(&contact.email), contact.language),
    };
    let language = language.unwrap_or(words.wishes.language);
    match render(&delivery.message, language, words) {
        Ok(letter) => email.send(to, &letter, &delivery.message.key, now).await,
        Err(why) => Delivered::Refused(why.to_string()),
    }
}

/// Bytes as lower-case hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16);
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(digit).collect()
}
