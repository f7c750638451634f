//! The sandbox's HTTP: connections, requests, and carrying out what the switches ask.
//!
//! Promises: the world is locked only while it works, never while bytes travel; a request that was to be
//! processed late is processed even if the client has gone. Must never know what a call means.

use std::convert::Infallible;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::answer::{Answer, Outgoing};
use super::call::Call;
use super::error::ApiError;
use super::faults::{Fault, When};
use super::wire::{Cut, Wire};
use super::world::World;
use super::{control, handling, ids, time, webhooks};

/// No request of the API is larger.
const MAX_BODY_BYTES: usize = 1024 * 1024;
const VERSION: &str = "2019-05-29";

/// What every connection shares.
pub struct Shared {
    world: Mutex<World>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Shared {
    pub fn new(world: World) -> Self {
        Self { world: Mutex::new(world), stop: CancellationToken::new(), tasks: TaskTracker::new() }
    }

    /// The world, for as long as the guard lives. Never held across an await.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs something until the sandbox stops.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = work => {}
            }
        });
    }

    /// Tells every connection to end.
    pub fn cancel(&self) {
        self.stop.cancel();
    }

    /// Ends every connection and waits until all tasks are gone.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// Takes connections until stopped.
pub async fn accept(shared: Arc<Shared>, listener: TcpListener) {
    loop {
        let arrived = tokio::select! {
            () = shared.stop.cancelled() => return,
            arrived = listener.accept() => arrived,
        };
        // A connection that broke before it was taken is the client's business.
        let Ok((stream, _)) = arrived else { continue };
        shared.spawn(connection(Arc::clone(&shared), stream));
    }
}

/// Starts taking connections.
pub fn spawn(shared: &Arc<Shared>, listener: TcpListener) {
    shared.tasks.spawn(accept(Arc::clone(shared), listener));
}

async fn connection(shared: Arc<Shared>, stream: TcpStream) {
    // Answers are small and awaited: waiting to fill a packet would only slow them.
    drop(stream.set_nodelay(true));
    let cut = Arc::new(Cut::default());
    let wire = TokioIo::new(Wire::new(stream, Arc::clone(&cut)));
    let service = hyper::service::service_fn(move |request| {
        let (shared, cut) = (Arc::clone(&shared), Arc::clone(&cut));
        async move { Ok::<_, Infallible>(respond(&shared, &cut, request).await) }
    });
    let mut server = hyper::server::conn::http1::Builder::new();
    server.auto_date_header(false).writev(false);
    // What ends a connection early is a switch or the client: neither is ours to report.
    drop(server.serve_connection(wire, service).await);
}

async fn respond(shared: &Arc<Shared>, cut: &Cut, request: Request<Incoming>) -> Response<Outgoing> {
    let (head, body) = request.into_parts();
    let body = match Limited::new(body, MAX_BODY_BYTES).collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => Bytes::new(),
    };
    let version = head.headers.get("omise-version").cloned();
    let answer = match Call::read(head.method, &head.uri, &head.headers, &body) {
        Ok(call) => carry_out(shared, cut, call).await,
        Err(error) => Answer::refusal(&error),
    };
    let number = ids::mix(shared.world().traffic.requests);
    send(shared, answer, version, number)
}

/// Processes a call as its switches ask.
async fn carry_out(shared: &Arc<Shared>, cut: &Cut, call: Call) -> Answer {
    if call.segments().first() == Some(&control::ROOT) {
        let mut world = shared.world();
        let answer = control::answer(&mut world, &call);
        let answer = saved(&mut world, answer);
        webhooks::dispatch(shared, std::mem::take(&mut world.parcels));
        return answer;
    }
    let (faults, latency) = {
        let mut world = shared.world();
        match handling::admit(&mut world, &call) {
            Ok(faults) => (faults, world.settings.latency_ms),
            Err(refused) => return refused,
        }
    };
    if let Some(answer) = before(shared, cut, &faults, &call).await {
        return answer;
    }
    let mut answer = process(shared, call, &faults).await;
    for fault in &faults {
        match fault {
            Fault::Silence(When::After) => pending::<()>().await,
            Fault::Close(When::After) => cut.after(0, false),
            Fault::Reset(When::After) => cut.after(0, true),
            Fault::Cut(bytes, reset) => cut.after(*bytes, *reset),
            Fault::Delay(When::After, ms) => tokio::time::sleep(time::ms(*ms)).await,
            other => answer = answer.suffer(other),
        }
    }
    if latency > 0 {
        tokio::time::sleep(time::ms(latency)).await;
    }
    answer
}

