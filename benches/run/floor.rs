//! The floor: the least safe loop that can do the job, as fast as it can be made from the same parts.
//!
//! It reads due rows from a book of its own, makes an intent durable, posts the charge, keeps the outcome; both are
//! committed in groups (WAL, synchronous=FULL). Nothing else: no cards, no periods, no versions, no echo compared,
//! no doubt, no brakes. It runs in a process of its own, so that its time, CPU and memory are its alone.
//! Must never know anything of dues: its rows, requests and answers are written out here.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc as blocking;
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use serde::Deserialize;
use tokio::sync::{Mutex, mpsc, oneshot};

use crate::Fallible;

/// Rows read at a time.
const PAGE_ROWS: i64 = 512;
/// So many rows wait at most for a free slot.
const WAITING_MAX: usize = 512;
/// Notes in one transaction at most: more than can be waiting with any number of slots that is used here.
const GROUP_MAX: usize = 1024;
/// Once a note has come, others are waited for so long: fewer, larger groups take less of the machine.
const GATHER: Duration = Duration::from_micros(500);

const SCHEMA: &str = "
    CREATE TABLE due (id INTEGER PRIMARY KEY, customer TEXT NOT NULL, amount INTEGER NOT NULL) STRICT;
    CREATE TABLE attempts (id INTEGER PRIMARY KEY, key TEXT NOT NULL, charge TEXT, status TEXT) STRICT;";

/// What the floor is told.
#[derive(Debug, Clone)]
pub struct Order {
    /// Its book, with the due rows in it.
    pub book: PathBuf,
    /// Base address of the API.
    pub api_url: String,
    /// The key that charges.
    pub secret_key: String,
    /// Charges under way at once.
    pub in_flight: usize,
}

struct Due {
    id: i64,
    customer: String,
    amount: i64,
}

enum Note {
    Intent { id: i64, key: String, durable: oneshot::Sender<()> },
    Outcome { id: i64, charge: String, status: String },
}

/// The little that is read of an answer.
#[derive(Deserialize)]
struct Answer<'a> {
    id: &'a str,
    status: &'a str,
}

/// Makes a book in which these customers are due.
pub fn make_book(path: &Path, customers: &[String], amount: i64) -> Fallible<()> {
    let mut book = open(path)?;
    book.execute_batch(SCHEMA)?;
    let all = book.transaction()?;
    {
        let mut insert = all.prepare("INSERT INTO due (customer, amount) VALUES (?1, ?2)")?;
        for customer in customers {
            insert.execute((customer, amount))?;
        }
    }
    all.commit()?;
    Ok(())
}

/// How many of its charges a floor's book calls successful.
pub fn kept(path: &Path) -> Fallible<i64> {
    let count = "SELECT count(*) FROM attempts WHERE status = 'successful' AND charge IS NOT NULL";
    Ok(open(path)?.query_row(count, (), |row| row.get(0))?)
}

fn open(path: &Path) -> Fallible<Connection> {
    let book = Connection::open(path)?;
    book.pragma_update(None, "journal_mode", "WAL")?;
    book.pragma_update(None, "synchronous", "FULL")?;
    Ok(book)
}

/// Charges everything due, and returns once every outcome is durable.
pub fn run(order: &Order) -> Fallible<()> {
    let (notes, note_box) = blocking::channel();
    let keeper = keep(open(&order.book)?, note_box);
    let (feed, rows) = mpsc::channel(WAITING_MAX);
    let reader = read(open(&order.book)?, feed);
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(charge_all(order, rows, notes))?;
    ended(reader)?;
    ended(keeper)
}

fn ended(thread: JoinHandle<rusqlite::Result<()>>) -> Fallible<()> {
    Ok(thread.join().map_err(|_| "a thread of the floor panicked")??)
}

/// The thread that reads due rows, page by page.
fn read(book: Connection, feed: mpsc::Sender<Due>) -> JoinHandle<rusqlite::Result<()>> {
    std::thread::spawn(move || {
        let mut page =
            book.prepare("SELECT id, customer, amount FROM due WHERE id > ?1 ORDER BY id LIMIT ?2")?;
        let mut last = 0;
        loop {
            let rows = page
                .query_map((last, PAGE_ROWS), |row| {
                    Ok(Due { id: row.get(0)?, customer: row.get(1)?, amount: row.get(2)? })
                })?
                .collect::<Result<Vec<_>, _>>()?;
            let Some(end) = rows.last() else { return Ok(()) };
            last = end.id;
            for row in rows {
                if feed.blocking_send(row).is_err() {
                    return Ok(());
                }
            }
        }
    })
}

