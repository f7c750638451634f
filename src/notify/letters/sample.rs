//! Made-up messages that could have happened: for previews, so that a merchant sees every letter before a customer does.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::date;

use crate::model::settings::Letters;
use crate::model::{
    AttemptId, BillingPeriod, CardLook, ChargeId, Currency, CustomerId, DeclineKind, Digest, Expiration,
    Facts, InvoiceId, Language, Message, MessageKind, Money, SubscriptionId, Zone,
};

const DAY_S: i64 = 86_400;
/// 21 November 2026, 09:00 in Bangkok.
const AT_S: i64 = 1_795_226_400;

/// A merchant who has everything, for a config that names none.
pub fn sample_merchant(language: Language) -> Letters {
    let merchant = match language {
        Language::En => "Example Shop",
        Language::Th => "ร้านตัวอย่าง",
        Language::Ja => "サンプル商店",
    };
    Letters {
        merchant: merchant.into(),
        support: "help@shop.example".into(),
        cancel: Some("https://shop.example/account/cancel".into()),
        card_update_url: Some("https://shop.example/account/card".into()),
        language,
        templates: None,
    }
}

/// A message of that kind with every fact that such a message tells, as it could have happened to a reader of that
/// language.
pub fn sample(kind: MessageKind, language: Language) -> Message {
    let at = at(0);
    let merchant = kind.is_for_merchant();
    Message {
        key: Arc::from(format!("sample.{kind}")),
        kind,
        at,
        customer: if kind == MessageKind::Digest { None } else { customer() },
        zone: Zone::parse(if language == Language::Ja { "Asia/Tokyo" } else { "Asia/Bangkok" })
            .unwrap_or(Zone::UTC),
        facts: if merchant { for_merchant(kind, language) } else { for_customer(kind, language) },
    }
}

fn for_customer(kind: MessageKind, language: Language) -> Facts {
    use MessageKind::{
        ActionNeeded, CardExpiring, Declined, ExpiredCard, InvoiceOpened, InvoicePaid, NoCard,
        SubscriptionCanceled, SubscriptionPaused, TrialEnding,
    };
    let of_charge = matches!(kind, InvoicePaid | Declined | ActionNeeded);
    let of_invoice = of_charge || matches!(kind, InvoiceOpened | NoCard | ExpiredCard);
    let days = |days| Some(at(days));
    Facts {
        subscription: subscription(),
        invoice: subscription().filter(|_| of_invoice).map(|of| InvoiceId::new(of, 2)),
        attempt: attempt().filter(|_| of_charge),
        charge: ChargeId::parse("chrg_test_5xuy4w91xqz7d1w9u0t").ok().filter(|_| of_charge),
        plan: Some(Arc::from("Pro")),
        amount: money(990, language).filter(|_| of_invoice || kind == TrialEnding),
        period: of_invoice.then(|| month(language)),
        card: (!matches!(kind, NoCard | SubscriptionPaused | SubscriptionCanceled))
            .then(|| card(kind))
            .flatten(),
        next_try_at: match kind {
            InvoiceOpened => days(1),
            Declined => days(2),
            _ => None,
        },
        decline: matches!(kind, Declined | SubscriptionPaused).then_some(DeclineKind::Funds),
        action_url: (kind == ActionNeeded)
            .then(|| Arc::from("https://pay.example/payments/pay2_5xuy4w9/authorize")),
        ends_at: match kind {
            TrialEnding => Some(midnight(3, language)),
            SubscriptionCanceled => Some(month(language).end),
            CardExpiring => card(kind).map(|card| card.expiration.ends_at()),
            _ => None,
        },
        ..Facts::default()
    }
}

fn for_merchant(kind: MessageKind, language: Language) -> Facts {
    if kind == MessageKind::Digest {
        return Facts { digest: Some(digest(language)), ..Facts::default() };
    }
    Facts {
        subscription: subscription(),
        invoice: subscription().map(|of| InvoiceId::new(of, 2)),
        attempt: attempt(),
        plan: Some(Arc::from("Pro")),
        amount: money(990, language),
        period: Some(month(language)),
        reason: Some(Arc::from("the answer never came, and the provider's list was not complete")),
        ..Facts::default()
    }
}

fn digest(language: Language) -> Digest {
    let sums = |units| money(units, language).into_iter().collect::<Vec<_>>();
    Digest {
        day: date(2026, 11, 20),
        paid: 148,
        collected: sums(146_520),
        declined: 17,
        recovered: 6,
        recovered_sums: sums(5_940),
        flagged: 3,
        in_doubt: 1,
        manual: 1,
        at_risk: 21,
        at_risk_sums: sums(20_790),
    }
}

/// The card of the letters on expiry ends soon or ended; any other works for years.
fn card(kind: MessageKind) -> Option<CardLook> {
    let (month, year) = match kind {
        MessageKind::CardExpiring => (12, 2026),
        MessageKind::ExpiredCard => (10, 2026),
        _ => (8, 2029),
    };
    let expiration = Expiration::new(month, year).ok()?;
    Some(CardLook { brand: "Visa".into(), last_digits: "4242".into(), expiration })
}

fn money(main_units: i64, language: Language) -> Option<Money> {
    let currency = if language == Language::Ja { Currency::Jpy } else { Currency::Thb };
    Money::new(main_units.checked_mul(10_i64.pow(currency.decimals()))?, currency).ok()
}

/// From the 21st of November on.
fn month(language: Language) -> BillingPeriod {
    BillingPeriod { index: 2, start: midnight(0, language), end: midnight(30, language) }
}

/// The first instant of the day that many days after the sample's, in Bangkok or Tokyo.
fn midnight(days: i64, language: Language) -> Timestamp {
    let since_midnight_s = if language == Language::Ja { 11 * 3_600 } else { 9 * 3_600 };
    Timestamp::from_second(AT_S + days * DAY_S - since_midnight_s).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn at(days: i64) -> Timestamp {
    Timestamp::from_second(AT_S + days * DAY_S).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn customer() -> Option<CustomerId> {
    CustomerId::parse("cust_test_5xuy4w91xqz7d1w9u0t").ok()
}

fn subscription() -> Option<SubscriptionId> {
    SubscriptionId::parse("sub_7k2m9qx4").ok()
}

fn attempt() -> Option<AttemptId> {
    Some(AttemptId::new(InvoiceId::new(subscription()?, 2), 1))
}