/// What happens instead of processing, if anything does.
async fn before(shared: &Arc<Shared>, cut: &Cut, faults: &[Fault], call: &Call) -> Option<Answer> {
    for fault in faults {
        match fault {
            Fault::Silence(When::Before) => pending::<()>().await,
            Fault::Close(When::Before) => cut.after(0, false),
            Fault::Reset(When::Before) => cut.after(0, true),
            Fault::Late(ms) => {
                cut.after(0, false);
                process_later(shared, call, faults, *ms);
            }
            other => {
                if let Some(answer) = Answer::instead(other) {
                    return Some(answer);
                }
                continue;
            }
        }
        return Some(Answer::refusal(&ApiError::of_status(500)));
    }
    None
}

fn process_later(shared: &Arc<Shared>, call: &Call, faults: &[Fault], ms: u64) {
    let (own, call, faults) = (Arc::clone(shared), call.clone(), faults.to_vec());
    shared.spawn(async move {
        tokio::time::sleep(time::ms(ms)).await;
        work(&own, &call, &faults);
    });
}

/// Processes now, or after the delay that a switch asks: then even if the client has gone meanwhile.
async fn process(shared: &Arc<Shared>, call: Call, faults: &[Fault]) -> Answer {
    let delay = faults.iter().find_map(|fault| match fault {
        Fault::Delay(When::Before, ms) => Some(*ms),
        _ => None,
    });
    let Some(delay) = delay else { return work(shared, &call, faults) };
    let (own, faults) = (Arc::clone(shared), faults.to_vec());
    let task = shared.tasks.spawn(async move {
        tokio::select! {
            () = own.stop.cancelled() => Answer::refusal(&ApiError::of_status(503)),
            () = tokio::time::sleep(time::ms(delay)) => work(&own, &call, &faults),
        }
    });
    task.await.unwrap_or_else(|_| Answer::refusal(&ApiError::of_status(500)))
}

fn work(shared: &Arc<Shared>, call: &Call, faults: &[Fault]) -> Answer {
    let mut world = shared.world();
    let answer = handling::process(&mut world, call, faults);
    let answer = saved(&mut world, answer);
    if !world.parcels.is_empty() {
        webhooks::dispatch(shared, std::mem::take(&mut world.parcels));
    }
    answer
}

/// The answer, once what changed stands in the state file.
fn saved(world: &mut World, answer: Answer) -> Answer {
    match world.save() {
        Ok(()) => answer,
        Err(_) => Answer::refusal(&ApiError::of_status(500)),
    }
}

fn send(shared: &Shared, answer: Answer, version: Option<HeaderValue>, number: u64) -> Response<Outgoing> {
    let (now, no_date) = {
        let world = shared.world();
        (world.now_seconds(), answer.no_date || world.settings.no_date)
    };
    let body = Outgoing::new(answer.body, answer.drip_ms, answer.broken_at);
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store"));
    headers.insert("omise-version", version.unwrap_or(HeaderValue::from_static(VERSION)));
    if let Ok(value) = HeaderValue::from_str(&handling::request_id(number)) {
        headers.insert("x-request-id", value);
    }
    let date = jiff::Timestamp::from_second(now).ok().and_then(|at| http_date(&at));
    if let Some(date) = date.filter(|_| !no_date) {
        headers.insert(header::DATE, date);
    }
    if let Some(location) = answer.location.and_then(|text| HeaderValue::from_str(&text).ok()) {
        headers.insert(header::LOCATION, location);
    }
    if let Some(seconds) = answer.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn http_date(at: &jiff::Timestamp) -> Option<HeaderValue> {
    let text = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(at).ok()?;
    HeaderValue::from_str(&text).ok()
}
