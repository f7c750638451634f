//! The listener: a few paths, a few connections at a time, each for a short while.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use jiff::SignedDuration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

use super::doorbell;
use super::look::look;
use super::metrics;
use super::standing::{Phase, Standing};
use crate::billing::Billing;
use crate::billing::health::{self, ProviderLook};
use crate::billing::webhooks::Doorbell;

/// Connections at one time; who comes then waits.
const MOST_CONNECTIONS: usize = 16;
/// A connection's whole life.
const LONGEST: Duration = Duration::from_secs(15);
const TEXT: &str = "text/plain; charset=utf-8";
const METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What the windows look at.
#[derive(Clone)]
pub struct Windows {
    /// The work under the wishes in force: its book, its clock, its counters.
    pub billing: watch::Receiver<Billing>,
    /// How the service stands.
    pub standing: watch::Receiver<Standing>,
    /// Host headers that are answered besides the listener's own names, such as what a proxy in front of it passes on.
    pub hosts: Vec<String>,
    /// Something due that nobody looked at for longer is no good sign.
    pub due_limit: SignedDuration,
    /// What the provider rings; `None`: webhooks are refused.
    pub doorbell: Option<Arc<Doorbell>>,
    /// Looks at the provider for those who ask whether it is ready.
    pub provider: Arc<ProviderLook>,
}

impl Windows {
    fn now(&self) -> (Billing, Standing) {
        (self.billing.borrow().clone(), self.standing.borrow().clone())
    }
}

/// Opens the windows; they close with `close`, which is for after the last work. Returns where they are.
///
/// # Errors
/// What the system said about the address.
pub async fn open(
    listen: SocketAddr,
    windows: Windows,
    close: CancellationToken,
) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind(listen).await?;
    let addr = listener.local_addr()?;
    let (windows, places) = (Arc::new(windows), Arc::new(Semaphore::new(MOST_CONNECTIONS)));
    tokio::spawn(async move {
        loop {
            let Ok(place) = places.clone().acquire_owned().await else { return };
            let arrived = tokio::select! {
                () = close.cancelled() => return,
                arrived = listener.accept() => arrived,
            };
            // A connection that broke before it was taken is the client's business.
            let Ok((stream, _)) = arrived else { continue };
            let windows = windows.clone();
            tokio::spawn(async move {
                let _ = tokio::time::timeout(LONGEST, serve(stream, addr, windows)).await;
                drop(place);
            });
        }
    });
    Ok(addr)
}

