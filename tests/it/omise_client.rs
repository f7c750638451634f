//! The client against the sandbox over real HTTP: every resource, every kind of error, every fault.

use std::time::Duration;

use dues::omise::{
    CardUpdate, Charge, ChargeStatus, ChargeUpdate, Client, ClientConfig, CustomerUpdate, ErrorKind,
    GetRetry, ListQuery, Metadata, NewCharge, NewCustomer, NewRefund, NewToken, Order, PublicKey,
    ScheduleStatus, SearchQuery, SearchScope, SecretKey,
};
use dues::sandbox::{Sandbox, SandboxOptions, start};
use futures_util::TryStreamExt as _;

const GOOD: &str = "4242424242424242";
const POOR: &str = "4111111111140011";

async fn sandbox(customers: u32) -> Sandbox {
    start(SandboxOptions { customers, ..SandboxOptions::default() }).await.unwrap()
}

fn config(sandbox: &Sandbox) -> ClientConfig {
    ClientConfig {
        api_url: sandbox.api_url(),
        vault_url: sandbox.vault_url(),
        public_key: Some(PublicKey::parse(sandbox.public_key()).unwrap()),
        timeout: Duration::from_secs(20),
        get_retry: GetRetry::NEVER,
        ..ClientConfig::new(SecretKey::parse(sandbox.secret_key()).unwrap())
    }
}

fn client(sandbox: &Sandbox) -> Client {
    Client::new(&config(sandbox)).unwrap()
}

async fn token(client: &Client, number: &str) -> String {
    let card = NewToken {
        number: number.to_owned().into(),
        name: "A Customer".to_owned(),
        expiration_month: 12,
        expiration_year: 2090,
        security_code: Some("123".to_owned().into()),
    };
    client.tokens().create(&card).await.unwrap().value.id
}

async fn customer(client: &Client, number: &str) -> String {
    let token = token(client, number).await;
    let new = NewCustomer { card: Some(&token), ..NewCustomer::default() };
    client.customers().create(&new).await.unwrap().value.id
}

fn charge_of(customer: &str) -> NewCharge<'_> {
    NewCharge { amount: 99_000, currency: "THB", customer: Some(customer), ..NewCharge::default() }
}

#[tokio::test]
async fn the_life_of_a_customer() {
    let sandbox = sandbox(0).await;
    let client = client(&sandbox);
    let (first, second) = (token(&client, GOOD).await, token(&client, POOR).await);
    let metadata = Metadata::from_iter([("loyalty".to_owned(), "12345".into())]);
    let new = NewCustomer {
        email: Some("a@example.test"),
        description: Some("A"),
        card: Some(&first),
        metadata: metadata.clone(),
    };
    let made = client.customers().create(&new).await.unwrap().value;
    assert_eq!((made.email.as_deref(), &made.metadata), (Some("a@example.test"), &metadata));
    let first_card = made.default_card.as_ref().unwrap().id().to_owned();

    let add = CustomerUpdate { card: Some(&second), ..CustomerUpdate::default() };
    let two = client.customers().update(&made.id, &add).await.unwrap().value;
    assert_eq!(two.default_card.as_ref().unwrap().id(), first_card, "a second card is not the default");
    let second_card = two.cards.data.iter().find(|card| card.id != first_card).unwrap().id.clone();
    let pick = CustomerUpdate { default_card: Some(&second_card), ..CustomerUpdate::default() };
    let picked = client.customers().update(&made.id, &pick).await.unwrap().value;
    assert_eq!(picked.default_card.as_ref().unwrap().id(), second_card);

    let customers = client.customers();
    let cards = customers.cards(&made.id);
    let update = CardUpdate {
        name: Some("B"),
        expiration_year: Some(2091),
        city: Some("Bangkok"),
        ..Default::default()
    };
    let changed = cards.update(&second_card, &update).await.unwrap().value;
    assert_eq!((changed.name.as_deref(), changed.expiration_year), (Some("B"), 2091));
    assert_eq!(cards.retrieve(&second_card).await.unwrap().value, changed);
    assert!(cards.destroy(&second_card).await.unwrap().value.deleted);
    let left: Vec<_> = cards.rows(&ListQuery::default()).unwrap().into_stream().try_collect().await.unwrap();
    assert_eq!(left.len(), 1);
    let promoted = client.customers().retrieve(&made.id).await.unwrap().value;
    assert_eq!(promoted.default_card.unwrap().id(), first_card);

    let gone = client.customers().destroy(&made.id).await.unwrap().value;
    assert!(gone.deleted && gone.cards.data.is_empty() && gone.default_card.is_none());
    assert_eq!(client.customers().list(&ListQuery::default()).await.unwrap().value.total, 0);
    sandbox.stop().await;
}

