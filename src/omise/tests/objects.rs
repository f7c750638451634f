//! Objects in the forms that were recorded, and in forms that nobody has seen yet.

use bytes::Bytes;
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::omise::*;

fn reply(body: &Value) -> Reply {
    Reply {
        status: 200,
        provider_date: None,
        request_id: None,
        retry_after: None,
        body: Bytes::from(body.to_string()),
    }
}

fn read<T: DeserializeOwned + ApiObject>(body: &Value) -> T {
    reply(body).parse().unwrap()
}

fn card() -> Value {
    json!({
        "object": "card", "id": "card_test_1", "livemode": false, "deleted": false,
        "location": "/customers/cust_test_1/cards/card_test_1", "street1": null, "city": null,
        "postal_code": "10110", "country": "", "financing": "", "bank": "", "brand": "Visa",
        "fingerprint": "x+/=", "first_digits": null, "last_digits": "4242", "name": "A Name",
        "expiration_month": 11, "expiration_year": 2027, "security_code_check": true,
        "tokenization_method": null, "created_at": "2026-03-20T09:12:01Z"
    })
}

fn charge() -> Value {
    let what = json!({
        "object": "charge", "id": "chrg_test_1", "location": "/charges/chrg_test_1", "amount": 100_000,
        "net": 96094, "fee": 3650, "fee_vat": 256, "interest": 0, "funding_amount": 100_000,
        "refunded_amount": 0, "currency": "THB", "funding_currency": "THB", "ip": null,
        "transaction_fees": { "fee_flat": "0.0", "fee_rate": 3.65, "vat_rate": "7.0" },
        "platform_fee": { "fixed": null, "amount": null, "percentage": null },
        "refunds": { "object": "list", "data": [], "limit": 20, "offset": 0, "total": 0,
            "location": "/charges/chrg_test_1/refunds", "order": "chronological",
            "from": "1970-01-01T00:00:00Z", "to": "2026-03-20T09:24:16Z" },
        "description": "order 7", "metadata": {}, "card": card(), "source": null, "schedule": null,
        "customer": "cust_test_1", "dispute": null, "transaction": "trxn_test_1"
    });
    let outcome = json!({
        "failure_code": null, "failure_message": null, "merchant_advice": null, "merchant_advice_code": null,
        "status": "successful", "authorize_uri": "https://api.example.test/pay", "return_uri": null,
        "created_at": "2026-03-20T09:24:15Z", "paid_at": "2026-03-20T09:24:15Z",
        "authorized_at": "2026-03-20T09:24:15Z", "expires_at": "2026-03-27T09:24:15Z",
        "expired_at": "2026-03-27T09:24:15Z", "reversed_at": null, "authorized": true, "capture": true,
        "paid": true, "expired": false, "livemode": false, "refundable": true, "reversible": false,
        "can_perform_void": true, "approval_code": null, "multi_capture": false
    });
    with(what, &outcome)
}

/// The object with some fields put in the place of others.
fn with(mut object: Value, fields: &Value) -> Value {
    for (name, value) in fields.as_object().unwrap() {
        object[name] = value.clone();
    }
    object
}

#[test]
fn a_charge_as_recorded() {
    let charge: Charge = read(&charge());
    assert_eq!(charge.status, ChargeStatus::Successful);
    assert_eq!((charge.amount, charge.fee, charge.net), (100_000, Some(3650), Some(96094)));
    assert_eq!(charge.customer.as_ref().unwrap().id(), "cust_test_1");
    let card = charge.card.as_ref().unwrap().object().unwrap();
    assert_eq!((card.expiration_month, card.expiration_year), (11, 2027));
    let fees = charge.transaction_fees.as_ref().unwrap();
    assert_eq!((fees.fee_rate.as_deref(), fees.fee_flat.as_deref()), (Some("3.65"), Some("0.0")));
    assert_eq!(charge.paid_at, Some("2026-03-20T09:24:15Z".parse().unwrap()));
    // A success keeps its address for 3-D Secure; nobody has to go there any more.
    assert!(charge.authorize_uri.is_some());
    assert_eq!(charge.customer_must_act(), None);
}

#[test]
fn a_charge_that_waits_for_the_customer() {
    let waiting: Charge = read(&with(charge(), &json!({ "status": "pending", "paid": false })));
    assert_eq!(waiting.customer_must_act(), Some("https://api.example.test/pay"));
    let in_flight: Charge = read(&with(charge(), &json!({ "status": "pending", "authorize_uri": null })));
    assert_eq!(in_flight.customer_must_act(), None);
}

#[test]
fn words_and_fields_not_known_yet_are_kept_or_passed_over() {
    let new: Charge = read(&with(
        charge(),
        &json!({ "status": "on_the_moon", "failure_code": "moonstruck", "brand_new": { "a": [1] },
                "merchant_advice_code": 9101 }),
    ));
    assert_eq!(new.status, ChargeStatus::Other("on_the_moon".to_owned()));
    assert_eq!(
        (new.status.to_string(), new.failure_code.as_deref()),
        ("on_the_moon".into(), Some("moonstruck"))
    );
    assert_eq!(new.merchant_advice_code.as_deref(), Some("9101"));
}

