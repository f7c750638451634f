//! A listener between the program and the sandbox that plays one trick on one charge: it stops the request in its
//! midst, or holds or cuts the answer, and says so, so that the program can be killed at exactly that moment.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// What happens to the charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trick {
    /// Only so many bytes of the request reach the provider.
    CutRequest(usize),
    /// The provider answers in full; nothing of it comes through.
    HoldAnswer,
    /// So many bytes of the answer come through.
    CutAnswer(usize),
}

/// A running proxy; ends with this value.
pub struct Proxy {
    addr: SocketAddr,
    reached: Receiver<()>,
    task: JoinHandle<()>,
}

struct Plan {
    upstream: SocketAddr,
    trick: Trick,
    nth: u64,
    charges: AtomicU64,
    reached: Sender<()>,
}

impl Proxy {
    /// Between the program and `upstream`; the trick is played on the `nth` charge, counted from 1.
    pub fn start(runtime: &Handle, upstream: SocketAddr, trick: Trick, nth: u64) -> Self {
        let (sender, reached) = channel();
        let plan = Arc::new(Plan { upstream, trick, nth, charges: AtomicU64::new(0), reached: sender });
        let listener =
            runtime.block_on(TcpListener::bind(("127.0.0.1", 0))).expect("a free port on this machine");
        let addr = listener.local_addr().expect("bound");
        let task = runtime.spawn(async move {
            let mut under_way = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                under_way.spawn(serve(plan.clone(), stream));
            }
        });
        Self { addr, reached, task }
    }

    /// Where the program is to send its requests.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Waits until the trick was played; false if it was not within `patience`.
    pub fn reached(&self, patience: Duration) -> bool {
        self.reached.recv_timeout(patience).is_ok()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One connection: request after request, each answered before the next is read.
async fn serve(plan: Arc<Plan>, mut near: TcpStream) -> Option<()> {
    let mut far = TcpStream::connect(plan.upstream).await.ok()?;
    loop {
        let request = message(&mut near).await?;
        let charge = request.starts_with(b"POST /charges ");
        let chosen = charge && plan.charges.fetch_add(1, Ordering::SeqCst) + 1 == plan.nth;
        if let (true, Trick::CutRequest(bytes)) = (chosen, plan.trick) {
            far.write_all(&request[..bytes.min(request.len())]).await.ok()?;
            return wait_for_the_end(&plan).await;
        }
        far.write_all(&request).await.ok()?;
        let answer = message(&mut far).await?;
        if chosen {
            if let Trick::CutAnswer(bytes) = plan.trick {
                // Never the whole of it: the program must still be waiting when it is killed.
                let cut = bytes.min(answer.len().saturating_sub(1));
                near.write_all(&answer[..cut]).await.ok()?;
            }
            return wait_for_the_end(&plan).await;
        }
        near.write_all(&answer).await.ok()?;
    }
}

/// Both connections stay open until the proxy is dropped.
async fn wait_for_the_end(plan: &Plan) -> Option<()> {
    plan.reached.send(()).ok()?;
    std::future::pending().await
}

/// Head and body of one message, by its `Content-Length`; `None` at the end of the connection.
async fn message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut part = [0; 8192];
    loop {
        if let Some(head) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let length = content_length(&bytes[..head]);
            if bytes.len() >= head + 4 + length {
                return Some(bytes);
            }
        }
        match stream.read(&mut part).await {
            Ok(0) | Err(_) => return None,
            Ok(many) => bytes.extend_from_slice(&part[..many]),
        }
    }
}

fn content_length(head: &[u8]) -> usize {
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    head.lines()
        .find_map(|line| line.strip_prefix("content-length:"))
        .and_then(|digits| digits.trim().parse().ok())
        .unwrap_or(0)
}
