//! Canaries: whatever is secret or personal is looked for in every text that the client can produce.

use std::io::Write;
use std::sync::{Arc, Mutex};

use zeroize::Zeroizing;

use super::server::{Act, Server, answer};
use super::{LONG, SHORT, config};
use crate::omise::{Client, Customer, NewCharge, NewCustomer, NewToken, SearchQuery};

/// In the keys of `config`, in card numbers, in bodies and in queries below.
const CANARY: &str = "canary";
const NUMBER: &str = "4242424242424242";

/// Log lines, kept for reading.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The Basic form of both canary keys, as a header would show it.
fn encoded() -> [String; 2] {
    use base64::Engine as _;
    ["skey_test_canarysecret:", "pkey_test_canarypublic:"]
        .map(|pair| base64::engine::general_purpose::STANDARD.encode(pair))
}

fn assert_clean(what: &str, text: &str) {
    for secret in [CANARY, NUMBER].into_iter().map(str::to_owned).chain(encoded()) {
        assert!(!text.contains(&secret), "{what} shows {secret}: {text}");
    }
}

/// Makes calls of every kind, each with canaries in it, and gives back the texts of what went wrong.
async fn failures(client: &Client) -> Vec<String> {
    let new = NewCustomer { email: Some("canary@example.test"), ..NewCustomer::default() };
    let charge = NewCharge { description: Some("canary"), currency: "THB", ..NewCharge::default() };
    let token = NewToken {
        number: Zeroizing::new(NUMBER.to_owned()),
        name: "canary".to_owned(),
        expiration_month: 1,
        expiration_year: 2031,
        security_code: Some(Zeroizing::new("canary".to_owned())),
    };
    let query = SearchQuery { text: "canary@example.test", ..SearchQuery::default() };
    let errors = [
        client.customers().create(&new).await.map(drop).unwrap_err(),
        client.customers().search(&query).await.map(drop).unwrap_err(),
        client.charges().create(&charge).await.map(drop).unwrap_err(),
        client.tokens().create(&token).await.map(drop).unwrap_err(),
    ];
    let raw = client.charges().create_raw(r#"{"description":"canary"}"#, "canary").await;
    let mut texts: Vec<String> = errors.iter().map(|error| format!("{error} {error:?}")).collect();
    texts.push(format!("{token:?}"));
    if let Err(error) = raw {
        texts.push(format!("{error} {error:?}"));
    }
    texts
}

#[tokio::test]
async fn no_error_and_no_log_line_shows_a_secret() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    tracing::trace!("the log is being kept");

    let echo = r#"{"object":"customer","id":"canary","email":"canary","livemode":"canary"}"#;
    let acts = [
        Act::CloseUnread,
        Act::Reset,
        Act::Silence,
        Act::Say(b"canary canary\r\n".to_vec()),
        Act::Say(answer("200 OK", "", echo).into_bytes()),
        Act::Say(answer("500 Oops", "", "<p>canary</p>").into_bytes()),
        Act::Say(answer("307 There", "Location: http://canary.test/\r\n", "canary").into_bytes()),
    ];
    for act in acts {
        let server = Server::start(vec![act]).await;
        let config = config(&server.address, SHORT / 16);
        assert_clean("the config", &format!("{config:?}"));
        let client = Client::new(&config).unwrap();
        assert_clean("the client", &format!("{client:?} {:?}", client.charges()));
        for text in failures(&client).await {
            assert_clean("an error", &text);
        }
    }
    let lines = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(lines.contains("the log is being kept"));
    assert_clean("the log", &lines);
}

#[tokio::test]
async fn wrong_settings_are_refused_without_repeating_them() {
    let mut wrong = config("http://127.0.0.1:1", LONG);
    for address in
        ["http://skey_test_canary@127.0.0.1:1", "https://h/?key=canary", "canary", "http://[canary"]
    {
        address.clone_into(&mut wrong.api_url);
        let error = Client::new(&wrong).unwrap_err();
        assert_clean("a config error", &format!("{error} {error:?}"));
    }
}

#[test]
fn a_panic_message_with_a_key_in_scope_shows_nothing() {
    let config = config("http://127.0.0.1:1", LONG);
    let panic = std::panic::catch_unwind(|| {
        panic!("a caller's own mistake: {:?}", config.secret_key);
    })
    .unwrap_err();
    let text = panic.downcast_ref::<String>().unwrap();
    assert!(text.contains("SecretKey(test)"), "{text}");
    assert_clean("a panic", text);
}

#[tokio::test]
async fn a_reply_shows_its_length_and_not_its_body() {
    let server = Server::saying(&answer("200 OK", "", r#"{"object":"customer","email":"canary"}"#)).await;
    let client = Client::new(&config(&server.address, LONG)).unwrap();
    let reply = client.charges().create_raw("{}", "key-1").await.unwrap();
    assert_clean("a reply", &format!("{reply:?} {:?}", reply.parse::<Customer>().map(drop)));
    assert!(format!("{reply:?}").contains("38 bytes"), "{reply:?}");
}