#[test]
fn a_charge_needs_only_what_makes_it_one() {
    let least =
        json!({ "object": "charge", "id": "c", "status": "failed", "amount": "2000", "currency": "thb" });
    let charge: Charge = read(&least);
    assert_eq!((charge.amount, charge.created_at, charge.livemode), (2000, None, false));
    for field in ["id", "status", "amount", "currency"] {
        let mut lacking = least.clone();
        lacking.as_object_mut().unwrap().remove(field);
        assert!(reply(&lacking).parse::<Charge>().is_err(), "{field} was not missed");
        assert!(
            reply(&with(least.clone(), &json!({ field: null }))).parse::<Charge>().is_err(),
            "{field}: null"
        );
    }
    for wrong in [json!(1.5), json!("1.5"), json!(u64::MAX), json!(true), json!("")] {
        assert!(
            reply(&with(least.clone(), &json!({ "amount": wrong }))).parse::<Charge>().is_err(),
            "{wrong}"
        );
    }
}

#[test]
fn null_and_odd_dates_leave_the_rest_readable() {
    let nulls = json!({ "metadata": null, "refunds": null, "paid": null, "livemode": null, "fee": null,
        "created_at": "20 March", "paid_at": "", "transaction_fees": null, "card": null });
    let charge: Charge = read(&with(charge(), &nulls));
    assert!(charge.metadata.is_empty() && !charge.paid && charge.refunds.data.is_empty());
    assert_eq!((charge.fee, charge.created_at, charge.paid_at), (None, None, None));
}

#[test]
fn linked_objects_are_read_as_ids_and_as_objects() {
    let customer =
        json!({ "object": "customer", "id": "cust_test_1", "default_card": card(), "cards": null });
    let expanded: Charge = read(&with(charge(), &json!({ "customer": customer, "card": "card_test_1" })));
    let linked = expanded.customer.as_ref().unwrap();
    assert_eq!((linked.id(), expanded.card.as_ref().unwrap().id()), ("cust_test_1", "card_test_1"));
    assert_eq!(linked.object().unwrap().default_card().unwrap().last_digits, "4242");
    for wrong in [json!(7), json!([]), json!({ "id": "cust_test_1" })] {
        assert!(reply(&with(charge(), &json!({ "customer": wrong }))).parse::<Charge>().is_err(), "{wrong}");
    }
}

