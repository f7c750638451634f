//! "Charge this" in the provider's words: the exact body of a charge, and the marks by which it is found again; and
//! how the provider's own words come in: fit for one line, and no longer than real ones are.

use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::hooks::{Bug, planted};
use crate::model::{AttemptId, ChargeOrder, Installation, InvoiceId};
use crate::omise::one_line;

/// Longest code or status of the provider's that is kept.
const CODE_MAX_BYTES: usize = 200;
/// Longest sentence.
const SENTENCE_MAX_BYTES: usize = 500;
/// Longest link or mark: what means something else once it is cut.
const WHOLE_MAX_BYTES: usize = 4_096;

/// A code or a status as it is kept.
pub(super) fn code(word: &str) -> Arc<str> {
    one_line(word, CODE_MAX_BYTES).into()
}

/// A sentence for people as it is kept.
pub(super) fn sentence(text: &str) -> Arc<str> {
    one_line(text, SENTENCE_MAX_BYTES).into()
}

/// A link or a mark as it is kept.
pub(super) fn whole(text: &str) -> Arc<str> {
    one_line(text, WHOLE_MAX_BYTES).into()
}

/// Metadata key of the book's own name.
pub(super) const INSTALLATION: &str = "dues_installation";
/// Metadata key of the invoice.
pub(super) const INVOICE: &str = "dues_invoice";
/// Metadata key of the attempt.
pub(super) const ATTEMPT: &str = "dues_attempt";

#[derive(Serialize)]
struct Body<'a> {
    amount: i64,
    currency: &'static str,
    customer: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    card: Option<&'a str>,
    description: Described<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    return_uri: Option<&'a str>,
    metadata: Marks<'a>,
}

/// What people read, and the attempt behind it.
struct Described<'a>(&'a ChargeOrder);

impl Serialize for Described<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("{} [{}]", self.0.description, self.0.attempt))
    }
}

#[derive(Serialize)]
struct Marks<'a> {
    #[serde(rename = "dues_installation")]
    installation: Installation,
    #[serde(rename = "dues_invoice")]
    invoice: &'a InvoiceId,
    #[serde(rename = "dues_attempt")]
    attempt: &'a AttemptId,
}

/// Longer than a body usually is, so that its buffer need not grow.
const USUAL_BYTES: usize = 512;

/// The body of that order as JSON: the same for the same order, always.
pub(super) fn body(order: &ChargeOrder, return_uri: Option<&str>) -> String {
    let amount = order.amount.minor();
    let body = Body {
        amount: if planted(Bug::WrongUnit) { amount / 100 } else { amount },
        currency: order.amount.currency().word(),
        customer: order.customer.as_str(),
        card: order.card.as_ref().map(crate::model::CardId::as_str),
        description: Described(order),
        return_uri,
        metadata: Marks {
            installation: order.installation,
            invoice: &order.attempt.invoice,
            attempt: &order.attempt,
        },
    };
    let mut bytes = Vec::with_capacity(USUAL_BYTES);
    // Strings and integers always serialize, and as UTF-8; an empty body would be refused by the provider, not charged.
    let written = serde_json::to_writer(&mut bytes, &body).ok();
    written.and_then(|()| String::from_utf8(bytes).ok()).unwrap_or_default()
}