/// The thread that commits notes in groups.
fn keep(mut book: Connection, notes: blocking::Receiver<Note>) -> JoinHandle<rusqlite::Result<()>> {
    std::thread::spawn(move || {
        let mut group = Vec::with_capacity(GROUP_MAX);
        while let Ok(first) = notes.recv() {
            group.push(first);
            if !GATHER.is_zero() {
                std::thread::sleep(GATHER);
            }
            group.extend(notes.try_iter().take(GROUP_MAX - 1));
            write(&mut book, &group)?;
            for note in group.drain(..) {
                if let Note::Intent { durable, .. } = note {
                    let _ = durable.send(()); // Its slot has failed by itself, and says so itself.
                }
            }
        }
        Ok(())
    })
}

fn write(book: &mut Connection, group: &[Note]) -> rusqlite::Result<()> {
    let all = book.transaction()?;
    for note in group {
        match note {
            Note::Intent { id, key, .. } => {
                all.prepare_cached("INSERT INTO attempts (id, key) VALUES (?1, ?2)")?.execute((id, key))?
            }
            Note::Outcome { id, charge, status } => all
                .prepare_cached("UPDATE attempts SET charge = ?2, status = ?3 WHERE id = ?1")?
                .execute((id, charge, status))?,
        };
    }
    all.commit()
}

async fn charge_all(order: &Order, rows: mpsc::Receiver<Due>, notes: blocking::Sender<Note>) -> Fallible<()> {
    let wire = Arc::new(Wire::new(order)?);
    let rows = Arc::new(Mutex::new(rows));
    let slots: Vec<_> = (0..order.in_flight)
        .map(|_| tokio::spawn(slot(Arc::clone(&wire), Arc::clone(&rows), notes.clone())))
        .collect();
    drop(notes);
    for slot in slots {
        slot.await??;
    }
    Ok(())
}

/// One slot: row after row, until there is none.
async fn slot(
    wire: Arc<Wire>,
    rows: Arc<Mutex<mpsc::Receiver<Due>>>,
    notes: blocking::Sender<Note>,
) -> Fallible<()> {
    loop {
        let row = rows.lock().await.recv().await;
        let Some(due) = row else { return Ok(()) };
        let key = format!("{:032x}", due.id);
        let (durable, is_durable) = oneshot::channel();
        notes.send(Note::Intent { id: due.id, key: key.clone(), durable })?;
        is_durable.await?;
        let (charge, status) = wire.charge(&due, &key).await?;
        notes.send(Note::Outcome { id: due.id, charge, status })?;
    }
}

/// The connections, with the headers that dues sends.
struct Wire {
    http: reqwest::Client,
    url: reqwest::Url,
    headers: reqwest::header::HeaderMap,
}

impl Wire {
    fn new(order: &Order) -> Fallible<Self> {
        use base64::Engine as _;
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("{}:", order.secret_key));
        let mut headers = reqwest::header::HeaderMap::new();
        headers.insert("authorization", format!("Basic {pair}").parse()?);
        headers.insert("omise-version", "2019-05-29".parse()?);
        headers.insert("accept", "application/json".parse()?);
        headers.insert("user-agent", "floor/1 OmiseAPI/2019-05-29".parse()?);
        headers.insert("content-type", "application/json".parse()?);
        let http = reqwest::Client::builder()
            .http1_only()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(order.in_flight)
            .tls_certs_only([])
            .build()?;
        Ok(Self { http, url: format!("{}/charges", order.api_url).parse()?, headers })
    }

    async fn charge(&self, due: &Due, key: &str) -> Fallible<(String, String)> {
        let mut request = reqwest::Request::new(reqwest::Method::POST, self.url.clone());
        *request.headers_mut() = self.headers.clone();
        request.headers_mut().insert("idempotency-key", key.parse()?);
        *request.body_mut() = Some(body(due).into());
        let bytes = self.http.execute(request).await?.bytes().await?;
        let answer: Answer<'_> = serde_json::from_slice(&bytes)?;
        Ok((answer.id.to_owned(), answer.status.to_owned()))
    }
}

/// As long as the one that dues sends, and with the same parts.
fn body(due: &Due) -> String {
    let Due { id, customer, amount } = due;
    format!(
        r#"{{"amount":{amount},"currency":"THB","customer":"{customer}","description":"Pro, 2026-11-01 to 2026-12-01 [sub_floor_{id:016}-0-1]","metadata":{{"dues_installation":"00000000000000000000000000f100f1","dues_invoice":"sub_floor_{id:016}-0","dues_attempt":"sub_floor_{id:016}-0-1"}}}}"#
    )
}
