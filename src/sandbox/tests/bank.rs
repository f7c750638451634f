//! A bank that was brought along: it decides charges, and nothing else.

use std::sync::{Arc, Mutex};

use super::client::Desk;
use super::empty;
use crate::sandbox::{Bank, Question, Ruling, SandboxOptions, customers_of, start_with};

/// Refuses every second charge, and remembers who was asked for.
#[derive(Default)]
struct EverySecond(Mutex<Vec<(String, String, i64, u64)>>);

impl Bank for EverySecond {
    fn rule(&self, question: &Question<'_>) -> Ruling {
        let mut asked = self.0.lock().expect("not poisoned");
        let Question { customer, card, amount, at_ms } = *question;
        asked.push((customer.into(), card.into(), amount, at_ms));
        if asked.len().is_multiple_of(2) {
            let advice = Some("Do not retry this transaction with the same card");
            Ruling::Declines { code: "payment_rejected", advice, advice_code: Some("03") }
        } else {
            Ruling::Pays
        }
    }
}

#[tokio::test]
async fn it_decides_charges_and_switches_still_overrule_it() {
    let bank = Arc::new(EverySecond::default());
    let desk = Desk { sandbox: start_with(empty(), Some(bank.clone())).await.expect("starts") };
    desk.sandbox.hold_clock("2026-03-01T00:00:00Z".parse().expect("an instant"));
    // A test card that would be declined: the bank is asked instead.
    let customer = desk.customer("4111111111140011").await;
    let form = format!("amount=50000&currency=thb&customer={customer}");
    assert_eq!(desk.post("/charges", &form).await.text("/status"), "successful");
    let refused = desk.post("/charges", &form).await;
    let seen = ["/status", "/failure_code", "/merchant_advice_code"].map(|name| refused.text(name));
    assert_eq!(seen, ["failed", "payment_rejected", "03"]);
    let switched = desk.charge_under("decline:expired_card", &form).await.expect("answers");
    assert_eq!(switched.text("/failure_code"), "expired_card");
    let before = refused.text("/card/id");
    let renewed = desk.sandbox.renew_card(&customer).expect("the customer is there");
    let paid = desk.post("/charges", &form).await;
    assert_eq!((paid.text("/status"), paid.text("/card/id")), ("successful".into(), renewed.clone()));
    let asked = bank.0.lock().expect("not poisoned").clone();
    let march = 1_772_323_200_000;
    let of = |card: &str| (customer.clone(), card.to_owned(), 50_000, march);
    assert_eq!(asked, [of(&before), of(&before), of(&renewed)]);
    assert_eq!(desk.sandbox.renew_card("cust_test_nobody"), None);
    desk.close().await;
}

#[tokio::test]
async fn customers_are_known_before_the_sandbox_starts() {
    let options = SandboxOptions { customers: 5, seed: 9, ..SandboxOptions::default() };
    let known = customers_of(&options);
    let desk = Desk::open(options).await;
    assert_eq!(desk.sandbox.customers(), known);
    desk.close().await;
}