#[test]
fn an_expanded_object_still_tells_its_id() {
    let occurrence: Occurrence = read(&json!({
        "object": "occurrence", "id": "occu_test_1", "status": "skipped", "result": charge(),
        "schedule": { "object": "schedule", "id": "schd_test_1", "status": "suspended" }
    }));
    assert_eq!(occurrence.schedule.as_ref().unwrap().id(), "schd_test_1");
    assert_eq!(occurrence.result.as_ref().unwrap().id(), "chrg_test_1");
    let by_id: Expandable<Occurrence> = serde_json::from_value(json!("occu_test_2")).unwrap();
    assert_eq!((by_id.id(), by_id.object()), ("occu_test_2", None));
    for (text, id) in [(r#"{"id":"x"}"#, "x"), (r#"{"id":7}"#, ""), ("null", ""), ("{}", "")] {
        assert_eq!(
            serde_json::from_str::<Box<serde_json::value::RawValue>>(text).unwrap().id(),
            id,
            "{text}"
        );
    }
}

#[test]
fn a_customer_finds_its_default_card_among_the_embedded_ones() {
    let cards = json!({ "object": "list", "data": [card()], "total": 1 });
    let body = json!({ "object": "customer", "id": "cust_test_1", "email": null, "cards": cards,
        "default_card": "card_test_1", "metadata": { "plan": "pro" }, "linked_accounts": { "data": [] } });
    let customer: Customer = read(&body);
    assert_eq!(customer.default_card().unwrap().brand, "Visa");
    let elsewhere: Customer = read(&with(body.clone(), &json!({ "default_card": "card_test_9" })));
    assert_eq!(elsewhere.default_card(), None);
    let none: Customer = read(&with(body, &json!({ "default_card": null })));
    assert_eq!(none.default_card(), None);
}

#[test]
fn the_account_and_what_it_may_do() {
    let capability: Capability = read(&json!({
        "object": "capability", "location": "/capability", "banks": ["bbl"], "country": "TH",
        "limits": { "charge_amount": { "max": 500_000_000_000_i64, "min": 2000 },
                    "installment_amount": { "min": 200_000 } },
        "payment_methods": [
            { "object": "payment_method", "name": "card", "currencies": ["THB", "JPY"],
              "card_brands": ["Visa"], "installment_terms": null, "banks": [], "provider": null },
            { "object": "payment_method", "name": "alipay", "currencies": ["USD"], "card_brands": null }
        ],
        "tokenization_methods": ["applepay"], "zero_interest_installments": false
    }));
    let limits = &capability.limits.charge_amount;
    assert_eq!((limits.min, limits.max), (Some(2000), Some(500_000_000_000)));
    assert_eq!(capability.limits.installment_amount.max, None);
    assert!(capability.charges_cards_in("thb") && !capability.charges_cards_in("USD"));
    let account: Account = read(&json!({
        "object": "account", "id": "account_test_1", "team": "acct_1", "livemode": false, "country": "TH",
        "supported_currencies": ["THB"], "webhook_uri": null, "transfer_config": { "fee": "30.00" }
    }));
    assert_eq!(account.supported_currencies, ["THB"]);
    let balance: Balance = read(
        &json!({ "object": "balance", "currency": "THB", "total": 5, "transferable": 3, "on_hold": null }),
    );
    assert_eq!((balance.total, balance.transferable, balance.on_hold), (5, Some(3), None));
}

#[test]
fn a_schedule_with_its_occurrences() {
    let schedule: Schedule = read(&json!({
        "object": "schedule", "id": "schd_test_1", "every": 2, "period": "day", "on": {}, "status": "running",
        "charge": { "object": "scheduled_charge", "id": "rchg_test_1", "amount": 100_000, "currency": "THB",
            "customer": "cust_test_1", "card": null, "default_card": true, "metadata": {} },
        "occurrences": { "object": "list", "total": 1, "data": [{
            "object": "occurrence", "id": "occu_test_1", "result": "chrg_test_1", "schedule": "schd_test_1",
            "status": "successful", "scheduled_on": "2026-03-20", "retry_on": null, "message": null }] },
        "start_on": "2026-03-20", "end_on": "2027-03-20", "next_occurrences_on": ["2026-03-22"]
    }));
    assert_eq!(schedule.status, ScheduleStatus::Running);
    let charge = schedule.charge.as_ref().unwrap();
    assert_eq!((charge.amount, charge.default_card), (100_000, true));
    let occurrence = &schedule.occurrences.data[0];
    assert_eq!(occurrence.status, OccurrenceStatus::Successful);
    assert_eq!(occurrence.result.as_ref().unwrap().id(), "chrg_test_1");
    assert_eq!(occurrence.schedule.as_ref().unwrap().id(), "schd_test_1");
    // Deleting answers with less.
    let deleted: Schedule =
        read(&json!({ "object": "schedule", "id": "schd_test_1", "status": "deleted", "deleted": true }));
    assert!(deleted.deleted);
}

#[test]
fn events_searches_refunds_and_tokens() {
    let event: Event = read(&json!({
        "object": "event", "id": "evnt_test_1", "key": "charge.create", "data": charge(),
        "webhook_deliveries": [{ "object": "webhook_delivery", "id": "whdl_test_1", "status": 200,
            "uri": "https://shop.example.test/", "error": null, "created_at": "2026-03-20 09:24:15 UTC" }]
    }));
    assert_eq!(event.webhook_deliveries[0].status, Some(200));
    let search: Search<Charge> = read(&json!({
        "object": "search", "export": null, "data": [charge()], "page": 1, "per_page": 30, "total": 1,
        "total_pages": 1, "filters": { "amount": "1000" }, "query": "order", "scope": "charge"
    }));
    assert_eq!((search.scope, search.data.len()), (Some(SearchScope::Charge), 1));
    let refund: Refund =
        read(&json!({ "object": "refund", "id": "rfnd_test_1", "amount": 1, "currency": "JPY",
        "charge": "chrg_test_1", "status": "closed", "voided": true, "metadata": {} }));
    assert_eq!((refund.charge.unwrap().id(), refund.voided), ("chrg_test_1", true));
    let token: Token = read(&json!({ "object": "token", "id": "tokn_test_1", "used": false,
        "card": with(card(), &json!({ "location": null })), "charge_status": "unknown" }));
    assert_eq!(token.card.unwrap().location, None);
}

/// JSON of any shape, made of the API's own field names as often as not.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z_]{0,9}|2026-01-01T00:00:00Z|list|card|charge|\\PC{0,5}".prop_map(Value::from),
    ];
    let names = "object|id|data|amount|currency|status|card|customer|cards|refunds|metadata|[a-z]{1,5}";
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(names, inner, 0..6).prop_map(Value::from_iter),
        ]
    })
}

proptest! {
    #[test]
    fn no_bytes_can_make_reading_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), status in 0_u16..700) {
        let reply = Reply { status, body: bytes.into(), ..reply(&Value::Null) };
        let _ = reply.parse::<Charge>();
        let _ = reply.error_object();
    }

    #[test]
    fn no_odd_field_can_make_reading_panic(name in "[a-z_]{2,12}", value in any_json()) {
        for (field, _) in charge().as_object().unwrap() {
            let _ = reply(&with(charge(), &json!({ field: value }))).parse::<Charge>();
        }
        let _ = reply(&with(charge(), &json!({ name: value }))).parse::<Charge>();
        let _ = reply(&value).parse::<List<Customer>>();
        let _ = reply(&value).parse::<Capability>();
        let _ = reply(&value).parse::<Schedule>();
    }
}
