//! Every call's request, as the API describes it: method, path, body.

use super::server::{Server, answer};
use super::{LONG, client};
use crate::omise::{
    CardUpdate, ChargeUpdate, Client, CustomerUpdate, ErrorKind, ListQuery, Metadata, NewCharge, NewCustomer,
    NewRefund, NewToken, RecurringReason, SearchQuery, SearchScope, TransactionIndicator,
};

/// Makes one call against a server that answers with an object of this kind; gives back the request's first
/// line without protocol, and its body.
macro_rules! sent {
    ($object:expr, |$client:ident| $call:expr) => {{
        let server = Server::saying(&answer("200 OK", "", $object)).await;
        let $client: Client = client(&server.address, LONG);
        $call.await.unwrap();
        let request = server.seen().remove(0);
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        let line = head.lines().next().unwrap().trim_end_matches(" HTTP/1.1");
        format!("{line} {body}").trim_end().to_owned()
    }};
}

const CHARGE: &str = r#"{"object":"charge","id":"chrg_1","status":"failed","amount":1,"currency":"THB"}"#;
const CUSTOMER: &str = r#"{"object":"customer","id":"cust_1"}"#;
const CARD: &str = r#"{"object":"card","id":"card_1","expiration_month":1,"expiration_year":"2030"}"#;
const SCHEDULE: &str = r#"{"object":"schedule","id":"schd_1","status":"running"}"#;
const REFUND: &str = r#"{"object":"refund","id":"rfnd_1","amount":1,"currency":"THB"}"#;
const EVENT: &str = r#"{"object":"event","id":"evnt_1","key":"charge.create"}"#;
const LIST: &str = r#"{"object":"list","data":[],"total":0}"#;
const SEARCH: &str = r#"{"object":"search","data":[],"filters":{"captured":"true"}}"#;

fn metadata() -> Metadata {
    Metadata::from_iter([("order".to_owned(), 7.into())])
}

fn first_page() -> ListQuery {
    ListQuery::default()
}

#[tokio::test]
async fn customers() {
    let new = NewCustomer { email: Some("a@example.test"), card: Some("tokn_1"), ..NewCustomer::default() };
    assert_eq!(
        sent!(CUSTOMER, |c| c.customers().create(&new)),
        r#"POST /customers {"email":"a@example.test","card":"tokn_1"}"#
    );
    let update =
        CustomerUpdate { default_card: Some("card_1"), metadata: Some(metadata()), ..Default::default() };
    assert_eq!(
        sent!(CUSTOMER, |c| c.customers().update("cust_1", &update)),
        r#"PATCH /customers/cust_1 {"default_card":"card_1","metadata":{"order":7}}"#
    );
    assert_eq!(sent!(CUSTOMER, |c| c.customers().retrieve("cust_1")), "GET /customers/cust_1");
    assert_eq!(sent!(CUSTOMER, |c| c.customers().destroy("cust_1")), "DELETE /customers/cust_1");
    assert_eq!(sent!(LIST, |c| c.customers().list(&first_page())), "GET /customers?order=chronological");
    let line = sent!(LIST, |c| c.customers().schedules("cust_1", &first_page()));
    assert_eq!(line, "GET /customers/cust_1/schedules?order=chronological");
}

#[tokio::test]
async fn cards() {
    let line = sent!(LIST, |c| c.customers().cards("cust_1").list(&first_page()));
    assert_eq!(line, "GET /customers/cust_1/cards?order=chronological");
    let line =
        sent!(LIST, |c| async { c.customers().cards("cust_1").rows(&first_page()).unwrap().next().await });
    assert_eq!(line, "GET /customers/cust_1/cards?order=chronological&limit=100");
    let path = "/customers/cust_1/cards/card_1";
    let line = sent!(CARD, |c| c.customers().cards("cust_1").retrieve("card_1"));
    assert_eq!(line, format!("GET {path}"));
    let line = sent!(CARD, |c| c.customers().cards("cust_1").destroy("card_1"));
    assert_eq!(line, format!("DELETE {path}"));
    let update = CardUpdate {
        name: Some("A"),
        expiration_month: Some(2),
        expiration_year: Some(2031),
        postal_code: Some("10110"),
        city: Some("Bangkok"),
    };
    assert_eq!(
        sent!(CARD, |c| c.customers().cards("cust_1").update("card_1", &update)),
        format!(
            r#"PATCH {path} {{"name":"A","expiration_month":2,"expiration_year":2031,"postal_code":"10110","city":"Bangkok"}}"#
        )
    );
}