#[tokio::test]
async fn the_life_of_charges() {
    let sandbox = sandbox(0).await;
    let client = client(&sandbox);
    let (rich, poor) = (customer(&client, GOOD).await, customer(&client, POOR).await);

    let paid = client.charges().create(&charge_of(&rich)).await.unwrap();
    assert_eq!((paid.value.status.clone(), paid.value.paid), (ChargeStatus::Successful, true));
    assert!(paid.provider_date.is_some() && paid.request_id.is_some());
    assert_eq!((paid.value.fee, paid.value.net), (Some(3614), Some(95133)));
    let declined = client.charges().create(&charge_of(&poor)).await.unwrap().value;
    assert_eq!(declined.status, ChargeStatus::Failed);
    assert_eq!(declined.failure_code.as_deref(), Some("insufficient_fund"));

    let held = NewCharge { capture: Some(false), ..charge_of(&rich) };
    let one = client.charges().create(&held).await.unwrap().value;
    let captured = client.charges().capture(&one.id, None).await.unwrap().value;
    assert_eq!(captured.status, ChargeStatus::Successful);
    let two = client.charges().create(&held).await.unwrap().value;
    assert_eq!(client.charges().reverse(&two.id).await.unwrap().value.status, ChargeStatus::Reversed);
    let three = client.charges().create(&held).await.unwrap().value;
    assert_eq!(client.charges().expire(&three.id).await.unwrap().value.status, ChargeStatus::Expired);

    let note = ChargeUpdate { description: Some("noted"), ..ChargeUpdate::default() };
    client.charges().update(&paid.value.id, &note).await.unwrap();
    let read = client.charges().retrieve(&paid.value.id).await.unwrap().value;
    assert_eq!(read.description.as_deref(), Some("noted"));

    let part = NewRefund { amount: 1_000, ..NewRefund::default() };
    let refund = client.charges().refund(&paid.value.id, &part).await.unwrap().value;
    let again = client.charges().retrieve_refund(&paid.value.id, &refund.id).await.unwrap().value;
    assert_eq!((again.amount, again.charge.unwrap().id()), (1_000, paid.value.id.as_str()));
    assert_eq!(client.refunds(&ListQuery::default()).next().await.unwrap().unwrap().id, refund.id);

    let newest = ListQuery { order: Order::ReverseChronological, limit: Some(2), ..ListQuery::default() };
    let page = client.charges().list(&newest).await.unwrap().value;
    assert_eq!((page.total, page.data.len(), page.data[0].id.as_str()), (5, 2, three.id.as_str()));
    assert_eq!(client.account().await.unwrap().value.supported_currencies[0], "THB");
    sandbox.stop().await;
}

/// Makes a schedule, which the client has no call for, and gives back its id.
async fn schedule(sandbox: &Sandbox, customer: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let body = format!(
        r#"{{"every":1,"period":"day","start_date":"2090-01-01","end_date":"2090-02-01","charge":{{"customer":"{customer}","amount":99000}}}}"#
    );
    let user = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        format!("{}:", sandbox.secret_key()),
    );
    let request = format!(
        "POST /schedules HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {user}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = tokio::net::TcpStream::connect(sandbox.addr()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.split('"').find(|word| word.starts_with("schd_")).unwrap().to_owned()
}

