//! The table of what an answer means, row for row: bytes in, outcome out.
//!
//! Which failures of a connection come before the first byte of a request is shown where connections are made.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use super::outcome;
use crate::model::{
    AttemptId, ChargeOutcome, ChargeRequest, IdempotencyKey, Installation, NoAnswer, NotSent, Rejected,
    RejectedWhy,
};
use crate::omise::{Reply, TransportError};

const INSTALLATION: Installation = Installation([7; 16]);

fn request(card: Option<&str>) -> ChargeRequest {
    let attempt: AttemptId = "sub_1.0.1".parse().unwrap();
    ChargeRequest {
        key: IdempotencyKey::derive(INSTALLATION, &attempt),
        attempt,
        installation: INSTALLATION,
        body: "{}".into(),
        amount: "990.00 THB".parse().unwrap(),
        customer: "cust_test_1".parse().unwrap(),
        card: card.map(|id| id.parse().unwrap()),
    }
}

/// A charge that echoes the request, with some fields put in the place of others.
fn charge(fields: &Value) -> Vec<u8> {
    let mut charge = json!({
        "object": "charge", "id": "chrg_test_1", "livemode": false, "status": "successful", "amount": 99_000,
        "currency": "thb", "customer": "cust_test_1", "card": {"object": "card", "id": "card_test_1"},
        "metadata": {"dues_installation": INSTALLATION.to_string(), "dues_invoice": "sub_1.0",
            "dues_attempt": "sub_1.0.1"},
        "failure_code": null, "failure_message": null, "authorize_uri": "https://api.example.test/pay",
    });
    for (name, value) in fields.as_object().unwrap() {
        charge[name] = value.clone();
    }
    charge.to_string().into_bytes()
}

fn error(code: &str) -> Vec<u8> {
    json!({"object": "error", "location": "https://www.omise.co/api-errors", "code": code, "message": "no"})
        .to_string()
        .into_bytes()
}

fn page() -> Vec<u8> {
    b"<html><body>a proxy on the way</body></html>".to_vec()
}

fn reply(status: u16, body: Vec<u8>) -> Reply {
    Reply { status, provider_date: None, request_id: None, retry_after: None, body: Bytes::from(body) }
}

/// An outcome in a few words: its kind, and what decides about the next step.
fn told(outcome: &ChargeOutcome) -> String {
    match outcome {
        ChargeOutcome::Succeeded { charge, card } => {
            format!("succeeded {charge} {}", card.as_ref().map_or("-", |card| card.as_str()))
        }
        ChargeOutcome::Declined(decline) => format!(
            "declined {} {}",
            decline.code,
            decline.charge.as_ref().map_or("-".to_owned(), ToString::to_string)
        ),
        ChargeOutcome::Pending { authorize_uri, .. } => {
            format!("pending {}", if authorize_uri.is_some() { "for the customer" } else { "in flight" })
        }
        ChargeOutcome::Rejected(Rejected { why, .. }) => match why {
            RejectedWhy::Source => "rejected source".into(),
            RejectedWhy::Request => "rejected request".into(),
            RejectedWhy::Keys => "rejected keys".into(),
        },
        ChargeOutcome::NotSent(NotSent { rate_limited, retry_after_s, .. }) => {
            format!("not sent {}", if *rate_limited { format!("wait {retry_after_s:?}") } else { "-".into() })
        }
        ChargeOutcome::NoAnswer(NoAnswer { alarm, .. }) => {
            format!("doubt{}", if *alarm { ", alarm" } else { "" })
        }
    }
}

/// What that answer to a charge of the default card means.
fn meant(status: u16, body: Vec<u8>) -> String {
    told(&outcome(&request(None), false, Ok(&reply(status, body))))
}

#[test]
fn before_the_first_byte_it_was_not_sent_and_after_it_nobody_knows() {
    let before = TransportError::NeverSent { reason: "connection refused".into() };
    assert_eq!(told(&outcome(&request(None), false, Err(&before))), "not sent -");
    for status in [None, Some(200), Some(400)] {
        let after = TransportError::PerhapsProcessed {
            reason: "the connection was reset".into(),
            status,
            provider_date: None,
        };
        assert_eq!(told(&outcome(&request(None), false, Err(&after))), "doubt", "{status:?}");
    }
}

