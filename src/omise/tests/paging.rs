//! Lists that change while they are read.

use std::fmt::Write as _;

use futures_util::TryStreamExt as _;
use serde_json::value::RawValue;

use super::server::{Act, Server, answer};
use super::{LONG, client, config};
use crate::omise::{Client, Error, ErrorKind, GetRetry, ListQuery};

/// A page of a list of customers numbered from `first` to `last`.
fn page(first: usize, last: usize, total: usize) -> Act {
    let mut rows = String::new();
    for number in first..=last {
        let comma = if number == first { "" } else { "," };
        write!(rows, r#"{comma}{{"object":"customer","id":"cust_test_{number}","livemode":false}}"#).unwrap();
    }
    let body = format!(
        r#"{{"object":"list","data":[{rows}],"limit":100,"offset":0,"total":{total},
        "from":"1970-01-01T00:00:00Z","to":"2026-11-22T01:59:59Z"}}"#
    );
    Act::Say(answer("200 OK", "", &body).into_bytes())
}

async fn read_all(server: &Server, query: &ListQuery) -> Result<Vec<String>, Error> {
    let client = client(&server.address, LONG);
    let rows = client.customers().rows(query).into_stream();
    rows.map_ok(|customer| customer.id).try_collect().await
}

fn ids(numbers: impl IntoIterator<Item = usize>) -> Vec<String> {
    numbers.into_iter().map(|number| format!("cust_test_{number}")).collect()
}

fn lines(server: &Server) -> Vec<String> {
    server.seen().iter().map(|request| request.lines().next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_window_is_fixed_by_the_first_page() {
    let server = Server::start(vec![page(1, 100, 150), page(101, 150, 150)]).await;
    let query = ListQuery { limit: Some(3), ..ListQuery::default() };
    assert_eq!(read_all(&server, &query).await.unwrap(), ids(1..=150));
    assert_eq!(
        lines(&server),
        [
            "GET /customers?order=chronological&limit=100 HTTP/1.1",
            "GET /customers?order=chronological&to=2026-11-22T01%3A59%3A59Z&offset=100&limit=100 HTTP/1.1"
        ]
    );
}

#[tokio::test]
async fn a_row_that_appears_meanwhile_is_read_once_and_loses_nobody() {
    // Number 121 is created in the window's last second, while the first page is under way.
    let server = Server::start(vec![page(1, 100, 120), page(101, 121, 121)]).await;
    assert_eq!(read_all(&server, &ListQuery::default()).await.unwrap(), ids(1..=121));
    // Newest first, a new row pushes the last one of a page onto the next: it is not given again.
    let server = Server::start(vec![page(1, 100, 120), page(100, 120, 121)]).await;
    assert_eq!(read_all(&server, &ListQuery::default()).await.unwrap(), ids(1..=120));
}

#[tokio::test]
async fn rows_that_vanish_meanwhile_hide_no_other_row() {
    // After the first page the customers 1 to 5 are deleted, so that 101 to 105 move up into its range.
    let server = Server::start(vec![page(1, 100, 150), page(106, 150, 145), page(101, 150, 145)]).await;
    assert_eq!(read_all(&server, &ListQuery::default()).await.unwrap(), ids(1..=150));
    assert!(lines(&server)[2].contains("offset=95&"), "{:?}", lines(&server));
}

#[tokio::test]
async fn a_list_that_withholds_rows_is_an_error_and_not_the_end() {
    let server = Server::start(vec![page(1, 100, 150), page(1, 0, 150)]).await;
    assert_eq!(read_all(&server, &ListQuery::default()).await.unwrap_err().kind(), ErrorKind::Incomplete);
    let server = Server::start(vec![page(1, 100, 5000), page(1, 0, 90)]).await;
    let error = read_all(&server, &ListQuery::default()).await.unwrap_err();
    assert!(error.to_string().contains("4910 rows vanished"), "{error}");
}

#[tokio::test]
async fn an_error_between_pages_skips_nothing() {
    let broken = Act::Say(answer("404 Not Found", "", "").into_bytes());
    let server = Server::start(vec![page(1, 100, 101), broken, page(101, 101, 101)]).await;
    let client = client(&server.address, LONG);
    let mut rows = client.customers().rows(&ListQuery::default());
    for _ in 0..100 {
        rows.next().await.unwrap().unwrap();
    }
    rows.next().await.unwrap_err();
    assert_eq!(rows.next().await.unwrap().unwrap().id, "cust_test_101");
    assert!(rows.next().await.unwrap().is_none());
    assert!(rows.next().await.unwrap().is_none());
}

#[tokio::test]
async fn a_page_that_breaks_off_is_asked_for_again() {
    let server = Server::start(vec![page(1, 100, 101), Act::Reset, page(101, 101, 101)]).await;
    let get_retry = GetRetry { first: std::time::Duration::from_millis(1), ..GetRetry::default() };
    let client =
        Client::new(&crate::omise::ClientConfig { get_retry, ..config(&server.address, LONG) }).unwrap();
    let rows = client.customers().rows(&ListQuery::default()).raw();
    let rows: Vec<Box<RawValue>> = rows.into_stream().try_collect().await.unwrap();
    assert_eq!(rows.len(), 101);
    assert_eq!(rows[100].get(), r#"{"object":"customer","id":"cust_test_101","livemode":false}"#);
}

#[tokio::test]
async fn futures_and_streams_can_be_spawned() {
    fn sendable<T: Send>(value: T) -> T {
        value
    }
    let server = Server::start(vec![page(1, 1, 1)]).await;
    let client = client(&server.address, LONG);
    sendable(client.capability()).await.unwrap_err();
    sendable(client.charges().create_raw("{}", "key-1")).await.unwrap();
    let rows = sendable(client.customers().rows(&ListQuery::default()).into_stream());
    assert_eq!(rows.try_collect::<Vec<_>>().await.unwrap().len(), 1);
}