#[tokio::test]
async fn the_way_off_a_schedule() {
    let sandbox = sandbox(0).await;
    let client = client(&sandbox);
    let customer = customer(&client, GOOD).await;
    let id = schedule(&sandbox, &customer).await;
    let all = ListQuery::default();
    let of_customer = client.customers().schedules(&customer, &all).await.unwrap().value;
    assert_eq!((of_customer.total, of_customer.data[0].id.as_str()), (1, id.as_str()));
    let read = client.schedules().retrieve(&id).await.unwrap().value;
    assert_eq!(read.status, ScheduleStatus::Running);
    assert_eq!(read.charge.unwrap().amount, 99_000);
    assert_eq!(client.schedules().rows(&all).next().await.unwrap().unwrap().id, id);
    assert_eq!(client.schedules().list(&all).await.unwrap().value.total, 1);
    for occurrence in client.schedules().occurrences(&id, &all).await.unwrap().value.data {
        assert_eq!(client.schedules().occurrence(&occurrence.id).await.unwrap().value, occurrence);
    }
    let ended = client.schedules().destroy(&id).await.unwrap().value;
    assert_eq!((ended.deleted, ended.status), (true, ScheduleStatus::Deleted));
    sandbox.stop().await;
}

#[tokio::test]
async fn events_tell_what_happened() {
    let sandbox = sandbox(0).await;
    let client = client(&sandbox);
    let customer = customer(&client, GOOD).await;
    let charge = client.charges().create(&charge_of(&customer)).await.unwrap().value;
    let all = ListQuery::default();
    let listed = client.events().list(&all).await.unwrap().value;
    let made = listed.data.iter().find(|event| event.key == "charge.create").unwrap();
    assert_eq!(made.data.as_ref().unwrap()["id"], charge.id);
    assert_eq!(client.events().retrieve(&made.id).await.unwrap().value.key, "charge.create");
    let of_charge = client.charges().events(&charge.id, &all).await.unwrap().value;
    assert_eq!(of_charge.data[0].id, made.id);
    let rows: Vec<_> = client.events().rows(&all).into_stream().try_collect().await.unwrap();
    assert_eq!(u64::try_from(rows.len()).unwrap(), listed.total);
    sandbox.stop().await;
}

#[tokio::test]
async fn a_ready_body_is_posted_byte_for_byte() {
    let sandbox = sandbox(0).await;
    let client = client(&sandbox);
    let customer = customer(&client, GOOD).await;
    let body = format!(
        r#"{{"amount":2000,"currency":"thb","customer":"{customer}","description":"dues-7","metadata":{{"dues_attempt":"7"}}}}"#
    );
    let reply = client.charges().create_raw(body, "key-7").await.unwrap();
    let charge: Charge = reply.parse().unwrap();
    assert_eq!((charge.amount, charge.currency.as_str()), (2000, "THB"));
    assert_eq!(charge.metadata["dues_attempt"], "7");
    let found =
        client.charges().search(&SearchQuery { text: "dues-7", ..SearchQuery::default() }).await.unwrap();
    assert_eq!(found.value.data[0].id, charge.id);
    sandbox.stop().await;
}

