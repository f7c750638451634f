//! What people and machines are told: one message per outcome, whatever the channel.
//!
//! A message is facts, not text: who renders it chooses the words. It holds ids, amounts and how a card looks, and no
//! address: where it goes is read when it leaves.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{
    AttemptId, BillingPeriod, ChargeId, CustomerId, DeclineKind, Expiration, InvoiceId, Money,
    SubscriptionId, Zone, words,
};

words! {
    /// What a message is about.
    MessageKind {
        /// A period's invoice was opened.
        InvoiceOpened = "invoice_opened",
        /// It was paid: the receipt.
        InvoicePaid = "invoice_paid",
        /// The bank said no; the next try, if there is one, is named.
        Declined = "declined",
        /// The customer must act: confirm a payment, or use another card.
        ActionNeeded = "action_needed",
        /// The card works for a short while only.
        CardExpiring = "card_expiring",
        /// Something is due and there is no card.
        NoCard = "no_card",
        /// Something is due and the card has expired.
        ExpiredCard = "expired_card",
        /// The first period that costs something is near.
        TrialEnding = "trial_ending",
        /// The subscription was paused.
        SubscriptionPaused = "subscription_paused",
        /// The subscription ended, or will end with its period.
        SubscriptionCanceled = "subscription_canceled",
        /// Nobody could find out what became of a charge: for the merchant.
        DoubtNeedsPerson = "doubt_needs_person",
        /// The merchant's day.
        Digest = "digest",
    }
}

impl MessageKind {
    /// Whether it is for the merchant; all others are for the customer.
    pub const fn is_for_merchant(self) -> bool {
        matches!(self, Self::DoubtNeedsPerson | Self::Digest)
    }
}

words! {
    /// The way a message goes.
    Channel {
        /// A letter by SMTP.
        Email = "email",
        /// A signed POST to the merchant's own address.
        Webhook = "webhook",
        /// A command of the merchant, with the message on its stdin.
        Command = "command",
    }
}

words! {
    /// What a message is written in.
    Language {
        /// English.
        En = "en",
        /// Thai.
        Th = "th",
        /// Japanese.
        Ja = "ja",
    }
}

/// How a card looks on a receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardLook {
    /// `Visa`, `MasterCard`…; empty when the provider gives none.
    pub brand: String,
    /// The last four digits; empty when the provider gives none.
    pub last_digits: String,
    /// Through the end of which month it works.
    pub expiration: Expiration,
}

/// One message, ready for any channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Which outcome it tells of. No two messages of one channel have the same.
    pub key: Arc<str>,
    /// What it is about.
    pub kind: MessageKind,
    /// When that happened, on the billing clock.
    pub at: Timestamp,
    /// Whom it concerns; absent in a digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
    /// In whose local time dates are told.
    pub zone: Zone,
    /// The rest.
    pub facts: Facts,
}

/// What a message tells. What does not apply is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Which subscription.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscription: Option<SubscriptionId>,
    /// Which invoice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invoice: Option<InvoiceId>,
    /// Which attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<AttemptId>,
    /// Which charge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charge: Option<ChargeId>,
    /// The plan's name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<Arc<str>>,
    /// What was, or is to be, paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// For which period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<BillingPeriod>,
    /// With which card.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card: Option<CardLook>,
    /// The next try by itself; absent: none follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_try_at: Option<Timestamp>,
    /// Why the bank said no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decline: Option<DeclineKind>,
    /// Where the customer confirms the payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action_url: Option<Arc<str>>,
    /// When the trial, the card or the service ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// Why, in the words of whoever did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Arc<str>>,
    /// Whether an earlier message told of a trouble that this one ends.
    pub recovered: bool,
    /// The merchant's day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
}

/// The merchant's day in figures; sums by currency, none where nothing was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// In the book's zone.
    pub day: Date,
    /// Invoices paid.
    pub paid: u64,
    /// Their sums.
    pub collected: Vec<Money>,
    /// Attempts declined.
    pub declined: u64,
    /// Of the paid, those that had been declined before.
    pub recovered: u64,
    /// Their sums.
    pub recovered_sums: Vec<Money>,
    /// Subscriptions flagged that day.
    pub flagged: u64,
    /// Attempts in doubt at its end.
    pub in_doubt: u64,
    /// Attempts that wait for a person at its end.
    pub manual: u64,
    /// Open invoices behind a flag, a hold or a decline at its end.
    pub at_risk: u64,
    /// Their sums.
    pub at_risk_sums: Vec<Money>,
}