#[tokio::test]
async fn charges() {
    let new = NewCharge {
        amount: 99_000,
        currency: "THB",
        customer: Some("cust_1"),
        capture: Some(false),
        metadata: metadata(),
        transaction_indicator: Some(TransactionIndicator::MerchantInitiated),
        recurring_reason: Some(RecurringReason::Subscription),
        first_charge: Some("chrg_0"),
        idempotency_key: Some("key-1"),
        ..NewCharge::default()
    };
    assert_eq!(
        sent!(CHARGE, |c| c.charges().create(&new)),
        r#"POST /charges {"amount":99000,"currency":"THB","customer":"cust_1","capture":false,"metadata":{"order":7},"transaction_indicator":"MIT","recurring_reason":"subscription","first_charge":"chrg_0"}"#
    );
    assert_eq!(sent!(CHARGE, |c| c.charges().retrieve("chrg_1")), "GET /charges/chrg_1");
    let update = ChargeUpdate { description: Some("d"), ..ChargeUpdate::default() };
    let line = sent!(CHARGE, |c| c.charges().update("chrg_1", &update));
    assert_eq!(line, r#"PATCH /charges/chrg_1 {"description":"d"}"#);
    let line = sent!(CHARGE, |c| c.charges().capture("chrg_1", Some(500)));
    assert_eq!(line, r#"POST /charges/chrg_1/capture {"capture_amount":500}"#);
    assert_eq!(sent!(CHARGE, |c| c.charges().capture("chrg_1", None)), "POST /charges/chrg_1/capture {}");
    assert_eq!(sent!(CHARGE, |c| c.charges().reverse("chrg_1")), "POST /charges/chrg_1/reverse {}");
    assert_eq!(sent!(CHARGE, |c| c.charges().expire("chrg_1")), "POST /charges/chrg_1/expire {}");
    let line = sent!(LIST, |c| c.charges().events("chrg_1", &first_page()));
    assert_eq!(line, "GET /charges/chrg_1/events?order=chronological");
    let line = sent!(LIST, |c| async { c.charges().rows(&first_page()).next().await });
    assert_eq!(line, "GET /charges?order=chronological&limit=100");
}

#[tokio::test]
async fn refunds() {
    let refund = NewRefund { amount: 500, void: Some(false), metadata: Metadata::new() };
    let line = sent!(REFUND, |c| c.charges().refund("chrg_1", &refund));
    assert_eq!(line, r#"POST /charges/chrg_1/refunds {"amount":500,"void":false}"#);
    let line = sent!(LIST, |c| c.charges().refunds("chrg_1", &first_page()));
    assert_eq!(line, "GET /charges/chrg_1/refunds?order=chronological");
    let line = sent!(REFUND, |c| c.charges().retrieve_refund("chrg_1", "rfnd_1"));
    assert_eq!(line, "GET /charges/chrg_1/refunds/rfnd_1");
    let line = sent!(LIST, |c| async { c.refunds(&first_page()).next().await });
    assert_eq!(line, "GET /refunds?order=chronological&limit=100");
}

#[tokio::test]
async fn schedules() {
    assert_eq!(sent!(SCHEDULE, |c| c.schedules().retrieve("schd_1")), "GET /schedules/schd_1");
    assert_eq!(sent!(SCHEDULE, |c| c.schedules().destroy("schd_1")), "DELETE /schedules/schd_1");
    assert_eq!(sent!(LIST, |c| c.schedules().list(&first_page())), "GET /schedules?order=chronological");
    let line = sent!(LIST, |c| async { c.schedules().rows(&first_page()).next().await });
    assert_eq!(line, "GET /schedules?order=chronological&limit=100");
    let line = sent!(LIST, |c| c.schedules().occurrences("schd_1", &first_page()));
    assert_eq!(line, "GET /schedules/schd_1/occurrences?order=chronological");
    let occurrence =
        r#"{"object":"occurrence","id":"occu_1","status":"skipped","scheduled_on":"2026-12-01"}"#;
    assert_eq!(sent!(occurrence, |c| c.schedules().occurrence("occu_1")), "GET /occurrences/occu_1");
}

#[tokio::test]
async fn account_and_events() {
    let account = r#"{"object":"account","id":"account_1"}"#;
    assert_eq!(sent!(account, |c| c.account()), "GET /account");
    let balance = r#"{"object":"balance","currency":"THB","total":"100"}"#;
    assert_eq!(sent!(balance, |c| c.balance()), "GET /balance");
    assert_eq!(sent!(r#"{"object":"capability"}"#, |c| c.capability()), "GET /capability");
    assert_eq!(sent!(EVENT, |c| c.events().retrieve("evnt_1")), "GET /events/evnt_1");
    assert_eq!(sent!(LIST, |c| c.events().list(&first_page())), "GET /events?order=chronological");
    let line = sent!(LIST, |c| async { c.events().rows(&first_page()).next().await });
    assert_eq!(line, "GET /events?order=chronological&limit=100");
}

#[tokio::test]
async fn lists_that_belong_to_one_object_are_read_whole() {
    let line = sent!(LIST, |c| async { c.customers().schedule_rows("cust_1").unwrap().next().await });
    assert_eq!(line, "GET /customers/cust_1/schedules?order=chronological&limit=100");
    let line = sent!(LIST, |c| async { c.charges().event_rows("chrg_1").unwrap().next().await });
    assert_eq!(line, "GET /charges/chrg_1/events?order=chronological&limit=100");
    let line = sent!(LIST, |c| async { c.charges().refund_rows("chrg_1").unwrap().next().await });
    assert_eq!(line, "GET /charges/chrg_1/refunds?order=chronological&limit=100");
    let line = sent!(LIST, |c| async { c.schedules().occurrence_rows("schd_1").unwrap().next().await });
    assert_eq!(line, "GET /schedules/schd_1/occurrences?order=chronological&limit=100");
}

#[tokio::test]
async fn search() {
    let query = SearchQuery {
        text: "order 7",
        filters: &[("captured", "true"), ("amount", "100..200")],
        page: Some(2),
        per_page: Some(1000),
        ..SearchQuery::default()
    };
    let tail = "?order=chronological&query=order+7&filters%5Bcaptured%5D=true\
                &filters%5Bamount%5D=100..200&page=2&per_page=100";
    let line = sent!(SEARCH, |c| c.search::<serde_json::Value>(&SearchScope::Dispute, &query));
    assert_eq!(line, format!("GET /search{tail}&scope=dispute"));
    assert_eq!(sent!(SEARCH, |c| c.charges().search(&query)), format!("GET /charges/search{tail}"));
    let line = sent!(SEARCH, |c| c.customers().search(&SearchQuery::default()));
    assert_eq!(line, "GET /customers/search?order=chronological");
}

#[tokio::test]
async fn tokens() {
    let new = NewToken {
        number: "4242424242424242".to_owned().into(),
        name: "A".to_owned(),
        expiration_month: 2,
        expiration_year: 2031,
        security_code: Some("123".to_owned().into()),
    };
    let token = r#"{"object":"token","id":"tokn_1","card":null}"#;
    assert_eq!(
        sent!(token, |c| c.tokens().create(&new)),
        r#"POST /tokens {"card":{"number":"4242424242424242","name":"A","expiration_month":2,"expiration_year":2031,"security_code":"123"}}"#
    );
    assert_eq!(sent!(token, |c| c.tokens().retrieve("tokn_1")), "GET /tokens/tokn_1");
}

#[tokio::test]
async fn tokens_need_a_public_key_and_a_test_one() {
    use crate::omise::{ClientConfig, PublicKey, SecretKey};
    let new = NewToken {
        number: String::new().into(),
        name: String::new(),
        expiration_month: 1,
        expiration_year: 2031,
        security_code: Some(String::new().into()),
    };
    let server = Server::saying(&answer("200 OK", "", "{}")).await;
    let without = ClientConfig { public_key: None, ..super::config(&server.address, LONG) };
    let live = ClientConfig {
        secret_key: SecretKey::parse("skey_abc").unwrap(),
        public_key: Some(PublicKey::parse("pkey_abc").unwrap()),
        ..without.clone()
    };
    for (config, word) in [(without, "public key"), (live, "test keys only")] {
        let error = Client::new(&config).unwrap().tokens().create(&new).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.to_string().contains(word), "{error}");
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_public_key_can_be_added_later_but_not_one_of_the_other_mode() {
    use crate::omise::{ClientConfig, PublicKey};
    let token = r#"{"object":"token","id":"tokn_1","used":true}"#;
    let server = Server::saying(&answer("200 OK", "", token)).await;
    let without = ClientConfig { public_key: None, ..super::config("http://127.0.0.1:9", LONG) };
    let without = Client::new(&without).unwrap();
    assert!(without.tokens().retrieve("tokn_1").await.is_err());
    let key = PublicKey::parse("pkey_test_canarypublic").unwrap();
    let with = without.with_public_key(&server.address, key).unwrap();
    assert!(with.tokens().retrieve("tokn_1").await.unwrap().value.used);
    let live = PublicKey::parse("pkey_live").unwrap();
    assert!(without.with_public_key(&server.address, live).is_err());
}
