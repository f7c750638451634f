//! The outbox: messages on their way, each once for a channel.
//!
//! What is written here was decided already; it waits to be delivered, or says what became of it.

use jiff::Timestamp;

use super::{Channel, Language, Message, MessageKind, words};

words! {
    /// What became of a message.
    MessageState {
        /// It is to be delivered.
        Waiting = "waiting",
        /// It was.
        Sent = "sent",
        /// It could not be, however often it was tried.
        GivenUp = "given_up",
        /// What it would have told is not true any more, or nobody can be told.
        Moot = "moot",
    }
}

/// A message that was decided on, for one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posting {
    /// What is told.
    pub message: Message,
    /// Which way it goes.
    pub channel: Channel,
    /// Not delivered earlier; `None`: at once.
    pub not_before: Option<Timestamp>,
    /// Its key is remembered at least until then, so that the same outcome is not told twice; `None`: nobody could
    /// decide on it a second time.
    pub keep_until: Option<Timestamp>,
}

/// A message in the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRow {
    /// Its place in the list.
    pub row: i64,
    /// Which outcome it tells of.
    pub key: String,
    /// Which way it goes.
    pub channel: Channel,
    /// What it is about.
    pub kind: MessageKind,
    /// What became of it.
    pub state: MessageState,
    /// When it was decided on, on the wall clock.
    pub made_at: Timestamp,
    /// It was held until then; `None`: it never was.
    pub not_before: Option<Timestamp>,
    /// How often it was tried.
    pub tries: u32,
    /// The next try; `None` unless it waits.
    pub next_at: Option<Timestamp>,
    /// When it was sent, given up or found moot; `None` while it waits.
    pub done_at: Option<Timestamp>,
    /// Why the last try failed, or why it is moot; `None`: nothing went wrong.
    pub why: Option<String>,
    /// What it says; `None` once nobody needs it any more.
    pub message: Option<Message>,
}

/// What a try to deliver a message came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// The receiver has it.
    Sent,
    /// Not now; it may go well later.
    Failed(String),
    /// Never: the receiver says so.
    Refused(String),
}

/// What is written about a message after a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageMark {
    /// It was sent.
    Sent,
    /// It waits until then. The reason is kept; `None` leaves the old one. An untried one was not tried after all.
    Waits {
        /// The next try.
        until: Timestamp,
        /// Why.
        why: Option<String>,
        /// Whether the receiver was tried.
        tried: bool,
    },
    /// It is given up.
    GivenUp(String),
    /// It need not be told any more.
    Moot(String),
}

/// Where a customer is reached, read at the moment of sending and kept nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Their address.
    pub email: String,
    /// What they read; `None`: they never said.
    pub language: Option<Language>,
}

/// To whom a message goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// The merchant, or the merchant's machine.
    Merchant,
    /// A customer, by letter.
    Customer(Contact),
}

/// A message with all that its messenger needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its row in the outbox.
    pub row: i64,
    /// Which way it goes.
    pub channel: Channel,
    /// What is told.
    pub message: Message,
    /// To whom.
    pub to: Recipient,
    /// Tries so far, this one included.
    pub tries: u32,
}
