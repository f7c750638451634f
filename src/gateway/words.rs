//! "Charge this" in the provider's words: the exact body of a charge, and the marks by which it is found again.

use serde::Serialize;

use crate::hooks::{Bug, planted};
use crate::model::ChargeOrder;

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
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    return_uri: Option<&'a str>,
    metadata: Marks,
}

#[derive(Serialize)]
struct Marks {
    #[serde(rename = "dues_installation")]
    installation: String,
    #[serde(rename = "dues_invoice")]
    invoice: String,
    #[serde(rename = "dues_attempt")]
    attempt: String,
}

/// The body of that order as JSON: the same for the same order, always.
pub(super) fn body(order: &ChargeOrder, return_uri: Option<&str>) -> String {
    let attempt = order.attempt.to_string();
    let amount = order.amount.minor();
    let body = Body {
        amount: if planted(Bug::WrongUnit) { amount / 100 } else { amount },
        currency: order.amount.currency().word(),
        customer: order.customer.as_str(),
        card: order.card.as_ref().map(crate::model::CardId::as_str),
        description: format!("{} [{attempt}]", order.description),
        return_uri,
        metadata: Marks {
            installation: order.installation.to_string(),
            invoice: order.attempt.invoice.to_string(),
            attempt,
        },
    };
    // Strings and integers always serialize; an empty body would be refused by the provider, not charged.
    serde_json::to_string(&body).unwrap_or_default()
}
