//! A server that does as it is told, byte for byte, and remembers what it was sent.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What to do with one connection.
#[derive(Clone)]
pub(super) enum Act {
    /// Close without reading.
    CloseUnread,
    /// Read the request, then close without a word.
    CloseAfterReading,
    /// Read the request, then reset the connection.
    Reset,
    /// Read the request, then say nothing while the client waits.
    Silence,
    /// Read the request, write these bytes, close.
    Say(Vec<u8>),
    /// As `Say`, then leave the connection open and answer every further request alike.
    KeepSaying(Vec<u8>),
    /// Read the request, write the bytes one by one with this gap.
    Drip(Vec<u8>, Duration),
    /// Read the request, write these bytes again and again.
    Flood(Vec<u8>),
}

/// A running server; it stops when dropped.
pub(super) struct Server {
    pub(super) address: String,
    seen: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Server {
    /// Serves the acts to the connections in turn; the last one serves all that follow.
    pub(super) async fn start(acts: Vec<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let task = tokio::spawn(accept(listener, acts, Arc::clone(&seen)));
        Self { address, seen, task }
    }

    pub(super) async fn saying(text: &str) -> Self {
        Self::start(vec![Act::Say(text.as_bytes().to_vec())]).await
    }

    /// The requests received so far, heads and bodies.
    pub(super) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A whole answer with the right length.
pub(super) fn answer(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nDate: Sun, 22 Nov 2026 02:00:00 GMT\r\nX-Request-Id: req-1\r\n{headers}\
         Content-Type: application/json; charset=utf-8\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn accept(listener: TcpListener, acts: Vec<Act>, seen: Arc<Mutex<Vec<String>>>) {
    let mut acts = acts.into_iter().peekable();
    let mut last = acts.peek().cloned();
    // Connections are served inside this task, so that aborting it closes all of them.
    let mut open = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        last = acts.next().or(last);
        let Some(act) = last.clone() else { return };
        open.spawn(serve(stream, act, Arc::clone(&seen)));
    }
}

async fn serve(mut stream: TcpStream, act: Act, seen: Arc<Mutex<Vec<String>>>) {
    if matches!(act, Act::CloseUnread) {
        return;
    }
    while let Some(request) = read_request(&mut stream).await {
        seen.lock().unwrap().push(request);
        match &act {
            Act::CloseUnread | Act::CloseAfterReading => return,
            Act::Reset => return stream.set_zero_linger().unwrap(),
            Act::Silence => std::future::pending().await,
            Act::Say(bytes) => {
                let _ = stream.write_all(bytes).await;
                return;
            }
            Act::KeepSaying(bytes) => stream.write_all(bytes).await.unwrap(),
            Act::Drip(bytes, gap) => {
                for byte in bytes {
                    if stream.write_all(&[*byte]).await.is_err() {
                        return;
                    }
                    tokio::time::sleep(*gap).await;
                }
                return;
            }
            Act::Flood(bytes) => while stream.write_all(bytes).await.is_ok() {},
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .filter_map(|line| line.split_once(": "))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .map_or(0, |(_, value)| value.parse::<usize>().unwrap());
            if body.len() >= length {
                return Some(text);
            }
        }
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => request.extend_from_slice(&buffer[..read]),
        }
    }
}