async fn serve(stream: TcpStream, addr: SocketAddr, windows: Arc<Windows>) {
    let service = hyper::service::service_fn(move |request| {
        let windows = windows.clone();
        async move { Ok::<_, Infallible>(answer(request, addr, &windows).await) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a window's visitor went away");
    }
}

async fn answer(request: Request<Incoming>, addr: SocketAddr, windows: &Windows) -> Response<Full<Bytes>> {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    if !host.is_some_and(|host| is_ours(host, addr, &windows.hosts)) {
        return page(StatusCode::MISDIRECTED_REQUEST, TEXT, "this host is not served here\n".into());
    }
    if request.uri().path() == doorbell::PATH {
        if request.method() != Method::POST {
            return page(StatusCode::METHOD_NOT_ALLOWED, TEXT, "only POST\n".into());
        }
        let (status, text) = doorbell::ring(request, windows).await;
        return page(status, TEXT, text.into());
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return page(StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET\n".into());
    }
    match request.uri().path() {
        "/healthz" => page(StatusCode::OK, TEXT, "alive\n".into()),
        "/readyz" => ready(windows).await,
        "/metrics" => measured(windows).await,
        _ => page(StatusCode::NOT_FOUND, TEXT, "there are /healthz, /readyz and /metrics\n".into()),
    }
}

/// Whether a Host header names this listener: a page elsewhere that got a browser to ask us by another name is sent
/// away. A listener on every address cannot know by which it is asked, but a bare address is no name that others can
/// point at us.
fn is_ours(host: &str, addr: SocketAddr, more: &[String]) -> bool {
    if more.iter().any(|name| name.eq_ignore_ascii_case(host)) {
        return true;
    }
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, port.parse::<u16>().ok()),
        _ => (host, Some(addr.port())),
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let named = bare.eq_ignore_ascii_case("localhost") && addr.ip().is_loopback();
    let asked = bare.parse::<IpAddr>().ok();
    let meant = asked.is_some_and(|ip| ip == addr.ip() || addr.ip().is_unspecified());
    port == Some(addr.port()) && (named || meant)
}

async fn ready(windows: &Windows) -> Response<Full<Bytes>> {
    let wrong = troubles(windows).await;
    if wrong.is_empty() {
        return page(StatusCode::OK, TEXT, "ready\n".into());
    }
    page(StatusCode::SERVICE_UNAVAILABLE, TEXT, wrong.join("\n") + "\n")
}

/// Everything that is not as it should be, a sentence each.
async fn troubles(windows: &Windows) -> Vec<String> {
    let (billing, standing) = windows.now();
    let mut wrong = Vec::new();
    match standing.phase {
        Phase::Recovering => wrong.push("service: it looks up old doubt first".to_owned()),
        Phase::Stopping => wrong.push("service: it is stopping".to_owned()),
        Phase::Serving => {}
    }
    // Trouble that the service has is known: nobody waits to find it once more.
    let known = standing.book_trouble.clone();
    let book = async {
        match known {
            Some(why) => Err(why),
            None => health::book(&billing).await,
        }
    };
    let (book, provider) = tokio::join!(book, windows.provider.look(&billing));
    let answers = book.is_ok();
    wrong.extend(book.err().map(|why| format!("store: {why}")));
    wrong.extend(provider.err().map(|why| format!("provider: {why}")));
    wrong.extend(standing.clock_trouble.map(|why| format!("clock: {why}")));
    if !answers {
        return wrong;
    }
    match look(&billing).await {
        Ok(look) if look.oldest_due_s > windows.due_limit.as_secs() => {
            wrong.push(format!(
                "due: the oldest has waited for {} s, wanted at most {}",
                look.oldest_due_s,
                windows.due_limit.as_secs()
            ));
        }
        Ok(_) => {}
        Err(why) => wrong.push(format!("store: {why}")),
    }
    wrong
}

async fn measured(windows: &Windows) -> Response<Full<Bytes>> {
    let (billing, standing) = windows.now();
    let text = match look(&billing).await {
        Ok(look) => metrics::page(&look, &standing, &billing, windows.doorbell.as_deref())
            .map_err(|error| error.to_string()),
        Err(why) => Err(why),
    };
    match text {
        Ok(text) => page(StatusCode::OK, METRICS, text),
        Err(why) => page(StatusCode::INTERNAL_SERVER_ERROR, TEXT, format!("{why}\n")),
    }
}

fn page(status: StatusCode, kind: &'static str, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_names_are_answered() {
        let four: SocketAddr = "127.0.0.1:8780".parse().unwrap();
        let six: SocketAddr = "[::1]:8780".parse().unwrap();
        for good in ["127.0.0.1:8780", "localhost:8780", "LOCALHOST:8780", "127.0.0.1"] {
            assert!(is_ours(good, four, &[]), "{good}");
        }
        assert!(is_ours("[::1]:8780", six, &[]) && is_ours("[::1]", six, &[]));
        for bad in ["rebind.example:8780", "127.0.0.1:80", "127.0.0.2:8780", "", "localhost.example:8780"] {
            assert!(!is_ours(bad, four, &["hooks.example".into()]), "{bad}");
        }
        assert!(is_ours("Hooks.example", four, &["hooks.example".into()]));
        let any: SocketAddr = "0.0.0.0:8780".parse().unwrap();
        assert!(is_ours("192.0.2.7:8780", any, &[]) && is_ours("[2001:db8::1]:8780", any, &[]));
        assert!(!is_ours("rebind.example:8780", any, &[]) && !is_ours("192.0.2.7:80", any, &[]));
    }
}
