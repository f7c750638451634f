//! A socket whose outgoing bytes can be cut off at a chosen place.
//!
//! Promises: after the cut nothing more leaves, and the peer sees either a reset or a plain end. Must never
//! know HTTP.

use std::io::{Error, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// No cut is planned.
const NONE: u64 = u64::MAX;

/// Where a connection will be cut. Shared with whoever answers on it.
pub struct Cut {
    /// Bytes that may still leave.
    left: AtomicU64,
    reset: AtomicBool,
}

impl Default for Cut {
    fn default() -> Self {
        Self { left: AtomicU64::new(NONE), reset: AtomicBool::new(false) }
    }
}

impl Cut {
    /// Lets only so many more bytes leave, then ends the connection, by a reset or quietly.
    pub fn after(&self, bytes: u64, reset: bool) {
        self.reset.store(reset, Ordering::Release);
        self.left.store(bytes.min(NONE - 1), Ordering::Release);
    }
}

/// The socket.
pub struct Wire {
    stream: TcpStream,
    cut: Arc<Cut>,
}

impl Wire {
    pub fn new(stream: TcpStream, cut: Arc<Cut>) -> Self {
        Self { stream, cut }
    }

    fn end(&self) -> Error {
        if self.cut.reset.load(Ordering::Acquire) {
            // Dropping the socket now sends a reset. If even that fails the peer sees an end: as good.
            drop(self.stream.set_zero_linger());
        }
        Error::new(ErrorKind::ConnectionAborted, "cut off by a switch")
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let left = self.cut.left.load(Ordering::Acquire);
        if left == NONE {
            return Pin::new(&mut self.stream).poll_write(cx, buf);
        }
        if left == 0 {
            return Poll::Ready(Err(self.end()));
        }
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buf.len());
        let sent = ready!(Pin::new(&mut self.stream).poll_write(cx, &buf[..most]))?;
        self.cut.left.store(left - sent as u64, Ordering::Release);
        Poll::Ready(Ok(sent))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
