//! Letters by SMTP.
//!
//! Promises: one letter to one address, with a `Message-ID` that follows from the message's key, so that a letter
//! sent twice is one letter to whoever reads it; one deadline for all of it; no address in what is reported.
//! Must never know: what a message means, or who the customer is.

use std::time::Duration;

use jiff::Timestamp;
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::PoolConfig;
use lettre::transport::smtp::authentication::Credentials;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::letters::Letter;
use crate::model::Delivered;
use crate::model::settings::{EmailWishes, SmtpTls};

/// Connections to the mail server at one time.
const MOST_CONNECTIONS: u32 = 4;
/// Answers that speak of us, not of the letter: no or wrong log-in, no encryption, a sender who may not send, a
/// command that the server does not know. They may be mended, so the letter waits.
const ABOUT_US: [u16; 10] = [500, 501, 502, 503, 504, 523, 530, 534, 535, 538];

/// The way to the mail server.
pub(super) struct Email {
    smtp: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    reply_to: Option<Mailbox>,
    merchant: Option<Mailbox>,
    timeout: Duration,
}

fn mailbox(key: &str, text: &str) -> Result<Mailbox, String> {
    text.parse().map_err(|why| format!("[notify.email] {key}: found {text:?}, wanted a mailbox ({why})"))
}

impl Email {
    /// The way there.
    ///
    /// # Errors
    /// A sentence: an address that is none, or TLS that cannot be set up.
    pub(super) fn new(wishes: &EmailWishes, password: Option<Zeroizing<String>>) -> Result<Self, String> {
        type Smtp = AsyncSmtpTransport<Tokio1Executor>;
        let timeout = wishes.timeout.unsigned_abs();
        let builder = match wishes.tls {
            SmtpTls::StartTls => Smtp::starttls_relay(&wishes.host),
            SmtpTls::Tls => Smtp::relay(&wishes.host),
            SmtpTls::None => Ok(Smtp::builder_dangerous(&wishes.host)),
        };
        let mut builder = builder
            .map_err(|why| format!("[notify.email] host: {why}"))?
            .port(wishes.port)
            .timeout(Some(timeout))
            .pool_config(PoolConfig::new().max_size(MOST_CONNECTIONS));
        if let (Some(user), Some(password)) = (&wishes.user, password) {
            builder = builder.credentials(Credentials::new(user.clone(), password.to_string()));
        }
        let maybe = |key: &str, text: &Option<String>| text.as_deref().map(|t| mailbox(key, t)).transpose();
        Ok(Self {
            smtp: builder.build(),
            from: mailbox("from", &wishes.from)?,
            reply_to: maybe("reply_to", &wishes.reply_to)?,
            merchant: maybe("merchant", &wishes.merchant)?,
            timeout,
        })
    }

    /// Sends that letter once: to that address, or to the merchant.
    pub(super) async fn send(
        &self,
        to: Option<&str>,
        letter: &Letter,
        key: &str,
        now: Timestamp,
    ) -> Delivered {
        let receiver = match to {
            Some(address) => match address.parse::<Address>() {
                Ok(address) => Mailbox::new(None, address),
                Err(why) => return Delivered::Refused(format!("the customer's address is none: {why}")),
            },
            None => match &self.merchant {
                Some(merchant) => merchant.clone(),
                None => return Delivered::Refused("[notify.email] names no merchant".into()),
            },
        };
        let address = receiver.email.to_string();
        let mail = match self.mail(receiver, letter, key, now) {
            Ok(mail) => mail,
            Err(why) => return Delivered::Refused(format!("the letter cannot be put together: {why}")),
        };
        match tokio::time::timeout(self.timeout, self.smtp.send(mail)).await {
            Ok(Ok(_)) => Delivered::Sent,
            Ok(Err(error)) => judged(&error, &address),
            Err(_) => Delivered::Failed(format!("the mail server took longer than {:?}", self.timeout)),
        }
    }

    fn mail(
        &self,
        to: Mailbox,
        letter: &Letter,
        key: &str,
        now: Timestamp,
    ) -> Result<lettre::Message, lettre::error::Error> {
        let digest = Sha256::digest(key);
        let id = super::hex(&digest[..16]);
        let mut builder = lettre::Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(&letter.subject)
            .date(now.into())
            .message_id(Some(format!("<{id}@{}>", self.from.email.domain())));
        if let Some(reply_to) = &self.reply_to {
            builder = builder.reply_to(reply_to.clone());
        }
        builder.multipart(MultiPart::alternative_plain_html(letter.text.clone(), letter.html.clone()))
    }
}

/// A server that says never to this letter is believed; everything else may go well later.
fn judged(error: &lettre::transport::smtp::Error, address: &str) -> Delivered {
    let code = error.status().map(u16::from);
    let why = without(&said(error), address);
    if error.is_permanent() && code.is_none_or(|code| !ABOUT_US.contains(&code)) {
        Delivered::Refused(why)
    } else {
        Delivered::Failed(why)
    }
}

fn said(error: &lettre::transport::smtp::Error) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        let more = cause.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        next = cause.source();
    }
    text
}

/// Servers like to repeat the address that they refuse; it is kept nowhere.
fn without(text: &str, address: &str) -> String {
    let lower = (text.to_ascii_lowercase(), address.to_ascii_lowercase());
    let mut clean = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(found) = lower.0[at..].find(&lower.1).filter(|_| !address.is_empty()) {
        clean.push_str(&text[at..at + found]);
        clean.push_str("(the address)");
        at += found + address.len();
    }
    clean.push_str(&text[at..]);
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_address_is_left_in_what_a_server_says() {
        let said = "550 5.1.1 <May@Example.com>: no such user MAY@EXAMPLE.COM here";
        assert_eq!(
            without(said, "may@example.com"),
            "550 5.1.1 <(the address)>: no such user (the address) here"
        );
        assert_eq!(without("plain", "may@example.com"), "plain");
    }
}