#[test]
fn a_charge_that_echoes_ours_counts_by_its_status() {
    for (fields, wanted) in [
        (json!({}), "succeeded chrg_test_1 card_test_1"),
        (json!({"card": null}), "succeeded chrg_test_1 -"),
        (json!({"currency": "THB"}), "succeeded chrg_test_1 card_test_1"),
        (
            json!({"customer": {"object": "customer", "id": "cust_test_1"}}),
            "succeeded chrg_test_1 card_test_1",
        ),
        (json!({"brand_new": [[[1.5]]]}), "succeeded chrg_test_1 card_test_1"),
        (
            json!({"status": "failed", "failure_code": "insufficient_fund"}),
            "declined insufficient_fund chrg_test_1",
        ),
        (json!({"status": "failed", "failure_code": "moon_phase"}), "declined moon_phase chrg_test_1"),
        (json!({"status": "expired"}), "declined expired chrg_test_1"),
        (json!({"status": "reversed"}), "declined reversed chrg_test_1"),
        (json!({"status": "pending"}), "pending for the customer"),
        (json!({"status": "pending", "authorize_uri": null}), "pending in flight"),
    ] {
        assert_eq!(meant(200, charge(&fields)), wanted, "{fields}");
    }
}

#[test]
fn a_200_that_is_not_our_charge_is_doubt_and_an_alarm() {
    let marks = |installation: &str, invoice: &str, attempt: &str| json!({"metadata": {"dues_installation": installation, "dues_invoice": invoice, "dues_attempt": attempt}});
    let ours = INSTALLATION.to_string();
    for fields in [
        json!({"amount": 99_001}),
        json!({"amount": 990}),
        json!({"amount": -99_000}),
        json!({"currency": "USD"}),
        json!({"customer": "cust_test_2"}),
        json!({"customer": null}),
        json!({"livemode": true}),
        json!({"metadata": {}}),
        json!({"metadata": null}),
        marks("00000000000000000000000000000000", "sub_1.0", "sub_1.0.1"),
        marks(&ours, "sub_1.1", "sub_1.0.1"),
        marks(&ours, "sub_1.0", "sub_1.0.2"),
        marks(&ours, "sub_1.0", "sub_1.0.11"),
        json!({"object": "customer"}),
        json!({"object": "error"}),
        json!({"status": "thinking"}),
        json!({"status": "Successful"}),
        json!({"status": null}),
        json!({"status": "failed"}),
        json!({"id": "none of a charge"}),
        json!({"amount": 1.5}),
        json!({"amount": "99000"}),
    ] {
        assert_eq!(meant(200, charge(&fields)), "doubt, alarm", "{fields}");
    }
    let deep = ["[".repeat(100_000), "]".repeat(100_000)].concat().into_bytes();
    let whole = charge(&json!({}));
    let half = whole[..whole.len() / 2].to_vec();
    for body in [
        Vec::new(),
        b"null".to_vec(),
        b"[]".to_vec(),
        deep,
        half,
        page(),
        vec![0xff; 64],
        error("bad_request"),
    ] {
        let shown = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
        assert_eq!(meant(200, body), "doubt, alarm", "{shown}");
    }
}

#[test]
fn a_card_that_was_named_must_be_the_one_that_answers() {
    let answered = |named: &str| {
        let reply = reply(200, charge(&json!({})));
        told(&outcome(&request(Some(named)), false, Ok(&reply)))
    };
    assert_eq!(answered("card_test_1"), "succeeded chrg_test_1 card_test_1");
    assert_eq!(answered("card_test_2"), "doubt, alarm");
    let none = reply(200, charge(&json!({"card": null})));
    assert_eq!(told(&outcome(&request(Some("card_test_1")), false, Ok(&none))), "doubt, alarm");
}

#[test]
fn with_a_live_key_a_test_charge_is_none() {
    let live = charge(&json!({"livemode": true}));
    assert!(told(&outcome(&request(None), true, Ok(&reply(200, live)))).starts_with("succeeded"));
    assert_eq!(told(&outcome(&request(None), true, Ok(&reply(200, charge(&json!({})))))), "doubt, alarm");
}