#[tokio::test]
async fn a_list_of_many_pages_gives_every_row_once() {
    let sandbox = sandbox(250).await;
    let client = client(&sandbox);
    let total = client.customers().list(&ListQuery::default()).await.unwrap().value.total;
    let rows: Vec<_> =
        client.customers().rows(&ListQuery::default()).into_stream().try_collect().await.unwrap();
    let mut ids: Vec<_> = rows.iter().map(|customer| customer.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert!(total > 200, "{total} customers are no test of paging");
    assert_eq!((u64::try_from(rows.len()).unwrap(), ids.len()), (total, rows.len()));
    sandbox.stop().await;
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let sandbox = sandbox(0).await;
    let client = client(&sandbox);
    let rich = customer(&client, GOOD).await;
    let spent = token(&client, GOOD).await;
    let with_card = NewCustomer { card: Some(&spent), ..NewCustomer::default() };
    client.customers().create(&with_card).await.unwrap();

    let stranger = ClientConfig {
        secret_key: SecretKey::parse("skey_test_nobodyknowsthis00").unwrap(),
        ..config(&sandbox)
    };
    let stranger = Client::new(&stranger).unwrap();
    let unknown = charge_of("cust_test_nobody");
    let small = NewCharge { amount: 1, ..charge_of(&rich) };
    let nothing = NewCharge { customer: None, ..charge_of(&rich) };
    let moon = SearchScope::from("moon");
    let errors = [
        (stranger.account().await.map(drop), ErrorKind::Authentication, "authentication_failure"),
        (client.customers().retrieve("cust_test_nobody").await.map(drop), ErrorKind::NotFound, "not_found"),
        (client.charges().create(&unknown).await.map(drop), ErrorKind::NotFound, "not_found"),
        (client.charges().create(&nothing).await.map(drop), ErrorKind::NotFound, "not_found"),
        (client.charges().create(&small).await.map(drop), ErrorKind::InvalidRequest, "invalid_charge"),
        (client.customers().create(&with_card).await.map(drop), ErrorKind::InvalidRequest, "used_token"),
        (
            client.search::<Charge>(&moon, &SearchQuery::default()).await.map(drop),
            ErrorKind::InvalidRequest,
            "invalid_scope",
        ),
    ];
    for (result, kind, code) in errors {
        let error = result.unwrap_err();
        let api = error.api().unwrap_or_else(|| panic!("{code}: {error}"));
        assert_eq!((error.kind(), api.code.as_str()), (kind, code));
        assert!(api.request_id.is_some() && !api.message.is_empty(), "{error}");
    }
    sandbox.stop().await;
}

/// A fault, what the client must say of it, and whether the charge was made all the same.
const FAULTS: [(&str, Option<ErrorKind>, bool); 19] = [
    ("close_before", Some(ErrorKind::PerhapsProcessed), false),
    ("close_after", Some(ErrorKind::PerhapsProcessed), true),
    ("reset_before", Some(ErrorKind::PerhapsProcessed), false),
    ("reset_after", Some(ErrorKind::PerhapsProcessed), true),
    ("silence_before", Some(ErrorKind::PerhapsProcessed), false),
    ("silence_after", Some(ErrorKind::PerhapsProcessed), true),
    ("reset_at:40", Some(ErrorKind::PerhapsProcessed), true),
    ("cut_at:400", Some(ErrorKind::PerhapsProcessed), true),
    ("truncate", Some(ErrorKind::PerhapsProcessed), true),
    ("oversized:200000", Some(ErrorKind::PerhapsProcessed), true),
    ("drip:100", Some(ErrorKind::PerhapsProcessed), true),
    ("status_before:503", Some(ErrorKind::ProviderFault), false),
    ("status_after:500", Some(ErrorKind::ProviderFault), true),
    ("page_after:502", Some(ErrorKind::ProviderFault), true),
    ("html_after", Some(ErrorKind::Unusable), true),
    ("deep:20000", Some(ErrorKind::Unusable), true),
    ("wrong:object", Some(ErrorKind::Unusable), true),
    ("redirect:307", Some(ErrorKind::Unusable), false),
    ("too_many:7", Some(ErrorKind::RateLimited), false),
];

#[tokio::test]
async fn what_is_said_of_a_fault_agrees_with_the_ledger() {
    let sandbox = sandbox(0).await;
    let patient = client(&sandbox);
    let customer = customer(&patient, GOOD).await;
    // Short enough for the three that are waited for, long enough for a busy machine to answer the others.
    let hasty = ClientConfig { timeout: Duration::from_secs(2), body_max_bytes: 100_000, ..config(&sandbox) };
    let hasty = Client::new(&hasty).unwrap();
    let mut made = 0;
    for (fault, kind, is_made) in FAULTS {
        let metadata = Metadata::from_iter([("sandbox_fate".to_owned(), fault.into())]);
        let result = hasty.charges().create(&NewCharge { metadata, ..charge_of(&customer) }).await;
        let error = result.map(|answer| answer.value.status).unwrap_err();
        assert_eq!(Some(error.kind()), kind, "{fault}: {error}");
        made += usize::from(is_made);
        assert_eq!(sandbox.ledger().len(), made, "{fault}");
        if fault == "too_many:7" {
            assert_eq!(error.api().unwrap().retry_after, Some(Duration::from_secs(7)));
        }
    }
    sandbox.stop().await;
}
