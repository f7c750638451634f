//! The provider's objects as our words: charges looked up, customers with their cards, the account's limits.

use std::sync::Arc;

use serde_json::Value;

use super::words::{ATTEMPT, INSTALLATION, INVOICE, code, sentence, whole};
use super::{CustomerFacts, CustomerRead};
use crate::model::settings::AccountLimits;
use crate::model::{
    CardId, CardSnapshot, ChargeId, ChargeSeen, Currency, CustomerId, Decline, Expiration, Money, SeenStatus,
};
use crate::omise::{
    Account, Capability, Card, CardFace, CardFaces, Charge, ChargeStatus, Customer, CustomerCards,
};

/// A charge as the provider's list shows it; `None` for one whose id or date makes no sense.
pub(super) fn charge_seen(charge: &Charge) -> Option<ChargeSeen> {
    let mark =
        |key: &str| -> Option<Arc<str>> { charge.metadata.get(key).and_then(Value::as_str).map(whole) };
    let currency = Currency::from_code(&charge.currency);
    let card = charge.card.as_ref().and_then(|card| CardId::parse(card.id()).ok());
    Some(ChargeSeen {
        charge: ChargeId::parse(&charge.id).ok()?,
        created_at: charge.created_at?,
        amount: currency.and_then(|currency| Money::new(charge.amount, currency).ok()),
        customer: charge.customer.as_ref().and_then(|customer| CustomerId::parse(customer.id()).ok()),
        card: card.clone(),
        status: status(charge, card),
        installation: mark(INSTALLATION),
        invoice: mark(INVOICE),
        attempt: mark(ATTEMPT),
        description: charge.description.as_deref().map(Into::into),
        refunded_minor: charge.refunded_amount.unwrap_or(0).max(0),
        disputed: charge.dispute.as_ref().is_some_and(|dispute| !dispute.is_null()),
    })
}

fn status(charge: &Charge, card: Option<CardId>) -> SeenStatus {
    let text = |value: &Option<String>| value.as_deref().map(sentence);
    match &charge.status {
        ChargeStatus::Successful => SeenStatus::Successful,
        ChargeStatus::Pending => SeenStatus::Pending(charge.authorize_uri.as_deref().map(whole)),
        ChargeStatus::Expired | ChargeStatus::Reversed => SeenStatus::Ended(charge.status.as_str().into()),
        ChargeStatus::Failed => SeenStatus::Failed(Decline {
            charge: ChargeId::parse(&charge.id).ok(),
            card,
            code: code(charge.failure_code.as_deref().unwrap_or("unknown")),
            message: text(&charge.failure_message),
            advice: text(&charge.merchant_advice),
            advice_code: charge.merchant_advice_code.as_deref().map(code),
        }),
        ChargeStatus::Other(word) => SeenStatus::Unknown(code(word)),
    }
}

/// A customer as read, with these cards; `None` for one whose id makes no sense. A card whose expiry makes no sense is
/// left out: it cannot be judged.
pub(super) fn customer(customer: &Customer, cards: &[Card]) -> Option<CustomerRead> {
    if customer.deleted {
        return Some(CustomerRead::Gone);
    }
    Some(CustomerRead::Present(CustomerFacts {
        id: CustomerId::parse(&customer.id).ok()?,
        default_card: customer.default_card.as_ref().and_then(|card| CardId::parse(card.id()).ok()),
        cards: cards.iter().filter(|card| !card.deleted).filter_map(card_snapshot).collect(),
    }))
}

/// Whether the answer embeds every card of the customer, the default one among them.
pub(super) fn embeds_all(customer: &Customer) -> bool {
    let cards = &customer.cards;
    let default = customer.default_card.as_ref();
    is_all(cards.total, cards.data.len())
        && default.is_none_or(|default| cards.data.iter().any(|card| card.id == default.id()))
}

/// An embedded list that tells no total is taken to show all that there is.
fn is_all(total: u64, shown: usize) -> bool {
    usize::try_from(total).is_ok_and(|total| total <= shown)
}

fn card_snapshot(card: &Card) -> Option<CardSnapshot> {
    Some(CardSnapshot {
        id: CardId::parse(&card.id).ok()?,
        brand: card.brand.clone(),
        last_digits: card.last_digits.clone(),
        expiration: Expiration::new(card.expiration_month, card.expiration_year).ok()?,
        fingerprint: Some(card.fingerprint.clone()).filter(|text| !text.is_empty()),
    })
}

/// The same of a customer in a list; `None` too for one of whose cards the list shows only some: that is no reading.
pub(super) fn listed(customer: &CustomerCards<'_>) -> Option<CustomerFacts> {
    let CardFaces { data, total } = &customer.cards;
    let default = customer.default_card.as_ref();
    let shows_default = default.is_none_or(|default| data.iter().any(|card| card.id == default.0));
    if !is_all(*total, data.len()) || !shows_default {
        return None;
    }
    Some(CustomerFacts {
        id: CustomerId::parse(&customer.id).ok()?,
        default_card: customer.default_card.as_ref().and_then(|card| CardId::parse(&card.0).ok()),
        cards: data.iter().filter(|card| !card.deleted).filter_map(card_face).collect(),
    })
}

fn card_face(card: &CardFace<'_>) -> Option<CardSnapshot> {
    Some(CardSnapshot {
        id: CardId::parse(&card.id).ok()?,
        brand: card.brand.0.as_ref().into(),
        last_digits: card.last_digits.0.as_ref().into(),
        expiration: Expiration::new(card.expiration_month, card.expiration_year).ok()?,
        fingerprint: Some(card.fingerprint.0.as_ref()).filter(|text| !text.is_empty()).map(Into::into),
    })
}

/// What the account may charge, from its own endpoints.
pub(super) fn limits(account: &Account, capability: &Capability) -> AccountLimits {
    let card = capability.payment_methods.iter().find(|method| method.name == "card");
    let named =
        |codes: &[String]| codes.iter().filter_map(|code| Currency::from_code(code)).collect::<Vec<_>>();
    let mut currencies = card.map(|method| named(&method.currencies)).unwrap_or_default();
    if currencies.is_empty() {
        currencies = named(&account.supported_currencies);
    }
    AccountLimits {
        currency: account.currency.as_deref().and_then(Currency::from_code),
        least_minor: capability.limits.charge_amount.min,
        most_minor: capability.limits.charge_amount.max,
        currencies,
    }
}