#[test]
fn a_genuine_error_object_counts_by_status_and_code() {
    for (status, code, wanted) in [
        (400, "bad_request", "rejected request"),
        (400, "invalid_charge", "rejected request"),
        (400, "a_word_of_next_year", "rejected request"),
        (404, "service_not_found", "rejected request"),
        (422, "invalid_filter", "rejected request"),
        (404, "not_found", "rejected source"),
        (400, "invalid_card", "rejected source"),
        (400, "missing_card", "rejected source"),
        (400, "failed_fraud_check", "declined failed_fraud_check -"),
        (422, "failed_fraud_check", "declined failed_fraud_check -"),
        (400, "backend_error", "doubt"),
        (422, "backend_error", "doubt"),
        (401, "authentication_failure", "rejected keys"),
        (403, "not_authorized", "rejected keys"),
        (403, "failed_fraud_check", "rejected keys"),
        (429, "too_many_requests", "not sent wait None"),
        (408, "request_timeout", "doubt"),
        (409, "conflict", "doubt"),
        (425, "too_early", "doubt"),
        (402, "insufficient_fund", "doubt"),
        (418, "bad_request", "doubt"),
        (500, "internal_error", "doubt"),
        (502, "bad_gateway", "doubt"),
        (503, "service_unavailable", "doubt"),
        (504, "failed_fraud_check", "doubt"),
        (599, "not_found", "doubt"),
    ] {
        assert_eq!(meant(status, error(code)), wanted, "{status} {code}");
    }
    let waits = Reply { retry_after: Some(Duration::from_secs(7)), ..reply(429, error("too_many_requests")) };
    assert_eq!(told(&outcome(&request(None), false, Ok(&waits))), "not sent wait Some(7)");
}

#[test]
fn any_other_status_or_one_without_an_error_object_is_doubt() {
    let nearly = [
        page(),
        Vec::new(),
        br#"{"object":"error"}"#.to_vec(),
        br#"{"object":"error","code":""}"#.to_vec(),
        br#"{"code":"bad_request","message":"no object"}"#.to_vec(),
        br#"{"object":"charge","code":"bad_request"}"#.to_vec(),
    ];
    for status in (400..=431).chain([451]).chain(500..=511).chain([599]) {
        for body in &nearly {
            assert_eq!(meant(status, body.clone()), "doubt", "{status} {}", String::from_utf8_lossy(body));
        }
    }
    // Neither a redirect nor any other success says anything, whatever stands in its body.
    for status in [100, 201, 202, 204, 206, 300, 301, 302, 303, 304, 307, 308, 399, 600, 999] {
        for body in [charge(&json!({})), error("bad_request"), page(), Vec::new()] {
            assert_eq!(meant(status, body), "doubt", "{status}");
        }
    }
}

#[test]
fn words_of_the_provider_come_in_as_one_line_of_some_length() {
    let odd = "one\nWATCHDOG=trigger\r\u{1b}[31m\u{202e}two";
    let plain = "one WATCHDOG=trigger  [31m two";
    let fields =
        json!({"status": "failed", "failure_code": odd, "failure_message": odd, "merchant_advice": odd});
    let ChargeOutcome::Declined(decline) = outcome(&request(None), false, Ok(&reply(200, charge(&fields))))
    else {
        panic!("it was declined")
    };
    assert_eq!((decline.code.as_ref(), decline.message.as_deref()), (plain, Some(plain)));
    assert_eq!(decline.advice.as_deref(), Some(plain));
    let long = json!({"object": "error", "code": odd, "message": format!("{odd}{}", "x".repeat(10_000))});
    for status in [401, 422] {
        let ChargeOutcome::Rejected(rejected) =
            outcome(&request(None), false, Ok(&reply(status, long.to_string().into_bytes())))
        else {
            panic!("it was rejected")
        };
        assert_eq!(rejected.code.as_ref(), plain);
        assert!(rejected.message.starts_with(plain) && rejected.message.len() <= 500, "{rejected:?}");
    }
    let other = json!({"metadata": {"dues_installation": odd}});
    let ChargeOutcome::NoAnswer(NoAnswer { reason, .. }) =
        outcome(&request(None), false, Ok(&reply(200, charge(&other))))
    else {
        panic!("it is no charge of ours")
    };
    assert!(!reason.chars().any(char::is_control), "{reason:?}");
}
